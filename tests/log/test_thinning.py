"""What repeats is written the 1st, 2nd, 4th, 8th … time, and every line is either shown or counted."""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler import log
from reconciler.log import bind_pass, get_logger, in_context
from reconciler.log.thinning import CONDITIONS, ROLL_UP, SILENCE, Thinner, condition

from .support import written

SAME = b"kind.unknown of subnets"


def shown(thinner: Thinner, times: int, now: float = 0.0) -> list[int]:
    return [number for _ in range(times) if (number := thinner.offer("kind.unknown", SAME, now))]


# ------------------------------------------------------------------------------------------------------ the rule


def test_the_first_second_fourth_and_eighth_are_shown() -> None:
    assert shown(Thinner(), 20) == [1, 2, 4, 8, 16]


def test_after_an_hour_of_silence_it_is_news() -> None:
    thinner = Thinner()
    assert shown(thinner, 3, now=0.0) == [1, 2]
    assert shown(thinner, 1, now=SILENCE - 1) == [4], "not silent for an hour since the last, shown or not"
    assert shown(thinner, 2, now=2 * SILENCE - 1) == [1, 2]


def test_what_was_left_out_is_told_once_and_not_at_once() -> None:
    thinner = Thinner()
    shown(thinner, 4, now=0.0)
    shown(thinner, 4, now=400.0)
    assert thinner.roll_up(ROLL_UP - 1) == {}
    assert thinner.roll_up(ROLL_UP) == {"kind.unknown": 4}
    assert thinner.roll_up(9 * ROLL_UP) == {}
    shown(thinner, 3, now=9 * ROLL_UP)
    assert thinner.roll_up(9 * ROLL_UP, everything=True) == {"kind.unknown": 1}


def test_what_is_forgotten_is_news_and_still_counted() -> None:
    thinner = Thinner()
    shown(thinner, 3)
    thinner.forget()
    assert shown(thinner, 1) == [1]
    assert thinner.roll_up(0.0, everything=True) == {"kind.unknown": 1}


def test_it_remembers_a_bounded_number() -> None:
    thinner = Thinner()
    for number in range(CONDITIONS + 1):
        assert thinner.offer("kind.unknown", bytes(str(number), "ascii"), 0.0) == 1
    assert thinner.offer("kind.unknown", b"1", 0.0) == 2
    assert thinner.offer("kind.unknown", b"0", 0.0) == 1, "the one that has been silent longest"


LINES = st.lists(
    st.tuples(
        st.sampled_from(["kind.unknown", "lock.busy"]),
        st.sampled_from([b"a", b"b", b"c"]),
        st.sampled_from([0.0, 1.0, ROLL_UP, SILENCE - 1, SILENCE]),
        st.booleans(),
    ),
    max_size=60,
)


@given(LINES)
def test_every_line_is_shown_or_counted_once_and_each_number_shown_is_a_power_of_two(lines: Any) -> None:
    thinner, now = Thinner(), 0.0
    told: Counter[str] = Counter()
    offered: Counter[str] = Counter()
    numbers: dict[bytes, list[int]] = defaultdict(list)
    for event, same, later, roll_up in lines:
        now += later
        offered[event] += 1
        if number := thinner.offer(event, same, now):
            told[event] += 1
            numbers[same].append(number)
        if roll_up:
            told.update(thinner.roll_up(now))
    told.update(thinner.roll_up(now, everything=True))
    assert told == offered
    for shown in numbers.values():
        for before, after in zip([0, *shown], shown, strict=False):
            assert after == 1 or after == 2 * before


def test_threads_count_together() -> None:
    thinner = Thinner()
    with ThreadPoolExecutor(8) as pool:
        found = [one for part in pool.map(lambda _: shown(thinner, 500), range(8)) for one in part]
    assert sorted(found) == [2**power for power in range(12)]
    assert thinner.roll_up(0.0, everything=True) == {"kind.unknown": 4000 - 12}


BASE = {"scope": "subnet in eu-west-1", "reason": "denied", "pass_id": "1", "trigger": "interval", "count": 1}


