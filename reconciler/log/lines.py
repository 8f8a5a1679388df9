"""What a line looks like: for programs, for eyes, and for the journal.  Used by `log.configure`."""

from __future__ import annotations

import json
import logging
import os
import socket
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final, Literal, TextIO

import structlog
from structlog.typing import EventDict, WrappedLogger

from reconciler import __version__
from reconciler.events import HEAD, PASS
from reconciler.redact import Cleaner

Format = Literal["auto", "console", "json"]

SERVICE: Final = "reconciler"
SCHEMA: Final = 1
"""Rises only when a field is removed or renamed; adding one is free."""
LONGEST_LINE: Final = 16 * 1024
"""In bytes.  journald cuts at 48 KiB, which would leave half a JSON object; many shippers cut earlier."""

_TAIL: Final = "truncated"
_TELLS_OF_REFUSALS: Final = "botocore.credentials"
"""It shows how it came to each role that may not be assumed; why not is all that there is to know."""
_FOR_MACHINES: Final = (
    *("schema", "service", "version", "instance", "pid", "pass_id", "stack"),
    *("account", "config_hash", "trigger"),
)

_stack = ""


def of_stack(name: str) -> None:
    """Every line from now on, of whatever thread, says whose it is.

    The first name counts until `forget_stack`: a process works for one stack, and a reload that brings another is
    refused.
    """
    global _stack
    _stack = _stack or name


def forget_stack() -> None:
    """No line says whose it is, until it is known again."""
    global _stack
    _stack = ""


# ------------------------------------------------------------------------------------------------------- a line


def _as_library_line(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """A library's sentence is never an event's name."""
    record: logging.LogRecord = event["_record"]
    message = event["event"]
    if record.name == _TELLS_OF_REFUSALS and (exc_info := event.pop("exc_info", None)):
        message = f"{message} {exc_info[1]}"
    return {**event, "event": "library.log", "message": message, "logger": record.name}


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
    if _stack:
        event.setdefault("stack", _stack)
    in_pass = {key: event.pop(key) for key in PASS if key in event}
    framed = {**head, **in_pass, **{key: value for key, value in event.items() if key not in head}}
    repeat = getattr(record, "repeat", None)
    return framed if repeat is None else {**framed, "repeat": repeat}


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
    for key in sorted(sizes.keys() - {*HEAD, *PASS}, key=lambda key: (-sizes[key], key)):
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


def formatter(format: Format, stream: TextIO, environment: Mapping[str, str]) -> logging.Formatter:
    """Makes the lines for `stream`.  `environment` is asked for NO_COLOR, FORCE_COLOR, TERM and JOURNAL_STREAM."""
    on_terminal = stream.isatty()
    to_json = format == "json" or (format == "auto" and not on_terminal)
    colors = _wants_color(on_terminal, environment)
    found = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.contextvars.merge_contextvars, _as_library_line],
        processors=(
            [_framed, _exceptions, _cleaned, _json]
            if to_json
            else [_framed, _cleaned, _for_eyes, _console(colors)]
        ),
    )
    return _JournalFormatter(found) if _is_journal(stream, environment) else found


def _wants_color(on_terminal: bool, environment: Mapping[str, str]) -> bool:
    if environment.get("NO_COLOR"):
        return False
    if environment.get("FORCE_COLOR"):
        return True
    return on_terminal and environment.get("TERM") != "dumb"


# ------------------------------------------------------------------------------------------------------ the journal


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
