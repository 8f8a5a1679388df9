"""VPCs and what lies in them.  Facts: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/ and botocore's model."""

from __future__ import annotations

import ipaddress
from typing import Any

from reconciler.kinds.calls import ec2
from reconciler.model.calls import Call
from reconciler.model.kind import Detail, Kind, Read, Remedy
from reconciler.model.things import Observed


def _vpc_attribute(name: str) -> Remedy:
    """ModifyVpcAttribute takes exactly one attribute a call."""

    def make(thing: Observed, wanted: Any) -> list[Call]:
        return [ec2("ModifyVpcAttribute", VpcId=thing.id, **{name: {"Value": wanted}})]

    return Remedy(operations=("ModifyVpcAttribute",), make=make, shape=f"ModifyVpcAttribute.{name}.Value")


def _subnet_attribute(name: str) -> Remedy:
    """ModifySubnetAttribute takes exactly one attribute a call."""

    def make(thing: Observed, wanted: Any) -> list[Call]:
        return [ec2("ModifySubnetAttribute", SubnetId=thing.id, **{name: {"Value": wanted}})]

    return Remedy(
        operations=("ModifySubnetAttribute",), make=make, shape=f"ModifySubnetAttribute.{name}.Value"
    )


def canonical(cidr: Any) -> Any:
    """A CIDR block without host bits, as EC2 stores it; what is none stays as it is."""
    try:
        return str(ipaddress.ip_network(cidr, strict=False))
    except ValueError:
        return cidr


VPC_ATTRIBUTES = ("EnableDnsSupport", "EnableDnsHostnames")
"""In the order in which they can be switched on: hostnames need support."""

VPC = Kind(
    name="vpc",
    about="A virtual private cloud of one region.",
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
    normal={"CidrBlock": canonical},
    remedies={name: _vpc_attribute(name) for name in VPC_ATTRIBUTES},
    protected=True,
)

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
    remedies={"MapPublicIpOnLaunch": _subnet_attribute("MapPublicIpOnLaunch")},
)
