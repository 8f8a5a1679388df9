"""What is remembered survives a kill at any byte, lies about nothing, and may be lost at any moment.

Memories are compared with what they held before, never with what a second reading makes of the file.
"""

from __future__ import annotations

import logging
import math
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from reconciler.aws.discover import Discovered
from reconciler.aws.memory import Memory
from reconciler.model.address import Address
from reconciler.model.remembered import LOST_ANSWER, Remembered

from .remembering import START, A, B, C, Time, again, held, thing, world


def a_life(time: Time) -> list[Callable[[Memory], None]]:
    """All that can be remembered, one line each."""

    def later(act: Callable[[Memory], None]) -> Callable[[Memory], None]:
        def run(memory: Memory) -> None:
            time.now += 1
            act(memory)

        return run

    return [
        later(Memory.begin),
        later(lambda memory: memory.intend(A)),
        later(lambda memory: memory.made(A, "site-1")),
        later(lambda memory: memory.intend(B)),
        later(lambda memory: memory.refused(B)),
        later(lambda memory: memory.next_generation(C, 3)),
        later(lambda memory: memory.intend(C)),
    ]


# ---- killed at any byte


def test_a_journal_that_ends_anywhere_is_what_was_remembered_then(memory: Memory, time: Time) -> None:
    states = [held(memory)]
    for act in a_life(time):
        act(memory)
        states.append(held(memory))
    whole = memory.path.read_bytes()
    assert whole.count(b"\n") == len(states) - 1
    for length in range(len(whole) + 1):
        memory.path.write_bytes(whole[:length])
        lines = whole[:length].count(b"\n")
        found, generations = held(again(memory))
        if not lines and whole[length : length + 1] != b"\n":
            assert found == Remembered(since=time.now, fresh=True)  # knows that it knows nothing
            assert not generations
        else:
            # a line that lacks nothing but its end is a line
            lines += whole[length : length + 1] == b"\n"
            assert (found, generations) == states[lines]


def test_what_follows_a_line_that_was_cut_is_not_lost(memory: Memory, time: Time) -> None:
    memory.begin()
    memory.intend(A)
    whole = memory.path.read_bytes()
    memory.path.write_bytes(whole[:-5])
    next_one = again(memory)
    next_one.intend(B)  # without having begun: the journal is as the killed process left it
    assert again(memory).remembered.intents == {B: time.now}


def test_garbage_says_nothing_and_hides_nothing(memory: Memory, time: Time) -> None:
    memory.begin()
    memory.intend(A)
    with memory.path.open("ab") as file:
        for line in (
            b"\xff\xfe\x00\x00",
            b"[]",
            b"null",
            b'"intent"',
            b'{"intent": 5, "at": 1}',
            b'{"intent": "no address", "at": 1}',
            b'{"intent": "site/b"}',
            b'{"intent": "site/b", "at": "soon"}',
            b'{"intent": "site/b", "at": 1' + b"0" * 400 + b"}",
            b'{"created": "site/b", "id": null, "at": 1}',
            b'{"seen": "site/b", "id": "x", "missed": "lately"}',
            b'{"generation": "site/b", "value": 1.5}',
            b'{"since": null, "fresh": "no", "found": 1}',
            b'{"later": "site/b", "at": 1}',
        ):
            file.write(line + b"\n")
    memory.intend(C)
    found = again(memory)
    assert found.remembered == Remembered(since=START, fresh=True, intents={A: START, C: START})
    assert found.generations == {}


def test_beginning_writes_the_journal_short_and_keeps_what_it_says(memory: Memory, time: Time) -> None:
    for _ in range(50):
        for act in a_life(time):
            act(memory)
        memory.refused(C)
    memory.intend(C)
    memory.looked(world(thing(B, "site-2")))
    long, before = memory.path.stat().st_size, held(memory)
    memory.begin()
    assert memory.path.stat().st_size < 500 <= long + 500
    assert held(memory) == before == held(again(memory))
    assert [path.name for path in memory.directory.iterdir()] == ["memory.jsonl"]


def test_a_second_process_knows_that_it_is_not_the_first(memory: Memory, time: Time) -> None:
    assert memory.remembered.fresh
    memory.begin()
    time.now += 1000
    found = again(memory).remembered
    assert (found.fresh, found.since) == (
        True,
        START,
    )  # and since when: the wait of the first is not begun anew


