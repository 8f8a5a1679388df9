"""Random worlds, as a state machine of hypothesis: its rules are all that may happen to a `world.World`.

Run by `tests/faults/test_worlds.py` for a little and by `benchmarks/worlds.py` for long.
"""

from __future__ import annotations

import sys
from copy import deepcopy
from typing import Any

from hypothesis import assume
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from reconciler.kinds import BY_NAME
from tests.conformance.fixture import KINDS
from tests.faults.worlds.estates import GENEROUS, subjects
from tests.faults.worlds.hands import OWNER
from tests.faults.worlds.world import FIGURES, HOUR, PATIENCE, WAITS, World
from tests.harness import STACK

EC2_CODES = {
    "denied": ("UnauthorizedOperation", 403),
    "broken": ("InternalError", 500),
    "throttled": ("RequestLimitExceeded", 503),
}
CODES = {
    "denied": ("AccessDeniedException", 403),
    "broken": ("InternalServerException", 500),
    "throttled": ("ThrottlingException", 429),
}
which = st.integers(0, 40)
"""Chooses one of what there is: the number modulo how many there are."""
then = st.integers(0, 2)
"""How many passes follow at once."""
MOST_KINDS = 3
"""Kinds that a world is about, at most: what they need comes with them."""


class Worlds(RuleBasedStateMachine):
    """One world, and what may happen to it.  It is about a few kinds, and what they need."""

    kinds: tuple[str, ...] = ()
    """What it is about; drawn from all that there are where it is empty."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()

    # ---- people edit the config

    @initialize(
        kinds=st.lists(st.sampled_from(KINDS), min_size=1, max_size=MOST_KINDS, unique=True),
        chosen=st.lists(which, min_size=6, max_size=6),
        made=st.sampled_from([True, True, False]),
        slow=st.booleans(),
    )
    def begin(self, kinds: list[str], chosen: list[int], made: bool, slow: bool) -> None:
        assume(any(chosen))  # what is always told first is the simplest story, in which nothing happens
        kinds = list(self.kinds or kinds)
        self.subjects = subjects(kinds)
        if slow:
            self.world.takes_its_time()
        for kind, number in zip(kinds, chosen, strict=False):
            self.world.add(_chosen(subjects([kind]), number))
        if made:
            self.world.until_still(PATIENCE, "settles")
            self.world.is_as_wanted()

    @rule(number=which, then=then)
    def want(self, number: int, then: int) -> None:
        self.world.add(_chosen(self.subjects, number))
        self.world.edited(then)

    @precondition(lambda self: self.world.wishes.by_slot)
    @rule(number=which, then=then)
    def drop(self, number: int, then: int) -> None:
        self.world.wishes.drop(_chosen(sorted(self.world.wishes.by_slot), number))
        self.world.edited(then)

    @precondition(lambda self: self.world.wishes.subjects)
    @rule(
        number=which,
        variant=st.sampled_from(["base", "update", "fixed"]),
        replace=st.sampled_from([None, "delete-first", "create-first"]),
        protect=st.sampled_from([None, False]),
        then=then,
    )
    def vary(self, number: int, variant: str, replace: str | None, protect: bool | None, then: int) -> None:
        wish = _chosen(self.world.wishes.subjects, number)
        wish.protect = protect if replace else wish.protect
        self.world.wishes.vary(wish.slot, variant, replace)
        self.world.note_kinds()
        self.world.edited(then)

    @precondition(lambda self: self.world.wishes.by_slot)
    @rule(
        number=which,
        protect=st.sampled_from([None, True, False]),
        name=st.sampled_from([None, "one", "two"]),
        ignore=st.sampled_from([[], ["Tags"], ["Description"]]),
        then=then,
    )
    def say(self, number: int, protect: bool | None, name: str | None, ignore: list[str], then: int) -> None:
        wish = _chosen(sorted(self.world.wishes, key=lambda wish: wish.slot), number)
        wish.protect, wish.tags = protect, {"Name": name, "team": "ours"}
        wish.ignore = [path for path in ignore if path == "Tags" or path in wish.spec]
        self.world.edited(then)

    @precondition(lambda self: self.world.wishes.by_slot)
    @rule(number=which, then=then)
    def rename(self, number: int, then: int) -> None:
        self.world.wishes.rename(_chosen(sorted(self.world.wishes.by_slot), number))
        self.world.edited(then)

    @rule(deletes=st.sampled_from([1, 3, 1000]), percent=st.sampled_from([10, 50, 100]), then=then)
    def limit(self, deletes: int, percent: int, then: int) -> None:
        self.world.wishes.limits = {**GENEROUS, "deletes": deletes, "percent": percent}
        self.world.edited(then)

    @rule(mode=st.sampled_from(["full", "full", "upsert", "observe"]), then=then)
    def mode(self, mode: str, then: int) -> None:
        self.world.wishes.mode = mode
        self.world.edited(then)

    # ---- the program works

    @rule(passes=st.integers(1, 4), pause=st.sampled_from([0.3, 7.0, 70.0, 400.0]))
    def work(self, passes: int, pause: float) -> None:
        self.world.carry_on(passes, pause)

    @rule()
    def settle(self) -> None:
        self.world.until_still(len(WAITS) + 3)

    @rule(call=st.integers(1, 8), moment=st.sampled_from(["before", "after"]))
    def die(self, call: int, moment: str) -> None:
        """The process is killed around one of its next changing calls."""
        self.world.dies = (moment, self.world.calls + call)
        for wait in (0.3, 7.0, 70.0):
            if self.world.look_once() == "died":
                break
            self.world.wait(wait)
        self.world.dies, self.world.process = None, None

    @rule(call=st.integers(1, 4), moment=st.sampled_from(["before", "after"]))
    def die_and_forget(self, call: int, moment: str) -> None:
        """And its state directory is lost."""
        self.die(call, moment)
        self.world.forget()

    @rule(memory=st.booleans())
    def restart(self, memory: bool) -> None:
        self.world.process = None
        if not memory:
            self.world.forget()

    # ---- AWS has a bad day

    @precondition(lambda self: self.world.kinds)
    @rule(
        number=st.integers(0, 200),
        sort=st.sampled_from(["denied", "broken", "throttled", "drop", "lose_answer", "truncate"]),
        times=st.integers(1, 5),
    )
    def fail(self, number: int, sort: str, times: int) -> None:
        service, operation = _chosen(sorted(self.world.operations()), number)
        if sort in CODES:
            code, status = (EC2_CODES if service == "ec2" else CODES)[sort]
            self.world.ops.aws.fail(service, operation, code=code, status=status, times=times)
        else:
            getattr(self.world.ops.aws, sort)(service, operation, times=times)
        FIGURES["faults"] += 1

    @precondition(lambda self: not self.world.lag)
    @rule(seconds=st.sampled_from([2.0, 4.0, 20.0, 50.0]))
    def lag_behind(self, seconds: float) -> None:
        self.world.lag = seconds
        for service in sorted({record.service for record in BY_NAME.values()}):
            self.world.ops.aws.hide(service, seconds=seconds)
        FIGURES["faults"] += 1

    @rule()
    def calm(self) -> None:
        self.world.calm()

    # ---- time

    @rule(hours=st.sampled_from([1, 5, 30]))
    def jump(self, hours: int) -> None:
        """The host was asleep."""
        self.world.wait(hours * HOUR)

    @rule(seconds=st.sampled_from([1.0, 30.0]))
    def step_back(self, seconds: float) -> None:
        """The host's clock is set back; AWS's is not."""
        self.world.time.behind += seconds

    # ---- another hand

    @precondition(lambda self: self.world.subjects())
    @rule(number=which, variant=st.sampled_from(["base", "update"]), then=then)
    def edit_by_hand(self, number: int, variant: str, then: int) -> None:
        thing = _chosen(self.world.subjects(), number)
        wish = self.world.wishes.at(thing.claim)
        assert wish is not None, "a subject is wanted"
        if variant == wish.variant:
            return
        self.world.no_flapping(thing)
        other = deepcopy(self.world.wishes)
        other.vary(wish.slot, variant, None)
        self.world.by_hand(self.world.hand.edit(thing, other.text()), then)

    @precondition(lambda self: self.world.tagged())
    @rule(number=which, name=st.sampled_from(["Name", "team", "theirs"]), then=then)
    def tag_by_hand(self, number: int, name: str, then: int) -> None:
        thing = _chosen(self.world.tagged(), number)
        self.world.no_flapping(thing)
        self.world.by_hand(self.world.hand.tag(thing, {name: "by hand"}), then)

    @precondition(lambda self: self.world.unused())
    @rule(number=which, keys=st.sampled_from([OWNER, OWNER[:1], OWNER[1:]]), then=then)
    def untag_by_hand(self, number: int, keys: tuple[str, ...], then: int) -> None:
        self.world.by_hand(self.world.hand.untag(_chosen(self.world.unused(), number), keys), then)

    @precondition(lambda self: self.world.unused())
    @rule(number=which, then=then)
    def delete_by_hand(self, number: int, then: int) -> None:
        thing = _chosen(self.world.unused(), number)
        self.world.no_flapping(thing)  # what is put in after a birth was put right as well
        self.world.by_hand(self.world.hand.delete(thing), then)

    @precondition(lambda self: self.world.hand.births)
    @rule(
        number=which,
        keys=st.sampled_from([(), OWNER, OWNER[:1], OWNER[1:]]),
        stack=st.sampled_from([STACK, "theirs"]),
        then=then,
    )
    def copy_by_hand(self, number: int, keys: tuple[str, ...], stack: str, then: int) -> None:
        """A look-alike, another stack's thing, or one with our tags on it."""
        before = set(self.world.truth())
        self.world.by_hand(self.world.hand.copy(_chosen(sorted(self.world.hand.births), number), keys, stack))
        self.world.copies |= self.world.truth().keys() - before
        self.world.carry_on(then)

    @rule(call=st.integers(1, 4), number=which, what=st.sampled_from(["untag", "untag", "delete", "tag"]))
    def meanwhile(self, call: int, number: int, what: str) -> None:
        """Something is done to a thing while the program works, right before one of its changing calls."""
        self.world.meanwhile = (self.world.calls + call, what, number)
        self.world.carry_on(3)
        self.world.meanwhile = None

    # ---- the end

    def teardown(self) -> None:
        try:
            if sys.exc_info()[0] is None:
                self.world.end()
        finally:
            self.world.held.close()


def _chosen(things: Any, number: int) -> Any:
    return things[number % len(things)]
