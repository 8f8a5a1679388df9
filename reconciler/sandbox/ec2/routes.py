"""Route tables, which moto is kinder about than EC2 in nearly all that they do: all of it is answered here.

Sources: EC2 API reference, CreateRoute, ReplaceRoute, DeleteRoute, Route, AssociateRouteTable, RouteTableAssociation,
DisassociateRouteTable; VPC User Guide, "Configure route tables"; the codes that terraform-provider-aws matches
(RouteAlreadyExists, InvalidRoute.NotFound, Resource.AlreadyAssociated, "belong to different networks").
Called by `answers.py`.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Any

from ..errors import AwsError
from ..request import Answer, Request
from . import backend as moto
from . import tags
from .missing import BY_PREFIX, GATEWAY, INTERFACE, NAT, ROUTE_TABLE, SUBNET, VPN_GATEWAY, require
from .transit import vpn_ends

DESTINATIONS = ("DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId")
TARGETS = (
    "CarrierGatewayId",
    "CoreNetworkArn",
    "EgressOnlyInternetGatewayId",
    "GatewayId",
    "InstanceId",
    "LocalGatewayId",
    "NatGatewayId",
    "NetworkInterfaceId",
    "OdbNetworkArn",
    "TransitGatewayId",
    "VpcEndpointId",
    "VpcPeeringConnectionId",
)
_GONE = ("deleting", "deleted", "failed", "rejected", "expired", "terminated")


def routes_of(request: Request, table: Any) -> dict[str, dict[str, Any]]:
    """The routes of a table that somebody or something has put in, by destination."""
    found: dict[str, dict[str, Any]] = request.world.facts.setdefault(table.id, {}).setdefault("routes", {})
    return found


def _local(backend: Any, table: Any) -> Iterator[dict[str, Any]]:
    """The routes that are there for each range of the network's own addresses."""
    vpc = backend.vpcs.get(table.vpc_id)
    for name, ipv6 in (("DestinationCidrBlock", False), ("DestinationIpv6CidrBlock", True)):
        for one in vpc.get_cidr_block_association_set(ipv6=ipv6) if vpc is not None else ():
            if one["cidr_block_state"]["state"] in ("associated", "associating"):
                yield {
                    name: one["cidr_block"],
                    "GatewayId": "local",
                    "Origin": "CreateRouteTable",
                    "State": "active",
                }


# ---- routes


def _destination(parameters: Mapping[str, Any]) -> tuple[str, str]:
    """The member that names the destination, and the destination as EC2 keeps it."""
    given = [name for name in DESTINATIONS if parameters.get(name)]
    if len(given) != 1:
        code = "InvalidParameterCombination" if given else "MissingParameter"
        raise AwsError(code, "The request must contain exactly one destination")
    (name,), value = given, str(parameters[given[0]])
    if name != "DestinationPrefixListId":
        network = ipaddress.IPv4Network if name == "DestinationCidrBlock" else ipaddress.IPv6Network
        try:
            value = str(network(value, strict=False))
        except ValueError as error:
            raise AwsError("InvalidParameterValue", f"Value ({value}) for parameter is invalid.") from error
    return name, value


