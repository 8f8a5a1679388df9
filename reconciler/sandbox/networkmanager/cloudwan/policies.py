"""Versions of a core network's policy: put, generated into a change set, executed, live; and restored or deleted.

Sources: AWS Cloud WAN user guide, "Core network policy versions" (states of change sets; one that is older than a newer
one that is ready is out of date) and "Restore an out-of-date policy version"; terraform-provider-aws #47014 for the
refusal of an execution that comes too early, #29707 for edges that attachments hold.
"""

from __future__ import annotations

from typing import Any

from ...errors import AwsError
from ...request import Answer, Request
from ...world import World
from ..life import enter
from ..models import Item, NetworkManagerBackend
from ..refusals import invalid_field, not_found, refused, unverified
from . import attachment_life, changes, documents
from .common import core_of, invalid_state, live_document, page_of, require_available
from .documents import Document, PolicyError

KIND = "core-network-policy"
_EVENT_STATUS = {"EXECUTING": "IN_PROGRESS", "EXECUTION_SUCCEEDED": "COMPLETE"}


# ------------------------------------------------------------------------------------------------- what others ask


def checked(store: NetworkManagerBackend, core: Item | None, text: str) -> Document:
    """The document in a request; CoreNetworkPolicyException with all that is wrong with it."""
    document, errors = documents.parse(text)
    if not errors and core is not None:
        errors = list(_orphans(store, core, document))
    if errors:
        raise AwsError("CoreNetworkPolicyException", "Incorrect policy", 400, Errors=errors)
    return document


def add(
    store: NetworkManagerBackend,
    core: Item,
    document: Document,
    description: str | None,
    state: str,
    request: Request,
) -> Item:
    """A new version, numbered by one more than any before."""
    number = core.notes["number"] = core.notes.get("number", 0) + 1
    version = Item(
        resource="CoreNetworkPolicy",
        id=f"{core.id}/{number}",
        arn="",
        members={"CoreNetworkId": core.id, "PolicyVersionId": number},
        state=state,
        created_at=request.world.settings.clock.now(),
    )
    if description:
        version.members["Description"] = description
    version.notes |= {"document": document, "changes": [], "errors": []}
    store.of("CoreNetworkPolicy")[version.id] = version
    return version


def make_live(store: NetworkManagerBackend, world: World, core: Item, version: Item) -> None:
    """What the end of an execution brings about: the version is live and attachments go where it says."""
    version.state = "EXECUTION_SUCCEEDED"
    version.notes["moved"] = world.settings.clock.now()
    core.notes["live"] = version.members["PolicyVersionId"]
    attachment_life.policy_changed(store, world, core)


# ------------------------------------------------------------------------------------------------------- operations


def put(store: NetworkManagerBackend, request: Request) -> Answer:
    """A new version, and a change set that is generated after a while."""
    core = core_of(store, request)
    if core.state in ("CREATING", "DELETING"):
        raise invalid_state("Core network", core.id)
    expected, newest = request.parameters.get("LatestVersionId"), _latest(store, core)
    if expected is not None and newest is not None and int(expected) != newest.members["PolicyVersionId"]:
        message = f"LatestVersionId {expected} is not the latest policy version."
        raise unverified(request, message, "core-network-policy", newest.id)
    document = checked(store, core, str(request.parameters["PolicyDocument"]))
    version = add(store, core, document, request.parameters.get("Description"), "PENDING_GENERATION", request)
    _generate(store, request.world, core, version)
    return {"CoreNetworkPolicy": _show(store, core, version)}


def restore(store: NetworkManagerBackend, request: Request) -> Answer:
    """An old version's document as a new version."""
    core, old = core_of(store, request), _version(store, request)
    description = old.members.get("Description")
    version = add(store, core, old.notes["document"], description, "PENDING_GENERATION", request)
    _generate(store, request.world, core, version)
    return {"CoreNetworkPolicy": _show(store, core, version)}


def get(store: NetworkManagerBackend, request: Request) -> Answer:
    """One version: by its number, by its alias, or the latest. LIVE where nothing is live yet is a ValidationException
    (AWS's own CloudFormation handlers)."""
    core = core_of(store, request)
    if request.parameters.get("PolicyVersionId") is not None:
        return {"CoreNetworkPolicy": _show(store, core, _version(store, request))}
    if request.parameters.get("Alias") == "LIVE":
        live = store.of("CoreNetworkPolicy").get(f"{core.id}/{core.notes.get('live')}")
        if live is None:
            raise invalid_field("Alias", "There is no live policy.")
        return {"CoreNetworkPolicy": _show(store, core, live)}
    newest = _latest(store, core)
    if newest is None:
        raise not_found("core-network-policy", core.id)
    return {"CoreNetworkPolicy": _show(store, core, newest)}


def list_versions(store: NetworkManagerBackend, request: Request) -> Answer:
    """All versions, the newest first."""
    core = core_of(store, request)
    shown = [_summary(store, core, version) for version in reversed(_versions(store, core))]
    return page_of(shown, request, "CoreNetworkPolicyVersions")


def delete(store: NetworkManagerBackend, request: Request) -> Answer:
    """Deletes a version; "You can't delete the current LIVE policy" (doc string)."""
    core, version = core_of(store, request), _version(store, request)
    if version.members["PolicyVersionId"] == core.notes.get("live") or version.state == "EXECUTING":
        raise unverified(
            request, "A policy that is live cannot be deleted.", "core-network-policy", version.id
        )
    answer = {"CoreNetworkPolicy": _show(store, core, version)}
    del store.of("CoreNetworkPolicy")[version.id]
    version.changes += 1  # what was to become of it does not happen
    return answer


