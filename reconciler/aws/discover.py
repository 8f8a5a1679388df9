"""The discovery look: where this stack owns something that the config no longer names.  Called by `loop`.

It asks every enabled region for the tags of our stack, once for each list that has tags of many kinds, and looks into
every global network.
What it finds is only where to look: the look itself is `observe`'s.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from concurrent.futures import Executor
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from reconciler.aws.gateway import Gateway
from reconciler.aws.listings import Listings
from reconciler.aws.ownership import is_anothers
from reconciler.aws.patience import Reads
from reconciler.aws.rows import rows
from reconciler.errors import AwsError, Denied, Gone
from reconciler.model.kind import Kind
from reconciler.model.service import Search, Service
from reconciler.model.things import STACK_TAG, Scope

ASKED_REGION: ContextVar[str] = ContextVar("asked_region", default="")


@dataclass(frozen=True)
class Discovered:
    """The scopes that hold something of the stack, the parents that hold some of it, and what could not be asked."""

    scopes: frozenset[Scope] = frozenset()
    """Scopes without regions that could not be asked are among them: the look finds out, or names them as unread."""
    parents: frozenset[tuple[Scope, str]] = frozenset()
    """Each with its scope and its id."""
    unread: Mapping[str, str] = field(default_factory=dict)
    """Where (`eu-west-1 of 123456789012`) to why; what is there stays undiscovered until the next discovery look."""
    denied: frozenset[str] = frozenset()
    """Those of `unread` that we may not ask, as where an organisation forbids a region."""
    unasked: frozenset[tuple[str, str, str]] = frozenset()
    """Account, region and service of those of `unread` that are regions; the last two are empty where all of them are
    meant, the region alone where a service without regions did not list its parents."""
    accounts: frozenset[str] = frozenset()
    """Those that were looked at."""

    def doubtful(self, kinds: Mapping[str, Kind], named: Set[Scope]) -> set[Scope]:
        """Scopes of the regions that a config names which may hold something, for AWS could not be asked.

        They are to be looked at: what is there may use what is about to be deleted.
        """
        ours = {(scope.account, scope.region) for scope in named if scope.region}
        return {
            Scope(kind.name, account, region)
            for account, region in ours
            for kind in kinds.values()
            if kind.regional
            and not self.unasked.isdisjoint({(account, region, kind.service), (account, "", "")})
        }

    def open(self, kinds: Mapping[str, Kind], named: Set[Scope]) -> set[Scope]:
        """Scopes of parents (global networks) that are to be looked into one and all, whosever they are: nothing has
        told in which of them something of the stack is."""
        found = self.doubtful(kinds, named)
        for account, region, service in self.unasked:
            if not region:
                found |= {Scope(kind.name, account, "") for kind in kinds.values() if kind.service == service}
        parents = {kind.read.within for kind in kinds.values()}
        return {scope for scope in found if scope.kind in parents}


def discover(
    gateway: Gateway, kinds: Mapping[str, Kind], stack: str, accounts: frozenset[str], executor: Executor
) -> Discovered:
    """Ask every enabled region and every global network of the accounts for things of the stack."""
    look = _Look(gateway, kinds, stack)
    for account in sorted(accounts):
        look.in_regions(account, executor)
        look.in_networks(account)
    return Discovered(
        frozenset(look.scopes),
        frozenset(look.parents),
        look.unread,
        frozenset(look.denied),
        frozenset(look.unasked),
        accounts,
    )


class _Look:
    """A discovery look on its way.  One failure hides no more than what it is about."""

    def __init__(self, gateway: Gateway, kinds: Mapping[str, Kind], stack: str) -> None:
        self._gateway, self._kinds, self._stack = gateway, kinds, stack
        self._listings = Listings(gateway)
        self.scopes: set[Scope] = set()
        self.parents: set[tuple[Scope, str]] = set()
        self.unread: dict[str, str] = {}
        self.denied: set[str] = set()
        self.unasked: set[tuple[str, str, str]] = set()

    def in_regions(self, account: str, executor: Executor) -> None:
        """Things of the stack in the regions of an account."""
        asker = _RegionalAsker(self._gateway, self._stack, account)
        try:
            regions = asker.regions()
        except AwsError as error:
            self._missed(f"the regions of {account}", error)
            self.unasked.add((account, "", ""))
            return
        searches = {
            (one.search.service, one.search.operation): one.search for one in self._services() if one.search
        }
        questions = [(search, region) for search in searches.values() for region in regions]
        reads = Reads(self._gateway.patience, executor)
        asked = [reads.submit((account, region), asker.ask, search, region) for search, region in questions]
        try:
            for (search, region), future in zip(questions, asked, strict=True):
                try:
                    found = reads.result((account, region), future)
                except AwsError as error:  # the region does not answer
                    found = error
                if isinstance(found, AwsError):
                    self._missed(f"{region} of {account}", found)
                    about = (one.name for one in self._services() if one.search is search)
                    self.unasked |= {(account, region, name) for name in about}
                else:
                    for type, id in found:
                        self._found(search, type, id, account, region)
        finally:  # where it is about the whole pass, nothing further is asked
            reads.close()

    def _services(self) -> list[Service]:
        """Each once, in the order of the kinds."""
        return list({kind.service: kind.home for kind in self._kinds.values()}.values())

    def _found(self, search: Search, type: str, id: str, account: str, region: str) -> None:
        """Something of the stack is there: what lies within may be ours as well, and it within others' things."""
        for kind in self._kinds.values():
            if kind.home.search is not search or kind.type != type:
                continue
            within = {kind.name} | {one.name for one in self._kinds.values() if one.read.within == kind.name}
            self.scopes |= {Scope(name, account, region) for name in within}
            if kind.read.within and kind.read.parent:
                self.parents.add((Scope(kind.read.within, account, region), kind.read.parent(id)))

    def in_networks(self, account: str) -> None:
        """Things of the stack in services without regions: they are listed whole, since no list filters by tag."""
        for kind in self._kinds.values():
            if kind.regional or kind.read.within is not None:
                continue
            if not kind.home.is_in(self._gateway.sessions.partition):
                continue
            scope = Scope(kind.name, account, "")
            try:
                found = list(self._rows(scope, None))
            except AwsError as error:
                self._missed(f"the {kind.name}s of {account}", error)
                within = (inner for inner in self._kinds.values() if inner.read.within == kind.name)
                self.scopes |= {scope, *(Scope(inner.name, account, "") for inner in within)}
                self.unasked.add((account, "", kind.service))
                continue
            if any(_is_of(kind, row, self._stack) and not is_anothers(kind, row, scope) for row in found):
                self.scopes.add(scope)
            for inner in self._kinds.values():
                if inner.read.within == kind.name:
                    for row in found:
                        self._within(Scope(inner.name, account, ""), str(row[kind.handle or kind.id]))

    def _within(self, scope: Scope, parent: str) -> None:
        try:
            found = self._rows(scope, parent)
            if any(_is_of(self._kinds[scope.kind], row, self._stack) for row in found):
                self.scopes.add(scope)
                within = self._kinds[scope.kind].read.within or ""
                self.parents.add((Scope(within, scope.account, scope.region), parent))
        except AwsError as error:
            self.scopes.add(scope)
            if isinstance(error, Gone):  # it was listed just now, and has gone since
                return
            self._missed(f"the {scope.kind}s in {parent} of {scope.account}", error)
            if not isinstance(error, Denied):  # else one network of others would stop all of ours
                within = self._kinds[scope.kind].read.within or ""
                self.parents.add((Scope(within, scope.account, scope.region), parent))

    def _rows(self, scope: Scope, parent: str | None) -> Iterator[dict[str, Any]]:
        return rows(self._gateway, self._kinds, self._stack, scope, parent, shared=self._listings)

    def _missed(self, where: str, why: AwsError) -> None:
        """Of several reasons those count that may pass."""
        if isinstance(why, Denied) and where not in self.unread:
            self.denied.add(where)
        if not isinstance(why, Denied):
            self.denied.discard(where)
        if where not in self.unread or not isinstance(why, Denied):
            self.unread[where] = str(why)


