"""Managed prefix lists: versions, room for so many entries, states over time; none goes while something refers to it.

moto lets any version be changed, forgets names and entries' limits, and knows no states.  Its own objects hold the
lists, AWS's among them, for rules and endpoints look them up there.
Source: EC2 API reference, CreateManagedPrefixList, ModifyManagedPrefixList, GetManagedPrefixListEntries,
DeleteManagedPrefixList; VPC User Guide, "Customer-managed prefix lists".  Which codes the refusals of entries and of a
list that is in use have is unverified.  Called by `answers.py`.
"""

from __future__ import annotations

import ipaddress
from typing import Any

from ..errors import AwsError
from ..request import Answer, Request
from . import backend as moto
from . import tags
from .missing import PREFIX_LIST, require
from .routes import routes_of
from .transit.references import is_referred_to


def _shown(backend: Any, one: Any) -> dict[str, Any]:
    found = {
        "PrefixListId": one.id,
        "AddressFamily": one.address_family,
        "State": one.state,
        "PrefixListArn": one.prefix_list_arn,
        "PrefixListName": one.prefix_list_name,
        "MaxEntries": one.max_entries,
        "Version": one.version,
        "Tags": tags.as_list(backend, one.id),
        "OwnerId": one.owner_id,
    }
    return {name: value for name, value in found.items() if value is not None}


def _settle(request: Request, one: Any, what: str) -> None:
    """`create-in-progress` or `modify-in-progress`, and after a while `-complete`."""
    one.state = now = f"{what}-in-progress"

    def complete() -> None:
        if one.state == now:
            one.state = f"{what}-complete"

    request.world.timeline.after(request.world.settings.delays.of("prefix-list", now), complete)


def _entries(one: Any) -> list[dict[str, str]]:
    return list(one.entries.get(one.version) or ())


def _entry(given: dict[str, Any], family: str) -> dict[str, str]:
    """An entry as EC2 keeps it: without host bits."""
    try:
        network = ipaddress.ip_network(str(given.get("Cidr")), strict=False)
    except ValueError as error:
        raise AwsError("InvalidParameterValue", f"{given.get('Cidr')} is no CIDR block.") from error
    if f"IPv{network.version}" != family:
        raise AwsError("InvalidParameterValue", f"{network} is not of the address family {family}.")
    described = {"Description": str(given["Description"])} if given.get("Description") else {}
    return {"Cidr": str(network), **described}


def _with_room(entries: list[dict[str, str]], most: int) -> list[dict[str, str]]:
    ranges = [entry["Cidr"] for entry in entries]
    if len(set(ranges)) < len(ranges):
        raise AwsError("InvalidParameterValue", "A prefix list holds each CIDR block once.")
    if len(ranges) > most:
        raise AwsError("InvalidParameterValue", f"{len(ranges)} entries are more than the maximum of {most}.")
    return entries


def create(request: Request, backend: Any) -> Answer:
    """CreateManagedPrefixList."""
    given = request.parameters
    for name in ("PrefixListName", "MaxEntries", "AddressFamily"):
        if not given.get(name):
            raise AwsError("MissingParameter", f"The request must contain the parameter {name}")
    if str(given["PrefixListName"]).startswith("com.amazonaws"):
        raise AwsError("InvalidParameterValue", "The name of a prefix list cannot begin with com.amazonaws.")
    family = str(given["AddressFamily"])
    entries = _with_room(
        [_entry(one, family) for one in given.get("Entries") or ()], int(given["MaxEntries"])
    )
    made = backend.create_managed_prefix_list(
        address_family=family,
        entry=entries,
        max_entries=int(given["MaxEntries"]),
        prefix_list_name=given["PrefixListName"],
        tags=tags.specified(request, "prefix-list"),
    )
    _settle(request, made, "create")
    return {"PrefixList": _shown(backend, made)}


def describe(request: Request, backend: Any) -> Answer:
    """DescribeManagedPrefixLists: AWS's own are among them."""
    return {"PrefixLists": [_shown(backend, one) for one in backend.managed_prefix_lists.values()]}


def entries(request: Request, backend: Any) -> Answer:
    """GetManagedPrefixListEntries: of the version that is asked for, or of the last one."""
    one = require(backend, PREFIX_LIST, str(request.parameters.get("PrefixListId")))
    version = request.parameters.get("TargetVersion")
    return {"Entries": list(one.entries.get(version) or ()) if version else _entries(one)}


def modify(request: Request, backend: Any) -> Answer:
    """ModifyManagedPrefixList: one change at a time, entries or how many there may be, and entries of one version."""
    given = request.parameters
    one = require(backend, PREFIX_LIST, str(given.get("PrefixListId")))
    if one.state.endswith("-in-progress"):
        raise AwsError("IncorrectState", f"The prefix list {one.id} is in the state {one.state}.")
    removed = [_entry(entry, one.address_family)["Cidr"] for entry in given.get("RemoveEntries") or ()]
    added = [_entry(entry, one.address_family) for entry in given.get("AddEntries") or ()]
    there = _entries(one)
    if removed or added:
        if given.get("MaxEntries"):
            raise AwsError(
                "InvalidParameterCombination", "MaxEntries cannot be changed together with entries."
            )
        if given.get("CurrentVersion") != one.version:
            raise AwsError("PrefixListVersionMismatch", f"The current version of {one.id} is {one.version}.")
        if missing := set(removed) - {entry["Cidr"] for entry in there}:
            raise AwsError("InvalidParameterValue", f"{one.id} has no entry {min(missing)}.")
        left = [entry for entry in there if entry["Cidr"] not in removed]
        if set(removed) & {entry["Cidr"] for entry in added}:
            raise AwsError("InvalidParameterValue", "A CIDR block is added and removed at once.")
        after = _with_room([*left, *added], one.max_entries)
        one.version += 1
        one.entries[one.version] = after
    if given.get("MaxEntries"):
        _with_room(there, int(given["MaxEntries"]))
        one.max_entries = int(given["MaxEntries"])
    one.prefix_list_name = given.get("PrefixListName") or one.prefix_list_name
    _settle(request, one, "modify")
    return {"PrefixList": _shown(backend, one)}


def _is_used(request: Request, backend: Any, id: str) -> bool:
    by_route = any(id in routes_of(request, table) for table in backend.route_tables.values())
    return (
        by_route
        or is_referred_to(backend, id)
        or any(
            getattr(rule, "prefix_list_id", None) == id
            for group in moto.groups(backend)
            for rule in (*group.ingress_rules, *group.egress_rules)
        )
    )


def delete(request: Request, backend: Any) -> Answer:
    """DeleteManagedPrefixList."""
    one = require(backend, PREFIX_LIST, str(request.parameters.get("PrefixListId")))
    if one.owner_id == "AWS":
        raise AwsError("UnauthorizedOperation", "You are not authorized to perform this operation.")
    if _is_used(request, backend, one.id):
        raise AwsError("IncorrectState", f"The prefix list {one.id} is in use.")
    one.state = "delete-in-progress"

    def gone() -> None:
        backend.managed_prefix_lists.pop(one.id, None)
        backend.tags.pop(one.id, None)

    request.world.timeline.after(request.world.settings.delays.of("prefix-list", one.state), gone)
    return {"PrefixList": _shown(backend, one)}