def execute(store: NetworkManagerBackend, request: Request) -> Answer:
    """Executes a change set that is ready; the core network is UPDATING until it is done."""
    core, version = core_of(store, request), _version(store, request)
    if version.state != "READY_TO_EXECUTE":
        raise refused("Change set state for policy is invalid.")
    require_available(core)
    version.state = "EXECUTING"
    version.notes["moved"] = request.world.settings.clock.now()

    def done() -> None:
        make_live(store, request.world, core, version)
        for other in _versions(store, core):
            if other.state == "READY_TO_EXECUTE":
                other.state = "OUT_OF_DATE"
        enter(request.world, core, "core-network", "AVAILABLE")

    enter(request.world, core, "core-network", "UPDATING", done)
    return {}


def get_change_set(store: NetworkManagerBackend, request: Request) -> Answer:
    """The changes of a version against what was live when it was generated."""
    core_of(store, request)
    return page_of(_version(store, request).notes["changes"], request, "CoreNetworkChanges")


def get_change_events(store: NetworkManagerBackend, request: Request) -> Answer:
    """How far the execution of a version is; nothing before it began (unverified)."""
    core_of(store, request)
    version = _version(store, request)
    status = _EVENT_STATUS.get(version.state)
    happened: list[dict[str, Any]] = []
    if status is not None:
        happened = changes.events(version.notes["changes"], status, version.notes["moved"])
    return page_of(happened, request, "CoreNetworkChangeEvents")


# ------------------------------------------------------------------------------------------------------ small parts


def _generate(store: NetworkManagerBackend, world: World, core: Item, version: Item) -> None:
    def done() -> None:
        version.notes["errors"] = _unknown_attachments(store, core, version.notes["document"])
        if version.notes["errors"]:
            version.state = "FAILED_GENERATION"
            return
        version.notes["changes"] = changes.between(live_document(store, core), version.notes["document"])
        for other in _versions(store, core):
            if other.state == "READY_TO_EXECUTE":
                other.state = "OUT_OF_DATE"
        version.state = "READY_TO_EXECUTE"

    enter(world, version, KIND, "PENDING_GENERATION", done)


def _unknown_attachments(store: NetworkManagerBackend, core: Item, document: Document) -> list[PolicyError]:
    """Static routes to attachments that are not there. That this shows at generation, and its code, is unverified."""
    there = {one.id for one in store.of("Attachment").values() if one.members["CoreNetworkId"] == core.id}
    return [
        documents.error("ATTACHMENT_NOT_FOUND", path, f"{attachment} does not exist")
        for path, attachment in documents.named_attachments(document)
        if attachment not in there
    ]


def _orphans(store: NetworkManagerBackend, core: Item, document: Document) -> list[PolicyError]:
    edges = set(documents.edge_names(document))
    names = {one["name"] for one in document["segments"]}
    found = []
    for attachment in store.of("Attachment").values():
        members = attachment.members
        if members["CoreNetworkId"] != core.id:
            continue
        path = "$.core-network-configuration.edge-locations"
        for edge in members.get("EdgeLocations") or [members["EdgeLocation"]]:
            if edge not in edges:
                found.append(_orphan(path, edge, attachment.id))
        if "SegmentName" in members and members["SegmentName"] not in names:
            found.append(_orphan("$.segments", members["SegmentName"], attachment.id))
    return found


def _orphan(path: str, what: str, attachment: str) -> PolicyError:
    why = f"{what} cannot be removed from policy because it would orphan {attachment}"
    return documents.error("ORPHANED_ATTACHMENT", path, why)


def _versions(store: NetworkManagerBackend, core: Item) -> list[Item]:
    found = [one for one in store.of("CoreNetworkPolicy").values() if one.members["CoreNetworkId"] == core.id]
    return sorted(found, key=lambda one: int(one.members["PolicyVersionId"]))


def _latest(store: NetworkManagerBackend, core: Item) -> Item | None:
    versions = _versions(store, core)
    return versions[-1] if versions else None


def _version(store: NetworkManagerBackend, request: Request) -> Item:
    key = f"{request.parameters['CoreNetworkId']}/{request.parameters['PolicyVersionId']}"
    version = store.of("CoreNetworkPolicy").get(key)
    if version is None:
        raise not_found("core-network-policy", str(request.parameters["PolicyVersionId"]))
    return version


def _summary(store: NetworkManagerBackend, core: Item, version: Item) -> dict[str, Any]:
    """A version without its document. One that is both live and latest shows as LIVE (unverified)."""
    shown = {**version.members, "CreatedAt": version.created_at, "ChangeSetState": version.state}
    if version.members["PolicyVersionId"] == core.notes.get("live"):
        shown["Alias"] = "LIVE"
    elif version is _latest(store, core):
        shown["Alias"] = "LATEST"
    return shown


def _show(store: NetworkManagerBackend, core: Item, version: Item) -> dict[str, Any]:
    shown = {**_summary(store, core, version), "PolicyDocument": documents.normal(version.notes["document"])}
    if version.notes["errors"]:
        shown["PolicyErrors"] = version.notes["errors"]
    return shown
