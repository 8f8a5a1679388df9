"""One run of a verb: its options and settings, and what is made of them when it is needed.  Used by `cli`."""

from __future__ import annotations

import getpass
import os
import shlex
import signal
import socket
import uuid
from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from reconciler import __version__, approvals, heap, log, pauses, policy, resumed, status
from reconciler.aws.audit import changes
from reconciler.aws.gateway import Gateway
from reconciler.aws.lease import Holder, Lease
from reconciler.aws.lease_table import Table
from reconciler.aws.memory import Memory
from reconciler.aws.schema import BotocoreSchema
from reconciler.aws.session import ReadOnly, Sessions, partition_of
from reconciler.board import Board
from reconciler.breaker import Breaker
from reconciler.choices import Choices
from reconciler.desired import fingerprint, load
from reconciler.errors import ConfigError, IdentityError, ReconcilerError
from reconciler.guards import Guards
from reconciler.hold import Hold
from reconciler.kinds import ALL, BY_NAME
from reconciler.lock import Lock, held
from reconciler.loop import Loop
from reconciler.model.config import Config
from reconciler.model.fields import Facts
from reconciler.model.plan import Plan, Report
from reconciler.moments import seconds
from reconciler.progress import working
from reconciler.say import Voice
from reconciler.settings import Settings
from reconciler.show import plan as show_plan
from reconciler.show import report as show_report
from reconciler.signals import INBOX
from reconciler.status import Status
from reconciler.wall import Wall
from reconciler.workers import workers


class UsageError(ReconcilerError):
    """The command line or the environment is wrong."""


