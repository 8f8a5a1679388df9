"""The clock: APScheduler says "look, because …" and "a minute is over", and nothing else.  Used by `process`.

Its jobs put a word into the inbox and return.  They are never added or changed from within a job, and a pass never runs
in one: a job that waits for the scheduler while it is being shut down would hang both.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.cron import CronTrigger

from reconciler.desired.cron import Times, read_cron
from reconciler.model.config import Cron

STAMP_SECONDS = 20.0
"""How often the scheduler shows that it lives."""


class Phase(BaseTrigger):  # type: ignore[misc] # apscheduler has no types
    """Every `interval` seconds at a phase of the stack's own, so that many stacks do not look all at once.

    Only the time of day counts, so a clock that is set forward or back moves the next look by less than an interval.
    """

    def __init__(self, interval: float, stack: str) -> None:
        self.interval = interval
        self.phase = int.from_bytes(hashlib.sha256(stack.encode()).digest()[:8]) / 2**64 * interval

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime:
        """The next moment of the phase after `now`, and never one that has been."""
        left = self.interval - (now.timestamp() - self.phase) % self.interval
        return now + timedelta(seconds=max(left, 0.001))


class Crontab(CronTrigger):  # type: ignore[misc] # apscheduler has no types
    """The times of a crontab, and never one that has been.

    APScheduler goes through every time since the last one: after a clock that began in 1970 was set, or a long sleep of
    the host, those are millions.
    """

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime | None:
        """The next time after `now`."""
        since = now.astimezone(UTC) + timedelta(
            microseconds=1
        )  # a sum forgets which of two equal hours it was in
        found: datetime | None = super().get_next_fire_time(None, since)
        return found


class Clock:
    """Calls `look(trigger)` at the regular times and `beat()` each `heartbeat` seconds, both in microseconds."""

    def __init__(self, look: Callable[[str], None], beat: Callable[[], None], heartbeat: float) -> None:
        self._look, self._beat, self._heartbeat = look, beat, heartbeat
        self._scheduler = BackgroundScheduler(timezone="UTC")
        self._period = 0.0
        self.stamped = time.monotonic()
        """When the scheduler was last seen alive, in seconds of the monotonic clock."""

    def start(self, schedule: float | Cron, stack: str) -> None:
        """Begin to tick."""
        triggers = self._triggers(schedule, stack)
        jobs = (("look", lambda: self._look("interval")), ("beat", self._beat), ("stamp", self._stamp))
        for name, job in jobs:
            self._scheduler.add_job(
                job, triggers[name], id=name, coalesce=True, max_instances=1, misfire_grace_time=None
            )
        self._scheduler.start()

    def again(self, schedule: float | Cron, stack: str) -> None:
        """Arm everything anew: the schedule is another one, or the wall clock was set."""
        for name, trigger in self._triggers(schedule, stack).items():
            self._scheduler.reschedule_job(name, trigger=trigger)

    def _triggers(self, schedule: float | Cron, stack: str) -> dict[str, BaseTrigger]:
        self._period = period_of(schedule)
        return {
            "look": trigger_of(schedule, stack),
            "beat": Phase(self._heartbeat, stack),
            "stamp": Phase(min(STAMP_SECONDS, self._heartbeat), ""),
        }

    def left(self) -> float | None:
        """Seconds to the next regular look; None before the start and after the end."""
        job = self._scheduler.get_job("look")
        at = getattr(job, "next_run_time", None)
        return None if at is None else max(0.0, at.timestamp() - time.time())

    def period(self) -> float:
        """The most seconds between two regular looks; 0 before the start."""
        return self._period

    def stop(self) -> None:
        """No tick from here on; does not wait."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    def _stamp(self) -> None:
        self.stamped = time.monotonic()


def trigger_of(schedule: float | Cron, stack: str) -> BaseTrigger:
    """The regular looks as APScheduler has them."""
    if isinstance(schedule, Cron):
        return Crontab.from_crontab(schedule.expression, timezone=schedule.tz)
    return Phase(schedule, stack)


def period_of(schedule: float | Cron) -> float:
    """The most seconds between two regular looks: over a weekend, for a crontab that rests there."""
    if isinstance(schedule, Cron):
        times = read_cron(schedule.expression)
        assert isinstance(times, Times), times  # the config was checked
        return times.longest_gap
    return schedule
