"""The end of a pass that was under way when the daemon was told to stop.  Used by `process`.

What changes something is waited for, however long AWS takes; what only reads is let go of.
"""

from __future__ import annotations

import threading
import time

from reconciler.aws.gateway import Gateway
from reconciler.aws.traffic import InFlight
from reconciler.daemon.notify import Notifier

READS_END = 2.0
"""Seconds that a stop waits for a pass that is only reading: nothing is lost with it.  Then comes the lease."""
EXTENSION = 30.0
"""Seconds that systemd is asked for while a changing call is in flight; asked again every third of it."""


def drain(passes: threading.Thread, gateway: Gateway, notifier: Notifier) -> None:
    """Wait for the thread of the passes, as long as something is lost without it."""
    began, asked = time.monotonic(), -EXTENSION
    while passes.is_alive():
        now = time.monotonic()
        changing = [request for request in gateway.in_flight() if request.changes]
        if not changing and now - began > READS_END:
            return
        if changing:
            notifier.status(f"finishing {called(changing[0])}")
            if now - asked > EXTENSION / 3:
                asked = now
                notifier.extend(EXTENSION)
        passes.join(0.05)


def called(request: InFlight) -> str:
    """A request in words: what, and for how long."""
    return f"{request.operation} for {time.monotonic() - request.since:.1f} s"
