"""Auto Scaling groups: whose their instances are, who decides how many there are, and how they get a new template."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.errors import ConfigError
from reconciler.kinds.scaling import AUTO_SCALING_GROUP
from reconciler.sandbox.autoscaling.store import Group, store_of
from reconciler.sandbox.world import current
from tests.harness import ACCOUNT, STACK, Host, host

CONFIG = """
resources:
  vpc/a: {CidrBlock: 10.1.0.0/16}
  subnet/a: {VpcId: "${vpc/a}", CidrBlock: 10.1.1.0/24, AvailabilityZone: us-west-2a}
  launch-template/a:
    LaunchTemplateName: web
    LaunchTemplateData: {ImageId: ami-0123456789abcdef0, InstanceType: t3.medium}
  auto-scaling-group/a:
    AutoScalingGroupName: web
    MinSize: 1
    MaxSize: 4
    LaunchTemplate:
      LaunchTemplateId: ${launch-template/a}
      Version: ${launch-template/a.LatestVersionNumber}
    VPCZoneIdentifier: ${subnet/a}
    InstanceRefresh: {MinHealthyPercentage: 50}
    Tags: {team: web}
"""
BIGGER = CONFIG.replace("t3.medium", "t3.large")
GROUP = "auto-scaling-group/a"


@pytest.fixture
def ops(tmp_path: Path) -> Iterator[Host]:
    with host(tmp_path, 10.0, regions=("us-west-2",), page_size=50) as made:
        yield made


def group() -> Group:
    """The group, as the local AWS remembers it."""
    return store_of(current(), ACCOUNT, "us-west-2").groups["web"]


def types() -> list[str]:
    return [one["InstanceType"] for one in group().instances.values()]


def of(ops: Host, operation: str) -> list[Any]:
    return [call for call in ops.aws.calls if call.operation == operation]


# ---- instances


@pytest.mark.parametrize("claim", [GROUP, "instance/a"])
def test_its_instances_are_never_taken_for_ours_though_our_tags_are_copied_onto_them(
    ops: Host, claim: str
) -> None:
    """A person has had our tags handed down."""
    ops.run(CONFIG)
    kept = dict(group().tags)
    group().tags |= {"reconciler:stack": (STACK, True), "reconciler:address": (claim, True)}
    ops.by_hand("autoscaling", "UpdateAutoScalingGroup", AutoScalingGroupName="web", DesiredCapacity=2)
    ops.aws.clock.advance(10)
    (copied,) = ops.ours("instance")
    group().tags = kept
    assert {"Key": "reconciler:address", "Value": claim} in copied["Tags"]
    ops.aws.clear_calls()
    assert ops.run(CONFIG).outcome == "settled"
    assert ops.writes() == []
    machine = "ImageId: ${ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64}"
    extra = f"{CONFIG}  instance/a:\n    SubnetId: ${{subnet/a}}\n    InstanceType: t3.micro\n    {machine}\n"
    assert ops.run(extra).outcome == "settled"
    assert ops.seen(extra, "instance/a").id != copied["InstanceId"]
    assert ops.destroy(extra).count("failed", "blocked", "waiting") == 0


def test_how_many_there_are_is_left_to_others_unless_the_config_says_it(ops: Host) -> None:
    ops.run(CONFIG)
    ops.by_hand("autoscaling", "UpdateAutoScalingGroup", AutoScalingGroupName="web", DesiredCapacity=3)
    assert ops.run(CONFIG).outcome == "settled"
    assert group().row["DesiredCapacity"] == 3
    assert (
        ops.run(CONFIG.replace("    MaxSize: 4", "    MaxSize: 4\n    DesiredCapacity: 2")).outcome
        == "settled"
    )
    assert group().row["DesiredCapacity"] == 2


# ---- refreshes


def test_another_version_is_rolled_out_once_and_waited_for(ops: Host) -> None:
    ops.run(CONFIG)
    assert types() == ["t3.medium"]
    ops.aws.clear_calls()
    assert ops.run(BIGGER).outcome == "settled"
    (refresh,) = of(ops, "StartInstanceRefresh")
    assert refresh.parameters["Preferences"] == {"MinHealthyPercentage": 50}
    assert types() == ["t3.large"]
    assert "t3.medium" not in types()
    ops.aws.clear_calls()
    assert ops.run(BIGGER).outcome == "settled"
    assert ops.writes() == []
    assert of(ops, "DescribeInstanceRefreshes") == [], "nothing is asked of a group that is as it should be"


def test_what_is_under_way_is_told_and_waited_for(ops: Host) -> None:
    ops.run(CONFIG)
    ops.run(BIGGER)
    group().refreshes.insert(
        0, {"InstanceRefreshId": "r-1", "Status": "InProgress", "PercentageComplete": 40}
    )
    next(iter(group().instances.values()))["LaunchTemplate"]["Version"] = "1"
    ops.aws.clear_calls()
    report = ops.run(BIGGER, timeout=15)
    told = {outcome.label: outcome for outcome in report.outcomes}
    assert told[GROUP].status == "waiting"
    assert "r-1 is InProgress, 40 % done" in told[GROUP].why
    assert ops.writes() == []


def test_a_refresh_that_failed_is_not_begun_again(ops: Host) -> None:
    ops.run(CONFIG)
    assert ops.run(BIGGER).outcome == "settled"
    group().refreshes[0] |= {"Status": "Failed", "StatusReason": "no capacity"}
    next(iter(group().instances.values()))["LaunchTemplate"]["Version"] = "1"
    ops.aws.clear_calls()
    report = ops.run(BIGGER)
    told = {outcome.label: outcome for outcome in report.outcomes}
    assert told[GROUP].status == "blocked"
    assert "no capacity" in told[GROUP].why
    assert ops.writes() == []
    assert ops.run(CONFIG.replace("t3.medium", "t3.xlarge")).outcome == "settled", (
        "a third version is another matter"
    )
    assert types() == ["t3.xlarge"]


def test_without_a_word_about_it_instances_stay_as_they_are(ops: Host) -> None:
    ops.run(CONFIG)
    plain = BIGGER.replace("    InstanceRefresh: {MinHealthyPercentage: 50}\n", "")
    assert ops.run(plain).outcome == "settled"
    assert types() == ["t3.medium"]


PLAIN = {"LaunchTemplate": {"LaunchTemplateId": "lt-1", "LaunchTemplateName": "web", "Version": "2"}}


def mixed(*overrides: Any) -> dict[str, Any]:
    template = {"LaunchTemplateSpecification": PLAIN["LaunchTemplate"], "Overrides": list(overrides)}
    return {"MixedInstancesPolicy": {"LaunchTemplate": template}}


def instance(type: str = "t3.medium", version: str = "2", state: str = "InService") -> dict[str, Any]:
    template = {"LaunchTemplateId": "lt-1", "LaunchTemplateName": "web", "Version": version}
    return {"InstanceType": type, "LifecycleState": state, "LaunchTemplate": template}


OTHER = {
    "InstanceType": "t3.large",
    "LaunchTemplateSpecification": {"LaunchTemplateId": "lt-1", "Version": "1"},
}


@pytest.mark.parametrize(
    ("source", "one", "needed"),
    [
        (PLAIN, instance(), False),
        (PLAIN, instance(version="1"), True),
        (PLAIN, instance(version="1", state="Terminating:Wait"), False),
        (PLAIN, {"InstanceType": "t3.medium", "LifecycleState": "InService"}, True),
        (mixed(), instance(), False),
        (mixed({"InstanceType": "t3.medium"}), instance(), False),
        (mixed({"InstanceType": "t3.large"}), instance(), True),
        (mixed({"InstanceRequirements": {}}), instance("m5.large"), False),
        (mixed({"InstanceType": "t3.medium"}, OTHER), instance("t3.large", "1"), False),
        (mixed({"InstanceType": "t3.medium"}, OTHER), instance("t3.large"), True),
    ],
)
def test_which_instances_a_group_would_launch_no_more(
    source: dict[str, Any], one: dict[str, Any], needed: bool
) -> None:
    (detail,) = AUTO_SCALING_GROUP.read.details
    assert detail.needed is not None
    assert detail.needed({**source, "Instances": [one]}) is needed


# ---- names, and its end


def test_somebody_elses_group_of_the_name_is_told_and_not_touched(ops: Host) -> None:
    without = CONFIG.partition(f"  {GROUP}:")[0]
    ops.run(without)
    theirs = {"LaunchTemplate": {"LaunchTemplateName": "web"}, "AvailabilityZones": ["us-west-2a"]}
    given = {"AutoScalingGroupName": "web", "MinSize": 0, "MaxSize": 0, **theirs}
    ops.by_hand("autoscaling", "CreateAutoScalingGroup", **given)
    told = {outcome.label: outcome for outcome in ops.run(CONFIG, timeout=120).outcomes}
    assert told[GROUP].status == "blocked"
    assert "AutoScalingGroupName is that of something that is not ours" in told[GROUP].why
    assert group().tags == {}
    assert group().row["MaxSize"] == 0


@pytest.mark.parametrize(
    ("kept_by", "value", "why"),
    [
        ("DeletionProtection", "prevent-all-deletion", "AWS protects it"),
        ("WarmPoolConfiguration", {"MinSize": 1}, "it has a warm pool"),
    ],
)
def test_what_cannot_be_deleted_is_not_emptied_either(ops: Host, kept_by: str, value: Any, why: str) -> None:
    ops.run(CONFIG)
    group().row[kept_by] = value
    told = {outcome.label: outcome for outcome in ops.destroy(CONFIG).outcomes}
    assert why in told[GROUP].why
    assert told[GROUP].on == "person"
    assert len(group().instances) == 1
    group().row.pop(kept_by)
    assert ops.destroy(CONFIG).count("failed", "blocked", "waiting") == 0


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("${launch-template/a.LatestVersionNumber}", "$Latest", "a Version that is a number"),
        ("LaunchTemplateId: ${launch-template/a}", "LaunchTemplateName: web", "a LaunchTemplateId"),
        (
            "    MinSize: 1",
            "    MinSize: 1\n    MixedInstancesPolicy: {}",
            "MixedInstancesPolicy is there too",
        ),
    ],
)
def test_what_cannot_work_is_told_before_anything_is_asked(
    ops: Host, before: str, after: str, told: str
) -> None:
    with pytest.raises(ConfigError, match=told):
        ops.plan(CONFIG.replace(before, after))
