"""References of a transit gateway's route tables to prefix lists: each leads all ranges of a list to one attachment.

Source: EC2 API reference, CreateTransitGatewayPrefixListReference, ModifyTransitGatewayPrefixListReference,
DeleteTransitGatewayPrefixListReference, GetTransitGatewayPrefixListReferences, TransitGatewayPrefixListReference;
Amazon VPC Transit Gateways guide, "Prefix list references".  The codes for one that is there twice, or not at all, are
unverified.  Called by `answers.py`, and by whoever shows routes or deletes prefix lists.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...errors import AwsError
from ...request import Answer, Request
from ..filters import keep, read_filters
from ..missing import PREFIX_LIST, require
from . import route_tables, things
from .things import ROUTE_TABLE, Thing

_FILTERS = {
    "attachment.resource-id": "TransitGatewayAttachment.ResourceId",
    "attachment.resource-type": "TransitGatewayAttachment.ResourceType",
    "attachment.transit-gateway-attachment-id": "TransitGatewayAttachment.TransitGatewayAttachmentId",
    "is-blackhole": "Blackhole",
    "prefix-list-id": "PrefixListId",
    "prefix-list-owner-id": "PrefixListOwnerId",
    "state": "State",
}


def _table(request: Request, backend: Any) -> Thing:
    return things.available(backend, ROUTE_TABLE, request.parameters.get("TransitGatewayRouteTableId"))


def references_of(table: Thing) -> dict[str, dict[str, Any]]:
    """The references of a table, by the id of the list."""
    found: dict[str, dict[str, Any]] = table.notes.setdefault("references", {})
    return found


def is_referred_to(backend: Any, prefix_list: str) -> bool:
    """Whether a table that is still there refers to a prefix list."""
    tables = things.all_of(backend, ROUTE_TABLE)
    return any(prefix_list in references_of(table) for table in tables if not table.is_gone)


def create(request: Request, backend: Any) -> Answer:
    """CreateTransitGatewayPrefixListReference."""
    table = _table(request, backend)
    wanted = require(backend, PREFIX_LIST, str(request.parameters.get("PrefixListId")))
    if wanted.id in references_of(table):
        raise AwsError("PrefixListReferenceAlreadyExists", f"{table.id} refers to {wanted.id} already.")
    reference = {"target": route_tables.target(request, backend, table)}
    references_of(table)[wanted.id] = reference
    return _settling(request, backend, table, wanted.id, reference, "pending")


def modify(request: Request, backend: Any) -> Answer:
    """ModifyTransitGatewayPrefixListReference."""
    table = _table(request, backend)
    id, reference = _named(request, table)
    if reference["state"] != "available":
        raise AwsError("IncorrectState", f"The reference to {id} is {reference['state']}.")
    reference["target"] = route_tables.target(request, backend, table)
    return _settling(request, backend, table, id, reference, "modifying")


def _named(request: Request, table: Thing) -> tuple[str, dict[str, Any]]:
    id = str(request.parameters.get("PrefixListId"))
    if id not in references_of(table):
        raise AwsError("InvalidPrefixListID.NotFound", f"{table.id} has no reference to {id}.")
    return id, references_of(table)[id]


def delete(request: Request, backend: Any) -> Answer:
    """DeleteTransitGatewayPrefixListReference."""
    table = _table(request, backend)
    id, reference = _named(request, table)
    reference["state"] = "deleting"

    def gone() -> None:
        if references_of(table).get(id) is reference:
            del references_of(table)[id]

    _later(request, "deleting", gone)
    return _answer(backend, table, id, reference)


def _settling(
    request: Request, backend: Any, table: Thing, id: str, reference: dict[str, Any], state: str
) -> Answer:
    reference["state"] = state

    def available() -> None:
        if reference["state"] == state:
            reference["state"] = "available"

    _later(request, state, available)
    return _answer(backend, table, id, reference)


def _later(request: Request, state: str, effect: Any) -> None:
    delay = request.world.settings.delays.of("transit-gateway-prefix-list-reference", state)
    request.world.timeline.after(delay, effect)


def _answer(backend: Any, table: Thing, id: str, reference: Mapping[str, Any]) -> Answer:
    return {"TransitGatewayPrefixListReference": _shown(backend, table, id, reference)}


def _shown(backend: Any, table: Thing, id: str, reference: Mapping[str, Any]) -> dict[str, Any]:
    shown = {
        "TransitGatewayRouteTableId": table.id,
        "PrefixListId": id,
        "PrefixListOwnerId": backend.managed_prefix_lists[id].owner_id,
        "State": reference["state"],
        "Blackhole": reference["target"] is None,
    }
    if attachment := _leads_to(backend, reference):
        shown["TransitGatewayAttachment"] = route_tables.leads_to(attachment)
    return shown


def _leads_to(backend: Any, reference: Mapping[str, Any]) -> Thing | None:
    """The attachment, if it is there."""
    found = backend.transit_gateway_attachments.get(reference["target"])
    return found if isinstance(found, Thing) and not found.is_gone else None


def describe(request: Request, backend: Any) -> Answer:
    """GetTransitGatewayPrefixListReferences."""
    table = things.named(backend, ROUTE_TABLE, request.parameters.get("TransitGatewayRouteTableId"))
    rows = [_shown(backend, table, id, one) for id, one in references_of(table).items()]
    filters = read_filters(request.parameters.get("Filters"))
    return {"TransitGatewayPrefixListReferences": keep(rows, filters, _FILTERS, ())}


def routes(backend: Any, table: Thing) -> Iterator[dict[str, Any]]:
    """What the lists of a table stand for, as SearchTransitGatewayRoutes shows it."""
    for id, reference in references_of(table).items():
        prefix_list = backend.managed_prefix_lists[id]
        attachment = _leads_to(backend, reference)
        leads = {"TransitGatewayAttachments": [route_tables.leads_to(attachment)]} if attachment else {}
        for entry in prefix_list.entries.get(prefix_list.version) or ():
            yield {
                "DestinationCidrBlock": entry["Cidr"],
                "PrefixListId": id,
                "Type": "static",
                "State": "active" if attachment else "blackhole",
                **leads,
            }
