"""What a kind brings for its tests: three fixtures.  Read by every test of this folder.

KIND.yaml         a config in which KIND/subject stands, with whatever it needs beside it
KIND-update.yaml  fields of the subject that can change in place
KIND-fixed.yaml   fields of the subject that cannot change after creation; empty where there are none
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from reconciler.kinds import ALL, BY_NAME
from tests import documents
from tests.harness import FACTS

FOLDER = Path(__file__).parent / "fixtures"
KINDS = [kind.name for kind in ALL]


def shape(kind: str) -> tuple[object, ...]:
    """What kinds of one shape share: how they are listed, and how their creation is kept from happening twice."""
    record = BY_NAME[kind]
    return record.service, record.read.within is None, FACTS[kind].takes_token, record.answers_tags


def said(record: Any, path: str = "") -> Iterator[str]:
    """The words in which a record says something: all members, at any depth, that are not as they are by default."""
    for member in dataclasses.fields(record):
        value = getattr(record, member.name)
        if value is None or value == member.default or value in ((), {}):
            continue
        yield path + member.name
        for one in (
            value if isinstance(value, tuple) else value.values() if isinstance(value, dict) else [value]
        ):
            if dataclasses.is_dataclass(one):
                yield from said(one, f"{path}{member.name}.")


def spread(begin: str = "") -> tuple[str, ...]:
    """A few kinds that say between them whatever any kind says in words that begin so, of each shape at least one."""
    words = {
        kind: {str(shape(kind)), *(word for word in said(BY_NAME[kind]) if word.startswith(begin))}
        for kind in KINDS
    }
    left, found = set().union(*words.values()), []
    while left:
        found.append(max(KINDS, key=lambda kind: len(words[kind] & left)))
        left -= words[found[-1]]
    return tuple(kind for kind in KINDS if kind in found)


ALL_OF_THEM = "EVERY_KIND" in os.environ
"""`pytest --every-kind`, and the proofs of benchmarks/."""
TRIED = tuple(KINDS) if ALL_OF_THEM else spread()
"""The kinds of estates in which much is tried: all take far longer, and what is tried is the same for all."""
READ = tuple(KINDS) if ALL_OF_THEM else spread("read.")
"""The kinds of estates in which is tried how things are read."""
SHAPES = {shape(kind): kind for kind in reversed(KINDS)}

ONE_OF_EACH = TRIED if ALL_OF_THEM else tuple(kind for kind in KINDS if kind in SHAPES.values())
"""The kinds of estates in which is tried what no record has a word in."""

ONE_OF_EACH_WAY = (
    TRIED if ALL_OF_THEM else tuple({shape(kind)[1:]: kind for kind in reversed([*ONE_OF_EACH])}.values())
)
"""One kind of each way in which things are listed and born, whichever service has it."""

those_tried = pytest.mark.kinds(*TRIED)
"""For a test of what records say and each kind's life shows anyway."""
one_of_each_way = pytest.mark.kinds(*ONE_OF_EACH_WAY)
"""For a test of what no record has a word in: a kind of each way lives through it, and one of each service, all at
once, in tests/faults/."""


@cache
def load(name: str) -> dict[str, Any]:
    """A fixture as data, not to be changed; {} for an empty file."""
    return documents.load((FOLDER / f"{name}.yaml").read_text()) or {}


def written(config: dict[str, Any]) -> str:
    """A config's text."""
    return documents.dump(config)


def named_anew(text: str, whose: str = "theirs") -> str:
    """A config with other names for what may have its name only once."""
    config = documents.load(text)
    for address, resource in config["resources"].items():
        name = BY_NAME[address.partition("/")[0]].unique
        if name and isinstance(resource.get(name), str) and "${" not in resource[name]:
            resource[name] += f"-{whose}"
    return written(config)


class Fixture:
    """The configs of one kind's tests, as text."""

    def __init__(self, kind: str) -> None:
        self.kind, self.address = kind, f"{kind}/subject"
        self.fixed = load(f"{kind}-fixed")
        self.base = self.text()
        self.update = self.text(**load(f"{kind}-update"))

    def text(self, **changes: Any) -> str:
        """The base with changes to the subject; keys of ours are spelt as in the config (`{"depends-on": …}`)."""
        config = deepcopy(load(self.kind))
        config["resources"][self.address].update(changes)
        return written(config)

    def bare(self) -> str:
        """The update with only what a creation must have."""
        config = documents.load(self.update)
        subject = config["resources"][self.address]
        needed = [name for name, field in FACTS[self.kind].fields.items() if field.required]
        config["resources"][self.address] = {name: subject[name] for name in needed}
        return written(config)

    def renamed(self) -> str:
        """The base with the subject at another address, `subject` the one it had before."""
        config = deepcopy(load(self.kind))
        resources = {
            f"{self.kind}/renamed" if address == self.address else address: resource
            for address, resource in config["resources"].items()
        }
        resources[f"{self.kind}/renamed"]["previously"] = self.address
        text = written({**config, "resources": resources})
        return text.replace("${" + self.address + "}", "${" + self.kind + "/renamed}").replace(
            "${" + self.address + ".", "${" + self.kind + "/renamed."
        )

    def without(self) -> str:
        """The base without the subject."""
        config = deepcopy(load(self.kind))
        del config["resources"][self.address]
        return written(config)
