"""The audit log: every call that changes something, on the disk before it is sent and again when it is answered.

Written by `changing`, read by `reconciler history`; audit.jsonl in the state directory, with its predecessors
audit-000001.jsonl and so on, so that `cat audit*.jsonl` gives all lines in order.  Losing it changes no plan.

A line is a JSON object with `v` (1), `at` (UTC) and `what`: "begun", or "answered", which has the members of the begun
line once more and the answer's.  `change_id` and `call` join the two.  Values of parameters are never in it, digests
are: `before` of the thing as it was seen, null for one that was not there; `after` of the call's parameters.
"""

from __future__ import annotations

import dataclasses
import os
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import MISSING, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Final, Literal, TypeVar, get_args

from reconciler.aws.journal import Journal, end_line, entries
from reconciler.errors import AwsError, Lost, ReconcilerError
from reconciler.model.address import REPLACED
from reconciler.whole import sync_names

VERSION: Final = 1
"""Of the lines; rises only when a member is removed or changes its meaning."""
LARGEST: Final = 10 * 1024 * 1024
"""Bytes; a file that has as many is full."""
KEPT: Final = 5
"""How many full files stay."""
_OLD: Final = re.compile(r"audit-([0-9]{6,})\.jsonl")

R = TypeVar("R", "Sending", "Answer")

Ending = Literal["done", "refused", "no answer", "not sent"]
"""What became of a call.  "no answer": it may have happened; "not sent": something before it failed."""


@dataclass(frozen=True, kw_only=True)
class Sending:
    """A call that changes something, as it goes out.

    `call` counts the calls of the change from 1; `step` says which of the `steps` of the plan it makes, for a step may
    need several calls.  `id` and `arn` are "" while the thing has none.  `paths` are what differed.  `by` is the person
    who agreed, where one had to.
    """

    change_id: str
    call: int
    step: int = 1
    steps: int = 1
    pass_id: str = ""
    trigger: str = ""
    stack: str = ""
    address: str = ""
    kind: str = ""
    id: str = ""
    arn: str = ""
    region: str = ""
    account: str = ""
    verb: str = ""
    api: str = ""
    reason: str = ""
    before: str | None = None
    after: str = ""
    config_hash: str = ""
    by: str | None = None
    paths: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came back.  `aws_error_code`, `aws_request_id` and `http_status` are AWS's: "" and 0 for none."""

    outcome: Ending
    aws_error_code: str = ""
    aws_request_id: str = ""
    http_status: int = 0
    retry_attempts: int = 0

    @classmethod
    def good(cls, answer: Mapping[str, Any]) -> Answer:
        """Of a call that succeeded."""
        about = answer.get("ResponseMetadata", {})
        return cls(
            outcome="done",
            aws_request_id=str(about.get("RequestId", "")),
            http_status=int(about.get("HTTPStatusCode", 0)),
            retry_attempts=int(about.get("RetryAttempts", 0)),
        )

    @classmethod
    def bad(cls, error: AwsError, api: str) -> Answer:
        """Of a call to `api` that did not succeed; the error may be one of a read that it needed first."""
        sent = error.call == api and (error.http_status > 0 or isinstance(error, Lost))
        return cls(
            outcome=("no answer" if isinstance(error, Lost) else "refused") if sent else "not sent",
            aws_error_code=error.code,
            aws_request_id=error.request_id,
            http_status=error.http_status,
            retry_attempts=error.retry_attempts,
        )


class Audit:
    """The audit log of one stack.  Safe to use from several threads of one process, which holds the stack.

    `clock` is in seconds since the epoch.  A directory that cannot be written is said in the log, and work goes on.
    """

    def __init__(
        self, directory: Path, clock: Callable[[], float], *, largest: int = LARGEST, kept: int = KEPT
    ) -> None:
        self._clock, self._largest, self._kept = clock, largest, kept
        self._journal = Journal(directory / "audit.jsonl", without="an audit log")
        self._lock = threading.Lock()

    def begun(self, *sendings: Sending) -> None:
        """A call is about to be sent, which may be one of several changes."""
        self._add(*({"what": "begun", **dataclasses.asdict(sending)} for sending in sendings))

    def answered(self, sending: Sending, answer: Answer) -> None:
        """It was answered, or it is known that it was not."""
        self.all_answered([sending], answer)

    def all_answered(self, sendings: Iterable[Sending], answer: Answer) -> None:
        """The same of a call that was one of several changes."""
        told = dataclasses.asdict(answer)
        self._add(*({"what": "answered", **dataclasses.asdict(sending), **told} for sending in sendings))

    def _add(self, *lines: Mapping[str, Any]) -> None:
        with self._lock:
            at = datetime.fromtimestamp(self._clock(), UTC).isoformat(timespec="milliseconds")
            self._make_room()
            head = {"v": VERSION, "at": at.replace("+00:00", "Z")}
            self._journal.append(*({**head, **line} for line in lines))

    def _make_room(self) -> None:
        """Let a full file go its way.  It is renamed once and never again, so that a kill between two steps leaves at
        most one file too many, which the next time removes."""
        path = self._journal.path
        try:
            if path.stat().st_size < self._largest:
                return
            end_line(path)
            number = max(_full(path.parent), default=0) + 1
            path.rename(path.with_name(f"audit-{number:06}.jsonl"))
            sync_names(path.parent)
            full = _full(path.parent)
            for number in sorted(full)[: -self._kept]:
                full[number].unlink()
        except OSError:
            return  # a file that grows on is better than a line that is not written


