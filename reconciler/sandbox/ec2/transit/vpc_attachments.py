"""Attachments of VPCs to transit gateways, with the interfaces that they keep in their subnets.

One to a gateway that another account lends is shown in both, each with tags of its own, and waits there to be accepted,
unless that gateway accepts all.

Source: EC2 API reference, CreateTransitGatewayVpcAttachment, ModifyTransitGatewayVpcAttachment,
DeleteTransitGatewayVpcAttachment, AcceptTransitGatewayVpcAttachment, RejectTransitGatewayVpcAttachment and the error
codes DuplicateTransitGatewayAttachment, DuplicateSubnetsInSameZone, IncorrectState; Amazon VPC Transit Gateways guide,
"Transit gateway attachments to a VPC" and "Shared transit gateways".  What an account gets that accepts what it was not
asked is unverified.  Called by `answers.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ...errors import AwsError
from ...request import Answer, Request
from ...settings import TERMINATED_LISTED_SECONDS
from .. import backend as moto
from .. import lending
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
    home = lending.home_of(backend, str(given.get("TransitGatewayId")))
    gateway = things.available(home, TRANSIT_GATEWAY, given.get("TransitGatewayId"))
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
        made_in=backend,
        home=home,
        owner=home.account_id,
    )
    _plug(backend, thing, subnets)
    VPC_ATTACHMENT.of(home)[thing.id] = thing
    if home is backend or gateway.members["Options"].get("AutoAcceptSharedAttachments") == "enable":
        _settle(request, home, thing)
    else:
        things.enter(
            request.world,
            thing,
            "initiatingRequest",
            lambda: things.enter(request.world, thing, "pendingAcceptance"),
        )
    return things.answer(backend, thing)


def _settle(request: Request, home: Any, thing: Thing) -> None:
    things.settle(request.world, thing, "pending", lambda: routing.give_defaults(request.world, home, thing))


def _asked(request: Request, backend: Any) -> Thing:
    """The attachment that waits for the account that the request comes from."""
    thing = things.named(backend, VPC_ATTACHMENT, request.parameters.get("TransitGatewayAttachmentId"))
    if thing.notes["owner"] != request.account:
        raise AwsError(
            "OperationNotPermitted", f"{thing.id} is accepted by the owner of the transit gateway."
        )
    if thing.state != "pendingAcceptance":
        raise AwsError("IncorrectState", f"{thing.id} is in invalid state: {thing.state}")
    return thing


def accept(request: Request, backend: Any) -> Answer:
    """AcceptTransitGatewayVpcAttachment, in the account of the gateway."""
    thing = _asked(request, backend)
    _settle(request, backend, thing)
    return things.answer(backend, thing)


def reject(request: Request, backend: Any) -> Answer:
    """RejectTransitGatewayVpcAttachment, there too."""
    thing = _asked(request, backend)

    def rejected() -> None:
        _unplug(thing.notes["made_in"], thing, thing.notes.get("interfaces", {}))
        things.enter(request.world, thing, "rejected")
        _forget_later(request, thing)

    things.enter(request.world, thing, "rejecting", rejected)
    return things.answer(backend, thing)


def _forget_later(request: Request, thing: Thing) -> None:
    """Have it leave the lists of both accounts."""

    def forget() -> None:
        for store in (thing.notes["made_in"], thing.notes["home"]):
            VPC_ATTACHMENT.of(store).pop(thing.id, None)
            store.tags.pop(thing.id, None)

    request.world.timeline.after(TERMINATED_LISTED_SECONDS, forget)


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
    """DeleteTransitGatewayVpcAttachment: its interfaces keep their subnets until it is deleted.

    That one can be deleted which waits, or was rejected, is unverified."""
    id = request.parameters.get("TransitGatewayAttachmentId")
    thing = VPC_ATTACHMENT.of(backend).get(str(id))
    if not isinstance(thing, Thing) or thing.state != "rejected":
        thing = things.named(backend, VPC_ATTACHMENT, id)
    if thing.state != "deleting":
        if thing.state not in {"pendingAcceptance", "rejected"}:
            things.check_available(thing)
        if connects.carried_by(backend, thing):
            raise AwsError("IncorrectState", f"{thing.id} has non-deleted Connect attachments.")

        def deleted() -> None:
            _unplug(thing.notes["made_in"], thing, thing.notes.get("interfaces", {}))
            routing.leave(thing)
            _forget_later(request, thing)

        things.vanish(request, backend, thing, deleted)
    return things.answer(backend, thing)
