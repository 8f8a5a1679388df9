"""Core network policies: what is wrong with one, and the network that it describes.  Pure: documents in, facts out.

Sources: AWS Cloud WAN user guide, "Core network policy version parameters", for what a policy holds; for codes and
texts of errors what users have reported: "$.network-function-groups: null found, array expected"
(terraform-provider-aws #38255), "$.attachment-policies[0].action.require-acceptance: the property must be omitted or
the value must be true" (#26009), "$.core-network-configuration.edge-locations: us-west-2 cannot be removed from policy
because it would orphan attachment-…" (#29707), and the codes ORPHANED_ATTACHMENT, REQUIRED_PROPERTY,
CONSTANT_VIOLATION, MAXIMUM_ITEMS_EXCEEDED, INVALID_STRING.  Other codes are the sandbox's own, in the same form.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Document = Mapping[str, Any]
PolicyError = dict[str, str]

_LISTS = (
    "segments",
    "network-function-groups",
    "segment-actions",
    "attachment-policies",
    "routing-policies",
    "attachment-routing-policy-rules",
)
_KNOWN = {"version", "core-network-configuration", *_LISTS}
_VERSIONS = ("2021.12", "2025.11")
_ROUTING = ("routing-policies", "attachment-routing-policy-rules")  # "You must select version 2025.11"
_MOST_SEGMENTS = 40
_CONDITIONS = (
    "any",
    "tag-exists",
    "tag-value",
    "resource-id",
    "region",
    "attachment-type",
    "account-id",
    "account",
)
_NAME = re.compile(r"[A-Za-z][0-9A-Za-z]{0,63}")
_ATTACHMENT = re.compile(r"attachment-[0-9a-f]{17}")


def error(code: str, path: str, why: str) -> PolicyError:
    """One error as CoreNetworkPolicyException and PolicyErrors hold it."""
    return {"ErrorCode": code, "Message": f"{path}: {why}", "Path": path}


def parse(text: str) -> tuple[dict[str, Any], list[PolicyError]]:
    """The document, and all that is wrong with it; an empty document if it cannot be read."""
    try:
        document = json.loads(text)
    except ValueError:
        return {}, [error("INVALID_JSON", "$", "the policy is not valid JSON")]
    if not isinstance(document, dict):
        return {}, [error("INVALID_TYPE", "$", f"{_type(document)} found, object expected")]
    errors = list(_shape(document))
    try:
        errors = errors or list(_meaning(document))
        if not errors:  # what it describes must be there to be read
            _ = edges(document), segments(document), function_groups(document)
    except (AttributeError, KeyError, TypeError, ValueError) as problem:
        errors = [error("INVALID_TYPE", "$", f"a value has the wrong type ({problem})")]
    return document, errors


def normal(document: Document) -> str:
    """The document as the service stores it: without white space."""
    return json.dumps(document, separators=(",", ":"))


def edge_names(document: Document) -> list[str]:
    """The regions in which the core network is."""
    return [str(one["location"]) for one in _configuration(document).get("edge-locations", [])]


def edges(document: Document) -> list[dict[str, Any]]:
    """The edges as GetCoreNetwork shows them. ASNs that the policy leaves open are taken from its ranges in order; an
    edge without inside CIDR blocks of its own gets a /24 of the core network's (both unverified in detail)."""
    configuration = _configuration(document)
    given = {one["location"]: one for one in configuration.get("edge-locations", [])}
    taken = {int(one["asn"]) for one in given.values() if one.get("asn") is not None}
    free = (asn for low, high in _ranges(document) for asn in range(low, high + 1) if asn not in taken)
    shared = configuration.get("inside-cidr-blocks", [])
    shown = []
    for number, (location, one) in enumerate(given.items()):
        asn = int(one["asn"]) if one.get("asn") is not None else next(free, 0)
        blocks = one.get("inside-cidr-blocks") or [
            block for cidr in shared if (block := _slice(cidr, number)) is not None
        ]
        shown.append({"EdgeLocation": location, "Asn": asn, "InsideCidrBlocks": blocks})
    return shown


def segments(document: Document) -> list[dict[str, Any]]:
    """The segments as GetCoreNetwork shows them."""
    everywhere = edge_names(document)
    shared: dict[str, list[str]] = {}
    names = [one["name"] for one in document.get("segments", [])]
    for action in document.get("segment-actions", []):
        if action.get("action") == "share":
            shared.setdefault(action["segment"], []).extend(
                one for one in _share_with(action.get("share-with"), names) if one != action["segment"]
            )
    return [
        {
            "Name": one["name"],
            "EdgeLocations": list(one.get("edge-locations") or everywhere),
            "SharedSegments": shared.get(one["name"], []),
        }
        for one in document.get("segments", [])
    ]