@pytest.fixture
def _hasty() -> Iterator[None]:
    """Threads take turns after every few instructions."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("_hasty")
def test_many_threads_lose_nothing(memory: Memory, time: Time) -> None:
    addresses = [Address("site", f"s{number}") for number in range(200)]

    def work(address: Address) -> None:
        memory.intend(address)
        memory.made(address, address.name)
        memory.looked(world(thing(A, address.name)))

    with ThreadPoolExecutor(8) as executor:
        list(executor.map(work, addresses))
    found = again(memory).remembered
    assert found.created == memory.remembered.created == {one: (one.name, START) for one in addresses}
    assert found.intents == {}


# ---- directories that cannot be written


def said(caplog: pytest.LogCaptureFixture) -> int:
    return sum("state.unwritable" in str(record.msg) for record in caplog.records)


def test_a_directory_that_cannot_be_made_is_said_once_and_work_goes_on(
    tmp_path: Path, time: Time, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    memory = Memory.open(tmp_path / "file" / "state", time)
    with caplog.at_level(logging.WARNING):
        for act in a_life(time):
            act(memory)
        memory.looked(world(thing(B, "site-2")))
        memory.keep("digest", Discovered())
    assert said(caplog) == 1
    found = memory.remembered
    assert (found.intents, found.created) == ({C: time.now}, {A: ("site-1", time.now - 4)})
    assert found.seen == {B: ("site-2", None)}


def test_a_full_disk_is_said_once_and_work_goes_on(
    memory: Memory, time: Time, caplog: pytest.LogCaptureFixture
) -> None:
    memory.begin()
    memory.intend(A)
    memory.path.unlink()
    memory.path.symlink_to("/dev/full")
    with caplog.at_level(logging.WARNING):
        memory.intend(B)
        memory.intend(C)
    assert said(caplog) == 1
    assert memory.remembered.intents.keys() == {A, B, C}


def test_a_rewrite_that_fails_leaves_the_old_journal(memory: Memory, time: Time) -> None:
    memory.begin()
    memory.intend(A)
    before = memory.path.read_bytes()
    temporary = memory.path.with_suffix(".tmp")
    temporary.symlink_to("/dev/full")
    memory.intend(B)
    memory.begin()
    assert memory.path.read_bytes().startswith(before)
    assert again(memory).remembered.intents.keys() == {A, B}
    assert not temporary.is_symlink()  # what could not be written takes no room
    memory.begin()
    assert again(memory).remembered.intents.keys() == {A, B}


def test_losing_the_directory_while_running_is_survived(memory: Memory, time: Time) -> None:
    memory.begin()
    memory.intend(A)
    memory.path.unlink()
    memory.directory.rmdir()
    memory.intend(B)
    assert memory.remembered.intents.keys() == {A, B}
    found = again(memory).remembered
    assert found.intents.keys() == {B}
    assert found.fresh  # so the next process waits, as after any loss
    memory.begin()
    assert again(memory).remembered.intents.keys() == {A, B}


# ---- clocks that were set back


def test_times_in_the_future_hold_nothing_for_longer_than_times_of_now(memory: Memory, time: Time) -> None:
    memory.begin()
    memory.intend(A)
    memory.made(B, "site-2")
    time.now -= 86400
    for found in (again(memory).remembered, memory.remembered):
        assert found.since == time.now
        assert found.intents == {A: time.now}
        assert found.created == {B: ("site-2", time.now)}
    time.now += 7
    assert memory.remembered.intents == {A: time.now - 7}  # from then on it counts


@pytest.mark.parametrize("at", ["Infinity", "NaN", "1e300"])
def test_times_that_are_none_are_of_now(memory: Memory, time: Time, at: str) -> None:
    memory.begin()
    with memory.path.open("a") as file:
        file.write(f'{{"intent":"site/a","at":{at}}}\n{{"since":{at},"fresh":true,"found":true}}\n')
    found = again(memory).remembered
    assert (found.intents, found.since) == ({A: time.now}, time.now)
    assert not math.isnan(found.since)


def test_a_look_after_the_clock_went_back_writes_the_times_down(memory: Memory, time: Time) -> None:
    memory.begin()
    memory.intend(A)
    time.now -= 86400
    memory.looked(world())
    then = time.now
    time.now += 30
    assert again(memory).remembered.intents == {A: then}
    time.now += LOST_ANSWER
    memory.looked(world())
    assert memory.remembered.intents == {}
