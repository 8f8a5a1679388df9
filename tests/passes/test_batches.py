"""Like machines are made by one call: each has its address before its tags say so, and none is made twice.

docs/decisions/0020-born-together.md says why.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from reconciler.aws.limits import Limits
from reconciler.model.pause import Pause
from reconciler.model.plan import Report
from reconciler.model.verdicts import Steps
from reconciler.sandbox import Call
from tests.faults.forking import in_a_copy
from tests.faults.killing import Births, Course, Inline, Memory, Moment, Unhurried, on_stage
from tests.faults.lives import Everywhere, live
from tests.faults.runs import Run
from tests.harness import REGIONS, STACK, Host, Time, host, local_aws, tags
from tests.together import Together

BASE = """
    resources:
      vpc/v: {CidrBlock: 10.0.0.0/16, protect: false}
      subnet/s: {VpcId: "${vpc/v}", CidrBlock: 10.0.0.0/20, AvailabilityZone: us-west-2a}
"""


def fleet(count: int = 4, type: str = "t3.micro", more: str = "") -> str:
    """A network with some machines that are alike but for their names."""
    return BASE + (
        f"""
      instance/m-${{each.n}}:
        for: {{n: {{from: 0, to: {count - 1}}}}}
        ImageId: ${{ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64}}
        InstanceType: {type}
        SubnetId: ${{subnet/s}}
        UserData: "#!/bin/sh"
        Tags: {{Name: "machine ${{each.n}}"}}
        {more}
