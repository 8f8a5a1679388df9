"""What the config says in a random world: resources by slot, each in one of a few variants.  Used by `machine`.

A slot is a resource of the kinds' own fixtures, twice: `site/here-a` in one region, `site/here-b` in another.  A
kind is in these worlds for its three fixtures, once `model` knows how its rows show its fields (`KINDS`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import yaml

from reconciler.kinds import BY_NAME
from tests.conformance.fixture import load
from tests.faults.estate import estate
from tests.harness import HEAD

REGIONS = {"a": "us-west-2", "b": "eu-central-1"}
SECRET = "hunter2-of-the-worlds"
"""Stands in all user data; no line of a log may hold it."""
REFERENCE = re.compile(r"\$\{([a-z][a-z0-9-]*/[a-z0-9._-]+)")
AFTER = "depends-on"
KINDS = (
    *(
        "global-network",
        "site",
        "link",
        "device",
        "connection",
        "vpc",
        "subnet",
        "security-group",
        "instance",
    ),
    *("internet-gateway", "egress-only-internet-gateway", "elastic-ip", "nat-gateway"),
)
"""The kinds that `model` knows."""
GENEROUS = {"deletes": 1000, "percent": 100, "per-hour": 1000}


def _placed(data: Any, letter: str) -> Any:
    """A fixture for one of the two places."""
    text = REFERENCE.sub(rf"${{\1-{letter}", yaml.safe_dump(data, sort_keys=False))
    text = text.replace("us-west-2", REGIONS[letter]).replace("echo ", f"echo {SECRET} ")
    return yaml.safe_load(text)


@cache
def universe() -> dict[str, dict[str, Any]]:
    """All resources that there can be, by slot."""
    found: dict[str, dict[str, Any]] = {}
    for letter, region in REGIONS.items():
        for address, resource in _placed(yaml.safe_load(estate(kinds=KINDS))["resources"], letter).items():
            place = {"region": region} if BY_NAME[kind_of(address)].regional else {}
            after = [f"{other}-{letter}" for other in resource.get(AFTER, ())]
            found[f"{address}-{letter}"] = {**resource, **place, **({AFTER: after} if after else {})}
    return found


SUBJECTS = [f"{kind}/subject-{letter}" for kind in KINDS for letter in REGIONS]
"""The slots that have variants."""


def kind_of(address: str) -> str:
    """The kind in an address or slot."""
    return address.partition("/")[0]


def fixed_fields(kind: str) -> set[str]:
    """The fields that cannot change after creation, as far as the fixtures know them."""
    return set(load(f"{kind}-fixed"))


@dataclass
class Wish:
    """One resource of the config."""

    slot: str
    address: str
    variant: str = "base"
    """"base", "update" or "fixed", as the kind's fixtures have them."""
    protect: bool | None = None
    replace: str | None = None
    ignore: list[str] = field(default_factory=list)
    previously: list[str] = field(default_factory=list)
    tags: dict[str, str | None] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        return kind_of(self.slot)

    @property
    def spec(self) -> dict[str, Any]:
        """The fields that are AWS's, references by slot."""
        found = deepcopy(universe()[self.slot])
        if self.variant != "base":
            found.update(_placed(load(f"{self.kind}-{self.variant}"), self.slot[-1]))
        return {name: value for name, value in found.items() if name[0].isupper() and name != "Tags"}

    @property
    def all_tags(self) -> dict[str, str | None]:
        return {**universe()[self.slot].get("Tags", {}), **self.tags}

    @property
    def region(self) -> str:
        """ "" for what is of no region."""
        return str(universe()[self.slot].get("region", ""))

    def needs(self) -> set[str]:
        """The slots that it refers to."""
        after = universe()[self.slot].get(AFTER, ())
        return {*REFERENCE.findall(yaml.safe_dump(self.spec)), *after} - {self.slot}

    def written(self) -> dict[str, Any]:
        """The resource as it stands in the config, references still by slot."""
        ours = {
            "region": self.region or None,
            "protect": self.protect,
            "replace": self.replace,
            "ignore": list(self.ignore) or None,
            "previously": list(self.previously) or None,
            AFTER: list(universe()[self.slot].get(AFTER, ())) or None,
            "Tags": self.all_tags or None,
        }
        return {**self.spec, **{name: value for name, value in ours.items() if value is not None}}


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
        return [self.by_slot[slot] for slot in SUBJECTS if slot in self.by_slot]

    def at(self, address: str) -> Wish | None:
        """The wish that has an address now."""
        return next((wish for wish in self if wish.address == address), None)

    def want(self, slot: str) -> None:
        """A resource, and all that it needs."""
        if slot not in self.by_slot:
            self.by_slot[slot] = Wish(slot, self.names.get(slot, slot))
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
        if replace == "create-first" and BY_NAME[wish.kind].unique:
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
        text = yaml.safe_dump(head, sort_keys=False)
        return HEAD + REFERENCE.sub(lambda found: "${" + self.names.get(found[1], found[1]), text)
