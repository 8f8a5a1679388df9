"""Many workers on one held clock: how long something takes where neither the program nor AWS takes time to work.

Used by tests and benchmarks of AWS's rates.
"""

from __future__ import annotations

import heapq
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from math import inf
from typing import Any

from reconciler.aws.limits import Limits
from reconciler.loop import Loop
from reconciler.sandbox import Call, HeldClock
from reconciler.sandbox.faults.buckets import published
from reconciler.workers import Workers
from tests.harness import Host, Time

GRACE = 0.001
"""Real seconds in which nothing moves, until all are taken to wait."""


class Together(Workers):
    """Workers that share a held clock: it goes on once each of them waits for it, and their master for them."""

    def __init__(self, clock: HeldClock, count: int) -> None:
        super().__init__(max_workers=count)
        self._clock, self._count, self._changed = clock, count, threading.Lock()
        self._waiting: list[float] = []
        self._unfinished = self._moves = 0
        self._master = threading.get_ident()
        self._until = inf
        """When their master will not wait for them any longer."""

    def submit(self, function: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:
        with self._changed:
            self._unfinished += 1
            self._moves += 1
        future = super().submit(function, *arguments, **named)
        future.add_done_callback(self._finished)
        return future

    def _finished(self, _: Future[Any]) -> None:
        with self._changed:
            self._unfinished -= 1
            self._moves += 1

    def first_done(self, tasks: Collection[Future[Any]], seconds: float) -> set[Future[Any]]:
        self._until = self._clock.monotonic() + seconds
        while (
            not (done := wait(tasks, GRACE, FIRST_COMPLETED).done) and self._clock.monotonic() < self._until
        ):
            pass
        with self._changed:
            self._until = inf
            self._moves += 1
        return done

    def wait(self, seconds: float) -> None:
        """Let so many seconds pass, with all others."""
        with self._changed:
            until = self._clock.monotonic() + seconds
            heapq.heappush(self._waiting, until)
            self._moves += 1
        seen = -1
        while True:
            with self._changed:
                if self._clock.monotonic() >= until:
                    self._waiting.remove(until)
                    heapq.heapify(self._waiting)
                    self._moves += 1
                    return
                if seen == self._moves and self._all_wait():
                    soonest = min(self._waiting[0], self._until)
                    self._clock.advance(max(0.0, soonest - self._clock.monotonic()))
                    self._moves += 1
                seen = self._moves
            time.sleep(GRACE)

    def _all_wait(self) -> bool:
        """Whether nobody has anything to do now."""
        overdue = min(self._waiting[0], self._until) <= self._clock.monotonic()
        master = sys._current_frames()[self._master]
        idle = master.f_code.co_filename == threading.__file__
        return idle and not overdue and len(self._waiting) >= min(self._unfinished, self._count)


def under_rates(ops: Host, text: str, workers: int) -> Loop:
    """A process with so many workers, on a local AWS that enforces AWS's rates; waits move the one clock."""
    ops.clients_of_its_own()
    pool = Together(ops.aws.clock, workers)
    ops.use(pool, Time(ops.aws.clock))
    ops.aws.faults("[{call: '*', do: throttle}]")
    loop = ops.loop(text, grace=0.0)
    loop.gateway.sessions.traffic.limits = Limits(ops.time.monotonic, pool.wait)
    return loop


def slowest(calls: Iterable[Call]) -> tuple[float, str]:
    """The seconds that the slowest of all buckets needs for the calls that were made, from when it is full, and its
    region and name.  Less than nothing: not even that one was ever empty."""
    taken: Counter[tuple[str, str, float, float]] = Counter()
    for call in calls:
        if call.error is None:
            for name, size, tokens in published(call.service, call.operation, call.parameters):
                taken[(call.region, name, size.burst, size.refill)] += tokens  # type: ignore[assignment]
    needed = (
        ((count - burst) / refill, f"{region} {name}")
        for (region, name, burst, refill), count in taken.items()
    )
    return max(needed, default=(0.0, ""))


def least(calls: Iterable[Call]) -> float:
    """The seconds that the slowest of all buckets needs for the calls that were made, from when it is full."""
    return slowest(calls)[0]
