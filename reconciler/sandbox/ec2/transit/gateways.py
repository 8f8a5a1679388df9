"""Transit gateways: made with a default route table, changed one change at a time, deleted when nothing is attached.

Source: EC2 API reference, CreateTransitGateway, ModifyTransitGateway, DeleteTransitGateway, TransitGatewayOptions;
Amazon VPC Transit Gateways guide, "Transit gateways".  Called by `answers.py`.
"""

from __future__ import annotations

import ipaddress
from typing import Any

from ...errors import AwsError
from ...request import Answer, Request
from .. import lending
from . import things
from .things import ROUTE_TABLE, TRANSIT_GATEWAY, Thing

_DEFAULTS = {
    "AmazonSideAsn": 64512,
    "AutoAcceptSharedAttachments": "disable",
    "DefaultRouteTableAssociation": "enable",
    "DefaultRouteTablePropagation": "enable",
    "DnsSupport": "enable",
    "MulticastSupport": "disable",
    "SecurityGroupReferencingSupport": "disable",
    "VpnEcmpSupport": "enable",
}
_DEFAULT_TABLES = {
    "DefaultRouteTableAssociation": ("AssociationDefaultRouteTableId", "DefaultAssociationRouteTable"),
    "DefaultRouteTablePropagation": ("PropagationDefaultRouteTableId", "DefaultPropagationRouteTable"),
}
"""Option -> the option that names its table, and the flag of that table."""


def create(request: Request, backend: Any) -> Answer:
    """CreateTransitGateway has no ClientToken: two calls make two gateways."""
    options = {**_DEFAULTS, **(request.parameters.get("Options") or {})}
    options["AmazonSideAsn"] = int(options["AmazonSideAsn"])
    blocks = [_block(one) for one in options.pop("TransitGatewayCidrBlocks", None) or []]
    thing = things.make(
        request,
        backend,
        TRANSIT_GATEWAY,
        {
            "OwnerId": request.account,
            "Description": request.parameters.get("Description") or "",
            "CreationTime": request.world.settings.clock.now(),
            "Options": {**options, **({"TransitGatewayCidrBlocks": blocks} if blocks else {})},
        },
    )
    thing.members["TransitGatewayArn"] = (
        f"arn:{request.partition}:ec2:{request.region}:{request.account}:transit-gateway/{thing.id}"
    )
    _give_default_tables(request, backend, thing)
    things.settle(request.world, thing, "pending")
    return things.answer(backend, thing)


def _give_default_tables(request: Request, backend: Any, gateway: Thing) -> None:
    """One table for both defaults, where they are on and have none; it carries no tags."""
    options = gateway.members["Options"]
    lacking = [
        (name, flag)
        for option, (name, flag) in _DEFAULT_TABLES.items()
        if options[option] == "enable" and not options.get(name)
    ]
    if not lacking:
        return
    members = {
        "TransitGatewayId": gateway.id,
        "DefaultAssociationRouteTable": False,
        "DefaultPropagationRouteTable": False,
        "CreationTime": request.world.settings.clock.now(),
    }
    table = things.make(request, backend, ROUTE_TABLE, members, routes={})
    backend.tags.pop(table.id, None)
    for name, flag in lacking:
        options[name], members[flag] = table.id, True
    things.settle(request.world, table, "pending")


def _block(cidr: Any) -> str:
    try:
        return str(ipaddress.ip_network(str(cidr), strict=False))
    except ValueError as error:
        raise AwsError("InvalidParameterValue", f"Value ({cidr}) is not a valid CIDR block.") from error


def describe(request: Request, backend: Any) -> Answer:
    """DescribeTransitGateways: those that others lend are among them, without the tags that these gave them."""
    ours = things.describe(TRANSIT_GATEWAY)(request, backend)["TransitGateways"]
    return {"TransitGateways": [*ours, *(things.show(backend, one) for _, one in lending.lent(backend))]}


def modify(request: Request, backend: Any) -> Answer:
    """ModifyTransitGateway: while it is `modifying` nothing else can be changed."""
    thing = things.available(backend, TRANSIT_GATEWAY, request.parameters.get("TransitGatewayId"))
    changes = dict(request.parameters.get("Options") or {})
    options = thing.members["Options"]
    if "AmazonSideAsn" in changes:
        changes["AmazonSideAsn"] = int(changes["AmazonSideAsn"])
        if any(one.notes.get("type") in {"vpn", "connect"} for one in attachments_of(backend, thing.id)):
            raise AwsError("IncorrectState", f"{thing.id} has attachments that use its ASN.")
    blocks = list(options.get("TransitGatewayCidrBlocks") or [])
    removed = {_block(one) for one in changes.pop("RemoveTransitGatewayCidrBlocks", None) or []}
    added = [_block(one) for one in changes.pop("AddTransitGatewayCidrBlocks", None) or []]
    if unknown := removed - set(blocks):
        raise AwsError("InvalidParameterValue", f"{thing.id} has no CIDR block {sorted(unknown)[0]}")
    blocks = [one for one in blocks if one not in removed] + [one for one in added if one not in blocks]
    if "Description" in request.parameters:
        thing.members["Description"] = request.parameters["Description"]
    thing.members["Options"] = {**options, **changes, "TransitGatewayCidrBlocks": blocks}
    if not blocks:
        del thing.members["Options"]["TransitGatewayCidrBlocks"]
    _give_default_tables(request, backend, thing)
    things.settle(request.world, thing, "modifying")
    return things.answer(backend, thing)


def attachments_of(backend: Any, gateway: str) -> list[Thing]:
    """The attachments of a gateway that still hold it."""
    return [
        one
        for one in backend.transit_gateway_attachments.values()
        if one.transit_gateway_id == gateway and one.state not in things.GONE
    ]


def delete(request: Request, backend: Any) -> Answer:
    """DeleteTransitGateway takes its route tables along; `guards.py` keeps it while something is attached."""
    thing = things.named(backend, TRANSIT_GATEWAY, request.parameters.get("TransitGatewayId"))
    if thing.state != "deleting":
        things.check_available(thing)
        for table in things.all_of(backend, ROUTE_TABLE):
            if table.transit_gateway_id == thing.id and not table.is_gone:
                things.vanish(request, backend, table)
        things.vanish(request, backend, thing)
    return things.answer(backend, thing)
