"""One random world: a local AWS, a state directory, a config, and a process of the program that comes and goes.

`machine` lets things happen to it.  Each pass is judged by `model`.  At the end the faults stop, the other hand puts
right what stops an address by design, and the estate must be what the config says.
"""

from __future__ import annotations

import json
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from reconciler import log
from reconciler.aws.patience import Patience
from reconciler.errors import GuardError
from reconciler.kinds import BY_NAME
from reconciler.loop import Loop, under_way
from reconciler.model.kind import Kind
from reconciler.model.plan import Report
from reconciler.sandbox import Call
from reconciler.sandbox.settings import Delays
from reconciler.workers import workers
from tests.faults.worlds.estates import GENEROUS, SECRET, Wishes, can_be_beside
from tests.faults.worlds.hands import OWNER, Hand
from tests.faults.worlds.model import is_ours, is_protected, judge, may_differ_for_good, unequal
from tests.faults.worlds.surroundings import Died, SteppedTime, logged, waiting_moves
from tests.faults.worlds.truth import Thing, Truth, everything, texts
from tests.harness import host, read

HOUR = 3600.0
TRIES = 5
"""How often somebody tries to put right what AWS refuses to let him."""
ATTEMPTS = 3
"""How often the SDK sends a request that is no creation, at most."""
ENOUGH = 2
"""Times within an hour that others may write a thing; at the third that is put right, a fight is stopped."""
WAITS = (0.3, 1, 5, 15, 60, 300)
PATIENCE = 60
"""Passes after which an estate must have settled that nothing disturbs."""
FIGURES: Counter[str] = Counter()
"""What has happened in all worlds so far."""
CREATES = {f"{record.service}:{record.create}": kind for kind, record in BY_NAME.items()}


