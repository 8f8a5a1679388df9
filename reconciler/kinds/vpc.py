"""VPCs and what lies in them.  Facts: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/ and botocore's model."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reconciler.kinds.calls import ec2
from reconciler.model.address import Address
from reconciler.model.calls import Call
from reconciler.model.kind import Item, Kind, Part, Remedy
from reconciler.model.reads import Detail, Read
from reconciler.model.things import Desired, Observed, Spec


def _vpc_attribute(name: str) -> Remedy:
    """ModifyVpcAttribute takes exactly one attribute a call."""

    def make(thing: Observed, wanted: Any) -> list[Call]:
        return [ec2("ModifyVpcAttribute", VpcId=thing.id, **{name: {"Value": wanted}})]

    return Remedy(
        operations=("ModifyVpcAttribute",),
        make=make,
        shape=f"ModifyVpcAttribute.{name}.Value",
        needs="EnableDnsSupport" if name == "EnableDnsHostnames" else "",
    )


def _subnet_attribute(name: str, *, plain: bool = False) -> Remedy:
    """ModifySubnetAttribute takes exactly one attribute a call."""

    def make(thing: Observed, wanted: Any) -> list[Call]:
        value = wanted if plain else {"Value": wanted}
        return [ec2("ModifySubnetAttribute", SubnetId=thing.id, **{name: value})]

    shape = f"ModifySubnetAttribute.{name}" + ("" if plain else ".Value")
    return Remedy(operations=("ModifySubnetAttribute",), make=make, shape=shape)


def canonical(cidr: Any) -> Any:
    """A CIDR block without host bits, as EC2 stores it; what is none stays as it is."""
    try:
        return str(ipaddress.ip_network(cidr, strict=False))
    except ValueError:
        return cidr


VPC_ATTRIBUTES = ("EnableDnsSupport", "EnableDnsHostnames")

OVER = frozenset({"disassociating", "disassociated", "failing", "failed"})
"""States of a range that is none of its VPC's any more, and is listed for a while."""


def _more_ranges(raw: Spec) -> list[Item]:
    """The ranges beside the one that a VPC was made with."""
    ranges = raw.get("CidrBlockAssociationSet", ())
    first = next((one for one in ranges if one["CidrBlock"] == raw["CidrBlock"]), None)
    return [
        {"CidrBlock": one["CidrBlock"], "AssociationId": one["AssociationId"]}
        for one in ranges
        if one is not first and one["CidrBlockState"]["State"] not in OVER
    ]


RANGES = Part(
    field="CidrBlockAssociationSet",
    shape="AssociateVpcCidrBlockRequest",
    rows=_more_ranges,
    normal=lambda item: {"CidrBlock": canonical(item.get("CidrBlock"))},
    key=lambda item: item["CidrBlock"],
    add=lambda vpc, items: [
        ec2("AssociateVpcCidrBlock", VpcId=vpc.id, CidrBlock=item["CidrBlock"]) for item in items
    ],
    remove=lambda vpc, items: [
        ec2("DisassociateVpcCidrBlock", AssociationId=item["AssociationId"]) for item in items
    ],
    change=lambda vpc, items: [],  # which it is, is all that there is to it
    operations=("AssociateVpcCidrBlock", "DisassociateVpcCidrBlock"),
    given=frozenset(
        {
            "AmazonProvidedIpv6CidrBlock",
            "Ipv4IpamPoolId",
            "Ipv4NetmaskLength",
            "Ipv6CidrBlock",
            "Ipv6CidrBlockNetworkBorderGroup",
            "Ipv6IpamPoolId",
            "Ipv6NetmaskLength",
            "Ipv6Pool",
            "VpcId",
        }
    ),
)

IPV6, AMAZONS, BORDER = "Ipv6CidrBlock", "AmazonProvidedIpv6CidrBlock", "Ipv6CidrBlockNetworkBorderGroup"
A_REGION = re.compile(r"[a-z]+(-[a-z]+)+-\d+")


