"""Random worlds, a few of them: `python -m benchmarks.worlds` makes many, and finds the shortest story that fails."""

from __future__ import annotations

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.faults.worlds.machine import Worlds


def test_random_worlds_become_as_their_config_says() -> None:
    few = settings(
        max_examples=3,
        stateful_step_count=12,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    run_state_machine_as_test(Worlds, settings=few)
