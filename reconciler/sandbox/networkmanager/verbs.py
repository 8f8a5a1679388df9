"""Create, read, update and delete for every row of `rows.py`, and the states that follow.

Source of the life cycle: the state enums of botocore's model (PENDING, AVAILABLE, UPDATING, DELETING). A thing in
DELETING is still listed and still blocks its parents; then it is gone (terraform-provider-aws waits for just that).
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from typing import Any

from .. import paging
from ..errors import AwsError
from ..request import Answer, Request
from ..world import World
from . import tagging
from .models import Item, NetworkManagerBackend
from .refusals import (
    conflict,
    invalid_field,
    invalid_fields,
    no_global_network,
    not_found,
    quota_exceeded,
    refused,
)
from .rows import BY_NAME, Resource

# Service Quotas, "AWS Network Manager": the code of "Global networks per account"; the others have no public code.
_LIMIT_CODES = {"GlobalNetwork": "L-2418390E"}


def show(resource: Resource, item: Item) -> dict[str, Any]:
    """A thing as answers show it. `Tags` is absent when there are none, as are members that were never set."""
    shown = {**item.members, resource.id: item.id, resource.arn: item.arn, "State": item.state}
    shown["CreatedAt"] = item.created_at
    if item.tags:
        shown["Tags"] = tagging.as_list(item.tags)
    return shown


def create(store: NetworkManagerBackend, resource: Resource, request: Request) -> Answer:
    """Makes a new thing, also when an equal one is there: these operations have no idempotency token."""
    given = {k: v for k, v in request.parameters.items() if v is not None and k != "Tags"}
    parent = require_parent(store, resource, request)
    members = _without_blanks(given)
    _check(store, resource, members, request)
    if parent is not None and parent.state == "DELETING":
        # unverified: no reference shows what a create in a network under deletion answers
        raise conflict(f"{parent.id} is being deleted.", parent.resource, parent.id)
    _check_quota(store, resource, request, parent)
    tags = tagging.merged({}, request.parameters.get("Tags") or [], resource.name)
    new_id = f"{resource.kind}-0{secrets.token_hex(8)}"
    path = f"{parent.id}/{new_id}" if parent is not None else new_id
    item = Item(
        resource=resource.name,
        id=new_id,
        arn=f"arn:{request.partition}:networkmanager::{request.account}:{resource.kind}/{path}",
        members=members,
        state="PENDING",
        created_at=request.world.settings.clock.now(),
        tags=tags,
    )
    store.of(resource.name)[new_id] = item
    _later(request.world, store, resource, item)
    return {resource.name: show(resource, item)}


def read(store: NetworkManagerBackend, resource: Resource, request: Request) -> Answer:
    """One page of the things that match; unknown ids in the id filter are left out, not refused."""
    parameters = request.parameters
    parent = require_parent(store, resource, request)
    ids = parameters.get(resource.ids) or []
    if resource.id_limit is not None and len(ids) > resource.id_limit:
        raise invalid_field(resource.ids, f"must be at most {resource.id_limit} entries.")
    for name, others in resource.exclusive.items():
        if parameters.get(name) and any(parameters.get(other) for other in others):
            raise refused(f"{name} cannot be combined with {' or '.join(others)}.")
    wanted = {member: parameters[name] for name, member in resource.filters.items() if parameters.get(name)}
    first = not parameters.get("NextToken")
    items = [
        item
        for item in store.of(resource.name).values()
        if (parent is None or item.members.get(resource.within or "") == parent.id)
        and (not ids or item.id in ids)
        and all(item.members.get(member) == value for member, value in wanted.items())
        and not request.world.faults.hidden(request.service, request.operation, item.id, first)
    ]
    chosen, token = one_page(items, request)
    answer: Answer = {resource.many: [show(resource, item) for item in chosen]}
    return answer if token is None else {**answer, "NextToken": token}


def one_page(items: list[Item], request: Request) -> tuple[list[Item], str | None]:
    """One page; MaxResults is honoured, without it the sandbox's own page size holds (AWS documents none)."""
    size = int(request.parameters.get("MaxResults") or request.world.settings.page_size)
    scope = f"{request.account}/{request.partition}/{request.operation}"
    try:
        return paging.page(items, lambda item: item.id, size, scope, request.parameters, request.world.order)
    except paging.BadTokenError as error:
        raise invalid_field("NextToken", "The token is not valid for this request.") from error


def update(store: NetworkManagerBackend, resource: Resource, request: Request) -> Answer:
    """Changes what is named: a member left out stays, an empty string clears (doc strings of Update*).

    Whether a structure that names only some of its members keeps the others is unverified; here it does.
    """
    item = _find(store, resource, request)
    if item.state == "DELETING":
        raise conflict(f"{item.id} is being deleted.", resource.name, item.id)  # unverified, as for creates
    named = {
        k: v
        for k, v in request.parameters.items()
        if v is not None and k not in (resource.id, resource.within)
    }
    members = _without_blanks(
        {**item.members, **{k: _over(item.members.get(k), v) for k, v in named.items()}}
    )
    _check(store, resource, members, request)
    item.members = members
    item.state = "UPDATING"
    _later(request.world, store, resource, item)
    return {resource.name: show(resource, item)}


