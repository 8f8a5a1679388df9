"""A plan tells, for every kind, what others have changed in AWS from what was changed in the config."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from reconciler.kinds import BY_NAME
from reconciler.model.plan import Plan
from reconciler.model.verdicts import Blocked, Drift, Steps
from tests.conformance.fixture import TRIED, Fixture
from tests.faults.estate import estate
from tests.faults.runs import by_hand
from tests.harness import host

SUBJECTS = {Fixture(kind).address for kind in TRIED}
UNTAGGED = {Fixture(kind).address for kind in TRIED if BY_NAME[kind].tags_steer}
"""AWS acts by the tags of these, so that they carry none that changes."""
ORIGIN = {label: {"unknown"} if label in UNTAGGED else {"pending"} for label in SUBJECTS}


def drifts(plan: Plan) -> Iterator[tuple[str, Drift]]:
    for entry in plan.entries:
        if entry.label in SUBJECTS and isinstance(entry.verdict, Steps | Blocked):
            for drift in entry.verdict.drift:
                yield entry.label, drift


def told(plan: Plan) -> dict[str, set[str]]:
    """The origins of all that differs, by address."""
    found: dict[str, set[str]] = {}
    for label, drift in drifts(plan):
        found.setdefault(label, set()).add(drift.origin)
    return found


def test_for_every_kind_what_differs_is_told_by_who_has_changed_it(tmp_path: Path) -> None:
    with host(tmp_path, page_size=50) as ops:
        ops.run(estate())
        made = {str(thing.address): thing.tags for thing in ops.loop(estate()).look().owned}
        for label in SUBJECTS - UNTAGGED:
            assert 2 < len(made[label]["reconciler:applied"]) <= 256
        ops.run(estate("update"))  # what follows a birth is written down with the first update
        assert told(ops.plan(estate("update"))) == {}
        assert told(ops.plan(estate())) == ORIGIN
        ops.run(estate())
        pending = ops.plan(estate("update"))
        assert told(pending) == ORIGIN
        assert set().union(*told(ops.plan(estate("fixed"))).values()) <= {"pending", "unknown"}
        edited = {label for label, drift in drifts(pending) if not drift.path.startswith("Tags.")}
        for entry in pending.steps:
            for call in entry.verdict.calls:
                if call.operation not in BY_NAME[entry.scope.kind].tagged.operations:
                    by_hand(ops, call)
        ops.aws.clock.advance(60)
        assert told(ops.plan(estate())) == {
            label: {"unknown"} if label in UNTAGGED else {"drift"} for label in edited
        }