class Program:
    """One run of a verb: the options, the settings, and what is made of them when it is needed."""

    def __init__(
        self, options: Namespace, settings: Settings, environment: Mapping[str, str], voice: Voice
    ) -> None:
        self.options, self.settings, self.environment, self.voice = options, settings, environment, voice
        self.schema = BotocoreSchema()
        self.clock = Wall()
        self.lease: Lease | None = None
        self.stop_signal: int | None = None

    @property
    def who(self) -> str:
        """The person at the keyboard, also behind sudo."""
        name = self.environment.get("SUDO_USER")
        try:
            return name or getpass.getuser()
        except (OSError, KeyError):  # a user id without a name
            return f"user {os.getuid()}"

    @property
    def path(self) -> Path:
        """Where the config is."""
        if self.settings.config is None:
            raise UsageError("which config? say --config PATH, or set RECONCILER_CONFIG")
        return self.settings.config

    def config(self) -> Config:
        """The config, checked; ConfigError with all problems when it is not good."""
        with heap.nothing_to_collect():
            found = load(
                self.path,
                kinds=BY_NAME,
                schema=self.schema,
                variables=self.settings.variables,
                environment=self.environment,
                default_region=self.settings.region or "",
            )
        log.of_stack(found.stack)
        logger = log.get_logger()
        logger.debug(
            "config.loaded",
            files=list(found.files),
            resources=len(found.resources),
            config_hash=found.digest[:8],
        )
        return found

    def facts(self) -> dict[str, Facts]:
        """All kinds, read against the service model."""
        return {kind.name: Facts(kind, self.schema) for kind in ALL}

    def loop(self, config: Config, choices: Choices) -> Loop:
        """Everything that a pass needs."""
        clock, directory, paused = self.clock, self.state(config), pauses.place(self.path)
        loop = Loop(
            config=config,
            gateway=self.gateway(config),
            facts=self.facts(),
            memory=Memory.open(directory, clock.now),
            executor=workers(self.settings.workers),
            new_id=lambda: uuid.uuid4().hex,
            clock=clock,
            choices=choices,
            connect=self.gateway,
            stopped=self.stopping,
            unchanged=lambda: self.digest() == loop.config.digest,
            guards=Guards(
                approval=lambda plan: approvals.take(directory, plan, clock.now()),
                options=f" --config {shlex.quote(str(self.path))}",
                removals=removals(directory),
            ),
            resumed=lambda: resumed.read(directory),
            pauses=lambda: pauses.read(paused, config.stack, clock.now()),
        )
        return loop

    def breaker(self, stack: str) -> Breaker:
        """What the flap breaker of a stack has stopped, as far as this host knows."""
        directory = self.settings.state_dir / stack
        return Breaker(Memory.open(directory, self.clock.now), lambda: resumed.read(directory))

    def gateway(self, config: Config) -> Gateway:
        """The way to AWS for a config."""
        if urls := self.endpoints():
            log.get_logger().warning("endpoint.overridden", endpoints=urls)
        gateway = Gateway(
            Sessions(
                account=config.account,
                accounts=config.accounts,
                region=config.region,
                stack=config.stack,
                profile=self.settings.profile,
                endpoint_url=self.settings.endpoint_url,
                stopping=self.stopping,
                pass_id=lambda: str(log.context().get("pass_id", "")),
                read_only=self._read_only(config),
            )
        )
        gateway.sessions.traffic.hold_back(self.clock.wait)
        gateway.before_write.append(lambda _: self.lease.check() if self.lease else None)
        return gateway

    def _read_only(self, config: Config) -> ReadOnly | None:
        """What is to keep AWS from changing anything for us, if that is asked for.

        It covers every kind there is, so that what the config no longer names is found as without it.
        """
        settings, partition = self.settings, partition_of(config.region)
        if not settings.read_only:
            if settings.origins.get("assume_role") == "--assume-role":
                raise UsageError("--assume-role: counts only with --read-only")
            return None
        policies: dict[str, str] = {}
        for account in {config.account, *(other.id for other in config.accounts.values())}:
            extent = policy.extent(config, BY_NAME, account=account, partition=partition, everything=True)
            policies[account] = text = policy.session_policy(policy.read_half(extent))
            if len(text) > policy.SESSION:
                raise IdentityError(
                    f"--read-only: its session policy has {len(text)} characters, and AWS takes {policy.SESSION}; "
                    "use credentials that have but the read half of `reconciler iam-policy`"
                )
        return ReadOnly(policies=policies, role=settings.assume_role or "")

    def stopping(self) -> bool:
        """Whether a signal has asked to stop: no further call is begun, and none is repeated."""
        return self.stop_signal is not None or INBOX.stopped_by is not None

    def state(self, config: Config) -> Path:
        """What may be lost of a stack."""
        return self.settings.state_dir / config.stack

    def board(self, config: Config, loop: Loop, what: str) -> Board:
        """The status of this process."""
        now = loop.clock.now()
        found = Status(
            stack=config.stack,
            account=config.account,
            what=what,
            pid=os.getpid(),
            instance=socket.gethostname(),
            program=__version__,
            started=now,
            endpoints=self.endpoints(),
        )
        before = status.read(self.state(config)) or {}
        if before.get("last_success"):  # a restart does not make a stale estate a fresh one
            found.last_success = min(seconds(before["last_success"]), now)  # the clock may have been wrong
        # of a stack that goes nobody wants to hear any more
        metrics_file = None if what == "destroy" else self.settings.metrics_file
        board = Board(self.state(config), loop, found, metrics_file)
        board.took(self.path, config, now)
        return board

    def digest(self) -> str:
        """That of the files of the config as they are now; "" when they cannot be read."""
        try:
            return fingerprint(self.path)
        except ConfigError:
            return ""

    def held(self, config: Config, what: str) -> AbstractContextManager[Lock]:
        """The lock of the stack, as a context."""
        return held(self.state(config), config.stack, what, self.settings.lock_wait, self.stopping)

    def hold(self, lock: Lock, loop: Loop) -> Hold:
        """What makes the stack ours to change; the lease is not taken yet."""
        config = loop.config
        if config.lease:
            table = Table(
                loop.gateway.sessions,
                name=config.lease["table"],
                region=config.lease["region"],
                stack=config.stack,
            )
            self.lease = Lease(table, Holder.here(uuid.uuid4().hex))
        hold = Hold(lock, self.lease)
        loop.holds = hold.check
        return hold

    def endpoints(self) -> dict[str, str]:
        """Other addresses than AWS's own, by the setting they come from; UsageError for one that is none."""
        urls = {
            name: url for name, url in self.environment.items() if name.startswith("AWS_ENDPOINT_URL") and url
        }
        if self.settings.endpoint_url:
            urls[self.settings.origins["endpoint_url"]] = self.settings.endpoint_url
        for name, url in urls.items():
            parts = urlsplit(url)
            if "@" in parts.netloc:
                raise UsageError(f"{name}: a user or a password has no place in this URL; AWS is shown none")
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise UsageError(f"{name}: {url!r} is no URL; write it like https://ec2.example.com")
        return urls

    def choices(self, **more: Any) -> Choices:
        """What the command line decides about a run."""
        settings = self.settings
        return Choices(
            grace=settings.grace, allow_empty=settings.allow_empty, allow_shrink=settings.allow_shrink, **more
        )

    @contextmanager
    def catching_signals(self) -> Iterator[None]:
        """The first INT or TERM lets the call in flight finish, the second stops at once."""

        def note(number: int, _: object) -> None:
            self.stop_signal = number
            for each in before:
                signal.signal(each, signal.SIG_DFL)

        before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
        for number in before:
            signal.signal(number, note)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def working(self, loop: Loop) -> AbstractContextManager[None]:
        """Shows, as a context, what a loop is at while it takes long."""
        return working(loop, self.voice, self.environment)

    def answer_plan(
        self, loop: Loop, found: Plan, conclusion: Callable[[Plan], str] = show_plan.summary, **more: Any
    ) -> None:
        """Give a plan as the answer."""
        self.voice.answer(
            lambda: {**show_plan.as_data(found, loop.facts), "summary": conclusion(found), **more},
            lambda: show_plan.as_text(found, loop.facts, colour=self.voice.colour, conclusion=conclusion),
        )

    def answer_run(self, loop: Loop, report: Report) -> None:
        """Give what came of a run as the answer."""
        run = show_report.Run(
            report=report,
            changes=loop.changes,
            undiscovered=loop.undiscovered,
            destroying=loop.choices.destroy,
            interrupted=signal.Signals(self.stop_signal).name if self.stop_signal else "",
        )
        self.voice.answer(
            lambda: show_report.as_data(run), lambda: show_report.as_text(run, colour=self.voice.colour)
        )


def removals(directory: Path) -> list[float]:
    """When things were deleted or replaced, as far as the audit log of this host knows."""
    try:
        found = changes(directory)
    except ReconcilerError:  # as where the state directory cannot be read: what may be lost stops nothing
        return []
    return [
        seconds(change.at)
        for change in found
        if change.about.verb in {"delete", "replace"} and change.outcome == "done"
    ]