"""
        if count
        else ""
    )


FLEET = fleet()
ALL = [f"instance/m-{n}" for n in range(4)]


class Died(BaseException):
    """The process is gone."""


def launches(ops: Host) -> list[int]:
    """How many each launch has asked for that AWS has made since the calls were last forgotten."""
    calls = [call for call in ops.aws.writes if call.operation == "RunInstances" and call.error is None]
    return [call.parameters["MaxCount"] for call in calls]


def names(ops: Host) -> list[str]:
    """The addresses in the tags of our machines."""
    return sorted(tags(row)["reconciler:address"] for row in ops.ours("instance"))


def assert_settled(ops: Host, text: str, addresses: list[str], **choices: Any) -> None:
    """Whatever lists have hidden is shown, each address has one machine, and there is nothing left to do."""
    report = ops.run(text, timeout=3600, **choices)
    assert report.outcome == "settled", report.outcomes
    ops.aws.clear_faults()
    assert names(ops) == sorted(addresses)
    ops.aws.clear_calls()
    assert ops.run(text).outcome == "settled"
    assert ops.writes() == []


def dies(ops: Host, text: str, moment: Moment, operation: str = "RunInstances", nth: int = 1) -> None:
    """Run until such a call, and die `before` it or `after` its effect, the answer unseen."""
    left = nth

    def hook(now: str, call: Call) -> None:
        nonlocal left
        left -= now == moment and call.operation == operation
        if left <= 0:
            raise Died

    ops.aws.on_call.append(hook)
    with pytest.raises(Died):
        ops.run(text)
    ops.aws.on_call.remove(hook)


def outcomes(report: Report) -> dict[str, str]:
    return {one.label: one.status for one in report.outcomes if one.label.startswith("instance/")}


# ---- a life


def test_a_hundred_like_machines_are_made_by_one_call_and_named_by_the_next_look(ops: Host) -> None:
    text = fleet(100)
    report = ops.run(text)
    assert report.outcome == "settled"
    made = Counter(ops.writes())
    assert (made["RunInstances"], made["CreateTags"]) == (1, 100)
    rows = ops.ours("instance")
    assert {tags(row)["reconciler:address"]: tags(row)["Name"] for row in rows} == {
        f"instance/m-{n}": f"machine {n}" for n in range(100)
    }
    assert all(tags(row)["reconciler:batch"] == "instance/m-=0:99" for row in rows)
    assert_settled(ops, text, [f"instance/m-{n}" for n in range(100)])


def test_the_first_look_names_what_is_pending_and_says_that_nobody_has_changed_it(ops: Host) -> None:
    ops.run(BASE)
    assert outcomes(ops.loop(FLEET, grace=0).one_pass("test")) == dict.fromkeys(ALL, "created")
    plan = ops.plan(FLEET)
    entries = [entry for entry in plan.entries if entry.label in ALL]
    for entry in entries:
        assert isinstance(entry.verdict, Steps)
        (call,) = entry.verdict.calls
        assert call.operation == "CreateTags"
        assert "made by one call with 3 others" in entry.verdict.why
        assert not entry.drifted
        assert entry.seen is not None
        assert entry.seen.state == "pending"
    assert ops.loop(FLEET).one_pass("test").count("updated") == 4
    assert names(ops) == ALL


def test_unlike_ones_and_single_ones_are_made_as_ever(ops: Host) -> None:
    text = fleet(3) + fleet(1, "t3.small").removeprefix(BASE).replace("instance/m-", "instance/other-")
    ops.run(text)
    assert sorted(launches(ops)) == [1, 3]
    (other,) = [row for row in ops.ours("instance") if row["InstanceType"] == "t3.small"]
    assert "reconciler:batch" not in tags(other)


def test_each_has_its_own_lines_on_record_and_they_tell_of_one_call(ops: Host) -> None:
    ops.run(FLEET)
    assert launches(ops) == [4]
    lines = [json.loads(line) for line in (ops.state / "audit.jsonl").read_text().splitlines()]
    born = [line for line in lines if line["api"] == "ec2:RunInstances"]
    assert [line["what"] for line in born] == ["begun"] * 4 + ["answered"] * 4
    assert len({line["change_id"] for line in born}) == 4
    ids = {tags(row)["reconciler:address"]: row["InstanceId"] for row in ops.ours("instance")}
    done = born[4:]
    assert {line["address"]: line["id"] for line in done} == ids
    assert len({line["aws_request_id"] for line in done}) == 1
    assert all(line["reason"].endswith("made by one call: instance/m-=0:3") for line in born)


def test_a_thousand_take_a_minute_and_a_half_where_they_took_eight(ops: Host) -> None:
    """On a local AWS that enforces AWS's rates: what is left is the names, ten a second."""
    count = 1000
    ops.clients_of_its_own()
    ops.run(BASE)
    workers = Together(ops.aws.clock, 8)
    ops.use(workers, Time(ops.aws.clock))
    ops.aws.faults("[{call: '*', do: throttle}]")
    loop = ops.loop(fleet(count), grace=0.0)
    loop.gateway.sessions.traffic.limits = Limits(ops.time.monotonic, workers.wait)
    began = ops.time.monotonic()
    assert loop.one_pass("test").count("created") == count
    assert launches(ops) == [100] * 10
    assert ops.time.monotonic() - began < 5
    assert loop.gateway.counts["throttled"] == 0


# ---- deaths, lost answers, lists that lag

either = pytest.mark.parametrize("memory", ["kept", "lost"])


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


@pytest.mark.parametrize("text", [fleet(5), fleet(3), fleet(4, "t3.small")])
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
        assert {call.partition(" ")[0] for call in doom.calls} == changing

    with local_aws(regions=REGIONS, page_size=50) as aws:
        aws.hide("ec2", "DescribeInstances", seconds=4)
        on_stage(Unhurried(aws, tmp_path / "state", Inline()), run, work)


# ---- what AWS does not make as a whole


@pytest.mark.parametrize(
    "code", ["InsufficientInstanceCapacity", "VcpuLimitExceeded", "InvalidParameterCombination"]
)
def test_where_aws_makes_none_since_it_cannot_make_all_as_many_are_made_as_can_be(
    ops: Host, code: str
) -> None:
    """There is room for two."""
    ops.run(BASE)
    ops.aws.faults(
        f"""
        - {{call: ec2:RunInstances, with: {{MaxCount: 4}}, do: {{fail: {code}}}}}
        - {{call: ec2:RunInstances, with: {{MaxCount: 1}}, nth: "3-", do: {{fail: {code}}}}}
        """
    )
    report = ops.run(FLEET)
    assert Counter(outcomes(report).values())["settled"] == 2
    assert launches(ops) == [1, 1]
    assert all(code in one.why for one in report.outcomes if one.status in {"failed", "blocked"})
    ops.aws.clear_faults()
    assert_settled(ops, FLEET, ALL)


