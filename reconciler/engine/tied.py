"""What is in one thing, maybe on its way out: AWS puts it into nothing else until it is gone there.  Used by `planner`.

AWS lists an association for some seconds after it was asked to end it, and refuses another one of the same meanwhile.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from functools import cached_property

from reconciler.engine.order import AllFacts
from reconciler.model.kind import Part
from reconciler.model.things import Observed
from reconciler.model.verdicts import Wait


class Tied:
    """Which items are where, of parts that can tell of those on their way out."""

    def __init__(self, things: Iterable[Observed], facts: AllFacts) -> None:
        self._things, self._facts = things, facts

    def waits(self, thing: Observed | None, part: Part, key: Hashable) -> Wait | None:
        """What an item waits for that is to be put into a thing; None when nothing is in the way."""
        for other in self._where.get((thing.kind, part.field, key), ()) if thing else ():
            itself = thing is not None and other.id == thing.id
            if not itself and not part.alone:
                continue
            if key not in map(part.key, part.rows(other.raw)):
                return Wait(f"{part.field}: {key} is being taken out of {other.address or other.id}")
            if not itself:
                return Wait(
                    f"{part.field}: {key} is in {other.address or other.id}, and can be in one", "other"
                )
        return None

    @cached_property
    def _where(self) -> dict[tuple[str, str, Hashable], list[Observed]]:
        found: dict[tuple[str, str, Hashable], list[Observed]] = {}
        for thing in self._things:
            for part in self._facts[thing.kind].kind.parts:
                for item in part.holding(thing.raw) if part.holding else ():
                    found.setdefault((thing.kind, part.field, part.key(item)), []).append(thing)
        return found
