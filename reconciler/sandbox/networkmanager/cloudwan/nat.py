"""NAT configurations of attachments: given at creation, listed, replaced as a whole.

Source: botocore's model alone (doc strings of CreateConnectAttachment and UpdateAttachmentNatConfiguration): words in
are ENABLE and DISABLE, words out ENABLED, ENABLING and so on; at most 50 rules; enabling needs at least one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...request import Answer, Request
from .. import life
from ..models import Item, NetworkManagerBackend
from ..refusals import invalid_field
from .attachment_life import WAITING
from .common import core_of, find, invalid_state, page_of

_MOST_RULES = 50
_UNDER_WAY = ("CREATING", "UPDATING", "PENDING_NETWORK_UPDATE")


def configured(old: Mapping[str, Any], parameters: Mapping[str, Any]) -> dict[str, Any]:
    """A configuration with what a request says of NAT; what it does not say stays."""
    new = dict(old)
    for member in ("NatGatewaySupport", "NatSystemRouteSupport", "NatGatewayRules"):
        if parameters.get(member) is not None:
            new[member] = parameters[member]
    rules = new.get("NatGatewayRules", [])
    if len(rules) > _MOST_RULES:
        raise invalid_field("NatGatewayRules", f"must be at most {_MOST_RULES} entries.")
    numbers = [rule["RuleNumber"] for rule in rules]
    if len(set(numbers)) != len(numbers):
        raise invalid_field("NatGatewayRules", "rule numbers must be unique.")
    if new.get("NatGatewaySupport") == "ENABLE" and not rules:
        raise invalid_field(
            "NatGatewayRules", "at least one rule must be given to enable NAT gateway support."
        )
    return new


def shown(item: Item) -> dict[str, Any]:
    """What an attachment shows of NAT; nothing if it was never told anything (unverified)."""
    nat = item.notes.get("nat")
    if not nat:
        return {}
    members = {"NatGatewaySupport": _support(item, nat)}
    if "NatSystemRouteSupport" in nat:
        members["NatSystemRouteSupport"] = nat["NatSystemRouteSupport"]
    return members


def _support(item: Item, nat: Mapping[str, Any]) -> str:
    if item.state == "PENDING_ATTACHMENT_ACCEPTANCE":
        return "PENDING_ATTACHMENT_ACCEPTANCE"
    enabled = nat.get("NatGatewaySupport") == "ENABLE"
    if item.state in _UNDER_WAY:
        return "ENABLING" if enabled else "DISABLING"
    return "ENABLED" if enabled else "DISABLED"


def _configuration(item: Item) -> dict[str, Any]:
    nat = item.notes.get("nat") or {}
    state = "CREATING" if item.state in _UNDER_WAY else "ACTIVATED"
    if item.state == "PENDING_ATTACHMENT_ACCEPTANCE":
        state = "PENDING_ATTACHMENT_ACCEPTANCE"
    rules = [{**rule, "State": state} for rule in nat.get("NatGatewayRules", [])]
    return {"AttachmentId": item.id, **shown(item), "NatGatewayRules": rules}


def list_all(store: NetworkManagerBackend, request: Request) -> Answer:
    """The configurations of a core network's attachments, or of one."""
    core, attachment = request.parameters.get("CoreNetworkId"), request.parameters.get("AttachmentId")
    if core is not None:
        core_of(store, request)
    found = [
        _configuration(item)
        for item in store.of("Attachment").values()
        if item.notes.get("nat")
        and core in (None, item.members["CoreNetworkId"])
        and attachment in (None, item.id)
    ]
    return page_of(found, request, "AttachmentNatConfigurations")


def update(store: NetworkManagerBackend, request: Request) -> Answer:
    """Changes what is named, the list of rules as a whole (doc string of UpdateAttachmentNatConfiguration, which names
    the states too)."""
    item = find(store, "Attachment", str(request.parameters["AttachmentId"]))
    if item.state not in ("AVAILABLE", *WAITING):
        raise invalid_state("Attachment", item.id)
    if item.members["AttachmentType"] == "TRANSIT_GATEWAY_ROUTE_TABLE":
        raise invalid_field("AttachmentId", "Attachments of this type have no NAT.")
    item.notes["nat"] = configured(item.notes["nat"], request.parameters)
    if item.state == "AVAILABLE":  # what waits for a person has it once it is accepted
        life.settle(request.world, item, "nat-configuration", "UPDATING")
    return _configuration(item)
