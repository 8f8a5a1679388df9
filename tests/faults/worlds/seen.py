"""Whether AWS shows of a thing what the config says, field by field.  Used by `model`.

What a kind's own reads show under a field's name is compared as it is; a reference is looked for in all that is shown.
What AWS shows in other words stands in `SHOWN`.  Values are compared in one spelling, lists as sets that may hold more
than the config knows of, but nothing that only another variant of the resource has: nobody in these worlds writes
anything else.
"""

from __future__ import annotations

import base64
import ipaddress
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from functools import cache
from typing import Any

import jmespath

from reconciler.kinds import ALL, BY_NAME
from tests.faults.worlds.estates import REFERENCE, Wish, variants
from tests.faults.worlds.truth import Thing, is_alive, texts, whole
from tests.harness import SCHEMA, Host

SHOWN: Mapping[str, Mapping[str, str]] = {
    "capacity-reservation": {"InstanceCount": "TotalInstanceCount"},
    "core-network": {"PolicyDocument": "LivePolicy.PolicyDocument"},
    "device": {"Links": "LinkAssociations"},
    "direct-connect-gateway-attachment": {"DirectConnectGatewayArn": "ResourceArn"},
    "elastic-ip": {"InstanceId": "InstanceId"},
    "flow-log": {
        "ResourceIds": "ResourceId",
        "ResourceType": "ResourceId | starts_with(@, 'vpc-') && 'VPC' || starts_with(@, 'subnet-') && 'Subnet'",
    },
    "instance": {
        "CreditSpecification": "{CpuCredits: Credits[0].CpuCredits || 'standard'}",
        "Monitoring": "{Enabled: contains(['enabled', 'pending'], Monitoring.State)}",
        "SecurityGroupIds": "SecurityGroups[].GroupId",
    },
    "internet-gateway": {"VpcId": "Attachments[].VpcId"},
    "key-pair": {"PublicKeyMaterial": "PublicKey"},
    "load-balancer": {"Name": "LoadBalancerName"},
    "security-group": {"Ingress": "Rules[?!IsEgress]", "Egress": "Rules[?IsEgress]"},
    "subnet": {
        "PrivateDnsHostnameTypeOnLaunch": "PrivateDnsNameOptionsOnLaunch.HostnameType",
        **{
            f"{name}OnLaunch": f"PrivateDnsNameOptionsOnLaunch.{name}"
            for name in ("EnableResourceNameDnsARecord", "EnableResourceNameDnsAAAARecord")
        },
    },
    "target-group": {
        "Name": "TargetGroupName",
        "Targets": "Health[?TargetHealth.State != 'draining'].Target",
    },
    "transit-gateway-connect-peer": {
        "BgpOptions": "ConnectPeerConfiguration.BgpConfigurations[].{PeerAsn: PeerAsn}",
    },
    "transit-gateway-peering-attachment": {
        "TransitGatewayId": "RequesterTgwInfo.TransitGatewayId",
        "PeerTransitGatewayId": "AccepterTgwInfo.TransitGatewayId",
        "PeerAccountId": "AccepterTgwInfo.OwnerId",
        "PeerRegion": "AccepterTgwInfo.Region",
    },
    "transit-gateway-route-table": {
        "Routes": "Routes[?!PrefixListId].merge(@, {Blackhole: State == 'blackhole'})",
    },
    "vpc-attachment": {
        "NatGatewaySupport": "contains(['ENABLED', 'ENABLING'], NatGatewaySupport) && 'ENABLE' || 'DISABLE'",
    },
    "vpc-peering-connection": {"VpcId": "RequesterVpcInfo.VpcId", "PeerVpcId": "AccepterVpcInfo.VpcId"},
    "vpn-connection": {"PreSharedKeyStorage": "PreSharedKeyArn && 'SecretsManager' || 'Standard'"},
}
"""Where (JMESPath) a row shows a field that it has under another name, or in another form."""
WORDS = {"tcp": "6", "udp": "17", "icmp": "1", "icmpv6": "58", "all": "-1"}
"""Protocols that have a number and a name."""
NAMED_BY_AWS = "default"
"""A value that stands for something of AWS's, which shows it by its id."""
LITERAL = "$${"
"""How a config writes a ${ that refers to nothing."""
HIDDEN = {"EndpointGroups", "PreSharedKey", "VolumeSize", "VolumeType", "Iops"} | {
    "bootstrapClusterCreatorAdminPermissions"
}
"""Members that AWS does not show there, where it keeps them elsewhere: the disks of a machine are volumes, and the
groups of a listener have a list of their own; who has made a cluster has an entry among those with access."""
REFERRING = re.compile(REFERENCE.pattern + r"(?:\.([^}]+))?\}")
"""A whole reference: whose slot, and what of it."""
ACCOUNT_ID = re.compile("[0-9]{12}")
BLIND = object()
"""Nothing that AWS shows says what the field is."""
Holders = Mapping[str, Thing]
"""The things that are ours, by the slots that they are for."""


