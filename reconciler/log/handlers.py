"""The way of a line to the stream: at once, or by a queue; repetitions are thinned out before.  Used by `log`."""

from __future__ import annotations

import contextvars
import logging
import time
from typing import Final, TextIO

import structlog

from reconciler.events import is_thinned
from reconciler.log.levels import quiet_libraries
from reconciler.log.queue import Queue, writer
from reconciler.log.strict import is_strict
from reconciler.log.thinning import Thinner, condition

SUPPRESSED: Final = "log.suppressed"


class Handler(logging.Handler):
    """Ours, of whatever sort: there is one at a time.  A log that cannot be written must not stop a pass."""

    def __init__(self) -> None:
        super().__init__()
        self.thinner = Thinner()
        self.addFilter(quiet_libraries)
        self.addFilter(self._is_news)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name is logging's
        """Under the tests it must."""
        if is_strict():
            raise

    def drain(self, seconds: float) -> bool:
        """Tell what was left out, and see that everything is written; gives whether it is."""
        self.roll_up(everything=True)
        return True

    def roll_up(self, *, everything: bool = False) -> None:
        """Tell how many repetitions were left out."""
        for event, count in self.thinner.roll_up(time.monotonic(), everything=everything).items():
            _tell("info", event, count)

    def _is_news(self, record: logging.LogRecord) -> bool:
        """Counts what repeats: the line is left out, or says how often."""
        event, fields = _event_of(record)
        if not is_thinned(event, record.levelno):
            return True
        times = self.thinner.offer(event, condition(event, fields), time.monotonic())
        if times > 1:
            record.repeat = times
        return times > 0


class Direct(Handler):
    """Writes before the caller goes on, as a command at a terminal does; waits for a reader that does not read."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self.stream = stream

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line."""
        try:
            self.stream.write(self.format(record) + "\n")
            self.stream.flush()
        except Exception:
            self.handleError(record)


class Queued(Handler):
    """Never waits for the reader; what is dropped is told at the place of the gap."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self.queue = Queue(writer(stream))
        self._encoding = getattr(stream, "encoding", None) or "utf-8"

    def emit(self, record: logging.LogRecord) -> None:
        """Put a line into the queue."""
        try:
            line = (self.format(record) + "\n").encode(self._encoding, "backslashreplace")
            event, _ = _event_of(record)
            if event != SUPPRESSED:  # that is what is being told
                self._tell_dropped()
            self.queue.put(line, event)
        except Exception:
            self.handleError(record)

    def _tell_dropped(self) -> None:
        for event, count in self.queue.dropped().items():
            _tell("warning", event, count)

    def drain(self, seconds: float) -> bool:
        """As above; what is not written within `seconds` is given up."""
        end = time.monotonic() + seconds
        super().drain(seconds)
        self.queue.flush(seconds)
        self._tell_dropped()
        return self.queue.flush(max(0.0, end - time.monotonic()))

    def close(self) -> None:
        """The stream is no longer ours once what is in the queue is written."""
        self.queue.close()
        super().close()


def _event_of(record: logging.LogRecord) -> tuple[str, dict[str, object]]:
    """The event and the fields of a record, ours or a library's."""
    if isinstance(record.msg, dict) and hasattr(record, "_logger"):  # as structlog hands it over
        return str(record.msg.get("event")), {
            name: value for name, value in record.msg.items() if name not in {"event", "exc_info"}
        }
    try:
        message = record.getMessage()
    except (
        Exception
    ):  # the library's mistake: arguments that do not fit; the text alone is better than no line
        record.args, message = (), str(record.msg)
    return "library.log", {"logger": record.name, "message": message}


def _tell(level: str, event: str, count: int) -> None:
    """The line belongs to no pass, whichever is going on."""
    told = getattr(structlog.get_logger(), level)
    contextvars.Context().run(told, SUPPRESSED, about=event, count=count)
