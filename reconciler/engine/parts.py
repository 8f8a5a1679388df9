"""The parts of a thing: how their items differ from what is wanted, and the calls that put that right.

Used by `converge`.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from typing import Any

from reconciler.engine.drift import drift, is_ignored
from reconciler.model.calls import Call
from reconciler.model.kind import Item, Kind, Part
from reconciler.model.things import Desired, Observed
from reconciler.model.verdicts import Drift, Wait

Held = Callable[[Part, Hashable], Wait | None]
"""What an item waits for before it can be put in; None when it can be at once."""


def _items(part: Part, desired: Desired, observed: Observed) -> tuple[dict[Any, Any], dict[Any, Any]]:
    """Wanted and live items by key; nothing on either side when the config leaves the part alone."""
    if part.field not in desired.spec or is_ignored(part.field, desired.ignore):
        return {}, {}
    wanted = {part.key(item): item for item in map(part.normal, desired.spec[part.field] or ())}
    live = {part.key(item): item for item in part.rows(observed.raw)}
    return wanted, {key: item for key, item in live.items() if key in wanted or not part.keeps}


def _differs(part: Part, wanted: Item, live: Item) -> bool:
    """Whether a live item is not as it is wanted."""
    return any(drift(part.meant(wanted), part.meant(live), part.field))


def part_drift(part: Part, desired: Desired, observed: Observed) -> Iterator[Drift]:
    """Where a part differs, one entry an item."""
    wanted, live = _items(part, desired, observed)
    for key in dict.fromkeys([*wanted, *live]):
        if key not in live or key not in wanted or _differs(part, wanted[key], live[key]):
            yield Drift(f"{part.field}[]", wanted.get(key), live.get(key))


def put_off(kind: Kind, desired: Desired, observed: Observed, held: Held) -> Wait | None:
    """What the first item waits for that cannot be put in now."""
    for part in kind.parts:
        wanted, live = _items(part, desired, observed)
        for key in wanted:
            if key not in live and (waits := held(part, key)):
                return waits
    return None


def part_calls(
    kind: Kind, desired: Desired, observed: Observed, held: Held, last: bool = False
) -> Iterator[Call]:
    """Additions first, so that nothing is cut off between; then changes, then removals, last parts first.  Before them
    all what has to make room.

    With `last`, what has to wait for the end instead.
    """
    removals: list[Call] = []
    for part in sorted(kind.parts, key=lambda one: not one.makes_room):
        wanted, live = _items(part, desired, observed)
        added = [wanted[key] for key in wanted if key not in live and held(part, key) is None]
        changed = [
            live[key] | wanted[key]
            for key in wanted
            if key in live and _differs(part, wanted[key], live[key])
        ]
        removed = [live[key] for key in live if key not in wanted]
        if part.at_once and part.last is last and (added or changed or removed):
            yield from part.at_once(observed, added, changed, removed)
            continue
        if removed and part.makes_room and not last:
            yield from part.remove(observed, removed)
            removed = []
        if added and not last:
            yield from part.add(observed, added)
        if changed and part.last is last:
            yield from part.change(observed, changed)
        if removed and part.last is last:
            removals = [*part.remove(observed, removed), *removals]
    yield from removals


def room(kind: Kind, desired: Desired, observed: Observed) -> Iterator[Call]:
    """What has to make room before anything else of a thing can change."""
    for part in kind.parts:
        wanted, live = _items(part, desired, observed)
        removed = [live[key] for key in live if key not in wanted]
        yield from part.remove(observed, removed) if part.makes_room and removed else ()