def mismatches(ops: Host, wish: Wish, thing: Thing, holders: Holders) -> Iterator[tuple[str, str]]:
    """The fields in which a thing is not as its wish says, each with what is wrong."""
    row = whole(ops, thing, wish.spec.keys())
    others = [spec for name, spec in variants(wish.slot).items() if name != wish.variant]
    for name, wanted in wish.spec.items():
        if name in BY_NAME[wish.kind].then_owns and name not in SHOWN.get(wish.kind, {}):
            continue  # it says how something is done, and not what there is
        shown = seen(wish.kind, name, wanted, row)
        if shown is BLIND:
            continue
        if not shows(shown, wanted, holders, wish.kind):
            yield name, f"is {shown!r} and should be {wanted!r}"
        for other in others:
            for value in surplus(shown, wanted, other.get(name), holders):
                yield name, f"is {shown!r} and should not have {value!r}"


def is_blind(kind: str, name: str, wanted: Any, row: Mapping[str, Any]) -> bool:
    """Whether nothing that AWS shows of a thing says what a field is."""
    return name not in SHOWN.get(kind, {}) and seen(kind, name, wanted, row) is BLIND


def seen(kind: str, name: str, wanted: Any, row: Mapping[str, Any]) -> Any:
    """What AWS shows for a field: one value, or all that it may be."""
    if path := SHOWN.get(kind, {}).get(name):
        return jmespath.search(path, row)
    if name in row:
        return row[name]
    if found := list(_deep(row, name)):
        return found[0] if len(found) == 1 else found
    read = BY_NAME[kind].read
    own = [detail.key for detail in read.details if detail.field == name]
    own += [companion.name for companion in read.companions if companion.fields == {name}]
    if found := [one for key in own for one in _items(row.get(key))]:
        return found
    if any(REFERENCE.search(text) for text in texts(wanted)):
        return list(texts(row))
    return None if own or name in members(kind) else BLIND


@cache
def members(kind: str) -> frozenset[str]:
    """All members, however deep, of what the reads of a kind can answer."""
    record, found = BY_NAME[kind], set[str]()

    def note(shape: Any, depth: int) -> None:
        for name, inner in shape.members.items():
            found.add(name)
            if depth:
                note(inner, depth - 1)
        if shape.item is not None and depth:
            note(shape.item, depth - 1)

    for operation in record.read.operations:
        note(SCHEMA.operation(record.service, operation).output, 8)
    return frozenset(found)


def shows(shown: Any, wanted: Any, holders: Holders, kind: str) -> bool:
    """Whether a value is as wanted.  null, "" and absent are one."""
    if isinstance(shown, str) and isinstance(wanted, dict | list):
        shown, kind = _parsed(shown), ""
    if wanted == NAMED_BY_AWS or (isinstance(wanted, str) and wanted.startswith("${ssm:")):
        return True
    if isinstance(wanted, list):
        return all(any(shows(one, item, holders, kind) for one in _items(shown)) for item in wanted)
    if not wanted and not isinstance(wanted, bool | int):
        return not shown
    if isinstance(shown, list):
        return any(shows(one, wanted, holders, kind) for one in _items(shown))
    if isinstance(wanted, dict):
        return isinstance(shown, dict) and all(
            _member_shows(shown, name, value, holders, kind) for name, value in wanted.items()
        )
    if isinstance(shown, dict):
        return any(shows(one, wanted, holders, kind) for one in _leaves(shown))
    if isinstance(wanted, str) and ACCOUNT_ID.fullmatch(wanted) and shown == f"arn:aws:iam::{wanted}:root":
        return True  # how IAM spells an account in a policy
    return bool(_names(wanted, holders) & _spellings(shown))


