"""What AWS shows of everything there is, in words that do not change from one life of an estate to another.

Ids, times and addresses of the network are drawn anew for each thing: where one stands for a thing of an address, the
address is put, else what sort it is.  Used by `killing`.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.kinds import ALL
from tests.harness import Host, tags

ID = re.compile(r"\b([a-z]+(?:-[a-z]+)*)-[0-9a-f]{8,}\b")
BALANCER = re.compile(r"(?<=/)[0-9a-f]{16}\b")
"""What ends the name of a load balancer in other things."""
ACCELERATOR = re.compile(
    r"(?<=accelerator/)[0-9a-f-]{36}|(?<=/listener/)[0-9a-f]+|(?<=/endpoint-group/)[0-9a-f]+"
)
"""What ends the names of an accelerator and of what is in it."""
AMAZONS = re.compile(r"\b2400:6500:[0-9a-f:]+")
"""Ranges of IPv6 that AWS draws from its own."""
KEY = re.compile(r"\bmade\.by\.AWS\.[0-9]{8}\b")
"""A key that the local AWS has made: it counts them."""
DRAWN = frozenset(
    {
        "AmiLaunchIndex",  # as the tag below: who was killed may make alone what goes with others else
        "AttachTime",
        "AvailableIpAddressCount",  # Auto Scaling groups draw the subnets of what they launch
        "CallerReference",
        "ClientToken",
        "CreateDate",
        "CreateTime",
        "CreatedTime",
        "DNSName",
        "DnsName",
        "CreatedAt",
        "createdAt",
        "modifiedAt",
        "CreationTime",
        "CustomerGatewayConfiguration",
        "Instances",  # those of an Auto Scaling group
        "IpAddress",
        "IpAddresses",
        "LastModifiedTime",
        "LastStatusChange",
        "CreationTimestamp",
        "LaunchTime",
        "MacAddress",
        "OutsideIpAddress",
        "PrivateDnsName",
        "PrivateIp",
        "PrivateIpAddress",
        "PublicDnsName",
        "PublicIp",
        "PublicIpAddress",
        "Refreshes",
        "StartDate",
        "TunnelInsideCidr",
        "UpdatedAt",
        "reconciler:applied",  # as a case of `_named` has it, where tags map keys to values
    }
)
"""Members whose values are drawn anew for each thing."""

LATE = 10.0
"""Seconds after which lists show everything: a group makes instances when it likes."""
GROUP = "aws:autoscaling:groupName"
MADE_BY_GROUPS = frozenset({"instance", "network-interface", "volume"})
"""What Auto Scaling groups make is nobody's here, and comes and goes in AWS's time."""

Shown = Counter[tuple[str, str]]
"""How often there is something: its address (or kind, for one that is not ours) and all that is told of it."""


def shown(host: Host, text: str) -> Shown:
    """Everything of every kind, somebody else's included, and what the program sees of its own beside the lists."""
    host.aws.clock.advance(LATE)
    rows = [(kind, row) for kind in ALL for row in host.rows(kind.name)]
    marked = [{"Name": "tag-key", "Values": [GROUP]}]
    answer = host.by_hand(
        "ec2", "DescribeInstances", Filters=marked
    )  # those that are gone had disks and cards
    groups = [one["InstanceId"] for some in answer["Reservations"] for one in some["Instances"]]
    rows = [
        (kind, row)
        for kind, row in rows
        if kind.name not in MADE_BY_GROUPS or not any(id in str(row) for id in groups)
    ]
    names = {row[kind.id]: tags(row).get("reconciler:address", kind.name) for kind, row in rows}
    found = Shown((names[row[kind.id]], _plain(row, names)) for kind, row in rows)
    for thing in host.loop(text).look().owned:  # rules of groups, attributes that have a call of their own
        found[f"seen: {names.get(thing.id, thing.id)}", _plain(thing.raw, names)] += 1
    return found


@dataclass(frozen=True)
class Differences:
    """How what there is differs from what there should be, a line each; nothing in any of the lists if it does not.

    `twice` is there more often than it should, `left` should not be there at all, `missing` should, `other` is there
    and looks otherwise.
    """

    twice: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    other: list[str] = field(default_factory=list)

    @property
    def lines(self) -> list[str]:
        return [f"{sort}: {line}" for sort, lines in dataclasses.asdict(self).items() for line in lines]


def differences(*, expected: Shown, found: Shown) -> Differences:
    """What there is too much, what is missing and what is other than it should be."""
    differ = Differences()
    should, are = (Counter(who for who, _ in each.elements()) for each in (expected, found))
    for who, what in sorted((found - expected).elements()):
        sort = differ.left if not should[who] else differ.twice if are[who] > should[who] else differ.other
        sort.append(f"{who}: {what}")
    for who, what in sorted((expected - found).elements()):
        if are[who] < should[who]:
            differ.missing.append(f"{who}: {what}")
        elif are[who] == should[who]:
            differ.other.append(f"{who}, as it should be: {what}")
    return differ


def _plain(value: Any, names: Mapping[str, str]) -> str:
    return json.dumps(_named(value, names), sort_keys=True)


def _named(value: Any, names: Mapping[str, str]) -> Any:
    match value:
        case {
            "Key": "reconciler:applied"
        }:  # a note for people, who are told "unknown" where a kill has kept it short
            return "what was applied"
        case Mapping():
            return {name: _named(inner, names) for name, inner in value.items() if name not in DRAWN}
        case list() | tuple():
            told = [_named(inner, names) for inner in value if not _tells_a_batch(inner)]
            return sorted(told, key=lambda inner: json.dumps(inner))
        case str() if value in names:
            return names[value]  # ids of IAM have no form of their own
        case str():
            plain = KEY.sub("", AMAZONS.sub("", ACCELERATOR.sub("", value)))
            return BALANCER.sub("", ID.sub(lambda found: names.get(found[0], found[1]), plain))
    return value


def _tells_a_batch(value: Any) -> bool:
    return isinstance(value, Mapping) and value.get("Key") == "reconciler:batch"
