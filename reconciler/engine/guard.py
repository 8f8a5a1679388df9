"""Guards: what stops a whole pass before its first change.  Called by `loop` between plan and apply."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from reconciler.model.address import Address
from reconciler.model.plan import Entry, Plan
from reconciler.model.things import World
from reconciler.model.verdicts import Steps, Verdict, Wait

SHARE = 0.5
"""More than this share of what is owned may not vanish from a config unless a person says so."""


LIMITS: Mapping[str, float] = {"deletes": 5, "percent": 20, "per-hour": 20}
"""The limits of a config that has none of its own."""


class Stop(NamedTuple):
    """Why a pass must not go on, and which guard says so.

    `plan` is the hash by which a person can agree to it, "" where nobody can.
    """

    guard: str
    why: str
    plan: str = ""


def shrunk(
    *,
    wanted: Collection[Address],
    renamed: Collection[Address],
    world: World,
    allow_empty: bool,
    allow_shrink: bool,
) -> Stop | None:
    """Why the config is too small to be believed; None when it is not.

    It is measured against what AWS shows, not against a remembered config, so that nothing has to be remembered.
    `renamed` are former addresses that the config takes over with `previously`.
    """
    if not wanted:
        if allow_empty:
            return None
        why = "the config has no resources at all"
        return Stop("empty", f"{why}; if that is meant, say --allow-empty (or use `reconciler destroy`)")
    owned = {thing.address for thing in world.owned if thing.address and not thing.replaced}
    lost = owned - set(wanted) - set(renamed)
    if allow_shrink or len(lost) <= SHARE * len(owned):
        return None
    some = ", ".join(sorted(map(str, lost))[:5])
    kinds = {address.kind for address in lost}
    new = [address for address in wanted if address not in owned and address.kind in kinds]
    return Stop(
        "shrink",
        f"the config has lost {len(lost)} of the {len(owned)} things that this stack owns ({some}"
        f"{', …' if len(lost) > 5 else ''}): was it cut short, or is a file missing?{_renamed(len(new))} "
        "If that is meant, say --allow-shrink",
    )


def over_budget(plan: Plan, limits: Mapping[str, Any], world: World, before: int = 0) -> Stop | None:
    """Why a plan deletes or replaces more than the limits allow, the config's or else LIMITS; None when it does not.

    `deletes` is a number, `percent` a share of what is owned, rounded up to at least one, `per-hour` a number from
    which those are taken that were deleted or replaced in the last hour (`before`); the smallest counts.  What
    has to wait for its turn counts as well, or a chain of things would go one by one, a look each.
    """
    doomed = [entry for entry in plan.entries if is_doomed(entry)]
    given = {**LIMITS, **limits}
    bounds = {
        "deletes": int(given["deletes"]),
        "percent": max(1, math.ceil(len(world.owned) * given["percent"] / 100)),
        "per-hour": max(0, int(given["per-hour"]) - before),
    }
    if not doomed or len(doomed) <= min(bounds.values()):
        return None
    name = min(bounds, key=lambda name: bounds[name])
    some = ", ".join(entry.label for entry in doomed[:5]) + (", …" if len(doomed) > 5 else "")
    lost = {entry.scope for entry in doomed if not entry.wanted}
    new = [entry for entry in plan.entries if _is_new(entry) and entry.scope in lost]
    allows = f"`limits: {name}` allows {bounds[name]}"
    if name == "per-hour" and before:
        allows += f" more, after {before} in the last hour"
    return Stop(
        name,
        f"{len(doomed)} things would be deleted or replaced ({some}), and {allows}.{_renamed(len(new))} "
        "Do it in smaller steps, raise the limit in the config",
    )


def _is_new(entry: Entry) -> bool:
    return isinstance(entry.verdict, Steps) and entry.verdict.verb == "create"


def _renamed(new: int) -> str:
    """What is asked where as many things come as others go."""
    what = "another of the same kind is" if new == 1 else f"{new} others of the same kinds are"
    return f" Renamed? {what.capitalize()} new: say `previously: [FORMER ADDRESS]` there." if new else ""


def is_doomed(entry: Entry) -> bool:
    """Whether what an entry has would be deleted or replaced, in this pass or in its turn."""
    if isinstance(entry.verdict, Steps) and entry.verdict.verb in {"delete", "replace"}:
        return True
    return not entry.wanted and isinstance(entry.verdict, Steps | Wait) and not held_back(entry.verdict)


def held_back(verdict: Verdict) -> bool:
    """Whether nothing happens until a person says so or a window opens: it counts then."""
    return isinstance(verdict, Wait) and verdict.on in {"person", "window"}
