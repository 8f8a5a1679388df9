"""How it stands, in a word and in a sentence: for systemd, the status file, the heartbeat.  Pure; used by `process`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.model.config import Cron
from reconciler.moments import text
from reconciler.status import Status

LEFT = ("failed", "blocked", "waiting")
HALF_A_DAY = 43200.0
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
    """`ai-global: settled at 14:02:11Z, next look at 14:07:02Z`; times are UTC, with the date where it matters."""
    last = found.last_pass
    far = last is not None and next_look is not None and next_look - last["ended"] > HALF_A_DAY
    parts = [_story(found, state, why_not, far)]
    if next_look is not None and state not in ("stopping", "standby"):
        parts.append(f"next look at {_time(next_look, far)}")
    if stale := found.config.get("stale"):
        parts.append(
            f"runs on the config of {text(found.config['loaded'])}, a newer one is refused since {text(stale)}: "
            f"{_short(found.config['stale_reason'])}"
        )
    return f"{found.stack}: {', '.join(parts)}"


def ended(found: Status, by: str, why: str) -> str:
    """The last sentence: `ai-global: stopped by SIGTERM, settled at 14:02:11Z`; `why` it has given up, "" if asked."""
    if why:
        return f"{found.stack}: ended: {_short(why)}"
    before = "before its first look was over"
    if found.last_pass or found.problem or found.guard:
        before = _story(found, "idle", "", True)
    return f"{found.stack}: {f'stopped by {by}' if by else 'stopped'}, {before}"


def _story(found: Status, state: str, why_not: str, far: bool) -> str:
    if state in ("starting", "stopping"):
        return state
    if state == "standby":
        return f"standby, {found.lease.get('holder') or 'another host'} has the lease"
    if why_not:
        return f"degraded: {_short(why_not)}"
    if found.problem:
        return f"degraded: {_short(found.problem)}"
    if found.guard:
        return f"stopped by a guard: {_short(found.guard)}"
    if state == "paused":
        pause = next((pause for pause in found.pauses if not pause["address"]), None)
        # one that has begun since the last pass is told in full after the next
        return "paused" if pause is None else f"paused by {pause['by']}: {_short(pause['reason'])}"
    if found.last_pass is None:
        return "looking for the first time" if state == "looking" else "ready"
    return f"{_outcome(found.last_pass)} at {_time(found.last_pass['ended'], far)}"


def _outcome(last: Mapping[str, Any]) -> str:
    left = [f"{last[word]} {word}" for word in LEFT if last[word]]
    return f"{last['outcome']} ({', '.join(left)})" if left else str(last["outcome"])


def _time(seconds: float, far: bool) -> str:
    return text(seconds) if far else text(seconds)[11:]


def _short(reason: str) -> str:
    return reason if len(reason) <= LONGEST else reason[: LONGEST - 1] + "…"


def shown(schedule: float | Cron) -> str:
    """When a settled estate is looked at."""
    return f"cron {schedule}" if isinstance(schedule, Cron) else f"every {schedule:g} s"
