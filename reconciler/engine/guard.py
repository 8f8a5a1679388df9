"""Guards: what stops a whole pass before its first change.  Called by `loop` between plan and apply."""

from __future__ import annotations

from collections.abc import Collection

from reconciler.model.address import Address
from reconciler.model.things import World

SHARE = 0.5
"""More than this share of what is owned may not vanish from a config unless a person says so."""


def shrunk(
    *,
    wanted: Collection[Address],
    renamed: Collection[Address],
    world: World,
    allow_empty: bool,
    allow_shrink: bool,
) -> str | None:
    """Why the config is too small to be believed; None when it is not.

    It is measured against what AWS shows, not against a remembered config, so that nothing has to be remembered.
    `renamed` are former addresses that the config takes over with `previously`.
    """
    if not wanted:
        if allow_empty:
            return None
        return "the config has no resources at all; if that is meant, say --allow-empty (or use `reconciler destroy`)"
    owned = {thing.address for thing in world.owned if not thing.replaced}
    lost = owned - set(wanted) - set(renamed)
    if allow_shrink or len(lost) <= SHARE * len(owned):
        return None
    some = ", ".join(sorted(map(str, lost))[:5])
    return (
        f"the config has lost {len(lost)} of the {len(owned)} things that this stack owns ({some}"
        f"{', …' if len(lost) > 5 else ''}); if that is meant, say --allow-shrink"
    )
