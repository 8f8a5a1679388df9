"""What the config says in a random world: resources by slot, each in one of a few variants.  Used by `machine`.

A slot is a resource of the kinds' own fixtures, twice: `site/here-a` in one region, `site/here-b` in another.  A new
kind is in these worlds for its three fixtures.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from reconciler.desired.resource import KEYS
from reconciler.kinds import BY_NAME
from tests import documents
from tests.conformance.fixture import KINDS, load
from tests.faults.estate import EVERY, estate
from tests.harness import HEAD

REGIONS = {"a": "us-west-2", "b": "eu-central-1"}
SECRET = "hunter2-of-the-worlds"
"""Stands in all user data; no line of a log may hold it."""
REFERENCE = re.compile(r"\$\{([a-z][a-z0-9-]*/[a-z0-9_-]+)")
PLACE = re.compile("|".join(REGIONS.values()))
AFTER = "depends-on"
VARIANTS = ("base", "update", "fixed")
GENEROUS = {"deletes": 1000, "percent": 100, "per-hour": 1000}


def kind_of(address: str) -> str:
    """The kind in an address or slot."""
    return address.partition("/")[0]


def subjects(kinds: Iterable[str]) -> list[str]:
    """The slots of some kinds that have variants."""
    return [f"{kind}/subject-{letter}" for kind in kinds for letter in REGIONS]


def _map(change: Callable[[str], str], value: Any) -> Any:
    """A value with all its texts changed."""
    if isinstance(value, dict):
        return {name: _map(change, inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_map(change, inner) for inner in value]
    return change(value) if isinstance(value, str) else value


def _placed(kind: str, resource: Mapping[str, Any], letter: str) -> dict[str, Any]:
    """A resource, or some of its fields, in one of the two places; they change places in what the other one says."""
    here, there = REGIONS["a"], REGIONS[letter]

    def change(text: str) -> str:
        text = REFERENCE.sub(rf"${{\1-{letter}", text)
        text = PLACE.sub(lambda found: there if found[0] == here else here, text) if here != there else text
        return text.replace("echo ", f"echo {SECRET} ")

    placed: dict[str, Any] = _map(change, dict(resource))
    if AFTER in placed:
        placed[AFTER] = [f"{other}-{letter}" for other in placed[AFTER]]
    record = BY_NAME[kind]
    name = placed.get(record.unique or "")
    if isinstance(name, str) and not record.regional and "${" not in name:
        placed[record.unique or ""] = f"{name}-{letter}"  # what is unique everywhere is so in both places
    return placed


@cache
def universe() -> Mapping[str, Mapping[str, Any]]:
    """All resources that there can be, by slot."""
    found: dict[str, dict[str, Any]] = {}
    for address, resource in documents.load(estate("", EVERY))["resources"].items():
        kind = kind_of(address)
        for letter, region in REGIONS.items():
            place = {"region": region} if BY_NAME[kind].regional else {}
            found[f"{address}-{letter}"] = {**_placed(kind, resource, letter), **place}
    return found


@cache
def varied(slot: str, variant: str) -> Mapping[str, Any]:
    """A slot as one of its variants has it, not to be changed."""
    base = universe()[slot]
    if variant == "base":
        return base
    kind = kind_of(slot)
    other = _placed(kind, load(f"{kind}-{variant}"), slot[-1])
    tags = {**base.get("Tags", {}), **other.get("Tags", {})}
    return {**base, **other, **({"Tags": tags} if tags else {})}


@cache
def variants(slot: str) -> Mapping[str, Mapping[str, Any]]:
    """The fields of a slot, which are AWS's, in all variants that it can have."""
    names = VARIANTS if slot in subjects([kind_of(slot)]) else VARIANTS[:1]
    return {
        name: {key: value for key, value in varied(slot, name).items() if key not in (*KEYS, "Tags")}
        for name in names
    }


@cache
def mentioned(kind: str) -> frozenset[str]:
    """All fields that resources of a kind may have in these worlds."""
    slots = [slot for slot in universe() if kind_of(slot) == kind]
    return frozenset(name for slot in slots for fields in variants(slot).values() for name in fields)


@cache
def _referred(slot: str, variant: str) -> frozenset[str]:
    """The slots that one refers to."""
    found: set[str] = set(universe()[slot].get(AFTER, ()))

    def note(text: str) -> str:
        found.update(REFERENCE.findall(text))
        return text

    _map(note, variants(slot)[variant])
    return frozenset(found - {slot})


