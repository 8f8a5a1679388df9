"""Which addresses are made by one call, and how a tag lists them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.engine.batches import RECENT, batches, unlisted
from reconciler.model.address import NAME, Address
from reconciler.model.batch import LONGEST, parsed, seed, written
from reconciler.model.calls import token
from reconciler.model.things import BATCH_TAG, Desired, Ref, World
from tests.engine.build import thing, wish, world
from tests.harness import FACTS, STACK

NAMES = st.from_regex(NAME, fullmatch=True) | st.builds(
    "{}{}{}".format,
    st.sampled_from(["gpu.", "a-1-", "0", "x"]),
    st.integers(0, 1200).flatmap(lambda n: st.sampled_from([f"{n}", f"{n:04}"])),
    st.sampled_from(["", "-b", "0"]),
)


def machines(*names: str) -> list[Address]:
    return [Address("instance", name) for name in names]


@given(st.lists(NAMES, min_size=1, max_size=30, unique=True))
@example(["9", "10", "11"])
@example(["08", "09", "10", "12"])
@example(["a", "ab", "abb"])
@example(["1-1", "1-2", "2-1", "2-2"])
def test_a_tag_lists_any_addresses_in_any_order(names: list[str]) -> None:
    addresses = machines(*names)
    text = written(addresses)
    assert not set(text) - set("abcdefghijklmnopqrstuvwxyz0123456789._-/=+:"), "what all services take"
    if len(text) <= LONGEST:
        assert parsed(text) == tuple(addresses)
    else:
        with pytest.raises(ValueError, match="no addresses"):
            parsed(text)


@pytest.mark.parametrize(
    ("names", "text"),
    [
        ([f"gpu.{n}" for n in range(50)], "instance/gpu.=0:49"),
        ([f"n-{n:03}" for n in (*range(8, 12), 20)], "instance/n-0=08:11+20"),
        ([f"{zone}-{n}.eu" for zone in "ab" for n in (1, 2, 3)], "instance/=a-1:3+b-1:3=.eu"),
        (["one", "other"], "instance/o=ne+ther"),
    ],
)
def test_and_is_short_and_plain(names: list[str], text: str) -> None:
    assert written(machines(*names)) == text


@given(st.text("ab1/=+:.-", max_size=30))
@example("instance/gpu.=0:49:50")
@example("instance/=2:1")
@example("instance/=1:1000000000000")
@example("instance/=a+a")
@example("instance/gpu.=0+1+2")
@example("instance/gpu.1")
def test_whatever_else_stands_there_lists_nothing(text: str) -> None:
    try:
        found = parsed(text)
    except ValueError:
        return
    assert written(found) == text, "there is one text for some addresses"


# ---- which go together


def machine(name: str, **more: Any) -> Desired:
    spec = {"InstanceType": "t3.micro", "SubnetId": Ref(Address("subnet", "s")), **more.pop("spec", {})}
    return wish(f"instance/{name}", spec, **more)


def together(*wanted: Desired) -> list[list[str]]:
    found = batches({desired.address: desired for desired in wanted}, FACTS)
    assert all(address in batch for address, batch in found.items())
    return [[address.name for address in batch] for batch in dict.fromkeys(found.values())]


@pytest.mark.parametrize(
    "other",
    [
        {"spec": {"InstanceType": "t3.small"}},
        {"spec": {"SubnetId": "${subnet/s}-"}},
        {"region": "eu-west-1"},
        {"account": "210987654321"},
        {"protect": True},
        {"depends_on": (Address("instance", "a"),)},
    ],
)
def test_what_is_alike_goes_together_and_what_is_not_does_not(other: dict[str, Any]) -> None:
    a, c = machine("a", tags={"Name": "a"}), machine("c", tags={"Name": "c", "more": "x"})
    assert together(a, machine("b", **other), c) == [["a", "c"]]


def test_no_batch_is_larger_than_a_call_or_a_tag_can_hold_and_more_at_the_end_change_none() -> None:
    plain = [machine(f"m-{n}") for n in range(230)]
    found = together(*plain)
    assert list(map(len, found)) == [100, 100, 30]
    assert together(*plain[:229])[:2] == found[:2]
    long = [machine(f"{'x' * 40}{n * n * n}y{n}") for n in range(60)]
    found = together(*long)
    assert sum(found, []) == [desired.address.name for desired in long]  # noqa: RUF017
    assert all(len(written(machines(*names))) <= LONGEST for names in found)
    assert together(machine("alone")) == together(wish("vpc/a"), wish("vpc/b")) == []


# ---- what no list shows yet

TEXT = "instance/m-=0:2"
BATCH = parsed(TEXT)
MADE = 1_800_000_000.0


def born(index: int, stack: str = STACK, **more: Any) -> Any:
    """One of the batch that a call for a stack has made, named by now."""
    raw = {
        "AmiLaunchIndex": index,
        "LaunchTime": "2027-01-15T08:00:00.000Z",
        "ClientToken": token(seed(stack, TEXT), 0),
    }
    return thing(
        f"instance/m-{index}", f"i-{index}", {**raw, **more.pop("raw", {})}, tags={BATCH_TAG: TEXT}, **more
    )


def waits(seen: World, now: float = MADE + 10) -> set[int]:
    return {BATCH.index(address) for address, _ in unlisted(seen, FACTS, BATCH, now)}


def test_what_others_of_its_batch_show_to_be_made_is_waited_for_a_quarter_of_an_hour() -> None:
    assert waits(world(born(1))) == {0, 2}
    assert waits(world(born(1)), MADE + RECENT) == set()
    assert waits(world()) == set()


def test_what_is_shown_dead_is_not_waited_for_and_shows_the_others() -> None:
    assert waits(world(born(0), dead=[born(1, state="terminated")])) == {2}


def test_a_machine_that_is_started_again_was_not_made_then() -> None:
    card = {"Attachment": {"DeviceIndex": 0, "AttachTime": "2027-01-15T07:00:00.000Z"}}
    assert waits(world(born(1, raw={"NetworkInterfaces": [card]}))) == set()
    card["Attachment"]["AttachTime"] = "2027-01-15T08:00:01.000Z"
    assert waits(world(born(1, raw={"NetworkInterfaces": [card]}))) == {0, 2}


def test_a_copied_tag_shows_nothing() -> None:
    assert waits(world(born(1, raw={"ClientToken": "another"}))) == set()
    assert waits(world(born(1, stack="theirs"))) == set()
