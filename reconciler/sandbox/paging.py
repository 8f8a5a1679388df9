"""Pages: MaxResults and NextToken for every list operation.

A token is opaque, bound to the request that it continues, and names the last thing that was given out.
Called by Network Manager's lists and by the EC2 pipeline.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

T = TypeVar("T")

_SECRET = "reconciler sandbox"  # keeps callers from making tokens up; it protects nothing
_NOT_BOUND = frozenset({"MaxResults", "NextToken"})


class BadTokenError(Exception):
    """The NextToken was not given out for this request."""


def _fingerprint(*parts: Any) -> str:
    return hashlib.sha256(json.dumps([_SECRET, *parts], sort_keys=True, default=repr).encode()).hexdigest()[
        :24
    ]


class Order:
    """Numbers things in the order in which lists first showed them, for good: pages go by these numbers, so that
    neither what goes away nor what comes between two pages makes a list leave out or repeat anything else."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def number(self, key: str) -> int:
        """The number of a thing; a new one gets the next."""
        return self._numbers.setdefault(key, len(self._numbers))


def page(
    things: Sequence[T],
    identity: Callable[[T], str],
    size: int,
    scope: str,
    parameters: Mapping[str, Any],
    order: Order,
) -> tuple[list[T], str | None]:
    """One page of `things`, and the token of the next one (None on the last).

    In: all things; what identifies one; things per page; the operation with account and region; the request's
    parameters; the numbers of the things. Raises BadTokenError for a token of another request or none of ours.
    """
    request = _fingerprint(scope, {k: v for k, v in parameters.items() if k not in _NOT_BOUND})
    last = _last(parameters.get("NextToken"), request)
    numbered = [(order.number(f"{scope} {identity(thing)}"), thing) for thing in things]
    left = sorted((pair for pair in numbered if pair[0] > last), key=lambda pair: pair[0])
    chosen = left[:size]
    if len(left) <= size:
        return [thing for _, thing in chosen], None
    body = json.dumps({"last": chosen[-1][0]})
    token = base64.urlsafe_b64encode(f"{_fingerprint(request, body)}{body}".encode()).decode()
    return [thing for _, thing in chosen], token


def _last(token: object, request: str) -> int:
    """The number of the last thing that was given out; -1 at the start."""
    if token is None:
        return -1
    try:
        text = base64.urlsafe_b64decode(str(token).encode()).decode()
        seal, body = text[:24], text[24:]
        if seal != _fingerprint(request, body):
            raise BadTokenError
        return int(json.loads(body)["last"])
    except ValueError as error:
        raise BadTokenError from error
