"""VPC endpoints: states, interfaces, routes and one change at a time, where moto has none of them.

Sources: EC2 API reference, CreateVpcEndpoint, ModifyVpcEndpoint, DeleteVpcEndpoints, VpcEndpoint; AWS PrivateLink
guide, "Gateway endpoints" (the route that one puts into a table) and "Interface endpoints" (what private DNS wants);
terraform-provider-aws (states in lower case, IncorrectState while being modified, the text about private DNS).
Called by `answers.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..errors import AwsError
from ..request import Answer, Request
from . import backend as moto
from . import tags
from .missing import GROUP, ROUTE_TABLE, SUBNET, VPC, VPC_ENDPOINT, require
from .routes import routes_of


def create(request: Request, backend: Any) -> Answer:
    """CreateVpcEndpoint: pending, then available; a gateway puts routes into tables, an interface lies in subnets."""
    given = {"VpcEndpointType": "Gateway", **request.parameters}
    vpc = require(backend, VPC, str(given.get("VpcId")))
    for kind, name in ((ROUTE_TABLE, "RouteTableIds"), (SUBNET, "SubnetIds"), (GROUP, "SecurityGroupIds")):
        for one in given.get(name) or ():
            require(backend, kind, str(one))
    _check_private_dns(vpc, given.get("PrivateDnsEnabled"))
    _check_zones(backend, given.get("SubnetIds") or ())
    interface = given["VpcEndpointType"] == "Interface"
    if interface and not given.get("SecurityGroupIds"):
        given["SecurityGroupIds"] = [moto.default_group(backend, vpc.id).id]
    before = {table.id: set(table._routes) for table in backend.route_tables.values()}
    made = request.ask_moto(given)["VpcEndpoint"]["VpcEndpointId"]
    for table in backend.route_tables.values():  # moto's routes are not those that are shown
        for key in set(table._routes) - before[table.id]:
            del table._routes[key]
    endpoint = backend.vpc_end_points[made]
    endpoint.vpc_endpoint_type = given["VpcEndpointType"]
    endpoint.subnet_ids = list(endpoint.subnet_ids or ())
    endpoint.state = "pending"
    facts = request.world.facts.setdefault(made, {})
    facts["shown"] = {"IpAddressType": given.get("IpAddressType") or "ipv4"}
    if given.get("DnsOptions"):
        facts["shown"]["DnsOptions"] = given["DnsOptions"]
    _lie_in_subnets(backend, endpoint)
    _lead_there(request, backend, endpoint)

    def effect() -> None:
        if endpoint.state == "pending":
            endpoint.state = "available"

    request.world.timeline.after(request.world.settings.delays.of("vpc-endpoint", "pending"), effect)
    token = {"ClientToken": request.parameters["ClientToken"]} if "ClientToken" in request.parameters else {}
    return {"VpcEndpoint": _shown(request, backend, endpoint), **token}


def _check_private_dns(vpc: Any, wanted: Any) -> None:
    if wanted and not (vpc.enable_dns_support and vpc.enable_dns_hostnames):
        raise AwsError(
            "InvalidParameter",
            "Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC attributes set to true for "
            f"{vpc.id}",
        )


def _check_zones(backend: Any, subnets: Iterable[Any]) -> None:
    """One subnet a zone; that one may take the place of another in a single call is unverified."""
    zones: set[str] = set()
    for id in subnets:
        zone = moto.find_subnet(backend, str(id)).availability_zone
        if zone in zones:
            raise AwsError(
                "DuplicateSubnetsInSameZone",
                f"Found another VPC endpoint subnet in the availability zone of {id}. VPC endpoint subnets should be "
                "in different availability zones supported by the VPC endpoint service.",
            )
        zones.add(zone)


def _lie_in_subnets(backend: Any, endpoint: Any) -> None:
    """Has an interface endpoint hold one interface in each of its subnets, with its groups, and no other."""
    if endpoint.vpc_endpoint_type != "Interface":
        return
    groups = [moto.find_group(backend, one) for one in endpoint.security_group_ids]
    there = {backend.enis[one].subnet.id: one for one in endpoint.network_interface_ids}
    for subnet in endpoint.subnet_ids:
        if subnet not in there:
            there[subnet] = backend.create_network_interface(subnet, None).id
    for subnet in set(there) - set(endpoint.subnet_ids):
        backend.enis.pop(there.pop(subnet))
    endpoint.network_interface_ids = list(there.values())
    for one in endpoint.network_interface_ids:
        backend.enis[one]._group_set = list(groups)


def _lead_there(request: Request, backend: Any, endpoint: Any) -> None:
    """Has the tables of a gateway endpoint, and no others, lead to it."""
    prefix_list = endpoint.destination_prefix_list_id
    if not prefix_list:
        return
    alive = endpoint.state in ("pending", "available")
    for table in backend.route_tables.values():
        routes = routes_of(request, table)
        if alive and table.id in endpoint.route_table_ids:
            routes[prefix_list] = {
                "DestinationPrefixListId": prefix_list,
                "GatewayId": endpoint.id,
                "Origin": "CreateRoute",
            }
        elif routes.get(prefix_list, {}).get("GatewayId") == endpoint.id:
            del routes[prefix_list]


def modify(request: Request, backend: Any) -> Answer:
    """ModifyVpcEndpoint: one change at a time."""
    given = request.parameters
    endpoint = require(backend, VPC_ENDPOINT, str(given.get("VpcEndpointId")))
    facts = request.world.facts.setdefault(endpoint.id, {})
    if endpoint.state != "available" or facts.get("modifying"):
        raise AwsError("IncorrectState", f"The VPC endpoint {endpoint.id} is currently being modified.")
    _check_private_dns(backend.vpcs[endpoint.vpc_id], given.get("PrivateDnsEnabled"))
    after: dict[str, list[str]] = {}
    for name, member, kind in (
        ("RouteTableIds", "route_table_ids", ROUTE_TABLE),
        ("SubnetIds", "subnet_ids", SUBNET),
        ("SecurityGroupIds", "security_group_ids", GROUP),
    ):
        for one in given.get(f"Add{name}") or ():
            require(backend, kind, str(one))
        left = [one for one in getattr(endpoint, member) if one not in (given.get(f"Remove{name}") or ())]
        after[member] = list(dict.fromkeys([*left, *(given.get(f"Add{name}") or ())]))
    _check_zones(backend, after["subnet_ids"])
    for member, there in after.items():
        setattr(endpoint, member, there)
    if given.get("PolicyDocument"):
        endpoint.policy_document = given["PolicyDocument"]
    if "PrivateDnsEnabled" in given:
        endpoint.private_dns_enabled = given["PrivateDnsEnabled"]
    facts["shown"] |= {name: given[name] for name in ("IpAddressType", "DnsOptions") if given.get(name)}
    _lie_in_subnets(backend, endpoint)
    _lead_there(request, backend, endpoint)
    facts["modifying"] = True

    def effect() -> None:
        facts["modifying"] = False

    request.world.timeline.after(request.world.settings.delays.of("vpc-endpoint", "modifying"), effect)
    return {"Return": True}


def delete(request: Request, backend: Any) -> Answer:
    """DeleteVpcEndpoints succeeds as a whole and says what it could not delete; interfaces outlive their endpoint."""
    missing = []
    for one in request.parameters.get("VpcEndpointIds") or ():
        if one in backend.vpc_end_points:
            _leave(request, backend, backend.vpc_end_points[one])
        else:
            error = {"Code": VPC_ENDPOINT.code, "Message": VPC_ENDPOINT.message.format(one)}
            missing.append({"ResourceId": one, "Error": error})
    return {"Unsuccessful": missing}


def _leave(request: Request, backend: Any, endpoint: Any) -> None:
    if endpoint.state == "deleting":
        return
    endpoint.state = "deleting"
    _lead_there(request, backend, endpoint)
    delay = request.world.settings.delays.of("vpc-endpoint", "deleting")

    def gone() -> None:
        backend.vpc_end_points.pop(endpoint.id, None)
        backend.tags.pop(endpoint.id, None)

    def released() -> None:
        for one in endpoint.network_interface_ids:
            backend.enis.pop(one, None)

    request.world.timeline.after(delay, gone)
    request.world.timeline.after(2 * delay, released)


def describe(request: Request, backend: Any) -> Answer:
    """DescribeVpcEndpoints, all of them."""
    return {"VpcEndpoints": [_shown(request, backend, one) for one in backend.vpc_end_points.values()]}


def _shown(request: Request, backend: Any, endpoint: Any) -> dict[str, Any]:
    groups = [moto.find_group(backend, one) for one in endpoint.security_group_ids]
    return {
        "VpcEndpointId": endpoint.id,
        "VpcEndpointType": endpoint.vpc_endpoint_type,
        "VpcId": endpoint.vpc_id,
        "ServiceName": endpoint.service_name,
        "State": endpoint.state,
        "PolicyDocument": endpoint.policy_document,
        "RouteTableIds": list(endpoint.route_table_ids or ()),
        "SubnetIds": list(endpoint.subnet_ids or ()),
        "Groups": [{"GroupId": one.id, "GroupName": one.name} for one in groups if one is not None],
        "PrivateDnsEnabled": bool(endpoint.private_dns_enabled),
        "RequesterManaged": False,
        "NetworkInterfaceIds": list(endpoint.network_interface_ids),
        "DnsEntries": [],
        "CreationTimestamp": endpoint.creation_timestamp,
        "OwnerId": request.account,
        "Tags": tags.as_list(backend, endpoint.id),
        **request.world.facts.get(endpoint.id, {}).get("shown", {}),
    }
