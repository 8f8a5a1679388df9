"""What goes out: the answer on stdout and nothing else there; what went wrong as a line of the log, or for eyes.

Made by `cli`, once for a run of a verb.
"""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from reconciler.errors import (
    BusyError,
    ConfigError,
    GuardError,
    IdentityError,
    LeaseLost,
    ReconcilerError,
    WrongAccount,
)
from reconciler.log import get_logger
from reconciler.model.place import Problem


class Voice:
    """Speaks for one run of a verb.

    `as_json`: the answer is asked for as JSON.  `log_format` is the option's; `environment` is asked for colours.
    """

    def __init__(self, *, as_json: bool, log_format: str, environment: Mapping[str, str]) -> None:
        open_streams()
        self.as_json, self._environment = as_json, environment
        self.logs_json = log_format == "json" or (log_format == "auto" and not sys.stderr.isatty())

    # ---- stdout

    def answer(self, data: Callable[[], Any], text: Callable[[], str]) -> None:
        """Give the answer in the form that was asked for."""
        self.write(as_text(data()) if self.as_json else text())

    def write(self, text: str) -> None:
        """Put a text on stdout, all of it.  A reader that has gone (`| head -1`) has what it wanted."""
        try:
            sys.stdout.write(text)
            sys.stdout.flush()
        except BrokenPipeError:
            _forget_stdout()
        except OSError as error:
            _forget_stdout()
            raise ReconcilerError(f"the answer could not be written: {error.strerror}") from error

    @property
    def colour(self) -> bool:
        """Whether the answer goes to a terminal that wants colours; NO_COLOR counts before FORCE_COLOR."""
        if self._environment.get("NO_COLOR"):
            return False
        if self._environment.get("FORCE_COLOR"):
            return True
        return sys.stdout.isatty() and self._environment.get("TERM") != "dumb"

    # ---- stderr

    def tell(self, event: str, sentence: str, **fields: Any) -> None:
        """Say why there is no good answer: an event where the log is for programs, a sentence where it is for eyes."""
        if self.logs_json:
            get_logger().error(event, reason=sentence, **fields)
        else:
            self.line(f"reconciler: {sentence}")

    def line(self, text: str, end: str = "\n") -> None:
        """A line for eyes.  That nobody can see it is no reason to stop."""
        with suppress(OSError):
            print(text, end=end, file=sys.stderr, flush=True)


def event_of(error: ReconcilerError) -> str:
    """The event of the log that an error is told as."""
    match error:
        case ConfigError():
            return "config.refused"
        case WrongAccount():
            return "identity.mismatch"
        case IdentityError():
            return "credentials.failed"
        case GuardError():
            return "guard.stopped"
        case LeaseLost():
            return "lock.lost"
        case BusyError():
            return "lock.busy"
    return "pass.failed"


def counted(problems: Sequence[Problem]) -> str:
    """How many problems there are."""
    count = len(problems)
    return f"{count} problem{'' if count == 1 else 's'}; nothing was asked of AWS"


def as_text(data: Any) -> str:
    """A JSON document; letters that the stream has no place for are escaped."""
    plain = (getattr(sys.stdout, "encoding", None) or "utf-8").lower().replace("-", "") != "utf8"
    return json.dumps(data, indent=2, ensure_ascii=plain) + "\n"


def open_streams() -> None:
    """Make both streams fit to be written: none may be closed, and no letter may be too foreign."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # the caller has closed it: `2>&-`
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115 - for as long as the process lives
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _forget_stdout() -> None:
    """What is still in its buffer, and what may follow, goes nowhere instead of failing again at exit."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