def _target(backend: Any, table: Any, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The one target of a route as it will be shown; raises where there is no such thing to send packets to."""
    given = {name: str(parameters[name]) for name in TARGETS if parameters.get(name)}
    if len(given) != 1:
        code = "InvalidParameterCombination" if given else "MissingParameter"
        raise AwsError(code, "The request must contain exactly one target of the route")
    ((name, value),) = given.items()
    kind = BY_PREFIX.get(value.rpartition("-")[0])
    thing: Any = require(backend, kind, value) if kind is not None else None
    if kind is NAT and state_of(thing) in _GONE:
        raise AwsError("InvalidNatGatewayID.NotFound", f"The natGateway ID '{value}' does not exist")
    if not _is_of(table, kind, thing):
        raise AwsError(
            "InvalidParameterValue",
            f"route table {table.id} and network gateway {value} belong to different networks",
        )
    if name == "TransitGatewayId" and not _is_attached(backend, value, table.vpc_id):
        raise AwsError("InvalidTransitGatewayID.NotFound", f"The transitGateway ID '{value}' does not exist")
    if name == "InstanceId":
        interfaces = [one.id for one in moto.interfaces(backend) if one.instance is thing]
        if len(interfaces) != 1:
            raise AwsError(
                "InvalidInstanceID",
                f"There are multiple interfaces attached to instance '{value}'. Please specify an interface ID for the "
                "operation instead.",
            )
        return {**given, "NetworkInterfaceId": interfaces[0], "InstanceOwnerId": thing.owner_id}
    if kind is INTERFACE and thing.instance is not None:
        return {**given, "InstanceId": thing.instance.id, "InstanceOwnerId": thing.owner_id}
    if name == "VpcEndpointId":  # "GatewayId" is where it is shown
        return {"GatewayId": value}
    return dict(given)


def state_of(thing: Any) -> str:
    """The state of a thing of moto's, which has it under several names."""
    state = getattr(thing, "state", None) or getattr(thing, "_status", None) or getattr(thing, "status", "")
    return str(getattr(state, "code", getattr(state, "name", state)))


def _is_of(table: Any, kind: Any, thing: Any) -> bool:
    """Whether a gateway is attached to the table's own network; whatever is none is."""
    if kind is VPN_GATEWAY:
        there = vpn_ends.attachment_of(thing)
        return there is not None and (there["VpcId"], there["State"]) == (table.vpc_id, "attached")
    return kind is not GATEWAY or (thing.vpc is not None and thing.vpc.id == table.vpc_id)


def _is_attached(backend: Any, gateway: str, vpc_id: str) -> bool:
    return any(
        one.transit_gateway_id == gateway
        and one.resource_id == vpc_id
        and state_of(one) in ("available", "modifying")
        for one in backend.transit_gateway_attachments.values()
    )


def _leads_somewhere(backend: Any, table: Any, row: Mapping[str, Any]) -> bool:
    """Whether the target of a route is there and in use."""
    for name in TARGETS:
        value = str(row.get(name) or "")
        kind = BY_PREFIX.get(value.rpartition("-")[0])
        if not value or kind is None or (name == "InstanceId" and row.get("NetworkInterfaceId")):
            continue
        thing = kind.find(backend, value)
        if thing is None or state_of(thing) in _GONE:
            return False
        if not _is_of(table, kind, thing):
            return False
        if name == "TransitGatewayId" and not _is_attached(backend, value, table.vpc_id):
            return False
    return True


def create_route(request: Request, backend: Any) -> Answer:
    """CreateRoute: one route a destination; that an identical one is refused too is unverified."""
    table = require(backend, ROUTE_TABLE, str(request.parameters.get("RouteTableId")))
    name, value = _destination(request.parameters)
    target = _target(backend, table, request.parameters)
    there = {one.get(name) for one in _local(backend, table)}
    if value in routes_of(request, table) or value in there:
        raise AwsError("RouteAlreadyExists", f"The route identified by {value} already exists.")
    routes_of(request, table)[value] = {name: value, **target, "Origin": "CreateRoute"}
    return {"Return": True}


def replace_route(request: Request, backend: Any) -> Answer:
    """ReplaceRoute: another target for a destination that has a route; a local one is not replaced here."""
    table = require(backend, ROUTE_TABLE, str(request.parameters.get("RouteTableId")))
    name, value = _destination(request.parameters)
    target = _target(backend, table, request.parameters)
    if value not in routes_of(request, table):
        raise AwsError(
            "InvalidParameterValue",
            f"There is no route defined for '{value}' in the route table. Use CreateRoute instead.",
        )
    routes_of(request, table)[value] = {name: value, **target, "Origin": "CreateRoute"}
    return {}


def delete_route(request: Request, backend: Any) -> Answer:
    """DeleteRoute: neither a local one, nor one that an endpoint has put in."""
    table = require(backend, ROUTE_TABLE, str(request.parameters.get("RouteTableId")))
    name, value = _destination(request.parameters)
    if value in {one.get(name) for one in _local(backend, table)}:
        raise AwsError(
            "InvalidParameterValue", f"cannot remove local route {value} in route table {table.id}"
        )
    routes = routes_of(request, table)
    if value not in routes:
        raise AwsError(
            "InvalidRoute.NotFound",
            f"no route with destination-cidr-block {value} in route table {table.id}",
        )
    if name == "DestinationPrefixListId" and str(routes[value].get("GatewayId", "")).startswith("vpce-"):
        raise AwsError(
            "InvalidParameterValue", f"cannot remove VPC endpoint route {value} in route table {table.id}"
        )
    del routes[value]
    return {}


# ---- tables and what they are associated with


def create_table(request: Request, backend: Any) -> Answer:
    """CreateRouteTable, with the routes that it has from birth."""
    made = request.ask_moto(request.parameters)["RouteTable"]
    token = {"ClientToken": request.parameters["ClientToken"]} if "ClientToken" in request.parameters else {}
    return {"RouteTable": _table(request, backend, backend.route_tables[made["RouteTableId"]]), **token}


def describe(request: Request, backend: Any) -> Answer:
    """DescribeRouteTables, all of them."""
    return {"RouteTables": [_table(request, backend, one) for one in backend.route_tables.values()]}


def _table(request: Request, backend: Any, table: Any) -> dict[str, Any]:
    routes = [
        {**row, "State": "active" if _leads_somewhere(backend, table, row) else "blackhole"}
        for row in routes_of(request, table).values()
    ]
    return {
        "RouteTableId": table.id,
        "VpcId": table.vpc_id,
        "OwnerId": request.account,
        "Associations": table.associations,
        "PropagatingVgws": [],
        "Routes": [*_local(backend, table), *routes],
        "Tags": tags.as_list(backend, table.id),
    }


def associate(request: Request, backend: Any) -> Answer:
    """AssociateRouteTable: a subnet or a gateway has one table, also where it is this one."""
    table = require(backend, ROUTE_TABLE, str(request.parameters.get("RouteTableId")))
    given = [request.parameters[name] for name in ("SubnetId", "GatewayId") if request.parameters.get(name)]
    if len(given) != 1:
        raise AwsError("InvalidParameterCombination", "Either subnetId or gatewayId must be given.")
    target = str(given[0])
    kind = BY_PREFIX.get(target.rpartition("-")[0])
    thing: Any = require(backend, kind, target) if kind is not None else None
    if kind is SUBNET and thing.vpc_id != table.vpc_id:
        raise AwsError(
            "InvalidParameterValue",
            f"Route table {table.id} and subnet {target} belong to different networks",
        )
    for other in backend.route_tables.values():
        if target in other._associations.values():
            raise AwsError(
                "Resource.AlreadyAssociated",
                f"the specified association for route table {table.id} conflicts with an existing association",
            )
    return request.ask_moto(request.parameters)


def replace_association(request: Request, backend: Any) -> Answer:
    """ReplaceRouteTableAssociation: under another id from then on; the table has to be one of the same network."""
    table = require(backend, ROUTE_TABLE, str(request.parameters.get("RouteTableId")))
    association = str(request.parameters.get("AssociationId"))
    before = next(
        (one for one in backend.route_tables.values() if association in one.all_associations_ids), None
    )
    if before is None:
        raise AwsError("InvalidAssociationID.NotFound", f"The association ID '{association}' does not exist")
    if before.vpc_id != table.vpc_id:
        raise AwsError(
            "InvalidParameterValue", f"Route tables {before.id} and {table.id} belong to different networks"
        )
    return request.ask_moto(request.parameters)


def disassociate(request: Request, backend: Any) -> Answer:
    """DisassociateRouteTable: the main association cannot be taken out, only moved."""
    association = request.parameters.get("AssociationId")
    if any(association == one.main_association_id for one in backend.route_tables.values()):
        raise AwsError(
            "InvalidParameterValue", f"cannot disassociate the main route table association {association}"
        )
    return request.ask_moto(request.parameters)


def forget_subnet(backend: Any, subnet_id: str) -> None:
    """A subnet's association goes with it, which moto does not see to."""
    for table in backend.route_tables.values():
        for association in [key for key, value in table._associations.items() if value == subnet_id]:
            del table._associations[association]
