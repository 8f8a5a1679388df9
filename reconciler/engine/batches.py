"""Which things are made by one call, and which of a call's things no list shows yet.  Used by `memo` and `holds`.

AWS takes five launches at once and two more each second: a thousand machines one by one are eight minutes, and ten
calls of a hundred are none.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

import jmespath

from reconciler import moments
from reconciler.engine.order import AllFacts
from reconciler.model.address import Address
from reconciler.model.batch import LONGEST, born_with, token_of, written
from reconciler.model.calls import digest
from reconciler.model.kind import Kind, Together
from reconciler.model.things import BATCH_TAG, Desired, Observed, World

RECENT = 900.0
"""Seconds for which a thing that AWS has made with others is believed to be there, while others of them are shown: AWS
documents minutes at the worst, and ours is three times as long as for one that was made alone, since so many more would
be made twice."""


def batches(resources: Mapping[Address, Desired], facts: AllFacts) -> dict[Address, tuple[Address, ...]]:
    """All addresses that are made together with others if all of them are to be made, each with the whole batch.

    It follows from the config alone: who starts again without any memory comes to the same, with the same tokens.  So
    what is alike is so word for word, not by what its references lead to.
    """
    alike: dict[str, list[Address]] = {}
    for address, desired in resources.items():
        kind = facts[address.kind].kind
        if kind.together is not None and not kind.tags_steer:
            same = (kind.name, desired.account, desired.region, desired.spec)
            beside = (desired.protect, [str(needed) for needed in desired.depends_on])
            alike.setdefault(digest(*same, *beside), []).append(address)
    return {
        address: batch
        for found in alike.values()
        for batch in _cut(found, facts[found[0].kind].kind.together)
        if len(batch) > 1
        for address in batch
    }


def _cut(addresses: Sequence[Address], together: Together | None) -> Iterator[tuple[Address, ...]]:
    """In pieces that one call can make and one tag can list; those at the end change nothing of what is before them."""
    most = together.most if together else 1
    while addresses:
        count = min(most, len(addresses))
        while count > 1 and len(written(addresses[:count])) > LONGEST:
            count = count * 3 // 4
        yield tuple(addresses[:count])
        addresses = addresses[count:]


def unlisted(
    world: World, facts: AllFacts, addresses: Collection[Address], now: float
) -> Iterator[tuple[Address, str]]:
    """Those of some addresses that AWS has made lately, as others of the same call show, and that no list shows yet."""
    if not any(facts[address.kind].kind.together for address in addresses):
        return
    calls: dict[str, list[Observed]] = {}
    for thing in (*world.things, *world.dead):
        if BATCH_TAG in thing.tags and (token := token_of(facts[thing.kind].kind, thing.raw)):
            calls.setdefault(token, []).append(thing)
    for shown in calls.values():
        kind = facts[shown[0].kind].kind
        made = min(_made(kind, thing) for thing in shown)
        if kind.together is None or now >= made + RECENT:
            continue
        numbers = {thing.raw.get(kind.together.index) for thing in shown}
        batch = born_with(kind, shown[0], world.stack)
        for number, address in enumerate(batch):
            if number not in numbers and address in addresses:
                others = f"{len(batch) - 1} others" if len(batch) > 2 else "another one"
                yield (
                    address,
                    f"AWS has made it with {others} at {moments.text(made)}, and does not show it yet",
                )


def _made(kind: Kind, thing: Observed) -> float:
    """When a thing was made, in seconds since the epoch; long ago where its row does not say so."""
    try:
        return moments.seconds(str(jmespath.search(kind.together.since, thing.raw) if kind.together else ""))
    except ValueError:
        return 0.0
