"""One pass, and passes until all is settled: the whole program on one screen.  Used by `cli` and `daemon`.

YAML ─load─▶ Config ─┐
                     ├─ resolve, converge, plan ─▶ Plan ─ guard ─▶ apply ─▶ Report ─▶ next look
AWS ─ observe ─▶ World┘
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

from reconciler.aws.apply import Applier, without_steps
from reconciler.aws.discover import Discovered, discover
from reconciler.aws.gateway import Gateway
from reconciler.aws.memory import DISCOVERY_SECONDS, Memory
from reconciler.aws.observe import Question, observe
from reconciler.engine.guard import over_budget, shrunk
from reconciler.engine.holds import holds
from reconciler.engine.planner import Planner
from reconciler.engine.resolve import resolve
from reconciler.errors import GuardError, ReconcilerError
from reconciler.kinds import BY_NAME
from reconciler.log import bind_pass, get_logger, in_context
from reconciler.model.address import Address
from reconciler.model.config import Config
from reconciler.model.fields import Facts
from reconciler.model.plan import Outcome, Plan, Report
from reconciler.model.things import Observed, World
from reconciler.narrate import Narrator

FIRST_DELAY, SLOWEST_DELAY, SLOWER = 0.2, 15.0, 1.5
"""Seconds between looks while something is under way: the first, the longest, and how much each is longer."""


class Wall:
    """The real clock; tests bring one that they hold."""

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    def wait(self, seconds: float, stopped: Callable[[], bool]) -> None:
        """Let time pass, or less of it when there is a reason to stop."""
        end = time.monotonic() + seconds
        while not stopped() and (left := end - time.monotonic()) > 0:
            time.sleep(min(left, 0.1))


@dataclass(frozen=True, kw_only=True)
class Choices:
    """What the command line decides about a run.  Times are in seconds."""

    grace: float = 5.0
    allow_empty: bool = False
    allow_shrink: bool = False
    destroy: bool = False
    unprotected: bool = False
    """Delete protected things too (`destroy --protected`)."""


@dataclass
class Loop:
    """A config, the way to AWS, and what is remembered between looks."""

    config: Config
    gateway: Gateway
    facts: Mapping[str, Facts]
    memory: Memory
    executor: ThreadPoolExecutor
    new_id: Callable[[], str]
    clock: Wall = field(default_factory=Wall)
    choices: Choices = Choices()
    stopped: Callable[[], bool] = lambda: False
    unchanged: Callable[[], bool] = lambda: True
    """Whether the files of the config still hold what was loaded; asked right before the first deletion."""
    narrator: Narrator = field(default_factory=Narrator)
    changes: Counter[str] = field(default_factory=Counter)
    """How many addresses were created, updated, replaced and deleted so far."""
    _found: Discovered | None = None
    _found_at: float = 0.0
    _given_up: dict[str, str] = field(default_factory=dict)
    _discovery_calls: int = 0

    @property
    def undiscovered(self) -> Mapping[str, str]:
        """Regions and accounts that the discovery look could not ask, and why; known after a look."""
        return self._found.unread if self._found else {}

    @property
    def denied_discovery(self) -> frozenset[str]:
        """Those of them that we may not ask, where trying again is no use."""
        return self._found.denied if self._found else frozenset()

    @property
    def knows_everywhere(self) -> bool:
        """Whether all regions and accounts have said if they hold something, or may not be asked."""
        return not self.undiscovered.keys() - self.denied_discovery

    def try_again(self) -> None:
        """Forget what AWS has refused, so that it is tried once more."""
        self._given_up.clear()

    # ---- looking

    def look(self) -> World:
        """Everything that concerns the stack, as it is now; IdentityError when we are not who the config says."""
        self.gateway.sessions.verify()
        found = self._discover()
        literal = {
            value
            for desired in self.config.resources.values()
            if (parent := BY_NAME[desired.address.kind].read.within)
            and isinstance(value := desired.spec.get(BY_NAME[parent].id), str)
        }
        question = Question(
            stack=self.config.stack,
            scopes=found.scopes | {desired.scope for desired in self.config.resources.values()},
            resources=self.config.resources,
            parents=found.parents | literal,
        )
        return observe(self.gateway, BY_NAME, question, self.executor)

    def _discover(self) -> Discovered:
        """Where the stack owns something that the config does not name; asked anew each hour and for a new config."""
        now = self.clock.now()
        if (
            self._found is None
            or not self.knows_everywhere
            or not 0 <= now - self._found_at < DISCOVERY_SECONDS
        ):
            self._found, self._found_at = self.memory.discovered(self.config.digest), now
        if self._found is None:
            before = self._requests()
            accounts = frozenset(
                {self.config.account, *(other.id for other in self.config.accounts.values())}
            )
            self._found = discover(self.gateway, BY_NAME, self.config.stack, accounts, self.executor)
            self._discovery_calls += self._requests() - before
            for where, why in self._found.unread.items():
                get_logger().warning("kind.unknown", scope=where, reason=why)
            if not self._found.unread.keys() - self._found.denied:  # asking again soon is no use
                self.memory.keep(self.config.digest, self._found)
        return self._found

    def _requests(self) -> int:
        """How many requests were made so far; the other counts are of the same ones by operation."""
        return self.gateway.counts["read"] + self.gateway.counts["write"]

    # ---- concluding

    def planner(self, world: World, held: Mapping[Address, str] | None = None) -> Planner:
        """The decisions about what was seen."""
        return Planner(
            stack=self.config.stack,
            resources={} if self.choices.destroy else self.config.resources,
            facts=self.facts,
            world=world,
            held=held,
            refused=self._given_up,
            unprotected=self.choices.unprotected,
            keep=self.config.mode == "upsert" and not self.choices.destroy,
        )

    def guard(self, planner: Planner, plan: Plan) -> str | None:
        """Why this plan must not be carried out; None when it may."""
        if self.choices.destroy:
            return None
        if why := over_budget(plan, self.config.limits, planner.world):
            return why
        return shrunk(
            wanted=self.config.resources,
            renamed=[thing.address for thing in planner.renamed.values() if thing.address],
            world=planner.world,
            allow_empty=self.choices.allow_empty,
            allow_shrink=self.choices.allow_shrink,
        )

    def plan(self) -> tuple[Planner, Plan]:
        """What a pass would do, from one look.  Writes nothing, and waits for nothing."""
        planner = self.planner(self.look())
        return planner, planner.plan()

    # ---- doing

    def one_pass(self, trigger: str) -> Report:
        """Look, conclude, act.  GuardError when a guard stops it before its first change.

        However it ends, the log has one `pass.finished` for it.
        """
        with bind_pass(pass_id=self.new_id(), stack=self.config.stack, trigger=trigger):
            started, before = time.monotonic(), self.gateway.counts.copy()
            get_logger().debug("pass.started")
            self._discovery_calls = 0
            plan = Plan(stack=self.config.stack, entries=())

            def report(outcomes: Iterable[Outcome]) -> Report:
                made = self.gateway.counts - before
                return Report(
                    outcomes=tuple(outcomes),
                    plan=plan,
                    calls=made["read"] + made["write"] - self._discovery_calls,
                    writes=made["write"],
                    discovery_calls=self._discovery_calls,
                    seconds=time.monotonic() - started,
                )

            try:
                world = self.look()
                self.memory.looked(world, everywhere=self.knows_everywhere)
                planner = self.planner(world, self._held(world))
                plan = planner.plan()
                self.narrator.planned(plan)
                if why := self.guard(planner, plan):
                    get_logger().error("guard.stopped", reason=why)
                    raise GuardError(why)
                outcomes = self._carry_out(planner, plan)
            except ReconcilerError as error:
                ended = "guarded" if isinstance(error, GuardError) else "failed"
                self.narrator.finished(report(map(without_steps, plan.entries)), self.config, outcome=ended)
                raise
            for outcome in outcomes:
                if outcome.final:
                    self._given_up[outcome.label] = outcome.why
                if outcome.status in {"created", "updated", "replaced", "deleted"}:
                    self.changes[outcome.status] += 1
            done = report(outcomes)
            self.narrator.finished(done, self.config, outcome="interrupted" if self.stopped() else None)
            return done

    def _carry_out(self, planner: Planner, plan: Plan) -> list[Outcome]:
        if not plan.steps or self.config.mode == "observe":
            return [without_steps(entry) for entry in plan.entries]
        current = planner

        def fold(thing: Observed) -> None:
            """What was just created can be referred to at once, if its state allows it."""
            nonlocal current
            world = current.world
            before = tuple(
                replace(other, replaced=True) if other.address == thing.address else other
                for other in world.things
            )
            current = self.planner(replace(world, things=(*before, thing)), current.held)

        def keep() -> str | None:
            changed = (
                "the config has changed on disk since it was read; nothing is deleted by what it said before"
            )
            return None if self.unchanged() else changed

        applier = Applier(
            self.gateway, BY_NAME, self.memory, self.config.stack, planner.world.spent, self.new_id
        )
        return applier.apply(
            plan,
            decide=lambda address: current.entry(address),
            fold=fold,
            keep=keep,
            stopped=self.stopped,
            executor=self.executor,
        )

    def _held(self, world: World) -> dict[Address, str]:
        missing = [address for address in self.config.resources if address not in world.claims]
        return holds(
            self.memory.remembered,
            addresses=missing,
            world=world,
            now=self.clock.now(),
            grace=self.choices.grace,
        )

    def until_settled(self, timeout: float) -> Report:
        """Pass after pass until nothing is under way, or `timeout` seconds are over; gives the last pass's report."""
        self.memory.begin()
        deadline, delay = self.clock.now() + timeout, 0.0
        while True:
            report = self.one_pass("once")
            if self.stopped() or not under_way(report) or self.clock.now() >= deadline:
                return report
            self.narrator.waiting(report, self.clock.now())
            delay = FIRST_DELAY if report.changed or not delay else min(delay * SLOWER, SLOWEST_DELAY)
            self.clock.wait(min(delay, max(0.0, deadline - self.clock.now())), self.stopped)

    # ---- answering

    def outputs(self, planner: Planner) -> dict[str, str | None]:
        """The config's outputs by name; None for one whose thing is not there."""
        found: dict[str, str | None] = {}
        for name, value in self.config.outputs.items():
            resolved = resolve(value, planner.holder)
            found[name] = None if resolved.missing else text(resolved.value)
        return found


def under_way(report: Report) -> bool:
    """Whether another look may find something else: changes settle, waits end, failures may heal."""
    unread = report.plan.unread.keys() - report.plan.denied
    again = any(outcome.status == "failed" and not outcome.final for outcome in report.outcomes)
    return bool(report.changed or report.count("waiting") or again or unread)


def text(value: Any) -> str:
    """An output as a string."""
    return value if isinstance(value, str) else str(value)


def workers(count: int) -> ThreadPoolExecutor:
    """The threads that read and write; each task brings the log context of the pass that began it."""
    return _ContextExecutor(max_workers=count, thread_name_prefix="worker")


class _ContextExecutor(ThreadPoolExecutor):
    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        return super().submit(in_context(function), *args, **kwargs)
