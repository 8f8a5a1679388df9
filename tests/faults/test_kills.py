"""Killed again and again, in one run, around a call of each kind: the estate is the same in the end.

A spread sample: each run has a share of the kinds, and dies around one call of each.  `python -m benchmarks.kills` dies
around every call there is, in an estate of all kinds.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import pytest

from reconciler.kinds import BY_NAME
from reconciler.model.kind import Kind
from tests.conformance.fixture import ONE_OF_EACH, load
from tests.faults.estate import share
from tests.faults.killing import Course, Damage, Memory, Moment, account, on_stage
from tests.faults.lives import Chosen, Death, live
from tests.faults.runs import runs
from tests.harness import Host

pytestmark = pytest.mark.xdist_group("kills")  # one worker: what they share is dear to make

WAYS: list[tuple[Moment, Memory]] = [
    ("before", "kept"),
    ("after", "lost"),
    ("answered", "kept"),
    ("before", "lost"),
    ("after", "kept"),
    ("answered", "lost"),
    ("before", "torn"),
]


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """An empty account; tests work in copies of it."""
    with account(tmp_path_factory.mktemp("kills"), kinds=ONE_OF_EACH) as host:
        yield host


def creates(kind: Kind) -> set[str]:
    return {kind.create}


def updates(kind: Kind) -> set[str]:
    if not load(f"{kind.name}-update"):
        return set()
    remedies = {operation for remedy in kind.remedies.values() for operation in remedy.operations}
    return (
        remedies | {operation for part in kind.parts for operation in part.operations} | {kind.update or ""}
    )


def deletes(kind: Kind) -> set[str]:
    return {kind.delete}


def all_calls(kind: Kind) -> set[str]:
    return updates(kind) | creates(kind) | deletes(kind)


RUNS: dict[str, Callable[[Kind], set[str]]] = {
    "create": creates,
    "heal": all_calls,
    "update": updates,
    "replace-delete-first": all_calls,
    "replace-create-first": all_calls,
    "destroy": deletes,
}


@pytest.mark.parametrize("name", RUNS)
def test_killed_around_a_call_of_each_kind_the_estate_is_the_same(empty: Host, name: str) -> None:
    number = [*RUNS].index(name)
    kinds = share(number, len(RUNS), ONE_OF_EACH)
    ways = itertools.islice(itertools.cycle(WAYS), number, None)
    deaths = [
        Death(kind, frozenset(found), moment, memory)
        for kind, (moment, memory) in zip(kinds, ways, strict=False)
        if (found := RUNS[name](BY_NAME[kind]))
    ]

    def work(host: Host, course: Course) -> tuple[Damage, list[Death]]:
        done = {boundary.operation for boundary in course.boundaries}
        chosen = Chosen([death for death in deaths if death.operations & done])
        return live(host, run, course, chosen), chosen.unmet

    run = runs(kinds)[name]
    damage, unmet = on_stage(empty, run, work)
    assert damage.problems == []
    assert unmet == []
