"""Peerings of a core network with a transit gateway.

Sources: botocore's model (PeeringErrorCode); AWS Cloud WAN user guide, "Peerings" and "Quotas" (50 per core network);
terraform-provider-aws, transit_gateway_peering.go.  AWS makes an attachment in EC2 for each, which EC2 lists and which
keeps the transit gateway from being deleted.
"""

from __future__ import annotations

from typing import Any

from ...request import Answer, Request
from .. import elsewhere, tagging
from ..life import enter, vanish
from ..models import Item, NetworkManagerBackend
from ..refusals import conflict, refused, unverified
from .common import check_quota, check_region_of, core_of, find, listed, make, require_available, require_edge

KIND = "peering"


def _show(item: Item) -> dict[str, Any]:
    shown = {**item.members, "PeeringId": item.id, "State": item.state, "CreatedAt": item.created_at}
    return {**shown, "Tags": tagging.as_list(item.tags)}


def _show_typed(item: Item) -> dict[str, Any]:
    shown: dict[str, Any] = {"Peering": _show(item), "TransitGatewayArn": item.members["ResourceArn"]}
    if item.notes.get("attachment"):
        shown["TransitGatewayPeeringAttachmentId"] = item.notes["attachment"]
    return {"TransitGatewayPeering": shown}


def create(store: NetworkManagerBackend, request: Request) -> Answer:
    """Peers with a transit gateway, which must be at an edge of the core network, and the caller's: a core network of
    another account is shared with that of the gateway (AWS Cloud WAN user guide, "Peerings")."""
    core, arn = core_of(store, request), str(request.parameters["TransitGatewayArn"])
    require_available(core)
    edge = check_region_of(arn, "TransitGatewayArn", elsewhere.region_of(arn))
    require_edge(store, core, edge)
    siblings = [one for one in store.of("Peering").values() if one.members["CoreNetworkId"] == core.id]
    check_quota(request, "Peering", siblings, core)
    if any(one.members["ResourceArn"] == arn and one.state != "FAILED" for one in siblings):
        raise unverified(request, "The transit gateway has a peering already.", KIND, arn)
    members = {
        "CoreNetworkId": core.id,
        "CoreNetworkArn": core.arn,
        "OwnerAccountId": request.account,
        "PeeringType": "TRANSIT_GATEWAY",
        "EdgeLocation": edge,
        "ResourceArn": arn,
    }
    item = make(store, "Peering", request, members, "CREATING")

    def created() -> None:
        theirs = elsewhere.account_of(arn) != request.account
        item.notes["attachment"] = None if theirs else elsewhere.peer(arn, core.id, core.notes["owner"])
        if item.notes["attachment"] is not None:
            enter(request.world, item, KIND, "AVAILABLE")
            return
        item.members["LastModificationErrors"] = [
            {
                "Code": "TRANSIT_GATEWAY_NOT_FOUND",
                "Message": "The transit gateway does not exist.",
                "ResourceArn": arn,
            }
        ]
        enter(request.world, item, KIND, "FAILED")

    enter(request.world, item, KIND, "CREATING", created)
    return _show_typed(item)


def get(store: NetworkManagerBackend, request: Request) -> Answer:
    """One peering."""
    return _show_typed(find(store, "Peering", str(request.parameters["PeeringId"])))


def list_all(store: NetworkManagerBackend, request: Request) -> Answer:
    """The peerings that match."""
    given = request.parameters
    wanted = {
        name: given[name] for name in ("CoreNetworkId", "PeeringType", "EdgeLocation") if given.get(name)
    }

    def matches(item: Item) -> bool:
        found = all(item.members[name] == value for name, value in wanted.items())
        return found and given.get("State") in (None, item.state)

    return listed(store, "Peering", request, "Peerings", _show, matches)


def delete(store: NetworkManagerBackend, request: Request) -> Answer:
    """Ends a peering; attachments of route tables over it go first."""
    item = find(store, "Peering", str(request.parameters["PeeringId"]))
    if item.state in ("CREATING", "DELETING"):
        raise conflict(f"Peering state is invalid. peering id: {item.id}", KIND, item.id)
    if any(one.notes["own"].get("PeeringId") == item.id for one in store.of("Attachment").values()):
        raise refused("Peering has transit gateway route table attachments.")

    def before_gone() -> None:
        elsewhere.part(item.members["ResourceArn"], item.notes.get("attachment"))

    vanish(request.world, store, item, KIND, before_gone=before_gone)
    return {"Peering": _show(item)}
