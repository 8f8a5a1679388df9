"""Machines that one call makes are made once each: answers get lost, lists lag, and the program dies at any moment."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from reconciler.engine.pacing import BackOff
from reconciler.model.calls import Call
from reconciler.sandbox import local_aws
from tests.faults.forking import in_a_copy
from tests.faults.killing import Births, Course, Inline, Memory, Moment, Unhurried, on_stage
from tests.faults.lives import Everywhere, live
from tests.faults.runs import Run
from tests.harness import REGIONS, Host, host
from tests.passes.fleets import (
    ALL,
    BASE,
    FLEET,
    assert_settled,
    dies,
    either,
    fleet,
    launches,
    names,
    outcomes,
)


@either
@pytest.mark.parametrize("moment", ["before", "after"])
def test_killed_around_the_call(ops: Host, moment: Moment, memory: str) -> None:
    """Lists lag: who remembers waits a minute, and who does not the grace."""
    births = Births()
    ops.run(BASE)
    ops.aws.hide("ec2", "DescribeInstances", seconds=4 if memory == "lost" else 50)
    ops.aws.on_call.append(births.hook)
    dies(ops, FLEET, moment)
    if memory == "lost":
        ops.forget()
    assert_settled(ops, FLEET, ALL)
    assert births.count == Counter(ALL)


@either
def test_killed_while_they_get_their_names(ops: Host, memory: str) -> None:
    dies(ops, FLEET, "after", "CreateTags", nth=2)
    assert names(ops).count("@batch") == 2
    if memory == "lost":
        ops.forget()
    ops.aws.clear_calls()
    ops.run(FLEET)
    assert launches(ops) == []
    assert_settled(ops, FLEET, ALL)


def test_an_answer_is_lost_and_lists_lag_for_minutes(ops: Host) -> None:
    """The minute is over before anything is shown: the same call again gets the same machines for an answer."""
    ops.run(BASE)
    ops.aws.hide("ec2", "DescribeInstances", seconds=200)
    ops.aws.lose_answer("ec2", "RunInstances", times=1)
    assert_settled(ops, FLEET, ALL)


def test_lists_lag_for_minutes_behind_an_answer(ops: Host) -> None:
    ops.run(BASE)
    ops.aws.hide("ec2", "DescribeInstances", seconds=200)
    ops.run(FLEET, timeout=900)
    assert launches(ops) == [4]
    assert_settled(ops, FLEET, ALL)


def test_who_is_stopped_before_the_call_holds_nothing(ops: Host) -> None:
    """It waits for AWS's rate when the program is told to end: the next one need not wait for what was never asked."""
    ops.run(BASE)
    loop, stopping = ops.loop(FLEET, grace=0), False
    loop.stopped = lambda: stopping

    def take_turn(call: Call) -> None:
        nonlocal stopping
        stopping = call.operation == "RunInstances"

    loop.gateway.take_turn = take_turn
    loop.one_pass("test")
    assert launches(ops) == []
    began = ops.aws.clock.monotonic()
    assert_settled(ops, FLEET, ALL)
    assert ops.aws.clock.monotonic() - began < 60


def test_a_call_that_got_no_answer_and_did_not_happen_is_made_again(ops: Host) -> None:
    ops.run(BASE)
    ops.aws.drop("ec2", "RunInstances", times=1)
    assert_settled(ops, FLEET, ALL)


@pytest.mark.parametrize("code", ["RequestLimitExceeded", "InternalError"])
def test_what_aws_could_not_do_is_tried_again_as_a_whole(ops: Host, code: str) -> None:
    ops.run(BASE)
    ops.aws.fail("ec2", "RunInstances", code=code, status=503, times=2)
    ops.run(FLEET, timeout=900)
    assert launches(ops) == [4]
    assert_settled(ops, FLEET, ALL)


@pytest.mark.parametrize("code", ["RequestLimitExceeded", "InternalError"])
def test_a_daemon_too_tries_again_as_a_whole_whatever_chance_says(ops: Host, code: str) -> None:
    ops.run(BASE)
    ops.aws.fail("ec2", "RunInstances", code=code, status=503, times=2)
    loop = ops.loop(FLEET, grace=0)
    loop.backoff = BackOff(300.0)
    loop.chance = itertools.cycle([0.0, 1.0, 0.3]).__next__
    for _ in range(150):
        loop.one_pass("test")
        ops.aws.clock.advance(1)
    assert launches(ops) == [4]
    assert names(ops) == ALL


