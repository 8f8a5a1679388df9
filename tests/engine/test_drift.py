"""What counts as a difference: laws over any values, and AWS's habits one by one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.engine.drift import drift, same_set
from reconciler.model.address import Address
from reconciler.model.things import Parameter, Pending, Text

SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-3, 3), st.sampled_from(["", "a", "b", "1"]))
NAMES = st.sampled_from(["A", "B", "C"])
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
SPECS = st.dictionaries(NAMES, VALUES, max_size=3)


def paths(wanted: Any, seen: Any) -> list[str]:
    return [found.path for found in drift(wanted, seen, "F")]


@given(VALUES)
def test_a_value_does_not_differ_from_itself(value: Any) -> None:
    assert paths(value, value) == []


@given(SPECS, SPECS)
def test_what_is_not_mentioned_never_differs(wanted: dict[str, Any], more: dict[str, Any]) -> None:
    assert paths(wanted, {**more, **wanted}) == []


@given(SPECS, SPECS)
def test_writing_what_is_wanted_ends_the_difference(wanted: dict[str, Any], seen: dict[str, Any]) -> None:
    def write(wish: Any, there: Any) -> Any:
        if isinstance(wish, dict) and isinstance(there, dict):
            return {**there, **{name: write(value, there.get(name)) for name, value in wish.items()}}
        return wish

    assert paths(wanted, write(wanted, seen)) == []


@given(SPECS, SPECS)
def test_each_path_is_told_once_and_holds_what_differs(wanted: dict[str, Any], seen: dict[str, Any]) -> None:
    found = list(drift(wanted, seen, "F"))
    assert len({one.path for one in found}) == len(found)
    assert all(
        (one.path.startswith("F.") and one.wanted != one.seen) or one.wanted is not one.seen for one in found
    )


@given(SPECS, SPECS)
def test_it_is_told_in_the_same_order_each_time(wanted: dict[str, Any], seen: dict[str, Any]) -> None:
    assert list(drift(wanted, seen, "F")) == list(drift(wanted, seen, "F"))


@pytest.mark.parametrize(
    ("wanted", "seen"),
    [
        ("", None),  # a cleared text is read back either way
        (None, ""),
        ([], None),
        ({}, None),
        ({"Address": ""}, None),  # a structure that is cleared altogether
        ({"Address": None}, {}),
    ],
)
def test_nothing_is_nothing_however_it_is_spelt(wanted: Any, seen: Any) -> None:
    assert paths(wanted, seen) == []


@pytest.mark.parametrize(
    ("wanted", "seen", "expected"),
    [
        ("-27.470", "-27.47", ["F"]),  # coordinates come back as they were sent
        (True, 1, ["F"]),
        (0, False, ["F"]),
        (0, None, ["F"]),
        (False, None, ["F"]),
        ("a", None, ["F"]),
        ({"A": 1, "B": {"C": 2}}, {"A": 2, "B": {"C": 3}}, ["F.A", "F.B.C"]),
        ({"A": 1}, None, ["F"]),
        ([1, 2], [1, 3], ["F[1]"]),
        ([1, 2], [1], ["F"]),
        ([{"A": 1}], [{"A": 1, "B": 2}], []),
    ],
)
def test_differences(wanted: Any, seen: Any, expected: list[str]) -> None:
    assert paths(wanted, seen) == expected


def test_what_is_read_only_at_creation_never_differs() -> None:
    image = Parameter("/aws/image")
    assert paths(image, "ami-1") == []
    assert paths(Text(("x-", image)), "x-ami-1") == []
    assert paths({"A": image, "B": 1}, {"A": "ami-1", "B": 2}) == ["F.B"]


def test_what_is_not_known_yet_differs() -> None:
    assert paths(Pending(Address("vpc", "a")), "vpc-1") == ["F"]


@given(st.lists(VALUES, max_size=4), st.randoms(use_true_random=False))
def test_a_set_is_the_same_in_any_order(items: list[Any], random: Any) -> None:
    shuffled = list(items)
    random.shuffle(shuffled)
    assert same_set(items, shuffled)
    assert not same_set(items, [*items, "one more"])
    assert same_set([], None)
