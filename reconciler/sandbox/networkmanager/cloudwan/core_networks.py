"""Core networks: create, get, list, update, delete.

Sources: botocore's model; terraform-provider-aws, core_network.go, for the states it waits through; AWS Cloud WAN user
guide, "Quotas", for one core network per global network.
"""

from __future__ import annotations

from typing import Any

from ...request import Answer, Request
from .. import tagging
from ..life import enter, settle, vanish
from ..models import Item, NetworkManagerBackend
from ..refusals import conflict, refused, unverified
from ..verbs import require_global_network
from . import documents, policies
from .common import check_quota, core_of, find, invalid_state, listed, live_document, make

KIND = "core-network"


def show(store: NetworkManagerBackend, core: Item) -> dict[str, Any]:
    """A core network as GetCoreNetwork shows it: with the segments and edges of its live policy."""
    document = live_document(store, core)
    shown = {**summary(core), "CreatedAt": core.created_at}
    shown.pop("OwnerAccountId")
    if document is not None:
        shown["Segments"] = documents.segments(document)
        shown["NetworkFunctionGroups"] = documents.function_groups(document)
        shown["Edges"] = documents.edges(document)
    return shown


def summary(core: Item) -> dict[str, Any]:
    """A core network as ListCoreNetworks shows it."""
    shown = {
        **core.members,
        "CoreNetworkId": core.id,
        "CoreNetworkArn": core.arn,
        "OwnerAccountId": core.notes["owner"],
        "State": core.state,
    }
    return {**shown, "Tags": tagging.as_list(core.tags)} if core.tags else shown


def create(store: NetworkManagerBackend, request: Request) -> Answer:
    """Makes a core network. A policy that comes with it is made live without a call more (AWS's own CloudFormation
    handlers rely on that)."""
    network = require_global_network(store, request)
    if network.state == "DELETING":
        raise conflict(f"{network.id} is being deleted.", network.resource, network.id)  # unverified
    siblings = (
        one for one in store.of("CoreNetwork").values() if one.members["GlobalNetworkId"] == network.id
    )
    check_quota(request, "CoreNetwork", siblings, network)
    text = request.parameters.get("PolicyDocument")
    document = policies.checked(store, None, str(text)) if text else None
    members = {"GlobalNetworkId": network.id}
    if request.parameters.get("Description"):
        members["Description"] = request.parameters["Description"]
    core = make(store, "CoreNetwork", request, members, "CREATING")
    core.notes["owner"] = request.account
    first = policies.add(store, core, document, None, "EXECUTING", request) if document is not None else None

    def done() -> None:
        if first is not None:
            policies.make_live(store, request.world, core, first)
        enter(request.world, core, KIND, "AVAILABLE")

    enter(request.world, core, KIND, "CREATING", done)
    return {"CoreNetwork": show(store, core)}


def get(store: NetworkManagerBackend, request: Request) -> Answer:
    """One core network."""
    return {"CoreNetwork": show(store, core_of(store, request))}


def list_all(store: NetworkManagerBackend, request: Request) -> Answer:
    """All core networks of the account."""
    return listed(store, "CoreNetwork", request, "CoreNetworks", summary)


def update(store: NetworkManagerBackend, request: Request) -> Answer:
    """Changes the description, in AVAILABLE only; an empty one clears it."""
    core = core_of(store, request)
    if core.state != "AVAILABLE":
        raise invalid_state("Core network", core.id)
    description = request.parameters.get("Description")
    if description is not None:
        core.members.pop("Description", None)
        if description:
            core.members["Description"] = description
    settle(request.world, core, KIND, "UPDATING")
    return {"CoreNetwork": show(store, core)}


def delete(store: NetworkManagerBackend, request: Request) -> Answer:
    """Deletes a core network and its policies, "only if there are no attachments" (doc string of DeleteCoreNetwork)."""
    core = find(store, "CoreNetwork", str(request.parameters["CoreNetworkId"]))
    if core.state != "AVAILABLE":
        raise invalid_state("Core network", core.id)
    if any(one.members["CoreNetworkId"] == core.id for one in store.of("Attachment").values()):
        raise refused("Core network has attachments.")
    if any(one.members["CoreNetworkId"] == core.id for one in store.of("Peering").values()):
        raise unverified(request, "Core network has peerings.", "CoreNetwork", core.id)
    vanish(request.world, store, core, KIND)
    answer = {"CoreNetwork": show(store, core)}
    for collection in ("CoreNetworkPolicy", "PrefixListAssociation"):
        for key in [key for key in store.of(collection) if key.startswith(f"{core.id}/")]:
            del store.of(collection)[key]
    store.of("ResourcePolicy").pop(core.arn, None)
    return answer
