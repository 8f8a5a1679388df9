"""What the local AWS really holds, whatever its answers say at the moment.  Used by `model`, `hands` and `machine`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
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
        *("FailureCode", "FailureMessage"),
        *("AvailableIpAddressCount", "BlockDeviceMappings", "LinkAssociationState"),
        *("PublicIpAddress", "PublicDnsName", "Association", "NatGatewayAddresses"),
    }
)
"""Members of rows that AWS changes by itself: what has which public address, the address itself shows."""

LINKS = "LinkAssociations"


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
            inside = _inside(ops, kind, region)
            above = {"within": parents[within]} if within else {}
            for row in ops.rows(kind, region or "us-west-2", **above):
                thing = Thing(kind, region, {**row, **inside(row)})
                if _state(row) not in record.leaving:
                    found[thing.id] = thing
    return found


def _inside(ops: Host, kind: str, region: str) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    """What the rows of a kind lack that is theirs: the rules of groups, the links of devices."""

    def listed(service: str, operation: str, path: str, **parameters: Any) -> list[dict[str, Any]]:
        rows = ops.hand.rows(
            account=ACCOUNT,
            region=region,
            service=service,
            operation=operation,
            path=path,
            parameters=parameters,
            page=100,
        )
        return list(rows)

    match kind:
        case "security-group":
            rules = listed("ec2", "DescribeSecurityGroupRules", "SecurityGroupRules")
            rules.sort(key=lambda rule: str(rule["SecurityGroupRuleId"]))
            return lambda row: {"Rules": [rule for rule in rules if rule["GroupId"] == row["GroupId"]]}
        case "device":
            links = [
                link
                for network in ops.rows("global-network")
                for link in listed(
                    "networkmanager",
                    "GetLinkAssociations",
                    LINKS,
                    GlobalNetworkId=network["GlobalNetworkId"],
                )
                if not link["LinkAssociationState"].startswith("DELET")
            ]
            links.sort(key=lambda link: str(link["LinkId"]))
            return lambda row: {LINKS: [link for link in links if link["DeviceId"] == row["DeviceId"]]}
    return lambda row: {}


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
