"""Questions to AWS that change nothing, many at once and none for long, and whose credentials ask them.

Used by the verb `doctor`.  What the answers mean is decided in `doctor.aws_findings`.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any, TypeVar

from botocore import xform_name
from botocore.exceptions import ClientError

from reconciler.aws.codes import SDK_ERRORS, meaning
from reconciler.aws.limits import READS
from reconciler.aws.session import Sessions
from reconciler.errors import Lost, ReconcilerError
from reconciler.model.calls import Call

T = TypeVar("T")

SIDE_BY_SIDE = 16
"""Threads that ask."""
SECONDS = 10.0
"""How long all questions of a batch may take together."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What became of one question.

    `endpoint` is the URL that was asked, "" when it did not get so far.  `server` is the header of that name.
    `skew` is how many seconds this host's clock is ahead of the answer's Date, None when there was none.
    """

    call: Call
    endpoint: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    error: ReconcilerError | None = None
    server: str = ""
    skew: float | None = None

    @property
    def code(self) -> str:
        """The error's code, "" for an answer."""
        return str(getattr(self.error, "code", ""))


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """Where the credentials for an account come from, never what they are.

    `method` is botocore's word (`env`, `iam-role`, `sso`, `assume-role`, …), "" when there are none.  `lasting` ones
    have no session token.  `expires` is when they end, in seconds since the epoch; None when that is not told.
    """

    account: str
    method: str = ""
    lasting: bool = False
    expires: float | None = None
    error: ReconcilerError | None = None


def ask(
    sessions: Sessions, calls: Sequence[Call], *, now: Callable[[], float], seconds: float = SECONDS
) -> tuple[Answer, ...]:
    """The answers, in order.  `now` is the wall clock, in seconds since the epoch.

    ValueError for a call that could change something: it is neither a read nor a dry run.
    """
    for call in calls:
        if not call.operation.startswith(READS) and call.parameters.get("DryRun") is not True:
            raise ValueError(f"{call} would change something")

    found = together([partial(_ask, sessions, call, now) for call in calls], seconds)
    return tuple(
        Answer(call=call, error=_late(str(call), seconds)) if one is None else one
        for call, one in zip(calls, found, strict=True)
    )


def _late(what: str, seconds: float) -> Lost:
    return Lost(f"{what}: no answer in {seconds:g} s", code="Timeout", call=what)


def _ask(sessions: Sessions, call: Call, now: Callable[[], float]) -> Answer:
    endpoint, before = "", now()
    try:
        client = sessions.client(call.account, call.service, call.region, retries=False)
        endpoint = str(client.meta.endpoint_url)
        before = now()
        data = getattr(client, xform_name(call.operation))(**call.parameters)
    except ReconcilerError as error:
        return Answer(call=call, endpoint=endpoint, error=error)
    except SDK_ERRORS as error:
        headers = _headers(error.response) if isinstance(error, ClientError) else {}
        told = meaning(error, call=str(call))
        return Answer(call=call, endpoint=endpoint, error=told, **_said(headers, (before + now()) / 2))
    return Answer(call=call, endpoint=endpoint, data=data, **_said(_headers(data), (before + now()) / 2))


def _headers(answer: Any) -> Mapping[str, str]:
    found: Mapping[str, str] = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    return {name.lower(): value for name, value in found.items()}


def _said(headers: Mapping[str, str], at: float) -> dict[str, Any]:
    """What the headers tell: who has answered, and how far apart our clocks are."""
    try:
        skew = at - parsedate_to_datetime(headers["date"]).timestamp()
    except (KeyError, ValueError, OverflowError):
        skew = None
    return {"server": headers.get("server", ""), "skew": skew}


def credentials(
    sessions: Sessions, accounts: Sequence[str], *, seconds: float = SECONDS
) -> tuple[Credentials, ...]:
    """The credentials for each account, in order.  Those of a role are asked of STS."""
    found = together([partial(_credentials, sessions, account) for account in accounts], seconds)
    return tuple(
        Credentials(account=account, error=_late("the credentials", seconds)) if one is None else one
        for account, one in zip(accounts, found, strict=True)
    )


def _credentials(sessions: Sessions, account: str) -> Credentials:
    try:
        found: Any = sessions._session(account).get_credentials()
        if found is None:
            return Credentials(account=account)
        frozen = found.get_frozen_credentials()
    except ReconcilerError as error:
        return Credentials(account=account, error=error)
    except SDK_ERRORS as error:
        call = f"sts:{getattr(error, 'operation_name', 'AssumeRole')}"
        return Credentials(account=account, error=meaning(error, call=call))
    expires = getattr(found, "_expiry_time", None)  # botocore has no public way to ask
    return Credentials(
        account=account,
        method=str(found.method),
        lasting=not frozen.token,
        expires=expires.timestamp() if expires is not None else None,
    )


def together(tasks: Sequence[Callable[[], T]], seconds: float) -> list[T | None]:
    """What each task gives, None for one that is not done in time.

    Its threads are not waited for at the end of the process, as those of a pool would be.
    """
    end = time.monotonic() + seconds
    left, done = queue.SimpleQueue[int](), queue.SimpleQueue[tuple[int, T | BaseException]]()
    for number in range(len(tasks)):
        left.put(number)

    def work() -> None:
        while time.monotonic() < end:
            try:
                number = left.get_nowait()
            except queue.Empty:
                return
            try:
                done.put((number, tasks[number]()))
            except BaseException as error:  # raised again where somebody waits for it
                done.put((number, error))

    for number in range(min(SIDE_BY_SIDE, len(tasks))):
        threading.Thread(target=work, daemon=True, name=f"asker-{number}").start()
    found: list[T | None] = [None] * len(tasks)
    for _ in tasks:
        try:
            number, one = done.get(timeout=max(0.0, end - time.monotonic()))
        except queue.Empty:
            break
        if isinstance(one, BaseException):
            raise one
        found[number] = one
    return found
