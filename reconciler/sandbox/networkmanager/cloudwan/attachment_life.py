"""How an attachment comes to be, waits for a person, moves to another segment and goes.

Sources: AWS Cloud WAN user guide, "Attachments" and "Attachment acceptance"; terraform-provider-aws, vpc_attachment.go
and attachment_accepter.go, for the states it waits through: an attachment in a segment that wants acceptance waits for
it, whoever owns it; a change of tags that would move it proposes the move, and waits likewise if the new segment wants
acceptance; a rejected one shows AVAILABLE before it shows REJECTED (the AWS CLI's sample of reject-attachment, too).
Unverified: what an attachment is that no rule matches (here AVAILABLE, in no segment), and that a change of the policy
moves attachments without anybody's acceptance.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...world import World
from .. import elsewhere, life
from ..models import Item, NetworkManagerBackend
from .common import live_document
from .matching import Facts, Match, match

WAITING = ("PENDING_ATTACHMENT_ACCEPTANCE", "PENDING_TAG_ACCEPTANCE")
_POLICY_TYPES = {
    "VPC": "vpc",
    "CONNECT": "connect",
    "SITE_TO_SITE_VPN": "site-to-site-vpn",
    "DIRECT_CONNECT_GATEWAY": "direct-connect-gateway",
    "TRANSIT_GATEWAY_ROUTE_TABLE": "transit-gateway-route-table",
}
_PLACED = ("SegmentName", "NetworkFunctionGroupName", "AttachmentPolicyRuleNumber")
_PROPOSED = ("ProposedSegmentChange", "ProposedNetworkFunctionGroupChange")


def kind_of(item: Item) -> str:
    """Its name among the delays: "vpc-attachment", …"""
    return _POLICY_TYPES[item.members["AttachmentType"]] + "-attachment"


def enter(
    store: NetworkManagerBackend,
    world: World,
    item: Item,
    state: str,
    then: Callable[[], None] | None = None,
) -> None:
    """Puts an attachment into a state, as `life.enter`, and notes the time of the change."""
    if then is None and state not in (*WAITING, "AVAILABLE", "FAILED", "REJECTED"):
        then = _available(store, world, item)
    item.members["UpdatedAt"] = world.settings.clock.now()
    life.enter(world, item, kind_of(item), state, then)


def _available(store: NetworkManagerBackend, world: World, item: Item) -> Callable[[], None]:
    def done() -> None:
        _plug(world, item)
        enter(store, world, item, "AVAILABLE")

    return done


def begin(
    store: NetworkManagerBackend,
    world: World,
    item: Item,
    problems: Callable[[], list[dict[str, Any]]],
) -> None:
    """CREATING, and then what the policy and the attached thing make of it."""

    def created() -> None:
        found = problems()
        if found:
            item.members["LastModificationErrors"] = found
            enter(store, world, item, "FAILED")
            return
        place = placed(store, item)
        _put(item, place)
        if place.needs_acceptance:
            enter(store, world, item, "PENDING_ATTACHMENT_ACCEPTANCE")
        else:
            _plug(world, item)
            enter(store, world, item, "AVAILABLE")

    enter(store, world, item, "CREATING", created)


def placed(store: NetworkManagerBackend, item: Item) -> Match:
    """Where the live policy puts it."""
    core = store.of("CoreNetwork").get(item.members["CoreNetworkId"])
    document = live_document(store, core) if core is not None else None
    if document is None:
        return Match()
    members = item.members
    region = members.get("EdgeLocation") or members["EdgeLocations"][0]
    resource = str(members["ResourceArn"]).rpartition("/")[2]
    kind = _POLICY_TYPES[members["AttachmentType"]]
    return match(document, Facts(kind, members["OwnerAccountId"], region, resource, item.tags))


def accept(store: NetworkManagerBackend, world: World, item: Item) -> None:
    """A person agreed: to the attachment, or to its move."""
    if item.state == "PENDING_TAG_ACCEPTANCE":
        _put(item, placed(store, item))
        enter(store, world, item, "PENDING_NETWORK_UPDATE")
    else:
        enter(store, world, item, "CREATING", _available(store, world, item))


def reject(store: NetworkManagerBackend, world: World, item: Item) -> None:
    """A person disagreed; the attachment is in no segment any more."""
    unplug(world, item)
    _put(item, Match())
    enter(store, world, item, "AVAILABLE", lambda: enter(store, world, item, "REJECTED"))


def tags_changed(store: NetworkManagerBackend, world: World, item: Item) -> None:
    """Looks at the policy again after tags were set or removed."""
    if item.state not in ("AVAILABLE", *WAITING):
        return
    place = placed(store, item)
    if item.state == "PENDING_ATTACHMENT_ACCEPTANCE":
        _put(item, place)
        if not place.needs_acceptance:
            enter(store, world, item, "CREATING", _available(store, world, item))
        return
    here = (item.members.get("SegmentName"), item.members.get("NetworkFunctionGroupName"))
    if place.place == here:
        _put(item, place)
        if item.state == "PENDING_TAG_ACCEPTANCE":
            enter(store, world, item, "AVAILABLE")
    elif place.needs_acceptance:
        _propose(item, place)
        enter(store, world, item, "PENDING_TAG_ACCEPTANCE")
    else:
        _put(item, place)
        enter(store, world, item, "PENDING_NETWORK_UPDATE")


def policy_changed(store: NetworkManagerBackend, world: World, core: Item) -> None:
    """Moves the attachments of a core network to where its new live policy puts them."""
    for item in store.of("Attachment").values():
        if item.members["CoreNetworkId"] != core.id or item.state != "AVAILABLE":
            continue
        place = placed(store, item)
        if place.place != (item.members.get("SegmentName"), item.members.get("NetworkFunctionGroupName")):
            _put(item, place)
            enter(store, world, item, "PENDING_NETWORK_UPDATE")
        else:
            _put(item, place)


def _put(item: Item, place: Match) -> None:
    for member in (*_PLACED, *_PROPOSED):
        item.members.pop(member, None)
    values = zip(_PLACED, (place.segment, place.group, place.rule), strict=True)
    item.members |= {member: value for member, value in values if value is not None}


def _propose(item: Item, place: Match) -> None:
    for member in _PROPOSED:
        item.members.pop(member, None)
    tags = [{"Key": key, "Value": value} for key, value in item.tags.items()]
    change: dict[str, Any] = {"Tags": tags, "AttachmentPolicyRuleNumber": place.rule}
    if place.group is not None:
        item.members["ProposedNetworkFunctionGroupChange"] = {
            **change,
            "NetworkFunctionGroupName": place.group,
        }
    else:
        item.members["ProposedSegmentChange"] = {**change, "SegmentName": place.segment}


# An attachment of a VPC holds network interfaces in its subnets, which so cannot be deleted (general EC2 behaviour).


def _plug(world: World, item: Item) -> None:
    unplug(world, item)
    arns = item.notes["own"].get("SubnetArns", [])
    item.notes["interfaces"] = [one for arn in arns if (one := elsewhere.plug(arn, item.id)) is not None]


def unplug(world: World, item: Item) -> None:
    """Takes its network interfaces away."""
    for interface in item.notes.pop("interfaces", []):
        elsewhere.unplug(interface)
