"""What goes over the wire: hooks that hang on every client.  Made by `session`; `gateway` says through it what it asks.

It knows what is in flight, counts what AWS throttles, names the pass in each request, asks before each attempt that
changes something, and sends no attempt after the first once the program is stopping.
"""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from reconciler.aws.codes import RETRIES, Stopped, is_throttled
from reconciler.aws.limits import READS, Limits
from reconciler.aws.patience import Place
from reconciler.log import get_logger

TELL_SECONDS = 60.0
"""The least time between two summaries of what was throttled."""
PIECE = 10.0
"""Seconds of a wait after which there is a sign of life."""
NO_TOKEN = re.compile(r"[^\w.+-]", re.ASCII)
"""What a product of a User-Agent is not made of here."""
STATUS = "reconciler_status"


@dataclass(frozen=True, kw_only=True)
class InFlight:
    """A request that is being made now, with all of its attempts.

    `operation` is as `ec2:DeleteVpc`; `changes`: it changes something; `since` is on the monotonic clock, in seconds;
    `thread` is the name of the thread that waits for the answer.
    """

    operation: str
    changes: bool
    since: float
    thread: str


class Request:
    """One request as its maker sees it; `sent` once an attempt was about to go out."""

    def __init__(self, operation: str, allow: Callable[[], None] | None) -> None:
        self.operation, self.allow, self.sent = operation, allow, False


class _Here(threading.local):
    """The request that this thread is making."""

    request: Request | None = None


class Traffic:
    """All requests of a process.

    `stopping` says whether the program is to end, `pass_id` which pass the calling thread works for ("": none);
    `clock` is monotonic, in seconds.  `throttled` is how many answers were refusals for too many requests, those
    after which the SDK tried again included; `evidence` is when a request was last begun or answered.
    """

    def __init__(
        self, *, stopping: Callable[[], bool], pass_id: Callable[[], str], clock: Callable[[], float]
    ) -> None:
        self._stopping, self._pass_id, self._clock = stopping, pass_id, clock
        self._lock, self._here = threading.Lock(), _Here()
        self._flying: dict[int, InFlight] = {}
        self._untold: Counter[str] = Counter()
        self._tell_at = clock()
        self.throttled = 0
        self.evidence = clock()
        self.limits: Limits | None = None
        """What holds calls back before AWS refuses them; None: nothing does."""

    # ---- for those who make requests

    @contextmanager
    def making(
        self, operation: str, *, changes: bool = False, allow: Callable[[], None] | None = None
    ) -> Iterator[Request]:
        """Say that this thread makes a request; what is asked outside of it is not in flight, and no evidence.

        `allow` is called when an attempt is signed and about to be sent, and keeps it from being sent by raising.
        """
        request, before = Request(operation, allow), self._here.request
        shown = InFlight(
            operation=operation,
            changes=changes,
            since=self._clock(),
            thread=threading.current_thread().name,
        )
        with self._lock:
            self._flying[id(request)] = shown
        self._here.request = request
        try:
            yield request
        finally:
            self._here.request = before
            with self._lock:
                del self._flying[id(request)]

    def in_flight(self) -> tuple[InFlight, ...]:
        """The requests that are being made now, the oldest first.  Any thread may ask."""
        with self._lock:
            return tuple(sorted(self._flying.values(), key=lambda found: found.since))

    def hold_back(self, wait: Callable[[float, Callable[[], bool]], None]) -> None:
        """Keep to AWS's rates from now on; `wait` lets time pass until there is a reason to stop."""

        def rest(seconds: float) -> None:
            end = self._clock() + seconds
            while not self._stopping() and (left := end - self._clock()) > 0:
                wait(min(left, PIECE), self._stopping)
                self.evidence = self._clock()  # who waits for his turn does not hang

        self.limits = Limits(self._clock, rest)

    # ---- hooks

    def watch(self, client: Any, account: str) -> None:
        """Hang the hooks on a client of an account.

        The veto comes before a request is signed, since that may ask for credentials; the rest comes after it, since
        that may take its time, and since botocore writes the User-Agent last of all.
        """
        model, events = client.meta.service_model, client.meta.events
        service, here = model.service_name, self._here

        def place(context: Mapping[str, Any]) -> Place:
            return account, str(context.get("signing", {}).get("region") or client.meta.region_name)

        def veto(request: Any, operation_name: str, **_: Any) -> None:
            attempt = request.context.get("retries", {}).get("attempt", 1)
            if attempt > 1 and self._stopping():
                raise Stopped(status=request.context.get(STATUS, 0), attempts=attempt - 1)
            if self.limits and operation_name.startswith(READS):  # what changes something has waited before
                sent = request.data if isinstance(request.data, dict) else {}
                self.limits.take(place(request.context), service, operation_name, sent)

        def begun(request: Any, operation_name: str, **_: Any) -> None:
            if name := NO_TOKEN.sub(
                "-", self._pass_id()
            ):  # CloudTrail keeps it; it is not part of the signature
                agent = request.headers.get("User-Agent", "")
                del request.headers["User-Agent"]
                request.headers["User-Agent"] = f"{agent} pass/{name}"
            if here.request is None:
                return
            if here.request.operation == f"{service}:{operation_name}":  # and not what its credentials need
                if here.request.allow is not None:
                    here.request.allow()
                here.request.sent = True
            self.evidence = self._clock()

        def answered(
            response: Any,
            operation: Any,
            attempts: int,
            caught_exception: Any,
            request_dict: dict[str, Any],
            **_: Any,
        ) -> None:
            status = response[0].status_code if response is not None else 0
            request_dict["context"][STATUS] = status
            if caught_exception is not None:
                setattr(caught_exception, RETRIES, attempts - 1)
            if here.request is not None:
                self.evidence = self._clock()
            throttled = response is not None and is_throttled(response[1], status)
            if throttled and self.limits:
                self.limits.refused(place(request_dict["context"]), service, operation.name)
            self._count(f"{service}:{operation.name}", throttled)

        events.register_first(f"request-created.{model.service_id.hyphenize()}", veto)
        events.register_last("request-created", begun)
        events.register_first("needs-retry", answered)

    def _count(self, operation: str, throttled: bool) -> None:
        with self._lock:
            if throttled:
                self.throttled += 1
                self._untold[operation] += 1
            now = self._clock()
            if not self._untold or now < self._tell_at:
                return
            told, self._untold, self._tell_at = self._untold, Counter(), now + TELL_SECONDS
        get_logger().warning("api.throttled", count=told.total(), operations=dict(told))
