"""Network ACLs: stateless firewalls of subnets.

Facts: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/ (NetworkAclEntry, CreateNetworkAclEntry,
ReplaceNetworkAclEntry, ReplaceNetworkAclAssociation) and
https://docs.aws.amazon.com/vpc/latest/userguide/vpc-network-acls.html
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import Any

from reconciler.kinds.calls import ec2
from reconciler.kinds.vpc import canonical
from reconciler.model.calls import Call
from reconciler.model.kind import Item, Kind, Part
from reconciler.model.reads import Companion, Read
from reconciler.model.things import Observed, Spec

PROTOCOLS = {"all": "-1", "icmp": "1", "tcp": "6", "udp": "17", "icmpv6": "58"}
WITH_PORTS, WITH_TYPES = frozenset({"6", "17"}), frozenset({"1", "58"})
LAST = 32766
"""The highest number that an entry of a person's can have; AWS's own entries, which refuse the rest, come after it."""


# ---- entries


def entry(item: Item) -> Item:
    """An entry in EC2's own spelling; what does not go with its protocol is left out."""
    protocol = str(item.get("Protocol", "-1")).lower()
    protocol = PROTOCOLS.get(protocol, protocol)
    return {
        "RuleNumber": item.get("RuleNumber"),
        "Egress": item.get("Egress"),
        "Protocol": protocol,
        "RuleAction": item.get("RuleAction"),
        **{name: canonical(item.get(name)) for name in ("CidrBlock", "Ipv6CidrBlock")},
        "PortRange": item.get("PortRange") if protocol in WITH_PORTS else None,
        "IcmpTypeCode": item.get("IcmpTypeCode") if protocol in WITH_TYPES else None,
    }


def _entries(raw: Spec) -> list[Item]:
    return [entry(row) for row in raw["Entries"] if row["RuleNumber"] <= LAST]


def _number(item: Item) -> Hashable:
    """Which entry it is: numbers count for each direction by itself."""
    return item["Egress"], item["RuleNumber"]


def _write(operation: str, acl: Observed, items: Sequence[Item]) -> list[Call]:
    return [
        ec2(
            operation,
            NetworkAclId=acl.id,
            **{name: value for name, value in item.items() if value is not None},
        )
        for item in items
    ]


ENTRIES = Part(
    field="Entries",
    shape="CreateNetworkAclEntryRequest",
    rows=_entries,
    normal=entry,
    key=_number,
    add=lambda acl, items: _write("CreateNetworkAclEntry", acl, items),
    remove=lambda acl, items: [
        ec2(
            "DeleteNetworkAclEntry",
            NetworkAclId=acl.id,
            RuleNumber=item["RuleNumber"],
            Egress=item["Egress"],
        )
        for item in items
    ],
    change=lambda acl, items: _write("ReplaceNetworkAclEntry", acl, items),
    operations=("CreateNetworkAclEntry", "DeleteNetworkAclEntry", "ReplaceNetworkAclEntry"),
    given=frozenset({"DryRun", "NetworkAclId"}),
)


# ---- associations


def _associated(item: Item) -> Item:
    return {"SubnetId": item.get("SubnetId")}


def _all_associations(acl: Observed) -> Iterator[Item]:
    """Those of all ACLs of the network: each of its subnets has exactly one."""
    for neighbour in acl.raw.get("Neighbours", ()):
        yield from neighbour["Associations"]


def _move(association: Any, acl_id: str) -> Call:
    return ec2("ReplaceNetworkAclAssociation", AssociationId=association, NetworkAclId=acl_id)


def _take(acl: Observed, items: Sequence[Item]) -> list[Call]:
    """A subnet is taken from the ACL that has it.  Where lists do not show it yet, AWS does not know the association
    that is named instead, and the next look does."""
    holding = {row["SubnetId"]: row["NetworkAclAssociationId"] for row in _all_associations(acl)}
    return [_move(holding.get(item["SubnetId"], item["SubnetId"]), acl.id) for item in items]


def _give_back(acl: Observed, items: Sequence[Item]) -> list[Call]:
    """A subnet that no ACL of ours has any more falls to the default one of the network."""
    neighbours = acl.raw.get("Neighbours", ())
    default = next((one["NetworkAclId"] for one in neighbours if one.get("IsDefault")), acl.id)
    return [_move(item["NetworkAclAssociationId"], default) for item in items]


ASSOCIATIONS = Part(
    field="Associations",
    shape="NetworkAclAssociation",
    rows=lambda raw: list(raw["Associations"]),
    normal=_associated,
    key=lambda item: item["SubnetId"],
    add=_take,
    remove=_give_back,
    change=lambda acl, items: [],  # which it is, is all that there is to it
    operations=("ReplaceNetworkAclAssociation",),
    moves=True,
    given=frozenset({"NetworkAclAssociationId", "NetworkAclId"}),
)

NETWORK_ACL = Kind(
    name="network-acl",
    about="A stateless firewall of subnets: a list of numbered Entries, and the subnets in Associations.",
    service="ec2",
    private=True,
    read=Read(
        operation="DescribeNetworkAcls",
        path="NetworkAcls",
        ids="NetworkAclIds",
        page=1000,
        companions=[
            Companion(
                name="Neighbours",
                operation="DescribeNetworkAcls",
                path="NetworkAcls",
                filter="vpc-id",
                key="VpcId",
                of="VpcId",
            )
        ],
    ),
    create="CreateNetworkAcl",
    delete="DeleteNetworkAcl",
    destroy=lambda acl: [
        *_give_back(acl, acl.raw["Associations"]),
        ec2("DeleteNetworkAcl", NetworkAclId=acl.id),
    ],
    id="NetworkAclId",
    arn_tail="network-acl/{id}",
    refs={"VpcId": "vpc", "Associations[].SubnetId": "subnet"},
    alike={"Associations[].SubnetId": ("VpcId",)},
    tag_type="network-acl",
    parts=(ENTRIES, ASSOCIATIONS),
)
