"""The log: one funnel for our events and for the libraries' lines, on stderr.  Set up by `cli`, for all but `model`.

    log = get_logger()
    log.info("config.loaded", files=3, resources=214)

An event has a name from `EVENTS` and fields; sentences belong into no field but `message`, `reason` and `error`.
On a terminal lines are for eyes, elsewhere each is one JSON object with the same first keys in the same order.
Secrets are kept out by those who log; that fields of `SENSITIVE` names are blanked here is the second line.
"""

from __future__ import annotations

import contextvars
import json
import logging
import os
import socket
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Final, Literal, ParamSpec, TextIO, TypeVar, cast, get_args

import structlog
from structlog.typing import EventDict, WrappedLogger

from reconciler import __version__
from reconciler.events import EVENTS, FIELDS, HEAD, PASS
from reconciler.redact import Cleaner

P = ParamSpec("P")
R = TypeVar("R")

Format = Literal["auto", "console", "json"]
Level = Literal["debug", "info", "warning", "error"]
Logger = structlog.stdlib.BoundLogger

SERVICE: Final = "reconciler"
SCHEMA: Final = 1
"""Rises only when a field is removed or renamed; adding one is free."""


class UnknownEvent(ValueError):
    """An event that `EVENTS` does not have, or a field that the log itself sets.  Raised under the tests only."""


_strict = _strict_fields = False


def be_strict(on: bool = True, *, fields: bool = True) -> None:
    """For tests: what the catalogue does not have raises where it is logged; `fields`: not only unknown names."""
    global _strict, _strict_fields
    _strict, _strict_fields = on, on and fields


# ---------------------------------------------------------------------------------------------------- for callers


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
) -> None:
    """Sends everything to `stream` (stderr).  May be called again; the last call counts.

    `environment` (the process's) is asked for NO_COLOR, FORCE_COLOR, TERM and JOURNAL_STREAM.
    """
    stream = sys.stderr if stream is None else stream
    environment = os.environ if environment is None else environment
    if format not in get_args(Format):
        raise ValueError(f"log format {format!r}: one of {', '.join(get_args(Format))}")
    if level not in get_args(Level):
        raise ValueError(f"log level {level!r}: one of {', '.join(get_args(Level))}")

    handler = _Handler(stream)
    handler.setFormatter(_formatter(format, stream, environment))
    handler.addFilter(_quiet_libraries)
    root = logging.getLogger()
    for old in [old for old in root.handlers if isinstance(old, _Handler)]:
        root.removeHandler(old)
    root.addHandler(handler)
    _set_levels(logging.getLevelNamesMapping()[level.upper()])
    logging.captureWarnings(True)
    _catch_the_uncaught()


# ------------------------------------------------------------------------------------------------------- levels

_OURS: Final = "reconciler"
_CHATTY: Final = ("boto3", "botocore", "s3transfer", "urllib3")
"""At DEBUG botocore prints session tokens and user data; so its DEBUG is out of reach, whatever the level."""
_MUTED: Final = ("apscheduler", "werkzeug")
"""They write a line per tick and a line per request; from them only warnings are news."""


def _set_levels(level: int) -> None:
    """Ours as asked.  Libraries speak from WARNING on, and from INFO on where ours is DEBUG."""
    others = logging.INFO if level <= logging.DEBUG else max(level, logging.WARNING)
    logging.getLogger().setLevel(others)
    logging.getLogger(_OURS).setLevel(level)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(others)
    for name in _MUTED:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))


def _quiet_libraries(record: logging.LogRecord) -> bool:
    """The caps again, for loggers below (`botocore.auth`) whose level someone has set by hand."""
    top = record.name.partition(".")[0]
    if top == _OURS:
        return True
    return record.levelno >= (logging.WARNING if top in _MUTED else logging.INFO)


# ------------------------------------------------------------------------------------------------------- a line

