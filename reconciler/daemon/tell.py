"""How it stands, in a word and in a sentence: for systemd, the status file, the heartbeat.  Pure; used by `process`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.moments import text
from reconciler.status import Status

LEFT = ("failed", "blocked", "waiting")
LONGEST = 200
"""Letters of a reason in a sentence."""


def state_of(found: Status, *, ready: bool, verified: bool, stopping: bool, busy: bool, paused: bool) -> str:
    """One word: what matters most comes first."""
    if stopping:
        return "stopping"
    if found.lease.get("standby"):
        return "standby"
    if not ready:
        return "starting"
    if not verified or found.problem or found.guard or found.config.get("stale"):
        return "degraded"
    if paused:
        return "paused"
    return "looking" if busy else "idle"


def sentence(found: Status, state: str, why_not: str, next_look: float | None) -> str:
    """`ai-global: settled at 14:02:11Z, next look at 14:07:02Z`; times of day are UTC."""
    parts = [_story(found, state, why_not)]
    if next_look is not None and state not in ("stopping", "standby"):
        parts.append(f"next look at {_time(next_look)}")
    if stale := found.config.get("stale"):
        parts.append(
            f"runs on the config of {_time(found.config['loaded'])}, a newer one is refused since {_time(stale)}: "
            f"{_short(found.config['stale_reason'])}"
        )
    return f"{found.stack}: {', '.join(parts)}"


def _story(found: Status, state: str, why_not: str) -> str:
    if state in ("starting", "stopping"):
        return state
    if state == "standby":
        return f"standby, {found.lease.get('holder', 'another host')} has the lease"
    if why_not:
        return f"degraded: {_short(why_not)}"
    if found.problem:
        return f"degraded: {_short(found.problem)}"
    if found.guard:
        return f"stopped by a guard: {_short(found.guard)}"
    if state == "paused":
        pause = next((pause for pause in found.pauses if not pause["address"]), {"by": "", "reason": ""})
        return f"paused by {pause['by']}: {_short(pause['reason'])}"
    if found.last_pass is None:
        return "looking for the first time" if state == "looking" else "ready"
    return f"{_outcome(found.last_pass)} at {_time(found.last_pass['ended'])}"


def _outcome(last: Mapping[str, Any]) -> str:
    left = [f"{last[word]} {word}" for word in LEFT if last[word]]
    return f"{last['outcome']} ({', '.join(left)})" if left else str(last["outcome"])


def _time(seconds: float) -> str:
    return text(seconds)[11:]


def _short(reason: str) -> str:
    return reason if len(reason) <= LONGEST else reason[: LONGEST - 1] + "…"
