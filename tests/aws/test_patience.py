"""Who is waited for, and for how long: on a clock that the test holds, with reads that end when it says so."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from reconciler.aws.patience import LONGEST, SIDE_BY_SIDE, Patience, Place, Reads, left_behind
from reconciler.errors import Lost

HERE, THERE = ("123456789012", "us-west-2"), ("123456789012", "eu-central-1")


class Clock:
    """Each look at it takes a second."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        self.seconds += 1
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def patience(clock: Clock) -> Patience:
    return Patience(clock, seconds=20, rest=5, step=0.001)


@pytest.fixture
def end() -> Iterator[Event]:
    """Ends what hangs."""
    event = Event()
    yield event
    event.set()


@pytest.fixture
def executor(end: Event) -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(SIDE_BY_SIDE + 2) as workers:
        yield workers
        end.set()


def silent(end: Event) -> str:
    assert end.wait(30)
    return "late"


def test_what_answers_is_read_while_another_place_is_given_up(
    patience: Patience, executor: ThreadPoolExecutor, end: Event
) -> None:
    reads = Reads(patience, executor)
    late = [reads.submit(THERE, silent, end) for _ in range(2 * SIDE_BY_SIDE)]
    good = reads.submit(HERE, lambda: "read")
    assert reads.result(HERE, good) == "read", "though the other place has more reads than there are workers"
    for future in late:
        with pytest.raises(Lost, match="eu-central-1 of 123456789012 has not answered for 20 s"):
            reads.result(THERE, future)
    reads.close()
    assert patience.resting(HERE) == ""


def test_a_silent_place_is_not_asked_while_it_rests_and_longer_each_time(
    patience: Patience, executor: ThreadPoolExecutor, clock: Clock, end: Event
) -> None:
    for waited in (20, 40, LONGEST, LONGEST):
        end.clear()
        reads = Reads(patience, executor)
        late = reads.submit(THERE, silent, end)
        with pytest.raises(Lost, match=f"not answered for {waited:.0f} s"):
            reads.result(THERE, late)
        reads.close()
        end.set()
        assert late.result() == "late"
        began = clock.seconds
        with pytest.raises(Lost, match=f"not answered for {waited:.0f} s; it is asked again later"):
            reads.result(THERE, reads.submit(THERE, silent, end))
        while patience.resting(THERE):
            pass
        assert 4 * waited <= clock.seconds - began <= 5 * waited + 3


def test_nobody_asks_again_while_the_old_reads_hang(
    patience: Patience, executor: ThreadPoolExecutor, clock: Clock, end: Event
) -> None:
    reads = Reads(patience, executor)
    late = reads.submit(THERE, silent, end)
    with pytest.raises(Lost):
        reads.result(THERE, late)
    clock.seconds += 1000
    assert patience.resting(THERE)
    assert left_behind() == 1
    end.set()
    assert late.result() == "late"
    assert left_behind() == 0
    assert patience.resting(THERE) == ""


def test_a_place_that_goes_on_answering_is_waited_for_however_long_it_takes(
    patience: Patience, executor: ThreadPoolExecutor, clock: Clock
) -> None:
    def pages() -> str:
        for _ in range(100):
            clock.seconds += 10
            patience.heard(THERE)
        return "all"

    reads = Reads(patience, executor)
    assert reads.result(THERE, reads.submit(THERE, pages)) == "all"
    assert clock.seconds > 1000


def test_a_place_that_has_answered_everything_is_trusted_again(
    patience: Patience, executor: ThreadPoolExecutor, clock: Clock, end: Event
) -> None:
    def a_look() -> str:
        reads = Reads(patience, executor)
        try:
            return reads.result(THERE, reads.submit(THERE, silent, end))
        finally:
            reads.close()

    with pytest.raises(Lost):
        a_look()
    end.set()
    while patience.resting(THERE):
        pass
    assert a_look() == "late"
    assert patience.seconds(THERE) == 20


def test_what_a_read_raises_is_raised(patience: Patience, executor: ThreadPoolExecutor) -> None:
    def fails() -> None:
        raise KeyError("x")

    reads = Reads(patience, executor)
    with pytest.raises(KeyError):
        reads.result(HERE, reads.submit(HERE, fails))


def test_reads_of_a_place_begin_in_the_order_in_which_they_were_asked_for(patience: Patience) -> None:
    """What lies within a parent waits for it in a worker: the parent must have one."""
    begun: list[int] = []
    with ThreadPoolExecutor(1) as one:
        reads = Reads(patience, one)
        parent = reads.submit(HERE, begun.append, 0)
        children = [reads.submit(HERE, lambda n=n: (parent.result(), begun.append(n))) for n in range(1, 40)]
        for child in children:
            reads.result(HERE, child)
    assert begun == [*range(40)]


def test_when_a_look_is_broken_off_nothing_further_is_asked(
    patience: Patience, executor: ThreadPoolExecutor, end: Event
) -> None:
    asked: list[Place] = []

    def read() -> None:
        asked.append(HERE)
        silent(end)

    reads = Reads(patience, executor)
    for _ in range(2 * SIDE_BY_SIDE):
        reads.submit(HERE, read)
    reads.close()
    end.set()
    executor.shutdown()
    assert len(asked) <= SIDE_BY_SIDE