def test_what_may_not_be_made_is_refused_once_and_not_tried_one_by_one(ops: Host) -> None:
    ops.run(BASE)
    ops.aws.fail("ec2", "RunInstances", code="UnauthorizedOperation", status=403)
    report = ops.run(FLEET)
    assert set(outcomes(report).values()) <= {"failed", "blocked"}
    asked = [call.parameters["MaxCount"] for call in ops.aws.calls if call.operation == "RunInstances"]
    assert asked == [4]


# ---- others


def test_one_that_somebody_terminates_is_made_again_alone(ops: Host) -> None:
    ops.run(FLEET)
    for _ in range(2):
        ops.by_hand("ec2", "TerminateInstances", InstanceIds=[ops.seen(FLEET, ALL[1]).id])
        ops.aws.clock.advance(5)
        ops.aws.clear_calls()
        assert ops.run(FLEET).outcome == "settled"
        assert launches(ops) == [1]
    assert_settled(ops, FLEET, ALL)


@either
@pytest.mark.parametrize("seconds", [5, 3700])
def test_all_that_somebody_terminates_are_made_again_together(ops: Host, memory: str, seconds: float) -> None:
    """Listed as dead, and not listed any more."""
    ops.run(FLEET)
    ops.by_hand("ec2", "TerminateInstances", InstanceIds=[ops.seen(FLEET, one).id for one in ALL])
    ops.aws.clock.advance(seconds)
    if memory == "lost":
        ops.forget()
    ops.aws.clear_calls()
    assert ops.run(FLEET, timeout=1800).outcome == "settled"
    assert launches(ops) == [4]
    assert_settled(ops, FLEET, ALL)


def unnamed(ops: Host, text: str = FLEET) -> list[dict[str, Any]]:
    """A launch whose machines have no names yet, in the order of their numbers."""
    dies(ops, text, "after")
    ops.aws.clock.advance(5)
    return sorted(ops.rows("instance"), key=lambda row: int(row["AmiLaunchIndex"]))


def put(ops: Host, id: str, **given: str) -> None:
    listed = [{"Key": f"reconciler:{key}", "Value": value} for key, value in given.items()]
    ops.by_hand("ec2", "CreateTags", Resources=[id], Tags=listed)


def test_tags_that_are_copied_onto_another_machine_make_it_none_of_the_batch(ops: Host) -> None:
    """It is told and not touched; those that AWS's own launch made get their names all the same."""
    found = unnamed(ops)
    image = found[0]["ImageId"]
    copied = [tag for tag in found[0]["Tags"] if tag["Key"].startswith("reconciler:")]
    made = ops.by_hand("ec2", "RunInstances", ImageId=image, InstanceType="t3.micro", MinCount=1, MaxCount=1)
    theirs = made["Instances"][0]["InstanceId"]
    ops.by_hand("ec2", "CreateTags", Resources=[theirs], Tags=copied)
    report = ops.run(FLEET)
    assert outcomes(report) == dict.fromkeys(ALL, "settled")
    (conflict,) = report.plan.conflicts
    assert theirs in conflict
    assert "what one call has made with others" in conflict
    ops.aws.clear_calls()
    assert ops.destroy(FLEET).outcome == "partial"
    assert theirs in {row["InstanceId"] for row in ops.rows("instance")}
    assert all(theirs not in str(call.parameters) for call in ops.aws.writes)


@pytest.mark.parametrize("text", ["instance/m-=0:2", "instance/m-=5:9", "what?", "vpc/m-=0:3"])
def test_a_batch_tag_that_says_something_else_is_never_believed(ops: Host, text: str) -> None:
    found = unnamed(ops)
    put(ops, found[3]["InstanceId"], batch=text)
    report = ops.run(FLEET)
    assert outcomes(report)[ALL[3]] == "blocked"
    assert {outcomes(report)[one] for one in ALL[:3]} == {"settled"}
    assert found[3]["InstanceId"] in report.plan.conflicts[0]
    ops.destroy(FLEET)
    assert [row["InstanceId"] for row in ops.rows("instance")] == [found[3]["InstanceId"]]


