"""Random worlds, as a state machine of hypothesis: one local AWS, one state directory, one config, and all that may
happen to them.  Run by `tests/faults/test_worlds.py` for a little and by `benchmarks/worlds.py` for long.

Every rule that lets the program work is judged by `model`, pass by pass.  At the end the faults stop, the other hand
puts right what stops an address by design, and the estate must be what the config says.
"""

from __future__ import annotations

import io
import json
import logging
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from copy import deepcopy
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from reconciler import log
from reconciler.errors import GuardError
from reconciler.kinds import BY_NAME
from reconciler.loop import Loop, under_way
from reconciler.model.plan import Report
from reconciler.sandbox import Call
from reconciler.workers import workers
from tests.faults.worlds.estates import GENEROUS, SECRET, SUBJECTS, Wishes
from tests.faults.worlds.hands import OWNER, Hand
from tests.faults.worlds.model import differs_for_good, is_ours, is_protected, judge, unequal
from tests.faults.worlds.truth import Thing, Truth, everything
from tests.harness import STACK, Host, Time, host, read

HOUR = 3600.0
ATTEMPTS = 3
"""How often the SDK sends a request that is no creation, at most."""
WAITS = (0.3, 1, 5, 15, 60)
PATIENCE = 60
"""Passes after which an estate must have settled that nothing disturbs."""
FIGURES: Counter[str] = Counter()
"""What has happened in all worlds so far."""
CODES = {
    "ec2": {
        "denied": ("UnauthorizedOperation", 403),
        "broken": ("InternalError", 500),
        "throttled": ("RequestLimitExceeded", 503),
    },
    "networkmanager": {
        "denied": ("AccessDeniedException", 403),
        "broken": ("InternalServerException", 500),
        "throttled": ("ThrottlingException", 429),
    },
}

which = st.integers(0, 40)
"""Chooses one of what there is: the number modulo how many there are."""
then = st.integers(0, 2)
"""How many passes follow at once."""


class Died(BaseException):
    """The process is gone: nothing catches this."""


class SteppedTime(Time):
    """The host's clock, which may be behind AWS's."""

    behind = 0.0

    def now(self) -> float:
        return super().now() - self.behind


