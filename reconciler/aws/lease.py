"""One host at a time for each stack, by a record in DynamoDB that its holder renews.  Made by who runs passes.

    lease = Lease(Table(sessions, name=…, region=…, stack=…), Holder.here(uuid4().hex))
    gateway.before_write.append(lambda call: lease.check())
    lease.take(wait=0)            # BusyError: who holds it, since when
    with lease.kept():            # renews in the background, gives it back at the end
        …                         # any call that would change something raises LeaseLost once it is not ours

The times are those of Kubernetes' leader election (https://pkg.go.dev/k8s.io/client-go/tools/leaderelection): a record
that stands unchanged for 15 s may be taken; its holder has stopped writing 10 s after the last renewal that it knows to
have succeeded, counted from before that was asked for, so that 5 s are left for a request on its way.  Like there, and
like in the lock client of DynamoDB, nobody looks at another host's clock: who wants the lease measures by its own
monotonic clock how long the record has stood.

AWS does not look at the fence (the number that rises with each holder), so this is as good as clocks that run alike and
requests that arrive within those 5 s; the owner tags and tokens are what else keeps two hosts from harm.
"""

from __future__ import annotations

import math
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace

from reconciler.aws.lease_table import Record, Table
from reconciler.aws.session import QUICK_SECONDS
from reconciler.errors import AwsError, BusyError, LeaseLost, Lost, ReconcilerError, Throttled
from reconciler.log import get_logger
from reconciler.moments import text

TELL_SECONDS = 30.0
"""How often it is said that DynamoDB cannot be reached."""


@dataclass(frozen=True, kw_only=True)
class Times:
    """In seconds: how long a record must stand before others may take it, when its holder gives up without a renewal,
    how often it is renewed, and how soon tried again."""

    lease: float = 15.0
    give_up: float = 10.0
    renew: float = 5.0
    retry: float = 2.0


@dataclass(frozen=True)
class Holder:
    """A process.  `id` is its alone, also among those that had its number before it."""

    id: str
    host: str
    pid: int

    @classmethod
    def here(cls, id: str) -> Holder:
        """This process."""
        return cls(id, socket.gethostname(), os.getpid())


