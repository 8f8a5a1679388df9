"""Like machines are made by one call: each has its address before its tags say so, and none is made twice.

docs/decisions/0020-born-together.md says why.
"""

from __future__ import annotations

import json
from collections import Counter
from textwrap import dedent
from typing import Any

import pytest

from reconciler.model.pause import Pause
from reconciler.model.verdicts import Steps
from reconciler.sandbox import Call
from tests.harness import STACK, Host, tags
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
from tests.together import under_rates

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


def test_they_are_born_with_what_all_of_them_have_and_with_no_name_that_is_anothers(ops: Host) -> None:
    ops.run(BASE)
    ops.loop(FLEET, grace=0).one_pass("test")
    for row in ops.ours("instance"):
        assert {key: value for key, value in tags(row).items() if "digest" not in key} == {
            "reconciler:stack": "test",
            "reconciler:address": "@batch",
            "reconciler:batch": "instance/m-=0:3",
        }
        assert "reconciler:digest.UserData" in tags(row)


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


def test_a_thousand_are_launched_at_once_where_it_took_eight_minutes(ops: Host) -> None:
    """On a local AWS that enforces AWS's rates: one by one, two a second are taken."""
    count = 1000
    ops.run(BASE)
    loop = under_rates(ops, fleet(count), 8)
    began, launched = ops.time.monotonic(), list[float]()

    def note(moment: str, call: Call) -> None:
        if moment == "after" and call.operation == "RunInstances":
            launched.append(ops.time.monotonic() - began)

    ops.aws.on_call.append(note)
    assert loop.one_pass("test").count("created") == count
    assert launches(ops) == [100] * 10
    assert max(launched) < 5
    assert ops.time.monotonic() - began < (count - 100) / 10 / 0.9, (
        "each has a name, of which ten a second are taken"
    )
    assert loop.gateway.counts["throttled"] == 0


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
    """Listed as dead; and not listed any more, when only the refusal of the token tells that something was there: it
    is looked for as long as lists may lag, since one dead machine of a batch says nothing of the others."""
    ops.run(FLEET)
    ops.by_hand("ec2", "TerminateInstances", InstanceIds=[ops.seen(FLEET, one).id for one in ALL])
    ops.aws.clock.advance(seconds)
    if memory == "lost":
        ops.forget()
    ops.aws.clear_calls()
    began = ops.aws.clock.monotonic()
    assert ops.run(FLEET, timeout=1800).outcome == "settled"
    assert launches(ops) == [4]
    took = ops.aws.clock.monotonic() - began
    assert took < 400 if seconds == 3700 else {"kept": 30, "lost": 120}[memory]
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
    began = ops.aws.clock.monotonic()
    assert beside.run(other).outcome == "settled"
    assert ops.aws.clock.monotonic() - began < 60, "no token of the one is the other's"
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
