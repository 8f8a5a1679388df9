"""The peers of a core network: transit gateways beside it, and appliances on Connect attachments.

Facts: https://docs.aws.amazon.com/networkmanager/latest/APIReference/API_ConnectPeer.html, API_Peering.html and the
create calls there.  Used by `kinds`.
"""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.kinds import wanpolicy
from reconciler.kinds.cloudwan import PACE, SAID, Resources, at_edge
from reconciler.model.kind import Kind
from reconciler.model.reads import Detail, Read
from reconciler.model.things import Desired, Spec

TRANSIT_GATEWAY_PEERING = Kind(
    name="transit-gateway-peering",
    about="A transit gateway beside a core network, whose route tables can be attached by it.",
    service="networkmanager",
    read=Read(
        operation="ListPeerings",
        path="Peerings",
        ids=None,
        page=500,
        arguments={"PeeringType": "TRANSIT_GATEWAY"},
    ),
    create="CreateTransitGatewayPeering",
    delete="DeletePeering",
    id="PeeringId",
    arn_tail="peering/{id}",
    state="State",
    ready=frozenset({"AVAILABLE"}),
    failed=frozenset({"FAILED"}),
    leaving=frozenset({"DELETING"}),
    pace=PACE,
    errors=f"LastModificationErrors{SAID}",
    refs={"CoreNetworkId": "core-network", "TransitGatewayArn": "transit-gateway.arn"},
    fits=at_edge,
    project=lambda raw: {**raw, "TransitGatewayArn": raw.get("ResourceArn")},
)


def _peer(raw: Spec) -> Spec:
    """A peer in the words of the create call: written flat, read nested."""
    shown = (raw.get("ConnectPeer") or {}).get("Configuration") or {}
    return {**raw, **{name: shown[name] for name in ("PeerAddress", "InsideCidrBlocks") if name in shown}}


def _apart(desired: Desired, resources: Resources) -> Iterator[tuple[str, str, str]]:
    """Peers on one attachment have inside CIDR blocks that do not overlap; said of the one that comes later."""
    own = [block for block in desired.spec.get("InsideCidrBlocks") or () if isinstance(block, str)]
    for other in resources.values():
        if other.address == desired.address:
            return
        same = other.spec.get("ConnectAttachmentId") == desired.spec.get("ConnectAttachmentId")
        if other.address.kind != desired.address.kind or not same:
            continue
        theirs = [block for block in other.spec.get("InsideCidrBlocks") or () if isinstance(block, str)]
        for one, block in wanpolicy.overlapping([*theirs, *own]):
            if one in theirs and block in own:
                yield "InsideCidrBlocks", f"{block} overlaps with {one} of {other.address}", ""


CONNECT_PEER = Kind(
    name="connect-peer",
    about="An appliance that exchanges routes with a core network by BGP, on a Connect attachment.",
    service="networkmanager",
    read=Read(
        operation="ListConnectPeers",
        path="ConnectPeers",
        ids=None,
        page=500,
        details=[
            Detail(
                field="PeerAddress",
                name="ConnectPeer",
                operation="GetConnectPeer",
                path="ConnectPeer",
                stamp="ConnectPeerState",  # but for its tags a peer never changes
                stamped="State",
            )
        ],
    ),
    create="CreateConnectPeer",
    delete="DeleteConnectPeer",
    id="ConnectPeerId",
    arn_tail="connect-peer/{id}",
    state="ConnectPeerState || State",  # as lists say it, and as the answer of its creation does
    ready=frozenset({"AVAILABLE"}),
    failed=frozenset({"FAILED"}),
    leaving=frozenset({"DELETING"}),
    pace=PACE,
    errors=f"ConnectPeer.LastModificationErrors{SAID}",
    refs={"ConnectAttachmentId": "connect-attachment", "SubnetArn": "subnet.arn"},
    fits=_apart,
    owned_with="ConnectAttachmentId",  # the owner of the core network is shown it too
    # AWS's CloudFormation schema marks these as such: they come back in another form, or chosen by AWS
    write_only=frozenset({"CoreNetworkAddress", "BgpOptions", "SubnetArn"}),
    unordered=frozenset({"InsideCidrBlocks"}),
    project=_peer,
)
