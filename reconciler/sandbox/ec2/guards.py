"""What must be gone before a thing can be deleted.

Rows of operation -> code, message, and who blocks. Sources: EC2 API reference and VPC User Guide, the "delete" pages of
each resource and the error code DependencyViolation; terraform-provider-aws retries on the same codes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import AwsError
from ..request import Request
from . import backend as moto
from .gateways import has_public_addresses
from .peerings import blocks as peered
from .transit import routing, vpn_ends
from .volumes import volume_is_used

_GONE = ("deleted", "deleting", "terminated", "failed", "rejected", "expired")
_OVER = tuple(word for word in _GONE if word != "deleting")
"""What holds another thing to its very end is not listed with those that let go when they begin to go."""
Blocks = Callable[[Any, Mapping[str, Any]], bool]


def _state(thing: Any) -> str:
    state = getattr(thing, "state", None) or getattr(thing, "status", None)
    return str(getattr(state, "name", state))


def _vpc_has(collection: str, member: str = "vpc_id") -> Blocks:
    def blocks(backend: Any, parameters: Mapping[str, Any]) -> bool:
        things = getattr(backend, collection).values()
        return any(
            getattr(one, member, None) == parameters["VpcId"] and _state(one) not in _GONE for one in things
        )

    return blocks


def _vpc_has_subnet(backend: Any, parameters: Mapping[str, Any]) -> bool:
    return any(subnet.vpc_id == parameters["VpcId"] for subnet in moto.subnets(backend))


def _vpc_has_group(backend: Any, parameters: Mapping[str, Any]) -> bool:
    return any(one.vpc_id == parameters["VpcId"] and one.name != "default" for one in moto.groups(backend))


def _vpc_has_gateway(backend: Any, parameters: Mapping[str, Any]) -> bool:
    gateways = backend.internet_gateways.values()
    return any(one.vpc is not None and one.vpc.id == parameters["VpcId"] for one in gateways)


def _vpc_has_interface(backend: Any, parameters: Mapping[str, Any]) -> bool:
    return any(one.subnet.vpc_id == parameters["VpcId"] for one in moto.interfaces(backend))


def _vpc_has_route_table(backend: Any, parameters: Mapping[str, Any]) -> bool:
    tables = backend.route_tables.values()
    return any(one.vpc_id == parameters["VpcId"] and one.main_association_id is None for one in tables)


def _vpc_has_acl(backend: Any, parameters: Mapping[str, Any]) -> bool:
    acls = backend.network_acls.values()
    return any(one.vpc_id == parameters["VpcId"] and not one.default for one in acls)


def _route_table_is_main(backend: Any, parameters: Mapping[str, Any]) -> bool:
    table = backend.route_tables.get(parameters.get("RouteTableId"))
    return table is not None and table.main_association_id is not None


def _acl_is_default(backend: Any, parameters: Mapping[str, Any]) -> bool:
    acl = backend.network_acls.get(parameters.get("NetworkAclId"))
    return acl is not None and acl.default


def _subnet_has_interface(backend: Any, parameters: Mapping[str, Any]) -> bool:
    return any(one.subnet.id == parameters["SubnetId"] for one in moto.interfaces(backend))


def _subnet_has_instance(backend: Any, parameters: Mapping[str, Any]) -> bool:
    there = moto.instances(backend)
    return any(one.subnet_id == parameters["SubnetId"] and one.state not in moto.DEAD for one in there)


def _subnet_has_nat(backend: Any, parameters: Mapping[str, Any]) -> bool:
    gateways = backend.nat_gateways.values()
    return any(one.subnet_id == parameters["SubnetId"] and _state(one) not in _GONE for one in gateways)


def _group(backend: Any, parameters: Mapping[str, Any]) -> Any:
    if parameters.get("GroupId"):
        return moto.find_group(backend, str(parameters["GroupId"]))
    named = (one for one in moto.groups(backend) if one.name == parameters.get("GroupName"))
    return next(named, None)


def _group_is_default(backend: Any, parameters: Mapping[str, Any]) -> bool:
    group = _group(backend, parameters)
    return group is not None and group.name == "default"


def _group_is_used(backend: Any, parameters: Mapping[str, Any]) -> bool:
    group = _group(backend, parameters)
    if group is None:
        return False
    by_interface = any(group.id in {one.id for one in eni.group_set} for eni in moto.interfaces(backend))
    by_instance = any(
        group.id in {one.id for one in instance.security_groups} and instance.state not in moto.DEAD
        for instance in moto.instances(backend)
    )
    return by_interface or by_instance


def _group_is_referenced(backend: Any, parameters: Mapping[str, Any]) -> bool:
    group = _group(backend, parameters)
    return group is not None and any(
        rule.source_group.get("GroupId") == group.id
        for other in moto.groups(backend)
        if other.id != group.id
        for rule in (*other.ingress_rules, *other.egress_rules)
    )


def _interface_is_attached(backend: Any, parameters: Mapping[str, Any]) -> bool:
    interface = backend.enis.get(parameters.get("NetworkInterfaceId"))
    return (
        interface is not None and interface.instance is not None and interface.instance.state not in moto.DEAD
    )


def _address_is_associated(backend: Any, parameters: Mapping[str, Any]) -> bool:
    return any(
        one.allocation_id == parameters.get("AllocationId") and (one.eni or one.instance)
        for one in backend.addresses
    )


def _vpc_has_public_address(backend: Any, parameters: Mapping[str, Any]) -> bool:
    return has_public_addresses(backend, str(parameters.get("VpcId")))


def _transit_gateway_is_attached(backend: Any, parameters: Mapping[str, Any]) -> bool:
    wanted = parameters.get("TransitGatewayId")
    return any(
        wanted in routing.gateways_of(one) and _state(one) not in _OVER
        for one in routing.attachments(backend)
    )


def _customer_gateway_is_used(backend: Any, parameters: Mapping[str, Any]) -> bool:
    connections = backend.vpn_connections.values()
    wanted = parameters.get("CustomerGatewayId")
    return any(one.customer_gateway_id == wanted and _state(one) not in _OVER for one in connections)


def _vpn_gateway_is_used(backend: Any, parameters: Mapping[str, Any]) -> bool:
    connections = backend.vpn_connections.values()
    wanted = parameters.get("VpnGatewayId")
    gateway = backend.vpn_gateways.get(wanted)
    attached = gateway is not None and vpn_ends.attachment_of(gateway) is not None
    return attached or any(one.vpn_gateway_id == wanted and _state(one) not in _OVER for one in connections)


def _vpc_has_vpn_gateway(backend: Any, parameters: Mapping[str, Any]) -> bool:
    return any(
        (vpn_ends.attachment_of(one) or {}).get("VpcId") == parameters.get("VpcId")
        for one in backend.vpn_gateways.values()
    )


@dataclass(frozen=True)
class Guard:
    """A delete that is refused with `code` and `message` while one of `blocks` holds."""

    code: str
    message: str
    blocks: tuple[Blocks, ...]


GUARDS: Mapping[str, tuple[Guard, ...]] = {
    "DeleteVpc": (
        Guard(
            "DependencyViolation",
            "The vpc '{VpcId}' has dependencies and cannot be deleted.",
            (
                _vpc_has_subnet,
                _vpc_has_group,
                _vpc_has_gateway,
                _vpc_has_interface,
                _vpc_has_route_table,
                _vpc_has_acl,
                _vpc_has("nat_gateways"),
                _vpc_has("vpc_end_points"),
                peered,
                _vpc_has("egress_only_internet_gateways"),
                _vpc_has("transit_gateway_attachments", "resource_id"),
                _vpc_has_vpn_gateway,
            ),
        ),
    ),
    "DeleteSubnet": (
        Guard(
            "DependencyViolation",
            "The subnet '{SubnetId}' has dependencies and cannot be deleted.",
            (_subnet_has_interface, _subnet_has_instance, _subnet_has_nat),
        ),
    ),
    "DeleteRouteTable": (
        Guard(
            "DependencyViolation",
            "The routeTable '{RouteTableId}' has dependencies and cannot be deleted.",
            (_route_table_is_main,),
        ),
    ),
    "DeleteNetworkAcl": (
        Guard(
            "InvalidParameterValue", "cannot delete default network ACL {NetworkAclId}", (_acl_is_default,)
        ),
    ),
    "DeleteSecurityGroup": (
        Guard(
            "CannotDelete",
            'the specified group: "{GroupId}" name: "default" cannot be deleted by a user',
            (_group_is_default,),
        ),
        Guard(
            "DependencyViolation",
            "resource {GroupId} has a dependent object",
            (_group_is_used, _group_is_referenced),
        ),
    ),
    "DeleteNetworkInterface": (
        Guard(
            "InvalidParameterValue",
            "Network interface '{NetworkInterfaceId}' is currently in use.",
            (_interface_is_attached,),
        ),
    ),
    "DeleteVolume": (
        Guard("VolumeInUse", "Volume {VolumeId} is currently attached to an instance.", (volume_is_used,)),
    ),
    "DetachInternetGateway": (
        Guard(
            "DependencyViolation",
            "Network {VpcId} has some mapped public address(es). Please unmap those public address(es) before "
            "detaching the gateway.",
            (_vpc_has_public_address,),
        ),
    ),
    "ReleaseAddress": (
        Guard("InvalidIPAddress.InUse", "Address {AllocationId} is in use.", (_address_is_associated,)),
    ),
    "DeleteTransitGateway": (
        Guard(
            "IncorrectState",
            "{TransitGatewayId} has non-deleted attachments.",
            (_transit_gateway_is_attached,),
        ),
    ),
    "DeleteCustomerGateway": (
        Guard("IncorrectState", "The customer gateway is in use.", (_customer_gateway_is_used,)),
    ),
    "DeleteVpnGateway": (Guard("IncorrectState", "The vpnGateway is in use.", (_vpn_gateway_is_used,)),),
}


class _Names(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return ""


def check_guards(request: Request, backend: Any) -> None:
    """Raises the code of the first guard that blocks the operation."""
    for guard in GUARDS.get(request.operation, ()):
        if any(blocks(backend, request.parameters) for blocks in guard.blocks):
            raise AwsError(guard.code, guard.message.format_map(_Names(request.parameters)))
