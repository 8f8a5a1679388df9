"""The log: one funnel for our events and for the libraries' lines, on stderr.  Set up by `cli`, for all but `model`.

    log = get_logger()
    log.info("config.loaded", files=3, resources=214)

An event has a name from `EVENTS` and fields; sentences belong into no field but `message`, `reason` and `error`.
On a terminal lines are for eyes, elsewhere each is one JSON object with the same first keys in the same order.
Secrets are kept out by those who log; that fields of `SENSITIVE` names are blanked here is the second line.
"""

from __future__ import annotations

import contextvars
import dataclasses
import json
import logging
import math
import os
import re
import socket
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Final, Literal, NamedTuple, ParamSpec, TextIO, TypeVar, cast, get_args

import structlog
from structlog.typing import EventDict, WrappedLogger

from reconciler import __version__

P = ParamSpec("P")
R = TypeVar("R")

Format = Literal["auto", "console", "json"]
Level = Literal["debug", "info", "warning", "error"]
Logger = structlog.stdlib.BoundLogger

SERVICE: Final = "reconciler"
SCHEMA: Final = 1
"""Rises only when a field is removed or renamed; adding one is free."""


# ------------------------------------------------------------------------------------------------- the catalogue


class Event(NamedTuple):
    """One event: the level it is usually logged at, and what it means."""

    level: Literal["debug", "info", "warning", "error", "critical"]
    meaning: str


EVENTS: Final[Mapping[str, Event]] = {
    # process
    "daemon.starting": Event("info", "the daemon has begun: config, lock and account come next"),
    "daemon.ready": Event("info", "the config is good, the lock is held, the account is the right one"),
    "daemon.stopping": Event("info", "asked to stop: the call in flight may finish, no other is made"),
    "daemon.stopped": Event("info", "the last line of a daemon, with what remains to be done"),
    "unit.failed": Event("critical", "the process ends, or a thread of it has ended, by an error nobody caught"),
    "heartbeat": Event("info", "once a minute: alive, and how long ago the last pass succeeded"),
    "watchdog.withheld": Event("error", "no progress: systemd is not told that all is well, so that it restarts us"),
    "clock.jumped": Event("warning", "wall and monotonic clock disagree by more than 30 s: all timers are set anew"),
    # config
    "config.loaded": Event("info", "the config was read and checked"),
    "config.refused": Event("error", "the config is wrong; every problem has its place"),
    "config.not_in_force": Event("warning", "keys of the config that this version does not act on"),
    "config.changed_on_disk": Event("info", "the files differ from what was loaded"),
    "config.reload.started": Event("info", "a reload was asked for"),
    "config.reloaded": Event("info", "the new config is in use from the next pass on"),
    "config.reload.refused": Event("error", "the new config is wrong; the last good one stays in use"),
    # identity
    "identity.verified": Event("info", "STS says that we are in the account that the config names"),
    "identity.mismatch": Event("error", "STS says that we are in another account; nothing was done"),
    "credentials.refreshed": Event("info", "new credentials; who we are is asked again"),
    "credentials.expiring": Event("warning", "the credentials end soon and could not be renewed yet"),
    "credentials.failed": Event("error", "credentials are missing or refused"),
    "endpoint.overridden": Event("warning", "calls go to another endpoint than AWS's own"),
    # lock
    "lock.acquired": Event("info", "this process holds the stack"),
    "lock.busy": Event("warning", "another process holds the stack"),
    "lock.lost": Event("error", "the lock file was replaced or removed; nothing is written until it is held again"),
    # state directory
    "state.unwritable": Event("warning", "the state directory cannot be written; work goes on, without remembering"),
    # pass
    "pass.started": Event("debug", "a pass begins, and why"),
    "pass.finished": Event("info", "the one line of a settled pass: outcome, counts, calls, time, next look"),
    "pass.failed": Event("error", "a pass could not be done, and why; the next one comes"),
    "plan.computed": Event("debug", "how many addresses have which verdict"),
    "kind.unknown": Event("warning", "could not be read whole: nothing of it is created or deleted in this pass"),
    # address
    "drift.detected": Event("info", "a path differs from the config; once for each new drift"),
    "change.started": Event("info", "a call that changes something is about to be made"),
    "change.succeeded": Event("info", "AWS has accepted the change"),
    "change.failed": Event("error", "AWS has not accepted the change, or gave no answer"),
    "change.deferred": Event("info", "the change is put off, and why"),
    "address.blocked": Event("warning", "only a change of the config, or of the thing by hand, helps"),
    "wait.slow": Event("info", "still waiting for AWS; once in 30 s"),
    # ownership
    "resource.adopted": Event("info", "a thing of ours was found under an address that had none"),
    "resource.released": Event("info", "a thing is no longer ours; it stays as it is"),
    "resource.orphaned": Event("warning", "a thing of ours whose address is not in the config"),
    "resource.unowned": Event("warning", "a thing that would fit an address, without our tags; it is left alone"),
    "ownership.conflict": Event("error", "two things claim one address, or one thing has half of our tags"),
    # guards
    "guard.stopped": Event("error", "a limit was hit; nothing was done, and the line says how to agree"),
    "guard.agreed": Event("warning", "a person has agreed to a plan that a guard had stopped"),
    "window.opened": Event("info", "a maintenance window has begun"),
    "window.closed": Event("info", "a maintenance window has ended"),
    "pause.started": Event("warning", "nothing is changed from here on, and why"),
    "pause.ended": Event("info", "changes are made again"),
    # API, log
    "api.throttled": Event("warning", "AWS asked for fewer calls; a summary, at most once a minute"),
    "library.log": Event("warning", "a library's line: its text in `message`, its name in `logger`, at its own level"),
    "log.suppressed": Event("info", "how often a line was left out because it repeats"),
}  # fmt: skip
"""Every event there is.  A new one is added here first; under the tests an unknown name is an error."""