def function_groups(document: Document) -> list[dict[str, Any]]:
    """The network function groups as GetCoreNetwork shows them."""
    shown = []
    for group in document.get("network-function-groups", []):
        used: dict[str, list[str]] = {"SendVia": [], "SendTo": []}
        for action in document.get("segment-actions", []):
            member = {"send-via": "SendVia", "send-to": "SendTo"}.get(action.get("action", ""))
            if member and group["name"] in action.get("via", {}).get("network-function-groups", []):
                used[member].append(action["segment"])
        shown.append({"Name": group["name"], "EdgeLocations": edge_names(document), "Segments": used})
    return shown


def named_attachments(document: Document) -> list[tuple[str, str]]:
    """The attachments that static routes name: path and id."""
    return [
        (f"$.segment-actions[{number}].destinations", destination)
        for number, action in enumerate(document.get("segment-actions", []))
        for destination in action.get("destinations", [])
        if str(destination).startswith("attachment-")
    ]


def prefix_list_aliases(document: Document) -> set[str]:
    """All texts in the routing policies, among which are the aliases of prefix lists that they use."""
    return set(_texts(document.get("routing-policies", [])))


# ------------------------------------------------------------------------------------------------ what is wrong


def _shape(document: Document) -> Iterator[PolicyError]:
    for name in ("version", "core-network-configuration", "segments"):
        if name not in document:
            yield error("REQUIRED_PROPERTY", f"$.{name}", "is missing but it is required")
    for name, value in document.items():
        if name not in _KNOWN:
            yield error("ADDITIONAL_PROPERTY", f"$.{name}", "is not defined in the schema")
        elif name in _LISTS and not isinstance(value, list):
            yield error("INVALID_TYPE", f"$.{name}", f"{_type(value)} found, array expected")
        elif name in _LISTS:
            for number, one in enumerate(value):
                if not isinstance(one, dict):
                    yield error("INVALID_TYPE", f"$.{name}[{number}]", f"{_type(one)} found, object expected")
    if "version" in document and document["version"] not in _VERSIONS:
        yield error("INVALID_VALUE", "$.version", f"must be one of {', '.join(_VERSIONS)}")
    yield from _configuration_shape(document)
    needed = {
        "segments": ("name",),
        "network-function-groups": ("name",),
        "segment-actions": ("action", "segment"),
    }
    needed["attachment-policies"] = ("rule-number", "conditions", "action")
    for name, members in needed.items():
        for number, one in enumerate(_objects(document.get(name))):
            for member in members:
                if member not in one:
                    path = f"$.{name}[{number}].{member}"
                    yield error("REQUIRED_PROPERTY", path, "is missing but it is required")


def _configuration_shape(document: Document) -> Iterator[PolicyError]:
    path = "$.core-network-configuration"
    configuration = document.get("core-network-configuration")
    if configuration is None and "core-network-configuration" not in document:
        return
    if not isinstance(configuration, dict):
        yield error("INVALID_TYPE", path, f"{_type(configuration)} found, object expected")
        return
    for name in ("asn-ranges", "edge-locations"):
        if name not in configuration:
            yield error("REQUIRED_PROPERTY", f"{path}.{name}", "is missing but it is required")
        elif not isinstance(configuration[name], list):
            found = _type(configuration[name])
            yield error("INVALID_TYPE", f"{path}.{name}", f"{found} found, array expected")
        elif not configuration[name]:
            yield error("MINIMUM_ITEMS", f"{path}.{name}", "there must be a minimum of 1 items in the array")
    for number, one in enumerate(_objects(configuration.get("edge-locations"))):
        if "location" not in one:
            yield error(
                "REQUIRED_PROPERTY",
                f"{path}.edge-locations[{number}].location",
                "is missing but it is required",
            )


def _meaning(document: Document) -> Iterator[PolicyError]:
    yield from _edges_meaning(document)
    known = edge_names(document)
    names = [str(one["name"]) for one in document["segments"]]
    groups = [str(one["name"]) for one in document.get("network-function-groups", [])]
    if len(names) > _MOST_SEGMENTS:
        why = f"there must be a maximum of {_MOST_SEGMENTS} items in the array"
        yield error("MAXIMUM_ITEMS_EXCEEDED", "$.segments", why)
    for number, one in enumerate(document["segments"]):
        path = f"$.segments[{number}]"
        if not _NAME.fullmatch(str(one["name"])):
            yield error("INVALID_STRING", f"{path}.name", f"does not match {_NAME.pattern}")
        if names.index(str(one["name"])) != number:
            yield error("DUPLICATE_VALUE", f"{path}.name", f"{one['name']} is not unique")
        for edge in one.get("edge-locations") or ():
            if edge not in known:
                yield error("INVALID_VALUE", f"{path}.edge-locations", f"{edge} is not an edge location")
    for name in _ROUTING:
        if document.get(name) and document["version"] != "2025.11":
            yield error("INVALID_VALUE", f"$.{name}", "needs version 2025.11")
    yield from _actions_meaning(document, names)
    yield from _rules_meaning(document, names, groups)