class World:
    """All that there is, and what has become of it so far."""

    def __init__(self) -> None:
        self.held = ExitStack()
        folder = Path(self.held.enter_context(tempfile.TemporaryDirectory(prefix="world-")))
        quotas = {"GlobalNetwork": 100}
        self.ops = self.held.enter_context(host(folder, asks_everywhere=True, page_size=100, quotas=quotas))
        self.ops.use(workers(1), SteppedTime(self.ops.aws.clock))
        self._log = self.held.enter_context(logged())
        self.held.enter_context(waiting_moves(self.ops))
        self.hand = Hand(self.ops, folder / "of-somebody-else")
        self.wishes = Wishes()
        self.process: Loop | None = None
        self.lag = 0.0
        self.last: Report | None = None
        self.copies: set[str] = set()
        self._places: set[tuple[str, str]] = set()
        self._stale: set[str] = set()
        self._truth: dict[str, Truth] = {}
        self._effects: Counter[str] = Counter()
        self._made: Counter[str] = Counter()
        self._begun: Counter[str] = Counter()
        self.calls = 0
        self.dies: tuple[str, int] | None = None
        """Around which of its changing calls the process dies."""
        self.meanwhile: tuple[int, str, int] | None = None
        """Before which of them somebody does what, to which thing."""
        self._before: Truth = {}
        self._spans: list[tuple[Truth, Truth, Counter[str]]] = []
        self._touched: set[str] = set()
        self._dead = False
        self._by_others: dict[str, list[float]] = defaultdict(list)
        self.ops.aws.on_call.append(self.on_call)
        FIGURES["worlds"] += 1

    # ---- how a pass is watched

    def look_once(self) -> Report | str:
        """One look of the process, which is begun where there is none; "guarded" or "died" instead of a report."""
        self._before, self._effects, self._spans, self._touched = self.truth(), Counter(), [], set()
        found: Report | str
        try:
            found = self.last = self._running().one_pass("test")
        except GuardError:
            found = "guarded"
        except Died:
            found, self.process, self._dead = "died", None, False
            FIGURES["kills"] += 1
        FIGURES["passes"] += 1
        self._end_span()
        unread = found.plan.unread if isinstance(found, Report) else ()
        problems = [
            problem
            for before, after, effects in self._spans
            for problem in judge(
                before,
                after,
                self.wishes,
                created={CREATES[name]: count for name, count in effects.items() if name in CREATES},
                unread={(scope.kind, scope.region) for scope in unread},
                calm=not self.lag,
                foreign={*self.copies, *self.hand.taken},
                touched=self._touched,
            )
        ]
        if self._spans and found == "guarded":
            problems.append("a guard has stopped it, and it made changes")
        self._must_not([*problems, *self._unaudited()] if self._spans else [], found)
        return found

    def _end_span(self) -> None:
        """What the program alone has done since the last such moment is to be judged."""
        if self._effects:
            self._spans.append((self._before, self.truth(), self._effects))
            FIGURES["changes"] += sum(self._effects.values())
        self._before, self._effects = self.truth(), Counter()

    def _come_between(self, call: Call, what: str, number: int) -> None:
        """Somebody does something to a thing that this call, which is under way, is not about."""
        about = set(texts(call.parameters))
        things = [thing for thing in self.unused() if not about & {thing.id, thing.arn, thing.name}]
        if not things:
            return
        self._end_span()
        thing = things[number % len(things)]
        match what:
            case "delete":
                done = self.hand.delete(thing)
            case "untag":
                done = self.hand.untag(thing, OWNER)
            case _ if self._fights(thing):
                return
            case _:
                self._by_others[thing.claim].append(self.time.now())
                done = self.hand.tag(thing, {"Name": "meanwhile"})
        self.by_hand(done)
        self._touched.add(thing.id)
        self._before = self.truth()

    def carry_on(self, passes: int, pause: float = 7.0) -> None:
        for _ in range(passes):
            self.look_once()
            self.wait(pause)

    def _running(self) -> Loop:
        if self.process is None:
            self.process = self.ops.loop(self.wishes.text(), allow_empty=True, allow_shrink=True)
            self.process.gateway.patience = Patience(lambda: 0.0)  # a busy machine makes no region silent
            self.process.memory.begin()
        return self.process

    def _must_not(self, problems: list[str], found: object) -> None:
        FIGURES["violations"] += bool(problems)
        told = _told(found) if isinstance(found, Report) else str(found)
        assert not problems, "\n".join([*problems, told])

    def until_still(self, most: int, must: str = "") -> None:
        for number in range(most):
            report = self.look_once()
            if isinstance(report, Report) and not under_way(report):
                return
            self.wait(WAITS[min(number, len(WAITS) - 1)])
        assert not must, (
            f"{must}: not after {most} passes\n{_told(report) if isinstance(report, Report) else report}"
        )

    def _unaudited(self) -> Iterator[str]:
        begun = self._begun + self._on_record()
        for api, count in self._made.items():
            if count > begun[api] * (1 if api in CREATES else ATTEMPTS):
                yield f"{api} took effect {count} times, and the audit log has {begun[api]}"

    def _on_record(self) -> Counter[str]:
        path = self.ops.state / "audit.jsonl"
        lines = map(json.loads, path.read_text().splitlines()) if path.exists() else ()
        return Counter(line["api"] for line in lines if line["what"] == "begun")

    def on_call(self, moment: str, call: Call) -> None:
        if self.hand.busy:
            return
        if self._dead:  # no other thread of a dead process makes a call
            raise Died
        if not call.is_write:
            return
        if moment == "before":
            self.calls += 1
            if self.meanwhile is not None and self.meanwhile[0] == self.calls:
                _, what, number = self.meanwhile
                self._come_between(call, what, number)
        else:
            self._stale.add(call.service)
            api = f"{call.service}:{call.operation}"
            self._effects[api] += 1
            self._made[api] += 1
            if api in CREATES and (address := _address_in(call.parameters)):
                self.hand.births[address] = call
        if self.dies == (moment, self.calls):
            self._dead = True
            raise Died

    @property
    def time(self) -> SteppedTime:
        assert isinstance(self.ops.time, SteppedTime)
        return self.ops.time

    # ---- how it ends

    def end(self) -> None:
        """The faults stop, and all becomes as the config says."""
        self.calm()
        self.wait(2 * HOUR)
        self.wishes.limits, self.wishes.mode, self.process = GENEROUS, "full", None
        self._put_right()
        self.until_still(PATIENCE, "protected things stay")
        kept = [thing for thing in self.truth().values() if thing.has_both_tags and is_protected(thing)]
        addresses = {wish.address for wish in self.wishes}
        released = [thing for thing in kept if thing.claim not in addresses]
        for thing in released:
            self.by_hand(self.hand.tag(thing, {"reconciler:protect": "false"}))
        self._put_right()
        self.process = None
        self.until_still(PATIENCE, "settles")
        self.process = None
        self.is_as_wanted()
        self._writes_nothing()
        self._plans_alike()
        self._told_no_secret()

    def is_as_wanted(self) -> None:
        """The estate is what the config says."""
        self._stale |= {BY_NAME[kind].service for kind in self.kinds}
        self._must_not(list(unequal(self.ops, self.truth(), self.wishes)), self.last or "")

    def _put_right(self) -> None:
        """What stops an address by design is put right by people."""
        names = {name: one.all_names for one in self.wishes for name in one.all_names}
        for _ in range(TRIES):
            while self.hand.repair(self.truth(), self.copies, names):
                self._stale |= {BY_NAME[kind].service for kind in self.kinds}
            self.wait(HOUR)  # AWS refuses what is in its midst, and what is being deleted claims its address
            self._stale |= {BY_NAME[kind].service for kind in self.kinds}
            if not self.copies & self.truth().keys() and not self.hand.taken:
                break
        holders = {
            wish.slot: thing
            for wish in self.wishes
            for thing in self.truth().values()
            if thing.claim in wish.all_names and is_ours(thing, self.truth())
        }
        for wish in self.wishes:
            if may_differ_for_good(self.ops, wish, holders):
                used = wish not in self.wishes.subjects and can_be_beside(wish.kind)
                wish.replace = wish.replace or ("create-first" if used else "delete-first")
                wish.protect = False
        self.edited()

    def _writes_nothing(self) -> None:
        self.process = None
        self.ops.aws.clear_calls()
        report = self.look_once()
        made = [call.operation for call in self.ops.aws.writes]
        assert made == [], f"a settled estate was written to: {made}"
        assert isinstance(report, Report)
        assert report.outcome == "settled", _told(report)

    def _plans_alike(self) -> None:
        """The plan with an empty state directory is the plan with the old one."""
        plan = self.ops.plan(self.wishes.text())
        self.forget()
        assert self.ops.plan(self.wishes.text()) == plan

    def _told_no_secret(self) -> None:
        log.flush()
        texts = {"the log": self._log.getvalue()}
        texts |= {str(path): path.read_text() for path in self.ops.state.glob("*") if path.is_file()}
        for where, text in texts.items():
            assert SECRET not in text, f"a secret is in {where}"
        assert '"flap.stopped"' not in texts["the log"], "a fight was stopped that was none"
        assert '"unit.failed"' not in texts["the log"], texts["the log"]

    # ---- small things

    def takes_its_time(self) -> None:
        """States take as long as they do in AWS, not less than a second."""
        self.ops.aws.change(delays=Delays.named("aws"))

    def calm(self) -> None:
        """Nothing goes wrong any more."""
        self.ops.aws.clear_faults()
        self.ops.aws.on_call.append(self.on_call)
        self.lag = 0.0

    def truth(self) -> Truth:
        """What there is; read again of the services where something was changed."""
        for service in sorted(self._stale):
            places = {place for place in self._places if BY_NAME[place[0]].service == service}
            self._truth[service] = everything(self.ops, places)
        self._stale.clear()
        return {id: thing for things in self._truth.values() for id, thing in things.items()}

    def add(self, slot: str) -> None:
        self.wishes.want(slot)
        self.note_kinds()

    def note_kinds(self) -> None:
        """Where the config has something, the truth is read from now on."""
        places = {(wish.kind, wish.region) for wish in self.wishes} - self._places
        self._places |= places
        self._stale |= {BY_NAME[kind].service for kind, _ in places}

    @property
    def kinds(self) -> set[str]:
        """The kinds that the config has, or has had."""
        return {kind for kind, _ in self._places}

    def edited(self, then: int = 0) -> None:
        if self.process is not None:
            self.process.take(read(self.wishes.text()))
        FIGURES["edits"] += 1
        self.carry_on(then)

    def wait(self, seconds: float) -> None:
        self.ops.aws.clock.advance(seconds)

    def forget(self) -> None:
        """The state directory is lost; without it, lists that lag by more than seconds are beyond what is promised."""
        self._begun += self._on_record()
        self.wait(self.lag)
        self.process = None
        self.ops.forget()

    def by_hand(self, done: bool, then: int = 0) -> None:
        self._stale |= {BY_NAME[kind].service for kind in self.kinds}
        FIGURES["by hand"] += done
        self.carry_on(then)

    def no_flapping(self, thing: Thing) -> None:
        """What is put right again and again within an hour is left to people: that is not what is tried here."""
        if self._fights(thing):
            self.wait(1.1 * HOUR)
        self._by_others[thing.claim].append(self.time.now())

    def _fights(self, thing: Thing) -> bool:
        """Whether one more change by others within the hour might be one too many."""
        times = self._by_others[thing.claim]
        return sum(self.time.now() - at < 1.1 * HOUR for at in times) >= ENOUGH

    def tagged(self) -> list[Thing]:
        truth = self.truth()
        found = [thing for thing in truth.values() if thing.claim or thing.stack]
        return sorted(found, key=lambda thing: (thing.claim, thing.kind, thing.stack))

    def unused(self) -> list[Thing]:
        others = list(self.truth().values())
        return [thing for thing in self.tagged() if not any(other.mentions(thing) for other in others)]

    def subjects(self) -> list[Thing]:
        addresses = {wish.address for wish in self.wishes.subjects}
        truth = self.truth()
        return [thing for thing in self.tagged() if thing.claim in addresses and is_ours(thing, truth)]

    def operations(self) -> set[tuple[str, str]]:
        records = [BY_NAME[kind] for kind in self.kinds]
        named = {(record.service, name) for record in records for name in _operations(record)}
        return {("ec2", "DescribeTags"), *named}


def _operations(record: Kind) -> Iterator[str]:
    """All that the program may call for a kind."""
    yield from (*record.read.operations, record.create, record.delete)
    yield from (name for remedy in record.remedies.values() for name in remedy.operations)
    yield from (name for part in record.parts for name in part.operations)
    yield from filter(None, (record.update, record.accept, record.decline, *record.then_operations))
    yield from record.tagged.operations


def _address_in(parameters: Any) -> str:
    """The address in the tags of a create call."""
    if isinstance(parameters, dict):
        if parameters.get("Key") == OWNER[1]:
            return str(parameters["Value"])
        return next(filter(None, map(_address_in, parameters.values())), "")
    if isinstance(parameters, list):
        return next(filter(None, map(_address_in, parameters)), "")
    return ""


def _told(report: Report) -> str:
    lines = [f"{one.label}: {one.status}: {one.why}" for one in report.outcomes if one.status != "settled"]
    lines += [f"{scope} unread: {why}" for scope, why in report.plan.unread.items()]
    return "\n".join([f"the pass was {report.outcome}", *report.plan.conflicts, *lines])
