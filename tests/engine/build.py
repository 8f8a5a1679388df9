"""Things and wishes made by hand: say only what matters.  Used by the tests of the decisions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from reconciler.engine.planner import Planner
from reconciler.model.address import Address
from reconciler.model.things import ADDRESS_TAG, STACK_TAG, Desired, Observed, Scope, World
from tests.harness import ACCOUNT, FACTS, STACK

READY = {
    "global-network": "AVAILABLE",
    "site": "AVAILABLE",
    "vpc": "available",
    "subnet": "available",
    "instance": "running",
    "internet-gateway": None,
    "security-group": None,
    "key-pair": None,
    "transit-gateway": "available",
    "transit-gateway-vpc-attachment": "available",
}


def region_of(kind: str) -> str:
    return "us-west-2" if FACTS[kind].kind.regional else ""


def wish(address: str, spec: Mapping[str, Any] | None = None, **more: Any) -> Desired:
    """A resource as a config wants it."""
    parsed = Address.parse(address)
    given = {"account": ACCOUNT, "region": region_of(parsed.kind), "spec": spec or {}, **more}
    return Desired(address=parsed, **given)


def thing(address: str, id: str = "", /, raw: Mapping[str, Any] | None = None, **more: Any) -> Observed:
    """A thing that is ours, ready, and has just this in it; `tags` are added to the owner tags (None removes one)."""
    claim = Address.parse(address.removesuffix("@old"))
    kind = FACTS[claim.kind].kind
    id = id or f"{claim.kind}-{claim.name}"
    tags: dict[str, str | None] = {STACK_TAG: STACK, ADDRESS_TAG: address, **more.pop("tags", {})}
    kept = {key: value for key, value in tags.items() if value is not None}
    row = {kind.id: id, "GlobalNetworkId": "gn", "Rules": [], **(raw or {})}
    given: dict[str, Any] = {
        "kind": kind.name,
        "account": ACCOUNT,
        "region": region_of(kind.name),
        "id": id,
        "arn": f"arn:{id}",
        "state": READY[kind.name],
        "spec": kind.project(row),
        "tags": kept,
        "raw": row,
        "address": claim if ADDRESS_TAG in kept else None,
        "stack": kept.get(STACK_TAG),
        "replaced": address.endswith("@old"),
    }
    return Observed(**{**given, **more})


def world(*things: Observed, unread: Iterable[str] = (), dead: Iterable[Observed] = ()) -> World:
    """A look that saw these things, and read all kinds but the `unread`."""
    scopes = {Scope(kind, ACCOUNT, region_of(kind)) for kind in FACTS}
    missed = {scope: "AccessDenied" for scope in scopes if scope.kind in set(unread)}
    return World(
        stack=STACK,
        things=tuple(things),
        dead=tuple(dead),
        read=frozenset(scopes - missed.keys()),
        unread=missed,
    )


def planner(wanted: Iterable[Desired], seen: World | None = None, **more: Any) -> Planner:
    """The decisions about these wishes in this world."""
    return Planner(
        stack=STACK,
        resources={desired.address: desired for desired in wanted},
        facts=FACTS,
        world=seen or world(),
        **more,
    )
