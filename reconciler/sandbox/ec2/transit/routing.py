"""Which route table an attachment looks into, and which tables learn its routes.

An attachment is associated with one table at most and propagates to any number; both take time, and neither is kept
with the table.  Source: EC2 API reference, AssociateTransitGatewayRouteTable, DisassociateTransitGatewayRouteTable,
EnableTransitGatewayRouteTablePropagation, DisableTransitGatewayRouteTablePropagation and their Get operations; Amazon
VPC Transit Gateways guide, "Transit gateway route tables".  Called by `answers.py` and by whatever makes or ends an
attachment.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...errors import AwsError
from ...request import Answer, Request
from ...world import World
from .. import missing
from . import things
from .things import ROUTE_TABLE, Thing


def give_defaults(world: World, backend: Any, attachment: Thing) -> None:
    """What the gateway's options say of a new attachment: associated with one table, and propagated to one."""
    gateway = backend.transit_gateways.get(attachment.transit_gateway_id)
    options = gateway.members["Options"] if isinstance(gateway, Thing) else {}
    if options.get("DefaultRouteTableAssociation") == "enable":
        attachment.notes["association"] = {
            "table": options["AssociationDefaultRouteTableId"],
            "state": "associated",
        }
    if options.get("DefaultRouteTablePropagation") == "enable" and attachment.notes["type"] != "peering":
        _propagations(attachment)[options["PropagationDefaultRouteTableId"]] = "enabled"


def leave(attachment: Thing) -> None:
    """An attachment that is gone is in no table any more; static routes to it are left, and lead nowhere."""
    attachment.notes.pop("association", None)
    attachment.notes.pop("propagations", None)


def _propagations(attachment: Thing) -> dict[str, str]:
    found: dict[str, str] = attachment.notes.setdefault("propagations", {})
    return found


def attachment_named(backend: Any, id: Any) -> Thing:
    """The attachment that a request names, of whatever type."""
    found = backend.transit_gateway_attachments.get(str(id))
    if not isinstance(found, Thing) or found.is_gone:
        kind = missing.TRANSIT_GATEWAY_ATTACHMENT
        raise AwsError(kind.code, kind.message.format(id))
    return found


def _pair(request: Request, backend: Any) -> tuple[Thing, Thing]:
    """Table and attachment of a request: both available, and of one gateway."""
    table = things.available(backend, ROUTE_TABLE, request.parameters.get("TransitGatewayRouteTableId"))
    attachment = attachment_named(backend, request.parameters.get("TransitGatewayAttachmentId"))
    things.check_available(attachment)
    if table.transit_gateway_id not in gateways_of(attachment):
        raise AwsError(
            "InvalidParameterValue", f"{attachment.id} is not an attachment of {table.transit_gateway_id}."
        )
    return table, attachment


def gateways_of(attachment: Thing) -> set[str]:
    """The gateways that an attachment is of: one, and of a peering within one region both."""
    return {str(attachment.transit_gateway_id), *attachment.notes.get("gateways", ())}


def _row(attachment: Thing, state: str) -> dict[str, Any]:
    return {
        "TransitGatewayAttachmentId": attachment.id,
        "ResourceId": attachment.notes["resource"],
        "ResourceType": attachment.notes["type"],
        "State": state,
    }


def attachments(backend: Any) -> Iterator[Thing]:
    """All attachments that we know more of than that they are there."""
    return (one for one in backend.transit_gateway_attachments.values() if isinstance(one, Thing))


def _later(request: Request, kind: str, state: str, effect: Any) -> None:
    request.world.timeline.after(request.world.settings.delays.of(kind, state), effect)


# ---- associations


def associate(request: Request, backend: Any) -> Answer:
    """AssociateTransitGatewayRouteTable: an attachment has one table, and the old one has to be left first."""
    table, attachment = _pair(request, backend)
    if attachment.notes.get("association"):
        raise AwsError(
            "Resource.AlreadyAssociated",
            f"Transit Gateway Attachment {attachment.id} is already associated to a route table.",
        )
    there = attachment.notes["association"] = {"table": table.id, "state": "associating"}

    def associated() -> None:
        if there["state"] == "associating":
            there["state"] = "associated"

    _later(request, "transit-gateway-association", "associating", associated)
    return {
        "Association": {**_row(attachment, there["state"]), "TransitGatewayRouteTableId": table.id},
    }


