"""Time, as the local AWS sees it: the real one, or one that a test holds.

Called by every part of the sandbox that stamps, waits or lets a state change. Nothing in the sandbox reads a clock
elsewhere, so a test that holds the clock holds the whole of the local AWS.
"""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """What the sandbox asks of time."""

    def monotonic(self) -> float:
        """Seconds on a scale that never goes back; only differences mean something."""

    def now(self) -> datetime:
        """The moment, aware, in UTC: what AWS writes into `CreatedAt` and `LaunchTime`."""

    def wait(self, seconds: float) -> None:
        """Lets so many seconds go by, as a slow answer does."""


class RealClock:
    """The machine's clocks: used by the server."""

    def monotonic(self) -> float:
        """Seconds of `time.monotonic`."""
        return time.monotonic()

    def now(self) -> datetime:
        """The wall clock, in UTC."""
        return datetime.now(UTC)

    def wait(self, seconds: float) -> None:
        """Waits."""
        time.sleep(seconds)


class HeldClock:
    """A clock that moves only when it is told to: nothing changes state until `advance` is called.

    In: `start`, the wall time it shows first (aware; default 2026-01-01 00:00 UTC).
    """

    def __init__(self, start: datetime | None = None) -> None:
        self._start = start or datetime(2026, 1, 1, tzinfo=UTC)
        self._elapsed = 0.0
        self._lock = threading.Lock()

    def advance(self, seconds: float) -> None:
        """Moves time on by `seconds`; ValueError for a negative number."""
        if seconds < 0:
            raise ValueError(f"a clock does not go back ({seconds} s)")
        with self._lock:
            self._elapsed += seconds

    wait = advance

    def monotonic(self) -> float:
        """Seconds advanced so far."""
        return self._elapsed

    def now(self) -> datetime:
        """The start plus what was advanced."""
        return self._start + timedelta(seconds=self._elapsed)
