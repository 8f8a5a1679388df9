"""One pass, and passes until all is settled: the whole program on one screen.  Used by `cli` and `daemon`.

YAML ─load─▶ Config ─┐
                     ├─ resolve, converge, plan ─▶ Plan ─ guard ─▶ apply ─▶ Report ─▶ next look
AWS ─ observe ─▶ World┘
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from reconciler.aws.apply import Applier
from reconciler.aws.audit import Audit
from reconciler.aws.discover import Discovered, discover
from reconciler.aws.gateway import Gateway
from reconciler.aws.known import Known
from reconciler.aws.memory import DISCOVERY_SECONDS, Memory
from reconciler.aws.observe import Question, observe, observe_again
from reconciler.aws.outcomes import without_steps
from reconciler.breaker import Breaker
from reconciler.choices import Choices
from reconciler.engine import newer
from reconciler.engine.guard import Stop
from reconciler.engine.holds import holds
from reconciler.engine.memo import Memo
from reconciler.engine.pacing import BackOff, pace, waits_for_aws
from reconciler.engine.planner import Planner
from reconciler.engine.renaming import earlier
from reconciler.engine.resolve import resolve
from reconciler.errors import AwsError, GuardError, ReconcilerError
from reconciler.guards import Guards
from reconciler.kinds import BY_NAME
from reconciler.log import bind_pass, get_logger
from reconciler.midway import Midway
from reconciler.model.address import REPLACED, Address
from reconciler.model.config import Config
from reconciler.model.fields import Facts
from reconciler.model.pause import Pause
from reconciler.model.plan import Ended, Entry, Outcome, Plan, Report
from reconciler.model.things import Scope, World
from reconciler.model.verdicts import Blocked, Steps, Wait
from reconciler.narrate import Narrator
from reconciler.restraints import Restraints
from reconciler.wall import Wall
from reconciler.workers import Workers

FIRST_DELAY, SLOWEST_DELAY, SLOWER = 0.2, 15.0, 1.5
"""Seconds between looks while something is under way: the first, the longest, and how much each is longer."""
PACES = {kind.name: kind.pace for kind in BY_NAME.values() if kind.pace}
"""Kinds at which AWS works for long."""


@dataclass
class Loop:
    """A config, the way to AWS, and what is remembered between looks."""

    config: Config
    gateway: Gateway
    facts: Mapping[str, Facts]
    memory: Memory
    executor: Workers
    new_id: Callable[[], str]
    clock: Wall = field(default_factory=Wall)
    choices: Choices = field(default_factory=Choices)
    stopped: Callable[[], bool] = lambda: False
    unchanged: Callable[[], bool] = lambda: True
    """Whether the files of the config still hold what was loaded; asked right before the first deletion."""
    connect: Callable[[Config], Gateway] | None = None
    """A way to AWS for another config, where its accounts or its default region differ; None when there is no other."""
    holds: Callable[[], None] = lambda: None
    """Asked before each pass: BusyError when the stack is not ours to change any more."""
    pauses: Callable[[], tuple[Pause, ...]] = tuple
    """The pauses of the stack that are in force now."""
    backoff: BackOff = field(default_factory=BackOff)
    chance: Callable[[], float] = random.random
    narrator: Narrator = field(default_factory=Narrator)
    ended: list[Callable[[Ended], None]] = field(default_factory=list)
    """Who is told of the end of each pass."""
    changes: Counter[str] = field(default_factory=Counter)
    """How many addresses were created, updated, replaced and deleted so far."""
    guards: Guards = field(default_factory=Guards)
    resumed: Callable[[], Mapping[str, float]] = dict
    """When a person has let an address go on that the flap breaker had stopped ("": all), since the epoch."""
    _found: Discovered | None = None
    _found_at: float = 0.0
    _restraints: Restraints = field(default_factory=Restraints)
    _discovery_calls: int = 0
    _closed: Mapping[str, AwsError] = field(default_factory=dict)
    _memo: Memo = field(default_factory=Memo)
    _question: Question = field(default_factory=lambda: Question("", frozenset()))  # of the last look

    @cached_property
    def audit(self) -> Audit:
        """The log of all changes, beside what is remembered."""
        return Audit(self.memory.directory, self.clock.now)

    @cached_property
    def _known(self) -> Known:
        return Known(self.clock.monotonic)

    @cached_property
    def breaker(self) -> Breaker:
        """What stops addresses that somebody else writes as well."""
        return Breaker(self.memory, self.resumed, self.guards.options)

    @property
    def undiscovered(self) -> Mapping[str, str]:
        """Regions and accounts that the discovery look could not ask, and why; known after a look."""
        closed = {f"the account {account}": str(why) for account, why in self._closed.items()}
        return {**closed, **(self._found.unread if self._found else {})}

    @property
    def knows_everywhere(self) -> bool:
        """Whether all regions, but those that may not be asked, and all accounts have said if they hold something."""
        return self._asked_all and not self._closed

    @property
    def _asked_all(self) -> bool:
        """Whether all regions of the accounts that are not closed have, or may not be asked."""
        return not self._found or not self._found.unread.keys() - self._found.denied

    def take(self, config: Config, gateway: Gateway | None = None) -> None:
        """Go on with another config of the same stack; what has failed is tried at once where it has changed."""
        before, self.config, self._found = self.config, config, None
        self.guards.forget()
        self.gateway = gateway or self.gateway

        def changed(label: str) -> bool:
            address = Address.parse(label.removesuffix(REPLACED))
            return before.resources.get(address) != config.resources.get(address)

        self.backoff.forget(changed)

    # ---- looking

    def look(self) -> World:
        """Everything that concerns the stack, as it is now; IdentityError when we are not who the config says."""
        before, self._closed = self._closed, self.gateway.sessions.verify()
        for account, why in self._closed.items():
            if str(why) != str(before.get(account, "")):
                get_logger().warning("kind.unknown", scope=f"the account {account}", reason=str(why))
        found = self._discover()
        literal = {
            (Scope(parent, desired.account, desired.region), value)
            for desired in self.config.resources.values()
            if (parent := (kind := BY_NAME[desired.address.kind]).read.within)
            and isinstance(value := desired.spec.get(kind.lies_in(BY_NAME[parent])), str)
        }
        named = {desired.scope for desired in self.config.resources.values()}
        self._question = Question(
            stack=self.config.stack,
            scopes=found.scopes | named | found.doubtful(BY_NAME, named),
            resources={} if self.choices.destroy else self.config.resources,
            parents=found.parents | literal,
            open=frozenset(found.open(BY_NAME, named)),
            closed=self._closed,
        )
        return observe(self.gateway, BY_NAME, self._question, self.executor, self._known)

    def _look_at(self, scopes: frozenset[Scope]) -> World:
        """Some of what the last look was about, by now."""
        return observe_again(self.gateway, BY_NAME, replace(self._question, scopes=scopes), self.executor)

    def _discover(self) -> Discovered:
        """Where the stack owns something that the config does not name; asked anew each hour and for a new config."""
        now, accounts = self.clock.now(), self._accounts - self._closed.keys()
        if self._found is None or not self._asked_all or not 0 <= now - self._found_at < DISCOVERY_SECONDS:
            self._found, self._found_at = self.memory.discovered(self.config.digest), now
        if self._found is None or not accounts <= self._found.accounts:  # one may have opened meanwhile
            before = self._requests()
            self._found = discover(self.gateway, BY_NAME, self.config.stack, accounts, self.executor)
            self._discovery_calls += self._requests() - before
            for where, why in self._found.unread.items():
                get_logger().warning("kind.unknown", scope=where, reason=why)
            if not self._found.unread.keys() - self._found.denied:  # asking again soon is no use
                self.memory.keep(self.config.digest, self._found)
        return self._found

    @property
    def _accounts(self) -> frozenset[str]:
        """All of the config's."""
        return frozenset({self.config.account, *(other.id for other in self.config.accounts.values())})

    def _requests(self) -> int:
        """How many requests were made so far; the other counts are of the same ones by operation."""
        return self.gateway.counts["read"] + self.gateway.counts["write"]

    # ---- concluding

    def planner(self, world: World, held: Mapping[Address, str] | None = None) -> Planner:
        """The decisions about what was seen."""
        now = self.clock.monotonic()

        def instead(label: str, steps: Steps) -> Wait | Blocked | None:
            held = self._held_back(label, steps) or self.breaker.instead(label, steps)
            return held or self.backoff.instead(label, now)

        return Planner(
            stack=self.config.stack,
            resources={} if self.choices.destroy else self.config.resources,
            facts=self.facts,
            world=world,
            held=held,
            instead=instead,
            unprotected=self.choices.unprotected,
            keep=self.config.mode == "upsert" and not self.choices.destroy,
            unwanted="the stack is destroyed" if self.choices.destroy else "not in the config",
            accounts=self._accounts,
            memo=self._memo,
        )

    def _held_back(self, label: str, steps: Steps) -> Wait | None:
        return self._restraints.wait(label, steps, at_any_time=self.choices.destroy)

    def guard(self, planner: Planner, plan: Plan) -> Stop | None:
        """Why this plan must not be carried out; None when it may."""
        return self.guards.stop(planner, plan, self.config, self.choices, self.clock.now())

    def plan(self) -> tuple[Planner, Plan]:
        """What a pass would do, from one look.  Writes nothing, and waits for nothing."""
        self._heed()
        self._memo.remembers = self._known.remembers = self.gateway.sessions.rows.remembers = False
        planner = self.planner(self.look())
        return planner, planner.plan()

    def with_newer(self, plan: Plan) -> Plan:
        """The plan, with what is newer than what things were made with, where AWS can be asked: a request a region."""
        givens = newer.given(plan, self.config.resources, self.facts)
        values: dict[newer.Where, dict[str, str]] = {}
        for where, paths in newer.asked(plan, givens).items():
            try:
                values[where] = self.gateway.parameters(*where, paths)
            except AwsError as error:
                get_logger().info("update.unknown", scope=f"{where[1]} of {where[0]}", reason=str(error))
        return newer.noted(plan, givens, values)

    def _heed(self) -> None:
        """What holds changes back from here on: people, and the time of day."""
        self._restraints = Restraints.at(self.pauses(), self.config.windows, self.clock.now())

    def held_for(self, report: Report) -> float | None:
        """Seconds until that ends which something waits for; None when nothing does."""
        return self._restraints.left(report, self.clock.now())

    @property
    def _halted(self) -> bool:
        """Whether no further call may be made: asked to stop, or paused while the pass is under way."""
        return self.stopped() or any(not pause.address for pause in self.pauses())

    # ---- doing

    def one_pass(self, trigger: str) -> Report:
        """Look, conclude, act.  GuardError when a guard stops it before its first change.

        However it ends, the log has one `pass.finished` for it.
        """
        pass_id = self.new_id()
        with bind_pass(pass_id=pass_id, stack=self.config.stack, trigger=trigger):
            started, before = self.clock.monotonic(), self.gateway.counts.copy()
            get_logger().debug("pass.started")
            self._discovery_calls = 0
            plan = Plan(stack=self.config.stack, entries=())

            def end(
                outcomes: Iterable[Outcome], outcome: str = "", guard: str = "", problem: str = ""
            ) -> Report:
                made = self.gateway.counts - before
                report = Report(
                    outcomes=tuple(outcomes),
                    plan=plan,
                    calls=made["read"] + made["write"] - self._discovery_calls,
                    writes=made["write"],
                    throttled=made["throttled"],
                    discovery_calls=self._discovery_calls,
                    seconds=self.clock.monotonic() - started,
                )
                word = outcome or report.outcome
                ended = Ended(pass_id, trigger, word, report, guard, problem)
                for tell in self.ended:
                    tell(ended)
                self.narrator.finished(ended, self.config)
                return report

            stop: Stop | None = None
            try:
                self.holds()
                self._heed()
                self.narrator.held_back(self._restraints.pauses.values(), self._restraints.windows)
                world = self.look()
                self.memory.looked(world, everywhere=self._asked_all)
                planner = self.planner(world, self._held(world))
                plan = planner.plan()
                if self.breaker.heed(plan, self.gateway, self.clock.now()):
                    planner = self.planner(world, planner.held)
                    plan = planner.plan()  # it says who else writes
                self.narrator.planned(plan, orphans=not self.choices.destroy)
                if (stop := self.guard(planner, plan)) and not self.guards.agreed(stop, plan):
                    get_logger().error("guard.stopped", reason=stop.why, guard=stop.guard)
                    raise GuardError(stop.why)
                stop = None
                outcomes, cut_short = self._carry_out(planner, plan)
            except Exception as error:
                why = str(error) if isinstance(error, ReconcilerError) else f"a defect: {error!r}"
                left = map(without_steps, plan.entries)
                end(left, "guarded" if stop else "failed", stop.guard if stop else "", why)
                raise
            self.backoff.note(outcomes, self.clock.monotonic(), self.chance)
            self.guards.note(outcomes, self.clock.now())
            self.breaker.note(plan, outcomes, self.clock.now())
            for outcome in outcomes:
                if outcome.status in {"created", "updated", "replaced", "deleted"}:
                    self.changes[outcome.status] += 1
            word = "failed" if cut_short else "interrupted" if self.stopped() else ""
            return end(outcomes, word, problem=cut_short)

    def _carry_out(self, planner: Planner, plan: Plan) -> tuple[list[Outcome], str]:
        """The outcomes, and why the pass was cut short, "" when it was not."""
        if not plan.steps or self.config.mode == "observe":
            return [without_steps(entry) for entry in plan.entries], ""
        midway = Midway(
            planner,
            replan=lambda world: self.planner(world, planner.held),
            look=self._look_at,
            now=self.clock.monotonic,
        )

        def keep() -> str | None:
            why = (
                "the config has changed on disk since it was read; nothing is deleted by what it said before"
            )
            return None if self.unchanged() else why

        def come_between(entry: Entry) -> Wait | None:  # a pass may be long
            self._heed()
            return self._held_back(entry.label, entry.verdict) if isinstance(entry.verdict, Steps) else None

        applier = Applier(
            self.gateway,
            BY_NAME,
            self.memory,
            self.audit,
            stack=self.config.stack,
            config_hash=self.config.digest[:8],
            world=planner.world,
            new_id=self.new_id,
            by=self.choices.by or self.guards.by(self.clock.now()),
        )
        outcomes = applier.apply(
            plan,
            decide=midway.decide,
            fold=midway.fold,
            look_again=midway.look_again,
            keep=keep,
            stopped=lambda: self._halted,
            come_between=come_between,
            batches=self._memo.batches,
            executor=self.executor,
        )
        return outcomes, applier.cut_short

    def _held(self, world: World) -> dict[Address, str]:
        resources = self.config.resources
        missing = {at: earlier(one, resources) for at, one in resources.items() if at not in world.claims}
        grace, now = self.choices.grace, self.clock.now()
        return holds(
            self.memory.remembered, missing=missing, world=world, now=now, grace=grace, facts=self.facts
        )

    def until_settled(self, timeout: float) -> Report:
        """Pass after pass until nothing is under way, or `timeout` seconds are over; gives the last pass's report."""
        self.memory.begin()
        deadline, delay = self.clock.now() + timeout, 0.0
        while True:
            report = self.one_pass("destroy" if self.choices.destroy else "once")
            if self.stopped() or not under_way(report) or self.clock.now() >= deadline:
                return report
            self.narrator.waiting(report, self.clock.now())
            delay = FIRST_DELAY if report.changed or not delay else min(delay * SLOWER, SLOWEST_DELAY)
            pause = max(delay, pace(report, PACES))
            self.clock.wait(min(pause, max(0.0, deadline - self.clock.now())), self.stopped)

    # ---- answering

    def outputs(self, planner: Planner) -> dict[str, str | None]:
        """The config's outputs by name; None for one whose thing is not there."""
        found: dict[str, str | None] = {}
        for name, value in self.config.outputs.items():
            resolved = resolve(value, planner.holder)
            found[name] = None if resolved.missing else str(resolved.value)
        return found


def under_way(report: Report) -> bool:
    """Whether another look may find something else: changes settle, waits end, failures may heal."""
    again = any(outcome.status == "failed" and not outcome.final for outcome in report.outcomes)
    return bool(report.changed) or again or waits_for_aws(report)
