"""The clock that says when to look: whatever the wall clock does, the next look is at most an interval away.

With a real scheduler; its wall clock can be set, and its thread can die.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

import apscheduler.schedulers.base
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.daemon.clock import Clock, Phase, period_of, trigger_of
from reconciler.daemon.watch import STAMP_AGE, Evidence, standstill
from reconciler.model.config import Cron

PATIENCE = 20.0
SOON, LATER = 0.05, 3600.0
"""Seconds between looks: so that they come while a test waits, or not at all."""

MOMENTS = st.datetimes(datetime(2001, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))
INTERVALS = st.floats(1, 7 * 86400)
NAMES = st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=20)
JUMPS = st.floats(-3600, 3600)


# ---- when the next look is


@given(INTERVALS, NAMES, MOMENTS, JUMPS)
def test_whatever_the_clock_does_the_next_look_is_at_most_an_interval_away(
    interval: float, stack: str, now: datetime, jump: float
) -> None:
    trigger = Phase(interval, stack)
    before = trigger.get_next_fire_time(None, now)
    jumped = now + timedelta(seconds=jump)
    for previous in (None, now, before):
        found = trigger.get_next_fire_time(previous, jumped)
        assert timedelta(0) < found - jumped <= timedelta(seconds=interval + 0.001)


@given(INTERVALS, NAMES, MOMENTS, st.integers(1, 50))
def test_looks_of_one_stack_are_an_interval_apart_across_restarts(
    interval: float, stack: str, now: datetime, later: int
) -> None:
    first = Phase(interval, stack).get_next_fire_time(None, now)
    away = Phase(interval, stack).get_next_fire_time(None, now + timedelta(seconds=later * interval)) - first
    rest = away.total_seconds() % interval
    assert min(rest, interval - rest) < 0.01


def test_many_stacks_do_not_look_all_at_once() -> None:
    now = datetime(2026, 11, 23, 14, tzinfo=UTC)
    found = sorted(
        (Phase(300, f"stack-{n}").get_next_fire_time(None, now) - now).total_seconds() for n in range(100)
    )
    assert len({round(seconds) for seconds in found}) > 70
    assert all(
        sum(begin <= seconds < begin + 60 for seconds in found) < 40 for begin in (0, 60, 120, 180, 240)
    )


CRONS = [
    Cron("30 3 * * mon-fri", "UTC"),
    Cron("30 2 * * *", "Europe/Berlin"),
    Cron("0,30 1-3 * * *", "America/New_York"),
    Cron("15 0 1 */3 *", "Australia/Lord_Howe"),
]


@pytest.mark.parametrize("cron", CRONS, ids=str)
@given(now=MOMENTS, jump=JUMPS)
def test_a_time_of_a_crontab_is_never_one_that_has_been(cron: Cron, now: datetime, jump: float) -> None:
    trigger = trigger_of(cron, "ai")
    before = trigger.get_next_fire_time(None, now)
    jumped = now + timedelta(seconds=jump)
    for previous in (None, now, before):
        found = trigger.get_next_fire_time(previous, jumped)
        assert found > jumped
        assert (found.second, found.microsecond) == (0, 0)
    assert trigger.get_next_fire_time(before, before) > before


def test_a_clock_that_was_wrong_for_years_costs_one_look() -> None:
    """A host without a clock of its own begins in 1970; the times of 56 years are not gone through."""
    now = datetime(2026, 11, 23, 14, 0, 30, tzinfo=UTC)
    found = trigger_of(Cron("* * * * *"), "ai").get_next_fire_time(datetime(1970, 1, 1, tzinfo=UTC), now)
    assert found == datetime(2026, 11, 23, 14, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("month", "day"), [(3, 29), (10, 25)], ids=["an hour is left out", "an hour comes twice"]
)
def test_on_the_days_when_summer_time_begins_and_ends_there_is_a_look(month: int, day: int) -> None:
    trigger = trigger_of(Cron("30 2 * * *", "Europe/Berlin"), "ai")
    begin = datetime(2026, month, day, tzinfo=UTC) - timedelta(hours=2)  # midnight there, or an hour before
    found, now = [], begin
    while (now := trigger.get_next_fire_time(None, now)) < begin + timedelta(hours=26):
        found.append(now)
    assert 1 <= len([one for one in found if one.day == day]) <= 2


@pytest.mark.parametrize(
    ("schedule", "seconds"),
    [(300.0, 300), (Cron("*/10 * * * *"), 600), (Cron("0 3 * * mon-fri", "Europe/Berlin"), 3 * 86400)],
    ids=str,
)
def test_the_period_is_the_longest_there_is(schedule: float | Cron, seconds: float) -> None:
    assert period_of(schedule) == seconds


# ---- a real scheduler


class Ticking:
    """A clock that ticks, and what it has said."""

    def __init__(self, heartbeat: float = SOON, job: Callable[[], None] = lambda: None) -> None:
        self.looks: list[str] = []
        self.beats = 0
        self._job = job
        self.clock = Clock(self._look, self._beat, heartbeat)

    def _look(self, trigger: str) -> None:
        self.looks.append(trigger)
        self._job()

    def _beat(self) -> None:
        self.beats += 1

    def more(self, count: int = 3) -> None:
        """Wait until so many more looks have come."""
        enough = len(self.looks) + count
        until(lambda: len(self.looks) >= enough, "looks come")


def until(true: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, f"{what}: not in {PATIENCE:.0f} s"
        time.sleep(0.01)


def scheduler_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "APScheduler"]


@pytest.fixture
def ticking() -> Iterator[Callable[..., Ticking]]:
    """Makes clocks that stop with the test."""
    made: list[Ticking] = []

    def make(**options: Any) -> Ticking:
        made.append(Ticking(**options))
        return made[-1]

    yield make
    for one in made:
        one.clock.stop()
    assert scheduler_threads() == []


class WallClock:
    """The scheduler's."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)
        self.broken = False

    def now(self, zone: tzinfo) -> datetime:
        if self.broken:
            raise OSError("no clock")
        return datetime.now(zone) + self.ahead


