"""The real clocks, and waiting.  Made by `program`; tests bring one that they hold."""

from __future__ import annotations

import time
from collections.abc import Callable


class Wall:
    """The clocks of this host."""

    def now(self) -> float:
        """Seconds since the epoch; may be set forward or back at any moment."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds of a clock that nobody sets."""
        return time.monotonic()

    def wait(self, seconds: float, stopped: Callable[[], bool]) -> None:
        """Let time pass, or less of it when there is a reason to stop."""
        end = time.monotonic() + seconds
        while not stopped() and (left := end - time.monotonic()) > 0:
            time.sleep(min(left, 0.1))
