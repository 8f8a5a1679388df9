"""Random worlds, one for each few kinds: `python -m benchmarks.worlds` makes many, and finds the shortest story that
fails."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.conformance.fixture import KINDS
from tests.faults.estate import EVERY, share
from tests.faults.worlds.estates import subjects, variants
from tests.faults.worlds.machine import Worlds
from tests.faults.worlds.seen import is_blind
from tests.harness import FACTS

SHARES = 9
"""Worlds among which the kinds are dealt out."""
FEW = settings(
    max_examples=1,
    stateful_step_count=3,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.parametrize("number", range(SHARES))
def test_a_random_world_becomes_as_its_config_says(number: int) -> None:
    class Some(Worlds):
        kinds = share(number, SHARES, EVERY)

    run_state_machine_as_test(seed(number)(Some), settings=FEW)


def test_they_are_about_all_kinds_and_all_that_aws_shows_of_them() -> None:
    """Of no kind a field is left out that AWS reports; one that it reports in other words has a line in `SHOWN`."""
    assert {kind for number in range(SHARES) for kind in share(number, SHARES, EVERY)} == set(KINDS)
    unseen = {
        f"{kind}: {name}"
        for kind in KINDS
        for slot in subjects([kind])
        for fields in variants(slot).values()
        for name, wanted in fields.items()
        if is_blind(kind, name, wanted, {}) and not FACTS[kind].fields[name].write_only
    }
    assert unseen == set()