# ---- reading


@dataclass(frozen=True, kw_only=True)
class Made:
    """A call on record: when it was begun and answered (UTC, as in the file), "" where there is no such line."""

    sending: Sending
    begun: str = ""
    answered: str = ""
    answer: Answer | None = None


@dataclass(frozen=True)
class Changed:
    """A change on record: its calls, in order, at least one."""

    calls: tuple[Made, ...]

    @property
    def last(self) -> Made:
        """The call that it has ended with, or that it is at."""
        return self.calls[-1]

    @property
    def at(self) -> str:
        """When it was begun, as far as is known."""
        return self.calls[0].begun or self.calls[0].answered

    @property
    def about(self) -> Sending:
        """What it is about, with the id that it has by now."""
        return self.last.sending

    def concerns(self, address: str) -> bool:
        """Whether it is of the thing that has an address, or of one that makes way for it."""
        return self.about.address in {address, f"{address}{REPLACED}"}

    @property
    def outcome(self) -> str:
        """The last call's, with two more words: "no answer on record", "partial" when steps have not been made."""
        answer = self.last.answer
        if answer is None:
            return NO_RECORD
        return (
            "partial" if answer.outcome == "done" and self.about.step < self.about.steps else answer.outcome
        )


NO_RECORD: Final = "no answer on record"


def changes(directory: Path) -> list[Changed]:
    """All changes on record, the one that was begun last at the end; none where there is no file.

    Lines that are cut or not ours are passed over.  ReconcilerError when the files cannot be read.
    """
    found: dict[str, dict[int, Made]] = {}
    try:
        for line in _lines(directory):
            made = _made(line)
            if made is not None:
                calls = found.setdefault(made.sending.change_id, {})
                calls[made.sending.call] = _joined(calls.get(made.sending.call), made)
    except OSError as error:
        raise ReconcilerError(
            f"{error.filename or directory}: the audit log cannot be read: {error.strerror}; "
            "read it as the user that the service has, or as root"
        ) from error
    return [Changed(tuple(calls[number] for number in sorted(calls))) for calls in found.values()]


def _lines(directory: Path) -> Iterator[dict[str, Any]]:
    """The lines of all files.  The newest is opened before the others are looked up, so that none is missed when it
    becomes full meanwhile."""
    with ExitStack() as stack:
        newest: list[IO[bytes]] = []
        with suppress(FileNotFoundError):
            newest.append(stack.enter_context((directory / "audit.jsonl").open("rb")))
        full: list[IO[bytes]] = []
        for _, path in sorted(_full(directory).items()):
            with suppress(FileNotFoundError):  # it was the oldest, and has just been removed
                full.append(stack.enter_context(path.open("rb")))
        seen = [os.fstat(file.fileno()) for file in full]
        for file in newest:
            if not any(os.path.samestat(os.fstat(file.fileno()), other) for other in seen):
                full.append(file)
        for file in full:
            yield from entries(file)


def _full(directory: Path) -> dict[int, Path]:
    """The full files by number."""
    try:
        names = os.listdir(directory)
    except FileNotFoundError:
        return {}
    matches = (_OLD.fullmatch(name) for name in names)
    return {int(match[1]): directory / match[0] for match in matches if match}


def _made(line: Mapping[str, Any]) -> Made | None:
    """What a line says; None for one that is not ours."""
    at, what = line.get("at"), line.get("what")
    sending = _read(Sending, line)
    if line.get("v") != VERSION or not isinstance(at, str) or sending is None:
        return None
    if what == "begun":
        return Made(sending=sending, begun=at)
    answer = _read(Answer, line)
    if what != "answered" or answer is None or answer.outcome not in get_args(Ending):
        return None
    return Made(sending=sending, answered=at, answer=answer)


def _joined(before: Made | None, now: Made) -> Made:
    if before is None:
        return now
    answered = now if now.answer else before
    return replace(answered, begun=before.begun or now.begun)


def _read(record: type[R], line: Mapping[str, Any]) -> R | None:
    """The members of a record out of a line; None when one has a value of another sort."""
    found: dict[str, Any] = {}
    for one in dataclasses.fields(record):
        value = line.get(one.name, one.default)
        if value is MISSING or type(value) not in _SORTS[str(one.type)]:
            return None
        found[one.name] = tuple(map(str, value)) if isinstance(value, list) else value
    return record(**found)


_SORTS: Final[Mapping[str, tuple[type, ...]]] = {
    "str": (str,),
    "str | None": (str, type(None)),
    "Ending": (str,),
    "int": (int,),
    "tuple[str, ...]": (list, tuple),
}
"""What JSON has for the annotations of the records."""
