"""Create, get, list, update, accept, reject and delete for every kind of attachment in `attachment_rows.py`.

Sources: terraform-provider-aws, internal/service/networkmanager, and AWS's CloudFormation handlers for the states in
which a delete or update is refused; texts that no reference shows have the form of those that are known.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...errors import AwsError
from ...request import Answer, Request
from .. import elsewhere, lending, tagging
from ..life import vanish
from ..models import Item, NetworkManagerBackend
from ..refusals import conflict, not_found, refused, unverified
from . import nat
from .attachment_life import WAITING, accept, begin, enter, kind_of, reject, unplug
from .attachment_rows import BY_TYPE, Kind, Scene
from .common import check_quota, find, invalid_state, listed, make, require_available, require_edge


def show(item: Item) -> dict[str, Any]:
    """An attachment as lists show it."""
    shown = {**item.members, "AttachmentId": item.id, "State": item.state, "CreatedAt": item.created_at}
    return {**shown, **nat.shown(item), "Tags": tagging.as_list(item.tags)}


def show_after(item: Item) -> dict[str, Any]:
    """An attachment as accept, reject and delete answer it: without Tags if it has none (samples of the AWS CLI)."""
    shown = show(item)
    return shown if item.tags else {name: value for name, value in shown.items() if name != "Tags"}


def show_typed(item: Item) -> dict[str, Any]:
    """An attachment as its kind's own operations show it."""
    kind = BY_TYPE[item.members["AttachmentType"]]
    own = {name: value for name, value in item.notes["own"].items() if name != "VpcArn"}
    return {kind.name: {"Attachment": show(item), **own}}


def create(store: NetworkManagerBackend, kind: Kind, request: Request) -> Answer:
    """Makes an attachment, in the account that it comes from, whosever the core network is."""
    scene = Scene(store, request, request.parameters)
    core = find(store, "CoreNetwork", kind.core(scene))
    require_available(core)
    edges = kind.edges(scene)
    for edge in edges:
        require_edge(store, core, edge)
    refusal = kind.refuse(scene)
    if refusal is not None:
        raise refusal
    arn = kind.arn_of(scene)
    _check_quotas(store, request, core, kind, arn)
    members: dict[str, Any] = {
        "CoreNetworkId": core.id,
        "CoreNetworkArn": core.arn,
        "OwnerAccountId": request.account,
        "AttachmentType": kind.type,
        "ResourceArn": arn,
    }
    if kind.type == "DIRECT_CONNECT_GATEWAY":
        members["EdgeLocations"] = edges
    else:
        members["EdgeLocation"] = edges[0]
    own = {name: request.parameters.get(name) for name in kind.own}
    for name, value in kind.defaults.items():
        own[name] = {**value, **(own[name] or {})}
    translation = nat.configured({}, request.parameters)
    item = make(store, "Attachment", request, members, "CREATING")
    label = request.parameters.get("RoutingPolicyLabel") or None
    item.notes |= {"own": own, "label": label, "nat": translation}
    begin(store, request.world, item, lambda: _problems(item, item.notes["own"]))
    return show_typed(item)


def _problems(item: Item, own: Mapping[str, Any]) -> list[dict[str, Any]]:
    attached = elsewhere.Arn.parse(str(item.members["ResourceArn"]))
    if attached and attached.account != lending.owner(item):  # which code another's thing gets is unverified
        found = [("CREATION_FAILED", "What is attached is another account's.", item.members["ResourceArn"])]
    else:
        found = BY_TYPE[item.members["AttachmentType"]].problems(own)
    return [{"Code": code, "Message": why, "ResourceArn": arn} for code, why, arn in found]


def _check_quotas(store: NetworkManagerBackend, request: Request, core: Item, kind: Kind, arn: str) -> None:
    all_of_them = list(store.of("Attachment").values())
    siblings = [one for one in all_of_them if one.members["CoreNetworkId"] == core.id]
    check_quota(request, "Attachment", siblings, core)
    same = [one for one in all_of_them if one.members["ResourceArn"] == arn and one.state != "REJECTED"]
    if kind.type == "CONNECT":
        return
    if any(one in siblings for one in same):
        raise unverified(
            request, f"{arn} is attached to this core network already.", "attachment", same[0].id
        )
    if kind.type == "VPC":
        check_quota(request, "AttachmentsPerVpc", same, core)


def get(store: NetworkManagerBackend, kind: Kind, request: Request) -> Answer:
    """One attachment of a kind; one of another kind is not found."""
    item = find(store, "Attachment", str(request.parameters["AttachmentId"]))
    if item.members["AttachmentType"] != kind.type:
        raise not_found("attachment", item.id)
    return show_typed(item)


