"""Peerings: two VPCs, or two transit gateways, that reach each other directly, of one region or of two.

Both regions show a peering under one id, each with tags of its own: ours are on the side that has asked for it.

Facts: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/ (CreateVpcPeeringConnection, AcceptVpcPeeringConnection,
VpcPeeringConnection, CreateTransitGatewayPeeringAttachment, AcceptTransitGatewayPeeringAttachment),
https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-basics.html (the life of a peering connection) and
https://docs.aws.amazon.com/vpc/latest/tgw/tgw-peering.html and transit-gateway-quotas.html (pending peerings)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from reconciler.kinds.calls import ec2
from reconciler.model.address import Address
from reconciler.model.kind import Crowd, Kind
from reconciler.model.reads import Read
from reconciler.model.things import Desired, Observed, Ref, Spec
from reconciler.model.verdicts import Settled, Steps, Verdict

PENDING, ASKED = "pending-acceptance", "pendingAcceptance"


def _peering(raw: Spec) -> Spec:
    """A row in CreateVpcPeeringConnection's words."""
    ours, theirs = raw.get("RequesterVpcInfo") or {}, raw.get("AccepterVpcInfo") or {}
    return {
        **raw,
        "VpcId": ours.get("VpcId"),
        "PeerVpcId": theirs.get("VpcId"),
        "PeerOwnerId": theirs.get("OwnerId"),
        "PeerRegion": theirs.get("Region"),
    }


def _accepting(kind: str, side: str, operation: str, id: str, pending: str) -> Callable[..., Verdict]:
    """A `then` with which the other side accepts what it is asked for, in its own region and account; where that is
    none of the config's, somebody there has to.  `side` is the member of a row that says who is asked."""

    def then(_: Desired, peering: Observed) -> Verdict:
        if peering.state != pending:
            return Settled()
        theirs = peering.raw[side]
        region = str(theirs.get("Region") or peering.region)
        account = str(theirs.get("OwnerId") or peering.account)
        why = f"the {kind} of the other side has to accept {peering.id} in {region}, within a week"
        call = replace(ec2(operation, **{id: peering.id}), account=account, region=region, why=why)
        return Steps("update", (call,), why=why)

    return then


VPC_PEERING_CONNECTION = Kind(
    name="vpc-peering-connection",
    about="Two VPCs that reach each other; accepted by itself where both are of accounts of the config.",
    service="ec2",
    read=Read(
        operation="DescribeVpcPeeringConnections",
        path="VpcPeeringConnections",
        ids="VpcPeeringConnectionIds",
        page=1000,
    ),
    create="CreateVpcPeeringConnection",
    delete="DeleteVpcPeeringConnection",
    id="VpcPeeringConnectionId",
    arn_tail="vpc-peering-connection/{id}",
    state="Status.Code",
    ready=frozenset({"active", PENDING}),
    failed=frozenset({"failed", "rejected"}),
    leaving=frozenset({"deleting"}),
    gone=frozenset({"deleted", "expired"}),
    refs={"VpcId": "vpc", "PeerVpcId": "vpc"},
    across=True,
    tag_type="vpc-peering-connection",
    project=_peering,
    forbidden=frozenset({"RequesterPeeringConnectionOptions"}),  # not reported as it is asked for
    asked_from="RequesterVpcInfo",
    then=_accepting(
        "VPC", "AccepterVpcInfo", "AcceptVpcPeeringConnection", "VpcPeeringConnectionId", PENDING
    ),
    then_operations=("AcceptVpcPeeringConnection",),
)

# ---- transit gateways


def _attachment(raw: Spec) -> Spec:
    """A row in CreateTransitGatewayPeeringAttachment's words."""
    ours, theirs = raw.get("RequesterTgwInfo") or {}, raw.get("AccepterTgwInfo") or {}
    return {
        **raw,
        "TransitGatewayId": ours.get("TransitGatewayId"),
        "PeerTransitGatewayId": theirs.get("TransitGatewayId"),
        "PeerAccountId": theirs.get("OwnerId"),
        "PeerRegion": theirs.get("Region"),
    }


def _fits(peering: Desired, every: Mapping[Address, Desired]) -> Iterator[tuple[str, str, str]]:
    """The peer is where the config says that it is."""
    peer = peering.spec.get("PeerTransitGatewayId")
    there = every.get(peer.to) if isinstance(peer, Ref) else None
    if there is None:
        return
    for field, where in (("PeerRegion", there.region), ("PeerAccountId", there.account)):
        said = peering.spec.get(field)
        if isinstance(said, str) and said != where:
            yield field, f"{there.address} is in {where}, not in {said}", ""


TRANSIT_GATEWAY_PEERING_ATTACHMENT = Kind(
    name="transit-gateway-peering-attachment",
    about="Two transit gateways that reach each other, over static routes of both; accepted by itself where both are "
    "of accounts of the config.",
    service="ec2",
    read=Read(
        operation="DescribeTransitGatewayPeeringAttachments",
        path="TransitGatewayPeeringAttachments",
        ids="TransitGatewayAttachmentIds",
        page=1000,
    ),
    create="CreateTransitGatewayPeeringAttachment",
    delete="DeleteTransitGatewayPeeringAttachment",
    id="TransitGatewayAttachmentId",
    arn_tail="transit-gateway-attachment/{id}",
    state="State",
    ready=frozenset({"available", ASKED}),
    failed=frozenset({"failed", "rejected"}),
    errors="[Status.Message] | [?@]",
    leaving=frozenset({"deleting"}),
    gone=frozenset({"deleted"}),
    refs={"TransitGatewayId": "transit-gateway", "PeerTransitGatewayId": "transit-gateway"},
    across=True,
    unlike={"PeerTransitGatewayId": "TransitGatewayId"},
    fits=_fits,
    tag_type="transit-gateway-attachment",
    project=_attachment,
    asked_from="RequesterTgwInfo",
    then=_accepting(
        "transit gateway",
        "AccepterTgwInfo",
        "AcceptTransitGatewayPeeringAttachment",
        "TransitGatewayAttachmentId",
        ASKED,
    ),
    then_operations=("AcceptTransitGatewayPeeringAttachment",),
    crowd=Crowd(
        most=10,
        states=frozenset({"initiatingRequest", ASKED}),
        within=("TransitGatewayId", "PeerTransitGatewayId"),
    ),
)
