"""Tags: which a thing should carry, and the calls that put them there.  Used by `converge` and `planner`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.model.address import REPLACED
from reconciler.model.calls import Call, digest
from reconciler.model.kind import Kind
from reconciler.model.things import (
    ADDRESS_TAG,
    DIGEST_TAG,
    PROTECT_TAG,
    STACK_TAG,
    Desired,
    Observed,
    Parameter,
    Pending,
    contains,
    within,
)
from reconciler.model.verdicts import Drift

OWNER_TAGS = frozenset({STACK_TAG, ADDRESS_TAG, PROTECT_TAG})
"""The tags that say whose a thing is, and whether it may go."""
DIGEST_VERSION = "1"
"""Raised when the way a digest is made changes, so that an old digest is not taken for drift."""


def wanted_tags(kind: Kind, desired: Desired, stack: str) -> dict[str, Any]:
    """All tags that the thing should have; None for one that it should not have.  `desired` is resolved."""
    tags: dict[str, Any] = dict(desired.tags)
    tags[STACK_TAG] = stack
    tags[ADDRESS_TAG] = str(desired.address)
    tags[PROTECT_TAG] = {None: None, True: "true", False: "false"}[desired.protect]
    for name in sorted(kind.write_only & desired.spec.keys()):
        tags[DIGEST_TAG + name] = digest_of(desired.spec[name])
    return {key: value for key, value in tags.items() if value is not ...}


def digest_of(value: Any) -> Any:
    """What the tag of a write-only field says of its value; nothing (`...`) for a value that is read at creation."""
    if contains(value, Parameter):
        return ...
    if pending := next(within(value, Pending), None):
        return pending
    return f"{DIGEST_VERSION}:{digest(value)}"


def tag_drift(wanted: Mapping[str, Any], seen: Mapping[str, str]) -> list[Drift]:
    """The tags that have to be set or removed, in order; a tag that the config does not name stays as it is."""
    return [
        Drift(f"Tags.{key}", value, seen.get(key)) for key, value in wanted.items() if seen.get(key) != value
    ]


def tag_calls(kind: Kind, thing: Observed, drifts: list[Drift], why: str) -> list[Call]:
    """The calls that mend drifted tags."""
    if not drifts:
        return []
    keys = {drift.path.removeprefix("Tags."): drift.wanted for drift in drifts}
    put = pairs({key: value for key, value in keys.items() if value is not None})
    gone = [key for key, value in keys.items() if value is None]
    tagging, calls = kind.tagged, []
    if put:
        calls.append((tagging.operations[0], tagging.put(thing, put)))
    if gone:
        calls.append((tagging.operations[1], tagging.take(thing, gone)))
    return [
        Call(service=kind.service, operation=operation, parameters=parameters, why=why)
        for operation, parameters in calls
    ]


def birth_tags(kind: Kind, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """The parameter that makes a create call tag the thing at birth."""
    tags = pairs({key: value for key, value in wanted.items() if value is not None})
    if kind.tag_type:
        return {"TagSpecifications": [{"ResourceType": kind.tag_type, "Tags": tags}]}
    return {kind.tagged.parameter: kind.tagged.birth(tags)}


def make_way(kind: Kind, thing: Observed, desired: Desired) -> list[Call]:
    """The calls that rename a thing so that its successor can have its address, and let it go in time."""
    drifts = [Drift(f"Tags.{ADDRESS_TAG}", f"{desired.address}{REPLACED}", str(desired.address))]
    if desired.protect is False:
        drifts.append(Drift(f"Tags.{PROTECT_TAG}", "false", thing.tags.get(PROTECT_TAG)))
    return tag_calls(kind, thing, drifts, "makes way for its successor")


def pairs(tags: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Tags as AWS takes them, in order of their keys."""
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]
