"""Connect attachments, which run over another attachment, and their peers: a GRE tunnel with two BGP sessions each.

Source: EC2 API reference, CreateTransitGatewayConnect, CreateTransitGatewayConnectPeer and their Delete operations;
Amazon VPC Transit Gateways guide, "Transit gateway Connect attachments and Connect peers".
Called by `answers.py`.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any

from ...errors import AwsError
from ...request import Answer, Request
from . import routing, things
from .things import CONNECT, CONNECT_PEER, Thing

_MOST_PEERS = 4
_RESERVED = {f"169.254.{third}.0/29" for third in range(6)} | {"169.254.169.248/29"}


def create(request: Request, backend: Any) -> Answer:
    """CreateTransitGatewayConnect: over the attachment of a VPC that is available."""
    transport = routing.attachment_named(
        backend, request.parameters.get("TransportTransitGatewayAttachmentId")
    )
    things.check_available(transport)
    if transport.notes["type"] not in {"vpc", "direct-connect-gateway"}:
        raise AwsError("InvalidParameterValue", f"{transport.id} cannot be a transport.")
    members = {
        "TransportTransitGatewayAttachmentId": transport.id,
        "TransitGatewayId": transport.transit_gateway_id,
        "CreationTime": request.world.settings.clock.now(),
        "Options": {"Protocol": request.parameters["Options"]["Protocol"]},
    }
    thing = things.make(request, backend, CONNECT, members, type="connect", resource=transport.id)
    things.settle(
        request.world, thing, "pending", lambda: routing.give_defaults(request.world, backend, thing)
    )
    return things.answer(backend, thing)


def carried_by(backend: Any, transport: Thing) -> bool:
    """Whether a Connect attachment runs over an attachment."""
    return any(
        one.members["TransportTransitGatewayAttachmentId"] == transport.id and not one.is_gone
        for one in things.all_of(backend, CONNECT)
    )


def delete(request: Request, backend: Any) -> Answer:
    """DeleteTransitGatewayConnect: its peers go first."""
    thing = things.named(backend, CONNECT, request.parameters.get("TransitGatewayAttachmentId"))
    if thing.state != "deleting":
        things.check_available(thing)
        if _peers(backend, thing):
            raise AwsError("IncorrectState", f"{thing.id} has non-deleted Connect peers.")
        things.vanish(request, backend, thing, lambda: routing.leave(thing))
    return things.answer(backend, thing)


# ---- peers


def _peers(backend: Any, connect: Thing) -> list[Thing]:
    return [
        one
        for one in things.all_of(backend, CONNECT_PEER)
        if one.members["TransitGatewayAttachmentId"] == connect.id and not one.is_gone
    ]


def create_peer(request: Request, backend: Any) -> Answer:
    """CreateTransitGatewayConnectPeer: its address is one of the gateway's own blocks."""
    given = request.parameters
    connect = things.available(backend, CONNECT, given.get("TransitGatewayAttachmentId"))
    there = _peers(backend, connect)
    if len(there) >= _MOST_PEERS:
        raise AwsError("ResourceLimitExceeded", f"{connect.id} has {_MOST_PEERS} Connect peers already.")
    gateway = backend.transit_gateways[connect.transit_gateway_id]
    blocks = [ipaddress.ip_network(one) for one in _blocks(gateway)]
    if not blocks:
        raise AwsError("InvalidParameterValue", f"{gateway.id} has no CIDR blocks.")
    taken = {one.members["ConnectPeerConfiguration"]["TransitGatewayAddress"] for one in there}
    free = (str(one) for block in blocks for one in block.hosts() if str(one) not in taken)
    address = str(given.get("TransitGatewayAddress") or next(free))
    if all(ipaddress.ip_address(address) not in block for block in blocks):
        raise AwsError("InvalidParameterValue", f"{address} is in no CIDR block of {gateway.id}.")
    inside = [str(one) for one in given["InsideCidrBlocks"]]
    for one in inside:
        _check_inside(one, there)
    asn = int((given.get("BgpOptions") or {}).get("PeerAsn") or gateway.members["Options"]["AmazonSideAsn"])
    configuration = {
        "TransitGatewayAddress": address,
        "PeerAddress": given["PeerAddress"],
        "InsideCidrBlocks": inside,
        "Protocol": "gre",
        "BgpConfigurations": _sessions(inside, gateway, asn),
    }
    members = {
        "TransitGatewayAttachmentId": connect.id,
        "CreationTime": request.world.settings.clock.now(),
        "ConnectPeerConfiguration": configuration,
    }
    thing = things.make(request, backend, CONNECT_PEER, members, gateway=gateway.id)
    things.settle(request.world, thing, "pending")
    return things.answer(backend, thing)


def _blocks(gateway: Thing) -> list[str]:
    found: list[str] = gateway.members["Options"].get("TransitGatewayCidrBlocks") or []
    return found


def _check_inside(cidr: str, there: list[Thing]) -> None:
    try:
        network = ipaddress.ip_network(cidr)
    except ValueError as error:
        raise AwsError("InvalidParameterValue", f"Value ({cidr}) is not a valid CIDR block.") from error
    size, within = (29, "169.254.0.0/16") if network.version == 4 else (125, "fd00::/8")
    good = network.prefixlen == size and network.network_address in ipaddress.ip_network(within)
    used = {one for peer in there for one in peer.members["ConnectPeerConfiguration"]["InsideCidrBlocks"]}
    if not good or cidr in _RESERVED | used:
        raise AwsError("InvalidParameterValue", f"Value ({cidr}) for parameter insideCidrBlocks is invalid.")


def _sessions(inside: list[str], gateway: Thing, asn: int) -> list[Mapping[str, Any]]:
    """The peer has the first address of a block, the gateway the two that follow."""
    return [
        {
            "TransitGatewayAsn": gateway.members["Options"]["AmazonSideAsn"],
            "PeerAsn": asn,
            "TransitGatewayAddress": str(ipaddress.ip_network(block)[2 + number]),
            "PeerAddress": str(ipaddress.ip_network(block)[1]),
            "BgpStatus": "down",
        }
        for block in inside
        for number in range(2)
    ]


def delete_peer(request: Request, backend: Any) -> Answer:
    """DeleteTransitGatewayConnectPeer."""
    thing = things.named(backend, CONNECT_PEER, request.parameters.get("TransitGatewayConnectPeerId"))
    if thing.state != "deleting":
        things.check_available(thing)
        things.vanish(request, backend, thing)
    return things.answer(backend, thing)
