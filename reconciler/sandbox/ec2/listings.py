"""Describe operations: ids, filters, pages and lag, alike for all of them.

moto is asked for everything; what is left out is decided here. The rows of `LISTINGS` are the operations whose ids and
filters are checked as EC2 does; every other operation that botocore has a paginator for gets tag filters and pages.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from botocore.loaders import create_loader

from .. import paging
from ..errors import AwsError
from ..request import Answer, Request
from . import filter_paths
from .backend import backend_of
from .filters import TAG_FILTERS, is_tag_filter, keep, read_filters
from .missing import (
    ADDRESS,
    CAPACITY,
    CUSTOMER_GATEWAY,
    DHCP_OPTIONS,
    EGRESS_GATEWAY,
    FLOW_LOG,
    GATEWAY,
    GROUP,
    INSTANCE,
    INTERFACE,
    KEY_PAIR,
    LAUNCH_TEMPLATE,
    NAT,
    NETWORK_ACL,
    PEERING,
    PLACEMENT_GROUP,
    PREFIX_LIST,
    ROUTE_TABLE,
    RULE,
    SUBNET,
    TRANSIT_GATEWAY,
    TRANSIT_GATEWAY_ATTACHMENT,
    TRANSIT_GATEWAY_CONNECT_PEER,
    TRANSIT_GATEWAY_ROUTE_TABLE,
    VOLUME,
    VPC,
    VPC_ENDPOINT,
    VPN_CONNECTION,
    VPN_GATEWAY,
    Kind,
    require_known,
)
from .transit import filter_paths as transit_paths

_EVERYTHING = 1_000_000
# EC2 API reference: "MaxResults … this value can be between 5 and 1000" where the model does not say it
_DOCUMENTED_LIMITS = (5, 1000)


@dataclass(frozen=True)
class Listing:
    """One Describe operation: the list member of its answer, the member that holds a thing's id, the parameter that
    asks by id, the type of the ids, filter name -> path of the values that it compares, its filters by tag, and whether
    a thing without tags shows none at all instead of an empty list."""

    many: str
    id: str
    ids: str | None = None
    kind: Kind | None = None
    filters: Mapping[str, str] = field(default_factory=dict)
    tag_filters: tuple[str, ...] = TAG_FILTERS
    omits_no_tags: bool = False


# Which of them omit `Tags`: the outputs in the AWS CLI's command reference (describe-vpcs, describe-subnets, …).
LISTINGS: Mapping[str, Listing] = {
    "DescribeVpcs": Listing("Vpcs", "VpcId", "VpcIds", VPC, filter_paths.VPCS, omits_no_tags=True),
    "DescribeSubnets": Listing(
        "Subnets", "SubnetId", "SubnetIds", SUBNET, filter_paths.SUBNETS, omits_no_tags=True
    ),
    "DescribeSecurityGroups": Listing(
        "SecurityGroups", "GroupId", "GroupIds", GROUP, filter_paths.SECURITY_GROUPS, omits_no_tags=True
    ),
    "DescribeSecurityGroupRules": Listing(
        *("SecurityGroupRules", "SecurityGroupRuleId", "SecurityGroupRuleIds"),
        *(RULE, filter_paths.SECURITY_GROUP_RULES, ("tag:",)),
    ),
    "DescribeInstances": Listing(
        "Instances", "InstanceId", "InstanceIds", INSTANCE, filter_paths.INSTANCES, omits_no_tags=True
    ),
    "DescribeInstanceCreditSpecifications": Listing(
        "InstanceCreditSpecifications",
        "InstanceId",
        "InstanceIds",
        INSTANCE,
        {"instance-id": "InstanceId"},
        tag_filters=(),
    ),
    "DescribeIamInstanceProfileAssociations": Listing(
        *("IamInstanceProfileAssociations", "AssociationId", "AssociationIds"),
        filters={"instance-id": "InstanceId", "state": "State"},
        tag_filters=(),
    ),
    "DescribeInternetGateways": Listing(
        "InternetGateways", "InternetGatewayId", "InternetGatewayIds", GATEWAY, filter_paths.INTERNET_GATEWAYS
    ),
    "DescribeEgressOnlyInternetGateways": Listing(
        *("EgressOnlyInternetGateways", "EgressOnlyInternetGatewayId", "EgressOnlyInternetGatewayIds"),
        EGRESS_GATEWAY,
    ),
    "DescribeManagedPrefixLists": Listing(
        "PrefixLists", "PrefixListId", "PrefixListIds", PREFIX_LIST, filter_paths.PREFIX_LISTS, ()
    ),
    "DescribeAddresses": Listing(
        "Addresses", "AllocationId", "AllocationIds", ADDRESS, filter_paths.ADDRESSES
    ),
    "DescribeFlowLogs": Listing("FlowLogs", "FlowLogId", "FlowLogIds", FLOW_LOG, filter_paths.FLOW_LOGS),
    "DescribeNatGateways": Listing(
        "NatGateways", "NatGatewayId", "NatGatewayIds", NAT, filter_paths.NAT_GATEWAYS
    ),
    "DescribeDhcpOptions": Listing(
        "DhcpOptions", "DhcpOptionsId", "DhcpOptionsIds", DHCP_OPTIONS, filter_paths.DHCP_OPTIONS
    ),
    "DescribeNetworkAcls": Listing(
        "NetworkAcls", "NetworkAclId", "NetworkAclIds", NETWORK_ACL, filter_paths.NETWORK_ACLS
    ),
    "DescribeRouteTables": Listing(
        "RouteTables", "RouteTableId", "RouteTableIds", ROUTE_TABLE, filter_paths.ROUTE_TABLES
    ),
    "DescribeCustomerGateways": Listing(
        "CustomerGateways",
        "CustomerGatewayId",
        "CustomerGatewayIds",
        CUSTOMER_GATEWAY,
        transit_paths.CUSTOMER_GATEWAYS,
    ),
    "DescribeVpnGateways": Listing(
        "VpnGateways", "VpnGatewayId", "VpnGatewayIds", VPN_GATEWAY, transit_paths.VPN_GATEWAYS
    ),
    "DescribeVpnConnections": Listing(
        "VpnConnections",
        "VpnConnectionId",
        "VpnConnectionIds",
        VPN_CONNECTION,
        transit_paths.VPN_CONNECTIONS,
    ),
    "DescribeTransitGateways": Listing(
        "TransitGateways",
        "TransitGatewayId",
        "TransitGatewayIds",
        TRANSIT_GATEWAY,
        transit_paths.TRANSIT_GATEWAYS,
    ),
    "DescribeTransitGatewayPeeringAttachments": Listing(
        "TransitGatewayPeeringAttachments",
        "TransitGatewayAttachmentId",
        "TransitGatewayAttachmentIds",
        TRANSIT_GATEWAY_ATTACHMENT,
        transit_paths.PEERINGS,
    ),
    "DescribeTransitGatewayConnects": Listing(  # the API reference names no filter by tag for these
        "TransitGatewayConnects",
        "TransitGatewayAttachmentId",
        "TransitGatewayAttachmentIds",
        TRANSIT_GATEWAY_ATTACHMENT,
        transit_paths.CONNECTS,
        tag_filters=(),
    ),
    "DescribeTransitGatewayConnectPeers": Listing(
        "TransitGatewayConnectPeers",
        "TransitGatewayConnectPeerId",
        "TransitGatewayConnectPeerIds",
        TRANSIT_GATEWAY_CONNECT_PEER,
        transit_paths.CONNECT_PEERS,
        tag_filters=(),
    ),
    "DescribeTransitGatewayVpcAttachments": Listing(
        "TransitGatewayVpcAttachments",
        "TransitGatewayAttachmentId",
        "TransitGatewayAttachmentIds",
        TRANSIT_GATEWAY_ATTACHMENT,
        transit_paths.VPC_ATTACHMENTS,
        tag_filters=(),
    ),
    "DescribeTransitGatewayAttachments": Listing(
        "TransitGatewayAttachments",
        "TransitGatewayAttachmentId",
        "TransitGatewayAttachmentIds",
        TRANSIT_GATEWAY_ATTACHMENT,
        transit_paths.ATTACHMENTS,
        tag_filters=(),
    ),
    "DescribeTransitGatewayRouteTables": Listing(
        "TransitGatewayRouteTables",
        "TransitGatewayRouteTableId",
        "TransitGatewayRouteTableIds",
        TRANSIT_GATEWAY_ROUTE_TABLE,
        transit_paths.ROUTE_TABLES,
        tag_filters=(),
    ),
    "DescribeVpcPeeringConnections": Listing(
        "VpcPeeringConnections",
        "VpcPeeringConnectionId",
        "VpcPeeringConnectionIds",
        PEERING,
        filter_paths.VPC_PEERINGS,
    ),
    "DescribeVpcEndpoints": Listing(
        "VpcEndpoints", "VpcEndpointId", "VpcEndpointIds", VPC_ENDPOINT, filter_paths.VPC_ENDPOINTS
    ),
    "DescribeKeyPairs": Listing("KeyPairs", "KeyPairId", "KeyPairIds", KEY_PAIR, filter_paths.KEY_PAIRS),
    "DescribeNetworkInterfaces": Listing(
        "NetworkInterfaces",
        "NetworkInterfaceId",
        "NetworkInterfaceIds",
        INTERFACE,
        filter_paths.NETWORK_INTERFACES,
    ),
    "DescribeCapacityReservations": Listing(
        "CapacityReservations",
        "CapacityReservationId",
        "CapacityReservationIds",
        CAPACITY,
        filter_paths.CAPACITY_RESERVATIONS,
        tag_filters=(),
    ),
    "DescribeLaunchTemplates": Listing(
        "LaunchTemplates",
        "LaunchTemplateId",
        "LaunchTemplateIds",
        LAUNCH_TEMPLATE,
        {"create-time": "CreateTime", "launch-template-name": "LaunchTemplateName"},
    ),
    "DescribePlacementGroups": Listing(
        "PlacementGroups", "GroupId", "GroupIds", PLACEMENT_GROUP, filter_paths.PLACEMENT_GROUPS
    ),
    "DescribeVolumes": Listing(
        "Volumes", "VolumeId", "VolumeIds", VOLUME, filter_paths.VOLUMES, omits_no_tags=True
    ),
    "DescribeTags": Listing("Tags", "ResourceId", filters=filter_paths.TAGS, tag_filters=("tag:",)),
    "DescribeRegions": Listing("Regions", "RegionName", filters=filter_paths.REGIONS, tag_filters=()),
}


@cache
def _paginators() -> Mapping[str, Mapping[str, Any]]:
    pages: Mapping[str, Mapping[str, Any]] = create_loader().load_service_model("ec2", "paginators-1")[
        "pagination"
    ]
    return pages


def is_list(operation: str) -> bool:
    """Whether the answer of an operation is cut into pages or filtered here."""
    return operation in LISTINGS or operation in _paginators()


def without_list_parameters(request: Request) -> dict[str, Any]:
    """The parameters with which moto shows everything: filters that are evaluated here, ids and pages left out."""
    listing = LISTINGS.get(request.operation)
    left = {k: v for k, v in request.parameters.items() if k not in ("MaxResults", "NextToken")}
    if listing is not None:
        left = {k: v for k, v in left.items() if k not in ("Filters", "Filter", listing.ids, "GroupNames")}
    else:
        for name in ("Filters", "Filter"):
            if name in left:
                left[name] = [one for one in left[name] if not is_tag_filter(str(one.get("Name")))]
    return left


def check_page_parameters(request: Request) -> None:
    """InvalidParameterValue for a MaxResults out of bounds, InvalidParameterCombination beside ids."""
    size = request.parameters.get("MaxResults")
    if size is None:
        return
    shape = request.model.input_shape
    limits = shape.members["MaxResults"].metadata if shape is not None else {}
    least, most = limits.get("min", _DOCUMENTED_LIMITS[0]), limits.get("max", _DOCUMENTED_LIMITS[1])
    if not least <= int(size) <= most:
        raise AwsError(
            "InvalidParameterValue",
            f"Value ( {size} ) for parameter maxResults is invalid. Expecting a value between {least} and {most}.",
        )
    listing = LISTINGS.get(request.operation)
    if listing is not None and listing.ids is not None and request.parameters.get(listing.ids):
        name = listing.ids[:1].lower() + listing.ids[1:]
        raise AwsError(
            "InvalidParameterCombination",
            f"The parameter {name} cannot be used with the parameter maxResults",
        )


def chosen(request: Request, answer: Answer) -> Answer:
    """What of a full answer this request gets: by id, by filter, what does not lag, and of that one page."""
    listing = LISTINGS.get(request.operation)
    pages = _paginators().get(request.operation)
    many = listing.many if listing is not None else pages["result_key"] if pages is not None else None
    if request.operation == "DescribeInstances":
        return _instances(request, answer)
    if not isinstance(many, str) or not isinstance(answer.get(many), list):
        return answer
    things = _select(request, listing, answer[many], many)
    if pages is None:
        return {**answer, many: things}
    return _paged(request, {k: v for k, v in answer.items() if k != "NextToken"}, many, things)


def _select(request: Request, listing: Listing | None, things: list[Any], many: str) -> list[Any]:
    first = not request.parameters.get("NextToken")
    things = [
        thing
        for thing in things
        if not request.world.faults.hidden("ec2", request.operation, _born(thing, many, listing), first)
    ]
    parameters = request.parameters
    filters = read_filters(parameters.get("Filters") or parameters.get("Filter"))
    if listing is None:
        return keep(things, [pair for pair in filters if is_tag_filter(pair[0])], {})
    ids = (parameters.get(listing.ids) if listing.ids else None) or []
    if ids:
        if listing.kind is not None:
            require_known(listing.kind, ids, {thing[listing.id]: thing for thing in things})
        things = [thing for thing in things if thing[listing.id] in ids]
    names = parameters.get("GroupNames") or []
    if names:
        things = _of_default_network(request, things, names)
    kept = keep(things, filters, listing.filters, listing.tag_filters)
    return [_without_no_tags(thing) for thing in kept] if listing.omits_no_tags else kept


def _of_default_network(request: Request, groups: list[Any], names: list[str]) -> list[Any]:
    """GroupNames means groups of the default network; elsewhere a name is not enough (API reference)."""
    default = backend_of(request).get_default_vpc()
    found = [group for group in groups if default is not None and group["VpcId"] == default.id]
    for name in names:
        if all(group["GroupName"] != name for group in found):
            raise AwsError("InvalidGroup.NotFound", f"The security group '{name}' does not exist")
    return [group for group in found if group["GroupName"] in names]


def _without_no_tags(thing: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in thing.items() if name != "Tags" or value}


def identity(thing: Any, many: str, listing: Listing | None = None) -> str:
    """What tells a thing of a list from the others: its id, else all of it."""
    if isinstance(thing, Mapping):
        if many == "Tags":
            return f"{thing.get('ResourceId')}/{thing.get('Key')}"
        for name in (listing.id if listing else "", f"{many.removesuffix('s')}Id", "ReservationId"):
            if isinstance(thing.get(name), str):
                return str(thing[name])
    return json.dumps(thing, sort_keys=True, default=str)


def _born(thing: Any, many: str, listing: Listing | None) -> str:
    """The id of what came into being: the tags of a new thing lag as it does itself."""
    return str(thing["ResourceId"]) if many == "Tags" else identity(thing, many, listing)


def _instances(request: Request, answer: Answer) -> Answer:
    """DescribeInstances filters instances and pages reservations; a filter sees both."""
    listing = LISTINGS["DescribeInstances"]
    flat = []
    for reservation in answer.get("Reservations", []):
        outer = {k: v for k, v in reservation.items() if k != "Instances"}
        flat += [
            {"_reservation": outer, **outer, **instance} for instance in reservation.get("Instances", [])
        ]
    wanted = {one["InstanceId"] for one in _select(request, listing, flat, "Instances")}
    reservations = []
    for reservation in answer.get("Reservations", []):
        there = reservation.get("Instances", [])
        left = [_without_no_tags(one) for one in there if one["InstanceId"] in wanted]
        if left:
            reservations.append({**reservation, "Instances": left})
    return _paged(request, {}, "Reservations", reservations)


def _paged(request: Request, rest: Answer, many: str, things: list[Any]) -> Answer:
    size = min(int(request.parameters.get("MaxResults") or _EVERYTHING), request.world.settings.page_size)
    listing = LISTINGS.get(request.operation)
    listing = listing if listing is not None and listing.many == many else None
    try:
        page, token = paging.page(
            things,
            lambda thing: identity(thing, many, listing),
            size,
            request.scope,
            request.parameters,
            request.world.order,
        )
    except paging.BadTokenError as error:
        raise AwsError("InvalidParameterValue", "Invalid value for parameter NextToken.") from error
    if token is not None:
        kept = {name: value or name.startswith("Additional") for name, value in rest.items()}
        rest = {**kept, "NextToken": token}
    return {**rest, many: page}
