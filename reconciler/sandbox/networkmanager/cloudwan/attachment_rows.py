"""The facts of each kind of attachment, one row each. `attachments.py` does the rest.

Sources: botocore's model (AttachmentErrorCode); AWS Cloud WAN user guide, "Attachments";
terraform-provider-aws, connect_attachment.go, for a transport that is not available.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ...errors import AwsError
from ...request import Request
from .. import elsewhere
from ..models import Item, NetworkManagerBackend
from ..refusals import invalid_field, refused
from .common import check_region_of, find, invalid_state

Parameters = Mapping[str, Any]
Problem = tuple[str, str, str]  # code, message, ARN of the thing


@dataclass(frozen=True)
class Scene:
    """A creation as a row's functions see it."""

    store: NetworkManagerBackend
    request: Request
    parameters: Parameters


@dataclass(frozen=True)
class Kind:
    """One kind of attachment.

    `name`: its shape; `type`: AttachmentType; `resource`: the parameter that names what is attached; `edges`: where it
    is; `own`: members of its shape that it has beside the common ones; `defaults`: what those hold if nothing is said;
    `refuse`: what keeps it from being made; `problems`: what makes it FAIL after it was made.
    """

    name: str
    type: str
    resource: str
    edges: Callable[[Scene], list[str]]
    own: tuple[str, ...] = ()
    defaults: Mapping[str, Any] = field(default_factory=dict)
    refuse: Callable[[Scene], AwsError | None] = lambda scene: None
    problems: Callable[[Parameters], list[Problem]] = lambda own: []
    core: Callable[[Scene], str] = lambda scene: str(scene.parameters["CoreNetworkId"])
    resource_arn: Callable[[Scene], str] | None = None

    def arn_of(self, scene: Scene) -> str:
        """What the attachment shows as ResourceArn."""
        if self.resource_arn is not None:
            return self.resource_arn(scene)
        return str(scene.parameters[self.resource])


def _region(parameter: str) -> Callable[[Scene], list[str]]:
    def edges(scene: Scene) -> list[str]:
        arn = str(scene.parameters[parameter])
        return [check_region_of(arn, parameter, elsewhere.region_of(arn))]

    return edges


def _vpc_problems(own: Parameters) -> list[Problem]:
    vpc_arn = str(own["VpcArn"])
    vpc = elsewhere.find(vpc_arn, "vpc")
    if vpc is None:
        return [("VPC_NOT_FOUND", "The VPC does not exist.", vpc_arn)]
    found: list[Problem] = []
    zones: set[str] = set()
    for arn in own["SubnetArns"]:
        subnet = elsewhere.find(arn, "subnet")
        if subnet is None or subnet.vpc_id != vpc.id:
            found.append(("SUBNET_NOT_FOUND", "The subnet does not exist in the VPC.", arn))
            continue
        if subnet.availability_zone in zones:
            why = "Only one subnet per Availability Zone can be attached."
            found.append(("SUBNET_DUPLICATED_IN_AVAILABILITY_ZONE", why, arn))
        zones.add(subnet.availability_zone)
        if own["Options"].get("Ipv6Support") and not getattr(subnet, "ipv6_cidr_block_associations", None):
            found.append(("SUBNET_NO_IPV6_CIDRS", "The subnet has no IPv6 CIDR block.", arn))
    return found


def _vpn_problems(own: Parameters) -> list[Problem]:
    arn = str(own["VpnConnectionArn"])
    vpn = elsewhere.find(arn, "vpn-connection")
    if vpn is None:
        return [("VPN_CONNECTION_NOT_FOUND", "The VPN connection does not exist.", arn)]
    if vpn.transit_gateway_id or vpn.vpn_gateway_id:
        return [("VPN_EXISTING_ASSOCIATIONS", "The VPN connection is attached to a gateway.", arn)]
    return []


def _transport(scene: Scene) -> Item:
    return find(scene.store, "Attachment", str(scene.parameters["TransportAttachmentId"]))


