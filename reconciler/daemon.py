"""The long-running process: APScheduler says when to look, one thread looks.  Started by `cli run`.

The scheduler's job only says "look, because …", in microseconds; the passes run here, one after the other, so that a
pass that takes longer than the interval is followed by exactly one more.
"""

from __future__ import annotations

import signal
import threading
from types import FrameType

from apscheduler.schedulers.background import BackgroundScheduler

from reconciler.errors import AwsError, GuardError, ReconcilerError
from reconciler.log import get_logger
from reconciler.loop import Loop, under_way
from reconciler.model.plan import Report
from reconciler.say import event_of

SOON, LATER = 5.0, 15.0
"""Seconds to the next look after progress, and while AWS works."""


class Daemon:
    """Looks every `interval` seconds, sooner while something is under way, until TERM or INT."""

    def __init__(self, loop: Loop, interval: float) -> None:
        self._loop, self._interval = loop, interval
        self._wake, self._stop = threading.Event(), threading.Event()
        self._trigger = "start"
        self._left: int | None = None
        loop.narrator.next_look = lambda report: self._soon(report) or interval

    def look(self, trigger: str) -> None:
        """Say that there is a reason to look; any thread may."""
        self._trigger = trigger
        self._wake.set()

    def run(self) -> int:
        """Work until told to stop; gives the exit status.  IdentityError when we are not who the config says."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_stop)
        signal.signal(signal.SIGUSR1, lambda *_: self.look("signal"))
        self._loop.stopped = self._stop.is_set
        scheduler = BackgroundScheduler(timezone="UTC")
        scheduler.add_job(
            self.look,
            "interval",
            ["interval"],
            seconds=self._interval,
            coalesce=True,
            max_instances=1,
            misfire_grace_time=None,
        )
        scheduler.start()
        config = self._loop.config
        get_logger().info(
            "daemon.starting",
            schedule=f"every {self._interval:g}s",
            config_hash=config.digest[:8],
            resources=len(config.resources),
        )
        self._loop.memory.begin()
        try:
            self._work(self._begin())
        finally:
            scheduler.shutdown(wait=False)
            get_logger().info("daemon.stopped", left=self._left or 0, duration_ms=0)
        return 0

    def _begin(self) -> float:
        """Who we are is settled before anything else.  Gives the seconds to the first look: that nobody can say who
        we are, as when the network is not up yet, is no reason to give up."""
        try:
            self._loop.gateway.sessions.verify()
        except AwsError as error:
            get_logger().error("pass.failed", reason=str(error))
            return LATER
        get_logger().info("daemon.ready", state="idle")
        return 0.0

    def _work(self, soon: float | None) -> None:
        while not self._stop.is_set():
            if self._wake.wait(soon):
                self._wake.clear()
            if self._stop.is_set():
                return
            trigger, self._trigger = self._trigger, "progress"
            soon = self._pass(trigger)

    def _pass(self, trigger: str) -> float | None:
        """One pass; gives the seconds to the next look, None to wait for the scheduler."""
        if trigger in {"interval", "signal"}:
            self._loop.try_again()
        try:
            report = self._loop.one_pass(trigger)
        except GuardError:
            return None  # it is in the log; only a person, or the next interval, changes that
        except ReconcilerError as error:
            get_logger().error(event_of(error), reason=str(error))
            return LATER
        except Exception as error:  # a mistake of ours is no reason to leave the estate alone from here on
            get_logger().critical("unit.failed", error=str(error), exc_info=True)
            return LATER
        self._left = len(report.outcomes) - report.count("settled", "deleted")
        return self._soon(report)

    def _soon(self, report: Report) -> float | None:
        """Seconds to the next look because of what a pass has left, None when nothing is under way."""
        if report.changed:
            return SOON
        return LATER if under_way(report) else None

    def _on_stop(self, number: int, _: FrameType | None) -> None:
        self._stop.set()
        self._wake.set()
        signal.signal(number, signal.SIG_DFL)