_HEAD: Final = HEAD
_PASS: Final = PASS
_TAIL: Final = "truncated"
_FOR_MACHINES: Final = (
    *("schema", "service", "version", "instance", "pid", "pass_id", "stack"),
    *("account", "config_hash", "trigger"),
)

LONGEST_LINE: Final = 16 * 1024
"""In bytes.  journald cuts at 48 KiB, which would leave half a JSON object; many shippers cut earlier."""


def _known(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Refuses, under the tests, what is not in the catalogue."""
    if _strict:
        told = EVENTS.get(str(event.get("event")))
        if told is None:
            raise UnknownEvent(f"no such event: {event.get('event')!r}; add it to reconciler/events.py")
        given = event.keys() - {"event", "exc_info"}
        if given & {*_HEAD, _TAIL}:
            raise UnknownEvent(
                f"{event['event']}: the log itself sets {', '.join(sorted(given & {*_HEAD, _TAIL}))}"
            )
        if not _strict_fields:
            return event
        for wrong, which in (
            ("in the catalogue it has no", given - {*told.fields, *told.optional, *PASS}),
            ("it lacks", set(told.fields) - given),
        ):
            if which:
                raise UnknownEvent(f"{event['event']}: {wrong} {', '.join(sorted(which))}")
        for name in given & FIELDS.keys():
            if not isinstance(event[name], _TYPES[FIELDS[name].type]) or isinstance(event[name], bool):
                raise UnknownEvent(f"{event['event']}: {name}={event[name]!r} is no {FIELDS[name].type}")
    return event


_TYPES: Final[Mapping[str, type | tuple[type, ...]]] = {
    "string": str,
    "integer": int,
    "number": (int, float, type(None)),
    "boolean": bool,
    "list": (list, tuple),
    "object": dict,
}
"""What a field may hold; a number may be null, for "none"."""


def _as_library_line(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """A library's sentence is never an event's name."""
    record: logging.LogRecord = event["_record"]
    return {**event, "event": "library.log", "message": event["event"], "logger": record.name}


def _framed(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """The same first keys in the same order on every line, then the fields as they were given."""
    record: logging.LogRecord = event.pop("_record")
    event.pop("_from_structlog")
    head = {
        "ts": datetime.fromtimestamp(record.created, UTC)
        .isoformat(timespec="microseconds")
        .replace("+00:00", "Z"),
        "level": record.levelname.lower(),
        "event": event.pop("event"),
        "schema": SCHEMA,
        "service": SERVICE,
        "version": __version__,
        "instance": _instance(),
        "pid": record.process,
    }
    in_pass = {key: event.pop(key) for key in _PASS if key in event}
    return {**head, **in_pass, **{key: value for key, value in event.items() if key not in head}}


def _instance() -> str:
    return socket.gethostname()


def _cleaned(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    cleaner = Cleaner()
    exc_info = event.pop("exc_info", None)  # the console shows it, and needs it as it is
    clean: EventDict = cleaner.fields(event.items(), 0)
    if cleaner.cut:
        clean[_TAIL] = True
    return clean if exc_info is None else {**clean, "exc_info": exc_info}


# ------------------------------------------------------------------------------------------------------ rendering


def _json(_: WrappedLogger, __: str, event: EventDict) -> str:
    """One compact line; when it is too long the longest fields go first, the head and the pass stay."""
    sizes = {key: len(_dumps({key: value}).encode()) for key, value in event.items()}
    total = sum(sizes.values())  # each counts its own braces: a little more than the line will have
    limit = LONGEST_LINE - len('"truncated":true, <0>\n')
    for key in sorted(sizes.keys() - {*_HEAD, *_PASS}, key=lambda key: (-sizes[key], key)):
        if total <= limit:
            break
        total -= sizes[key]
        del event[key]
        event[_TAIL] = True
    return _dumps(event)


def _dumps(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _for_eyes(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """On a terminal the time of day is enough, everybody knows what they have started there, and what is 0 or
    nothing is left out: the line of a pass would not fit."""
    event["ts"] = event["ts"][11:19] + "Z"
    return {key: value for key, value in event.items() if value and key not in _FOR_MACHINES}


_exceptions = structlog.processors.ExceptionRenderer(
    structlog.tracebacks.ExceptionDictTransformer(show_locals=False, max_frames=20)
)


def _console(colors: bool) -> structlog.dev.ConsoleRenderer:
    return structlog.dev.ConsoleRenderer(
        timestamp_key="ts",
        colors=colors,
        sort_keys=False,
        pad_event_to=18,
        exception_formatter=structlog.dev.plain_traceback,  # others show the values of local variables
    )


def _formatter(format: Format, stream: TextIO, environment: Mapping[str, str]) -> logging.Formatter:
    on_terminal = stream.isatty()
    to_json = format == "json" or (format == "auto" and not on_terminal)
    colors = _wants_color(on_terminal, environment)
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.contextvars.merge_contextvars, _as_library_line],
        processors=(
            [_framed, _exceptions, _cleaned, _json]
            if to_json
            else [_framed, _cleaned, _for_eyes, _console(colors)]
        ),
    )
    return _JournalFormatter(formatter) if _is_journal(stream, environment) else formatter


def _wants_color(on_terminal: bool, environment: Mapping[str, str]) -> bool:
    if environment.get("NO_COLOR"):
        return False
    if environment.get("FORCE_COLOR"):
        return True
    return on_terminal and environment.get("TERM") != "dumb"


def _is_journal(stream: TextIO, environment: Mapping[str, str]) -> bool:
    """Whether the stream *is* the journal's socket.  That the variable is set proves nothing: children inherit it."""
    try:
        there = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return environment.get("JOURNAL_STREAM") == f"{there.st_dev}:{there.st_ino}"


class _JournalFormatter(logging.Formatter):
    """Puts the priority before each line, as sd-daemon(3) has it: `journalctl -p err` then finds the errors."""

    def __init__(self, inner: logging.Formatter) -> None:
        super().__init__()
        self.inner = inner

    def format(self, record: logging.LogRecord) -> str:
        prefix = f"<{_priority(record.levelno)}>"
        return "\n".join(prefix + line for line in self.inner.format(record).split("\n"))


def _priority(level: int) -> int:
    steps = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6))
    return next((priority for at_least, priority in steps if level >= at_least), 7)


