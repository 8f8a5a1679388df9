"""Prefix lists that a core network's policy may name by an alias: associated, listed, taken away.

Sources: botocore's model; terraform-provider-aws, which waits for the core network to leave UPDATING. That an alias in
use keeps its association is expected and unverified.
"""

from __future__ import annotations

from ...request import Answer, Request
from .. import elsewhere, life
from ..models import Item, NetworkManagerBackend
from ..refusals import not_found, unverified
from . import documents
from .common import core_of, listed, live_document, require_available

_RESOURCE = "PrefixListAssociation"


def _key(request: Request) -> str:
    return f"{request.parameters['CoreNetworkId']}/{request.parameters['PrefixListArn']}"


def create(store: NetworkManagerBackend, request: Request) -> Answer:
    """Associates a prefix list under an alias; both are once in a core network."""
    core = core_of(store, request)
    require_available(core)
    arn, alias = str(request.parameters["PrefixListArn"]), str(request.parameters["PrefixListAlias"])
    if elsewhere.find(arn, "prefix-list") is None:
        raise not_found("prefix-list", arn)
    for one in store.of(_RESOURCE).values():
        same = one.members["PrefixListArn"] == arn or one.members["PrefixListAlias"] == alias
        if one.members["CoreNetworkId"] == core.id and same:
            raise unverified(
                request, "The prefix list or its alias is associated already.", "prefix-list", arn
            )
    members = {"CoreNetworkId": core.id, "PrefixListArn": arn, "PrefixListAlias": alias}
    store.of(_RESOURCE)[_key(request)] = Item(
        resource=_RESOURCE,
        id=_key(request),
        arn="",
        members=members,
        state="AVAILABLE",
        created_at=request.world.settings.clock.now(),
    )
    life.settle(request.world, core, "core-network", "UPDATING")
    return dict(members)


def list_all(store: NetworkManagerBackend, request: Request) -> Answer:
    """The prefix lists of a core network, or the one that is asked for."""
    core, arn = core_of(store, request), request.parameters.get("PrefixListArn")

    def wanted(item: Item) -> bool:
        return item.members["CoreNetworkId"] == core.id and arn in (None, item.members["PrefixListArn"])

    return listed(store, _RESOURCE, request, "PrefixListAssociations", lambda item: item.members, wanted)


def delete(store: NetworkManagerBackend, request: Request) -> Answer:
    """Ends an association that the live policy does not use."""
    core = core_of(store, request)
    item = store.of(_RESOURCE).get(_key(request))
    if item is None:
        raise not_found("prefix-list", str(request.parameters["PrefixListArn"]))
    require_available(core)
    if item.members["PrefixListAlias"] in documents.prefix_list_aliases(live_document(store, core) or {}):
        raise unverified(request, "The prefix list is used by the live policy.", "prefix-list", item.id)
    del store.of(_RESOURCE)[item.id]
    life.settle(request.world, core, "core-network", "UPDATING")
    return {name: item.members[name] for name in ("CoreNetworkId", "PrefixListArn")}