def uptime() -> float:
    """Seconds since the host has started; unlike `time.monotonic` it goes on while a host sleeps, where that can be."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class Tenure:
    """What one process knows of a lease, and what follows from it.  `now` is always on one monotonic scale."""

    def __init__(self, me: Holder, times: Times) -> None:
        self._me, self._times = me, times
        self._held: tuple[Record, float] | None = None
        self._why, self._asked = "was never taken", -math.inf
        self._seen: Record | None = None
        self._seen_at = 0.0
        self._beat = 0

    @property
    def mine(self) -> Record | None:
        """The record by which it is ours, as far as we know."""
        held = self._held
        return held[0] if held else None

    @property
    def seen(self) -> Record | None:
        """The record of another that was seen last."""
        return self._seen

    def bid(self, found: Record | None, now: float, since: str) -> Record | None:
        """The record to write over `found`, which was there just now; None while somebody else may be at work.

        One of ours is there when the answer to a write was lost.  It gets a new fence too, so that whatever else of
        the old tenure is still on its way fails.
        """
        if found is not None and found.holder not in ("", self._me.id):
            if found != self._seen:
                self._seen, self._seen_at = found, now
            if now - self._seen_at < found.seconds:
                return None
        return Record(
            holder=self._me.id,
            host=self._me.host,
            pid=self._me.pid,
            since=since,
            fence=found.fence + 1 if found else 1,
            beat=self._next(),
            seconds=self._times.lease,
        )

    def renewal(self, now: float) -> Record | None:
        """The record that renews ours; None when there is nothing to renew."""
        self._asked = now
        mine = self.mine
        return replace(mine, beat=self._next()) if mine else None

    def _next(self) -> int:
        """A beat that was never written before.  One without an answer may stand there, and others have seen it: were
        it written again, they would not notice that we go on."""
        self._beat += 1
        return self._beat

    def holds(self, record: Record, asked: float) -> None:
        """A record of ours stands; `asked` is a moment before that was asked for, so that nobody has seen it sooner."""
        self._held, self._why = (record, asked), ""

    def failed(self, why: str) -> None:
        """A renewal has come to nothing; there may be time for another."""
        self._why = why

    def lost(self, why: str) -> None:
        """It is not ours any more."""
        self._why = why  # first: `problem` may look at any moment
        self._held = None

    def problem(self, now: float) -> str | None:
        """Why it is not provably ours; None while it is."""
        held = self._held
        if held is None:
            return self._why or "is not ours"
        age = now - held[1]
        if age < self._times.give_up:
            return None
        return f"has not been renewed for {age:.0f} s" + (f" ({self._why})" if self._why else "")

    def due(self, now: float) -> float:
        """Seconds until it should be renewed, or looked at again."""
        held = self._held
        if held is None:
            return self._times.retry
        at = self._asked + self._times.retry if self._why else held[1] + self._times.renew
        return max(0.0, at - now)


class Lease:
    """The lease of one stack for this process.

    `clock` is monotonic, in seconds, and does not stand still while the host sleeps; `wall` is the time of day, shown
    to people.  Any thread may use it; `check` and `problem` never wait.
    """

    def __init__(
        self,
        table: Table,
        me: Holder,
        *,
        times: Times = Times(),
        clock: Callable[[], float] = uptime,
        wall: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._table, self._times, self._clock, self._wall, self._sleep = table, times, clock, wall, sleep
        self._tenure = Tenure(me, times)
        self._asking = threading.Lock()
        self.unreachable = ""
        """Why nobody can say whose it is, while that is tried to find out; "" when it is known."""

    # ---- while passes run

    def check(self) -> None:
        """LeaseLost unless the lease is provably ours at this moment.  To be asked before each changing call."""
        if why := self.problem():
            raise LeaseLost(
                f"the lease of {self._table.stack} in the table {self._table.name} {why}: "
                "nothing is changed until it is held again"
            )

    def problem(self) -> str | None:
        """Why the lease is not provably ours, as the end of a sentence about it; None while it is."""
        return self._tenure.problem(self._clock())

    @property
    def holder(self) -> str:
        """Who holds it as far as is known, for people; "" when nobody is known to."""
        found = self._tenure.mine or self._tenure.seen
        return str(found) if found else ""

    @property
    def fence(self) -> int:
        """The number of our tenure, which rises with every change of holder; 0 while the lease is not ours."""
        mine = self._tenure.mine
        return mine.fence if mine else 0

    # ---- taking it

    def attempt(self) -> Record | None:
        """Try once to take it; None when it is ours now, else who holds it.

        A holder that is dead is found out by attempts over 15 s.  AwsError when DynamoDB cannot say.
        """
        with self._asking:
            if self.problem() is None:
                return None
            while True:
                found = self._table.read()
                since = text(self._wall())
                asked = self._clock()
                wanted = self._tenure.bid(found, asked, since)
                if wanted is None:
                    return found
                if self._table.write(wanted, over=found):
                    break  # else somebody was faster, which the next look shows
            self._tenure.holds(wanted, asked)
        get_logger().info("lock.acquired", table=self._table.name, fence=wanted.fence)
        return None

    def take(self, wait: float, stopped: Callable[[], bool] = lambda: False) -> None:
        """Take it, or wait until it can be taken; BusyError names the holder when it lives on after `wait` seconds.

        Where the holder does not renew, the end of its lease is waited for in any case.  AwsError when DynamoDB
        refuses, or cannot be reached for `wait` seconds.
        """
        try:
            self._take(wait, stopped)
        finally:
            self.unreachable = ""

    def _take(self, wait: float, stopped: Callable[[], bool]) -> None:
        end, first, tell_at = self._clock() + wait, None, -math.inf
        while True:
            try:
                found = self.attempt()
            except (Lost, Throttled) as error:
                self.unreachable = f"the lease cannot be asked for: {error}"
                if self._clock() >= end or stopped():
                    raise
                if self._clock() >= tell_at:
                    get_logger().info("wait.slow", reason=self.unreachable)
                    tell_at = self._clock() + TELL_SECONDS
            else:
                self.unreachable = ""
                if found is None:
                    return
                held = f"{self._table.stack} is held by {found}, by the lease in the table {self._table.name}"
                if stopped():
                    raise BusyError(f"{held}; stopped while waiting for it")
                if first is None:
                    first, wait_s = found, wait if math.isfinite(wait) else None
                    get_logger().warning("lock.busy", reason=held, wait_s=wait_s, table=self._table.name)
                elif found != first and self._clock() >= end:
                    raise BusyError(f"{held}; try later, or say --lock-wait")
            self._sleep(self._times.retry)

    # ---- keeping it

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Renew it in a thread of its own while the context lasts, and give it back at the end."""
        over = threading.Event()
        thread = threading.Thread(target=self._keep, args=(over,), name="lease", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join(QUICK_SECONDS)  # when DynamoDB does not answer, the lease ends by itself

    def _keep(self, over: threading.Event) -> None:
        while not over.wait(self._tenure.due(self._clock())):
            try:
                self.renew()
            except (
                Exception
            ) as error:  # a mistake of ours: without this thread it would be lost in every pass
                self._tenure.failed(f"a defect: {error!r}")
                get_logger().critical("unit.failed", error=str(error), exc_info=True)
        self.release()

    def renew(self) -> None:
        """Renew it, if it is ours.  Raises nothing that AWS can cause; `problem` tells what has come of it."""
        with self._asking:
            asked = self._clock()
            mine, wanted = self._tenure.mine, self._tenure.renewal(asked)
            if mine is None or wanted is None:
                return
            try:
                if self._table.write(wanted, over=mine, renewed=True):
                    self._tenure.holds(wanted, asked)
                    return
            except ReconcilerError as error:
                self._tenure.failed(str(error))
                return
            self._tenure.lost("is not ours any more")  # at once; who has it is asked next
            with suppress(AwsError):
                found = self._table.read()
                self._tenure.lost(f"was taken over by {found}" if found else "was deleted by somebody")

    def release(self) -> None:
        """Give it back, so that the next one need not wait.  Where that fails it ends by itself."""
        with self._asking:
            mine, wanted = self._tenure.mine, self._tenure.renewal(self._clock())
            self._tenure.lost("was given back")
            if mine is not None and wanted is not None:
                with suppress(AwsError):
                    self._table.write(replace(wanted, holder=""), over=mine, renewed=True)
