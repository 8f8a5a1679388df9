"""How states follow one another in time: the one place where Network Manager's things change by themselves.

Called by every verb that changes a state. A transition that is overtaken by a later change does nothing.
"""

from __future__ import annotations

from collections.abc import Callable

from ..world import World
from .models import Item, NetworkManagerBackend


def enter(world: World, item: Item, kind: str, state: str, then: Callable[[], None] | None = None) -> None:
    """Puts a thing into a state now, and has `then` happen when it has been in that state for its time.

    In: `kind`, under which `Settings.delays` knows how long a state lasts.
    """
    item.state = state
    item.since = world.timeline.now
    item.changes += 1
    change = item.changes

    def effect() -> None:
        if item.changes == change:
            then()  # type: ignore[misc]  # scheduled only if there is one

    if then is not None:
        world.timeline.after(world.settings.delays.of(kind, state), effect)


def settle(world: World, item: Item, kind: str, state: str, into: str = "AVAILABLE") -> None:
    """Puts a thing into a state that turns into another one."""
    enter(world, item, kind, state, lambda: enter(world, item, kind, into))


def vanish(
    world: World,
    store: NetworkManagerBackend,
    item: Item,
    kind: str,
    *,
    lingers: bool = False,
    before_gone: Callable[[], None] = lambda: None,
) -> None:
    """Puts a thing into DELETING, after which it is gone; one that `lingers` is listed as DELETED before that."""

    def go() -> None:
        before_gone()
        if store.of(item.resource).get(item.id) is item:  # and not another one that has taken its place
            del store.of(item.resource)[item.id]

    def linger() -> None:
        enter(world, item, kind, "DELETED", go)

    enter(world, item, kind, "DELETING", linger if lingers else go)
