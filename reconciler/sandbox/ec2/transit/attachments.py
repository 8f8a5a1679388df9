"""DescribeTransitGatewayAttachments: everything that is attached to a transit gateway, of whatever type.

Source: EC2 API reference, TransitGatewayAttachment.  Called by `answers.py`.
"""

from __future__ import annotations

from typing import Any

from ...request import Answer, Request
from .. import tags
from . import routing
from .things import Thing


def describe(request: Request, backend: Any) -> Answer:
    """All attachments, those of AWS included."""
    return {
        "TransitGatewayAttachments": [_row(request, backend, one) for one in routing.attachments(backend)]
    }


def _row(request: Request, backend: Any, attachment: Thing) -> dict[str, Any]:
    row: dict[str, Any] = {
        "TransitGatewayAttachmentId": attachment.id,
        "TransitGatewayId": attachment.transit_gateway_id,
        "TransitGatewayOwnerId": attachment.notes.get("owner", request.account),
        "ResourceOwnerId": attachment.members.get("VpcOwnerId", request.account),
        "ResourceType": attachment.notes["type"],
        "ResourceId": attachment.notes["resource"],
        "State": attachment.state,
        "Tags": tags.as_list(backend, attachment.id),
    }
    if "CreationTime" in attachment.members:
        row["CreationTime"] = attachment.members["CreationTime"]
    if association := attachment.notes.get("association"):
        row["Association"] = {
            "TransitGatewayRouteTableId": association["table"],
            "State": association["state"],
        }
    return row
