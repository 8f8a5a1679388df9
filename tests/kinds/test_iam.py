"""Roles and instance profiles among those of others, and on their way into EC2."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.errors import ConfigError
from reconciler.sandbox import Call
from tests.harness import Host, host, read

TRUST = {
    "Version": "2012-10-17",
    "Statement": {
        "Effect": "Allow",
        "Principal": {"Service": "ec2.amazonaws.com"},
        "Action": "sts:AssumeRole",
    },
}
CONFIG = f"""
resources:
  iam-role/worker:
    RoleName: worker
    AssumeRolePolicyDocument: {json.dumps(TRUST)}
    Policies: []
  instance-profile/worker:
    InstanceProfileName: worker
    Roles: [{{RoleName: "${{iam-role/worker}}"}}]
  instance/worker:
    ImageId: ${{ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64}}
    InstanceType: t3.medium
    IamInstanceProfile: {{Name: "${{instance-profile/worker}}"}}
"""


@pytest.fixture
def ops(tmp_path: Path) -> Iterator[Host]:
    with host(tmp_path, 10.0, regions=("us-west-2",), page_size=2) as made:
        yield made


def their_role(ops: Host, name: str) -> None:
    ops.by_hand("iam", "CreateRole", RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))


def test_a_machine_waits_until_ec2_knows_its_new_profile(ops: Host) -> None:
    loop = ops.loop(CONFIG, grace=0)
    told = {outcome.label: outcome for outcome in loop.one_pass("test").outcomes}
    assert told["instance/worker"].status == "waiting"
    assert "RunInstances" not in ops.writes(), "its profile has no role yet"
    assert ops.run(CONFIG).outcome == "settled"
    (machine,) = ops.ours("instance")
    assert machine["IamInstanceProfile"]["Arn"].endswith(":instance-profile/reconciler/test/worker")
    assert ops.writes().count("CreateInstanceProfile") == 1
    ops.aws.clear_calls()
    assert ops.run(CONFIG).outcome == "settled"
    assert ops.writes() == []


def test_others_names_are_not_even_read_and_never_taken(ops: Host) -> None:
    for number in range(5):
        their_role(ops, f"theirs-{number}")
    their_role(ops, "worker")
    report = ops.run(CONFIG, timeout=120)
    told = {outcome.label: outcome for outcome in report.outcomes}
    assert told["iam-role/worker"].status == "blocked"
    assert "is not ours" in told["iam-role/worker"].why
    assert "RoleName" in told["iam-role/worker"].why
    assert {"GetRole", "TagRole", "PutRolePolicy", "UpdateAssumeRolePolicy"} & {
        call.operation for call in ops.aws.calls
    } == set()
    ops.by_hand("iam", "DeleteRole", RoleName="worker")
    assert ops.run(CONFIG).outcome == "settled", "a person has made room"


def test_inline_policies_of_others_stay_where_none_are_named_and_go_where_the_list_is_empty(
    ops: Host,
) -> None:
    unnamed = CONFIG.replace("    Policies: []\n", "")
    assert ops.run(unnamed).outcome == "settled"
    grant = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}
    ops.by_hand(
        "iam", "PutRolePolicy", RoleName="worker", PolicyName="more", PolicyDocument=json.dumps(grant)
    )
    ops.aws.clear_calls()
    assert ops.run(unnamed).outcome == "settled"
    assert ops.writes() == []
    assert ops.run(CONFIG).outcome == "settled"
    assert ops.writes() == ["DeleteRolePolicy", "TagRole"]  # and what was applied is noted


def test_a_role_is_not_called_gone_because_one_of_its_policies_is(ops: Host) -> None:
    """Somebody takes a policy off it between the look and the call that would."""
    policy = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"
    role = f"""
resources:
  iam-role/worker:
    RoleName: worker
    AssumeRolePolicyDocument: {json.dumps(TRUST)}
    AttachedPolicies: [{{PolicyArn: "{policy}"}}]
"""
    assert ops.run(role).outcome == "settled"
    taken: list[str] = []

    def take(moment: str, call: Call) -> None:
        if moment == "before" and call.operation == "DetachRolePolicy" and not taken:
            taken.append(policy)
            ops.by_hand("iam", "DetachRolePolicy", RoleName="worker", PolicyArn=policy)

    ops.aws.on_call.append(take)
    report = ops.loop("resources: {}", destroy=True, grace=0).one_pass("test")
    ops.aws.on_call.remove(take)
    assert taken
    assert [outcome.status for outcome in report.outcomes] == ["waiting"]
    assert len(ops.ours("iam-role")) == 1
    ops.destroy()
    assert ops.ours("iam-role") == []


def test_a_policy_that_nobody_has_is_told_and_not_waited_for(ops: Host) -> None:
    arn = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCorps"
    report = ops.run(
        CONFIG.replace("Policies: []", f"AttachedPolicies: [{{PolicyArn: '{arn}'}}]"), timeout=120
    )
    (told,) = [outcome for outcome in report.outcomes if arn in outcome.why]
    assert told.label == "iam-role/worker"
    assert told.status in {"failed", "blocked"}


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("Policies: []", "Policies: [{PolicyName: a, PolicyDocument: {}}]", "has a Statement"),
        ("RoleName: worker", "RoleName: worker\n    Path: /mine/", "Path"),
        (
            '[{RoleName: "${iam-role/worker}"}]',
            '[{RoleName: "${iam-role/worker}"}, {RoleName: theirs}]',
            "only one of them can exist",
        ),
    ],
)
def test_what_iam_would_refuse_is_found_before_it_is_asked(old: str, new: str, told: str) -> None:
    assert read(CONFIG)
    with pytest.raises(ConfigError, match=told):
        read(CONFIG.replace(old, new))
