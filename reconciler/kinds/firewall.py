"""Security groups and their rules.

Facts: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_SecurityGroupRule.html and
https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Hashable, Sequence
from contextlib import suppress
from functools import lru_cache

from reconciler.kinds.calls import ec2
from reconciler.model.calls import Call
from reconciler.model.kind import Item, Kind, Part
from reconciler.model.reads import Companion, Read
from reconciler.model.things import Observed, Spec

PROTOCOLS = {"6": "tcp", "17": "udp", "1": "icmp", "58": "icmpv6", "all": "-1"}
WITH_PORTS = frozenset({"tcp", "udp", "icmp", "icmpv6"})
SOURCES = ("CidrIpv4", "CidrIpv6", "PrefixListId", "ReferencedGroupId")


def rule(item: Item) -> Item:
    """A rule in EC2's own spelling: protocol names, no ports where they mean nothing, networks without host bits."""
    protocol = str(item.get("IpProtocol", "-1")).lower()
    found: Item = {"IpProtocol": PROTOCOLS.get(protocol, protocol)}
    if found["IpProtocol"] in WITH_PORTS:
        found |= {name: item.get(name, -1) for name in ("FromPort", "ToPort")}
        if found["IpProtocol"] in {"tcp", "udp"} and (found["FromPort"], found["ToPort"]) == (-1, -1):
            found |= {"FromPort": 0, "ToPort": 65535}
    for name in SOURCES:
        if item.get(name):
            found[name] = _network(item[name]) if name.startswith("Cidr") else item[name]
    found["Description"] = item.get("Description") or ""
    return found


@lru_cache(maxsize=10_000)
def _network(text: str) -> str:
    with suppress(ValueError):
        return str(ipaddress.ip_network(text, strict=False))
    return text


def _identity(item: Item) -> Hashable:
    """Which rule it is.  The description does not count: EC2 refuses a second rule that differs in it alone."""
    return tuple(
        (name, item[name]) for name in sorted(item) if name not in {"Description", "SecurityGroupRuleId"}
    )


def _rows(egress: bool) -> Callable[[Spec], list[Item]]:
    def rows(raw: Spec) -> list[Item]:
        return [
            rule(row | {"ReferencedGroupId": row.get("ReferencedGroupInfo", {}).get("GroupId")})
            | {"SecurityGroupRuleId": row["SecurityGroupRuleId"]}
            for row in raw["Rules"]
            if row["IsEgress"] is egress
        ]

    return rows


def _permission(item: Item) -> Item:
    """A rule as the Authorize calls want it."""
    described = {"Description": item["Description"]} if item["Description"] else {}
    source: Item = {}
    match item:
        case {"CidrIpv4": network}:
            source = {"IpRanges": [{"CidrIp": network} | described]}
        case {"CidrIpv6": network}:
            source = {"Ipv6Ranges": [{"CidrIpv6": network} | described]}
        case {"PrefixListId": prefix_list}:
            source = {"PrefixListIds": [{"PrefixListId": prefix_list} | described]}
        case {"ReferencedGroupId": group}:
            source = {"UserIdGroupPairs": [{"GroupId": group} | described]}
    ports = {name: item[name] for name in ("FromPort", "ToPort") if name in item}
    return {"IpProtocol": item["IpProtocol"]} | ports | source


def _rules(field: str, egress: bool) -> Part:
    def add(group: Observed, items: Sequence[Item]) -> list[Call]:
        permissions = [_permission(item) for item in items]
        return [ec2(f"AuthorizeSecurityGroup{field}", GroupId=group.id, IpPermissions=permissions)]

    def remove(group: Observed, items: Sequence[Item]) -> list[Call]:
        ids = [item["SecurityGroupRuleId"] for item in items]
        return [ec2(f"RevokeSecurityGroup{field}", GroupId=group.id, SecurityGroupRuleIds=ids)]

    def change(group: Observed, items: Sequence[Item]) -> list[Call]:
        updates = [
            {
                "SecurityGroupRuleId": item["SecurityGroupRuleId"],
                "SecurityGroupRule": {
                    name: value for name, value in item.items() if name != "SecurityGroupRuleId"
                },
            }
            for item in items
        ]
        return [ec2("ModifySecurityGroupRules", GroupId=group.id, SecurityGroupRules=updates)]

    return Part(
        field=field,
        shape="SecurityGroupRuleRequest",
        rows=_rows(egress),
        normal=rule,
        key=_identity,
        add=add,
        remove=remove,
        change=change,
        operations=(
            f"AuthorizeSecurityGroup{field}",
            f"RevokeSecurityGroup{field}",
            "ModifySecurityGroupRules",
        ),
        knots=True,
    )


SECURITY_GROUP = Kind(
    name="security-group",
    about="A stateful firewall of a VPC; Ingress and Egress are lists of rules.",
    service="ec2",
    read=Read(
        operation="DescribeSecurityGroups",
        path="SecurityGroups",
        ids="GroupIds",
        page=1000,
        companions=[
            Companion(
                name="Rules",
                operation="DescribeSecurityGroupRules",
                path="SecurityGroupRules",
                filter="group-id",
                key="GroupId",
            )
        ],
    ),
    create="CreateSecurityGroup",
    delete="DeleteSecurityGroup",
    id="GroupId",
    arn="SecurityGroupArn",
    refs={
        "VpcId": "vpc",
        "Ingress[].PrefixListId": "prefix-list",
        "Egress[].PrefixListId": "prefix-list",
        "Ingress[].ReferencedGroupId": "security-group",
        "Egress[].ReferencedGroupId": "security-group",
    },
    tag_type="security-group",
    parts=(_rules("Ingress", egress=False), _rules("Egress", egress=True)),
    unique="GroupName",
)