@pytest.fixture
def wall(monkeypatch: pytest.MonkeyPatch) -> WallClock:
    """The wall clock of APScheduler, which can be set."""
    found = WallClock()

    class Set(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            assert tz is not None
            return found.now(tz)

    monkeypatch.setattr(apscheduler.schedulers.base, "datetime", Set)
    return found


def test_looks_and_heartbeats_come(ticking: Callable[..., Ticking]) -> None:
    found = ticking()
    found.clock.start(SOON, "ai")
    found.more()
    until(lambda: found.beats >= 3, "heartbeats come")
    assert set(found.looks) == {"interval"}


def test_the_time_to_the_next_look_is_known_while_it_ticks(ticking: Callable[..., Ticking]) -> None:
    found = ticking()
    assert found.clock.left() is None
    found.clock.start(LATER, "ai")
    left = found.clock.left()
    assert left is not None
    assert 0 <= left <= LATER
    assert found.clock.period() == LATER
    found.clock.stop()
    assert found.clock.left() is None


def test_another_schedule_counts_at_once(ticking: Callable[..., Ticking]) -> None:
    found = ticking()
    found.clock.start(LATER, "ai")
    found.clock.again(SOON, "ai")
    found.more()
    found.clock.again(Cron("0 3 * * mon-fri"), "ai")
    left = found.clock.left()
    assert left is not None
    assert SOON < left <= 3 * 86400
    assert found.clock.period() == 3 * 86400


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_clock_that_is_set_costs_nothing_once_all_is_armed_anew(
    hours: int, ticking: Callable[..., Ticking], wall: WallClock
) -> None:
    found = ticking()
    found.clock.start(SOON, "ai")
    found.more()
    wall.ahead = timedelta(hours=hours)
    found.clock.again(SOON, "ai")
    found.more()
    assert len(found.looks) < 3600 / SOON / 10, "what was missed is not made up for"


def test_a_look_that_was_missed_is_one_look(ticking: Callable[..., Ticking], wall: WallClock) -> None:
    """As after a night of the host: not one for each interval that it has slept."""
    found = ticking(heartbeat=SOON)
    found.clock.start(60.0, "ai")
    wall.ahead = timedelta(hours=10)  # the heartbeats make the scheduler see it
    until(lambda: bool(found.looks), "a look comes")
    beats = found.beats
    until(lambda: found.beats > beats + 2, "heartbeats come")
    assert len(found.looks) <= 2


def test_stop_does_not_wait_for_what_runs(ticking: Callable[..., Ticking]) -> None:
    begun, released = threading.Event(), threading.Event()

    def hang() -> None:
        begun.set()
        released.wait(PATIENCE)

    found = ticking(job=hang)
    found.clock.start(SOON, "ai")
    try:
        assert begun.wait(PATIENCE)
        stopping = threading.Thread(target=found.clock.stop)
        stopping.start()
        stopping.join(5.0)
        assert not stopping.is_alive()
        assert not released.is_set()
        assert scheduler_threads() == []
    finally:
        released.set()


def test_after_the_stop_there_is_no_look(ticking: Callable[..., Ticking]) -> None:
    found = ticking()
    found.clock.start(SOON, "ai")
    found.more()
    found.clock.stop()
    found.clock.stop()  # once more does no harm
    assert scheduler_threads() == []


def test_a_clock_that_was_never_started_can_be_stopped(ticking: Callable[..., Ticking]) -> None:
    ticking().clock.stop()


def test_the_scheduler_shows_that_it_lives(ticking: Callable[..., Ticking]) -> None:
    found = ticking()
    before = found.clock.stamped
    found.clock.start(LATER, "ai")
    until(lambda: found.clock.stamped > before, "a stamp")
    assert standstill(evidence(found), time.monotonic()) is None


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_scheduler_whose_thread_has_died_shows_nothing_any_more(
    ticking: Callable[..., Ticking], wall: WallClock
) -> None:
    found = ticking()
    found.clock.start(LATER, "ai")
    until(lambda: found.beats > 0, "a heartbeat")
    wall.broken = True
    until(lambda: scheduler_threads() == [], "the thread dies")
    wall.broken = False
    now = time.monotonic()
    assert found.clock.stamped <= now
    told = standstill(evidence(found), now + STAMP_AGE + 1)
    assert told is not None
    assert "the scheduler has given no sign of life" in told.why
    found.clock.stop()  # and can be stopped all the same


def evidence(found: Ticking) -> Evidence:
    return Evidence(stamped=found.clock.stamped, passes_alive=True, busy_since=None, request_at=0.0)
