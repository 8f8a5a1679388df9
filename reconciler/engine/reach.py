"""What is out of reach: accounts in which nothing can be seen or done, and those that are none of the config's.

Used by `planner`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cached_property

from reconciler.engine.order import AllFacts
from reconciler.engine.users import can_refer
from reconciler.model.address import Address
from reconciler.model.kind import Kind
from reconciler.model.things import Desired, Observed, Scope, World
from reconciler.model.verdicts import Mover, Steps, Verdict, Wait


class Reach:
    """How far we can see and act.  `accounts` are those of the config (empty: calls can be made in all).  `resources`
    are what it wants."""

    def __init__(
        self,
        world: World,
        facts: AllFacts,
        accounts: Collection[str],
        resources: Mapping[Address, Desired],
    ) -> None:
        self._world, self._facts, self._accounts = world, facts, accounts
        self._resources = resources

    def unread(self, scope: Scope) -> Wait | None:
        """What is done about a place that could not be read: nothing, until it can be."""
        why = self._world.unread.get(scope)
        return None if why is None else Wait(f"{scope} could not be read: {why}", self._mover(scope))

    def stray(self, desired: Desired) -> Wait | None:
        """The same about a place that the config does not name, where something of the kind was found."""
        for scope in self._strays:
            if scope.kind == desired.address.kind:
                why = f"{scope} could not be read, where it may be: {self._world.unread[scope]}"
                return Wait(why, self._mover(scope))
        return None

    def _mover(self, place: Scope | str) -> Mover:
        """Who has to move before a scope, or an account, can be read: where we may not, AWS does not."""
        return "other" if place in self._world.denied or place in self._world.barred else "aws"

    @cached_property
    def _strays(self) -> list[Scope]:
        wanted = {desired.scope for desired in self._resources.values()}
        unread = (scope for scope in self._world.unread if scope.account not in self._world.closed)
        return [scope for scope in unread if scope not in wanted]

    def unseen(self, kind: Kind, thing: Observed) -> Wait | None:
        """Guarantee 1: nothing is deleted while it, or what may use it, could not be read whole."""
        for scope, why in self._world.unread.items():
            user = self._facts[scope.kind].kind
            near = user.across or not thing.region or scope.region in {thing.region, ""}
            if scope == thing.scope or (_refers(user, kind) and near and can_refer(scope, kind, thing)):
                return Wait(f"not deleted, because {scope} could not be read: {why}", self._mover(scope))
        lent = not kind.private and any(_refers(user.kind, kind) for user in self._facts.values())
        for account, why in self._world.closed.items() if lent else ():
            may = f"something of {account} may use it, where nothing can be seen"
            return Wait(f"not deleted, because {may}: {why}", self._mover(account))
        return None

    def asked(self, thing: Observed) -> str:
        """The account of the person whom a thing waits for; "" where nothing that was seen tells it."""
        member = self._facts[thing.kind].kind.asks
        if member is None:
            return thing.account
        name = str(thing.raw.get(member) or "")
        return name.split(":")[4] if name.startswith("arn:") else self._owners.get(name, "")

    @cached_property
    def _owners(self) -> dict[str, str]:
        return {thing.id: thing.account for thing in self._world.things}

    def within(self, verdict: Verdict) -> Verdict:
        """The same, unless a call would have to be made in an account in which we can make none."""
        if not isinstance(verdict, Steps):
            return verdict
        for call in verdict.calls:
            if why := self._world.closed.get(call.account):
                return Wait(f"{call} has to be made in {call.account}: {why}", "other")
            if self._accounts and call.account not in self._accounts:
                who = f"somebody in {call.account}, which is none of the config's accounts,"
                return Wait(f"{who} has to answer: {verdict.why}", "person")
        return verdict


def _refers(user: Kind, kind: Kind) -> bool:
    """Whether things of one kind refer to things of another."""
    return any(kind.name in targets for targets in user.targets().values())
