"""What the local AWS really holds, whatever its answers say at the moment.  Used by `model`, `hands` and `machine`.

How a kind is listed is said by its record; nothing of what the program makes of the answers is asked.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import jmespath

from reconciler.aws.rows import OWNER, as_observed
from reconciler.errors import AwsError
from reconciler.kinds import BY_NAME
from reconciler.model.reads import Companion
from reconciler.model.things import ADDRESS_TAG, STACK_TAG, Observed, Scope
from reconciler.sandbox.calls import CallLog
from reconciler.sandbox.faults import Faults
from reconciler.sandbox.world import current
from tests.faults.worlds.estates import mentioned
from tests.harness import ACCOUNT, FACTS, STACK, Host

MOVING = frozenset(
    {
        *("State", "Status", "StateReason", "StateTransitionReason", "UpdatedAt"),
        *("FailureCode", "FailureMessage"),
        *("AvailableIpAddressCount", "BlockDeviceMappings", "LinkAssociationState"),
        *("PublicIpAddress", "PublicDnsName", "Association", "NatGatewayAddresses"),
    }
)
"""Members of rows that AWS changes by itself: what has which public address, the address itself shows."""
OVER = ("delet", "detach", "disassociat", "fail")
"""How the states of what is as good as gone begin, in whatever a thing is tied by."""


@contextmanager
def undisturbed() -> Iterator[None]:
    """Nothing goes wrong in here, no list lags, and the calls are not on record."""
    world = current()
    before = world.faults, world.calls
    world.faults, world.calls = Faults(world.settings.clock), CallLog()
    try:
        yield
    finally:
        world.faults, world.calls = before


@dataclass(frozen=True)
class Thing:
    """One thing as AWS would show it to everybody."""

    kind: str
    region: str
    row: Mapping[str, Any]
    around: Mapping[str, Any] = field(default_factory=dict, compare=False)
    """What other lists say of where it lies."""

    @property
    def id(self) -> str:
        return str(self.row[BY_NAME[self.kind].id])

    @cached_property
    def observed(self) -> Observed:
        """As a pass of the program sees it."""
        scope = Scope(self.kind, ACCOUNT, self.region)
        return as_observed(BY_NAME[self.kind], {**self.row, **self.around}, scope, "aws")

    @property
    def arn(self) -> str:
        return self.observed.arn

    @property
    def name(self) -> str:
        """What calls know it by."""
        return str(self.row[BY_NAME[self.kind].handle or BY_NAME[self.kind].id])

    @cached_property
    def tags(self) -> dict[str, str]:
        record = BY_NAME[self.kind]
        found = record.tags_of(self.row)
        if record.birthmark and not found.keys() & OWNER and (mark := record.birthmark.read(self.row)):
            found |= dict(zip((STACK_TAG, ADDRESS_TAG), mark, strict=True))  # it has no tags yet
        return found

    @property
    def claim(self) -> str:
        return self.tags.get("reconciler:address", "")

    @property
    def stack(self) -> str:
        return self.tags.get("reconciler:stack", "")

    @property
    def has_both_tags(self) -> bool:
        return self.stack == STACK and self.claim.partition("/")[0] == self.kind

    @cached_property
    def still(self) -> dict[str, Any]:
        """The row without what moves by itself, and without tags."""
        moving = {"Tags", "TagSet", "State", BY_NAME[self.kind].tags}
        return {name: value for name, value in _still(self.row).items() if name not in moving}

    @cached_property
    def words(self) -> frozenset[str]:
        """All texts in the row."""
        return frozenset(texts(self.row))

    def mentions(self, other: Thing) -> bool:
        """Whether it refers to another one, by its id or ARN."""
        return self.id != other.id and not self.words.isdisjoint({other.id, other.arn})


Truth = Mapping[str, Thing]
"""All living things by id."""


def everything(ops: Host, places: set[tuple[str, str]]) -> Truth:
    """All things that live, of these kinds and regions; those that are being deleted do not live any more."""
    found: dict[str, Thing] = {}
    parents: dict[tuple[str, str], list[dict[str, Any]]] = {}

    def above(kind: str, region: str) -> list[dict[str, Any]]:
        place = region if BY_NAME[kind].regional else ""
        if (kind, place) not in parents:
            parents[kind, place] = ops.rows(kind, place)
        return parents[kind, place]

    with undisturbed():
        for kind, region in sorted(places):
            record = BY_NAME[kind]
            within = {"within": above(record.read.within, region)} if record.read.within else {}
            rows = ops.rows(kind, region or "us-west-2", **within)
            rows = [row for row in rows if state(kind, row) not in record.leaving]
            beside = [
                (companion, _companions(ops, kind, region, companion, above))
                for companion in record.read.companions
                if rows and _is_told(kind, companion)
            ]
            for row in rows:
                own = {one.name: _of(one, more, row[record.id]) for one, more in beside if not one.of}
                around = {one.name: _of(one, more, row.get(one.of)) for one, more in beside if one.of}
                thing = Thing(kind, region, {**row, **own}, around)
                found[thing.id] = thing
    return found


def _is_told(kind: str, companion: Companion) -> bool:
    """Whether it is about something that configs here say, or about all things, or about those that go."""
    fields = companion.fields
    return not fields or not fields.isdisjoint(mentioned(kind)) or fields.isdisjoint(FACTS[kind].fields)


def _companions(
    ops: Host, kind: str, region: str, companion: Companion, above: Any
) -> list[Mapping[str, Any]]:
    """What belongs to things of a kind and is listed by itself, such as the rules of security groups."""
    record = BY_NAME[kind]
    given: list[dict[str, Any]] = [{}]
    if companion.within:
        name = BY_NAME[companion.within].id
        given = [{name: row[name]} for row in above(companion.within, region)]
    rows = [
        row
        for parameters in given
        for row in ops.hand.rows(
            account=ACCOUNT,
            region=region,
            service=record.service,
            operation=companion.operation,
            path=companion.path,
            parameters=parameters,
            page=record.read.page,
        )
    ]
    return sorted((row for row in rows if is_alive(row)), key=str)


def _of(companion: Companion, rows: Collection[Mapping[str, Any]], whose: Any) -> list[Mapping[str, Any]]:
    return [row for row in rows if row.get(companion.key) == whose]


def state(kind: str, row: Mapping[str, Any]) -> Any:
    """The state of a thing."""
    where = BY_NAME[kind].state
    return jmespath.search(where, row) if where else None


def is_at_rest(thing: Thing) -> bool:
    """Whether AWS is not at work at a thing, as far as its state says."""
    ready = BY_NAME[thing.kind].ready
    return not ready or state(thing.kind, thing.row) in ready


def is_alive(row: Mapping[str, Any]) -> bool:
    """Whether something that is tied to a thing is not on its way out."""
    states = [
        said
        for name, value in row.items()
        if name.endswith(("State", "Status"))
        for said in (value.values() if isinstance(value, Mapping) else [value])
    ]
    return not any(str(said).lower().startswith(OVER) for said in states)


def whole(ops: Host, thing: Thing, fields: Collection[str]) -> dict[str, Any]:
    """A thing's row, with what only a call of its own tells of some fields."""
    record = BY_NAME[thing.kind]
    more: dict[str, Any] = {}
    with undisturbed():
        for detail in record.read.details:
            if detail.field not in fields:
                continue
            given = {name: jmespath.search(path, more) for name, path in detail.given.items()}
            if None in given.values():
                more[detail.key] = None
                continue
            asked = [{detail.each: value} for value in given[detail.each]] if detail.each else [{}]
            who = detail.named(thing.id, thing.arn, record.handle_of(thing.observed))
            try:
                rows = [
                    row
                    for one in asked
                    for row in ops.hand.rows(
                        account=ACCOUNT,
                        region=thing.region,
                        service=record.service,
                        operation=detail.operation,
                        path=detail.path,
                        parameters={**who, **detail.arguments, **given, **one},
                        page=record.read.page if detail.many else None,
                    )
                ]
            except AwsError as error:
                if error.code not in detail.absent:
                    raise
                rows = [None]
            more[detail.key] = rows if detail.many or detail.each else rows[0]
    return {**thing.row, **more}


def _still(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _still(inner) for name, inner in value.items() if name not in MOVING}
    if isinstance(value, list):
        return [_still(inner) for inner in value if not isinstance(inner, Mapping) or _stays(inner)]
    return value


def _stays(row: Mapping[str, Any]) -> bool:
    """Whether something in a thing is not on its way out, nor a route that comes with its network's ranges."""
    return is_alive(row) and row.get("Origin") != "CreateRouteTable"


def texts(value: Any) -> Iterator[str]:
    """All texts in a value, however deep."""
    if isinstance(value, Mapping):
        for inner in value.values():
            yield from texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)
    elif isinstance(value, str):
        yield value
