"""The memory of one local AWS beside moto's own: its settings, what is due, what was called, what will go wrong.

moto keeps its backends in module globals, so there is one current world per process. `begin` starts a new, empty one
(moto's stores included); every request works on the world that is current when it arrives.
"""

from __future__ import annotations

import heapq
import itertools
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .calls import CallLog
from .faults import Faults
from .paging import Order
from .settings import Settings
from .tokens import TokenMemory


class Timeline:
    """Effects that fall due: the state changes that AWS makes by itself."""

    def __init__(self, settings: Settings) -> None:
        self._clock = settings.clock
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._moment: float | None = None  # when the effect fell due that is happening

    @property
    def now(self) -> float:
        """The moment on the clock's monotonic scale; for an effect, the moment at which it fell due."""
        return self._clock.monotonic() if self._moment is None else self._moment

    def after(self, seconds: float, effect: Callable[[], None]) -> None:
        """Has `effect` happen `seconds` from now, at the first request after that moment."""
        heapq.heappush(self._due, (self.now + seconds, next(self._order), effect))

    def settle(self) -> None:
        """Lets all that is due happen, in the order in which it fell due; what follows from it too, if that is due."""
        while self._due and self._due[0][0] <= self._clock.monotonic():
            self._moment, _, effect = heapq.heappop(self._due)
            try:
                effect()
            finally:
                self._moment = None


@dataclass
class World:
    """One local AWS.

    `problems`: answers that do not fit botocore's output shape. `warnings`: values outside an enum, which AWS itself
    answers too. `prepared`, `with_images`: accounts and regions that have what moto leaves out of them. `facts`: what
    EC2 corrections remember about a thing, by its id. `stores`: what services that are answered here alone remember, by
    service, account and region. `trail`: CloudTrail's events, each with its moment.
    """

    settings: Settings
    timeline: Timeline = field(init=False)
    calls: CallLog = field(default_factory=CallLog)
    faults: Faults = field(init=False)
    tokens: TokenMemory = field(default_factory=TokenMemory)
    order: Order = field(default_factory=Order)
    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    prepared: set[tuple[str, str]] = field(default_factory=set)
    with_images: set[tuple[str, str]] = field(default_factory=set)
    facts: dict[str, dict[str, Any]] = field(default_factory=dict)
    stores: dict[tuple[str, ...], Any] = field(default_factory=dict)
    trail: list[tuple[float, dict[str, Any]]] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def __post_init__(self) -> None:
        self.timeline = Timeline(self.settings)
        self.faults = Faults(self.settings.clock, self.settings.seed, self.settings.tell)
        self.faults.add(*self.settings.faults)


_current = World(Settings())


def current() -> World:
    """The world that requests work on now."""
    return _current


def begin(settings: Settings) -> World:
    """Forgets everything, moto's stores included, and starts an empty world with `settings`."""
    global _current
    from moto.core.base_backend import BackendDict

    # as BackendDict.reset, which would first fill every store anew that it then throws away
    for stores in list(BackendDict._instances):  # type: ignore[misc]
        stores.clear()
    BackendDict._instances.clear()  # type: ignore[misc]
    _current = World(settings)
    return _current
