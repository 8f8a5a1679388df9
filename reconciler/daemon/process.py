"""The main thread of the daemon: signals, the clock's ticks, systemd, and the end.  Made by the verb `run`."""

from __future__ import annotations

import math
import queue
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from reconciler import log
from reconciler.board import Board
from reconciler.daemon.clock import Clock
from reconciler.daemon.drain import called, drain
from reconciler.daemon.notify import Notifier
from reconciler.daemon.passes import Passes, told_of
from reconciler.daemon.reload import checked, connected, refused
from reconciler.daemon.tell import ended, sentence, shown, state_of
from reconciler.daemon.watch import Evidence, standstill
from reconciler.errors import AwsError, IdentityError, ReconcilerError
from reconciler.exits import FAILED, NOT_ALLOWED, OK
from reconciler.hold import Hold
from reconciler.log import get_logger
from reconciler.loop import Loop
from reconciler.model.config import Config, Cron
from reconciler.moments import text
from reconciler.say import event_of
from reconciler.signals import LOOK, RELOAD, STACKS, Inbox

DEFAULT_INTERVAL = 300.0
"""Seconds between two looks at a settled estate, when the config has no `every`."""
RESUMED = 30.0
"""Seconds after which a scheduler that gives no sign counts as dead: a host that was asleep wakes up with old signs."""
LONG = 1.0
"""Seconds after which a pass that is under way is told; most are over before anybody could have read of it."""
JUMP = 30.0
"""Seconds that the wall clock may move against the monotonic one before it counts as set."""


@dataclass(frozen=True, kw_only=True)
class Rhythm:
    """How often the main thread does what it does, in seconds."""

    heartbeat: float = 60.0
    tick: float = 2.0


