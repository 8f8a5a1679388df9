"""Random worlds, a few: `python -m benchmarks.worlds` makes many."""

from __future__ import annotations

from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from tests.faults.worlds.machine import Worlds


def test_random_worlds_become_as_their_config_says() -> None:
    run_state_machine_as_test(Worlds, settings=settings(max_examples=6, stateful_step_count=10))
