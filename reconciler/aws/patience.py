"""A region that does not answer keeps only itself waiting: reads of many, and a look that goes on without silent ones.

Used by `observe` and `discover`; one for the life of a `Gateway`, which tells it of each answer.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future, wait
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar
from weakref import WeakSet

from reconciler.errors import Lost

T = TypeVar("T")
Place = tuple[str, str]
"""Account and region; "" for services without regions."""
SECONDS, LONGEST = 20.0, 60.0
"""How long a look waits for a place from which nothing comes: at first, and for one that has been silent before."""
REST = 5.0
"""For how many times as long such a place is then not asked."""
SIDE_BY_SIDE = 14
"""Reads of one place at a time, so that a silent one does not take all the workers there are."""


_LEFT: WeakSet[Future[Any]] = WeakSet()


def left_behind() -> int:
    """How many reads hang for which nobody waits any more."""
    return sum(future.running() for future in _LEFT.copy())


@dataclass
class _Silence:
    """A place that has not answered in time."""

    why: str
    times: int
    until: float
    unfinished: list[Future[Any]]
    """Reads that nobody waits for any more; they end when the SDK gives them up."""


class Patience:
    """Who has answered last, and who was given up; any thread may call.

    `now` is a monotonic clock in seconds, at which those who wait look every `step` seconds.
    """

    def __init__(
        self,
        now: Callable[[], float] = time.monotonic,
        seconds: float = SECONDS,
        rest: float = REST,
        step: float = 1.0,
    ) -> None:
        self.now, self.step, self._seconds, self._rest = now, step, seconds, rest
        self._heard: dict[Place, float] = {}
        self._silent: dict[Place, _Silence] = {}

    def heard(self, place: Place) -> None:
        """Something was answered there, be it one page of many."""
        self._heard[place] = self.now()

    def last_heard(self, place: Place) -> float:
        """When something was answered there; -inf for never."""
        return self._heard.get(place, float("-inf"))

    def seconds(self, place: Place) -> float:
        """How long a look waits for a place without any answer from it."""
        silent = self._silent.get(place)
        return min(LONGEST, self._seconds * 2**silent.times) if silent else self._seconds

    def resting(self, place: Place) -> str:
        """Why a place is not asked now; "" when it is."""
        silent = self._silent.get(place)
        if silent is None:
            return ""
        hangs = any(not future.done() for future in silent.unfinished)
        return silent.why if hangs or self.now() < silent.until else ""

    def give_up(self, place: Place, unfinished: list[Future[Any]]) -> str:
        """Go on without a place; gives the reason, for people."""
        waited, before = self.seconds(place), self._silent.get(place)
        times = before.times + 1 if before else 1
        why = f"{_named(place)} has not answered for {waited:.0f} s; it is asked again later"
        self._silent[place] = _Silence(why, times, self.now() + self._rest * waited, unfinished)
        _LEFT.update(unfinished)
        return why

    def answered(self, place: Place) -> None:
        """All that was asked of a place in a look was answered."""
        self._silent.pop(place, None)


def _named(place: Place) -> str:
    account, region = place
    return f"{region or 'AWS'} of {account}"


@dataclass
class _Asked:
    """What a look asks of one place."""

    waiting: deque[tuple[Future[Any], Callable[[], Any]]] = field(default_factory=deque)
    begun: list[Future[Any]] = field(default_factory=list)
    running: int = 0
    since: float | None = None
    """When its first read began; None while all wait for a worker."""
    given_up: str = ""


class Reads:
    """The reads of one look."""

    def __init__(self, patience: Patience, executor: Executor) -> None:
        self._patience, self._executor = patience, executor
        self._lock = threading.Lock()
        self._places: dict[Place, _Asked] = {}

    def submit(self, place: Place, read: Callable[..., T], *arguments: Any) -> Future[T]:
        """Have a worker read something of a place, after what was submitted before of the same place.

        The future fails with `Lost` where that place is not asked now.
        """
        future: Future[T] = Future()
        if why := self._patience.resting(place):
            future.set_exception(Lost(why))
            return future
        with self._lock:
            self._places.setdefault(place, _Asked()).waiting.append((future, partial(read, *arguments)))
        self._go_on(place)
        return future

    def result(self, place: Place, future: Future[T]) -> T:
        """What was read; Lost once nothing has come from the place for as long as `Patience` says."""
        while not future.done() or future.cancelled():
            asked = self._places[place]
            if asked.given_up:
                raise Lost(asked.given_up)
            if (left := self._left(place, asked)) > 0:
                wait([future], timeout=min(left, self._patience.step))
            else:
                self._give_up(place, asked)
        return future.result()

    def close(self) -> None:
        """Nothing further is asked, and who has answered all is as good as any again."""
        for place, asked in self._places.items():
            with self._lock:
                left = [future for future, _ in asked.waiting]
                asked.waiting.clear()
            for future in left:
                future.cancel()
            if not asked.given_up and not left and all(future.done() for future in asked.begun):
                self._patience.answered(place)

    def _left(self, place: Place, asked: _Asked) -> float:
        """For how many seconds a place is waited for yet, if nothing comes from it."""
        now = self._patience.now()
        since = now if asked.since is None else max(asked.since, self._patience.last_heard(place))
        return since + self._patience.seconds(place) - now

    def _give_up(self, place: Place, asked: _Asked) -> None:
        with self._lock:
            left = [future for future, _ in asked.waiting]
            asked.waiting.clear()
        asked.given_up = self._patience.give_up(place, [one for one in asked.begun if not one.done()])
        for future in left:
            future.cancel()

    def _go_on(self, place: Place) -> None:
        asked = self._places[place]
        while True:
            with self._lock:
                if not asked.waiting or asked.running >= SIDE_BY_SIDE:
                    return
                future, read = asked.waiting.popleft()
                asked.begun.append(future)
                asked.running += 1
            self._executor.submit(self._run, place, future, read)

    def _run(self, place: Place, future: Future[Any], read: Callable[[], Any]) -> None:
        asked = self._places[place]
        if asked.since is None:
            asked.since = self._patience.now()
        try:
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(read())
                except BaseException as error:  # whoever waits for it has it
                    future.set_exception(error)
        finally:
            with self._lock:
                asked.running -= 1
            self._go_on(place)
