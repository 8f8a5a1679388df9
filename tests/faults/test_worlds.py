"""Random worlds, one for each few kinds: `python -m benchmarks.worlds` makes many, and finds the shortest story that
fails."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.faults.estate import share
from tests.faults.worlds.machine import Worlds

SHARES = 12
"""Worlds among which the kinds are dealt out."""
FEW = settings(
    max_examples=1,
    stateful_step_count=9,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.parametrize("number", range(SHARES))
def test_a_random_world_becomes_as_its_config_says(number: int) -> None:
    class Some(Worlds):
        kinds = share(number, SHARES)

    run_state_machine_as_test(seed(number)(Some), settings=FEW)
