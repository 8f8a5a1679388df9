"""Calls as values: what a verdict holds and only `aws` executes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """One AWS operation, not yet made.

    `operation` and the keys of `parameters` are AWS's names as boto3's documentation has them (`CreateSite`).
    Kinds leave `account` and `region` empty; the engine fills them in.  `seed` is what an idempotency token is a
    digest of; None where the operation takes no token.  `creates` marks the call that makes the thing itself, which
    may take several tokens, one after another; any other has one.
    """

    service: str
    operation: str
    parameters: Mapping[str, Any]
    why: str = ""
    account: str = ""
    region: str = ""
    creates: bool = False
    seed: tuple[str, ...] | None = None

    def __str__(self) -> str:
        return f"{self.service}:{self.operation}"


def token(seed: tuple[str, ...], generation: int) -> str:
    """The ClientToken of one generation of a thing: 32 hex digits, well under EC2's limit of 64 characters."""
    return digest(*seed, generation)


GENERATIONS = 100
"""How many used-up tokens are walked past before it is called a failure."""


KEYS = frozenset({"CustomerGatewayConfiguration", "PreSharedKey"})
"""Members that hold keys: no digest is made of them, since a short key can be found by trying."""


def digest(*values: Any) -> str:
    """A short stable digest (32 hex digits) of values that JSON can hold, less their `KEYS`; others count by their
    text."""
    return hashlib.sha256(_encode(_without_keys(values)).encode()).hexdigest()[:32]


_encode = json.JSONEncoder(sort_keys=True, default=str, separators=(",", ":")).encode


def _without_keys(value: Any) -> Any:
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        return {name: None if name in KEYS else _without_keys(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_without_keys(inner) for inner in value]
    return value
