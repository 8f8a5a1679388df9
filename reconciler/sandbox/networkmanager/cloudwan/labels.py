"""Routing policy labels of attachments: not shown by the attachment, but listed by core network.

Sources: botocore's model; AWS Cloud WAN user guide, "attachment-routing-policy-rules"; terraform-provider-aws #46672:
the core network is UPDATING while a label is applied.
"""

from __future__ import annotations

from typing import Any

from ...request import Answer, Request
from .. import life
from ..models import Item, NetworkManagerBackend
from ..refusals import not_found
from .common import core_of, find, live_document, page_of, require_available
from .documents import Document


def _attachment(store: NetworkManagerBackend, request: Request) -> Item:
    core = core_of(store, request)
    item = find(store, "Attachment", str(request.parameters["AttachmentId"]))
    if item.members["CoreNetworkId"] != core.id:
        raise not_found("attachment", item.id)
    return item


def put(store: NetworkManagerBackend, request: Request) -> Answer:
    """Sets the label, in place of the one that is there."""
    item, core = _attachment(store, request), core_of(store, request)
    require_available(core)
    item.notes["label"] = request.parameters["RoutingPolicyLabel"]
    life.settle(request.world, core, "core-network", "UPDATING")
    return _answer(item, str(item.notes["label"]))


def remove(store: NetworkManagerBackend, request: Request) -> Answer:
    """Takes the label away; ResourceNotFoundException if there is none (unverified)."""
    item, core = _attachment(store, request), core_of(store, request)
    label = item.notes.get("label")
    if label is None:
        raise not_found("routing-policy-label", item.id)
    require_available(core)
    item.notes["label"] = None
    life.settle(request.world, core, "core-network", "UPDATING")
    return _answer(item, str(label))


def _answer(item: Item, label: str) -> Answer:
    return {
        "CoreNetworkId": item.members["CoreNetworkId"],
        "AttachmentId": item.id,
        "RoutingPolicyLabel": label,
    }


def list_all(store: NetworkManagerBackend, request: Request) -> Answer:
    """The attachments that have a label, with the routing policies that the live policy gives them."""
    core, wanted = core_of(store, request), request.parameters.get("AttachmentId")
    document = live_document(store, core) or {}
    pending = core.state == "UPDATING"
    found = []
    for item in store.of("Attachment").values():
        label = item.notes.get("label")
        if item.members["CoreNetworkId"] != core.id or label is None or wanted not in (None, item.id):
            continue
        policies = _policies(document, str(label))
        found.append(
            {
                "AttachmentId": item.id,
                "PendingRoutingPolicies": policies if pending else [],
                "AssociatedRoutingPolicies": [] if pending else policies,
                "RoutingPolicyLabel": label,
            }
        )
    return page_of(found, request, "AttachmentRoutingPolicyAssociations")


def _policies(document: Document, label: str) -> list[str]:
    names: list[str] = []
    for rule in document.get("attachment-routing-policy-rules", []):
        conditions: list[dict[str, Any]] = rule.get("conditions", [])
        if any(one.get("type") == "routing-policy-label" and one.get("value") == label for one in conditions):
            names += rule.get("action", {}).get("associate-routing-policies", [])
    return names
