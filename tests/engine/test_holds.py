"""When a creation has to wait: what is remembered, and for how long it counts."""

from __future__ import annotations

import pytest

from reconciler.engine.holds import holds
from reconciler.model.address import Address
from reconciler.model.remembered import Remembered
from reconciler.model.things import World
from tests.engine.build import thing, world
from tests.harness import FACTS

ONE, OTHER = Address("site", "one"), Address("site", "other")


def held(remembered: Remembered, now: float, seen: World | None = None) -> set[Address]:
    missing = {ONE: (), OTHER: ()}
    found = holds(remembered, missing=missing, world=seen or world(), now=now, grace=5, facts=FACTS)
    assert all(found.values())
    return set(found)


@pytest.mark.parametrize(("found", "seconds"), [(False, 5), (True, 60)])
def test_without_memory_everything_waits_longer_where_others_are(found: bool, seconds: float) -> None:
    fresh = Remembered(since=100, fresh=True, found=found)
    assert held(fresh, 100 + seconds - 0.1) == {ONE, OTHER}
    assert held(fresh, 100 + seconds) == set()


def test_with_memory_nothing_waits() -> None:
    assert held(Remembered(since=100), 100) == set()


def test_an_attempt_without_an_answer_holds_its_address_for_a_minute() -> None:
    remembered = Remembered(since=0, intents={ONE: 100})
    assert held(remembered, 159.9) == {ONE}
    assert held(remembered, 160) == set()


def test_a_creation_that_no_list_shows_is_believed_for_five_minutes() -> None:
    remembered = Remembered(since=0, created={ONE: ("site-1", 100)})
    assert held(remembered, 399.9) == {ONE}
    assert held(remembered, 400) == set()


def test_a_creation_that_aws_lists_as_dead_is_not_waited_for() -> None:
    remembered = Remembered(since=0, created={ONE: ("site-1", 100)}, seen={OTHER: ("site-2", 50.0)})
    dead = [thing("site/one", "site-1"), thing("site/other", "site-2")]
    assert held(remembered, 101, world(dead=dead)) == set()


def test_what_was_there_is_missed_twice_before_it_is_made_again() -> None:
    assert held(Remembered(since=0, seen={ONE: ("site-1", 50.0)}), 100) == {ONE}


@pytest.mark.parametrize(
    "remembered",
    [
        Remembered(since=0, intents={ONE: 100}),
        Remembered(since=0, tokens={ONE: 100}),
        Remembered(since=0, created={ONE: ("site-1", 100)}),
        Remembered(since=0, seen={ONE: ("site-1", 90.0)}),
    ],
)
def test_what_may_exist_under_an_earlier_address_is_not_made_under_the_new_one(
    remembered: Remembered,
) -> None:
    new = Address("site", "new")
    found = holds(remembered, missing={new: [ONE]}, world=world(), now=101, grace=5, facts=FACTS)
    assert found.keys() == {new}


def test_a_token_lets_the_same_creation_be_sent_again_at_once() -> None:
    assert held(Remembered(since=0, tokens={ONE: 100}), 100) == set()
