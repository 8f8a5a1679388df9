"""One run in which the program is killed again and again, and started again each time.  Used by `test_kills` and
`benchmarks.kills`.

Each death comes at a call at which the program has not died yet, so that a life has them all and comes to an end.  That
costs a fraction of as many runs with one death each (`killing.die`), which find out which of the deaths it was.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from reconciler.kinds import ALL
from tests.faults.killing import (
    Births,
    Boundary,
    Course,
    Damage,
    Memory,
    Moment,
    judged,
    left_behind,
    watched,
)
from tests.faults.runs import Run
from tests.faults.shown import Differences
from tests.harness import Host

Doom = Callable[[Boundary], Memory | None]
"""What is left of the memory when the program dies at a boundary; None when it lives on."""
READ_EVERY = 3
"""One death in so many is around a read."""
TOO_MANY = 1000
"""Deaths of one life: whoever dies more often makes another call each time, and never comes to an end."""


class Died(BaseException):
    """The process is gone: nothing catches this, and nothing that it does on its way out reaches AWS."""


def live(host: Host, run: Run, course: Course, doom: Doom) -> Damage:
    """Make a run, dying where `doom` says and starting again at once; what came of it all in the end."""
    births, number, last = Births(), 0, ""
    while True:
        left = None

        def at(boundary: Boundary, host: Host = host, name: str = f"{host.state.name}-{number}") -> None:
            nonlocal left, last
            if left is None and (memory := doom(boundary)):
                last = boundary.call
                left = left_behind(host.state, name, memory)
            if left is not None:
                raise Died

        try:
            watched(host, run, births, at)
        except Died:
            assert left is not None
            if number == TOO_MANY:
                return Damage([], Differences(), [f"it never ends: {number} deaths, the last at {last}"])
            host, number = host.beside(left), number + 1
        else:
            host.aws.on_call.append(births.hook)
            return judged(host, run, course, births)


@dataclass
class Everywhere:
    """A doom: to die once at each changing call, always at the same moment and with the same left of the memory, and
    now and then around a read, once of each kind's list."""

    moment: Moment
    memory: Memory
    calls: list[str] = field(default_factory=list)
    """The changing calls at which it has died."""
    reads: list[str] = field(default_factory=list)
    """The reads at which it has died."""

    def __call__(self, boundary: Boundary) -> Memory | None:
        if boundary.moment != self.moment:
            return None
        if boundary.changes:
            return self._once(self.calls, boundary.call)
        turn = (len(self.calls) + len(self.reads)) % READ_EVERY == READ_EVERY - 1
        listed = boundary.operation in LISTS and self.memory != "torn" and self.moment != "after"
        return self._once(self.reads, boundary.operation) if turn and listed else None

    def _once(self, before: list[str], what: str) -> Memory | None:
        if what in before:
            return None
        before.append(what)
        return self.memory


LISTS = frozenset(kind.read.operation for kind in ALL)
EVERYWHERE: tuple[tuple[Moment, Memory], ...] = (
    ("before", "kept"),
    ("before", "lost"),
    ("before", "torn"),
    ("after", "kept"),
    ("after", "lost"),
    ("answered", "kept"),
    ("answered", "lost"),
)
"""The lives that together have every death.  What is torn was about to be written; after a read is as before it."""


@dataclass(frozen=True)
class Death:
    """At the next boundary of one of the operations."""

    what: str
    operations: frozenset[str]
    moment: Moment
    memory: Memory


class Chosen:
    """A doom: each of some deaths, in whichever order they come; `unmet` are those that have not come."""

    def __init__(self, deaths: list[Death]) -> None:
        self.unmet = list(deaths)

    def __call__(self, boundary: Boundary) -> Memory | None:
        for death in self.unmet:
            if death.moment == boundary.moment and boundary.operation in death.operations:
                self.unmet.remove(death)
                return death.memory
        return None