class Worlds(RuleBasedStateMachine):
    """One world."""

    def __init__(self) -> None:
        super().__init__()
        self._things_of = ExitStack()
        folder = Path(self._things_of.enter_context(tempfile.TemporaryDirectory(prefix="world-")))
        quotas = {"GlobalNetwork": 100}
        self.ops = self._things_of.enter_context(host(folder, page_size=100, quotas=quotas))
        self.ops.use(workers(1), SteppedTime(self.ops.aws.clock))
        self._log = self._things_of.enter_context(_logged())
        self._things_of.enter_context(_waiting_moves(self.ops))
        self.hand = Hand(self.ops, folder / "of-somebody-else")
        self.wishes = Wishes()
        self.kinds: set[str] = set()
        self.process: Loop | None = None
        self.lag = 0.0
        self.last: Report | None = None
        self.copies: set[str] = set()
        self._truth: Truth | None = None
        self._effects: Counter[str] = Counter()
        self._made: Counter[str] = Counter()
        self._begun: Counter[str] = Counter()
        self._calls = 0
        self._dies: tuple[str, int] | None = None
        self._dead = False
        self._foreign_edits: Counter[str] = Counter()
        self.ops.aws.on_call.append(self._on_call)
        FIGURES["worlds"] += 1

    # ---- people edit the config

    @initialize(subjects=st.lists(which, min_size=1, max_size=5), made=st.sampled_from([True, True, False]))
    def begin(self, subjects: list[int], made: bool) -> None:
        for number in subjects:
            self._want(SUBJECTS[number % len(SUBJECTS)])
        if made:
            self._until_still(PATIENCE, "settles")

    @rule(number=which, then=then)
    def want(self, number: int, then: int) -> None:
        self._want(SUBJECTS[number % len(SUBJECTS)])
        self._edited(then)

    @precondition(lambda self: self.wishes.by_slot)
    @rule(number=which, then=then)
    def drop(self, number: int, then: int) -> None:
        self.wishes.drop(_chosen(sorted(self.wishes.by_slot), number))
        self._edited(then)

    @precondition(lambda self: self.wishes.subjects)
    @rule(
        number=which,
        variant=st.sampled_from(["base", "update", "fixed"]),
        replace=st.sampled_from([None, "delete-first", "create-first"]),
        protect=st.sampled_from([None, False]),
        then=then,
    )
    def vary(self, number: int, variant: str, replace: str | None, protect: bool | None, then: int) -> None:
        wish = _chosen(self.wishes.subjects, number)
        wish.protect = protect if replace else wish.protect
        self.wishes.vary(wish.slot, variant, replace)
        self._note_kinds()
        self._edited(then)

    @precondition(lambda self: self.wishes.by_slot)
    @rule(
        number=which,
        protect=st.sampled_from([None, True, False]),
        name=st.sampled_from([None, "one", "two"]),
        ignore=st.sampled_from([[], ["Tags"], ["Description"]]),
        then=then,
    )
    def say(self, number: int, protect: bool | None, name: str | None, ignore: list[str], then: int) -> None:
        wish = _chosen(sorted(self.wishes, key=lambda wish: wish.slot), number)
        wish.protect, wish.tags = protect, {"Name": name, "team": "ours"}
        wish.ignore = [path for path in ignore if path == "Tags" or path in wish.spec]
        self._edited(then)

    @precondition(lambda self: self.wishes.by_slot)
    @rule(number=which, then=then)
    def rename(self, number: int, then: int) -> None:
        self.wishes.rename(_chosen(sorted(self.wishes.by_slot), number))
        self._edited(then)

    @rule(deletes=st.sampled_from([1, 3, 1000]), percent=st.sampled_from([10, 50, 100]), then=then)
    def limit(self, deletes: int, percent: int, then: int) -> None:
        self.wishes.limits = {**GENEROUS, "deletes": deletes, "percent": percent}
        self._edited(then)

    @rule(mode=st.sampled_from(["full", "full", "upsert", "observe"]), then=then)
    def mode(self, mode: str, then: int) -> None:
        self.wishes.mode = mode
        self._edited(then)

    # ---- the program works

    @rule(passes=st.integers(1, 4), pause=st.sampled_from([0.3, 7.0, 70.0]))
    def work(self, passes: int, pause: float) -> None:
        self._work(passes, pause)

    @rule()
    def settle(self) -> None:
        self._until_still(len(WAITS) + 3)

    @rule(call=st.integers(1, 8), moment=st.sampled_from(["before", "after"]))
    def die(self, call: int, moment: str) -> None:
        """The process is killed around one of its next changing calls."""
        self._dies = (moment, self._calls + call)
        for wait in (0.3, 7.0, 70.0):
            if self._pass() == "died":
                break
            self._wait(wait)
        self._dies, self.process = None, None

    @rule(call=st.integers(1, 4), moment=st.sampled_from(["before", "after"]))
    def die_and_forget(self, call: int, moment: str) -> None:
        """And its state directory is lost."""
        self.die(call, moment)
        self._forget()

    @rule(memory=st.booleans())
    def restart(self, memory: bool) -> None:
        self.process = None
        if not memory:
            self._forget()

    # ---- AWS has a bad day

    @precondition(lambda self: self.kinds)
    @rule(
        number=st.integers(0, 200),
        sort=st.sampled_from(["denied", "broken", "throttled", "drop", "lose_answer", "truncate"]),
        times=st.integers(1, 5),
    )
    def fail(self, number: int, sort: str, times: int) -> None:
        service, operation = _chosen(sorted(self._operations()), number)
        if sort in CODES["ec2"]:
            code, status = CODES.get(service, CODES["ec2"])[sort]
            self.ops.aws.fail(service, operation, code=code, status=status, times=times)
        else:
            getattr(self.ops.aws, sort)(service, operation, times=times)
        FIGURES["faults"] += 1

    @precondition(lambda self: not self.lag)
    @rule(seconds=st.sampled_from([2.0, 4.0, 20.0, 50.0]))
    def lag_behind(self, seconds: float) -> None:
        self.lag = seconds
        for service in ("ec2", "networkmanager"):
            self.ops.aws.hide(service, seconds=seconds)
        FIGURES["faults"] += 1

    @rule()
    def calm(self) -> None:
        self.ops.aws.clear_faults()
        self.ops.aws.on_call.append(self._on_call)
        self.lag = 0.0

    # ---- time

    @rule(hours=st.sampled_from([1, 5, 30]))
    def jump(self, hours: int) -> None:
        """The host was asleep."""
        self._wait(hours * HOUR)

    @rule(seconds=st.sampled_from([1.0, 30.0]))
    def step_back(self, seconds: float) -> None:
        """The host's clock is set back; AWS's is not."""
        self._time.behind += seconds

    # ---- another hand

    @precondition(lambda self: self._subjects())
    @rule(number=which, variant=st.sampled_from(["base", "update"]), then=then)
    def edit_by_hand(self, number: int, variant: str, then: int) -> None:
        thing = _chosen(self._subjects(), number)
        wish = self.wishes.at(thing.claim)
        assert wish is not None, "a subject is wanted"
        if variant == wish.variant:
            return
        self._no_flapping(thing)
        other = deepcopy(self.wishes)
        other.vary(wish.slot, variant, None)
        self._by_hand(self.hand.edit(thing, other.text()), then)

    @precondition(lambda self: self._tagged())
    @rule(number=which, name=st.sampled_from(["Name", "team", "theirs"]), then=then)
    def tag_by_hand(self, number: int, name: str, then: int) -> None:
        thing = _chosen(self._tagged(), number)
        self._no_flapping(thing)
        self._by_hand(self.hand.tag(thing, {name: "by hand"}), then)

    @precondition(lambda self: self._unused())
    @rule(number=which, keys=st.sampled_from([OWNER, OWNER[:1], OWNER[1:]]), then=then)
    def untag_by_hand(self, number: int, keys: tuple[str, ...], then: int) -> None:
        self._by_hand(self.hand.untag(_chosen(self._unused(), number), keys), then)

    @precondition(lambda self: self._unused())
    @rule(number=which, then=then)
    def delete_by_hand(self, number: int, then: int) -> None:
        self._by_hand(self.hand.delete(_chosen(self._unused(), number)), then)

    @precondition(lambda self: self.hand.births)
    @rule(
        number=which,
        keys=st.sampled_from([(), OWNER, OWNER[:1], OWNER[1:]]),
        stack=st.sampled_from([STACK, "theirs"]),
        then=then,
    )
    def copy_by_hand(self, number: int, keys: tuple[str, ...], stack: str, then: int) -> None:
        """A look-alike, another stack's thing, or one with our tags on it."""
        before = set(self.truth())
        self._by_hand(self.hand.copy(_chosen(sorted(self.hand.births), number), keys, stack))
        self.copies |= self.truth().keys() - before
        self._work(then)

    # ---- the end

    def teardown(self) -> None:
        try:
            if sys.exc_info()[0] is None:
                self._end()
        finally:
            self._things_of.close()

    def _end(self) -> None:
        """The faults stop, and all becomes as the config says."""
        self.calm()
        self._wait(2 * HOUR)
        self.wishes.limits, self.wishes.mode, self.process = GENEROUS, "full", None
        self._put_right()
        self._until_still(PATIENCE, "protected things stay")
        kept = [thing for thing in self.truth().values() if thing.has_both_tags and is_protected(thing)]
        addresses = {wish.address for wish in self.wishes}
        released = [thing for thing in kept if thing.claim not in addresses]
        for thing in released:
            self._by_hand(self.hand.tag(thing, {"reconciler:protect": "false"}))
        self._put_right()
        self.process = None
        self._until_still(PATIENCE, "settles")
        self.process = None
        problems = list(unequal(self.ops, self.truth(), self.wishes))
        self._must_not(problems, self.last)
        self._writes_nothing()
        self._plans_alike()
        self._told_no_secret()

    def _put_right(self) -> None:
        """What stops an address by design is put right by people."""
        while self.hand.repair(self.truth(), self.copies):
            self._truth = None
        self._wait(60)  # what is being deleted claims its address for so long
        holders = {
            wish.slot: thing
            for wish in self.wishes
            for thing in self.truth().values()
            if thing.claim in {wish.address, *wish.previously} and is_ours(thing, self.truth())
        }
        for wish in self.wishes.subjects:
            if differs_for_good(self.ops, wish, holders):
                wish.replace = wish.replace or "delete-first"
                wish.protect = False
        self._edited()

    def _writes_nothing(self) -> None:
        self.process = None
        self.ops.aws.clear_calls()
        report = self._pass()
        made = [call.operation for call in self.ops.aws.writes]
        assert made == [], f"a settled estate was written to: {made}"
        assert isinstance(report, Report)
        assert report.outcome == "settled", _told(report)

    def _plans_alike(self) -> None:
        """The plan with an empty state directory is the plan with the old one."""
        plan = self.ops.plan(self.wishes.text())
        self._forget()
        assert self.ops.plan(self.wishes.text()) == plan

    def _told_no_secret(self) -> None:
        log.flush()
        texts = {"the log": self._log.getvalue()}
        texts |= {str(path): path.read_text() for path in self.ops.state.glob("*") if path.is_file()}
        for where, text in texts.items():
            assert SECRET not in text, f"a secret is in {where}"
        assert '"unit.failed"' not in texts["the log"], texts["the log"]

    # ---- how a pass is watched

    def _pass(self) -> Report | str:
        """One look of the process, which is begun where there is none; "guarded" or "died" instead of a report."""
        before, self._effects = self.truth(), Counter()
        found: Report | str
        try:
            found = self.last = self._running().one_pass("test")
        except GuardError:
            found = "guarded"
        except Died:
            found, self.process, self._dead = "died", None, False
            FIGURES["kills"] += 1
        FIGURES["passes"] += 1
        FIGURES["changes"] += sum(self._effects.values())
        problems = []
        if self._effects:
            self._truth = None
            if found == "guarded":
                problems.append(f"a guard has stopped it, and it made {dict(self._effects)}")
            unread = found.plan.unread if isinstance(found, Report) else ()
            places = {(scope.kind, scope.region) for scope in unread}
            problems += judge(
                before,
                self.truth(),
                self.wishes,
                created=self._created(),
                unread=places,
                calm=not self.lag,
                foreign={*self.copies, *self.hand.taken},
            )
            problems += self._unaudited()
        self._must_not(problems, found)
        return found

    def _created(self) -> Counter[str]:
        """How many things the last pass has created, by kind."""
        return Counter(
            {
                kind: self._effects[record.create]
                for kind, record in BY_NAME.items()
                if self._effects[record.create]
            }
        )

    def _work(self, passes: int, pause: float = 7.0) -> None:
        for _ in range(passes):
            self._pass()
            self._wait(pause)

    def _running(self) -> Loop:
        if self.process is None:
            self.process = self.ops.loop(self.wishes.text(), allow_empty=True, allow_shrink=True)
            self.process.memory.begin()
        return self.process

    def _must_not(self, problems: list[str], found: object) -> None:
        FIGURES["violations"] += bool(problems)
        told = _told(found) if isinstance(found, Report) else str(found)
        assert not problems, "\n".join([*problems, told])

    def _until_still(self, most: int, must: str = "") -> None:
        for number in range(most):
            report = self._pass()
            if isinstance(report, Report) and not under_way(report):
                return
            self._wait(WAITS[min(number, len(WAITS) - 1)])
        assert not must, (
            f"{must}: not after {most} passes\n{_told(report) if isinstance(report, Report) else report}"
        )

    def _unaudited(self) -> Iterator[str]:
        begun = self._begun + self._on_record()
        for api, count in self._made.items():
            creates = api.partition(":")[2] in {record.create for record in BY_NAME.values()}
            if count > begun[api] * (1 if creates else ATTEMPTS):
                yield f"{api} took effect {count} times, and the audit log has {begun[api]}"

    def _on_record(self) -> Counter[str]:
        path = self.ops.state / "audit.jsonl"
        lines = map(json.loads, path.read_text().splitlines()) if path.exists() else ()
        return Counter(line["api"] for line in lines if line["what"] == "begun")

    def _on_call(self, moment: str, call: Call) -> None:
        if self.hand.busy:
            return
        if self._dead:  # no other thread of a dead process makes a call
            raise Died
        if not call.is_write:
            return
        if moment == "before":
            self._calls += 1
        else:
            self._effects[call.operation] += 1
            self._made[f"{call.service}:{call.operation}"] += 1
            if call.operation in {record.create for record in BY_NAME.values()}:
                address = _address_in(call.parameters)
                self.hand.births[address] = call
        if self._dies == (moment, self._calls):
            self._dead = True
            raise Died

    @property
    def _time(self) -> SteppedTime:
        assert isinstance(self.ops.time, SteppedTime)
        return self.ops.time

    # ---- small things

    def truth(self) -> Truth:
        """What there is, read again where something was changed."""
        if self._truth is None:
            kinds = {parent for kind in self.kinds if (parent := BY_NAME[kind].read.within)} | self.kinds
            self._truth = everything(self.ops, kinds)
        return self._truth

    def _want(self, slot: str) -> None:
        self.wishes.want(slot)
        self._note_kinds()

    def _note_kinds(self) -> None:
        kinds = {wish.kind for wish in self.wishes}
        if kinds - self.kinds:
            self.kinds |= kinds
            self._truth = None

    def _edited(self, then: int = 0) -> None:
        if self.process is not None:
            self.process.take(read(self.wishes.text()))
        FIGURES["edits"] += 1
        self._work(then)

    def _wait(self, seconds: float) -> None:
        self.ops.aws.clock.advance(seconds)

    def _forget(self) -> None:
        """The state directory is lost; without it, lists that lag by more than seconds are beyond what is promised."""
        self._begun += self._on_record()
        self._wait(self.lag)
        self.process = None
        self.ops.forget()

    def _by_hand(self, done: bool, then: int = 0) -> None:
        self._truth = None
        FIGURES["by hand"] += done
        self._work(then)

    def _no_flapping(self, thing: Thing) -> None:
        """What is put right again and again within an hour is left to people: that is not what is tried here."""
        self._foreign_edits[thing.id] += 1
        if self._foreign_edits[thing.id] % 2 == 0:
            self._wait(1.1 * HOUR)

    def _tagged(self) -> list[Thing]:
        truth = self.truth()
        return [truth[id] for id in sorted(truth) if truth[id].claim or truth[id].stack]

    def _unused(self) -> list[Thing]:
        others = list(self.truth().values())
        return [thing for thing in self._tagged() if not any(other.mentions(thing) for other in others)]

    def _subjects(self) -> list[Thing]:
        addresses = {wish.address for wish in self.wishes.subjects}
        truth = self.truth()
        return [thing for thing in self._tagged() if thing.claim in addresses and is_ours(thing, truth)]

    def _operations(self) -> set[tuple[str, str]]:
        found = {("ec2", "DescribeTags"), ("ec2", "CreateTags"), ("networkmanager", "TagResource")}
        for kind in self.kinds:
            record = BY_NAME[kind]
            names = [record.read.operation, record.create, record.update, record.delete]
            names += [one.operation for one in (*record.read.companions, *record.read.details)]
            found |= {(record.service, name) for name in names if name}
        return found


def _chosen(things: Any, number: int) -> Any:
    return things[number % len(things)]


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


@contextmanager
def _logged() -> Iterator[io.StringIO]:
    """All lines of the log, which is put back as it was."""
    stream, root = io.StringIO(), logging.getLogger()
    handlers, level = list(root.handlers), root.level
    hooks = sys.excepthook, sys.unraisablehook
    log.configure(format="json", stream=stream, environment={})
    try:
        yield stream
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        sys.excepthook, sys.unraisablehook = hooks


@contextmanager
def _waiting_moves(ops: Host) -> Iterator[None]:
    """The SDK's waits between attempts move the held clock."""
    with patch("botocore.endpoint.time", SimpleNamespace(sleep=ops.aws.clock.advance)):
        yield