def disassociate(request: Request, backend: Any) -> Answer:
    """DisassociateTransitGatewayRouteTable: until it is over, no other association can be made."""
    table, attachment = _pair(request, backend)
    there = attachment.notes.get("association")
    if there is None or there["table"] != table.id:
        raise AwsError("InvalidAssociation.NotFound", f"{attachment.id} is not associated with {table.id}.")
    there["state"] = "disassociating"

    def gone() -> None:
        if attachment.notes.get("association") is there:
            del attachment.notes["association"]

    _later(request, "transit-gateway-association", "disassociating", gone)
    return {
        "Association": {**_row(attachment, "disassociating"), "TransitGatewayRouteTableId": table.id},
    }


def associations(request: Request, backend: Any) -> Answer:
    """GetTransitGatewayRouteTableAssociations."""
    table = things.named(backend, ROUTE_TABLE, request.parameters.get("TransitGatewayRouteTableId"))
    return {"Associations": [_row(one, one.notes["association"]["state"]) for one in _in(backend, table)]}


def _in(backend: Any, table: Thing) -> list[Thing]:
    return [
        one
        for one in attachments(backend)
        if (one.notes.get("association") or {}).get("table") == table.id and not one.is_gone
    ]


def is_associated(backend: Any, table: Thing) -> bool:
    """Whether something looks into a table."""
    return bool(_in(backend, table))


# ---- propagations


def enable(request: Request, backend: Any) -> Answer:
    """EnableTransitGatewayRouteTablePropagation: peerings have no routes to tell."""
    table, attachment = _pair(request, backend)
    if attachment.notes["type"] == "peering":
        raise AwsError("InvalidParameterValue", "Peering attachments do not propagate routes.")
    there = _propagations(attachment)
    if table.id in there:  # the code is unverified
        raise AwsError(
            "TransitGatewayRouteTablePropagation.Duplicate",
            f"Propagation of {attachment.id} to {table.id} is enabled already.",
        )
    there[table.id] = "enabling"

    def enabled() -> None:
        if there.get(table.id) == "enabling":
            there[table.id] = "enabled"

    _later(request, "transit-gateway-propagation", "enabling", enabled)
    return {"Propagation": {**_row(attachment, "enabling"), "TransitGatewayRouteTableId": table.id}}


def disable(request: Request, backend: Any) -> Answer:
    """DisableTransitGatewayRouteTablePropagation."""
    table, attachment = _pair(request, backend)
    there = _propagations(attachment)
    if table.id not in there:
        raise AwsError(
            "TransitGatewayRouteTablePropagation.NotFound",
            f"Propagation of {attachment.id} to {table.id} is not enabled.",
        )
    there[table.id] = "disabling"

    def gone() -> None:
        if there.get(table.id) == "disabling":
            del there[table.id]

    _later(request, "transit-gateway-propagation", "disabling", gone)
    return {"Propagation": {**_row(attachment, "disabling"), "TransitGatewayRouteTableId": table.id}}


def propagating(backend: Any, table: Thing) -> list[tuple[Thing, str]]:
    """The attachments that propagate to a table, with how far that is."""
    return [
        (one, one.notes["propagations"][table.id])
        for one in attachments(backend)
        if table.id in one.notes.get("propagations", {}) and not one.is_gone
    ]


def propagations(request: Request, backend: Any) -> Answer:
    """GetTransitGatewayRouteTablePropagations."""
    table = things.named(backend, ROUTE_TABLE, request.parameters.get("TransitGatewayRouteTableId"))
    return {
        "TransitGatewayRouteTablePropagations": [
            _row(one, state) for one, state in propagating(backend, table)
        ]
    }