class _Handler(logging.StreamHandler[TextIO]):
    """A log that cannot be written must not stop a pass; under the tests it must."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name is logging's
        if _strict:
            raise


# ----------------------------------------------------------------------------------------------------- the uncaught


def _catch_the_uncaught() -> None:
    """What nobody caught becomes a line like all others, instead of a traceback of many."""
    sys.excepthook = _log_uncaught
    threading.excepthook = _log_thread
    sys.unraisablehook = _log_unraisable


def _log_uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    get_logger().critical("unit.failed", error=str(error), exc_info=(kind, error, trace))


def _log_thread(args: threading.ExceptHookArgs) -> None:
    if args.exc_value is None or issubclass(args.exc_type, SystemExit):
        return
    name = args.thread.name if args.thread else "?"
    exc_info = (args.exc_type, args.exc_value, args.exc_traceback)
    get_logger().critical("unit.failed", error=str(args.exc_value), thread=name, exc_info=exc_info)


def _log_unraisable(args: sys.UnraisableHookArgs) -> None:
    error = args.exc_value
    exc_info = (args.exc_type, error, args.exc_traceback) if error is not None else None
    logging.getLogger("python").warning(
        "%s: %s", args.err_msg or "Exception ignored", error, exc_info=exc_info
    )


def _our_logger(*_: object) -> logging.Logger:
    return logging.getLogger(_OURS)


structlog.configure(
    processors=[
        _known,
        structlog.stdlib.filter_by_level,
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
    logger_factory=_our_logger,
    wrapper_class=structlog.stdlib.BoundLogger,
)


def flush(seconds: float) -> None:
    """Placeholder until the queue of lines lands."""
