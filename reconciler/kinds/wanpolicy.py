"""Policies of core networks as values: one spelling, what differs, what is plainly wrong, what they say of edges.

Facts: https://docs.aws.amazon.com/network-manager/latest/cloudwan/cloudwan-policies-json.html
Used by `corenetwork` and `cloudwan`.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache
from typing import Any

from reconciler.model.things import Parameter, Pending, Text, within
from reconciler.model.verdicts import Drift

FIELD = "PolicyDocument"
VERSIONS = ("2021.12", "2025.11")
CONFIGURATION, EDGES, BLOCKS = "core-network-configuration", "edge-locations", "inside-cidr-blocks"
ACTIONS, DESTINATIONS = "segment-actions", "destinations"
"""Static routes are segment actions with destinations, which are attachments of the network itself."""

# ---- one spelling


def canonical(document: Any) -> Any:
    """A policy in one spelling; what is no JSON stays as it is.

    The order of keys says nothing, nor does that of a list of plain values: AWS does not promise to keep either.
    """
    found = tree(document)
    return document if found is None else json.dumps(found, sort_keys=True, separators=(",", ":"))


def tree(document: Any) -> Any:
    """What a policy says; None for what is no JSON."""
    return None if document is None else _tree(str(document))


@lru_cache(maxsize=64)
def _tree(text: str) -> Any:
    try:
        return _sorted(json.loads(text))
    except ValueError:
        return None


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _sorted(inner) for name, inner in value.items()}
    if isinstance(value, list):
        items = [_sorted(inner) for inner in value]
        return items if any(isinstance(item, dict | list) for item in items) else sorted(items, key=str)
    return value


def differences(wanted: Any, seen: Any, path: str = FIELD) -> Iterator[Drift]:
    """Where two documents differ, one entry a place."""
    if isinstance(wanted, dict) and isinstance(seen, dict):
        for name in dict.fromkeys([*wanted, *seen]):
            yield from differences(wanted.get(name), seen.get(name), f"{path}.{name}")
    elif _is_list_of_things(wanted) and _is_list_of_things(seen):
        for index in range(max(len(wanted), len(seen))):
            one, other = (items[index] if index < len(items) else None for items in (wanted, seen))
            yield from differences(one, other, f"{path}[{index}]")
    elif wanted != seen:
        yield Drift(path, wanted, seen)


def _is_list_of_things(value: Any) -> bool:
    return isinstance(value, list) and any(isinstance(item, dict) for item in value)


# ---- what it says while the attachments that it leads to are not there yet


def spelt(document: Any) -> tuple[Any, Mapping[str, str | None]]:
    """A policy as one text, in which what is not known yet stands as `${kind/name}`; each of these with the id of what
    is there and not ready, or None."""
    if not isinstance(document, Text | Pending):
        return document, {}
    parts = document.parts if isinstance(document, Text) else (document,)
    unknown = {_name(part): part.there for part in parts if isinstance(part, Pending)}
    return "".join(_name(part) if isinstance(part, Pending) else str(part) for part in parts), unknown


def _name(pending: Pending) -> str:
    return f"${{{pending.of}}}"


def same_but_for_routes(policy: Any, live: Any, unknown: Collection[str]) -> bool:
    """Whether all that is wanted is live, but for the routes that lead to what is not known yet, wherever they lead
    meanwhile."""
    routes = [_but_for_destinations(one) for one in _things(policy, ACTIONS) if _unknown(one, unknown)]
    left, right = (
        _with_actions(one, [act for act in _things(one, ACTIONS) if _but_for_destinations(act) not in routes])
        for one in (policy, live)
    )
    return bool(left == right)


def for_now(policy: Any, live: Any, unknown: Mapping[str, str | None]) -> Any:
    """A policy whose routes lead to what is known, or is there and has a live route to it; without those that then lead
    nowhere."""
    kept = _kept(live, unknown)
    actions: list[Mapping[str, Any]] = []
    for one in _things(policy, ACTIONS):
        if not _unknown(one, unknown):
            actions.append(one)
        elif ways := [kept.get(way, way) for way in one[DESTINATIONS] if way in kept or way not in unknown]:
            actions.append({**one, DESTINATIONS: ways})
    return _with_actions(policy, actions)


def postponed(live: Any, unknown: Mapping[str, str | None]) -> bool:
    """Whether such a policy lacks a route that is wanted."""
    return unknown.keys() != _kept(live, unknown).keys()


def is_route(path: str) -> bool:
    """Whether a path of what differs (`differences`) is about routes."""
    return path.startswith(f"{FIELD}.{ACTIONS}")


def _kept(live: Any, unknown: Mapping[str, str | None]) -> dict[str, str | None]:
    """What is there, and has a live route to it."""
    reached = {where for one in _things(live, ACTIONS) for where in one.get(DESTINATIONS) or ()}
    return {name: id for name, id in unknown.items() if id in reached}


def _unknown(action: Mapping[str, Any], unknown: Collection[str]) -> bool:
    ways = action.get(DESTINATIONS)
    return isinstance(ways, list) and any(way in unknown for way in ways)


def _but_for_destinations(action: Mapping[str, Any]) -> Mapping[str, Any]:
    return {name: value for name, value in action.items() if name != DESTINATIONS}


def _with_actions(policy: Any, actions: list[Mapping[str, Any]]) -> Any:
    """A policy with other segment actions; with none it does not speak of any."""
    if not isinstance(policy, Mapping):
        return policy
    rest = {name: value for name, value in policy.items() if name != ACTIONS}
    return {**rest, ACTIONS: actions} if actions else rest


def outside_of_routes(policy: Any) -> Any:
    """A policy less what its routes lead to."""
    return _with_actions(policy, [_but_for_destinations(one) for one in _things(policy, ACTIONS)])


# ---- what it says


def edges(policy: Any) -> list[str]:
    """The regions in which a network is."""
    return [str(one.get("location")) for one in _things(_member(policy, CONFIGURATION), EDGES)]


def segments(policy: Any) -> list[str]:
    """The names of its segments."""
    return [str(one.get("name")) for one in _things(policy, "segments")]


def choosing_tags(policy: Any) -> set[str]:
    """The keys of those tags whose value names the segment of an attachment."""
    actions = [_member(rule, "action") for rule in _things(policy, "attachment-policies")]
    return {str(one["tag-value-of-key"]) for one in actions if one.get("tag-value-of-key")}


def _member(value: Any, name: str) -> Mapping[str, Any]:
    found = value.get(name) if isinstance(value, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _things(value: Any, name: str) -> list[Mapping[str, Any]]:
    found = value.get(name) if isinstance(value, Mapping) else None
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []


# ---- what is wrong

Mistakes = Iterator[tuple[tuple[str | int, ...], str]]
"""What is wrong, each with its path within the policy."""


def mistakes(document: Any) -> Mistakes:
    """What is plainly wrong with a policy; AWS finds the rest when it is put."""
    if document is None:
        return
    if any(True for _ in within(document, Parameter)):
        yield (), "cannot hold a parameter: it is compared with what is live"
        return
    try:
        policy = json.loads(str(document))
    except ValueError as error:
        yield (), f"is not JSON: {error}"
        return
    if isinstance(policy, dict):
        yield from _mistakes(policy)
    else:
        yield (), "must be a mapping"


def _mistakes(policy: Mapping[str, Any]) -> Mistakes:
    if "version" not in policy:
        yield (), "needs a version"
    elif policy["version"] not in VERSIONS:
        yield ("version",), 'must be "2021.12" or "2025.11", in quotes'
    if not isinstance(policy.get("segments"), list) or not policy["segments"]:
        yield (), "needs segments, a list"
    configuration = policy.get(CONFIGURATION)
    if not isinstance(configuration, dict):
        yield (), f"needs {CONFIGURATION}, a mapping"
        return
    lacks = [name for name in ("asn-ranges", EDGES) if not _full_list(configuration.get(name))]
    for name in lacks:
        yield (CONFIGURATION,), f"needs {name}, a list"
    if not lacks:
        yield from _asns(configuration)
    yield from _blocks(configuration)
    yield from _segments(policy)


def _full_list(value: Any) -> bool:
    return isinstance(value, list) and bool(value)


def _asns(configuration: Mapping[str, Any]) -> Mistakes:
    ranges = []
    for number, text in enumerate(configuration["asn-ranges"]):
        low, _, high = str(text).partition("-")
        if not low.isdigit() or not (high or low).isdigit():
            yield (CONFIGURATION, "asn-ranges", number), f"{text} is no range such as 64512-64555"
            return
        ranges.append((int(low), int(high or low)))
    for number, edge in enumerate(configuration[EDGES]):
        asn = str(_asn(edge))
        if asn.isdigit() and not any(low <= int(asn) <= high for low, high in ranges):
            yield (CONFIGURATION, EDGES, number, "asn"), f"{asn} is outside of asn-ranges"


def _asn(edge: Any) -> Any:
    return edge.get("asn", "") if isinstance(edge, Mapping) else ""


def _blocks(configuration: Mapping[str, Any]) -> Mistakes:
    """Inside CIDR blocks of one network, and those of its edges among each other, must not overlap."""
    shared = configuration.get(BLOCKS)
    edges = configuration.get(EDGES)
    at_edges: list[tuple[tuple[str | int, ...], Any]] = [
        ((CONFIGURATION, EDGES, number, BLOCKS, place), block)
        for number, edge in enumerate(edges if isinstance(edges, list) else [])
        if isinstance(edge, Mapping)
        for place, block in enumerate(edge.get(BLOCKS) or ())
    ]
    whole: list[tuple[tuple[str | int, ...], Any]] = [
        ((CONFIGURATION, BLOCKS, place), block)
        for place, block in enumerate(shared if isinstance(shared, list) else [])
    ]
    for found in (whole, at_edges):
        texts = [str(block) for _, block in found]
        for one, other in _overlaps(texts):
            yield found[other][0], f"{texts[other]} overlaps with {texts[one]}"


def overlapping(blocks: list[str]) -> Iterator[tuple[str, str]]:
    """The pairs of blocks that overlap; what is no block is left to AWS."""
    return ((blocks[one], blocks[other]) for one, other in _overlaps(blocks))


def _overlaps(blocks: list[str]) -> Iterator[tuple[int, int]]:
    """The same by their places."""
    seen: list[tuple[int, Any]] = []
    for place, text in enumerate(blocks):
        try:
            block = ipaddress.ip_network(text, strict=False)
        except ValueError:
            continue
        for before, other in seen:
            if other.version == block.version and other.overlaps(block):
                yield before, place
        seen.append((place, block))


def _segments(policy: Mapping[str, Any]) -> Mistakes:
    """Segments that are named and not there."""
    names = segments(policy)
    named: list[tuple[tuple[str | int, ...], Any]] = [
        *(
            (("attachment-policies", place, "action", "segment"), _member(rule, "action").get("segment"))
            for place, rule in enumerate(_things(policy, "attachment-policies"))
        ),
        *(
            ((ACTIONS, place, "segment"), action.get("segment"))
            for place, action in enumerate(_things(policy, ACTIONS))
        ),
    ]
    for path, name in named:
        if name is not None and name not in names:
            yield path, f"the policy has no segment {name}"
