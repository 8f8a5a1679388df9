"""What was concluded is remembered only for the very same things and wishes."""

from __future__ import annotations

from reconciler.aws.known import Known
from reconciler.engine.memo import Memo
from reconciler.model.things import Observed, Scope
from reconciler.model.verdicts import Settled, Steps
from tests.engine.build import thing, wish
from tests.harness import FACTS, STACK


def test_a_wish_whose_references_mean_something_else_now_is_decided_anew() -> None:
    memo, seen = Memo(), thing("site/s", raw={"Description": "a"})
    for text, sort in (("a", Settled), ("a", Settled), ("b", Steps), ("a", Settled)):
        wanted = wish("site/s", {"Description": text})
        assert isinstance(memo.converge(FACTS["site"], wanted, seen, STACK, ()), sort)


def test_another_thing_at_the_address_is_decided_anew() -> None:
    memo, wanted = Memo(), wish("site/s", {"Description": "a"})
    for text, sort in (("a", Settled), ("b", Steps)):
        seen = thing("site/s", raw={"Description": text})
        assert isinstance(memo.converge(FACTS["site"], wanted, seen, STACK, ()), sort)


def test_a_thing_is_the_same_as_long_as_nothing_of_it_has_changed() -> None:
    known = Known(lambda: 0.0)
    scope = Scope("security-group", "1", "us-west-2")

    def look(name: str, rule: str) -> Observed:
        known.turn()
        found = known.thing(scope, "sg-1", {"GroupName": name}, lambda: thing("security-group/g"))
        return known.whole(found, {"Rules": [rule]}, lambda one, more: thing("security-group/g", raw=more))

    first = look("a", "r")
    assert look("a", "r") is first
    assert look("a", "other") is not first
    assert look("b", "other") is not first