def list_all(store: NetworkManagerBackend, request: Request) -> Answer:
    """All attachments that match."""
    given = request.parameters
    wanted = {name: given[name] for name in ("CoreNetworkId", "AttachmentType") if given.get(name)}
    edge, state = given.get("EdgeLocation"), given.get("State")

    def matches(item: Item) -> bool:
        edges = item.members.get("EdgeLocations") or [item.members.get("EdgeLocation")]
        return (
            all(item.members[name] == value for name, value in wanted.items())
            and edge in (None, *edges)
            and state in (None, item.state)
        )

    return listed(store, "Attachment", request, "Attachments", show, matches)


def update_vpc(store: NetworkManagerBackend, request: Request) -> Answer:
    """Adds and removes subnets and changes options; what is not named stays. Options wait for acceptance
    (terraform-provider-aws PR #34547). That a failed update leaves the attachment as it was, and says why, is
    unverified."""
    item = _of_type(store, request, "VPC")
    given = request.parameters
    waits = item.state == "PENDING_ATTACHMENT_ACCEPTANCE" and not given.get("Options")
    if item.state != "AVAILABLE" and not waits:
        raise _bad_state(item)
    before = item.notes["own"]
    gone, more = given.get("RemoveSubnetArns") or [], given.get("AddSubnetArns") or []
    kept = [arn for arn in before["SubnetArns"] if arn not in gone]
    own = {
        **before,
        "SubnetArns": [*kept, *(arn for arn in more if arn not in kept)],
        "Options": {**before["Options"], **(given.get("Options") or {})},
    }
    if not own["SubnetArns"]:
        raise refused("A VPC attachment must keep at least one subnet.")
    item.notes["own"] = own
    if waits:
        return show_typed(item)
    item.members.pop("LastModificationErrors", None)
    problems = _problems(item, own)
    if not problems:
        enter(store, request.world, item, "UPDATING")
        return show_typed(item)

    def failed() -> None:
        item.notes["own"] = before
        item.members["LastModificationErrors"] = problems
        enter(store, request.world, item, "AVAILABLE")

    enter(store, request.world, item, "UPDATING", failed)
    return show_typed(item)


def update_direct_connect(store: NetworkManagerBackend, request: Request) -> Answer:
    """Replaces the list of edges, in AVAILABLE."""
    item = _of_type(store, request, "DIRECT_CONNECT_GATEWAY")
    core = find(store, "CoreNetwork", item.members["CoreNetworkId"])
    if item.state != "AVAILABLE":
        raise _bad_state(item)
    edges = request.parameters.get("EdgeLocations")
    if edges is not None:
        for edge in edges:
            require_edge(store, core, edge)
        item.members["EdgeLocations"] = list(edges)
    enter(store, request.world, item, "UPDATING")
    return show_typed(item)


def accept_one(store: NetworkManagerBackend, request: Request) -> Answer:
    """Accepts what waits for it; anything else is refused (its code is unverified)."""
    item = _waiting(store, request)
    accept(store, request.world, item)
    return {"Attachment": show_after(item)}


def reject_one(store: NetworkManagerBackend, request: Request) -> Answer:
    """Rejects what waits for it."""
    item = _waiting(store, request)
    reject(store, request.world, item)
    return {"Attachment": show_after(item)}


def delete(store: NetworkManagerBackend, request: Request) -> Answer:
    """Deletes an attachment that is at rest and that nothing stands on; one that waits for acceptance must be rejected
    first (terraform-provider-aws #34501)."""
    item = find(store, "Attachment", str(request.parameters["AttachmentId"]))
    if item.state == "DELETING":
        raise conflict(f"{item.id} is being deleted.", "attachment", item.id)  # unverified
    if item.state not in ("AVAILABLE", "REJECTED", "FAILED"):
        raise _bad_state(item)
    there = store.of("Attachment").values()
    if any(one.notes["own"].get("TransportAttachmentId") == item.id for one in there):
        raise refused("Attachment cannot be deleted due to existing Connect attachment.")
    if any(one.members["ConnectAttachmentId"] == item.id for one in store.of("ConnectPeer").values()):
        raise unverified(request, "Attachment has Connect peers.", "attachment", item.id)
    item.members["UpdatedAt"] = request.world.settings.clock.now()
    vanish(request.world, store, item, kind_of(item), before_gone=lambda: unplug(request.world, item))
    return {"Attachment": show_after(item)}


def _of_type(store: NetworkManagerBackend, request: Request, wanted: str) -> Item:
    item = find(store, "Attachment", str(request.parameters["AttachmentId"]))
    if item.members["AttachmentType"] != wanted:
        raise not_found("attachment", item.id)
    return item


def _waiting(store: NetworkManagerBackend, request: Request) -> Item:
    item = find(store, "Attachment", str(request.parameters["AttachmentId"]))
    if item.state not in WAITING:
        raise unverified(
            request, f"Attachment state is invalid. attachment id: {item.id}", "attachment", item.id
        )
    return item


def _bad_state(item: Item) -> AwsError:
    return invalid_state("Attachment", item.id)
