"""Addresses: the identity of a thing in the config and in its owner tag.  Used by everyone."""

from __future__ import annotations

import re
from functools import lru_cache
from sys import intern
from typing import NamedTuple

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")
"""What a resource's name, a variable's name and a stack's name may be."""

REPLACED = "@old"
"""Suffix of the address tag of a thing whose successor is being made (`replace: create-first`)."""


class Address(NamedTuple):
    """`kind/name`, unique in a stack whatever the region or account."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"

    @classmethod
    def parse(cls, text: str) -> Address:
        """The address that `text` spells; ValueError when it spells none."""
        return _parsed(text)


@lru_cache(maxsize=50_000)
def _parsed(text: str) -> Address:
    """One object for all who spell an address: the config, references to it, tags and what is remembered."""
    kind, slash, name = text.partition("/")
    if not slash or not NAME.fullmatch(kind) or not NAME.fullmatch(name):
        raise ValueError(f"{text!r} is not an address: expected kind/name")
    return Address(intern(kind), name)
