"""What all of Cloud WAN's answers share: finding things, the states they need, their ARNs, lists, limits."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ...errors import AwsError
from ...request import Answer, Request
from .. import lending, tagging
from ..models import Item, NetworkManagerBackend
from ..refusals import invalid_field, not_found, quota_exceeded, refused
from ..verbs import one_page
from . import documents
from .documents import Document

# resource -> how its ids begin, which is also the type in its ARN
PREFIXES: Mapping[str, str] = {
    "CoreNetwork": "core-network",
    "Attachment": "attachment",
    "ConnectPeer": "connect-peer",
    "Peering": "peering",
}


def find(store: NetworkManagerBackend, resource: str, identity: str) -> Item:
    """A thing by its id; ResourceNotFoundException if there is none."""
    item = store.of(resource).get(identity)
    if item is None:
        raise not_found(PREFIXES[resource], identity)
    return item


def core_of(store: NetworkManagerBackend, request: Request) -> Item:
    """The core network that a request names."""
    return find(store, "CoreNetwork", str(request.parameters["CoreNetworkId"]))


def require_available(core: Item) -> None:
    """Refuses what cannot be done while a core network changes (text: aws-ia/terraform-aws-vpc #132)."""
    if core.state != "AVAILABLE":
        raise refused(f"Core network state is invalid. core network id: {core.id}")


def live_document(store: NetworkManagerBackend, core: Item) -> Document | None:
    """The policy that is live, or None."""
    version = store.of("CoreNetworkPolicy").get(f"{core.id}/{core.notes.get('live')}")
    return None if version is None else version.notes["document"]


def require_edge(store: NetworkManagerBackend, core: Item, edge: str) -> None:
    """Refuses what is to be at an edge that the live policy lacks (text: terraform-provider-aws PR #33087)."""
    document = live_document(store, core)
    if document is None or edge not in documents.edge_names(document):
        raise refused(f"Core Network edge location ({edge}) not available.")


def make(
    store: NetworkManagerBackend, resource: str, request: Request, members: Mapping[str, Any], state: str
) -> Item:
    """A new thing, remembered; its tags are those of the request."""
    identity = f"{PREFIXES[resource]}-0{secrets.token_hex(8)}"
    item = Item(
        resource=resource,
        id=identity,
        arn=f"arn:{request.partition}:networkmanager::{request.account}:{PREFIXES[resource]}/{identity}",
        members=dict(members),
        state=state,
        created_at=request.world.settings.clock.now(),
        tags=tagging.merged({}, request.parameters.get("Tags") or [], resource),
    )
    store.of(resource)[identity] = item
    return item


def listed(
    store: NetworkManagerBackend,
    resource: str,
    request: Request,
    many: str,
    show: Callable[[Item], Any],
    wanted: Callable[[Item], bool] = lambda item: True,
) -> Answer:
    """One page of the things of a resource that are wanted, as the list member `many`."""
    first = not request.parameters.get("NextToken")
    hidden = request.world.faults.hidden
    there = lending.visible(resource, request) if resource in PREFIXES else store.of(resource).values()
    items = [
        item
        for item in there
        if wanted(item) and not hidden(request.service, request.operation, item.id, first)
    ]
    chosen, token = one_page(items, request)
    answer: Answer = {many: [show(item) for item in chosen]}
    return answer if token is None else {**answer, "NextToken": token}


def page_of(values: list[Any], request: Request, many: str) -> Answer:
    """One page of values that have no ids of their own."""
    numbered = [
        Item(resource="", id=str(number), arn="", members={"value": value}, state="", created_at=None)  # type: ignore[arg-type]
        for number, value in enumerate(values)
    ]
    chosen, token = one_page(numbered, request)
    answer: Answer = {many: [item.members["value"] for item in chosen]}
    return answer if token is None else {**answer, "NextToken": token}


def check_quota(request: Request, name: str, siblings: Iterable[Any], within: Item) -> None:
    """Refuses one more than the limit; with 402 where the operation's model has that, else with a plain refusal."""
    limit = request.world.settings.quota(name)
    if limit is None or sum(1 for _ in siblings) < limit:
        return
    message = f"The limit of {limit} for {name} is reached."
    if any(shape.name == "ServiceQuotaExceededException" for shape in request.model.error_shapes):
        raise quota_exceeded(message, name, PREFIXES.get(name, name), within.id)
    raise refused(message)


def invalid_state(what: str, identity: str) -> AwsError:
    """What is refused because of a thing's state, in the form that the service's known texts have."""
    return refused(f"{what} state is invalid. {what.lower()} id: {identity}")


def check_region_of(arn: str, member: str, region: str) -> str:
    """The region of an ARN, which is the edge of what is attached; ValidationException if it has none."""
    if not region:
        raise invalid_field(member, f"{arn} is not the ARN of such a resource.")
    return region