def _is_of(kind: Kind, row: Mapping[str, Any], stack: str) -> bool:
    mark = kind.birthmark.read(row) if kind.birthmark else None
    return (mark is not None and mark[0] == stack) or kind.tags_of(row).get(STACK_TAG) == stack


class _RegionalAsker:
    """Asks many regions the same question through one client: a client for each would cost more than the answers.

    The client's endpoint and signature are turned to the asked region just before each request goes out.
    """

    def __init__(self, gateway: Gateway, stack: str, account: str) -> None:
        self._gateway, self._stack, self._account = gateway, stack, account

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

    def ask(self, search: Search, region: str) -> set[tuple[str, str]] | AwsError:
        """The types and ids of the things of the stack in one region, or why they cannot be told."""
        asked = ASKED_REGION.set(region)
        try:
            self._make_turn(search.service)
            found = self._gateway.rows(
                account=self._account,
                region="",
                service=search.service,
                operation=search.operation,
                path=search.path,
                parameters=search.parameters(self._stack),
                page=search.page,
            )
            things = {search.named(row) for row in found}
            self._gateway.patience.heard((self._account, region))
            return things
        except AwsError as error:
            return error
        finally:
            ASKED_REGION.reset(asked)

    def _make_turn(self, service: str) -> None:
        client = self._gateway.sessions.client(self._account, service)
        if not getattr(client.meta, "asks_regions", False):
            name = client.meta.service_model.service_id.hyphenize()
            client.meta.events.register_first(f"before-endpoint-resolution.{name}", _turn)
            client.meta.asks_regions = True


def _turn(builtins: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
    """Point a request at the asked region: its endpoint (unless one is given) and its signature."""
    if region := ASKED_REGION.get():
        builtins["AWS::Region"] = region
        context["signing"] = {**context.get("signing", {}), "region": region}
