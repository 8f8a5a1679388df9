"""What a long work is at: a line on a terminal that makes way for others, elsewhere a line of the log every 30 s."""

from __future__ import annotations

import io
import logging
from typing import Any

import pytest
import structlog

from reconciler.model.address import Address
from reconciler.model.plan import Ended, Entry, Outcome, Plan, Report
from reconciler.model.things import Scope
from reconciler.model.verdicts import Settled
from reconciler.progress import Progress, Story, span

from .harness import Host


class Clock:
    """A clock that stands until it is moved."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


class Screen(io.StringIO):
    """A stream, and what a terminal of 80 columns would show of it."""

    @property
    def shown(self) -> str:
        """All lines; the cursor's own is the last."""
        lines = []
        for text in self.getvalue().split("\n"):
            line = ""
            for part in text.split("\r"):
                line = part + line[len(part) :]
            lines.append(line.rstrip())
        return "\n".join(lines)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def screen() -> Screen:
    return Screen()


def test_a_short_work_shows_nothing(clock: Clock, screen: Screen) -> None:
    progress = Progress(screen, lambda: "ai: looking", on_terminal=True, clock=clock)
    progress.tick()
    clock.now += 0.9
    progress.tick()
    progress.make_way()
    assert screen.getvalue() == ""


def test_a_long_work_is_one_line_that_is_rewritten_and_goes(clock: Clock, screen: Screen) -> None:
    texts = iter(["ai: looking, 12 requests", "ai: 1 of 2"])
    progress = Progress(screen, lambda: next(texts), on_terminal=True, clock=clock)
    clock.now += 61.0
    progress.tick()
    assert screen.shown == "1m01s ai: looking, 12 requests"
    clock.now += 1.0
    progress.tick()
    assert screen.shown == "1m02s ai: 1 of 2"
    progress.make_way()
    assert screen.shown == ""
    screen.write("the next thing")
    assert screen.shown == "the next thing"
    assert "\n" not in screen.getvalue()
    assert "\x1b" not in screen.getvalue(), "not every terminal knows them"


def test_it_makes_way_for_a_line_of_the_log(clock: Clock, screen: Screen) -> None:
    progress = Progress(screen, lambda: "ai: looking", on_terminal=True, clock=clock)
    handler = logging.StreamHandler(screen)
    handler.addFilter(progress.make_way)
    clock.now += 5.0
    progress.tick()
    handler.handle(logging.makeLogRecord({"msg": "change.started"}))
    progress.tick()  # the next line of the log may be on its way
    assert screen.shown == "change.started\n"
    clock.now += 0.2
    progress.tick()
    assert screen.shown == "change.started\n5s ai: looking"


def test_it_never_takes_a_second_line(clock: Clock, screen: Screen) -> None:
    progress = Progress(screen, lambda: "x" * 300 + "\n\x1b[2J", on_terminal=True, clock=clock)
    clock.now += 5.0
    progress.tick()
    assert screen.shown == "5s " + "x" * 76


def test_a_terminal_that_is_gone_stops_nothing(clock: Clock) -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError("Input/output error")

    progress = Progress(Gone(), lambda: "ai", on_terminal=True, clock=clock)
    clock.now += 5.0
    progress.tick()
    progress.make_way()


def test_elsewhere_it_is_a_line_of_the_log_when_nothing_else_was_said(clock: Clock, screen: Screen) -> None:
    progress = Progress(screen, lambda: "ai: looking", on_terminal=False, clock=clock)
    with structlog.testing.capture_logs() as said:
        for seconds in (29.0, 1.0, 29.0, 1.0):
            clock.now += seconds
            progress.tick()
        clock.now += 29.0
        progress.make_way()  # something else is said
        clock.now += 29.0
        progress.tick()
        assert len(said) == 2
        clock.now += 1.0
        progress.tick()
    assert [(line["event"], line["reason"]) for line in said] == [
        ("wait.slow", "ai: looking, for 30s"),
        ("wait.slow", "ai: looking, for 1m00s"),
        ("wait.slow", "ai: looking, for 1m59s"),
    ]
    assert screen.getvalue() == ""


def ended(*outcomes: Outcome) -> Ended:
    """The end of a pass."""
    scope = Scope("site", "123456789012", "")
    entries = tuple(
        Entry(address=Address.parse(one.label), scope=scope, verdict=Settled()) for one in outcomes
    )
    return Ended("p", "once", "waiting", Report(outcomes=outcomes, plan=Plan(stack="test", entries=entries)))


def outcome(label: str, status: Any, why: str = "") -> Outcome:
    return Outcome(label=label, status=status, why=why)


def test_the_story_is_told_in_numbers_and_one_reason(ops: Host) -> None:
    loop = ops.loop("resources: {global-network/main: {}}")
    story = Story(loop)
    assert story.told() == "test: looking, 0 requests"
    loop.plan()
    requests = sum(loop.gateway.counts[sort] for sort in ("read", "write"))
    assert requests > 0
    assert story.told() == f"test: looking, {requests} requests"
    story.ended(
        ended(
            outcome("site/a", "settled"),
            outcome("site/b", "waiting", "it is PENDING"),
            outcome("site/c", "waiting", "it is PENDING"),
            outcome("site/d", "waiting", "it waits for site/b"),
        )
    )
    assert story.told() == (
        f"test: 1 of 4 settled, {requests} requests, waiting for site/b, site/c (it is PENDING)"
    )
    story.ended(ended())
    assert story.told() == f"test: looking, {requests} requests"


@pytest.mark.parametrize(
    ("seconds", "told"), [(0.9, "0s"), (59.9, "59s"), (60, "1m00s"), (130, "2m10s"), (3661, "1h01m")]
)
def test_spans(seconds: float, told: str) -> None:
    assert span(seconds) == told