def test_who_takes_both_owner_tags_off_has_the_machine_for_himself(ops: Host) -> None:
    """Before it has its name, and after."""
    found = unnamed(ops)
    keys = [{"Key": "reconciler:stack"}, {"Key": "reconciler:address"}]
    ops.by_hand("ec2", "DeleteTags", Resources=[found[0]["InstanceId"]], Tags=keys)
    ops.aws.clock.advance(1000)
    assert_settled(ops, FLEET, ALL)
    ops.by_hand("ec2", "DeleteTags", Resources=[found[1]["InstanceId"]], Tags=keys)
    ops.aws.clock.advance(60)
    ops.run(FLEET, timeout=1800)
    assert_settled(ops, FLEET, ALL)
    ops.destroy(FLEET)
    left = {row["InstanceId"] for row in ops.rows("instance")}
    assert left == {found[0]["InstanceId"], found[1]["InstanceId"]}


def test_what_has_left_the_config_before_it_had_its_name_is_deleted_by_its_number(ops: Host) -> None:
    found = unnamed(ops)
    text = fleet(2)
    ops.forget()
    ops.aws.clear_calls()
    assert_settled(ops, text, ALL[:2])
    left = {row["InstanceId"] for row in ops.rows("instance")}
    assert left == {row["InstanceId"] for row in found[:2]}


def test_a_machine_without_a_name_that_loses_its_tags_before_its_deletion_stays(ops: Host) -> None:
    found = unnamed(ops)
    done = False

    def hook(moment: str, call: Call) -> None:
        nonlocal done
        asked = found[3]["InstanceId"] in str(call.parameters)
        if moment == "before" and call.operation == "DescribeInstances" and asked and not done:
            done = True
            backend_tags(found[3]["InstanceId"])["reconciler:batch"] = "instance/m-=0:2"

    ops.aws.on_call.append(hook)
    report = ops.loop(fleet(3)).one_pass("test")
    assert done
    assert next(one.status for one in report.outcomes if one.label == ALL[3]) == "blocked"
    assert found[3]["InstanceId"] in {row["InstanceId"] for row in ops.rows("instance")}


def backend_tags(id: str) -> dict[str, str]:
    """Somebody else's tags, without a call."""
    from moto.ec2.models import ec2_backends

    found: dict[str, str] = ec2_backends["123456789012"]["us-west-2"].tags[id]
    return found


def test_an_address_is_renamed_before_its_machine_had_its_name(ops: Host) -> None:
    found = unnamed(ops)
    text = fleet(3) + fleet(1, more="previously: instance/m-3").removeprefix(BASE).replace(
        "instance/m-${each.n}", "instance/last"
    ).replace("        for: {n: {from: 0, to: 0}}\n", "").replace("${each.n}", "last")
    assert_settled(ops, text, [*ALL[:3], "instance/last"])
    assert ops.seen(text, "instance/last").id == found[3]["InstanceId"]


def test_two_stacks_make_batches_of_the_same_addresses_side_by_side(ops: Host) -> None:
    head = "stack: other\naccount: '123456789012'\nregion: us-west-2\n"
    other = head + dedent(FLEET)
    ops.run(FLEET)
    beside = ops.beside(ops.state.with_name("other"))
    assert beside.run(other).outcome == "settled"
    assert len(ops.ours("instance")) == 8
    assert {tags(row)["reconciler:stack"] for row in ops.ours("instance")} == {"test", "other"}


def test_one_that_a_person_has_paused_is_left_out_and_the_others_are_made_one_by_one(ops: Host) -> None:
    ops.run(BASE)
    loop = ops.loop(FLEET, grace=0)
    pause = Pause(stack=STACK, address=ALL[0], reason="not now", by="me", since=0.0)
    loop.pauses = lambda: (pause,)
    report = loop.one_pass("test")
    assert outcomes(report) == {ALL[0]: "waiting", **dict.fromkeys(ALL[1:], "created")}
    assert launches(ops) == [1, 1, 1]
