"""The stack is ours to change: on this host by a lock, among hosts by a lease, where the config has one.

Made by `program`; asked before each pass, and the lease before each changing call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from reconciler.aws.lease import Lease
from reconciler.lock import Lock


class Hold:
    """A lock that is held, and perhaps a lease."""

    def __init__(self, lock: Lock, lease: Lease | None = None) -> None:
        self.lock, self.lease = lock, lease
        self.waiting = False
        """Whether another host has the lease, and this one stands by."""

    @property
    def unknown(self) -> str:
        """Why nobody can say whose it is, "" when that is known."""
        return self.lease.unreachable if self.lease is not None else ""

    def check(self) -> None:
        """BusyError when it is not ours any more."""
        self.lock.check()
        if self.lease is not None:
            self.lease.check()

    def take(self, wait: float, stopped: Callable[[], bool]) -> None:
        """Make sure that it is ours, waiting for another host so many seconds; BusyError when that one goes on."""
        self.lock.check()
        if self.lease is not None and self.lease.problem() is not None:
            self.waiting = True
            try:
                self.lease.take(wait, stopped)
            finally:
                self.waiting = False

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Keep the lease while the context lasts, once it is taken."""
        if self.lease is None:
            yield
            return
        with self.lease.kept():
            yield
