"""Whether there is progress: the evidence on which systemd's watchdog is fed.  Pure; called by `process`.

A thread of its own that says "I am alive" would be no evidence: APScheduler's thread can be dead while its `running`
is true, and a pass can hang.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

STAMP_AGE = 60.0
"""Seconds that the scheduler may go without a sign of life."""
SILENCE = 300.0
"""Seconds that a pass may go without beginning or ending a request: one request takes two minutes at the worst."""


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What was seen, in seconds of the monotonic clock.

    `busy_since` is when the pass that runs has begun, None between passes; `request_at` when a request last began or
    ended.
    """

    stamped: float
    passes_alive: bool
    busy_since: float | None
    request_at: float


class Standstill(NamedTuple):
    """Why there is no progress; `dead`: there will be none, however long it is waited for."""

    why: str
    dead: bool


def standstill(evidence: Evidence, now: float) -> Standstill | None:
    """Why systemd must not be told that all is well; None when it may."""
    if not evidence.passes_alive:
        return Standstill("the thread of the passes has ended", dead=True)
    if now - evidence.stamped > STAMP_AGE:
        why = f"the scheduler has given no sign of life for {now - evidence.stamped:.0f} s"
        return Standstill(why, dead=True)
    if evidence.busy_since is not None:
        silent = now - max(evidence.busy_since, evidence.request_at)
        if silent > SILENCE:
            return Standstill(f"a pass has made no request for {silent:.0f} s", dead=False)
    return None
