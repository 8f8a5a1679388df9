"""Ids that name nothing: the code and message that EC2 answers for each type.

Source: EC2 API reference, "Error codes for the Amazon EC2 API", client error codes for specific actions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import AwsError
from ..request import Request
from . import backend as moto
from . import lending


@dataclass(frozen=True)
class Kind:
    """How a type of thing is looked up and missed: `find` in moto's store by id, the code and message when it is
    missing, and the code for an id that cannot be one (None: such an id is just missing)."""

    prefix: str
    find: Callable[[Any, str], Any]
    code: str
    message: str
    malformed: str | None = None


def _in(collection: str) -> Callable[[Any, str], Any]:
    return lambda backend, key: getattr(backend, collection).get(key)


VPC = Kind("vpc", _in("vpcs"), "InvalidVpcID.NotFound", "The vpc ID '{}' does not exist")
SUBNET = Kind("subnet", moto.find_subnet, "InvalidSubnetID.NotFound", "The subnet ID '{}' does not exist")
GROUP = Kind(
    "sg",
    moto.find_group,
    "InvalidGroup.NotFound",
    "The security group '{}' does not exist",
    "InvalidGroupId.Malformed",
)
RULE = Kind(
    "sgr",
    moto.find_rule,
    "InvalidSecurityGroupRuleId.NotFound",
    "The security group rule ID '{}' does not exist",
    "InvalidSecurityGroupRuleId.Malformed",
)
INSTANCE = Kind(
    "i",
    moto.find_instance,
    "InvalidInstanceID.NotFound",
    "The instance ID '{}' does not exist",
    "InvalidInstanceID.Malformed",
)
INTERFACE = Kind(
    "eni", _in("enis"), "InvalidNetworkInterfaceID.NotFound", "The networkInterface ID '{}' does not exist"
)
IMAGE = Kind(
    "ami",
    _in("amis"),
    "InvalidAMIID.NotFound",
    "The image id '[{}]' does not exist",
    "InvalidAMIID.Malformed",
)
VOLUME = Kind("vol", _in("volumes"), "InvalidVolume.NotFound", "The volume '{}' does not exist.")
GATEWAY = Kind(
    "igw",
    _in("internet_gateways"),
    "InvalidInternetGatewayID.NotFound",
    "The internetGateway ID '{}' does not exist",
)
EGRESS_GATEWAY = Kind(
    "eigw",
    _in("egress_only_internet_gateways"),
    "InvalidGatewayID.NotFound",
    "The gateway ID '{}' does not exist",
)
ADDRESS = Kind(
    "eipalloc",
    moto.find_address,
    "InvalidAllocationID.NotFound",
    "The allocation ID '{}' does not exist",
)
NAT = Kind("nat", _in("nat_gateways"), "NatGatewayNotFound", "The Nat Gateway {} was not found")
ROUTE_TABLE = Kind(
    "rtb", _in("route_tables"), "InvalidRouteTableID.NotFound", "The routeTable ID '{}' does not exist"
)
TRANSIT_GATEWAY = Kind(
    "tgw",
    lending.find,
    "InvalidTransitGatewayID.NotFound",
    "Transit Gateway {} was deleted or does not exist.",
)
CUSTOMER_GATEWAY = Kind(
    "cgw",
    _in("customer_gateways"),
    "InvalidCustomerGatewayID.NotFound",
    "The customerGateway ID '{}' does not exist",
)
NETWORK_ACL = Kind(
    "acl", _in("network_acls"), "InvalidNetworkAclID.NotFound", "The networkAcl ID '{}' does not exist"
)
DHCP_OPTIONS = Kind(
    "dopt",
    _in("dhcp_options_sets"),
    "InvalidDhcpOptionID.NotFound",
    "The dhcpOption ID '{}' does not exist",
)
VPN_GATEWAY = Kind(
    "vgw",
    _in("vpn_gateways"),
    "InvalidVpnGatewayID.NotFound",
    "The vpnGateway ID '{}' does not exist",
)
VPN_CONNECTION = Kind(
    "vpn",
    _in("vpn_connections"),
    "InvalidVpnConnectionID.NotFound",
    "The vpnConnection ID '{}' does not exist",
)
TRANSIT_GATEWAY_ATTACHMENT = Kind(
    "tgw-attach",
    _in("transit_gateway_attachments"),
    "InvalidTransitGatewayAttachmentID.NotFound",
    "Transit Gateway Attachment {} was deleted or does not exist.",
)
TRANSIT_GATEWAY_ROUTE_TABLE = Kind(
    "tgw-rtb",
    _in("transit_gateways_route_tables"),
    "InvalidRouteTableID.NotFound",
    "Transit Gateway Route Table {} was deleted or does not exist.",
)
TRANSIT_GATEWAY_CONNECT_PEER = Kind(
    "tgw-connect-peer",
    lambda backend, key: getattr(backend, "transit_gateway_connect_peers", {}).get(key),
    "InvalidTransitGatewayConnectPeerID.NotFound",
    "Transit Gateway Connect Peer {} was deleted or does not exist.",
)
PEERING = Kind(
    "pcx",
    _in("vpc_pcxs"),
    "InvalidVpcPeeringConnectionID.NotFound",
    "The vpcPeeringConnection ID '{}' does not exist",
)
VPC_ENDPOINT = Kind(
    "vpce",
    _in("vpc_end_points"),
    "InvalidVpcEndpointId.NotFound",
    "The Vpc Endpoint Id '{}' does not exist",
)

PREFIX_LIST = Kind(
    "pl",
    _in("managed_prefix_lists"),
    "InvalidPrefixListID.NotFound",
    "The prefix list ID '{}' does not exist",
)

PLACEMENT_GROUP = Kind(
    "pg",
    moto.find_placement_group,
    "InvalidPlacementGroup.Unknown",
    "The Placement Group '{}' is unknown.",
)
KEY_PAIR = Kind(
    "key",
    moto.find_key_pair,
    "InvalidKeyPair.NotFound",
    "The key pair ID '{}' does not exist",
)

CAPACITY = Kind(
    "cr",
    lambda backend, id: moto.reservations_of_capacity(backend).get(id),
    "InvalidCapacityReservationId.NotFound",
    "The capacity reservation '{}' does not exist",
)
LAUNCH_TEMPLATE = Kind(
    "lt",
    _in("launch_templates"),
    "InvalidLaunchTemplateId.NotFound",
    "The specified launch template, with template ID {}, does not exist.",
)

FLOW_LOG = Kind("fl", _in("flow_logs"), "InvalidFlowLogId.NotFound", "The flow log '{}' does not exist")

KINDS: tuple[Kind, ...] = (
    VPC,
    SUBNET,
    GROUP,
    RULE,
    INSTANCE,
    INTERFACE,
    IMAGE,
    VOLUME,
    GATEWAY,
    EGRESS_GATEWAY,
    ADDRESS,
    NAT,
    ROUTE_TABLE,
    TRANSIT_GATEWAY,
    CUSTOMER_GATEWAY,
    NETWORK_ACL,
    DHCP_OPTIONS,
    VPN_GATEWAY,
    VPN_CONNECTION,
    TRANSIT_GATEWAY_ATTACHMENT,
    TRANSIT_GATEWAY_ROUTE_TABLE,
    TRANSIT_GATEWAY_CONNECT_PEER,
    PEERING,
    VPC_ENDPOINT,
    PREFIX_LIST,
    PLACEMENT_GROUP,
    KEY_PAIR,
    CAPACITY,
    LAUNCH_TEMPLATE,
    FLOW_LOG,
)
BY_PREFIX: Mapping[str, Kind] = {kind.prefix: kind for kind in KINDS}

# parameters that name things which must be there, in operations that are not lists of them
_PARAMETERS: Mapping[str, Kind] = {
    "VpcId": VPC,
    "SubnetId": SUBNET,
    "GroupId": GROUP,
    "SecurityGroupIds": GROUP,
    "Groups": GROUP,
    "InstanceId": INSTANCE,
    "InstanceIds": INSTANCE,
}


def require(backend: Any, kind: Kind, key: str) -> Any:
    """The thing with this id; AwsError with the type's code if it is missing or the id is malformed."""
    if kind.malformed and not re.fullmatch(rf"{kind.prefix}-[0-9a-f]{{8,17}}", key):
        raise AwsError(kind.malformed, f'Invalid id: "{key}"')
    found = kind.find(backend, key)
    if found is None:
        raise AwsError(kind.code, kind.message.format(key))
    return found


def check_references(request: Request, backend: Any) -> None:
    """Raises for the first parameter that names something which is not there; lists check their ids themselves."""
    if request.operation.startswith("Describe") and not request.operation.endswith("Attribute"):
        return
    for name, kind in _PARAMETERS.items():
        value = request.parameters.get(name)
        for key in value if isinstance(value, list) else [value] if value else []:
            if isinstance(key, str):
                require(backend, kind, key)


def require_known(kind: Kind, ids: list[str], known: Mapping[str, Any]) -> None:
    """Raises if one of `ids` is malformed or not among `known`: an explicit id fails the whole list."""
    for key in ids:
        if kind.malformed and not re.fullmatch(rf"{kind.prefix}-[0-9a-f]{{8,17}}", key):
            raise AwsError(kind.malformed, f'Invalid id: "{key}"')
    missing = [key for key in ids if key not in known]
    if missing:
        several = kind is INSTANCE and len(missing) > 1
        message = (
            f"The instance IDs '{', '.join(missing)}' do not exist"
            if several
            else kind.message.format(missing[0])
        )
        raise AwsError(kind.code, message)