def _ipv6_ranges(raw: Spec) -> list[Item]:
    """The ranges of IPv6, none of which is the VPC's first; one of Amazon's is as good as another."""
    live = [
        one
        for one in raw.get("Ipv6CidrBlockAssociationSet") or ()
        if one["Ipv6CidrBlockState"]["State"] not in OVER
    ]
    first = next((one for one in live if one.get("Ipv6Pool") == "Amazon"), None)
    return [
        {
            **({AMAZONS: True} if one is first else {IPV6: canonical(one[IPV6])}),
            BORDER: _border(one.get("NetworkBorderGroup")),
            "AssociationId": one["AssociationId"],
        }
        for one in live
    ]


def _ipv6_range(item: Item) -> Item:
    """A range as it is compared: less its association."""
    named = {IPV6: canonical(item[IPV6])} if item.get(IPV6) else {}
    said = {name: value for name, value in item.items() if value and name != "AssociationId"}
    return {**said, **({BORDER: _border(said[BORDER])} if BORDER in said else {}), **named}


def _border(group: Any) -> Any:
    """A border group; the region as a whole, which AWS shows where none is said, counts as none."""
    return "" if A_REGION.fullmatch(str(group)) else group


def _join_ipv6(vpc: Observed, items: Sequence[Item]) -> list[Call]:
    said = [{name: value for name, value in item.items() if value} for item in items]
    return [ec2("AssociateVpcCidrBlock", VpcId=vpc.id, **item) for item in said]


def _leave_ipv6(_: Observed, items: Sequence[Item]) -> list[Call]:
    return [ec2("DisassociateVpcCidrBlock", AssociationId=item["AssociationId"]) for item in items]


IPV6_RANGES = Part(
    field="Ipv6CidrBlockAssociationSet",
    shape="AssociateVpcCidrBlockRequest",
    rows=_ipv6_ranges,
    normal=_ipv6_range,
    key=lambda item: item.get(IPV6) or AMAZONS,
    add=_join_ipv6,
    remove=_leave_ipv6,
    change=_leave_ipv6,  # of another border group it comes back in a later look
    operations=("AssociateVpcCidrBlock", "DisassociateVpcCidrBlock"),
    # which pool a range is of is not shown as it is asked for
    meaning={"Ipv6Pool": lambda _: None, "Ipv6IpamPoolId": lambda _: None},
    given=frozenset({"CidrBlock", "Ipv4IpamPoolId", "Ipv4NetmaskLength", "Ipv6NetmaskLength", "VpcId"}),
)


def _fits(vpc: Desired, _: Mapping[Address, Desired]) -> Iterator[tuple[str, str, str]]:
    """Each range of IPv6 says which it is: that of a pool by itself, or that it is Amazon's choice; names need DNS."""
    if vpc.spec.get("EnableDnsHostnames") and vpc.spec.get("EnableDnsSupport") is False:
        yield "EnableDnsHostnames", "needs EnableDnsSupport: true", ""
    for number, item in enumerate(vpc.spec.get(IPV6_RANGES.field) or ()):
        if isinstance(item, Mapping) and bool(item.get(IPV6)) is bool(item.get(AMAZONS)):
            what = f"[{number}] needs one of {IPV6} and {AMAZONS}: true, and has {'both' if item.get(IPV6) else 'none'}"
            yield IPV6_RANGES.field, f"{IPV6_RANGES.field}{what}", ""


