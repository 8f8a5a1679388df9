"""What was concluded is remembered only for the very same things and wishes."""

from __future__ import annotations

import pytest

from reconciler.aws.known import Known
from reconciler.engine.memo import Memo
from reconciler.engine.planner import Planner
from reconciler.model.address import Address
from reconciler.model.things import Desired, Observed, Ref, Scope, World
from reconciler.model.verdicts import Settled, Steps, Verdict
from tests.engine.build import thing, wish
from tests.harness import FACTS, STACK

NETWORK, SITE = Address.parse("global-network/n"), Address.parse("site/s")
WANTED = {
    NETWORK: wish("global-network/n"),
    SITE: wish("site/s", {"Description": Ref(NETWORK, "Description"), "GlobalNetworkId": "gn"}),
}


def concluded(memo: Memo, *things: Observed, resources: dict[Address, Desired] = WANTED) -> Verdict:
    """What is to be done about the site."""
    world = World(stack=STACK, things=things)
    return Planner(stack=STACK, resources=resources, facts=FACTS, world=world, memo=memo).verdict(SITE)


def test_what_is_settled_is_recalled_for_the_very_same_things() -> None:
    memo, network = Memo(), thing("global-network/n", raw={"Description": "a"})
    site = thing("site/s", raw={"Description": "a"})
    first = concluded(memo, network, site)
    assert isinstance(first, Settled)
    assert concluded(memo, network, site) is first


def test_a_wish_whose_references_mean_something_else_now_is_decided_anew() -> None:
    memo, site = Memo(), thing("site/s", raw={"Description": "a"})
    for text, sort in (("a", Settled), ("b", Steps), ("a", Settled)):
        assert isinstance(concluded(memo, thing("global-network/n", raw={"Description": text}), site), sort)


def test_another_thing_at_the_address_is_decided_anew() -> None:
    memo, network = Memo(), thing("global-network/n", raw={"Description": "a"})
    for text, sort in (("a", Settled), ("b", Steps), ("a", Settled)):
        assert isinstance(concluded(memo, network, thing("site/s", raw={"Description": text})), sort)


def test_another_config_is_decided_anew() -> None:
    memo, network = Memo(), thing("global-network/n", raw={"Description": "a"})
    site = thing("site/s", raw={"Description": "a"})
    assert isinstance(concluded(memo, network, site), Settled)
    other = {**WANTED, SITE: wish("site/s", {"Description": "other", "GlobalNetworkId": "gn"})}
    assert isinstance(concluded(memo, network, site, resources=other), Steps)


def test_what_takes_something_from_others_is_decided_anew() -> None:
    kind = "route-table"
    assert any(part.moves for part in FACTS[kind].kind.parts)
    address = Address.parse(f"{kind}/r")
    memo = Memo().of({address: wish(f"{kind}/r")}, FACTS, STACK)
    seen = thing("site/s")
    memo.note(address, seen, (), lambda _: None, Settled())
    assert memo.recall(address, seen, (), lambda _: None) is None


@pytest.mark.parametrize("change", ["making way", "a thing that may not be referred to now"])
def test_what_is_around_a_thing_counts(change: str) -> None:
    memo = Memo().of(WANTED, FACTS, STACK)
    site, network = thing("site/s"), thing("global-network/n")
    memo.note(SITE, site, (), lambda _: network, Settled())
    assert memo.recall(SITE, site, (), lambda _: network) is not None
    if change == "making way":
        assert memo.recall(SITE, site, ("site-1",), lambda _: network) is None
    else:
        assert memo.recall(SITE, site, (), lambda _: None) is None


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
