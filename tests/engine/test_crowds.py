"""Whose turn it is: no more of a crowd than may wait at one end, those of the config first in its order."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from reconciler.engine.crowds import not_in_turn
from reconciler.kinds.peering import TRANSIT_GATEWAY_PEERING_ATTACHMENT as KIND
from reconciler.model.address import Address
from reconciler.model.kind import Crowd
from reconciler.model.things import Desired, Observed, Ref

CROWD = Crowd(most=2, states=frozenset({"asked"}), within=("A", "B"))
ENDS = st.tuples(st.integers(0, 3), st.integers(0, 3)).filter(lambda ends: ends[0] != ends[1])


def desired(name: str, ends: tuple[int, int]) -> Desired:
    spec = {field: Ref(Address("end", str(end))) for field, end in zip("AB", ends, strict=True)}
    return Desired(address=Address("pair", name), account="1", region="r", spec=spec)


def observed(kind: str, name: str, state: str, spec: dict[str, str]) -> Observed:
    about = {"kind": kind, "account": "1", "region": "r", "id": f"id-{name}", "arn": "", "raw": {}}
    return Observed(**about, state=state, spec=spec, tags={}, address=Address(kind, name))  # type: ignore[arg-type]


@given(
    st.lists(ENDS, max_size=12), st.lists(st.tuples(ENDS, st.sampled_from(["asked", "there"])), max_size=4)
)
def test_no_end_has_too_many_and_nobody_waits_for_nothing(
    pairs: list[tuple[int, int]], there: list[tuple[tuple[int, int], str]]
) -> None:
    ends = {Address("end", str(end)): observed("end", str(end), "there", {}) for end in range(4)}
    wanted = [desired(str(number), pair) for number, pair in enumerate(pairs)]
    things = [
        observed("pair", f"x{number}", state, {"A": f"id-{one}", "B": f"id-{other}"})
        for number, ((one, other), state) in enumerate(there)
    ]
    waits = not_in_turn(CROWD, wanted, things, ends.get)
    begun = Counter(end for pair, state in there if state == "asked" for end in pair)
    for one, pair in zip(wanted, pairs, strict=True):
        full = any(begun[end] >= CROWD.most for end in pair)
        assert (one.address in waits) == full
        if not full:
            begun.update(pair)


def test_what_is_not_there_yet_has_no_turn() -> None:
    """It waits for its ends, and says so."""
    assert not_in_turn(CROWD, [desired("a", (0, 1))] * 3, [], lambda _: None) == {}


def test_peerings_have_such_a_crowd() -> None:
    assert KIND.crowd is not None
    assert not KIND.crowd.states & KIND.gone
