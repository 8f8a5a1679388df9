"""Transit gateways, and VPCs and appliances that are attached to them.

Facts: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/ (CreateTransitGateway, ModifyTransitGateway,
CreateTransitGatewayVpcAttachment, …) and https://docs.aws.amazon.com/vpc/latest/tgw/.  No create call takes a token,
and of most lists AWS does not say that they can be filtered by tag.
"""

from __future__ import annotations

import ipaddress
from contextlib import suppress
from typing import Any

from reconciler.kinds.calls import ec2
from reconciler.kinds.vpc import canonical
from reconciler.model.calls import Call
from reconciler.model.kind import Kind, Remedy
from reconciler.model.reads import Companion, Read
from reconciler.model.things import Observed, Spec
from reconciler.model.verdicts import Wait

LEAVING, GONE = frozenset({"deleting"}), frozenset({"deleted"})
FAILED = frozenset({"failed", "rejected"})
USES = ("Association", "Propagation")
BLOCKS = "TransitGatewayCidrBlocks"

# ---- transit gateways


def _options(value: Any) -> Any:
    """Options with their CIDR blocks in one spelling and order."""
    if not isinstance(value, dict) or BLOCKS not in value:
        return value
    return {**value, BLOCKS: sorted(map(canonical, value[BLOCKS] or ()))}


def _change_options(gateway: Observed, wanted: Any) -> list[Call]:
    """Only what differs: blocks are added and removed one by one, and some options cannot be sent at all."""
    seen, options = _options(gateway.spec.get("Options") or {}), _options(wanted)
    changes = {name: value for name, value in options.items() if name != BLOCKS and value != seen.get(name)}
    if BLOCKS in options:
        before, after = seen.get(BLOCKS) or [], options[BLOCKS]
        changes["AddTransitGatewayCidrBlocks"] = [one for one in after if one not in before]
        changes["RemoveTransitGatewayCidrBlocks"] = [one for one in before if one not in after]
    sent = {name: value for name, value in changes.items() if value != []}
    return [ec2("ModifyTransitGateway", TransitGatewayId=gateway.id, Options=sent)]


TABLES = "RouteTables"
"""Where what is read of a gateway's route tables is kept in `raw`."""


def _others_tables(gateway: Observed) -> Wait | None:
    """A transit gateway goes with the route tables in it: ours are gone before, and what people have made is not ours.

    The one that AWS has made with it is its default one, and has no tags."""
    if TABLES not in gateway.raw:
        return Wait("which route tables it has has not been read")
    there = [
        str(table["TransitGatewayRouteTableId"])
        for table in gateway.raw[TABLES]
        if table.get("State") not in LEAVING | GONE
        and (table.get("Tags") or not any(table.get(f"Default{use}RouteTable") for use in USES))
    ]
    if not there:
        return None
    return Wait(f"{' and '.join(there)}, in it and not ours, would go with it: delete them first", "person")


TRANSIT_GATEWAY = Kind(
    name="transit-gateway",
    about="A router of one region, to which VPCs, VPNs and other transit gateways are attached.",
    service="ec2",
    read=Read(
        operation="DescribeTransitGateways",
        path="TransitGateways",
        ids="TransitGatewayIds",
        page=1000,
        companions=[
            Companion(
                name=TABLES,
                operation="DescribeTransitGatewayRouteTables",
                path="TransitGatewayRouteTables",
                key="TransitGatewayId",
                filter="transit-gateway-id",
                fields=frozenset({TABLES}),  # no field of a config: they are read of what is to go
            )
        ],
    ),
    create="CreateTransitGateway",
    update="ModifyTransitGateway",
    delete="DeleteTransitGateway",
    id="TransitGatewayId",
    arn="TransitGatewayArn",
    state="State",
    ready=frozenset({"available"}),
    usable=frozenset({"modifying"}),
    leaving=LEAVING,
    gone=GONE,
    tag_type="transit-gateway",
    normal={"Options": _options},
    release=_others_tables,
    remedies={
        "Options": Remedy(
            operations=("ModifyTransitGateway",),
            make=_change_options,
            joins=True,
            fixed=frozenset({"MulticastSupport"}),
        )
    },
    protected=True,
)

# ---- attachments of VPCs


def _change_subnets(attachment: Observed, wanted: Any) -> list[Call]:
    """One subnet a zone, and never none: what comes and what goes is said in one call."""
    seen = attachment.spec.get("SubnetIds") or []
    changes = {
        "AddSubnetIds": [one for one in wanted if one not in seen],
        "RemoveSubnetIds": [one for one in seen if one not in wanted],
    }
    sent = {name: subnets for name, subnets in changes.items() if subnets}
    return [ec2("ModifyTransitGatewayVpcAttachment", TransitGatewayAttachmentId=attachment.id, **sent)]


def _some_subnet(value: Any) -> str | None:
    return "an attachment has at least one subnet" if value == [] else None


ACCEPTANCE = "somebody in the account of the transit gateway has to accept it"

