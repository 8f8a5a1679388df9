"""What is asked of AWS to find out whether a config can be worked on.  Pure; asked by `aws.checkup`.

EC2 tells by a dry run whether a call would be allowed.  A creation is rehearsed as it will be made, with the config's
own fields and our tags, since policies look at both; other calls with the least that AWS takes, about a thing of the
stack where there is one and about an id that nothing has where there is none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from reconciler.engine.converge import creation
from reconciler.engine.resolve import resolve
from reconciler.kinds import BY_NAME
from reconciler.model.address import Address
from reconciler.model.calls import Call
from reconciler.model.config import Config
from reconciler.model.fields import Facts
from reconciler.model.kind import Kind
from reconciler.model.schema import Schema, Shape
from reconciler.model.service import path_of
from reconciler.model.things import STACK_TAG, Desired, Observed, Parameter, Pending, contains, within

FAKE = "0123456789abcdef0"
PREFIXES = {
    "customer-gateway": "cgw",
    "elastic-ip": "eipalloc",
    "image": "ami",
    "instance": "i",
    "internet-gateway": "igw",
    "launch-template": "lt",
    "natgateway": "nat",
    "network-interface": "eni",
    "prefix-list": "pl",
    "route-table": "rtb",
    "security-group": "sg",
    "security-group-rule": "sgr",
    "transit-gateway": "tgw",
    "transit-gateway-attachment": "tgw-attach",
    "transit-gateway-route-table": "tgw-rtb",
    "volume": "vol",
    "vpc-endpoint": "vpce",
    "vpn-connection": "vpn",
    "vpn-gateway": "vgw",
}
"""How ids of EC2's types of resources begin, where it is not the type itself.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/resource-ids.html"""
ENOUGH: Mapping[str, Any] = {
    "HttpEndpoint": "enabled",
    "IpPermissions": [
        {"IpProtocol": "tcp", "FromPort": 9, "ToPort": 9, "IpRanges": [{"CidrIp": "192.0.2.1/32"}]}
    ],
    "SourceDestCheck": {"Value": True},
}
"""Parameters that the model calls optional and that a call is refused without; harmless even if it were made."""


class Place(NamedTuple):
    """A region of an account; the region is empty for services with one endpoint."""

    account: str
    region: str

    def __str__(self) -> str:
        return f"{self.region or 'the global region'} of {self.account}"


def identities(accounts: Sequence[str]) -> list[Call]:
    """Who are we, in each account?"""
    return [_read("sts", "GetCallerIdentity", Place(account, "")) for account in accounts]


def accounts(config: Config) -> list[str]:
    """Our own account first, then those whose roles are assumed."""
    others = {other.id for other in config.accounts.values()} - {config.account}
    return [config.account, *sorted(others)]