@pytest.mark.parametrize("text", [fleet(5), fleet(3), fleet(4, "t3.small")], ids=["more", "fewer", "other"])
@either
def test_the_config_is_edited_between_death_and_life(ops: Host, text: str, memory: str) -> None:
    """One more, one less, another type: what is there is kept and mended, and only what is missing is made."""
    births = Births()
    text = text + "        replace: delete-first\n"
    ops.run(BASE)
    ops.aws.hide("ec2", "DescribeInstances", seconds=4)
    ops.aws.on_call.append(births.hook)
    dies(ops, FLEET, "after")
    if memory == "lost":
        ops.forget()
    wanted = [f"instance/m-{n}" for n in range(text.count("to: 4") * 5 or text.count("to: 2") * 3 or 4)]
    assert_settled(ops, text, wanted)
    assert births.count == Counter({*ALL, *wanted})
    assert {row["InstanceType"] for row in ops.ours("instance")} == {
        "t3.small" if "small" in text else "t3.micro"
    }


def test_without_memory_a_part_that_no_list_shows_is_waited_for(ops: Host) -> None:
    """Two of four are shown, for ten minutes: the other two are not made again."""
    dies(ops, FLEET, "after")
    ids = {row["AmiLaunchIndex"]: row["InstanceId"] for row in ops.rows("instance")}
    hidden = [ids[1], ids[2]]
    ops.aws.faults(f"[{{call: ec2:DescribeInstances, until: 600, do: {{leave-out: {json.dumps(hidden)}}}}}]")
    ops.forget()
    ops.aws.clear_calls()
    report = ops.run(FLEET, timeout=500)
    assert outcomes(report) == {ALL[0]: "settled", ALL[1]: "waiting", ALL[2]: "waiting", ALL[3]: "settled"}
    why = next(one.why for one in report.outcomes if one.label == ALL[1])
    assert "AWS has made it with 3 others at 2026-" in why
    assert launches(ops) == []
    assert_settled(ops, FLEET, ALL)
    assert {row["InstanceId"] for row in ops.rows("instance")} == {*ids.values()}


def test_what_is_never_shown_is_made_alone_in_the_end(ops: Host) -> None:
    dies(ops, FLEET, "after")
    (lost,) = (row["InstanceId"] for row in ops.rows("instance") if row["AmiLaunchIndex"] == 1)
    ops.aws.faults(f"[{{call: ec2:DescribeInstances, do: {{leave-out: [{lost}]}}}}]")
    ops.forget()
    ops.aws.clear_calls()
    assert ops.run(FLEET, timeout=3600).outcome == "settled"
    assert launches(ops) == [1]


@pytest.mark.parametrize("shows_tags", [True, False])
def test_an_answer_that_aws_repeats_may_lack_the_tags(tmp_path: Path, shows_tags: bool) -> None:
    with host(tmp_path, repeated_launch_shows_tags=shows_tags) as ops:
        ops.run(BASE)
        ops.aws.hide("ec2", "DescribeInstances", seconds=120)
        dies(ops, FLEET, "after")
        ops.forget()
        assert_settled(ops, FLEET, ALL)


def test_a_token_with_a_dead_one_is_no_leave_to_make_the_others_again(ops: Host) -> None:
    """AWS refuses the token since one of its machines is gone; no list shows any of them yet, nor is anything known."""
    ops.run(BASE)
    ops.aws.hide("ec2", "DescribeInstances", seconds=200)
    dies(ops, FLEET, "after")
    ids = [one["InstanceId"] for one in _launched(ops)]
    ops.by_hand("ec2", "TerminateInstances", InstanceIds=ids[:1])
    ops.aws.clock.advance(5)
    ops.forget()
    assert ops.run(FLEET, timeout=3600).outcome == "settled"
    ops.aws.clear_faults()
    assert names(ops) == ALL
    assert {*ids[1:]} < {row["InstanceId"] for row in ops.rows("instance")}


def _launched(ops: Host) -> list[dict[str, Any]]:
    """All machines, whatever lists hide."""
    from moto.ec2.models import ec2_backends

    backend = ec2_backends["123456789012"]["us-west-2"]
    return [{"InstanceId": one.id} for each in backend.reservations.values() for one in each.instances]


def test_killed_around_every_changing_call_there_is_one_of_each(tmp_path: Path) -> None:
    """Of each sort of death and of memory one; lists lag behind."""
    ways: list[tuple[Moment, Memory]] = [("before", "torn"), ("after", "lost"), ("answered", "kept")]
    run = Run("create", lambda _: None, fleet(2))

    def work(ops: Host, course: Course) -> None:
        changing = {one.operation for one in course.boundaries if one.changes}
        for moment, memory in ways:
            in_a_copy(lambda moment=moment, memory=memory: die(ops, course, moment, memory, changing))

    def die(ops: Host, course: Course, moment: Moment, memory: Memory, changing: set[str]) -> None:
        doom = Everywhere(moment, memory)
        assert live(ops, run, course, doom).problems == []
        died = {call.partition(" ")[0] for call in doom.calls}
        # what is left of a torn memory may hold one of the two: each is made alone then, with its name
        assert died | ({"CreateTags"} if memory == "torn" else set()) == changing

    with local_aws(regions=REGIONS, page_size=50) as aws:
        aws.hide("ec2", "DescribeInstances", seconds=4)
        on_stage(Unhurried(aws, tmp_path / "state", Inline()), run, work)
