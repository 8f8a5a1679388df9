"""Attachments of VPCs to transit gateways, with the interfaces that they keep in their subnets.

Source: EC2 API reference, CreateTransitGatewayVpcAttachment, ModifyTransitGatewayVpcAttachment,
DeleteTransitGatewayVpcAttachment and the error codes DuplicateTransitGatewayAttachment, DuplicateSubnetsInSameZone,
IncorrectState; Amazon VPC Transit Gateways guide, "Transit gateway attachments to a VPC".  Called by `answers.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ...errors import AwsError
from ...request import Answer, Request
from .. import backend as moto
from ..missing import SUBNET, VPC, require
from . import connects, routing, things
from .things import TRANSIT_GATEWAY, VPC_ATTACHMENT, Thing

_DEFAULTS = {
    "ApplianceModeSupport": "disable",
    "DnsSupport": "enable",
    "Ipv6Support": "disable",
    "SecurityGroupReferencingSupport": "enable",
}


def create(request: Request, backend: Any) -> Answer:
    """CreateTransitGatewayVpcAttachment: one for each pair of a gateway and a VPC, one subnet a zone."""
    given = request.parameters
    gateway = things.available(backend, TRANSIT_GATEWAY, given.get("TransitGatewayId"))
    vpc = require(backend, VPC, str(given.get("VpcId")))
    subnets = list(given.get("SubnetIds") or [])
    _check_subnets(backend, vpc.id, subnets)
    for one in things.all_of(backend, VPC_ATTACHMENT):
        if (one.transit_gateway_id, one.resource_id) == (gateway.id, vpc.id) and not one.is_gone:
            raise AwsError(
                "DuplicateTransitGatewayAttachment",
                f"{gateway.id} has non-deleted Transit Gateway Attachments with same VPC ID.",
            )
    thing = things.make(
        request,
        backend,
        VPC_ATTACHMENT,
        {
            "TransitGatewayId": gateway.id,
            "VpcId": vpc.id,
            "VpcOwnerId": request.account,
            "SubnetIds": subnets,
            "CreationTime": request.world.settings.clock.now(),
            "Options": {**_DEFAULTS, **(given.get("Options") or {})},
        },
        type="vpc",
        resource=vpc.id,
    )
    _plug(backend, thing, subnets)
    things.settle(
        request.world, thing, "pending", lambda: routing.give_defaults(request.world, backend, thing)
    )
    return things.answer(backend, thing)


def _check_subnets(backend: Any, vpc: str, subnets: Iterable[str]) -> None:
    zones: set[str] = set()
    for id in subnets:
        subnet = require(backend, SUBNET, str(id))
        if subnet.vpc_id != vpc:
            raise AwsError("InvalidParameterValue", f"The subnet '{id}' is not in the VPC '{vpc}'.")
        if subnet.availability_zone in zones:
            raise AwsError(
                "DuplicateSubnetsInSameZone", f"Duplicate Subnets for same AZ: {subnet.availability_zone}"
            )
        zones.add(subnet.availability_zone)


def _plug(backend: Any, thing: Thing, subnets: Iterable[str]) -> None:
    """AWS's own interfaces, one a subnet: they carry no tags of ours, and keep the subnet."""
    for id in subnets:
        made = backend.create_network_interface(
            moto.find_subnet(backend, id),
            private_ip_address=None,
            description=f"Network Interface for Transit Gateway Attachment {thing.id}",
        )
        thing.notes.setdefault("interfaces", {})[id] = made.id


def _unplug(backend: Any, thing: Thing, subnets: Iterable[str]) -> None:
    for id in list(subnets):
        backend.enis.pop(thing.notes.get("interfaces", {}).pop(id, None), None)


def modify(request: Request, backend: Any) -> Answer:
    """ModifyTransitGatewayVpcAttachment: one change at a time, and one subnet stays."""
    given = request.parameters
    thing = things.available(backend, VPC_ATTACHMENT, given.get("TransitGatewayAttachmentId"))
    added, removed = list(given.get("AddSubnetIds") or []), list(given.get("RemoveSubnetIds") or [])
    there = thing.members["SubnetIds"]
    left = [one for one in there if one not in removed] + [one for one in added if one not in there]
    if not left:
        raise AwsError("InvalidParameterCombination", "The last subnet of an attachment cannot be removed.")
    _check_subnets(backend, thing.members["VpcId"], left)
    _unplug(backend, thing, [one for one in there if one not in left])
    _plug(backend, thing, [one for one in left if one not in there])
    thing.members["SubnetIds"] = left
    thing.members["Options"] = {**thing.members["Options"], **(given.get("Options") or {})}
    things.settle(request.world, thing, "modifying")
    return things.answer(backend, thing)


def delete(request: Request, backend: Any) -> Answer:
    """DeleteTransitGatewayVpcAttachment: its interfaces keep their subnets until it is deleted."""
    thing = things.named(backend, VPC_ATTACHMENT, request.parameters.get("TransitGatewayAttachmentId"))
    if thing.state != "deleting":
        things.check_available(thing)
        if connects.carried_by(backend, thing):
            raise AwsError("IncorrectState", f"{thing.id} has non-deleted Connect attachments.")

        def deleted() -> None:
            _unplug(backend, thing, thing.notes.get("interfaces", {}))
            routing.leave(thing)

        things.vanish(request, backend, thing, deleted)
    return things.answer(backend, thing)