def can_be_beside(kind: str) -> bool:
    """Whether a successor can be made while the old one is there; AWS takes a target group for one load balancer
    only."""
    return not BY_NAME[kind].unique and kind != "listener"


def fixed_fields(kind: str) -> set[str]:
    """The fields that cannot change after creation, as far as the fixtures know them."""
    return set(load(f"{kind}-fixed"))


@dataclass
class Wish:
    """One resource of the config."""

    slot: str
    address: str
    variant: str = "base"
    """One of `VARIANTS`, as the kind's fixtures have them."""
    protect: bool | None = None
    replace: str | None = None
    ignore: list[str] = field(default_factory=list)
    previously: list[str] = field(default_factory=list)
    tags: dict[str, str | None] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        return kind_of(self.slot)

    @property
    def spec(self) -> Mapping[str, Any]:
        """The fields that are AWS's, references by slot."""
        return variants(self.slot)[self.variant]

    @property
    def all_tags(self) -> dict[str, str | None]:
        return {**varied(self.slot, self.variant).get("Tags", {}), **self.tags}

    @property
    def all_names(self) -> frozenset[str]:
        """The addresses that it has and has had."""
        return frozenset({self.address, *self.previously})

    @property
    def region(self) -> str:
        """ "" for what is of no region."""
        return str(universe()[self.slot].get("region", ""))

    def needs(self) -> frozenset[str]:
        """The slots that it refers to."""
        return _referred(self.slot, self.variant)

    def written(self) -> dict[str, Any]:
        """The resource as it stands in the config, references still by slot."""
        fixture = {name: value for name, value in universe()[self.slot].items() if name in KEYS}
        ours = {
            **fixture,
            "protect": self.protect,
            "replace": self.replace,
            "ignore": list(self.ignore) or None,
            "previously": list(self.previously) or None,
            "Tags": self.all_tags or None,
        }
        given = {name: value for name, value in ours.items() if value is not None}
        return deepcopy({**self.spec, **given})


class Wishes:
    """The config, and the edits that people make.  It is always one that `check` takes."""

    def __init__(self) -> None:
        self.by_slot: dict[str, Wish] = {}
        self.names: dict[str, str] = {}
        self.limits: dict[str, int] = dict(GENEROUS)
        self.mode = "full"
        self._renamings = 0

    def __iter__(self) -> Iterator[Wish]:
        return iter(self.by_slot.values())

    @property
    def subjects(self) -> list[Wish]:
        return [self.by_slot[slot] for slot in subjects(KINDS) if slot in self.by_slot]

    def at(self, address: str) -> Wish | None:
        """The wish that has an address now."""
        return next((wish for wish in self if wish.address == address), None)

    def want(self, slot: str) -> None:
        """A resource, and all that it needs."""
        if slot not in self.by_slot:
            protect = universe()[slot].get("protect")
            self.by_slot[slot] = Wish(slot, self.names.get(slot, slot), protect=protect)
        for needed in sorted(self.by_slot[slot].needs()):
            self.want(needed)

    def drop(self, slot: str) -> None:
        """A resource leaves the config, and all that refers to it with it."""
        if self.by_slot.pop(slot, None):
            self.names.pop(slot, None)  # who wants it anew may have its first name
            for user in [wish.slot for wish in self if slot in wish.needs()]:
                self.drop(user)

    def vary(self, slot: str, variant: str, replace: str | None) -> None:
        """Other fields of a subject; `replace` is what the config says of those that cannot change."""
        wish = self.by_slot[slot]
        if variant == "fixed" and not fixed_fields(wish.kind):
            variant = "update"
        if replace == "create-first" and not can_be_beside(wish.kind):
            replace = "delete-first"
        wish.variant, wish.replace = variant, replace
        self.want(slot)

    def rename(self, slot: str) -> None:
        """The same thing under another address."""
        wish = self.by_slot[slot]
        self._renamings += 1
        wish.previously.append(wish.address)
        wish.address = f"{slot}-r{self._renamings}"
        self.names[slot] = wish.address

    def text(self) -> str:
        """The config as it is written."""
        resources = {wish.address: wish.written() for wish in self}
        for resource in resources.values():
            if AFTER in resource:
                resource[AFTER] = [self.names.get(slot, slot) for slot in resource[AFTER]]
        head = {"limits": self.limits, "mode": self.mode, "resources": resources}
        text = documents.dump(head)
        return HEAD + REFERENCE.sub(lambda found: "${" + self.names.get(found[1], found[1]), text)
