"""What goes one after the other although nothing depends on it: writes to a global network, and calls of one rate.

Used by `apply` and `turns`.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from reconciler.aws.gateway import Gateway
from reconciler.model.calls import Call
from reconciler.model.plan import Entry
from reconciler.model.verdicts import Steps

Queue = tuple[str, str, str, str] | None


def queue_of(entry: Entry) -> Queue:
    """The sort of the first call of an entry, and where it is made: those of one sort wait for each other."""
    call = _first(entry)
    return (call.account, call.region, call.service, call.operation) if call is not None else None


def has_room(gateway: Gateway, entry: Entry, flying: int, call: Call | None = None) -> bool:
    """Whether an entry should begin now, while so many are on their way that begin with the same operation; `call` is
    the one that it begins with together with others.

    Who waits for AWS's rate holds a worker: were all begun at once, those of one region would keep all others waiting.
    """
    first = call or _first(entry)
    return first is None or gateway.has_room(first, flying)


def goes_at_once(gateway: Gateway, entry: Entry, flying: int) -> bool:
    """Whether an entry that begins now would not have to wait for AWS's rate, and its lane with it."""
    first = _first(entry)
    return first is None or gateway.at_once(first, flying)


def _first(entry: Entry) -> Call | None:
    steps = entry.verdict
    return steps.calls[0] if isinstance(steps, Steps) and steps.calls else None


def lane_of(entry: Entry) -> str | None:
    """The global network that an entry writes to.

    None for everything that may go side by side.
    """
    if not isinstance(entry.verdict, Steps) or entry.scope.region:
        return None
    network = next(
        (
            call.parameters["GlobalNetworkId"]
            for call in entry.verdict.calls
            if "GlobalNetworkId" in call.parameters
        ),
        entry.seen.raw.get("GlobalNetworkId") if entry.seen else None,
    )
    return network if isinstance(network, str) else None


class Lanes:
    """Lets writes to one global network go one at a time, since AWS may refuse others."""

    def __init__(self) -> None:
        self._locks: dict[str, threading.Lock] = {}

    @contextmanager
    def alone_in(self, lane: str | None) -> Iterator[None]:
        """Waits until nobody else is in a lane (`lane_of`), and keeps others out; without a lane nobody waits."""
        if lane is None:
            yield
            return
        with self._locks.setdefault(lane, threading.Lock()):
            yield
