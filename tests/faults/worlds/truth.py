"""What the local AWS really holds, whatever its answers say at the moment.  Used by `model`, `hands` and `machine`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from reconciler.kinds import BY_NAME
from reconciler.sandbox.calls import CallLog
from reconciler.sandbox.faults import Faults
from reconciler.sandbox.world import current
from tests.harness import ACCOUNT, STACK, Host, tags

MOVING = frozenset(
    {
        *("State", "Status", "StateReason", "StateTransitionReason", "UpdatedAt"),
        *("AvailableIpAddressCount", "BlockDeviceMappings"),
    }
)
"""Members of rows that AWS changes by itself."""


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

    @property
    def id(self) -> str:
        return str(self.row[BY_NAME[self.kind].id])

    @property
    def arn(self) -> str:
        """ "" where AWS tells none."""
        return str(self.row.get(BY_NAME[self.kind].arn or "", ""))

    @cached_property
    def tags(self) -> dict[str, str]:
        return tags(dict(self.row))

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
        return {name: value for name, value in _still(self.row).items() if name != "Tags"}

    def mentions(self, other: Thing) -> bool:
        """Whether it refers to another one, by its id or ARN."""
        return any(value in {other.id, other.arn or other.id} for value in texts(self.row)) and self != other


Truth = Mapping[str, Thing]
"""All living things by id."""


def everything(ops: Host, places: set[tuple[str, str]]) -> Truth:
    """All things that live, of these kinds and regions; those that are being deleted do not live any more."""
    found: dict[str, Thing] = {}
    parents: dict[str, list[dict[str, Any]]] = {}
    with undisturbed():
        for kind, region in sorted(places):
            record = BY_NAME[kind]
            within = record.read.within
            if within and within not in parents:
                parents[within] = ops.rows(within)
            rules = _rules(ops, region) if kind == "security-group" else {}
            above = {"within": parents[within]} if within else {}
            for row in ops.rows(kind, region or "us-west-2", **above):
                thing = Thing(kind, region, {**row, "Rules": rules[row["GroupId"]]} if rules else row)
                if _state(row) not in record.leaving:
                    found[thing.id] = thing
    return found


def _rules(ops: Host, region: str) -> dict[str, list[dict[str, Any]]]:
    """The rules of all groups, which their list does not have."""
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    operation, path = "DescribeSecurityGroupRules", "SecurityGroupRules"
    rows = ops.hand.rows(
        account=ACCOUNT,
        region=region,
        service="ec2",
        operation=operation,
        path=path,
        parameters={},
        page=1000,
    )
    for row in sorted(rows, key=lambda row: str(row["SecurityGroupRuleId"])):
        found[row["GroupId"]].append(row)
    return found


def attribute(ops: Host, thing: Thing, operation: str, id: str, name: str) -> Any:
    """The value of one attribute that only a call of its own tells."""
    with undisturbed():
        answer = ops.by_hand(
            "ec2", operation, thing.region, **{id: thing.id, "Attribute": name[0].lower() + name[1:]}
        )
    return answer[name].get("Value")


def _state(row: Mapping[str, Any]) -> str:
    state = row.get("State")
    return str(state.get("Name") if isinstance(state, dict) else state)


def _still(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _still(inner) for name, inner in value.items() if name not in MOVING}
    if isinstance(value, list):
        return [_still(inner) for inner in value]
    return value


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
