"""What the tests of the memory share: a clock, things, looks."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.aws.memory import Memory
from reconciler.model.address import Address
from reconciler.model.remembered import Remembered
from reconciler.model.things import Observed, Scope, World

START = 1_800_000_000.0
A, B, C = (Address("site", name) for name in "abc")
SITES = Scope("site", "123456789012", "")
HERE, THERE = (Scope("vpc", "123456789012", region) for region in ("us-west-2", "eu-west-1"))
VPC = Address("vpc", "a")


@dataclass
class Time:
    """A clock that stands where it is put."""

    now: float = START

    def __call__(self) -> float:
        return self.now


def thing(address: Address, id: str, scope: Scope = SITES) -> Observed:
    return Observed(
        kind=scope.kind,
        account=scope.account,
        region=scope.region,
        id=id,
        arn="",
        state=None,
        spec={},
        tags={},
        raw={},
        address=address,
        stack="ai",
    )


def world(*things: Observed, dead: tuple[Observed, ...] = (), unread: tuple[Scope, ...] = ()) -> World:
    """A look at all scopes but those that could not be read."""
    scopes = {SITES, HERE, THERE}
    return World(
        stack="ai",
        things=things,
        dead=dead,
        read=frozenset(scopes - set(unread)),
        unread=dict.fromkeys(unread, "why"),
    )


def again(memory: Memory) -> Memory:
    """What the next process reads."""
    return Memory.open(memory.directory, memory.clock)


def held(memory: Memory) -> tuple[Remembered, dict[Address, int]]:
    return memory.remembered, dict(memory.generations)
