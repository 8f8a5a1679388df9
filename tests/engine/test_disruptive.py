"""Updates that interrupt what a thing does wait for a maintenance window; others do not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.engine.planner import Planner
from reconciler.model.verdicts import Steps, Wait
from reconciler.restraints import Restraints
from reconciler.windows import Windows
from tests.engine.build import thing, wish, world
from tests.harness import FACTS, STACK

CLOSED = Restraints(windows=Windows(False, 3600.0))


def verdict(*, disruptive: bool, restraints: Restraints) -> object:
    """That on an instance whose SourceDestCheck differs, if changing it were disruptive or not."""
    facts = FACTS["instance"]
    kind = facts.kind
    marked = replace(kind.remedies["SourceDestCheck"], disruptive=disruptive)
    kind = replace(kind, remedies={**kind.remedies, "SourceDestCheck": marked})
    wanted = wish("instance/i", {"SourceDestCheck": False})
    planner = Planner(
        stack=STACK,
        resources={wanted.address: wanted},
        facts={**FACTS, "instance": replace(facts, kind=kind)},
        world=world(thing("instance/i", raw={"SourceDestCheck": True})),
        instead=restraints.wait,
    )
    return planner.verdict(wanted.address)


def test_a_disruptive_update_waits_for_its_window() -> None:
    found = verdict(disruptive=True, restraints=CLOSED)
    assert isinstance(found, Wait)
    assert found.on == "window"
    assert (
        found.why == "the maintenance window for its change, which interrupts it, begins 1970-01-01T01:00:00Z"
    )


@pytest.mark.parametrize(("disruptive", "restraints"), [(True, Restraints()), (False, CLOSED)])
def test_an_open_window_or_a_change_that_interrupts_nothing_holds_nothing_back(
    disruptive: bool, restraints: Restraints
) -> None:
    found = verdict(disruptive=disruptive, restraints=restraints)
    assert isinstance(found, Steps)
    assert found.disruptive is disruptive
