"""Machines that have to be stopped for a change: stopped, changed, and started again, whatever comes between."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from textwrap import dedent

import pytest

from reconciler.model.things import HALTED_TAG
from reconciler.model.verdicts import Blocked, Steps, Wait
from reconciler.sandbox.calls import Call
from reconciler.show.plan import as_text
from tests.harness import FACTS, Host, host, tags
from tests.passes import estates

NETWORK = dedent(estates.NETWORK)
BIGGER = NETWORK.replace("t3.micro", "t3.large\n    UserData: new")
MORE = BIGGER + "    EbsOptimized: true\n"
LABEL = "instance/i"


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    with host(tmp_path_factory.mktemp("halting"), least_wait=10.0, regions=("us-west-2",)) as ops:
        yield ops


@pytest.fixture
def ops(account: Host) -> Host:
    """A machine that runs as the config says; an hour has gone since the last test."""
    account.aws.clear_faults()
    account.aws.clock.advance(3700)
    assert account.run(NETWORK).outcome == "settled"
    account.aws.clear_calls()
    return account


def machine(ops: Host) -> tuple[str, str, bool]:
    """The state of the machine, its type, and whether it is marked as stopped by us."""
    (row,) = ops.ours("instance")
    return row["State"]["Name"], row["InstanceType"], HALTED_TAG in tags(row)


def test_it_is_stopped_changed_and_started_again(ops: Host) -> None:
    planned = ops.entry(MORE, LABEL).verdict
    assert isinstance(planned, Steps)
    assert planned.disruptive
    assert "instance/i (us-west-2)" in (text := as_text(ops.plan(MORE), FACTS))
    assert (
        "update (differs: InstanceType, UserData, EbsOptimized, for which it is stopped and started" in text
    )
    id = ops.ours("instance")[0]["InstanceId"]
    assert ops.run(MORE).outcome == "settled"
    assert machine(ops) == ("running", "t3.large", False)
    assert ops.ours("instance")[0]["InstanceId"] == id
    assert ops.writes().count("StopInstances") == ops.writes().count("StartInstances") == 1
    ops.aws.clear_calls()
    assert ops.run(MORE).outcome == "settled"
    assert ops.writes() == []


def test_it_waits_for_a_window_and_what_interrupts_nothing_does_not(ops: Host) -> None:
    begins = ops.aws.clock.now() + timedelta(hours=2)
    times = f'{{from: "{begins:%H:%M}", to: "{begins + timedelta(hours=1):%H:%M}", tz: UTC}}'
    both = f"windows: [{times}]\n" + BIGGER.replace("SubnetId", "SourceDestCheck: false\n    SubnetId")
    ops.run(both)
    assert ops.writes() == ["ModifyInstanceAttribute"]
    waiting = ops.entry(both, LABEL).verdict
    assert isinstance(waiting, Wait)
    assert waiting.on == "window"
    assert machine(ops) == ("running", "t3.micro", False)
    ops.aws.clock.advance(2 * 3600)
    assert ops.run(both).outcome == "settled"
    assert machine(ops) == ("running", "t3.large", False)


def test_a_window_that_ends_while_it_is_stopped_leaves_it_running(ops: Host) -> None:
    ends = ops.aws.clock.now() + timedelta(minutes=2)
    times = f'{{from: "{ends - timedelta(hours=1):%H:%M}", to: "{ends:%H:%M}", tz: UTC}}'
    text = f"windows: [{times}]\n" + BIGGER
    ops.loop(text).one_pass("test")
    ops.aws.clock.advance(300)
    assert machine(ops) == ("stopped", "t3.micro", True)
    assert ops.run(text).outcome == "settled"
    assert machine(ops) == ("running", "t3.large", False)


class Died(BaseException):
    """The process is gone: nothing catches this."""


CALLS = ["CreateTags", "StopInstances", "ModifyInstanceAttribute", "StartInstances", "DeleteTags"]


@pytest.mark.parametrize("then", ["the same", "the config before"])
@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("operation", CALLS)
def test_whenever_the_program_dies_the_machine_runs_in_the_end(
    ops: Host, operation: str, moment: str, then: str
) -> None:
    """Also when the config that is read afterwards has nothing to change any more."""
    dead = False

    def hook(now: str, call: Call) -> None:
        nonlocal dead
        if dead or (now == moment and call.operation == operation):
            dead = True  # no other thread of a dead process makes a call
            raise Died

    ops.aws.on_call.append(hook)
    with pytest.raises(Died):
        ops.run(BIGGER)
    ops.aws.on_call.remove(hook)
    ops.forget()
    ops.aws.clock.advance(60)
    text = BIGGER if then == "the same" else NETWORK
    assert ops.run(text).outcome == "settled"
    assert machine(ops) == ("running", "t3.large" if then == "the same" else "t3.micro", False)


def test_what_aws_refuses_is_started_again_and_not_stopped_for_the_same_once_more(ops: Host) -> None:
    """The refusal comes once the machine stands still."""
    ops.aws.fail("ec2", "ModifyInstanceAttribute", code="InvalidInstanceAttributeValue", status=400)
    report = ops.run(BIGGER)
    assert report.count("failed", "blocked") == 1
    ops.aws.clock.advance(60)
    assert machine(ops)[:2] == ("running", "t3.micro")
    ops.aws.clear_faults()
    ops.aws.clear_calls()
    verdict = ops.entry(BIGGER, LABEL).verdict
    assert isinstance(verdict, Blocked)
    assert "AWS refused it" in verdict.why
    assert ops.run(BIGGER).count("blocked") == 1
    assert ops.writes() == []
    assert ops.run(BIGGER.replace("t3.large", "t3.small")).outcome == "settled", "another change is tried"
    assert machine(ops) == ("running", "t3.small", False)


def test_what_a_person_has_stopped_is_changed_as_it_stands_and_stays_stopped(ops: Host) -> None:
    ops.by_hand("ec2", "StopInstances", InstanceIds=[ops.ours("instance")[0]["InstanceId"]])
    ops.aws.clock.advance(60)
    assert ops.run(NETWORK).outcome == "settled", "nothing in the config says that it shall run"
    begins = ops.aws.clock.now() + timedelta(hours=2)
    never = f'windows: [{{from: "{begins:%H:%M}", to: "{begins + timedelta(hours=1):%H:%M}", tz: UTC}}]\n'
    assert ops.run(never + BIGGER).outcome == "settled", "nothing is interrupted"
    assert machine(ops) == ("stopped", "t3.large", False)
    ops.by_hand("ec2", "StartInstances", InstanceIds=[ops.ours("instance")[0]["InstanceId"]])


def test_edits_by_hand_that_need_a_stop_are_mended_three_times_and_then_told(ops: Host) -> None:
    """The stop is no mending of its own, or the machine would be left stopped in the middle of the second one."""
    for times in range(4):
        id = ops.ours("instance")[0]["InstanceId"]
        ops.by_hand("ec2", "StopInstances", InstanceIds=[id])
        ops.aws.clock.advance(60)
        ops.by_hand("ec2", "ModifyInstanceAttribute", InstanceId=id, InstanceType={"Value": "t3.nano"})
        ops.by_hand("ec2", "StartInstances", InstanceIds=[id])
        ops.aws.clock.advance(60)
        report = ops.run(NETWORK)
        assert (report.outcome == "settled") is (times < 3)
        assert machine(ops)[0] == "running"
    ops.forget()


def test_its_other_attributes_change_as_it_runs(ops: Host) -> None:
    """Those that no list shows are read one by one where the config names them."""
    ops.by_hand("iam", "CreateRole", RoleName="theirs", AssumeRolePolicyDocument="{}")
    for name in ("one", "two"):
        ops.by_hand("iam", "CreateInstanceProfile", InstanceProfileName=name)
        ops.by_hand("iam", "AddRoleToInstanceProfile", InstanceProfileName=name, RoleName="theirs")
    more = NETWORK + (
        "    DisableApiStop: %s\n    DisableApiTermination: %s\n    IamInstanceProfile: {Name: %s}\n"
    )
    assert ops.run(more % ("true", "true", "one")).outcome == "settled"
    assert ops.run(more % ("true", "true", "two")).outcome == "settled"
    (row,) = ops.ours("instance")
    assert row["IamInstanceProfile"]["Arn"].endswith("/two")
    ops.by_hand(
        "ec2", "ModifyInstanceAttribute", InstanceId=row["InstanceId"], DisableApiTermination={"Value": False}
    )
    ops.aws.clear_calls()
    assert ops.run(more % ("true", "true", "two")).outcome == "settled"
    assert ops.writes() == ["ModifyInstanceAttribute"]
    assert ops.run(more % ("false", "false", "two")).outcome == "settled"
    assert ops.run(NETWORK + "    IamInstanceProfile: {}\n").outcome == "settled"
    assert "IamInstanceProfile" not in ops.ours("instance")[0]
