"""What stops a whole pass before its first change."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.engine.guard import Stop, over_budget, shrunk
from reconciler.model.address import Address
from tests.engine.build import planner, thing, wish, world


def verdict(wanted: int, owned: int, renamed: int = 0, **allowed: bool) -> Stop | None:
    """The first `wanted` of `owned` things are still in the config."""
    seen = world(*(thing(f"vpc/{n}") for n in range(owned)))
    return shrunk(
        wanted=[Address("vpc", str(n)) for n in range(wanted)],
        renamed=[Address("vpc", str(owned - 1 - n)) for n in range(renamed)],
        world=seen,
        allow_empty=allowed.get("empty", False),
        allow_shrink=allowed.get("shrink", False),
    )


@pytest.mark.parametrize(
    ("wanted", "owned", "stops"),
    [(4, 4, False), (2, 4, False), (1, 4, True), (1, 1, False), (1, 3, True), (3, 0, False), (9, 4, False)],
)
def test_more_than_half_may_not_vanish(wanted: int, owned: int, stops: bool) -> None:
    assert (verdict(wanted, owned) is not None) is stops


def test_it_says_what_is_lost_and_how_to_agree() -> None:
    stop = verdict(1, 4)
    assert stop is not None
    guard, why, _ = stop
    assert guard == "shrink"
    assert "vpc/3" in why
    assert "3 of the 4" in why
    assert "--allow-shrink" in why
    assert verdict(1, 4, shrink=True) is None


@pytest.mark.parametrize("owned", [0, 3])
def test_an_empty_config_is_a_mistake_until_somebody_says_no(owned: int) -> None:
    stop = verdict(0, owned)
    assert stop is not None
    assert stop.guard == "empty"
    assert "--allow-empty" in stop.why
    assert verdict(0, owned, shrink=True) is not None
    assert verdict(0, owned, empty=True) is None


def test_a_renamed_address_is_not_lost() -> None:
    assert verdict(1, 4, renamed=2) is None


@pytest.mark.parametrize(
    ("limits", "stops"),
    [
        ({}, True),  # a fifth of four, rounded up, is one
        ({"percent": 100}, False),
        ({"percent": 100, "deletes": 2}, False),
        ({"deletes": 1}, True),
        ({"deletes": 0}, True),
        ({"percent": 50}, False),
        ({"percent": 49}, False),  # rounded up
        ({"percent": 25}, True),
        ({"deletes": 5, "percent": 25}, True),
        ({"deletes": 1, "percent": 100}, True),
        ({"percent": 100, "per-hour": 2}, False),
        ({"percent": 100, "per-hour": 1}, True),
    ],
)
def test_the_budget_of_deletions(limits: dict[str, Any], stops: bool) -> None:
    seen = world(*(thing(f"site/{n}") for n in range(4)))
    wanted = [wish(f"site/{n}") for n in range(2)]
    plan = planner(wanted, seen).plan()
    stop = over_budget(plan, limits, seen)
    assert (stop is not None) is stops
    if stop:
        assert stop.guard in (limits or {"percent"})
        assert "site/2" in stop.why


@pytest.mark.parametrize("how", ["create-first", "delete-first"])
def test_a_replacement_counts_as_a_deletion(how: str) -> None:
    seen = world(
        *(thing(f"subnet/{n}", raw={"VpcId": "vpc-1", "CidrBlock": f"10.{n}.0.0/16"}) for n in range(4))
    )
    moved = [
        wish(f"subnet/{n}", {"VpcId": "vpc-1", "CidrBlock": f"10.{n}.0.0/17"}, replace=how) for n in range(2)
    ]
    kept = [wish(f"subnet/{n}", {"VpcId": "vpc-1", "CidrBlock": f"10.{n}.0.0/16"}) for n in range(2, 4)]
    plan = planner([*moved, *kept], seen).plan()
    stop = over_budget(plan, {"percent": 100, "deletes": 1}, seen)
    assert stop is not None
    assert "2 things would be deleted or replaced (subnet/0, subnet/1)" in stop.why
    assert over_budget(plan, {"percent": 100, "deletes": 2}, seen) is None


@pytest.mark.parametrize(("before", "stops"), [(0, False), (1, False), (2, True), (9, True)])
def test_what_was_deleted_in_the_last_hour_counts(before: int, stops: bool) -> None:
    seen = world(*(thing(f"site/{n}") for n in range(4)))
    plan = planner([wish("site/0"), wish("site/1")], seen).plan()
    stop = over_budget(plan, {"percent": 100, "per-hour": 3}, seen, before)
    assert (stop is not None) is stops
    if stop:
        assert f"after {before} in the last hour" in stop.why


def test_nothing_to_delete_is_within_every_budget() -> None:
    seen = world(thing("site/0"))
    assert over_budget(planner([wish("site/0")], seen).plan(), {"deletes": 0, "per-hour": 0}, seen, 7) is None