def delete(store: NetworkManagerBackend, resource: Resource, request: Request) -> Answer:
    """Starts the deletion; refused while something is inside or refers to it, also if that is being deleted."""
    item = _find(store, resource, request)
    for blocker in resource.blockers:
        if any(other.members.get(blocker.member) == item.id for other in store.of(blocker.resource).values()):
            if not resource.block_is_known and request.world.settings.unverified_block == "ConflictException":
                raise conflict(resource.blocked, resource.name, item.id)
            raise refused(resource.blocked)
    if item.state == "DELETING":
        # unverified: a second delete while the first one is under way
        raise conflict(f"{item.id} is being deleted.", resource.name, item.id)
    item.state = "DELETING"
    _later(request.world, store, resource, item)
    return {resource.name: show(resource, item)}


def _later(world: World, store: NetworkManagerBackend, resource: Resource, item: Item) -> None:
    """Has the state that follows the present one come about in its time."""
    item.changes += 1
    change, state = item.changes, item.state

    def effect() -> None:
        if item.changes != change:  # overtaken by a later change
            return
        if state == "DELETING":
            store.of(resource.name).pop(item.id, None)
        else:
            item.state = "AVAILABLE"

    world.timeline.after(world.settings.delays.of(resource.kind, state), effect)


def require_parent(store: NetworkManagerBackend, resource: Resource, request: Request) -> Item | None:
    """The global network that the request names; None for what has none. ValidationException if it is unknown."""
    if resource.within is None:
        return None
    return require_global_network(store, request)


def require_global_network(store: NetworkManagerBackend, request: Request) -> Item:
    """The global network in GlobalNetworkId; ValidationException "Global network not found." if it is unknown."""
    network = store.of("GlobalNetwork").get(str(request.parameters.get("GlobalNetworkId")))
    if network is None:
        raise no_global_network()
    return network


def _find(store: NetworkManagerBackend, resource: Resource, request: Request) -> Item:
    parent = require_parent(store, resource, request)
    wanted = str(request.parameters[resource.id])
    item = store.of(resource.name).get(wanted)
    # A global network itself: terraform-provider-aws takes this code for "gone" when it deletes one; that it is not the
    # ValidationException of everything within is unverified.
    if item is None or (parent is not None and item.members.get(resource.within or "") != parent.id):
        raise not_found(resource.kind, wanted)
    return item


def _over(old: Any, new: Any) -> Any:
    return {**old, **new} if isinstance(old, Mapping) and isinstance(new, Mapping) else new


def _without_blanks(members: Mapping[str, Any]) -> dict[str, Any]:
    """Members without those that are cleared; a structure with nothing left in it is cleared too."""
    kept: dict[str, Any] = {}
    for name, value in members.items():
        inner = _without_blanks(value) if isinstance(value, Mapping) else value
        if inner not in ("", {}):
            kept[name] = inner
    return kept


def _check(
    store: NetworkManagerBackend, resource: Resource, members: Mapping[str, Any], request: Request
) -> None:
    refusals = [refusal for check in resource.checks if (refusal := check(store, members)) is not None]
    if refusals:
        raise invalid_fields(refusals)
    for error in _broken_references(store, resource, members, request):
        raise error


def _broken_references(
    store: NetworkManagerBackend, resource: Resource, members: Mapping[str, Any], request: Request
) -> Iterator[AwsError]:
    modelled = {shape.name for shape in request.model.error_shapes}
    network = request.parameters.get("GlobalNetworkId")
    for member, name in resource.references.items():
        wanted = members.get(member)
        if wanted is None:
            continue
        target = store.of(name).get(wanted)
        if target is not None and target.members.get("GlobalNetworkId") == network:
            continue
        # unverified: which of the two the service uses; the model decides where it names only one
        if "ResourceNotFoundException" in modelled:
            yield not_found(BY_NAME[name].kind, str(wanted))
        else:
            yield invalid_field(member, f"{name} not found.")


def _check_quota(
    store: NetworkManagerBackend, resource: Resource, request: Request, parent: Item | None
) -> None:
    limit = request.world.settings.quota(resource.name)
    if limit is None:
        return
    siblings = [
        item
        for item in store.of(resource.name).values()
        if parent is None or item.members.get(resource.within or "") == parent.id
    ]
    if len(siblings) >= limit:
        raise quota_exceeded(
            f"The limit of {limit} for {resource.name} is reached.",
            _LIMIT_CODES.get(resource.name, resource.kind),
            resource.kind,
            parent.id if parent is not None else None,
        )
