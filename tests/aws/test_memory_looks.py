"""What looks teach the memory: what was seen, what is missed twice, what is dead; and what a discovery look found."""

from __future__ import annotations

import json

from reconciler import __version__
from reconciler.aws.discover import Discovered
from reconciler.aws.memory import DISCOVERY_SECONDS, Memory
from reconciler.model.remembered import APART, LOST_ANSWER, UNLISTED
from reconciler.model.things import World

from .remembering import HERE, SITES, START, THERE, VPC, A, B, Time, again, thing, world


def test_a_thing_that_is_seen_needs_no_other_evidence(memory: Memory, time: Time) -> None:
    memory.intend(A)
    memory.made(B, "site-2")
    memory.looked(world(thing(A, "site-1"), thing(B, "site-2")))
    for found in (memory.remembered, again(memory).remembered):
        assert (found.intents, found.created) == ({}, {})
        assert found.seen == {A: ("site-1", None), B: ("site-2", None)}


def test_evidence_that_is_too_old_to_count_is_forgotten(memory: Memory, time: Time) -> None:
    memory.intend(A)
    memory.made(B, "site-2")
    time.now = START + LOST_ANSWER
    memory.looked(world())
    assert memory.remembered.intents == {}
    time.now = START + UNLISTED - 1
    memory.looked(world())
    assert memory.remembered.created == {B: ("site-2", START)}
    time.now += 1
    memory.looked(world())
    assert memory.remembered.created == {}


def test_what_was_never_listed_has_used_up_its_token(memory: Memory, time: Time) -> None:
    memory.made(A, "site-1")
    time.now = START + UNLISTED - 1
    memory.looked(world())
    assert memory.generations == {}
    time.now = START + UNLISTED
    memory.looked(world())
    assert memory.generations == again(memory).generations == {A: 1}


def test_a_thing_is_forgotten_when_two_complete_looks_well_apart_have_missed_it(
    memory: Memory, time: Time
) -> None:
    memory.looked(world(thing(A, "site-1")))
    memory.looked(world())
    assert memory.remembered.seen == again(memory).remembered.seen == {A: ("site-1", START)}
    for _ in range(20):
        time.now += APART / 20 - 0.01
        memory.looked(world())  # so many looks at one moment are one look
    assert memory.remembered.seen == again(memory).remembered.seen == {A: ("site-1", START)}
    time.now = START + APART
    memory.looked(world())
    assert memory.remembered.seen == again(memory).remembered.seen == {}


def test_a_thing_that_is_seen_again_is_missed_from_the_start(memory: Memory, time: Time) -> None:
    for _ in range(3):
        memory.looked(world(thing(A, "site-1")))
        time.now += APART
        memory.looked(world())
    assert memory.remembered.seen == {A: ("site-1", time.now)}


def test_a_clock_that_is_set_back_does_not_make_a_second_look_wait(memory: Memory, time: Time) -> None:
    memory.looked(world(thing(A, "site-1")))
    memory.looked(world())
    time.now = START - 1000
    assert memory.remembered.seen == {A: ("site-1", time.now)}


def test_looks_that_could_not_read_do_not_count(memory: Memory) -> None:
    memory.looked(world(thing(A, "site-1"), thing(VPC, "vpc-1", HERE)))
    for _ in range(5):
        memory.looked(
            world(unread=(SITES, THERE))
        )  # a vpc may be where could not be read, whatever its region was
    assert memory.remembered.seen == {A: ("site-1", None), VPC: ("vpc-1", None)}
    memory.looked(World(stack="ai", read=frozenset({SITES})))  # nobody asked for vpcs
    assert memory.remembered.seen == {A: ("site-1", START), VPC: ("vpc-1", None)}


