"""Which creations have to wait because the thing may exist already: at most once.  Called by `loop`.

Lists lag behind creations, answers get lost, and a process may have died between a call and its answer.  What is
remembered of that is evidence, never truth: without it everything only takes longer.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from reconciler.engine.batches import unlisted
from reconciler.engine.order import AllFacts
from reconciler.model.address import Address
from reconciler.model.remembered import APART, LOST_ANSWER, UNLISTED, Remembered
from reconciler.model.things import World

AMNESIA = 60.0
"""Seconds that creations wait when nothing is remembered and things of this stack exist."""


def holds(
    remembered: Remembered,
    *,
    missing: Mapping[Address, Collection[Address]],
    world: World,
    now: float,
    grace: float,
    facts: AllFacts,
) -> dict[Address, str]:
    """The addresses that must not be created now, each with the reason.

    `missing` are those of which no list shows anything, each with those that it had before (`previously`): what was
    made for one of them would be renamed.  `grace` is how many seconds creations wait when nothing is remembered and
    nothing of this stack was seen.
    """
    dead = {thing.id for thing in world.dead}
    wait = AMNESIA if remembered.found else grace
    names = {address: (address, *earlier) for address, earlier in missing.items()}
    together = dict(unlisted(world, facts, {name for some in names.values() for name in some}, now))
    found: dict[Address, str] = {}
    for address in missing:
        reasons = (
            _why(remembered, name, address, dead, now) or together.get(name) for name in names[address]
        )
        if why := next(filter(None, reasons), None):
            found[address] = why
        elif remembered.fresh and now < remembered.since + wait:
            left = remembered.since + wait - now
            found[address] = (
                f"nothing is remembered of earlier runs, so creations wait {left:.0f} s more for lists to catch up"
            )
    return found


def _why(remembered: Remembered, name: Address, wanted: Address, dead: set[str], now: float) -> str | None:
    """Why what is wanted at an address may exist under a name, its own or an earlier one.  A token protects what is
    sent again for the same address only."""
    begun = remembered.intents.get(name)
    if begun is None and name != wanted:
        begun = remembered.tokens.get(name)
    if begun is not None and now < begun + LOST_ANSWER:
        left = begun + LOST_ANSWER - now
        return f"an earlier attempt got no answer and may have succeeded; it is looked for {left:.0f} s more"
    if name in remembered.created:
        id, when = remembered.created[name]
        if id not in dead and now < when + UNLISTED:
            what = f"{id} was created" if id else "an earlier attempt that did happen was found out"
            return f"{what} {now - when:.0f} s ago, and it is not listed yet"
    if name in remembered.seen:
        id, _ = remembered.seen[name]
        if id not in dead:
            return f"{id} is missing from the list; a look {APART:.0f} s later must agree"
    return None
