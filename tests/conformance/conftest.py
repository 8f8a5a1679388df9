"""Each test of this folder is run for each kind there is."""

from __future__ import annotations

import pytest

from tests.conformance.fixture import KINDS, Fixture


@pytest.fixture(params=KINDS)
def fixture(request: pytest.FixtureRequest) -> Fixture:
    """The three fixtures of one kind."""
    return Fixture(request.param)
