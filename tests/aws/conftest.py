"""The local AWS, keys for tests that have none, and a memory with its clock."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.aws.memory import Memory
from reconciler.sandbox import LocalAws, local_aws

from .remembering import Time


@pytest.fixture
def aws() -> Iterator[LocalAws]:
    """A local AWS whose every answer must fit its shape."""
    with local_aws() as local:
        yield local
        assert local.problems == []


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys that sign and open nothing; for tests whose requests are caught before they go out."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI")


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def memory(tmp_path: Path, time: Time) -> Memory:
    """A memory that begins."""
    return Memory.open(tmp_path / "state", time)