TRANSIT_GATEWAY_VPC_ATTACHMENT = Kind(
    name="transit-gateway-vpc-attachment",
    about="The attachment of a VPC to a transit gateway, with one subnet in each zone that shall reach it.",
    service="ec2",
    read=Read(
        operation="DescribeTransitGatewayVpcAttachments",
        path="TransitGatewayVpcAttachments",
        ids="TransitGatewayAttachmentIds",
        page=1000,
        filters=None,
    ),
    create="CreateTransitGatewayVpcAttachment",
    update="ModifyTransitGatewayVpcAttachment",
    delete="DeleteTransitGatewayVpcAttachment",
    id="TransitGatewayAttachmentId",
    arn_tail="transit-gateway-attachment/{id}",
    state="State",
    ready=frozenset({"available"}),
    usable=frozenset({"modifying"}),
    asking={"pendingAcceptance": ACCEPTANCE},
    accept="AcceptTransitGatewayVpcAttachment",
    asks="TransitGatewayId",
    asks_itself=False,
    decline="RejectTransitGatewayVpcAttachment",
    failed=FAILED,
    leaving=LEAVING,
    gone=GONE,
    refs={"TransitGatewayId": "transit-gateway", "VpcId": "vpc", "SubnetIds[]": "subnet"},
    tag_type="transit-gateway-attachment",
    unordered=frozenset({"SubnetIds"}),
    refuses={"SubnetIds": _some_subnet},
    remedies={
        "SubnetIds": Remedy(
            operations=("ModifyTransitGatewayVpcAttachment",), make=_change_subnets, joins=True
        )
    },
)

# ---- Connect attachments

TRANSIT_GATEWAY_CONNECT = Kind(
    name="transit-gateway-connect",
    about="A Connect attachment: tunnels of appliances, over the attachment of the VPC in which they are.",
    service="ec2",
    read=Read(
        operation="DescribeTransitGatewayConnects",
        path="TransitGatewayConnects",
        ids="TransitGatewayAttachmentIds",
        page=1000,
        filters=None,
    ),
    create="CreateTransitGatewayConnect",
    delete="DeleteTransitGatewayConnect",
    id="TransitGatewayAttachmentId",
    arn_tail="transit-gateway-attachment/{id}",
    state="State",
    ready=frozenset({"available"}),
    usable=frozenset({"modifying"}),
    asking={"pendingAcceptance": ACCEPTANCE},
    failed=FAILED,
    leaving=LEAVING,
    gone=GONE,
    refs={"TransportTransitGatewayAttachmentId": "transit-gateway-vpc-attachment"},
    tag_type="transit-gateway-attachment",
)


def _peer(raw: Spec) -> Spec:
    """A row in CreateTransitGatewayConnectPeer's words; all sessions of a peer have one ASN."""
    configuration = raw.get("ConnectPeerConfiguration") or {}
    sessions = configuration.get("BgpConfigurations") or [{}]
    return {
        **raw,
        "TransitGatewayAddress": configuration.get("TransitGatewayAddress"),
        "PeerAddress": configuration.get("PeerAddress"),
        "InsideCidrBlocks": configuration.get("InsideCidrBlocks"),
        "BgpOptions": {"PeerAsn": sessions[0].get("PeerAsn")},
    }


RESERVED = frozenset({*(f"169.254.{third}.0/29" for third in range(6)), "169.254.169.248/29"})
"""Inside ranges that AWS keeps for itself."""
INSIDE = {4: (29, "169.254.0.0/16"), 6: (125, "fd00::/8")}
"""How many bits the ranges inside of a tunnel have, and where they lie, by the version of IP."""


def _bad_inside(blocks: Any) -> str | None:
    """What of the ranges inside of a tunnel cannot work."""
    for block in blocks if isinstance(blocks, list) else ():
        with suppress(ValueError, TypeError):  # a reference, or something that AWS refuses
            network = ipaddress.ip_network(block)
            bits, whole = INSIDE[network.version]
            there = network.network_address in ipaddress.ip_network(whole)
            if network.prefixlen != bits or not there or str(network) in RESERVED:
                return f"has {block}: expected a /{bits} of {whole} that AWS does not reserve"
    return None


TRANSIT_GATEWAY_CONNECT_PEER = Kind(
    name="transit-gateway-connect-peer",
    about="An appliance at the far end of a Connect attachment: a GRE tunnel with BGP sessions in it.",
    service="ec2",
    read=Read(
        operation="DescribeTransitGatewayConnectPeers",
        path="TransitGatewayConnectPeers",
        ids="TransitGatewayConnectPeerIds",
        page=1000,
        filters=None,
    ),
    create="CreateTransitGatewayConnectPeer",
    delete="DeleteTransitGatewayConnectPeer",
    id="TransitGatewayConnectPeerId",
    arn_tail="transit-gateway-connect-peer/{id}",
    state="State",
    ready=frozenset({"available"}),
    leaving=LEAVING,
    gone=GONE,
    refs={"TransitGatewayAttachmentId": "transit-gateway-connect"},
    tag_type="transit-gateway-connect-peer",
    unordered=frozenset({"InsideCidrBlocks"}),
    refuses={"InsideCidrBlocks": _bad_inside},
    project=_peer,
)
