"""The change set between two policies, as GetCoreNetworkChangeSet and GetCoreNetworkChangeEvents show it.  Pure.

Source: botocore's model, CoreNetworkChange: types, actions and the form of an identifier path,
"CORE_NETWORK_SEGMENT/us-east-1/devsegment".  How fine AWS's change sets are is unverified; here a segment counts once
per edge.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from . import documents
from .documents import Document

_Parts = dict[tuple[str, str, str], dict[str, Any]]  # (type, edge, identifier) -> values

_SECTIONS = {
    "core-network-configuration": "CORE_NETWORK_CONFIGURATION",
    "segment-actions": "SEGMENT_ACTIONS_CONFIGURATION",
    "attachment-policies": "ATTACHMENT_POLICIES_CONFIGURATION",
}


def between(live: Document | None, wanted: Document) -> list[dict[str, Any]]:
    """The changes that lead from the live policy (None: there is none) to another one."""
    old, new = _parts(live or {}), _parts(wanted)
    changes = []
    for key in sorted(old.keys() | new.keys()):
        if old.get(key) == new.get(key):
            continue
        kind, edge, identifier = key
        change: dict[str, Any] = {
            "Type": kind,
            "Action": "ADD" if key not in old else "REMOVE" if key not in new else "MODIFY",
            "Identifier": identifier,
            "IdentifierPath": "/".join(part for part in (kind, edge, identifier) if part),
        }
        if key in old:
            change["PreviousValues"] = old[key]
        if key in new:
            change["NewValues"] = new[key]
        changes.append(change)
    return changes + _sections(live or {}, wanted)


def events(changes: list[dict[str, Any]], status: str, moment: datetime) -> list[dict[str, Any]]:
    """The changes as events of their execution, all in one status."""
    return [
        {
            "Type": change["Type"],
            "Action": change["Action"],
            "IdentifierPath": change["IdentifierPath"],
            "EventTime": moment,
            "Status": status,
            "Values": _event_values(change),
        }
        for change in changes
    ]


def _event_values(change: Mapping[str, Any]) -> dict[str, Any]:
    values = change.get("NewValues") or change.get("PreviousValues") or {}
    shown = {name: values[name] for name in ("SegmentName", "NetworkFunctionGroupName") if name in values}
    if values.get("EdgeLocations"):
        shown["EdgeLocation"] = values["EdgeLocations"][0]
    return shown


def _parts(document: Document) -> _Parts:
    parts: _Parts = {}
    for edge in documents.edges(document):
        where = edge["EdgeLocation"]
        parts["CORE_NETWORK_EDGE", "", where] = {
            "EdgeLocations": [where],
            "Asn": edge["Asn"],
            "InsideCidrBlocks": edge["InsideCidrBlocks"],
        }
    for segment in documents.segments(document):
        for edge in segment["EdgeLocations"]:
            parts["CORE_NETWORK_SEGMENT", edge, segment["Name"]] = {
                "SegmentName": segment["Name"],
                "EdgeLocations": [edge],
                "SharedSegments": segment["SharedSegments"],
            }
    for group in documents.function_groups(document):
        for edge in group["EdgeLocations"]:
            parts["NETWORK_FUNCTION_GROUP", edge, group["Name"]] = {
                "NetworkFunctionGroupName": group["Name"],
                "EdgeLocations": [edge],
            }
    return parts


def _sections(live: Document, wanted: Document) -> list[dict[str, Any]]:
    changes = []
    for section, kind in _SECTIONS.items():
        if live.get(section) != wanted.get(section):
            action = "ADD" if section not in live else "REMOVE" if section not in wanted else "MODIFY"
            changes.append({"Type": kind, "Action": action, "Identifier": section, "IdentifierPath": kind})
    return changes