def _edges_meaning(document: Document) -> Iterator[PolicyError]:
    path = "$.core-network-configuration"
    try:
        ranges = _ranges(document)
    except ValueError:
        yield error("INVALID_STRING", f"{path}.asn-ranges", "is not a list of ranges such as 64512-64555")
        return
    seen: set[str] = set()
    for number, one in enumerate(_configuration(document)["edge-locations"]):
        where = f"{path}.edge-locations[{number}]"
        if one["location"] in seen:
            yield error("DUPLICATE_VALUE", f"{where}.location", f"{one['location']} is not unique")
        seen.add(one["location"])
        asn = one.get("asn")
        if asn is not None and not any(low <= int(asn) <= high for low, high in ranges):
            yield error("INVALID_VALUE", f"{where}.asn", f"{asn} is outside of asn-ranges")


def _actions_meaning(document: Document, names: Sequence[str]) -> Iterator[PolicyError]:
    for number, action in enumerate(document.get("segment-actions", [])):
        path = f"$.segment-actions[{number}]"
        if action["segment"] not in names:
            yield error("INVALID_VALUE", f"{path}.segment", f"{action['segment']} is not a segment")
        destinations = action.get("destinations", [])
        for destination in destinations:
            alone = destination == "blackhole" and len(destinations) == 1
            if not alone and not _ATTACHMENT.fullmatch(str(destination)):
                yield error("INVALID_STRING", f"{path}.destinations", f"does not match {_ATTACHMENT.pattern}")


def _rules_meaning(document: Document, names: Sequence[str], groups: Sequence[str]) -> Iterator[PolicyError]:
    seen: set[int] = set()
    for number, rule in enumerate(document.get("attachment-policies", [])):
        path, action = f"$.attachment-policies[{number}]", rule["action"]
        if rule["rule-number"] in seen or not 1 <= int(rule["rule-number"]) <= 65535:
            yield error("INVALID_VALUE", f"{path}.rule-number", "must be unique and between 1 and 65535")
        seen.add(rule["rule-number"])
        if not rule["conditions"]:
            yield error(
                "MINIMUM_ITEMS", f"{path}.conditions", "there must be a minimum of 1 items in the array"
            )
        for place, condition in enumerate(rule["conditions"]):
            if condition.get("type") not in _CONDITIONS:
                where = f"{path}.conditions[{place}].type"
                yield error("INVALID_VALUE", where, f"must be one of {', '.join(_CONDITIONS)}")
        if len(rule["conditions"]) > 1 and "condition-logic" not in rule:
            yield error("REQUIRED_PROPERTY", f"{path}.condition-logic", "is missing but it is required")
        if "require-acceptance" in action and action["require-acceptance"] is not True:
            why = "the property must be omitted or the value must be true"
            yield error("CONSTANT_VIOLATION", f"{path}.action.require-acceptance", why)
        group = action.get("add-to-network-function-group")
        if group is not None and group not in groups:
            yield error(
                "INVALID_VALUE", f"{path}.action.add-to-network-function-group", f"{group} is not a group"
            )
        if action.get("association-method") == "constant" and action.get("segment") not in names:
            yield error(
                "INVALID_VALUE", f"{path}.action.segment", f"{action.get('segment')} is not a segment"
            )
        if action.get("association-method") == "tag" and not action.get("tag-value-of-key"):
            yield error(
                "REQUIRED_PROPERTY", f"{path}.action.tag-value-of-key", "is missing but it is required"
            )
        if group is None and action.get("association-method") not in ("constant", "tag"):
            yield error("INVALID_VALUE", f"{path}.action.association-method", "must be one of constant, tag")


# ---------------------------------------------------------------------------------------------------- small parts


def _configuration(document: Document) -> Mapping[str, Any]:
    configuration: Mapping[str, Any] = document.get("core-network-configuration") or {}
    return configuration


def _ranges(document: Document) -> list[tuple[int, int]]:
    found = []
    for text in _configuration(document).get("asn-ranges", []):
        low, _, high = str(text).partition("-")
        found.append((int(low), int(high or low)))
    return found


def _slice(cidr: str, number: int) -> str | None:
    network = ipaddress.ip_network(cidr, strict=False)
    length = 24 if network.version == 4 else 64
    if network.prefixlen > length or number >= 2 ** (length - network.prefixlen):
        return None
    return str(next(one for n, one in enumerate(network.subnets(new_prefix=length)) if n == number))


def _share_with(wanted: Any, names: Sequence[str]) -> list[str]:
    if wanted == "*":
        return list(names)
    if isinstance(wanted, dict):
        return [one for one in names if one not in wanted.get("except", [])]
    return list(wanted or [])


def _objects(value: Any) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def _type(value: Any) -> str:
    names = {
        type(None): "null",
        bool: "boolean",
        int: "integer",
        float: "number",
        str: "string",
        list: "array",
    }
    return names.get(type(value), "object")
