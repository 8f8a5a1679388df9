"""References become values, or say what they wait for."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.engine.resolve import resolve
from reconciler.model.address import Address
from reconciler.model.things import Observed, Parameter, Pending, Ref, Text, within
from tests.engine.build import thing

VPC, SUBNET, LOST = Address("vpc", "a"), Address("subnet", "b"), Address("vpc", "lost")
THERE = {
    VPC: thing("vpc/a", "vpc-1", {"CidrBlock": "10.0.0.0/16"}),
    SUBNET: thing("subnet/b", "subnet-1"),
}


def lookup(address: Address) -> Observed | None:
    return THERE.get(address)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Ref(VPC), "vpc-1"),
        (Ref(VPC, "name"), "vpc-1"),
        (Ref(VPC, "arn"), "arn:vpc-1"),
        (Ref(VPC, "CidrBlock"), "10.0.0.0/16"),
        (Text(("net ", Ref(VPC), "/", Ref(SUBNET))), "net vpc-1/subnet-1"),
        ({"A": [Ref(VPC), {"B": Ref(SUBNET)}]}, {"A": ["vpc-1", {"B": "subnet-1"}]}),
        ("plain", "plain"),
        (Parameter("/x"), Parameter("/x")),
        (Text(("a", Parameter("/x"), Ref(VPC))), Text(("a", Parameter("/x"), "vpc-1"))),
    ],
)
def test_what_is_known_is_filled_in(value: Any, expected: Any) -> None:
    found = resolve(value, lookup)
    assert found.value == expected
    assert found.missing == []


@pytest.mark.parametrize(
    "value", [Ref(LOST), Text(("a", Ref(VPC), Ref(LOST))), {"A": [Ref(VPC), Ref(LOST)]}, Ref(VPC, "Nothing")]
)
def test_what_is_not_known_is_named_once(value: Any) -> None:
    found = resolve([value, value], lookup)
    assert found.missing == [LOST if LOST in {ref.to for ref in within(value, Ref)} else VPC]


def test_a_text_with_an_unknown_part_is_unknown_as_a_whole() -> None:
    assert resolve(Text(("a", Ref(LOST))), lookup).value == Text(("a", Pending(LOST)))


REFS = st.builds(Ref, st.sampled_from([VPC, SUBNET, LOST]), st.sampled_from(["id", "arn"]))
VALUES = st.recursive(
    st.one_of(st.text(max_size=3), REFS, st.builds(Text, st.tuples(st.text(max_size=2), REFS))),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("AB"), inner, max_size=2),
    max_leaves=6,
)


@given(VALUES)
def test_no_reference_is_left_and_just_the_lost_ones_are_missing(value: Any) -> None:
    found = resolve(value, lookup)
    assert list(within(found.value, Ref)) == []
    assert set(found.missing) == {ref.to for ref in within(value, Ref)} & {LOST}
    assert resolve(found.value, lookup).value == found.value
