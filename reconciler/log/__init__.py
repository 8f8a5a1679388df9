"""The log: one funnel for our events and for the libraries' lines, on stderr.  Set up by `cli`, for all but `model`.

    log = get_logger()
    log.info("config.loaded", files=3, resources=214)

An event has a name from `EVENTS` and fields; sentences belong into no field but `message`, `reason` and `error`.
On a terminal lines are for eyes, elsewhere each is one JSON object with the same first keys in the same order.
What repeats is thinned out.  A command waits for who reads its log, the daemon never does.
"""

from __future__ import annotations

import atexit
import contextvars
import logging
import os
import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any, Final, Literal, ParamSpec, TextIO, TypeVar, cast, get_args

import structlog

from reconciler.log.handlers import Direct, Handler, Queued
from reconciler.log.levels import OURS, set_levels
from reconciler.log.lines import LONGEST_LINE, SCHEMA, SERVICE, Format, forget_stack, formatter, of_stack
from reconciler.log.strict import UnknownEvent, be_strict, known
from reconciler.log.uncaught import catch_the_uncaught

__all__ = [
    "LONGEST_LINE",
    "SCHEMA",
    "SERVICE",
    "Format",
    "Level",
    "Logger",
    "UnknownEvent",
    "be_strict",
    "bind_pass",
    "configure",
    "context",
    "flush",
    "forget",
    "get_logger",
    "in_context",
    "of_stack",
    "roll_up",
]

P = ParamSpec("P")
R = TypeVar("R")

Level = Literal["debug", "info", "warning", "error"]
Logger = structlog.stdlib.BoundLogger

PATIENCE: Final = 2.0
"""Seconds that the end of a process waits for who reads the log."""


def get_logger() -> Logger:
    """The logger of everyone.  Before `configure` it says nothing below a warning."""
    return cast(Logger, structlog.get_logger())


def bind_pass(*, pass_id: str, stack: str, trigger: str, **more: object) -> AbstractContextManager[None]:
    """`with bind_pass(…):` every line inside, libraries' lines too, says which pass it belongs to."""
    return structlog.contextvars.bound_contextvars(pass_id=pass_id, stack=stack, trigger=trigger, **more)


def context() -> dict[str, Any]:
    """The fields that are bound here: those of the pass, where there is one."""
    return structlog.contextvars.get_contextvars()


def in_context(function: Callable[P, R]) -> Callable[P, R]:
    """`function`, to be run by a worker thread with the fields bound here: `pool.map(in_context(read), kinds)`.

    Pools do not carry context variables over by themselves.  Each call gets a copy, since one context cannot be
    entered by two threads at once.
    """
    context = contextvars.copy_context()

    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        return context.copy().run(function, *args, **kwargs)

    return run


def configure(
    *,
    format: Format = "auto",
    level: Level = "info",
    stream: TextIO | None = None,
    environment: Mapping[str, str] | None = None,
    queued: bool = False,
) -> None:
    """Sends everything to `stream` (stderr).  May be called again; the last call counts, and all is news again.

    `environment` (the process's) is asked for NO_COLOR, FORCE_COLOR, TERM and JOURNAL_STREAM.
    `queued`: for a daemon, which must work on and stop in time when nobody reads the stream.  Lines are then written
    by a thread, and `flush` has to be called before an `os._exit`.
    """
    stream = sys.stderr if stream is None else stream
    environment = os.environ if environment is None else environment
    if format not in get_args(Format):
        raise ValueError(f"log format {format!r}: one of {', '.join(get_args(Format))}")
    if level not in get_args(Level):
        raise ValueError(f"log level {level!r}: one of {', '.join(get_args(Level))}")

    handler: Handler = Queued(stream) if queued else Direct(stream)
    handler.setFormatter(formatter(format, stream, environment))
    forget_stack()
    root = logging.getLogger()
    for old in _handlers():
        root.removeHandler(old)
        old.close()
    root.addHandler(handler)
    set_levels(logging.getLevelNamesMapping()[level.upper()])
    logging.captureWarnings(True)
    catch_the_uncaught()


def roll_up() -> None:
    """Tell how many repetitions were left out, as far as it is due; for a daemon to call each minute."""
    for handler in _handlers():
        handler.roll_up()


def forget() -> None:
    """What repeats is news again, as after a reload."""
    for handler in _handlers():
        handler.thinner.forget()


def flush(seconds: float = PATIENCE) -> bool:
    """Tell what was left out, and wait until all is written, at most `seconds`; gives whether it is.

    Happens by itself when a verb or the interpreter ends, but not before an `os._exit` or an end by a signal.  Who
    has not read in time is not waited for once more.
    """
    return all(handler.drain(seconds) for handler in _handlers())  # there is one, if any


def _handlers() -> list[Handler]:
    return [handler for handler in logging.getLogger().handlers if isinstance(handler, Handler)]


def _our_logger(*_: object) -> logging.Logger:
    return logging.getLogger(OURS)


structlog.configure(
    processors=[
        known,
        structlog.stdlib.filter_by_level,
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
    logger_factory=_our_logger,
    wrapper_class=structlog.stdlib.BoundLogger,
)
atexit.register(flush)
