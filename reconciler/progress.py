"""What a long look or run is at: on a terminal one line that is rewritten, elsewhere a line of the log every 30 s.

    with working(loop, voice, environment):
        report = loop.until_settled(timeout)

The line on the terminal never gets into the log, and the log's lines never into it: it makes way for them.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TextIO

from reconciler.log import get_logger
from reconciler.loop import Loop
from reconciler.model.plan import Ended
from reconciler.narrate import SLOW, listed
from reconciler.say import Voice

TICK = 0.2
"""Seconds between two looks at what there is to show."""
LONG = 1.0
"""Seconds after which a work is long enough for a line on the terminal."""
YIELD = 0.1
"""Seconds for which the line stays away after it has made way for one of the log."""


class Progress:
    """What is shown of one work.  `tick` is called again and again; `clock` is monotonic, in seconds."""

    def __init__(
        self, stream: TextIO, describe: Callable[[], str], *, on_terminal: bool, clock: Callable[[], float]
    ) -> None:
        self._stream, self._describe, self._on_terminal, self._clock = stream, describe, on_terminal, clock
        self._started = self._said = clock()
        self._shown = ""
        self._lock = threading.Lock()

    def tick(self) -> None:
        """Show how it stands, if it is time."""
        now = self._clock()
        if self._on_terminal:
            if now - self._started >= LONG and now - self._said >= YIELD:
                with self._lock:
                    self._show(f"{span(now - self._started)} {self._describe()}")
        elif now - self._said >= SLOW:
            self._said = now
            get_logger().info("wait.slow", reason=f"{self._describe()}, for {span(now - self._started)}")

    def make_way(self, _: logging.LogRecord | None = None) -> bool:
        """A line of the log comes, or the work is over.  True: as a filter of the log it lets everything by."""
        self._said = self._clock()
        with self._lock:
            self._show("")
        return True

    def _show(self, text: str) -> None:
        """Rewrite the line, without the escape sequences that not every terminal knows."""
        text = "".join(char if char.isprintable() else " " for char in text)[: columns(self._stream) - 1]
        if text == self._shown:
            return
        left = "" if text else "\r"  # what comes next begins where nothing is
        with suppress(OSError, ValueError):
            self._stream.write(f"\r{text.ljust(len(self._shown))}{left}")
            self._stream.flush()
        self._shown = text


@contextmanager
def working(loop: Loop, voice: Voice, environment: Mapping[str, str]) -> Iterator[None]:
    """For as long as the context lasts, show what the loop is at."""
    on_terminal = sys.stderr.isatty() and not voice.logs_json and environment.get("TERM") != "dumb"
    story = Story(loop)
    progress = Progress(sys.stderr, story.told, on_terminal=on_terminal, clock=time.monotonic)
    over, handlers = threading.Event(), list(logging.getLogger().handlers)

    def work() -> None:
        while not over.wait(TICK):
            progress.tick()

    for handler in handlers:
        handler.addFilter(progress.make_way)
    loop.ended.append(story.ended)
    thread = threading.Thread(target=work, daemon=True, name="progress")
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        loop.ended.remove(story.ended)
        for handler in handlers:
            handler.removeFilter(progress.make_way)
        progress.make_way()


class Story:
    """How a loop stands, in a few words.  Any thread may ask."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._last: Ended | None = None

    def ended(self, ended: Ended) -> None:
        """A pass is over."""
        self._last = ended

    def told(self) -> str:
        """`ai: 3 of 5 settled, 31 requests, waiting for site/one (it is PENDING)`."""
        counts = self._loop.gateway.counts
        requests = f"{counts['read'] + counts['write']} requests"
        if self._last is None or not self._last.report.outcomes:
            return f"{self._loop.config.stack}: looking, {requests}"
        outcomes = self._last.report.outcomes
        settled = sum(outcome.status == "settled" for outcome in outcomes)
        told = f"{self._loop.config.stack}: {settled} of {len(outcomes)} settled, {requests}"
        if waits := [outcome for outcome in outcomes if outcome.status == "waiting"]:
            same = [outcome.label for outcome in waits if outcome.why == waits[0].why]
            told += f", waiting for {listed(same)} ({waits[0].why})"
        return told


def span(seconds: float) -> str:
    """`42s`, `2m10s`, `1h00m`."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minutes:02}m"
    return f"{minutes}m{rest:02}s" if minutes else f"{rest}s"


def columns(stream: TextIO) -> int:
    """How wide a terminal is; 80 where that cannot be told."""
    with suppress(OSError, ValueError):
        return os.get_terminal_size(stream.fileno()).columns or 80
    return 80
