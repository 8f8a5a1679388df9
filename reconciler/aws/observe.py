"""One look: every list that matters, read whole, as a World.  Called by `loop` at the start of each pass.

A scope that cannot be read whole is named in `World.unread`, never taken for empty.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import jmespath

from reconciler.aws.gateway import Gateway
from reconciler.aws.known import Known
from reconciler.aws.listings import Listings
from reconciler.aws.ownership import concerns, is_anothers, owned
from reconciler.aws.patience import Reads
from reconciler.aws.rows import KindsByName, as_observed, rows
from reconciler.errors import AwsError, Denied, Gone, ReconcilerError, Refused
from reconciler.log import get_logger
from reconciler.model.address import Address
from reconciler.model.kind import Kind
from reconciler.model.layers import layered
from reconciler.model.reads import Companion, Detail
from reconciler.model.things import DIGEST_TAG, Desired, Observed, Scope, World

IDS_AT_ONCE = 200
"""How many values one EC2 filter takes.  https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Filter.html"""


@dataclass(frozen=True)
class Question:
    """What a look is about.  `parents` are parents (global networks), each with its scope and what calls know it by, to
    look into beside our own; in the scopes of `open` all of them are, whosever they are.  `closed` are accounts in
    which nothing can be asked, and why."""

    stack: str
    scopes: frozenset[Scope]
    resources: Mapping[Address, Desired] = field(default_factory=dict)
    parents: frozenset[tuple[Scope, str]] = frozenset()
    open: frozenset[Scope] = frozenset()
    closed: Mapping[str, AwsError] = field(default_factory=dict)


def observe(
    gateway: Gateway, kinds: KindsByName, question: Question, executor: Executor, known: Known
) -> World:
    """Read all scopes of the question, in parallel; what lies within parents waits for them."""
    known.turn()
    gateway.sessions.rows.turn()
    return _read(gateway, kinds, question, executor, known)


def observe_again(gateway: Gateway, kinds: KindsByName, question: Question, executor: Executor) -> World:
    """Read some scopes while a pass is under way; the next look compares with the last whole one."""
    return _read(gateway, kinds, question, executor, Known(gateway.patience.now))


def _read(
    gateway: Gateway, kinds: KindsByName, question: Question, executor: Executor, known: Known
) -> World:
    look = _Look(gateway, kinds, question, known, Reads(gateway.patience, executor))
    parents = {kind.read.within for kind in kinds.values()}

    scopes = sorted(_with_parents(question.scopes, kinds))  # whoever waits keeps a worker, and comes last
    for scope in sorted(scopes, key=lambda one: (bool(kinds[one.kind].read.within), one.kind not in parents)):
        look.found[scope] = look.reads.submit((scope.account, scope.region), look.read, scope)
    try:
        return look.world()
    finally:  # where it is about the whole pass, nothing further is asked
        look.reads.close()


def _with_parents(scopes: Iterable[Scope], kinds: KindsByName) -> set[Scope]:
    found = set(scopes)
    for scope in scopes:
        if parent := kinds[scope.kind].read.within:
            found.add(Scope(parent, scope.account, scope.region))
    return found


@dataclass
class _Found:
    scope: Scope
    things: list[Observed] = field(default_factory=list)
    dead: list[Observed] = field(default_factory=list)
    listed: list[str] = field(default_factory=list)
    """What calls know all by that AWS has listed, ours or not."""
    error: AwsError | str | None = None


class _Look:
    """The state of one look.  What is read within a parent waits for what was found of it."""

    def __init__(
        self, gateway: Gateway, kinds: KindsByName, question: Question, known: Known, reads: Reads
    ) -> None:
        self.gateway, self.kinds, self.question, self.known = gateway, kinds, question, known
        self.reads = reads
        self.found: dict[Scope, Future[_Found]] = {}
        self.listings = Listings(gateway)

    def world(self) -> World:
        every = [self._result(scope) for scope in sorted(self.found)]
        good = [found for found in every if found.error is None]
        bad = [found for found in every if found.error is not None]
        return World(
            stack=self.question.stack,
            things=tuple(owned(self.kinds, [thing for found in good for thing in found.things])),
            dead=tuple(thing for found in good for thing in found.dead),
            read=frozenset(found.scope for found in good),
            unread={found.scope: str(found.error) for found in bad},
            denied=frozenset(found.scope for found in bad if isinstance(found.error, Denied)),
            closed={account: str(why) for account, why in self.question.closed.items()},
            barred=frozenset(
                account for account, why in self.question.closed.items() if isinstance(why, Denied)
            ),
        )

    def _result(self, scope: Scope) -> _Found:
        try:
            return self.reads.result((scope.account, scope.region), self.found[scope])
        except AwsError as error:  # its region does not answer
            return _Found(scope, error=error)

    def read(self, scope: Scope) -> _Found:
        """Everything of one scope that concerns our stack; an error when any page or detail is missing."""
        found, kind = _Found(scope), self.kinds[scope.kind]
        if closed := self.question.closed.get(scope.account):
            return _Found(scope, error=closed)
        try:
            for parent, expected in self._parents(scope, kind).items():
                for thing in self._within(scope, kind, parent, expected):
                    found.listed.append(kind.known_as(thing))
                    if concerns(thing, self.question.stack):
                        (found.dead if thing.state in kind.gone else found.things).append(thing)
            found.things = self._whole(scope, kind, found.things)
        except AwsError as error:
            return _Found(scope, error=error)
        except _ParentUnread as error:
            return _Found(scope, error=str(error))
        except ReconcilerError:
            raise  # it is about the whole pass
        except Exception as error:  # a mistake of ours leaves this scope unread, and no other
            get_logger().critical("unit.failed", error=str(error), exc_info=True)
            return _Found(scope, error=f"a defect: {error!r}")
        return found

    def _parents(self, scope: Scope, kind: Kind) -> dict[str | None, bool]:
        """The parents to look into (None: the kind has none), and whether this look has just seen them to exist."""
        if kind.read.within is None:
            return {None: True}
        where = Scope(kind.read.within, scope.account, scope.region)
        above = self.found[where].result()
        if above.error is not None:
            raise _ParentUnread(f"its {kind.read.within}s could not be read: {above.error}")
        more = sorted(id for parent, id in self.question.parents if parent == where)
        more += above.listed if where in self.question.open else ()
        found: dict[str | None, bool] = dict.fromkeys(more, False)
        return found | {self.kinds[where.kind].known_as(thing): True for thing in above.things}

    def _within(self, scope: Scope, kind: Kind, parent: str | None, expected: bool) -> Iterator[Observed]:
        try:
            for row in rows(
                self.gateway, self.kinds, self.question.stack, scope, parent, shared=self.listings
            ):
                if is_anothers(kind, row, scope):
                    continue
                make = partial(as_observed, kind, row, scope, self.gateway.sessions.partition)
                yield self.known.thing(scope, str(row[kind.id]), row, make)
        except Gone:
            if expected:
                raise  # it is there and cannot be looked into: that says nothing of what is inside
            # a parent that is gone has nothing inside

    # ---- what the list leaves out

    def _whole(self, scope: Scope, kind: Kind, things: list[Observed]) -> list[Observed]:
        more: dict[str, dict[str, Any]] = {thing.id: {} for thing in things}
        for thing in things:
            for detail in kind.read.details:
                if self._asked(kind, detail, thing):
                    more[thing.id][detail.key] = self._detail(scope, kind, thing, detail, more[thing.id])
        for companion in kind.read.companions:
            if companion.fields and not any(self._matters(companion, thing) for thing in things):
                continue
            whose: dict[str, list[str]] = {}
            for thing in things:
                more[thing.id][companion.name] = []
                whose.setdefault(_asked_by(companion, thing), []).append(thing.id)
            for row in self._companions(scope, kind, companion, things):
                for id in whose.get(row[companion.key], ()):  # within a parent, others' things have some too
                    more[id][companion.name].append(row)
        return [self.known.whole(thing, more[thing.id], partial(_enriched, kind)) for thing in things]

    def _asked(self, kind: Kind, detail: Detail, thing: Observed) -> bool:
        """Whether a detail is compared with the config, or says what a thing uses that is to go."""
        if detail.needed and not detail.needed(thing.raw):
            return False
        desired = self.question.resources.get(thing.address) if thing.address else None
        if desired is not None and detail.field in desired.spec:
            return detail.field not in kind.write_only or DIGEST_TAG + detail.field not in thing.tags
        goes = thing.address is not None and (desired is None or thing.replaced or _may_go(desired))
        return detail.leaving and goes and thing.stack == self.question.stack

    def _matters(self, companion: Companion, thing: Observed) -> bool:
        """Whether a companion's rows are compared with the config, or have to go before the thing can."""
        if thing.stack != self.question.stack or thing.address is None:
            return False  # nothing is done about it
        desired = None if thing.replaced or not thing.address else self.question.resources.get(thing.address)
        if desired is None:
            return companion.leaving
        return not companion.fields.isdisjoint(desired.spec) or (companion.leaving and _may_go(desired))

    def _companions(
        self, scope: Scope, kind: Kind, companion: Companion, things: list[Observed]
    ) -> Iterator[Any]:
        def ask(**parameters: Any) -> Iterator[Any]:
            return self.listings.rows(
                account=scope.account,
                region=scope.region,
                service=kind.service,
                operation=companion.operation,
                path=companion.path,
                parameters=parameters,
                page=kind.read.page,
            )

        if companion.filter:
            ids = sorted({_asked_by(companion, thing) for thing in things})
            for start in range(0, len(ids), IDS_AT_ONCE):
                values = ids[start : start + IDS_AT_ONCE]
                yield from ask(Filters=[{"Name": companion.filter, "Values": values}])
        elif companion.within:
            parent = self.kinds[companion.within].id
            for id in sorted({str(thing.raw[parent]) for thing in things}):
                try:
                    yield from list(ask(**{parent: id}))
                except Refused:
                    if companion.each is None:
                        raise
                    for thing in things:
                        if thing.raw[parent] == id:
                            yield from ask(**{parent: id, companion.each: thing.id})
        else:
            yield from ask()

    def _detail(
        self, scope: Scope, kind: Kind, thing: Observed, detail: Detail, before: Mapping[str, Any]
    ) -> Any:
        given = {name: jmespath.search(path, before) for name, path in detail.given.items()}
        if None in given.values():
            return None
        if (value := self.known.recall(kind, thing, detail)) is not None:
            return value
        who = detail.named(thing.id, thing.arn, kind.handle_of(thing))

        def ask(**more: Any) -> Iterator[Any]:
            return self.gateway.rows(
                account=scope.account,
                region=scope.region,
                service=kind.service,
                operation=detail.operation,
                path=detail.path,
                parameters={**who, **detail.arguments, **given, **more},
                page=kind.read.page if detail.many else None,
            )

        if detail.each:
            return [row for value in given[detail.each] for row in ask(**{detail.each: value})]
        try:
            value = list(ask()) if detail.many else next(iter(ask()))
        except AwsError as error:
            if error.code not in detail.absent:
                raise
            return None
        self.known.note(kind, thing, detail, value)
        return value


def _may_go(desired: Desired) -> bool:
    """Whether what is there may have to be deleted before its successor is made."""
    return desired.replace == "delete-first"


def _asked_by(companion: Companion, thing: Observed) -> str:
    """What the rows of a companion that concern a thing are known by."""
    return str(thing.raw[companion.of]) if companion.of else thing.id


class _ParentUnread(Exception):
    """What lies within a parent cannot be read, because the list of parents could not."""


def _enriched(kind: Kind, thing: Observed, more: Mapping[str, Any]) -> Observed:
    raw = {**thing.raw, **more}
    return replace(thing, raw=raw, spec=layered(kind.project(raw), raw))