def _transport_is_not_ready(scene: Scene) -> AwsError | None:
    transport = _transport(scene)
    if transport.state != "AVAILABLE" or transport.members["AttachmentType"] != "VPC":
        return invalid_field("TransportAttachmentId", "Transport attachment state is invalid.")
    if scene.parameters["EdgeLocation"] != transport.members["EdgeLocation"]:
        return invalid_field("EdgeLocation", "is not the edge location of the transport attachment.")
    protocol = scene.parameters["Options"].get("Protocol", "GRE")
    if protocol == "NO_ENCAP" and scene.parameters.get("NatGatewaySupport") == "ENABLE":
        return invalid_field("NatGatewaySupport", "is supported with the protocol GRE only.")
    return None


def _peering(scene: Scene) -> Item:
    return find(scene.store, "Peering", str(scene.parameters["PeeringId"]))


def _peering_is_not_ready(scene: Scene) -> AwsError | None:
    peering = _peering(scene)
    if peering.state != "AVAILABLE":
        return invalid_state("Peering", peering.id)
    table = str(scene.parameters["TransitGatewayRouteTableArn"])
    taken = any(
        one.members["ResourceArn"] == table and one.notes["own"].get("PeeringId") == peering.id
        for one in scene.store.of("Attachment").values()
    )
    return refused("The transit gateway route table is attached already.") if taken else None


def _route_table_problems(own: Parameters) -> list[Problem]:
    arn = str(own["TransitGatewayRouteTableArn"])
    if elsewhere.find(arn, "transit-gateway-route-table") is None:
        return [("CREATION_FAILED", "The transit gateway route table does not exist.", arn)]
    return []


VPC = Kind(
    name="VpcAttachment",
    type="VPC",
    resource="VpcArn",
    edges=_region("VpcArn"),
    own=("VpcArn", "SubnetArns", "Options"),
    # terraform-provider-aws #43293: what is read back if nothing is said
    defaults={
        "Options": {
            "ApplianceModeSupport": False,
            "DnsSupport": True,
            "Ipv6Support": False,
            "SecurityGroupReferencingSupport": True,
        }
    },
    problems=_vpc_problems,
)
SITE_TO_SITE_VPN = Kind(
    name="SiteToSiteVpnAttachment",
    type="SITE_TO_SITE_VPN",
    resource="VpnConnectionArn",
    edges=_region("VpnConnectionArn"),
    own=("VpnConnectionArn",),
    problems=_vpn_problems,
)
CONNECT = Kind(
    name="ConnectAttachment",
    type="CONNECT",
    resource="TransportAttachmentId",
    edges=lambda scene: [str(scene.parameters["EdgeLocation"])],
    own=("TransportAttachmentId", "Options"),
    defaults={"Options": {"Protocol": "GRE"}},
    refuse=_transport_is_not_ready,
    resource_arn=lambda scene: _transport(scene).arn,
)
TRANSIT_GATEWAY_ROUTE_TABLE = Kind(
    name="TransitGatewayRouteTableAttachment",
    type="TRANSIT_GATEWAY_ROUTE_TABLE",
    resource="TransitGatewayRouteTableArn",
    edges=lambda scene: [str(_peering(scene).members["EdgeLocation"])],
    own=("PeeringId", "TransitGatewayRouteTableArn"),
    refuse=_peering_is_not_ready,
    problems=_route_table_problems,
    core=lambda scene: str(_peering(scene).members["CoreNetworkId"]),
)
DIRECT_CONNECT_GATEWAY = Kind(
    name="DirectConnectGatewayAttachment",
    type="DIRECT_CONNECT_GATEWAY",
    resource="DirectConnectGatewayArn",
    edges=lambda scene: [str(one) for one in scene.parameters["EdgeLocations"]],
    own=("DirectConnectGatewayArn",),
)

ALL = (VPC, SITE_TO_SITE_VPN, CONNECT, TRANSIT_GATEWAY_ROUTE_TABLE, DIRECT_CONNECT_GATEWAY)
BY_TYPE: Mapping[str, Kind] = {kind.type: kind for kind in ALL}
