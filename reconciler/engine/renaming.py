"""Addresses that things had before (`previously:`, `@old`), and which have them now.  Used by `planner`."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping

from reconciler.engine.converge import converge
from reconciler.model.address import Address
from reconciler.model.fields import Facts
from reconciler.model.things import Desired, Observed, World
from reconciler.model.verdicts import Steps


def heirs(resources: Mapping[Address, Desired]) -> dict[Address, Address]:
    """What former addresses have become; those that have an entry of their own again are none."""
    return {
        before: address for address, desired in resources.items() for before in earlier(desired, resources)
    }


def earlier(desired: Desired, resources: Container[Address]) -> tuple[Address, ...]:
    """The addresses that one had before, and that nobody has now."""
    return tuple(before for before in desired.previously if before not in resources)


def claims_of_earlier(
    desired: Desired, resources: Container[Address], claims: Callable[[Address], Iterable[Observed]]
) -> tuple[Observed, ...]:
    """The things that stand at the addresses that one had before."""
    return tuple(thing for before in earlier(desired, resources) for thing in claims(before))


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
        found = claims_of_earlier(desired, resources, claims)
        if len(found) == 1 and world.owns(found[0]):  # of two nobody knows which is meant
            yield address, found[0]


def heritage(
    resources: Mapping[Address, Desired],
    claims: Callable[[Address], Iterable[Observed]],
    holder: Callable[[Address], Observed | None],
    renamed: Container[Address],
) -> set[str]:
    """The ids of what addresses take over from those that they had before, or may while it is not clear which of them
    is meant: none of it is an orphan."""
    return {
        thing.id
        for address, desired in resources.items()
        if desired.previously and (address in renamed or holder(address) is None)
        for thing in claims_of_earlier(desired, resources, claims)
    }


def taken_back(facts: Facts, desired: Desired, world: World) -> Steps | None:
    """The steps by which a thing gets its address back that made way for a successor that never came, and that is what
    is wanted after all; `desired` is resolved."""
    addresses = (desired.address, *desired.previously)
    left = [thing for address in addresses for thing in world.replaced.get(address, ())]
    if len(left) != 1:
        return None
    verdict = converge(facts, desired=desired, observed=left[0], stack=world.stack)
    return verdict if isinstance(verdict, Steps) and verdict.verb == "update" else None
