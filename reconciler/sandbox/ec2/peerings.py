"""VPC peering: states over time, and what EC2 refuses of it, which moto does not.

Sources: EC2 API reference, CreateVpcPeeringConnection, AcceptVpcPeeringConnection, DeleteVpcPeeringConnection,
ModifyVpcPeeringConnectionOptions; VPC Peering guide, "VPC peering basics" (life cycle, overlapping ranges); error codes
InvalidStateTransition, VpcPeeringConnectionAlreadyExists, InvalidVpcPeeringConnectionID.NotFound (that the other region
does not know it at once).  A second request while one is pending makes another: unverified.  Called by `answers.py`.
"""

from __future__ import annotations

import ipaddress
from typing import Any

from ..errors import AwsError
from ..request import Answer, Request
from . import tags
from .missing import PEERING, require

_ALIVE = ("initiating-request", "pending-acceptance", "provisioning", "active")


def blocks(backend: Any, parameters: Any) -> bool:
    """Whether a network is part of a living peering; that it then stays is unverified."""
    return any(
        one._status.code in _ALIVE and parameters["VpcId"] in (one.vpc.id, one.peer_vpc.id)
        for one in backend.vpc_pcxs.values()
    )


def create(request: Request, backend: Any) -> Answer:
    """CreateVpcPeeringConnection: requested, then pending, or failed where ranges overlap."""
    given = request.parameters
    pair = {given.get("VpcId"), given.get("PeerVpcId")}
    if any(one._status.code == "active" and {one.vpc.id, one.peer_vpc.id} == pair for one in _all(backend)):
        raise AwsError("VpcPeeringConnectionAlreadyExists", "A peering of these VPCs is active already.")
    plain = {name: value for name, value in given.items() if name != "RequesterPeeringConnectionOptions"}
    made = request.ask_moto(plain)["VpcPeeringConnection"]["VpcPeeringConnectionId"]
    peering = backend.vpc_pcxs[made]
    peering._status.initiating()
    overlap = _overlap(peering.vpc, peering.peer_vpc)

    def effect() -> None:
        if peering._status.code != "initiating-request":
            return
        if overlap:
            peering._status.code, peering._status.message = "failed", "Failed due to overlapping CIDR ranges"
        else:
            peering._status.pending()

    _after(request, "initiating-request", effect)
    return {"VpcPeeringConnection": _shown(request, backend, peering)}


def _all(backend: Any) -> Any:
    return backend.vpc_pcxs.values()


def _after(request: Request, state: str, effect: Any) -> None:
    request.world.timeline.after(request.world.settings.delays.of("vpc-peering-connection", state), effect)


def _overlap(one: Any, other: Any) -> bool:
    ranges = [
        [ipaddress.IPv4Network(each["cidr_block"]) for each in vpc.get_cidr_block_association_set()]
        for vpc in (one, other)
    ]
    return any(here.overlaps(there) for here in ranges[0] for there in ranges[1])


def _find(request: Request, backend: Any) -> Any:
    return require(backend, PEERING, str(request.parameters.get("VpcPeeringConnectionId")))


def _refuse(peering: Any) -> AwsError:
    return AwsError(
        "InvalidStateTransition",
        f"Invalid state transition for {peering.id}, attempted from {peering._status.code}",
    )


def accept(request: Request, backend: Any) -> Answer:
    """AcceptVpcPeeringConnection: in the region of the other side, which knows of it a moment later."""
    peering = _find(request, backend)
    if peering._status.code == "initiating-request":
        raise AwsError(PEERING.code, PEERING.message.format(peering.id))
    if peering._status.code != "pending-acceptance":
        raise _refuse(peering)
    request.ask_moto(request.parameters)  # it knows whose turn it is
    peering._status.code, peering._status.message = "provisioning", "Provisioning"

    def effect() -> None:
        if peering._status.code == "provisioning":
            peering._status.accept()

    _after(request, "provisioning", effect)
    return {"VpcPeeringConnection": _shown(request, backend, peering)}


def delete(request: Request, backend: Any) -> Answer:
    """DeleteVpcPeeringConnection: what has ended in another way stays listed, and cannot be deleted."""
    peering = _find(request, backend)
    if peering._status.code not in _ALIVE:
        raise _refuse(peering)
    return request.ask_moto(request.parameters)


def modify_options(request: Request, backend: Any) -> Answer:
    """ModifyVpcPeeringConnectionOptions: of an active one."""
    peering = _find(request, backend)
    if peering._status.code != "active":
        raise AwsError("IncorrectState", f"Peering options can be set when {peering.id} is active.")
    return request.ask_moto(request.parameters)


def describe(request: Request, backend: Any) -> Answer:
    """DescribeVpcPeeringConnections, all of them, with the tags of this side."""
    return {"VpcPeeringConnections": [_shown(request, backend, one) for one in _all(backend)]}


def _shown(request: Request, backend: Any, peering: Any) -> dict[str, Any]:
    active = peering._status.code == "active"

    def side(info: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in info.items() if active or name != "PeeringOptions"}

    return {
        "VpcPeeringConnectionId": peering.id,
        "RequesterVpcInfo": side(peering.requester_vpc_info),
        "AccepterVpcInfo": side(peering.accepter_vpc_info),
        "Status": peering.status,
        "Tags": tags.as_list(backend, peering.id),
    }
