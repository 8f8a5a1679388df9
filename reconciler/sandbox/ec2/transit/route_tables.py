"""Route tables of transit gateways and their static routes; what attachments propagate is shown beside them.

Source: EC2 API reference, CreateTransitGatewayRouteTable, DeleteTransitGatewayRouteTable, CreateTransitGatewayRoute,
ReplaceTransitGatewayRoute, DeleteTransitGatewayRoute, SearchTransitGatewayRoutes (its filters are mandatory).  Called
by `answers.py`.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Any

from ...errors import AwsError
from ...request import Answer, Request
from ..filters import keep, read_filters
from . import references, routing, things
from .things import ROUTE_TABLE, TRANSIT_GATEWAY, Thing

_FILTERS = {
    "attachment.resource-id": "TransitGatewayAttachments.ResourceId",
    "attachment.resource-type": "TransitGatewayAttachments.ResourceType",
    "attachment.transit-gateway-attachment-id": "TransitGatewayAttachments.TransitGatewayAttachmentId",
    "prefix-list-id": "PrefixListId",
    "route-search.exact-match": "DestinationCidrBlock",
    "state": "State",
    "type": "Type",
}
"""Of SearchTransitGatewayRoutes, less three searches that nobody here makes."""


def create(request: Request, backend: Any) -> Answer:
    """CreateTransitGatewayRouteTable."""
    gateway = things.available(backend, TRANSIT_GATEWAY, request.parameters.get("TransitGatewayId"))
    members = {
        "TransitGatewayId": gateway.id,
        "DefaultAssociationRouteTable": False,
        "DefaultPropagationRouteTable": False,
        "CreationTime": request.world.settings.clock.now(),
    }
    table = things.make(request, backend, ROUTE_TABLE, members, routes={})
    things.settle(request.world, table, "pending")
    return things.answer(backend, table)


def delete(request: Request, backend: Any) -> Answer:
    """DeleteTransitGatewayRouteTable: not while it is a default one, or something is associated with it."""
    table = things.named(backend, ROUTE_TABLE, request.parameters.get("TransitGatewayRouteTableId"))
    if table.state != "deleting":
        things.check_available(table)
        if table.members["DefaultAssociationRouteTable"] or table.members["DefaultPropagationRouteTable"]:
            raise AwsError("IncorrectState", f"{table.id} is a default route table.")
        if routing.is_associated(backend, table):
            raise AwsError("IncorrectState", f"{table.id} has associations.")
        for attachment, _ in routing.propagating(backend, table):
            del attachment.notes["propagations"][table.id]
        things.vanish(request, backend, table)
    return things.answer(backend, table)


# ---- routes


def _cidr(request: Request) -> str:
    given = str(request.parameters.get("DestinationCidrBlock"))
    try:
        return str(ipaddress.ip_network(given, strict=False))
    except ValueError as error:
        raise AwsError(
            "InvalidParameterValue", f"Value ({given}) for parameter destinationCidrBlock is invalid."
        ) from error


def target(request: Request, backend: Any, table: Thing) -> str | None:
    """The attachment that a route leads to; None for one that leads nowhere on purpose."""
    id = request.parameters.get("TransitGatewayAttachmentId")
    if bool(id) is bool(request.parameters.get("Blackhole")):
        raise AwsError(
            "InvalidParameterCombination",
            "Exactly one of transitGatewayAttachmentId and blackhole must be given.",
        )
    if not id:
        return None
    attachment = routing.attachment_named(backend, id)
    things.check_available(attachment)
    if table.transit_gateway_id not in routing.gateways_of(attachment):
        raise AwsError("InvalidParameterValue", f"{id} is not an attachment of {table.transit_gateway_id}.")
    return attachment.id


def create_route(request: Request, backend: Any) -> Answer:
    """CreateTransitGatewayRoute."""
    table = things.available(backend, ROUTE_TABLE, request.parameters.get("TransitGatewayRouteTableId"))
    cidr, leads_there = _cidr(request), target(request, backend, table)
    if cidr in table.notes["routes"]:
        raise AwsError("RouteAlreadyExists", f"Route {cidr} already exists in {table.id}.")
    route = table.notes["routes"][cidr] = {"target": leads_there, "state": "pending"}

    def active() -> None:
        if route["state"] == "pending":
            route["state"] = ""

    request.world.timeline.after(request.world.settings.delays.of("transit-gateway-route", "pending"), active)
    return {"Route": _shown(backend, cidr, route)}


def _route(request: Request, table: Thing) -> tuple[str, dict[str, Any]]:
    cidr = _cidr(request)
    found = table.notes["routes"].get(cidr)
    if found is None:
        raise AwsError("InvalidRoute.NotFound", f"Route {cidr} does not exist in {table.id}.")
    return cidr, found


def replace_route(request: Request, backend: Any) -> Answer:
    """ReplaceTransitGatewayRoute."""
    table = things.available(backend, ROUTE_TABLE, request.parameters.get("TransitGatewayRouteTableId"))
    cidr, route = _route(request, table)
    route["target"] = target(request, backend, table)
    return {"Route": _shown(backend, cidr, route)}


def delete_route(request: Request, backend: Any) -> Answer:
    """DeleteTransitGatewayRoute."""
    table = things.available(backend, ROUTE_TABLE, request.parameters.get("TransitGatewayRouteTableId"))
    cidr, route = _route(request, table)
    route["state"] = "deleting"

    def gone() -> None:
        if table.notes["routes"].get(cidr) is route:
            del table.notes["routes"][cidr]

    request.world.timeline.after(request.world.settings.delays.of("transit-gateway-route", "deleting"), gone)
    return {"Route": _shown(backend, cidr, route)}


def _shown(backend: Any, cidr: str, route: dict[str, Any]) -> dict[str, Any]:
    """A static route; one that leads nowhere has no attachments at all."""
    attachment = backend.transit_gateway_attachments.get(route["target"])
    alive = isinstance(attachment, Thing) and not attachment.is_gone
    shown: dict[str, Any] = {
        "DestinationCidrBlock": cidr,
        "Type": "static",
        "State": route["state"] or ("active" if alive else "blackhole"),
    }
    if attachment is not None and alive:
        shown["TransitGatewayAttachments"] = [leads_to(attachment)]
    return shown


def leads_to(attachment: Thing) -> dict[str, Any]:
    """An attachment as the target of a route is shown."""
    return {
        "TransitGatewayAttachmentId": attachment.id,
        "ResourceId": attachment.notes["resource"],
        "ResourceType": attachment.notes["type"],
    }


def _propagated(backend: Any, table: Thing) -> Iterator[dict[str, Any]]:
    """What VPCs tell by themselves; a static route to the same place hides it."""
    for attachment, state in routing.propagating(backend, table):
        vpc = attachment.notes.get("made_in", backend).vpcs.get(attachment.notes["resource"])
        if state == "enabled" and vpc is not None and vpc.cidr_block not in table.notes["routes"]:
            yield {
                "DestinationCidrBlock": vpc.cidr_block,
                "Type": "propagated",
                "State": "active",
                "TransitGatewayAttachments": [leads_to(attachment)],
            }


def search(request: Request, backend: Any) -> Answer:
    """SearchTransitGatewayRoutes."""
    table = things.named(backend, ROUTE_TABLE, request.parameters.get("TransitGatewayRouteTableId"))
    filters = read_filters(request.parameters.get("Filters"))
    if not filters:
        raise AwsError("MissingParameter", "The request must contain the parameter Filters")
    static = [_shown(backend, cidr, route) for cidr, route in table.notes["routes"].items()]
    by_list = references.routes(backend, table)
    found = keep([*static, *by_list, *_propagated(backend, table)], filters, _FILTERS, ())
    return {"Routes": found, "AdditionalRoutesAvailable": False}
