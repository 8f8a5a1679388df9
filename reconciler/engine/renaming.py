"""Addresses that things had before (`previously:`, `@old`), and which have them now.  Used by `planner`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from reconciler.engine.converge import converge
from reconciler.model.address import Address
from reconciler.model.fields import Facts
from reconciler.model.things import Desired, Observed, World
from reconciler.model.verdicts import Steps


def heirs(resources: Mapping[Address, Desired]) -> dict[Address, Address]:
    """What former addresses have become; those that have an entry of their own again are none."""
    return {
        before: address
        for address, desired in resources.items()
        for before in desired.previously
        if before not in resources
    }


def renamed(
    resources: Mapping[Address, Desired],
    world: World,
    claims: Callable[[Address], Iterable[Observed]],
    leaves: Callable[[Observed], bool],
) -> Iterator[tuple[Address, Observed]]:
    """Things that an address takes over from the one it had before; `claims` are those that stand at an address and
    stay, `leaves` tells of those that do not."""
    for address, desired in resources.items():
        if any(not leaves(thing) for thing in world.claims.get(address, ())):
            continue  # what AWS is deleting there already has had the address before
        found = [
            thing for before in desired.previously if before not in resources for thing in claims(before)
        ]
        if len(found) == 1 and world.owns(found[0]):  # of two nobody knows which is meant
            yield address, found[0]


def taken_back(facts: Facts, desired: Desired, world: World) -> Steps | None:
    """The steps by which a thing gets its address back that made way for a successor that never came, and that is what
    is wanted after all; `desired` is resolved."""
    addresses = (desired.address, *desired.previously)
    left = [thing for address in addresses for thing in world.replaced.get(address, ())]
    if len(left) != 1:
        return None
    verdict = converge(facts, desired=desired, observed=left[0], stack=world.stack)
    return verdict if isinstance(verdict, Steps) and verdict.verb == "update" else None