class UnknownEvent(ValueError):
    """An event that `EVENTS` does not have, or a field that the log itself sets.  Raised under the tests only."""


_strict = False


def be_strict(on: bool = True) -> None:
    """For tests: unknown events and fields that would be lost raise where they are logged."""
    global _strict
    _strict = on


# ---------------------------------------------------------------------------------------------------- for callers


def get_logger() -> Logger:
    """The logger of everyone.  Before `configure` it says nothing below a warning."""
    return cast(Logger, structlog.get_logger())


def bind_pass(*, pass_id: str, stack: str, trigger: str, **more: object) -> AbstractContextManager[None]:
    """`with bind_pass(…):` every line inside, libraries' lines too, says which pass it belongs to."""
    return structlog.contextvars.bound_contextvars(pass_id=pass_id, stack=stack, trigger=trigger, **more)


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

_HEAD: Final = ("ts", "level", "event", "schema", "service", "version", "instance", "pid")
_PASS: Final = ("pass_id", "trigger", "stack")
_TAIL: Final = "truncated"
_FOR_MACHINES: Final = ("schema", "service", "version", "instance", "pid", "pass_id", "stack")

LONGEST_STRING: Final = 4 * 1024
LONGEST_LINE: Final = 16 * 1024
"""In bytes.  journald cuts at 48 KiB, which would leave half a JSON object; many shippers cut earlier."""
_DEEPEST: Final = 12


def _known(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Refuses, under the tests, what is not in the catalogue."""
    if _strict:
        if event.get("event") not in EVENTS:
            raise UnknownEvent(
                f"no such event: {event.get('event')!r}; add it to EVENTS in reconciler/log.py"
            )
        taken = sorted({*_HEAD, _TAIL} & event.keys() - {"event"})
        if taken:
            raise UnknownEvent(f"{event['event']}: the log itself sets {', '.join(taken)}")
    return event


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


# --------------------------------------------------------------------------------------------- secrets and sizes

HIDDEN: Final = "(sensitive)"
SENSITIVE: Final = frozenset({
    "authorization", "awssecretaccesskey", "awssessiontoken", "customergatewayconfiguration",
    "latitude", "location", "longitude", "passphrase", "password", "presharedkey", "privatekey", "secret",
    "secretaccesskey", "secretkey", "securitytoken", "sessiontoken", "signature", "token", "userdata",
})  # fmt: skip
"""Names of fields whose values are never shown, without regard to case, `_` and `-`.

`Address` is sensitive as AWS spells it (a street); `address` is our own word (`site/one`) and is not.
"""


def is_sensitive(name: str) -> bool:
    """Whether a field of this name is blanked."""
    return name == "Address" or re.sub(r"[_-]", "", name).lower() in SENSITIVE


class _Cleaner:
    """Makes a value plain enough for JSON, blanks what is sensitive and shortens what is long."""

    def __init__(self) -> None:
        self.cut = False

    def fields(self, mapping: Iterable[tuple[object, object]], depth: int) -> dict[str, Any]:
        """A mapping; if it tells of a sensitive path, as a drift does, its values are blanked as well."""
        items = [(self.text(str(key)), value) for key, value in mapping]
        path = next((value for key, value in items if key == "path" and isinstance(value, str)), "")
        secret = any(map(is_sensitive, re.split(r"[.\[\]]+", path)))
        hidden = {"wanted", "seen"} if secret else set()
        return {
            key: HIDDEN if self._hides(key, value, hidden) else self.value(value, depth)
            for key, value in items
        }

    def _hides(self, key: str, value: object, hidden: set[str]) -> bool:
        return value is not None and (key in hidden or is_sensitive(key))

    def value(self, value: object, depth: int) -> Any:
        """Any value; what JSON has no form for is shown by its text."""
        match value:
            case None | bool() | int():
                return value
            case float():
                return value if math.isfinite(value) else str(value)
            case str():
                return self.text(value)
            case bytes() | bytearray() | memoryview():
                return f"({len(value)} bytes)"
            case _ if depth >= _DEEPEST:
                self.cut = True
                return "…"
            case Mapping():
                return self.fields(value.items(), depth + 1)
            case list() | tuple():
                return [self.value(item, depth + 1) for item in value]
            case set() | frozenset():
                return sorted((self.value(item, depth + 1) for item in value), key=str)
            case _ if dataclasses.is_dataclass(value) and type(value).__str__ is object.__str__:
                return self.fields(_dataclass_items(value), depth + 1)
            case _:
                return self.text(str(value))

    def text(self, text: str) -> str:
        """A string, no longer than allowed and without half characters, which no encoder takes."""
        encoded = text.encode("utf-8", "backslashreplace")
        if len(encoded) <= LONGEST_STRING:
            return encoded.decode()
        self.cut = True
        return encoded[: LONGEST_STRING - len("…".encode())].decode("utf-8", "ignore") + "…"


def _dataclass_items(value: Any) -> Iterator[tuple[str, object]]:
    return ((field.name, getattr(value, field.name)) for field in dataclasses.fields(value))


def _cleaned(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    cleaner = _Cleaner()
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
    """On a terminal the time of day is enough, and everybody knows what they have started there."""
    event["ts"] = event["ts"][11:19] + "Z"
    return {key: value for key, value in event.items() if key not in _FOR_MACHINES}


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