def surplus(shown: Any, wanted: Any, other: Any, holders: Holders) -> Iterator[Any]:
    """What only another variant has, and is shown all the same."""
    if isinstance(shown, str) and isinstance(other, dict | list):
        shown = _parsed(shown)
    match wanted, other:
        case list(), list():
            # what shows an item that is wanted may be another's way to say the same
            left = [one for one in _items(shown) if not any(shows(one, item, holders, "") for item in wanted)]
            yield from (
                item
                for item in other
                if item not in wanted and not any(shows(one, item, {}, "") for one in wanted)
                if any(shows(one, item, holders, "") for one in left)
            )
        case dict(), dict() if isinstance(shown, dict):
            for name in wanted.keys() & other.keys():
                yield from surplus(_member(shown, name), wanted[name], other[name], holders)
        case _, str() if wanted == NAMED_BY_AWS and "${" in other and shows(shown, other, holders, ""):
            yield other


def _member_shows(shown: Mapping[str, Any], name: str, wanted: Any, holders: Holders, kind: str) -> bool:
    """Whether a member is as wanted.  One that is not there has not been set, or is not shown under this name."""
    value = _member(shown, name)
    if value is not None:
        return shows(value, wanted, holders, kind)
    if kind and name in HIDDEN:
        return True
    if any(REFERENCE.search(text) for text in texts(wanted)):
        return shows(list(texts(shown)), wanted, holders, kind)
    return not wanted or (kind != "" and name not in members(kind))


def _member(shown: Mapping[str, Any], name: str) -> Any:
    """A member by its name; AWS does not always spell it as it takes it."""
    if name in shown:
        return shown[name]
    return next((value for other, value in shown.items() if other.lower() == name.lower()), None)


def _items(shown: Any) -> list[Any]:
    """The values of a list that count; what stands alone is a list of one."""
    if shown is None:
        return []
    found = shown if isinstance(shown, list) else [shown]
    return [one for one in found if not isinstance(one, dict) or is_alive(one)]


def _deep(value: Any, name: str) -> Iterator[Any]:
    """All that stands under a name, however deep."""
    if isinstance(value, list):
        for one in _items(value):
            yield from _deep(one, name)
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key == name and inner is not None:
                yield inner
            elif key != "Tags":
                yield from _deep(inner, name)


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from _leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner)
    else:
        yield value


def _parsed(text: str) -> Any:
    """A document as what it says."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _names(wanted: Any, holders: Holders) -> set[str]:
    """What a wanted value may be shown as."""
    if not isinstance(wanted, str):
        return _spellings(wanted)
    if "${" not in wanted.replace(LITERAL, ""):
        return _spellings(wanted.replace(LITERAL, "${"))
    references = list(REFERRING.finditer(wanted))
    if any(one[1] not in holders for one in references):
        return set()
    if (whole := REFERRING.fullmatch(wanted)) is None:  # a text around some: AWS shows it with their ids
        return _spellings(REFERRING.sub(lambda one: min(_held(holders[one[1]], one[2] or "id")), wanted))
    return _held(holders[whole[1]], whole[2] or "")


def _held(holder: Thing, attribute: str) -> set[str]:
    """What a reference to a thing, or to something of it, may be shown as."""
    if attribute == "id":
        return {holder.id}
    if attribute == "arn":
        return {holder.arn}
    if attribute:
        return {str(holder.row[attribute])}
    spec = holder.observed.spec
    return {holder.id, holder.arn, *(str(spec[name]) for name in stand_ins(holder.kind) if spec.get(name))}


@cache
def stand_ins(kind: str) -> frozenset[str]:
    """The fields that stand for a thing of a kind somewhere, where neither its id nor its ARN does."""
    found = {named.get(kind) for record in ALL for named in record.targets().values()}
    return frozenset(name for name in found if name is not None and name not in {"id", "arn"})


def _spellings(value: Any) -> set[str]:
    """A value in all the ways in which it may be meant."""
    text = WORDS.get(value, value) if isinstance(value, str) else json.dumps(value, default=str)
    found = {text}
    with suppress(ValueError):
        found.add(str(ipaddress.ip_network(text, strict=False)))
    with suppress(ValueError):
        found.add(base64.b64decode(text, validate=True).decode())
    with suppress(ValueError):
        found.add(datetime.fromisoformat(str(value)).isoformat())
    if text.startswith("{"):
        found.add(json.dumps(_parsed(text), sort_keys=True))
    if "." in text:  # a name of DNS
        found.add(text.lower().removesuffix(".").replace("\\052", "*"))
    if "," in text and not text.startswith(("{", "[")):  # names in any order
        found.add(",".join(sorted(text.split(","))))
    if text.startswith("ssh-"):  # EC2 puts a comment of its own
        found.add(" ".join(text.split()[:2]))
    return found
