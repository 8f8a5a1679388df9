"""ClientTokens: the same request twice makes one thing.

Source: EC2 developer guide, "Ensuring idempotency in Amazon EC2 API requests": the same token with the same parameters
succeeds again without a second effect; with other parameters it is `IdempotentParameterMismatch`. Called by
`pipeline.py` for every EC2 operation whose model has a ClientToken.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# members that are not part of what a request asks for
_NOT_COMPARED = frozenset({"ClientToken", "DryRun"})

Scope = tuple[str, ...]


def digest(parameters: Mapping[str, Any]) -> str:
    """A fingerprint of what a request asks for: all parameters but the token itself."""
    compared = {name: value for name, value in parameters.items() if name not in _NOT_COMPARED}
    return hashlib.sha256(json.dumps(compared, sort_keys=True, default=repr).encode()).hexdigest()


@dataclass(frozen=True)
class Remembered:
    """The first request that came with a token: its fingerprint and its answer."""

    digest: str
    answer: Mapping[str, Any]


class TokenMemory:
    """Tokens seen, by scope (account, region, operation, and whatever narrows it) and token."""

    def __init__(self) -> None:
        self._seen: dict[tuple[Scope, str], Remembered] = {}

    def find(self, scope: Scope, token: str) -> Remembered | None:
        """What the token was first used for, or None."""
        return self._seen.get((scope, token))

    def remember(
        self, scope: Scope, token: str, parameters: Mapping[str, Any], answer: Mapping[str, Any]
    ) -> None:
        """Notes a request that succeeded; failed ones leave their token free."""
        self._seen[(scope, token)] = Remembered(digest(parameters), answer)
