"""The discovery look: where this stack owns something that the config no longer names.  Called by `loop`.

It asks every enabled region for the tags of our stack and looks into every global network.  What it finds is only
where to look: the look itself is `observe`'s.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import Executor
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from reconciler.aws.gateway import Gateway
from reconciler.aws.observe import rows
from reconciler.errors import AwsError, Gone
from reconciler.model.kind import Kind
from reconciler.model.things import STACK_TAG, Scope

ASKED_REGION: ContextVar[str] = ContextVar("asked_region", default="")


@dataclass(frozen=True)
class Discovered:
    """The scopes that hold something of the stack, the parents that hold some of it, and what could not be asked."""

    scopes: frozenset[Scope] = frozenset()
    parents: frozenset[str] = frozenset()
    unread: Mapping[str, str] = field(default_factory=dict)
    """Where (`eu-west-1 of 123456789012`) to why; what is there stays undiscovered until the next discovery look."""
    denied: frozenset[str] = frozenset()
    """Those of `unread` that we may not ask, as where an organisation forbids a region."""


def discover(
    gateway: Gateway, kinds: Mapping[str, Kind], stack: str, accounts: frozenset[str], executor: Executor
) -> Discovered:
    """Ask every enabled region and every global network of the accounts for things of the stack."""
    scopes: set[Scope] = set()
    parents: set[str] = set()
    unread: dict[str, str] = {}
    for account in sorted(accounts):
        asker = _RegionalAsker(gateway, kinds, stack, account)
        try:
            regions = asker.regions()
        except AwsError as error:
            unread[f"the regions of {account}"] = str(error)
            regions = []
        for region, found in zip(regions, executor.map(asker.ask, regions), strict=True):
            if isinstance(found, AwsError):
                unread[f"{region} of {account}"] = str(found)
            else:
                scopes |= found
        try:
            for scope, parent in _in_networks(gateway, kinds, stack, account):
                scopes.add(scope)
                if parent:
                    parents.add(parent)
        except AwsError as error:
            unread[f"the global networks of {account}"] = str(error)
    return Discovered(frozenset(scopes), frozenset(parents), unread)


def _in_networks(
    gateway: Gateway, kinds: Mapping[str, Kind], stack: str, account: str
) -> Iterator[tuple[Scope, str | None]]:
    """Things of the stack in services without regions: they are listed whole, since no list filters by tag."""
    top = [kind for kind in kinds.values() if not kind.regional and kind.read.within is None]
    for kind in top:
        scope = Scope(kind.name, account, "")
        found = list(rows(gateway, kinds, scope, None))
        if any(_is_of(row, stack) for row in found):
            yield scope, None
        for inner in kinds.values():
            if inner.read.within != kind.name:
                continue
            for row in found:
                parent = str(row[kind.id])
                try:
                    inside = list(rows(gateway, kinds, Scope(inner.name, account, ""), parent))
                except Gone:
                    continue
                if any(_is_of(row, stack) for row in inside):
                    yield Scope(inner.name, account, ""), parent


def _is_of(row: Mapping[str, Any], stack: str) -> bool:
    return any(tag["Key"] == STACK_TAG and tag["Value"] == stack for tag in row.get("Tags") or ())


class _RegionalAsker:
    """Asks many regions the same question through one EC2 client: a client for each would cost more than the answers.

    The client's endpoint and signature are turned to the asked region just before each request goes out.
    """

    def __init__(self, gateway: Gateway, kinds: Mapping[str, Kind], stack: str, account: str) -> None:
        self._gateway, self._stack, self._account = gateway, stack, account
        self._by_type = {kind.tag_type: kind.name for kind in kinds.values() if kind.tag_type}
        client = gateway.sessions.client(account, "ec2")
        if not getattr(client.meta, "asks_regions", False):
            client.meta.events.register_first("before-endpoint-resolution.ec2", _turn)
            client.meta.asks_regions = True

    def regions(self) -> list[str]:
        """The regions that are enabled for the account."""
        found = self._gateway.rows(
            account=self._account,
            region="",
            service="ec2",
            operation="DescribeRegions",
            path="Regions",
            parameters={},
        )
        return sorted(str(row["RegionName"]) for row in found)

    def ask(self, region: str) -> set[Scope] | AwsError:
        """The scopes of one region that hold something of the stack, or why it cannot be said."""
        asked = ASKED_REGION.set(region)
        try:
            found = self._gateway.rows(
                account=self._account,
                region="",
                service="ec2",
                operation="DescribeTags",
                path="Tags",
                parameters={
                    "Filters": [
                        {"Name": "key", "Values": [STACK_TAG]},
                        {"Name": "value", "Values": [escaped(self._stack)]},
                    ]
                },
                page=1000,
            )
            types = {str(row["ResourceType"]) for row in found}
        except AwsError as error:
            return error
        finally:
            ASKED_REGION.reset(asked)
        return {Scope(self._by_type[type], self._account, region) for type in types & self._by_type.keys()}


def _turn(builtins: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
    """Point a request at the asked region: its endpoint (unless one is given) and its signature."""
    if region := ASKED_REGION.get():
        builtins["AWS::Region"] = region
        context["signing"] = {**context.get("signing", {}), "region": region}


def escaped(value: str) -> str:
    """A value as an EC2 filter takes it literally: `*`, `?` and the backslash are wildcards there."""
    return "".join(f"\\{char}" if char in "\\*?" else char for char in value)