def doors(config: Config) -> list[Call]:
    """One read for each endpoint that a pass needs; those of EC2 also tell which things are ours already.

    Network Manager and EC2 of the default region are always asked: a pass looks there for what has left the config.
    """
    places = {_place(desired) for desired in config.resources.values() if _kind(desired).regional}
    places |= {Place(account, config.region) for account in accounts(config) if config.region}
    filters = [
        {"Name": "key", "Values": [STACK_TAG]},
        {"Name": "value", "Values": [config.stack]},
    ]
    calls = [_read("ec2", "DescribeTags", place, Filters=filters) for place in sorted(places)]
    calls += [
        _read("networkmanager", "DescribeGlobalNetworks", Place(account, "")) for account in accounts(config)
    ]
    paths: dict[tuple[Place, str], None] = {}
    for desired in config.resources.values():
        for parameter in within(desired.spec, Parameter):
            paths[_place(desired), parameter.path] = None
    calls += [_read("ssm", "GetParameter", place, Name=path) for place, path in paths]
    if config.lease:
        place = Place(config.account, str(config.lease["region"]))
        key = {"stack": {"S": config.stack}}  # as the lease has it
        calls.append(_read("dynamodb", "GetItem", place, TableName=str(config.lease["table"]), Key=key))
    return calls


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What the doors have shown: ids of things of the stack by place and EC2's type of resource, ids of global
    networks by account (ours first), values of parameters by place and path."""

    ids: Mapping[tuple[Place, str], str] = field(default_factory=dict)
    networks: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[tuple[Place, str], str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Rehearsals:
    """The calls to be tried, and the operations by place that cannot be, with the reason."""

    calls: tuple[Call, ...]
    untold: Mapping[tuple[Place, str], str]


NO_DRY_RUN = "AWS has no dry run of it"
NOTHING_YET = "there is nothing yet that it could be about"


def rehearsals(config: Config, facts: Mapping[str, Facts], schema: Schema, seen: Seen) -> Rehearsals:
    """All that the kinds of the config may need to do, each once in each place."""
    calls: dict[tuple[Place, str], Call] = {}
    untold: dict[tuple[Place, str], str] = {}
    if config.lease:
        untold[Place(config.account, str(config.lease["region"])), "dynamodb:PutItem"] = NO_DRY_RUN
    for desired in config.resources.values():
        place, kind = _place(desired), _kind(desired)
        for operation in _operations(facts[kind.name]):
            key = (place, f"{kind.service}:{operation}")
            if key in calls or key in untold:
                continue
            if kind.service != "ec2":
                found = _network_read(kind, operation, config.stack, place, seen)
            elif "DryRun" not in schema.operation("ec2", operation).input.members:
                found = NO_DRY_RUN
            elif operation == kind.create:
                found = _creation(config, facts[kind.name], desired, seen)
            else:
                shape = schema.operation("ec2", operation).input
                parameters = _least(kind, operation, shape, config.stack, place, seen)
                found = _call("ec2", operation, place, {**parameters, "DryRun": True})
            if isinstance(found, Call):
                calls[key] = found
            else:
                untold[key] = found
    return Rehearsals(calls=tuple(calls.values()), untold=untold)


def _operations(facts: Facts) -> Iterator[str]:
    kind = facts.kind
    yield from kind.read.operations
    yield kind.create
    yield from [kind.update] if kind.update else []
    yield from (operation for remedy in kind.remedies.values() for operation in remedy.operations)
    yield from (operation for part in kind.parts for operation in part.operations)
    yield from kind.then_operations
    yield from kind.answers if kind.asks_itself else ()
    yield kind.delete
    yield from kind.tagged.operations


def _network_read(kind: Kind, operation: str, stack: str, place: Place, seen: Seen) -> Call | str:
    """A read of a service without dry runs is made for real; the rest cannot be told."""
    if operation != kind.read.operation:
        return NO_DRY_RUN
    if kind.read.within is None:
        given = {"PathPrefix": path_of(stack)} if kind.home.paths else {}
        return _read(kind.service, operation, place, **given)
    parent = BY_NAME[kind.read.within]
    network = seen.networks.get(place.account)
    if parent.id != "GlobalNetworkId" or network is None:
        return NOTHING_YET
    return _read(kind.service, operation, place, GlobalNetworkId=network)


def _creation(config: Config, facts: Facts, desired: Desired, seen: Seen) -> Call | str:
    place = _place(desired)

    def stand_in(address: Address) -> Observed:
        kind = BY_NAME[address.kind]
        id = _id(kind, place, seen)
        arn = f"arn:aws:{kind.service}:{place.region}:{place.account}:{kind.tag_type or kind.name}/{id}"
        return Observed(
            kind=kind.name,
            account=place.account,
            region=place.region,
            id=id,
            arn=arn,
            state=None,
            spec={},
            tags={},
            raw={},
        )

    def read(value: Any) -> Any:
        match value:
            case Parameter(path):
                return seen.parameters.get((place, path), value)
            case Mapping():
                return {name: read(inner) for name, inner in value.items()}
            case list() | tuple():
                return [read(inner) for inner in value]
        return value

    spec = read(resolve(desired.spec, stand_in).value)
    call = creation(facts, replace(desired, spec=spec), config.stack)
    if contains(call.parameters, Parameter) or contains(call.parameters, Pending):
        return NOTHING_YET
    return replace(call, parameters={**call.parameters, "DryRun": True}, creates=False, seed=None)


def _least(
    kind: Kind, operation: str, shape: Shape, stack: str, place: Place, seen: Seen
) -> Mapping[str, Any]:
    """As few parameters as the operation takes, about a thing of the stack if there is one."""
    id = _id(kind, place, seen)
    if operation == kind.read.operation or operation in {more.operation for more in kind.read.companions}:
        return {}
    if operation in ("CreateTags", "DeleteTags"):
        tag = {"Key": STACK_TAG, "Value": stack} if operation == "CreateTags" else {"Key": "doctor"}
        return {"Resources": [id], "Tags": [tag]}
    known = {kind.id: id, **({kind.read.ids: [id]} if kind.read.ids else {}), **ENOUGH}
    return {
        name: known[name] if name in known else _harmless(name, member)
        for name, member in shape.members.items()
        if name in shape.required or name in known
    }


def _harmless(name: str, shape: Shape) -> Any:
    """Some value of a shape, which passes the SDK's own checks."""
    match shape.type:
        case "structure":
            wanted = shape.required or tuple(shape.members)[:1]
            return {member: _harmless(member, shape.members[member]) for member in wanted}
        case "list":
            return [] if shape.item is None else [_harmless(name, shape.item)]
        case "map":
            return {}
        case "boolean":
            return False
        case "integer" | "long" | "float" | "double":
            return shape.minimum or 1
    if shape.enum:
        return shape.enum[0]
    for type in ("security-group-rule", "network-interface", "vpc", "subnet", "security-group", "instance"):
        if name.removesuffix("s").removesuffix("Id").lower() == type.replace("-", ""):
            return _fake(type)
    return "192.0.2.0/28" if "Cidr" in name else "doctor"


def _id(kind: Kind, place: Place, seen: Seen) -> str:
    type = kind.tag_type or kind.name
    return seen.ids.get((place, type)) or _fake(type)


def _fake(type: str) -> str:
    return f"{PREFIXES.get(type, type)}-{FAKE}"


def _kind(desired: Desired) -> Kind:
    return BY_NAME[desired.address.kind]


def _place(desired: Desired) -> Place:
    return Place(desired.account, desired.region)


def _read(service: str, operation: str, place: Place, **parameters: Any) -> Call:
    return _call(service, operation, place, parameters)


def _call(service: str, operation: str, place: Place, parameters: Mapping[str, Any]) -> Call:
    return Call(
        service=service,
        operation=operation,
        parameters=dict(parameters),
        account=place.account,
        region=place.region,
    )
