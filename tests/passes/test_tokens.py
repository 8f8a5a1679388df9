"""Creations with a ClientToken: the same attempt twice is one machine, and a dead one's token is passed over."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from reconciler.sandbox import Call
from tests.conformance.fixture import Fixture
from tests.harness import ACCOUNT, Host, host, tags
from tests.passes.estates import NETWORK, SLEEPY

BASE = NETWORK.split("      instance/i")[0]


class Died(BaseException):
    """The process is gone."""


def test_what_somebody_terminates_is_made_again_and_again(ops: Host) -> None:
    ops.run(NETWORK)
    ids = set()
    for _ in range(3):
        id = ops.seen(NETWORK, "instance/i").id
        ids.add(id)
        ops.by_hand("ec2", "TerminateInstances", InstanceIds=[id])
        ops.aws.clock.advance(5)
        began = ops.aws.clock.monotonic()
        assert ops.run(NETWORK).outcome == "settled"
        assert ops.aws.clock.monotonic() - began < 10, "AWS itself lists it as dead: nothing to wait for"
    assert len(ids) == 3
    assert len(ops.ours("instance")) == 1


def test_who_is_to_stop_tries_no_further_token(ops: Host) -> None:
    ops.run(BASE)
    ops.aws.fail("ec2", "RunInstances", code="IdempotentInstanceTerminated", times=5)
    loop = ops.loop(NETWORK, grace=0)
    asked: list[Call] = []
    loop.stopped = lambda: bool(asked)

    def stop(moment: str, call: Call) -> None:
        if moment == "before" and call.operation == "RunInstances":
            asked.append(call)

    ops.aws.on_call.append(stop)
    report = loop.one_pass("test")
    assert len(asked) == 1
    assert [outcome.status for outcome in report.outcomes if outcome.label == "instance/i"] == ["waiting"]


def test_a_dead_one_of_another_shape_does_not_hold_its_successor_up(ops: Host) -> None:
    """The first token belongs to a machine of another type; AWS would call that a mismatch."""
    ops.run(NETWORK)
    other = SLEEPY.replace("t3.micro", "t3.small\n        replace: delete-first")
    began = ops.aws.clock.monotonic()
    assert ops.run(other).outcome == "settled"
    assert ops.aws.clock.monotonic() - began < 30
    assert [row["InstanceType"] for row in ops.ours("instance")] == ["t3.small"]


def test_a_creation_that_happened_with_other_parameters_is_looked_for_and_not_made_twice(ops: Host) -> None:
    ops.run(NETWORK.split("      instance/i")[0])
    ops.aws.hide("ec2", "DescribeInstances", seconds=120)
    ops.aws.lose_answer("ec2", "RunInstances")
    ops.loop(NETWORK).one_pass("test")
    ops.forget()
    report = ops.run(SLEEPY)
    assert len(ops.ours("instance")) == 1
    assert report.outcome == "partial", "that cannot change after creation, and is not wanted to"


@pytest.mark.parametrize("mismatch_first", [True, False])
def test_whichever_refusal_comes_first_for_a_dead_token_with_other_parameters(
    tmp_path: Path, mismatch_first: bool
) -> None:
    """Not documented by AWS: both orders must do, also when the dead machine is not listed any more."""
    with host(tmp_path, token_mismatch_first=mismatch_first) as ops:
        ops.run(NETWORK)
        ops.by_hand("ec2", "TerminateInstances", InstanceIds=[ops.seen(NETWORK, "instance/i").id])
        ops.aws.clock.advance(3700)
        ops.forget()
        other = NETWORK.replace("t3.micro", "t3.small")
        assert ops.run(other, timeout=900).outcome == "settled"
        assert [row["InstanceType"] for row in ops.ours("instance")] == ["t3.small"]


@pytest.mark.parametrize("shows_tags", [True, False])
def test_an_answer_that_aws_repeats_may_lack_the_tags(tmp_path: Path, shows_tags: bool) -> None:
    with host(tmp_path, repeated_launch_shows_tags=shows_tags) as ops:
        ops.run(BASE)
        ops.aws.hide("ec2", "DescribeInstances", seconds=120)

        def die(moment: str, call: Call) -> None:
            if moment == "after" and call.operation == "RunInstances":
                raise Died

        ops.aws.on_call.append(die)
        with pytest.raises(Died):
            ops.run(NETWORK)
        ops.aws.on_call.remove(die)
        ops.forget()
        assert ops.run(NETWORK).outcome == "settled"
        assert len(ops.ours("instance")) == 1


@pytest.mark.parametrize("shows_tags", [True, False])
@pytest.mark.parametrize("other_tags", [True, False])
def test_what_has_lost_both_owner_tags_is_somebody_elses_although_its_token_is_ours(
    tmp_path: Path, other_tags: bool, shows_tags: bool
) -> None:
    """AWS answers with it when its token is sent again: it is left alone, and a new one is made."""
    text = NETWORK + ("        Tags: {Name: one}\n" if other_tags else "")
    with host(tmp_path, repeated_launch_shows_tags=shows_tags) as ops:
        ops.run(text)
        lost = ops.seen(text, "instance/i").id
        keys = [{"Key": key} for key in tags(ops.ours("instance")[0]) if key.startswith("reconciler:")]
        ops.by_hand("ec2", "DeleteTags", Resources=[lost], Tags=keys)
        assert ops.run(text, timeout=900).outcome == "settled"
        assert ops.seen(text, "instance/i").id != lost
        assert lost in {row["InstanceId"] for row in ops.rows("instance")}
        ops.aws.clear_calls()
        ops.forget()
        assert ops.run(text).outcome == "settled"
        assert ops.writes() == []


@pytest.mark.parametrize("shows_tags", [True, False])
def test_an_address_that_was_renamed_away_can_be_had_anew(tmp_path: Path, shows_tags: bool) -> None:
    """The token of the address has made the machine that has another name by now."""
    with host(tmp_path, repeated_launch_shows_tags=shows_tags) as ops:
        ops.run(NETWORK)
        renamed = NETWORK.replace("instance/i:", "instance/j:\n        previously: instance/i")
        ops.run(renamed)
        id = ops.seen(renamed, "instance/j").id
        both = renamed.replace("\n        previously: instance/i", "")
        both += NETWORK.removeprefix(BASE)
        assert ops.run(both).outcome == "settled"
        assert ops.seen(both, "instance/j").id == id
        assert len(ops.ours("instance")) == 2


def test_a_refusal_that_aws_may_repeat_for_its_token_is_not_for_ever(ops: Host) -> None:
    """CreateFlowLogs tells what it has refused in an answer, which its token stands for."""
    flow_log = Fixture("flow-log")
    base, text = flow_log.without(), flow_log.base
    ops.run(base)
    theirs = ops.by_hand(
        "ec2",
        "CreateFlowLogs",
        ResourceIds=[ops.seen(base, "vpc/base").id],
        ResourceType="VPC",
        TrafficType="ALL",
        LogGroupName="flows",
        DeliverLogsPermissionArn=ops.seen(base, "iam-role/logs").arn,
    )
    report = ops.run(text)
    assert "is not ours" in next(one.why for one in report.outcomes if one.label == flow_log.address)
    ops.by_hand("ec2", "DeleteFlowLogs", FlowLogIds=theirs["FlowLogIds"])
    assert ops.run(text).outcome == "settled"
    assert len(ops.ours("flow-log")) == 1


def test_what_got_no_answer_is_looked_for_before_its_new_name_has_another(ops: Host) -> None:
    """The token stands for the address that the machine was begun for, and the config has renamed it since."""
    ops.run(BASE)
    ops.aws.hide("ec2", "DescribeInstances", seconds=30)
    ops.aws.lose_answer("ec2", "RunInstances", times=9)
    ops.run(NETWORK, timeout=1)
    renamed = NETWORK.replace("instance/i:", "instance/j:\n        previously: instance/i")
    assert ops.run(renamed, timeout=900).outcome == "settled"
    assert len(ops.rows("instance")) == 1


def test_an_answer_that_names_somebody_elses_thing_is_never_taken_for_ours(ops: Host) -> None:
    """Some create calls return an existing thing instead of making one."""
    ops.clients_of_its_own()
    loop = ops.loop("resources:\n  global-network/a: {}\n  global-network/b: {}", grace=0)
    client = loop.gateway.sessions.client(ACCOUNT, "networkmanager", retries=False)

    def theirs(parsed: dict[str, Any], **_: Any) -> None:
        parsed["GlobalNetwork"]["Tags"] = [{"Key": "reconciler:stack", "Value": "theirs"}]

    client.meta.events.register("after-call.networkmanager.CreateGlobalNetwork", theirs)
    report = loop.one_pass("test")
    assert {outcome.status for outcome in report.outcomes} == {"blocked"}
    assert all("does not carry our tags" in outcome.why for outcome in report.outcomes)
