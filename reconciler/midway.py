"""What is known of the world while a pass is under way: what it has made so far, and what AWS shows of that by now.

Used by `loop`.  Rates keep a large pass busy for seconds or minutes, in which what it made first has long become ready:
what needs that follows in the same pass, where else the slowest call would keep it waiting for the next.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace

from reconciler.engine.planner import Planner
from reconciler.errors import ReconcilerError
from reconciler.kinds import BY_NAME
from reconciler.model.address import Address
from reconciler.model.plan import Entry
from reconciler.model.things import Observed, Scope, World
from reconciler.model.verdicts import Steps

SOON, SHARE, TIMES = 0.2, 0.1, 4.0
"""Seconds until what was made is looked at again: at least; as a share of what the pass has taken, so that it costs few
calls; and as often as long as the last such look took, so that it costs little time."""


@dataclass
class Midway:
    """Answers `decide` from what was seen when the pass began and what it has made since.

    `replan` decides about another world with what `planner` was held to; `look` reads scopes as a pass does; `now` is a
    monotonic clock in seconds.
    """

    planner: Planner
    replan: Callable[[World], Planner]
    look: Callable[[frozenset[Scope]], World]
    now: Callable[[], float]
    _unfinished: dict[str, Observed] = field(default_factory=dict)
    """Things that this pass has made and no look has shown at rest yet, by id."""

    def __post_init__(self) -> None:
        self._began = self.now()
        self._next = self._began + SOON

    def decide(self, address: Address) -> Entry:
        """The entry of a wanted address by now."""
        return self.planner.entry(address)

    def fold(self, made: Sequence[Observed]) -> None:
        """What was just created can be referred to at once, if its state allows it."""
        world, taken = self.planner.world, {thing.address for thing in made}
        before = tuple(
            replace(other, replaced=True) if other.address in taken else other for other in world.things
        )
        self._unfinished |= {thing.id: thing for thing in made}
        self.planner = self.replan(replace(world, things=(*before, *made)))

    def look_again(self) -> Collection[Address]:
        """The addresses of what this pass has made and AWS shows otherwise by now; nothing where it is too early.

        What is missing from a list, or shown without our tags, is for the next pass to judge; and so is what keeps it
        from looking at all: calls that are on their way have an end first."""
        if not self._unfinished or self.now() < self._next:
            return ()
        began = self.now()
        try:
            world = self.look(frozenset(thing.scope for thing in self._unfinished.values()))
        except ReconcilerError:
            self._unfinished.clear()
            return ()
        now = self.now()
        self._next = now + max(SOON, SHARE * (now - self._began), TIMES * (now - began))
        seen = {
            thing.id: thing
            for thing in world.owned
            if (made := self._unfinished.get(thing.id)) is not None and thing.address == made.address
        }
        if not seen:
            return ()
        before = (thing for thing in self.planner.world.things if thing.id not in seen)
        self.planner = self.replan(replace(self.planner.world, things=(*before, *seen.values())))
        for thing in seen.values():
            if self._is_at_rest(thing):
                del self._unfinished[thing.id]
        return {thing.address for thing in seen.values() if thing.address is not None}

    def _is_at_rest(self, thing: Observed) -> bool:
        """Whether nothing is to become of a thing: neither by itself nor by a call of ours."""
        ready = BY_NAME[thing.kind].ready
        by_itself = thing.unnamed or (ready and thing.state not in ready)
        return not by_itself and not (thing.address and isinstance(self.decide(thing.address).verdict, Steps))
