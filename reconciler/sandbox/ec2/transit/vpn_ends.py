"""The two ends of a VPN: customer gateways, and virtual private gateways with the VPC that they are attached to.

Source: EC2 API reference, CreateCustomerGateway ("If you make an identical request … the call will return the existing
customer gateway"), DeleteCustomerGateway, CreateVpnGateway, AttachVpnGateway, DetachVpnGateway, DeleteVpnGateway;
Site-to-Site VPN guide.  Called by `answers.py`.
"""

from __future__ import annotations

from typing import Any

from ...errors import AwsError
from ...request import Answer, Request
from ..missing import VPC, require
from . import things
from .things import CUSTOMER_GATEWAY, VPN_GATEWAY, Thing

_LONGEST_ASN = 2_147_483_647
"""The largest that BgpAsn takes; BgpAsnExtended takes the others."""


# ---- customer gateways


def create_customer_gateway(request: Request, backend: Any) -> Answer:
    """CreateCustomerGateway: an identical request gets the gateway that is there, with the tags that it has; that the
    new ones are not put on it is unverified."""
    given = request.parameters
    if not (given.get("IpAddress") or given.get("PublicIp") or given.get("CertificateArn")):
        raise AwsError(
            "MissingParameter", "The request must contain the parameter ipAddress or certificateArn"
        )
    members = {"Type": given["Type"]}
    if given.get("BgpAsnExtended"):
        members["BgpAsnExtended"] = str(given["BgpAsnExtended"])
    else:
        members["BgpAsn"] = str(given.get("BgpAsn") or 65000)
        if int(members["BgpAsn"]) > _LONGEST_ASN:
            raise AwsError(
                "InvalidParameterValue", f"Value ({members['BgpAsn']}) for parameter bgpAsn is invalid."
            )
    for name in ("CertificateArn", "DeviceName"):
        if given.get(name):
            members[name] = given[name]
    if address := given.get("IpAddress") or given.get("PublicIp"):
        members["IpAddress"] = address
    for thing in things.all_of(backend, CUSTOMER_GATEWAY):
        if thing.members == members and thing.state in {"pending", "available"}:
            return things.answer(backend, thing)
    thing = things.make(request, backend, CUSTOMER_GATEWAY, members)
    things.settle(request.world, thing, "pending")
    return things.answer(backend, thing)


def delete_customer_gateway(request: Request, backend: Any) -> Answer:
    """DeleteCustomerGateway; `guards.py` keeps it while a VPN connection uses it."""
    thing = things.named(backend, CUSTOMER_GATEWAY, request.parameters.get("CustomerGatewayId"))
    if thing.state != "deleting":
        things.vanish(request, backend, thing)
    return {}


# ---- virtual private gateways


def create_vpn_gateway(request: Request, backend: Any) -> Answer:
    """CreateVpnGateway."""
    given = request.parameters
    members: dict[str, Any] = {
        "Type": given["Type"],
        "AmazonSideAsn": int(given.get("AmazonSideAsn") or 64512),
        "VpcAttachments": [],
    }
    if given.get("AvailabilityZone"):
        members["AvailabilityZone"] = given["AvailabilityZone"]
    thing = things.make(request, backend, VPN_GATEWAY, members)
    things.settle(request.world, thing, "pending")
    return things.answer(backend, thing)


def attachment_of(gateway: Thing) -> dict[str, Any] | None:
    """Where a gateway is attached, or is about to be or not to be any more."""
    live = (one for one in gateway.members["VpcAttachments"] if one["State"] != "detached")
    return next(live, None)


def attach(request: Request, backend: Any) -> Answer:
    """AttachVpnGateway: one VPC a gateway and one gateway a VPC; the codes are those that users report."""
    thing = things.available(backend, VPN_GATEWAY, request.parameters.get("VpnGatewayId"))
    vpc = require(backend, VPC, str(request.parameters.get("VpcId")))
    there = attachment_of(thing)
    if there is not None and (there["VpcId"] != vpc.id or there["State"] == "detaching"):
        raise AwsError(
            "VpnGatewayAttachmentLimitExceeded",
            f"The vpnGateway ID '{thing.id}' already has the maximum number of attachments.",
        )
    for other in things.all_of(backend, VPN_GATEWAY):
        if other is not thing and (attachment_of(other) or {}).get("VpcId") == vpc.id:
            raise AwsError("InvalidVpcState", f"The VPC '{vpc.id}' already has a VPN gateway attached.")
    if there is None:
        there = {"VpcId": vpc.id, "State": "attaching"}
        thing.members["VpcAttachments"] = [there]
        _later(request, thing, there, "attaching", "attached")
    return {"VpcAttachment": dict(there)}


def detach(request: Request, backend: Any) -> Answer:
    """DetachVpnGateway; while VPN connections of the gateway are pending it cannot be."""
    thing = things.named(backend, VPN_GATEWAY, request.parameters.get("VpnGatewayId"))
    there = attachment_of(thing)
    if there is None or there["VpcId"] != request.parameters.get("VpcId"):
        raise AwsError(
            "InvalidVpnGatewayAttachment.NotFound",
            f"The attachment with vpn gateway ID '{thing.id}' and vpc ID '{request.parameters.get('VpcId')}' "
            "does not exist",
        )
    there["State"] = "detaching"
    _later(request, thing, there, "detaching", "detached")
    return {}


def _later(request: Request, thing: Thing, there: dict[str, Any], now: str, then: str) -> None:
    def effect() -> None:
        if there["State"] == now:
            there["State"] = then

    request.world.timeline.after(request.world.settings.delays.of(thing.sort.name, now), effect)


def delete_vpn_gateway(request: Request, backend: Any) -> Answer:
    """DeleteVpnGateway; `guards.py` keeps it while it is attached or has VPN connections."""
    thing = things.named(backend, VPN_GATEWAY, request.parameters.get("VpnGatewayId"))
    if thing.state != "deleting":
        things.vanish(request, backend, thing)
    return {}