class Daemon:
    """Looks at the regular times and whenever there is a reason to, until TERM or INT.

    `reload` reads and checks the config anew; `digest` is that of its files now, "" when they cannot be read;
    `environment` is the process's.
    """

    def __init__(
        self,
        loop: Loop,
        *,
        hold: Hold,
        board: Board,
        inbox: Inbox,
        reload: Callable[[], Config],
        digest: Callable[[], str],
        environment: Mapping[str, str],
        rhythm: Rhythm | None = None,
    ) -> None:
        self._loop, self._hold, self._board, self._inbox = loop, hold, board, inbox
        self._reload, self._digest = reload, digest
        self._rhythm = rhythm or Rhythm()
        self._config = loop.config
        self._notifier = Notifier(environment)
        self.passes = Passes(loop, self._may_look, lambda: inbox.put(self._tell))
        self.clock = Clock(self.passes.look, lambda: inbox.put(self._heartbeat), self._rhythm.heartbeat)
        self._status: int | None = None
        self._ready, self._verified, self._why_not = False, False, ""
        self._gave_up = ""
        self._seen_digest = loop.config.digest
        self._wall_ahead = time.time() - time.monotonic()
        self._still_since: float | None = None
        self._ending = False
        self._told = ("", "")
        self._started = loop.clock.now()
        loop.narrator.next_look = self._next_look

    @property
    def schedule(self) -> float | Cron:
        """When a settled estate is looked at."""
        return self._config.every or DEFAULT_INTERVAL

    @property
    def interval(self) -> float:
        """Seconds between two regular looks."""
        schedule = self.schedule
        return self.clock.period() if isinstance(schedule, Cron) else schedule

    # ---- the life of the process

    def run(self) -> int:
        """Work until told to stop; gives the exit status."""
        self._loop.stopped = lambda: self._ending or self._inbox.stopped_by is not None
        get_logger().info(
            "daemon.starting",
            schedule=shown(self.schedule),
            config_hash=self._config.digest[:8],
            resources=len(self._config.resources),
        )
        self._board.status.schedule = shown(self.schedule)
        self._loop.memory.begin()
        self.clock.start(self.schedule, self._config.stack)
        self._loop.backoff.interval = self._board.status.interval = self.interval
        self.passes.start()
        try:
            while self._status is None:
                self._hear()
                self._tick()
        except Exception as error:  # a mistake of ours must not end it in the middle of a call
            get_logger().critical("unit.failed", error=str(error), exc_info=True)
            self._give_up(FAILED, f"a defect: {error!r}")
        return self._end(self._status or OK)

    def _hear(self) -> None:
        """The next message, a signal or something to do in this thread; none for the length of a tick is fine too."""
        watchdog = self._notifier.watchdog
        tick = min(self._rhythm.tick, watchdog / 3) if watchdog else self._rhythm.tick
        try:
            message = self._inbox.messages.get(timeout=tick)
        except queue.Empty:
            return
        try:
            self._see_to(message)
        except Exception as error:  # a mistake of ours here is no reason to stop looking after the estate
            get_logger().critical("unit.failed", error=str(error), exc_info=True)

    def _see_to(self, message: int | Callable[[], None]) -> None:
        if callable(message):
            message()
        elif message == RELOAD:
            self._take_config()
        elif message == LOOK:
            self.passes.look("signal")
        elif message == STACKS:
            self._tell_what_waits()
        else:
            self._status = OK if self._status is None else self._status

    def _may_look(self) -> bool:
        """In the thread of the passes, before each: whether we are who we should be, and the stack is ours.

        Where another host has it, this one stands by until that one ends.
        """
        if not self._verified and not self._verify():
            return False
        try:
            self._hold.take(math.inf, self._loop.stopped)
            self._why_not = ""
            return True
        except ReconcilerError as error:
            if not self._loop.stopped():
                get_logger().error(event_of(error), reason=str(error))
                self._why_not = str(error)
            return False

    def _verify(self) -> bool:
        """Who we are is settled before anything else.

        That nobody can say who we are, as when the network is not up yet, is no reason to give up: the service is
        ready, and degraded.  Being somebody else is.
        """
        try:
            self._loop.gateway.sessions.verify()
        except IdentityError as error:
            event, why = event_of(error), str(error)
            get_logger().error(event, reason=why)
            self._inbox.put(lambda: self._give_up(NOT_ALLOWED, why))
            return False
        except AwsError as error:
            get_logger().error("pass.failed", **told_of(error))
            self._why_not = str(error)
            self._inbox.put(self._get_ready)
            return False
        self._why_not, self._verified = "", True
        self._inbox.put(self._get_ready)
        return True

    def _get_ready(self) -> None:
        if not self._ready:
            self._ready = True
            more = {"reason": self._why_not} if self._why_not else {}
            get_logger().info("daemon.ready", state=self.state, **more)
            self._notifier.ready(self._sentence(self.state))
        self._tell()

    def _give_up(self, status: int, why: str) -> None:
        self._status, self._gave_up = status, why
        self._notifier.failed(why)

    # ---- what comes in

    def _take_config(self) -> None:
        """A reload: checked as a whole; a config that is not good changes nothing."""
        if self._ready:  # else systemd would take the end of the reload for that of the start
            self._notifier.reloading(time.monotonic())
        try:
            self._check_config()
        finally:
            if self._ready:
                self._notifier.ready(self._sentence(self.state))
            self._tell()

    def _check_config(self) -> None:
        get_logger().info("config.reload.started")
        try:
            config = checked(self._reload, self._config)
            gateway = connected(self._loop.connect, self._config, config)  # while it can still be refused
        except ReconcilerError as error:
            self._board.refused(refused(error, self._config), self._loop.clock.now())
        else:
            get_logger().info(
                "config.reloaded",
                files=list(config.files),
                resources=len(config.resources),
                config_hash=config.digest[:8],
            )
            log.forget()  # whoever has changed the config wants to see what is still wrong
            before, self._config = self.schedule, config
            self._seen_digest = config.digest
            if self.schedule != before:
                self.clock.again(self.schedule, config.stack)
            self._board.status.schedule = shown(self.schedule)
            self._loop.backoff.interval = self._board.status.interval = self.interval
            self._board.took(self._path, config, self._loop.clock.now())
            self.passes.take(config, gateway)

    @property
    def _path(self) -> str:
        return str(self._board.status.config.get("path", ""))

    def _tell_what_waits(self) -> None:
        """The stacks are on stderr already, in faulthandler's words; this is what they wait for."""
        get_logger().warning(
            "daemon.stacks",
            in_flight=[called(request) for request in self._loop.gateway.in_flight()],
            state=self.state,
            next_pass_in_s=self._next_look(),
        )

    # ---- each tick

    def _tick(self) -> None:
        now = time.monotonic()
        self._notice_jump(now)
        evidence = Evidence(
            stamped=self.clock.stamped,
            passes_alive=self.passes.thread.is_alive(),
            busy_since=None if self._hold.waiting else self.passes.busy_since,  # standing by is no hanging
            request_at=self._loop.gateway.evidence,
        )
        still = standstill(evidence, now)
        if still is None:
            self._still_since = None
            self._notifier.alive()
        elif self._still_since is None:
            self._still_since = now
            get_logger().error("watchdog.withheld", reason=still.why)
        if self._news(self.state) != self._told:
            self._tell()
        if still is None or self._notifier.watchdog is not None or self._status is not None:
            return
        patience = RESUMED if evidence.passes_alive else 0.0
        if still.dead and now - (self._still_since or now) >= patience:
            get_logger().critical("unit.failed", error=still.why)  # systemd starts it again
            self._give_up(FAILED, still.why)

    def _notice_jump(self, now: float) -> None:
        """APScheduler's timers follow the wall clock: set back by an hour, it would sleep for an hour."""
        ahead = time.time() - now
        jump = ahead - self._wall_ahead
        if abs(jump) > JUMP:
            get_logger().warning("clock.jumped", jump_s=round(jump, 1))
            self.clock.again(self.schedule, self._config.stack)
            self._wall_ahead = ahead

    def _heartbeat(self) -> None:
        """Once a minute: alive, and how it stands."""
        found, now = self._board.status, self._loop.clock.now()
        paused = next((pause for pause in self._loop.pauses() if not pause.address), None)
        until = text(paused.until) if paused and paused.until is not None else ""
        more = {"reason": paused.sentence, "until": until} if paused else {}
        stale = found.config.get("stale")
        get_logger().info(
            "heartbeat",
            state=self.state,
            interval_s=self.interval,
            last_success_age_s=round(now - (found.last_success or self._started)),
            config_stale_s=round(now - stale) if stale else 0,
            failing=len(self._loop.backoff.failures),
            next_pass_in_s=self._next_look(),
            **more,
        )
        log.roll_up()
        digest = self._digest()
        if digest != self._seen_digest:
            self._seen_digest = digest
            get_logger().info("config.changed_on_disk", config_hash=digest[:8])
        self._tell()

    # ---- how it stands

    @property
    def state(self) -> str:
        """In one word.  The board takes up the pauses of this moment for it."""
        self._board.heed_pauses()
        return state_of(
            self._board.status,
            ready=self._ready,
            verified=self._verified and not self._obstacle,
            stopping=self._inbox.stopped_by is not None,
            busy=self._looks_for_long,
            paused=any(not pause["address"] for pause in self._board.status.pauses),
        )

    @property
    def _looks_for_long(self) -> bool:
        """Whether a pass is under way, and is the first or has not just begun."""
        since, first = (
            self.passes.busy_since,
            self._board.status.last_pass is None,
        )  # once: another thread sets it
        return since is not None and (first or time.monotonic() - since >= LONG)

    @property
    def _obstacle(self) -> str:
        """Why there is no pass at all, "" when there is one."""
        return self._why_not or self._hold.unknown

    def _next_look(self) -> float | None:
        """Seconds to the next look, whatever it is for."""
        regular = self.clock.left()
        at = self.passes.next_at  # once: the thread of the passes sets it
        early = None if at is None else max(0.0, at - time.monotonic())
        return min((round(left, 1) for left in (regular, early) if left is not None), default=None)

    def _sentence(self, state: str) -> str:
        left = self._next_look()
        following = None if left is None else self._loop.clock.now() + left
        return sentence(self._board.status, state, self._obstacle, following)

    def _news(self, state: str) -> tuple[str, str]:
        """What is told as soon as it changes: the state, and who has the lease, which is found out after it."""
        lease = self._hold.lease
        return state, lease.holder if lease is not None else ""

    def _tell(self) -> None:
        """Say how it stands, to systemd and in the state directory."""
        lease = self._hold.lease
        if lease is not None:
            self._board.status.lease = {
                "fence": lease.fence,
                "standby": self._hold.waiting and not self._hold.unknown,
                "holder": lease.holder,
            }
        state = self.state
        said, self._told = self._sentence(state), self._news(state)
        self._notifier.status(said)
        left = self._next_look()
        self._board.write(state, said, None if left is None else self._loop.clock.now() + left)

    # ---- the end

    def _end(self, status: int) -> int:
        """The call in flight may finish, no other is made; a pass that only reads is left where it is."""
        began = time.monotonic()
        number = self._inbox.stopped_by
        flying = self._loop.gateway.in_flight()
        if number is not None:
            get_logger().info(
                "daemon.stopping",
                reason=signal.Signals(number).name,
                in_flight=[called(request) for request in flying],
            )
        self._ending = True
        self.clock.stop()
        self.passes.stop()
        drain(self.passes.thread, self._loop.gateway, self._notifier)
        said = ended(
            self._board.status, signal.Signals(number).name if number is not None else "", self._gave_up
        )
        self._notifier.stopping(said)
        left = len(self._board.status.addresses) if self._board.status.last_pass else None
        more = {} if left is None else {"left": left}
        self._board.write("stopped", said)
        get_logger().info("daemon.stopped", duration_ms=round((time.monotonic() - began) * 1000), **more)
        return status
