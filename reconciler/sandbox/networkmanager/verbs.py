"""Create, read, update and delete for every row of `rows.py`, and the states that follow.

Source of the life cycle: the state enums of botocore's model (PENDING, AVAILABLE, UPDATING, DELETING). A thing in
DELETING is still listed and still blocks its parents; then it is gone (terraform-provider-aws waits for just that).
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

from .. import paging
from ..errors import AwsError
from ..request import Answer, Request
from . import tagging
from .life import settle, vanish
from .models import Item, NetworkManagerBackend
from .refusals import (
    conflict,
    invalid_field,
    invalid_fields,
    no_global_network,
    not_found,
    quota_exceeded,
    refused,
    unverified,
)
from .rows import BY_NAME, Blocker, Resource
from .rules import Attempt

# Service Quotas, "AWS Network Manager": the code of "Global networks per account"; the others have no public code.
_LIMIT_CODES = {"GlobalNetwork": "L-2418390E"}


def show(resource: Resource, item: Item) -> dict[str, Any]:
    """A thing as answers show it. `Tags` is absent when there are none, as are members that were never set."""
    state = {"Code": item.state} if resource.state_is_nested else item.state
    if resource.key:
        return {**item.members, resource.state: state}
    members = _over_all(item.notes.get("cleared", {}), item.members)
    shown = {**members, resource.id: item.id, resource.arn: item.arn, resource.state: state}
    shown["CreatedAt"] = item.created_at
    if item.tags:
        shown["Tags"] = tagging.as_list(item.tags)
    return shown


def create(store: NetworkManagerBackend, resource: Resource, request: Request) -> Answer:
    """Makes a new thing, also when an equal one is there: these operations have no idempotency token. Only what is
    identified by its members is there once."""
    given = {k: v for k, v in request.parameters.items() if v is not None and k != "Tags"}
    parent = require_parent(store, resource, request)
    members = _without_blanks(given)
    _check(Attempt(store, request, members), resource)
    if parent is not None and parent.state == "DELETING":
        # unverified: no reference shows what a create in a network under deletion answers
        raise conflict(f"{parent.id} is being deleted.", parent.resource, parent.id)
    _check_quota(store, resource, request, parent)
    tags = tagging.merged({}, request.parameters.get("Tags") or [], resource.name)
    identity, arn = _identity(store, resource, request, parent)
    item = Item(
        resource=resource.name,
        id=identity,
        arn=arn,
        members=members,
        state="PENDING",
        created_at=request.world.settings.clock.now(),
        tags=tags,
    )
    store.of(resource.name).pop(identity, None)  # one that was only listed still
    store.of(resource.name)[identity] = item
    settle(request.world, item, resource.kind, "PENDING")
    return {resource.name: show(resource, item)}


def _identity(
    store: NetworkManagerBackend, resource: Resource, request: Request, parent: Item | None
) -> tuple[str, str]:
    """The id and ARN of a new thing; refused if it is identified by its members and is there."""
    if not resource.key:
        new_id = f"{resource.kind}-0{secrets.token_hex(8)}"
        path = f"{parent.id}/{new_id}" if parent is not None else new_id
        return new_id, f"arn:{request.partition}:networkmanager::{request.account}:{resource.kind}/{path}"
    key = _key(resource, request)
    old = store.of(resource.name).get(key)
    if old is not None and not old.is_gone:
        message = f"{resource.name} of {key} already exists in state {old.state}."
        raise (
            refused(message) if resource.key_is_known else unverified(request, message, resource.kind, key)
        )
    return key, ""


def _key(resource: Resource, request: Request) -> str:
    return "+".join(str(request.parameters[member]) for member in resource.key)


def read(store: NetworkManagerBackend, resource: Resource, request: Request) -> Answer:
    """One page of the things that match; unknown ids in the id filter are left out, not refused."""
    parameters = request.parameters
    parent = require_parent(store, resource, request)
    ids = parameters.get(resource.ids or "") or []
    if resource.id_limit is not None and len(ids) > resource.id_limit:
        raise invalid_field(str(resource.ids), f"must be at most {resource.id_limit} entries.")
    for name, others in resource.exclusive.items():
        if parameters.get(name) and any(parameters.get(other) for other in others):
            raise refused(f"{name} cannot be combined with {' or '.join(others)}.")
    wanted = {member: parameters[name] for name, member in resource.filters.items() if parameters.get(name)}
    if resource.wants_filter and not wanted and not request.world.settings.unfiltered_link_associations:
        raise refused(f"One of {', '.join(resource.filters)} must be given.")
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
    settings = request.world.settings
    size = int(request.parameters.get("MaxResults") or settings.page_size)
    size = min(size, settings.page_size) if settings.short_pages else size
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
    given = {**item.members, **{k: _over(item.members.get(k), v) for k, v in named.items()}}
    members = _without_blanks(given)
    _check(Attempt(store, request, members, item), resource)
    item.members = members
    if request.world.settings.cleared_fields == "empty":
        item.notes["cleared"] = _over_all(item.notes.get("cleared", {}), _blanks(given))
    settle(request.world, item, resource.kind, "UPDATING")
    return {resource.name: show(resource, item)}


def delete(store: NetworkManagerBackend, resource: Resource, request: Request) -> Answer:
    """Starts the deletion; refused while something is inside or refers to it, also if that is being deleted."""
    item = _find(store, resource, request)
    for blocker in resource.blockers:
        if any(_blocks(other, blocker, item) for other in store.of(blocker.resource).values()):
            if not blocker.is_known:
                raise unverified(request, blocker.says, resource.name, item.id)
            raise refused(blocker.says)
    if item.state == "DELETING":
        # unverified: a second delete while the first one is under way
        raise conflict(f"{item.id} is being deleted.", resource.name, item.id)
    for other in resource.takes_along(store, item) if resource.takes_along is not None else ():
        vanish(request.world, store, other, BY_NAME[other.resource].kind, lingers=True)
    vanish(request.world, store, item, resource.kind, lingers=bool(resource.key))
    return {resource.name: show(resource, item)}


def _blocks(other: Item, blocker: Blocker, item: Item) -> bool:
    return not other.is_gone and all(
        other.value(theirs) == item.value(own) for theirs, own in blocker.where.items()
    )


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
    wanted = _key(resource, request) if resource.key else str(request.parameters[resource.id])
    item = store.of(resource.name).get(wanted)
    # A global network itself: terraform-provider-aws takes this code for "gone" when it deletes one; that it is not the
    # ValidationException of everything within is unverified.
    elsewhere = parent is not None and item is not None and item.value(resource.within or "") != parent.id
    if item is None or item.is_gone or elsewhere:
        raise not_found(resource.kind, wanted)
    return item


def _over(old: Any, new: Any) -> Any:
    return {**old, **new} if isinstance(old, Mapping) and isinstance(new, Mapping) else new


def _over_all(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """The same of structures in structures."""
    both = {
        name: _over_all(old[name], value)
        if isinstance(value, Mapping) and isinstance(old.get(name), Mapping)
        else value
        for name, value in new.items()
    }
    return {**old, **both}


def _blanks(members: Mapping[str, Any]) -> dict[str, Any]:
    """The members that are cleared."""
    kept: dict[str, Any] = {}
    for name, value in members.items():
        inner = _blanks(value) if isinstance(value, Mapping) else value
        if inner == "" or (isinstance(value, Mapping) and inner):
            kept[name] = inner
    return kept


def _without_blanks(members: Mapping[str, Any]) -> dict[str, Any]:
    """Members without those that are cleared; a structure with nothing left in it is cleared too."""
    kept: dict[str, Any] = {}
    for name, value in members.items():
        inner = _without_blanks(value) if isinstance(value, Mapping) else value
        if inner not in ("", {}):
            kept[name] = inner
    return kept


def _check(attempt: Attempt, resource: Resource) -> None:
    refusals = [
        one for check in resource.checks if (one := check(attempt.store, attempt.members)) is not None
    ]
    if refusals:
        raise invalid_fields(refusals)
    for error in chain(_broken_references(attempt, resource), (rule(attempt) for rule in resource.rules)):
        if error is not None:
            raise error


def _broken_references(attempt: Attempt, resource: Resource) -> Iterator[AwsError]:
    modelled = {shape.name for shape in attempt.request.model.error_shapes}
    network = attempt.request.parameters.get("GlobalNetworkId")
    for member, name in resource.references.items():
        wanted = attempt.members.get(member)
        if wanted is None:
            continue
        target = attempt.store.of(name).get(wanted)
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