@pytest.mark.parametrize(
    ("other", "same"),
    [
        ({"pass_id": "2", "trigger": "retry", "aws_request_id": "r-2", "change_id": "c"}, True),
        ({"count": 7, "duration_ms": 12, "operations": {"DescribeVpcs": 3}}, True),
        ({"scope": "subnet in eu-west-2"}, False),
        ({"reason": "no answer"}, False),
        ({"address": "vpc/main"}, False),
        ({"paths": ["Tags.x"]}, False),
    ],
)
def test_what_makes_two_lines_the_same(other: dict[str, Any], same: bool) -> None:
    found = condition("kind.unknown", {**BASE, **other}) == condition("kind.unknown", BASE)
    assert found is same
    assert condition("lock.busy", BASE) != condition("kind.unknown", BASE)


# ------------------------------------------------------------------------------------------------------ in the log


def repeats(lines: list[dict[str, Any]]) -> list[tuple[str, int | None]]:
    return [(line["event"], line.get("repeat")) for line in lines]


def test_a_lasting_condition_is_a_few_lines_and_a_count() -> None:
    def act() -> None:
        for number in range(10):
            with bind_pass(pass_id=f"pass-{number}", stack="ai", trigger="interval"):
                get_logger().warning("kind.unknown", scope="vpc", reason="denied")
        log.roll_up()  # nothing is due yet
        log.flush()

    lines = written(act)
    unknown = "kind.unknown"
    assert repeats(lines) == [*((unknown, number) for number in (None, 2, 4, 8)), ("log.suppressed", None)]
    assert list(lines[1])[-1] == "repeat"
    assert [line["pass_id"] for line in lines[:4]] == ["pass-0", "pass-1", "pass-3", "pass-7"]
    assert (lines[4]["about"], lines[4]["count"], lines[4]["level"]) == (unknown, 6, "info")
    assert "pass_id" not in lines[4]


def test_what_is_told_in_a_pass_is_no_part_of_it() -> None:
    def act() -> None:
        with bind_pass(pass_id="01JD", stack="ai", trigger="interval"):
            for _ in range(3):
                get_logger().warning("lock.busy", reason="held")
            log.flush()

    assert "pass_id" not in written(act)[-1]


@pytest.mark.parametrize(
    ("level", "event"),
    [
        ("error", "change.failed"),
        ("error", "guard.stopped"),
        ("error", "pass.failed"),
        ("error", "config.reload.refused"),
        ("warning", "pause.started"),
        ("warning", "daemon.stopping"),
        ("warning", "heartbeat"),
        ("info", "wait.slow"),
    ],
)
def test_changes_guards_and_what_comes_regularly_are_never_left_out(level: str, event: str) -> None:
    def act() -> None:
        for _ in range(5):
            getattr(get_logger(), level)(event, reason="the same")
        log.flush()

    assert repeats(written(act)) == [(event, None)] * 5


def test_libraries_are_thinned_at_every_level() -> None:
    def act() -> None:
        for number in range(5):
            logging.getLogger("botocore.credentials").info("Found %s", "them")
            logging.getLogger("botocore.credentials").info("Attempt %d", number)
        logging.getLogger("botocore.credentials").warning("Found them")
        log.forget()
        logging.getLogger("botocore.credentials").info("Found them")

    lines = written(act, level="debug")
    found = [line.get("repeat") for line in lines if line["message"] == "Found them"]
    assert found == [None, 2, 4, None]
    assert sum("Attempt" in line["message"] for line in lines) == 5, "they do not say the same"


def test_a_message_that_does_not_fit_its_arguments_is_shown_as_it_is() -> None:
    def act() -> None:
        del root.handlers[:-1]  # pytest's, which would raise
        logging.getLogger("botocore.hooks").warning("%d", "three")

    root = logging.getLogger()
    assert [line["message"] for line in written(act)] == ["%d"]


def test_a_command_tells_at_its_end_and_begins_anew() -> None:
    def act() -> None:
        with ThreadPoolExecutor(1) as pool:
            list(pool.map(in_context(get_logger().warning), ["lock.busy"] * 3))

    assert repeats(written(act)) == [("lock.busy", None), ("lock.busy", 2)]
    assert repeats(written(act)) == [("lock.busy", None), ("lock.busy", 2)], "configured anew"
