"""Signals from the first moment on: `__main__` catches them before anything large is imported, `daemon` reads them.

A reload often comes while a service is still starting, and SIGHUP's own effect is to end the process.  Handlers do
nothing but note: `SimpleQueue.put` is safe in them, an Event or a logger is not.
"""

from __future__ import annotations

import faulthandler
import signal
import sys
from contextlib import suppress
from queue import SimpleQueue
from types import FrameType
from typing import Any

RELOAD, LOOK, STACKS = signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2
STOPS = (signal.SIGTERM, signal.SIGINT)


class Inbox:
    """What the main thread has to see to: signals by number, and messages of other threads."""

    def __init__(self) -> None:
        self.messages: SimpleQueue[Any] = SimpleQueue()
        self.stopped_by: int | None = None
        """The signal that asks to stop, from the moment it comes."""

    def put(self, message: Any) -> None:
        """Any thread may, and signal handlers."""
        self.messages.put(message)

    def catch(self) -> None:
        """Note signals from here on.  A second INT ends the process at once, by its own effect."""
        for number in (RELOAD, LOOK, STACKS, *STOPS):
            signal.signal(number, self.note)
        if sys.stderr is not None:
            with suppress(OSError, ValueError):  # this one is heard even while the main thread hangs
                faulthandler.register(STACKS, all_threads=True, chain=True)

    def note(self, number: int, _: FrameType | None = None) -> None:
        """A signal has come."""
        if number in STOPS:
            self.stopped_by = self.stopped_by or number
            signal.signal(signal.SIGINT, signal.SIG_DFL)
        self.messages.put(number)


INBOX = Inbox()
"""The one of this process, for the daemon; tests make their own."""