VPC = Kind(
    name="vpc",
    about="A virtual private cloud of one region; CidrBlockAssociationSet are its ranges beside the first, "
    "Ipv6CidrBlockAssociationSet all those of IPv6.",
    service="ec2",
    read=Read(
        operation="DescribeVpcs",
        path="Vpcs",
        ids="VpcIds",
        page=1000,
        details=[
            Detail(
                field=name,
                operation="DescribeVpcAttribute",
                path=f"{name}.Value",
                arguments={"Attribute": name[0].lower() + name[1:]},
            )
            for name in VPC_ATTRIBUTES
        ],
    ),
    create="CreateVpc",
    delete="DeleteVpc",
    id="VpcId",
    arn_tail="vpc/{id}",
    state="State",
    ready=frozenset({"available"}),
    usable=frozenset({"pending"}),
    tag_type="vpc",
    write_only=frozenset(
        {
            "AmazonProvidedIpv6CidrBlock",
            "Ipv4IpamPoolId",
            "Ipv4NetmaskLength",
            "Ipv6CidrBlock",
            "Ipv6CidrBlockNetworkBorderGroup",
            "Ipv6IpamPoolId",
            "Ipv6NetmaskLength",
            "Ipv6Pool",
            "VpcEncryptionControl",
        }
    ),
    # a VPC that was given none again shows this word
    normal={"CidrBlock": canonical, "DhcpOptionsId": lambda value: value or "default"},
    refs={"DhcpOptionsId": "dhcp-options"},
    remedies={name: _vpc_attribute(name) for name in VPC_ATTRIBUTES}
    | {
        "DhcpOptionsId": Remedy(
            operations=("AssociateDhcpOptions",),
            make=lambda vpc, wanted: [
                ec2("AssociateDhcpOptions", VpcId=vpc.id, DhcpOptionsId=wanted or "default")
            ],
            shape="AssociateDhcpOptions.DhcpOptionsId",
        )
    },
    fits=_fits,
    parts=(RANGES, IPV6_RANGES),
    protected=True,
)


def _options(configurations: Any) -> Any:
    """A set of options by key, the values of each in any order: a list shows them with one more level."""
    return {
        one["Key"]: sorted(
            value["Value"] if isinstance(value, dict) else value for value in one.get("Values") or ()
        )
        for one in configurations or ()
    }


DHCP_OPTIONS = Kind(
    name="dhcp-options",
    about="What the machines of a VPC are told of name and time servers; a VPC's DhcpOptionsId names it.",
    service="ec2",
    private=True,
    read=Read(operation="DescribeDhcpOptions", path="DhcpOptions", ids="DhcpOptionsIds", page=1000),
    create="CreateDhcpOptions",
    delete="DeleteDhcpOptions",
    id="DhcpOptionsId",
    arn_tail="dhcp-options/{id}",
    tag_type="dhcp-options",
    normal={"DhcpConfigurations": _options},
)

SUBNET_FLAGS = (
    "AssignIpv6AddressOnCreation",
    "EnableDns64",
    "EnableResourceNameDnsAAAARecordOnLaunch",
    "EnableResourceNameDnsARecordOnLaunch",
    "MapPublicIpOnLaunch",
)
HOSTNAMES = "PrivateDnsHostnameTypeOnLaunch"


def _subnet(raw: Spec) -> Spec:
    """A row in the words of ModifySubnetAttribute: what machines are called is told in one member."""
    names = raw.get("PrivateDnsNameOptionsOnLaunch") or {}
    records = {
        f"EnableResourceNameDns{sort}RecordOnLaunch": names.get(f"EnableResourceNameDns{sort}Record")
        for sort in ("A", "AAAA")
    }
    return {**raw, **records, HOSTNAMES: names.get("HostnameType")}


SUBNET = Kind(
    name="subnet",
    about="A range of a VPC's addresses in one availability zone.",
    service="ec2",
    read=Read(operation="DescribeSubnets", path="Subnets", ids="SubnetIds", page=1000),
    create="CreateSubnet",
    delete="DeleteSubnet",
    id="SubnetId",
    arn="SubnetArn",
    state="State",
    ready=frozenset({"available"}),
    usable=frozenset({"pending"}),
    failed=frozenset({"failed", "failed-insufficient-capacity", "unavailable"}),
    refs={"VpcId": "vpc"},
    tag_type="subnet",
    write_only=frozenset(
        {"Ipv4IpamPoolId", "Ipv4NetmaskLength", "Ipv6CidrBlock", "Ipv6IpamPoolId", "Ipv6NetmaskLength"}
    ),
    normal={"CidrBlock": canonical},
    project=_subnet,
    remedies={name: _subnet_attribute(name) for name in SUBNET_FLAGS}
    | {HOSTNAMES: _subnet_attribute(HOSTNAMES, plain=True)},
)