def test_a_thing_that_aws_lists_as_dead_is_forgotten_at_once(memory: Memory, time: Time) -> None:
    memory.looked(world(thing(VPC, "vpc-1", HERE)))
    memory.looked(world(dead=(thing(VPC, "vpc-1", HERE),)))
    assert memory.remembered.seen == {}
    memory.made(VPC, "vpc-2")
    memory.looked(world(dead=(thing(VPC, "vpc-1", HERE),)))
    assert memory.remembered.created == {VPC: ("vpc-2", time.now)}  # its successor is not


def test_a_thing_that_makes_way_does_not_hold_its_address(memory: Memory) -> None:
    old = thing(A, "site-1")
    object.__setattr__(old, "replaced", True)
    memory.made(A, "site-2")
    memory.looked(world(old))
    assert memory.remembered.seen == {}
    assert memory.remembered.created.keys() == {A}


def test_whether_there_was_anything_before_us(memory: Memory) -> None:
    memory.made(A, "site-1")
    memory.looked(world(thing(A, "site-1")))
    assert not memory.remembered.found  # we have made it ourselves
    memory.looked(world(thing(A, "site-1"), thing(B, "site-2")))
    memory.looked(world())
    assert memory.remembered.found
    assert again(memory).remembered.found


def test_a_settled_look_writes_nothing(memory: Memory) -> None:
    memory.begin()
    settled = world(thing(A, "site-1"), thing(VPC, "vpc-1", HERE))
    memory.looked(settled)
    before = memory.path.stat()
    for _ in range(5):
        memory.looked(settled)
    after = memory.path.stat()
    assert (after.st_ino, after.st_mtime_ns, after.st_size) == (
        before.st_ino,
        before.st_mtime_ns,
        before.st_size,
    )


# ---- what a discovery look found

FOUND = Discovered(
    frozenset({HERE, SITES}),
    frozenset({(HERE, "global-network-1")}),
    {"us-east-1 of 123456789012": "denied"},
    frozenset({"us-east-1 of 123456789012"}),
    frozenset({("123456789012", "us-east-1", "ec2")}),
)


def test_a_discovery_look_is_kept_for_an_hour_and_for_its_config(memory: Memory, time: Time) -> None:
    memory.keep("digest", FOUND)
    assert again(memory).discovered("digest") == FOUND
    assert again(memory).discovered("another") is None
    time.now = START + DISCOVERY_SECONDS - 1
    assert again(memory).discovered("digest") == FOUND
    time.now += 1
    assert again(memory).discovered("digest") is None
    time.now = START - 1
    assert again(memory).discovered("digest") is None  # the clock went back: its age is not known


def test_a_note_that_ends_anywhere_is_no_note(memory: Memory) -> None:
    memory.keep("digest", FOUND)
    note = memory.directory / "discovery.json"
    whole = note.read_bytes()
    for length in range(len(whole)):
        note.write_bytes(whole[:length])
        assert memory.discovered("digest") is None
    for key in json.loads(whole):
        for value in (None, 1, [1], [["site"]], [[1, 2, 3]]):
            note.write_text(json.dumps(json.loads(whole) | {key: value}))
            assert memory.discovered("digest") is None
    note.unlink()
    assert memory.discovered("digest") is None


def test_a_note_of_another_version_is_no_note(memory: Memory) -> None:
    """It may name kinds that this one does not know."""
    memory.keep("digest", FOUND)
    note = memory.directory / "discovery.json"
    note.write_text(note.read_text().replace(f'"{__version__}"', '"99.0"'))
    assert memory.discovered("digest") is None


def test_what_looks_have_missed_takes_its_successor_along_never(memory: Memory, time: Time) -> None:
    """One that was seen makes way, and the new one is not listed yet: looks miss the old one, not the new."""
    memory.looked(world(thing(A, "site-1")))
    old = thing(A, "site-1")
    object.__setattr__(old, "replaced", True)
    memory.made(A, "site-2")
    for _ in range(3):
        memory.looked(world(old))
        time.now += APART
    assert memory.remembered.seen == {}
    assert memory.remembered.created.keys() == again(memory).remembered.created.keys() == {A}
