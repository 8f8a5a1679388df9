"""Ways out of a VPC: internet gateways, NAT gateways, and the addresses that others see.

Facts: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/ (AttachInternetGateway, AssociateAddress,
CreateNatGateway, NatGatewayAddress, …) and https://docs.aws.amazon.com/vpc/latest/userguide/vpc-nat-gateway.html
"""

from __future__ import annotations

from typing import Any

from reconciler.kinds.calls import ec2
from reconciler.model.calls import Call
from reconciler.model.kind import Kind, Remedy
from reconciler.model.reads import Read
from reconciler.model.things import Observed, Spec


def attached_vpc(raw: Spec) -> str | None:
    """The VPC that a gateway is attached to; a gateway has at most one."""
    for attachment in raw.get("Attachments") or ():
        if attachment.get("State") not in {"detaching", "detached"}:
            return str(attachment["VpcId"])
    return None


def _detachment(gateway: Observed) -> list[Call]:
    vpc = attached_vpc(gateway.raw)
    return [ec2("DetachInternetGateway", InternetGatewayId=gateway.id, VpcId=vpc)] if vpc else []


def _attach(gateway: Observed, wanted: Any) -> list[Call]:
    """A gateway moves by leaving one VPC and entering another."""
    attached = [ec2("AttachInternetGateway", InternetGatewayId=gateway.id, VpcId=wanted)] if wanted else []
    return [*_detachment(gateway), *attached]


INTERNET_GATEWAY = Kind(
    name="internet-gateway",
    about="The way of a VPC to the internet; VpcId says which VPC it is attached to.",
    service="ec2",
    private=True,
    read=Read(
        operation="DescribeInternetGateways", path="InternetGateways", ids="InternetGatewayIds", page=1000
    ),
    create="CreateInternetGateway",
    delete="DeleteInternetGateway",
    destroy=lambda gateway: [
        *_detachment(gateway),
        ec2("DeleteInternetGateway", InternetGatewayId=gateway.id),
    ],
    id="InternetGatewayId",
    arn_tail="internet-gateway/{id}",
    refs={"VpcId": "vpc"},
    outlives={"nat-gateway": "VpcId", "instance": "VpcId"},
    tag_type="internet-gateway",
    project=lambda raw: {**raw, "VpcId": attached_vpc(raw)},
    remedies={
        "VpcId": Remedy(
            operations=("AttachInternetGateway", "DetachInternetGateway"),
            make=_attach,
            shape="AttachInternetGateway.VpcId",
            disruptive=lambda drift: drift.seen is not None,  # a whole network is cut off
        )
    },
)

EGRESS_ONLY_INTERNET_GATEWAY = Kind(
    name="egress-only-internet-gateway",
    about="The way of a VPC to the internet over IPv6, which nobody can come in by.",
    service="ec2",
    private=True,
    read=Read(
        operation="DescribeEgressOnlyInternetGateways",
        path="EgressOnlyInternetGateways",
        ids="EgressOnlyInternetGatewayIds",
        page=255,
    ),
    create="CreateEgressOnlyInternetGateway",
    delete="DeleteEgressOnlyInternetGateway",
    id="EgressOnlyInternetGatewayId",
    arn_tail="egress-only-internet-gateway/{id}",
    refs={"VpcId": "vpc"},
    tag_type="egress-only-internet-gateway",
    project=lambda raw: {**raw, "VpcId": attached_vpc(raw)},
)


def _disassociation(address: Observed) -> list[Call]:
    association = address.raw.get("AssociationId")
    return [ec2("DisassociateAddress", AssociationId=association)] if association else []


def _associate(name: str) -> Remedy:
    """An address is given to an instance or to one of its interfaces, and taken from whoever has it."""

    def make(address: Observed, wanted: Any) -> list[Call]:
        if not wanted:
            return _disassociation(address)
        given = {name: wanted, "AllowReassociation": True}
        return [ec2("AssociateAddress", AllocationId=address.id, **given)]

    return Remedy(
        operations=("AssociateAddress", "DisassociateAddress"), make=make, shape=f"AssociateAddress.{name}"
    )


ELASTIC_IP = Kind(
    name="elastic-ip",
    about="A public address that stays; InstanceId or NetworkInterfaceId says who has it.",
    service="ec2",
    read=Read(operation="DescribeAddresses", path="Addresses", ids="AllocationIds", page=None),
    create="AllocateAddress",
    answers_tags=False,
    delete="ReleaseAddress",
    destroy=lambda address: [*_disassociation(address), ec2("ReleaseAddress", AllocationId=address.id)],
    id="AllocationId",
    arn_tail="elastic-ip/{id}",
    refs={"InstanceId": "instance", "NetworkInterfaceId": "network-interface"},
    tag_type="elastic-ip",
    always={"Domain": "vpc"},
    write_only=frozenset({"IpamPoolId"}),
    project=lambda raw: {**raw, "Address": raw.get("PublicIp")},
    remedies={name: _associate(name) for name in ("InstanceId", "NetworkInterfaceId")},
    protected=True,
)


def _nat(raw: Spec) -> Spec:
    """A row in CreateNatGateway's words: the primary address, and the others."""
    addresses = list(raw.get("NatGatewayAddresses") or ())
    primary = next((one for one in addresses if one.get("IsPrimary")), addresses[0] if addresses else {})
    others = [one for one in addresses if one is not primary]
    return {
        **raw,
        "AllocationId": primary.get("AllocationId"),
        "PrivateIpAddress": primary.get("PrivateIp"),
        "SecondaryAllocationIds": [one["AllocationId"] for one in others if one.get("AllocationId")],
        "SecondaryPrivateIpAddresses": [one["PrivateIp"] for one in others if one.get("PrivateIp")],
    }


NAT_GATEWAY = Kind(
    name="nat-gateway",
    about="The way of a private subnet to the internet, or to other private networks.",
    service="ec2",
    private=True,
    read=Read(
        operation="DescribeNatGateways",
        path="NatGateways",
        ids="NatGatewayIds",
        page=1000,
        filters="Filter",
    ),
    create="CreateNatGateway",
    delete="DeleteNatGateway",
    id="NatGatewayId",
    arn_tail="natgateway/{id}",
    state="State",
    ready=frozenset({"available"}),
    usable=frozenset({"pending"}),
    failed=frozenset({"failed"}),
    leaving=frozenset({"deleting"}),
    gone=frozenset({"deleted"}),
    refs={
        "SubnetId": "subnet",
        "VpcId": "vpc",
        "AllocationId": "elastic-ip",
        "SecondaryAllocationIds[]": "elastic-ip",
    },
    tag_type="natgateway",
    unique="AllocationId",
    unordered=frozenset({"SecondaryAllocationIds", "SecondaryPrivateIpAddresses"}),
    write_only=frozenset({"AvailabilityZoneAddresses", "SecondaryPrivateIpAddressCount"}),
    project=_nat,
)
