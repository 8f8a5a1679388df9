"""What earlier looks of this process have read, one by one, of things that have not changed since.

Kept by `loop`, used by `observe`.  It is in memory alone: a new process reads everything, and comes to the same plan.
A thing that has not changed is the same object in the next look; who has concluded something of it need not do so
again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import jmespath

from reconciler.model.kind import Kind
from reconciler.model.reads import Detail
from reconciler.model.things import Observed, Scope

LONGEST = 3600.0
"""Seconds for which a list is believed that says that nothing has changed."""


class _Seen(NamedTuple):
    row: Mapping[str, Any]
    thing: Observed


class _Whole(NamedTuple):
    thing: Observed
    more: Mapping[str, Any]
    whole: Observed


class _Read(NamedTuple):
    stamp: Any
    at: float
    value: Any


@dataclass
class Known:
    """Details by the thing they are about; `now` is a clock in seconds, `remembers` whether there is another look."""

    now: Callable[[], float]
    remembers: bool = True
    _read: dict[tuple[Scope, str, str], _Read] = field(default_factory=dict)
    _seen: dict[tuple[Scope, str], _Seen] = field(default_factory=dict)
    _whole: dict[tuple[Scope, str], _Whole] = field(default_factory=dict)
    _before: tuple[dict[tuple[Scope, str], _Seen], dict[tuple[Scope, str], _Whole]] = ({}, {})

    def turn(self) -> None:
        """A look begins: things that the last one has not seen are forgotten."""
        self._before = self._seen, self._whole
        self._seen, self._whole = {}, {}

    def thing(self, scope: Scope, id: str, row: Mapping[str, Any], make: Callable[[], Observed]) -> Observed:
        """What a row shows: the thing of the last look where it showed the same."""
        if not self.remembers:
            return make()
        found = self._before[0].get((scope, id))
        if found is None or (found.row is not row and found.row != row):
            found = _Seen(row, make())
        self._seen[scope, id] = found
        return found.thing

    def whole(
        self,
        thing: Observed,
        more: Mapping[str, Any],
        make: Callable[[Observed, Mapping[str, Any]], Observed],
    ) -> Observed:
        """A thing with what its list leaves out: that of the last look where nothing of both has changed."""
        if not more:
            return thing
        found = self._before[1].get((thing.scope, thing.id))
        if found is None or found.thing is not thing or found.more != more:
            found = _Whole(thing, more, make(thing, more))
        self._whole[thing.scope, thing.id] = found
        return found.whole

    def recall(self, kind: Kind, thing: Observed, detail: Detail) -> Any:
        """What was read, where the thing is settled and as it was then; None where it has to be read."""
        found = self._read.get((thing.scope, thing.id, detail.key))
        if found is None or thing.state not in kind.ready or not 0 <= self.now() - found.at < LONGEST:
            return None
        return found.value if _stamp(detail.stamp, thing.raw) == found.stamp else None

    def note(self, kind: Kind, thing: Observed, detail: Detail, value: Any) -> None:
        """A detail was read; it is of use where the thing was settled, and list and detail agree on what they tell
        of: nothing says that AWS stamps the end of a change anew."""
        stamp = _stamp(detail.stamp, thing.raw)
        if thing.state in kind.ready and stamp is not None and stamp == _stamp(detail.stamped, value):
            self._read[thing.scope, thing.id, detail.key] = _Read(stamp, self.now(), value)


def _stamp(path: str, value: Any) -> Any:
    return jmespath.search(path, value) if path else None
