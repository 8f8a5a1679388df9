"""Peerings of transit gateways: asked for in one region, accepted in the other, seen from both under one id.

Each side has its own state and its own tags.  Source: EC2 API reference, CreateTransitGatewayPeeringAttachment,
AcceptTransitGatewayPeeringAttachment, DeleteTransitGatewayPeeringAttachment; Amazon VPC Transit Gateways guide,
"Transit gateway peering attachments" and "Quotas".  AWS documents neither the code of a quota that is reached, nor what
becomes of a request to a gateway that has reached its own: here it has failed.  Called by `answers.py`, and by Network
Manager for those that Cloud WAN makes.
"""

from __future__ import annotations

from typing import Any

from ...errors import AwsError
from ...request import Answer, Request
from ...world import World
from . import routing, things
from .things import PEERING, TRANSIT_GATEWAY, Thing

_REACHED = "TransitGatewayPeeringAttachmentLimitExceeded"
_PENDING = frozenset({"initiatingRequest", "pendingAcceptance"})


def create(request: Request, backend: Any) -> Answer:
    """CreateTransitGatewayPeeringAttachment: whether there is such a peer is found out later."""
    from moto.ec2.models import ec2_backends

    given = request.parameters
    gateway = things.available(backend, TRANSIT_GATEWAY, given.get("TransitGatewayId"))
    wanted = str(given["PeerTransitGatewayId"])
    if wanted == gateway.id:
        raise AwsError("InvalidParameterValue", "A transit gateway cannot be peered with itself.")
    for one in things.all_of(backend, PEERING):
        if not one.is_gone and {gateway.id, wanted} == {one.transit_gateway_id, one.resource_id}:
            raise AwsError(
                "DuplicateTransitGatewayAttachment",
                f"{gateway.id} has non-deleted Transit Gateway Peering Attachments with {wanted}.",
            )
    if reached := _quota_reached(request.world, backend, gateway.id):
        raise AwsError(_REACHED, f"{gateway.id} has reached its limit of {reached}.")
    members = {
        "RequesterTgwInfo": _info(gateway.id, request.account, request.region),
        "AccepterTgwInfo": _info(wanted, str(given["PeerAccountId"]), str(given["PeerRegion"])),
        "CreationTime": request.world.settings.clock.now(),
    }
    if options := given.get("Options"):
        members["Options"] = {name: options[name] for name in ("DynamicRouting",) if name in options}
    thing = things.make(
        request, backend, PEERING, members, gateway=gateway.id, resource=wanted, type="peering"
    )
    there = ec2_backends[str(given["PeerAccountId"])][str(given["PeerRegion"])]
    things.enter(
        request.world, thing, "initiatingRequest", lambda: _arrive(request.world, backend, there, thing)
    )
    return things.answer(backend, thing)


def _quota_reached(world: World, backend: Any, gateway: str) -> str:
    """The quota that keeps a gateway from one more peering, whoever asks for it; "" when there is none."""
    sides = [
        one
        for one in things.all_of(backend, PEERING)
        if gateway in {one.transit_gateway_id, *one.notes.get("gateways", ())} and not one.is_gone
    ]
    pending = [one for one in sides if one.state in _PENDING]
    for name, count, what in (
        ("PendingTransitGatewayPeering", len(pending), "pending peering attachments"),
        ("TransitGatewayPeering", len(sides), "peering attachments"),
    ):
        quota = world.settings.quota(name)
        if quota is not None and count >= quota:
            return f"{quota} {what}"
    return ""


def _info(gateway: str, owner: str, region: str) -> dict[str, str]:
    return {"TransitGatewayId": gateway, "OwnerId": owner, "Region": region}


def _arrive(world: World, here: Any, there: Any, thing: Thing) -> None:
    """The request reaches the other side, where it shows as an attachment of that gateway, without tags."""
    peer = there.transit_gateways.get(thing.resource_id)
    if peer is None or peer.state not in {"available", "modifying"}:
        things.enter(world, thing, "failed")
        thing.members["Status"] = {"Code": "InvalidTransitGatewayID.NotFound", "Message": "No such peer."}
        return
    if there is not here and (reached := _quota_reached(world, there, peer.id)):
        things.enter(world, thing, "failed")
        thing.members["Status"] = {
            "Code": _REACHED,
            "Message": f"The peer has reached its limit of {reached}.",
        }
        return
    things.enter(world, thing, "pendingAcceptance")
    if there is here:
        thing.notes["gateways"] = [peer.id]
        return
    other = Thing(PEERING, thing.id, thing.members, "pendingAcceptance")
    other.notes |= {"gateway": peer.id, "resource": thing.transit_gateway_id, "type": "peering"}
    other.notes["other"], thing.notes["other"] = (here, thing), (there, other)
    PEERING.of(there)[other.id] = other


def _sides(thing: Thing) -> list[Thing]:
    return [thing, thing.notes["other"][1]] if "other" in thing.notes else [thing]


def accept(request: Request, backend: Any) -> Answer:
    """AcceptTransitGatewayPeeringAttachment, in the region of the one who is asked."""
    thing = things.named(backend, PEERING, request.parameters.get("TransitGatewayAttachmentId"))
    accepter = thing.members["AccepterTgwInfo"]
    if (request.region, request.account) != (accepter["Region"], accepter["OwnerId"]):
        raise AwsError(
            "InvalidParameterValue",
            f"Cannot accept {thing.id} as the source of the peering request.",
        )
    if thing.state != "pendingAcceptance":
        raise AwsError("IncorrectState", f"{thing.id} is in invalid state: {thing.state}")
    for side in _sides(thing):
        things.settle(request.world, side, "pending")
    return things.answer(backend, thing)


def delete(request: Request, backend: Any) -> Answer:
    """DeleteTransitGatewayPeeringAttachment, from either side."""
    thing = things.named(backend, PEERING, request.parameters.get("TransitGatewayAttachmentId"))
    if thing.state != "deleting":
        if thing.state not in {"available", "pendingAcceptance", "initiatingRequest"}:
            things.check_available(thing)
        where = [(backend, thing), *([thing.notes["other"]] if "other" in thing.notes else [])]
        for store, side in where:
            things.vanish(request, store, side, lambda side=side: routing.leave(side))  # type: ignore[misc]
    return things.answer(backend, thing)


def of_core_network(
    backend: Any, gateway: Thing, core_network: str, owner: str, region: str, account: str
) -> Thing:
    """What EC2 shows of a peering that Cloud WAN has made: an attachment of AWS's, without tags."""
    members = {
        "RequesterTgwInfo": {"OwnerId": owner, "Region": region, "CoreNetworkId": core_network},
        "AccepterTgwInfo": {"OwnerId": account, "Region": region, "TransitGatewayId": gateway.id},
    }
    thing = Thing(PEERING, things.new_id(PEERING), members, "available")
    thing.notes |= {"gateway": gateway.id, "resource": core_network, "type": "peering"}
    PEERING.of(backend)[thing.id] = thing
    return thing
