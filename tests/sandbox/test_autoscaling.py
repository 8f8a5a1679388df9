"""Auto Scaling in the local AWS: what it refuses, and what takes its time, as in AWS."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.sandbox import LocalAws

from .conftest import client, code


@pytest.fixture
def scaling(aws: LocalAws) -> Any:
    data = {"ImageId": "ami-0123456789abcdef0", "InstanceType": "t3.micro"}
    client("ec2").create_launch_template(LaunchTemplateName="web", LaunchTemplateData=data)
    found = client("autoscaling")
    made = {"AutoScalingGroupName": "web", "AvailabilityZones": ["us-west-2a"], "MinSize": 1, "MaxSize": 3}
    found.create_auto_scaling_group(**made, LaunchTemplate={"LaunchTemplateName": "web", "Version": "1"})
    return found


def instances(scaling: Any) -> list[Any]:
    (group,) = scaling.describe_auto_scaling_groups()["AutoScalingGroups"]
    return list(group["Instances"])


def test_instances_come_and_go_in_time_and_carry_the_groups_mark(aws: LocalAws, scaling: Any) -> None:
    assert instances(scaling) == []
    aws.clock.advance(1)
    (one,) = instances(scaling)
    (row,) = client("ec2").describe_instances()["Reservations"][0]["Instances"]
    assert {"Key": "aws:autoscaling:groupName", "Value": "web"} in row["Tags"]
    client("ec2").terminate_instances(InstanceIds=[one["InstanceId"]])
    assert instances(scaling) == []
    aws.clock.advance(1)
    assert [other["InstanceId"] for other in instances(scaling)] != [one["InstanceId"]]


def test_a_name_is_taken_once_and_what_is_not_there_is_a_validation_error(scaling: Any) -> None:
    template = {"LaunchTemplateName": "web"}
    again = {"AutoScalingGroupName": "web", "MinSize": 0, "MaxSize": 0, "AvailabilityZones": ["us-west-2a"]}
    assert code(scaling.create_auto_scaling_group, LaunchTemplate=template, **again)[0] == "AlreadyExists"
    assert code(scaling.delete_auto_scaling_group, AutoScalingGroupName="other")[0] == "ValidationError"
    too_many = {"AutoScalingGroupName": "web", "DesiredCapacity": 9}
    assert code(scaling.update_auto_scaling_group, **too_many)[0] == "ValidationError"


def test_a_group_goes_when_it_is_empty_or_by_force(aws: LocalAws, scaling: Any) -> None:
    aws.clock.advance(1)
    assert code(scaling.delete_auto_scaling_group, AutoScalingGroupName="web")[0] == "ResourceInUse"
    scaling.delete_auto_scaling_group(AutoScalingGroupName="web", ForceDelete=True)
    assert scaling.describe_auto_scaling_groups()["AutoScalingGroups"][0]["Status"] == "Delete in progress"
    while scaling.describe_auto_scaling_groups()["AutoScalingGroups"]:
        aws.clock.advance(1)
    assert client("ec2").describe_instances()["Reservations"][0]["Instances"][0]["State"]["Name"] != "running"


def test_what_is_protected_from_scaling_in_stays(aws: LocalAws, scaling: Any) -> None:
    aws.clock.advance(1)
    (one,) = instances(scaling)
    named = {"AutoScalingGroupName": "web", "InstanceIds": [one["InstanceId"]]}
    scaling.set_instance_protection(**named, ProtectedFromScaleIn=True)
    none = {"MinSize": 0, "MaxSize": 0, "DesiredCapacity": 0}
    scaling.update_auto_scaling_group(AutoScalingGroupName="web", **none)
    aws.clock.advance(5)
    assert len(instances(scaling)) == 1
    scaling.set_instance_protection(**named, ProtectedFromScaleIn=False)
    aws.clock.advance(5)
    assert instances(scaling) == []


def test_there_is_one_refresh_at_a_time_and_a_policy_keeps_what_is_not_said(
    aws: LocalAws, scaling: Any
) -> None:
    aws.clock.advance(1)
    before = {one["InstanceId"] for one in instances(scaling)}
    scaling.start_instance_refresh(AutoScalingGroupName="web")
    assert code(scaling.start_instance_refresh, AutoScalingGroupName="web")[0] == "InstanceRefreshInProgress"
    aws.clock.advance(5)
    assert not before & {one["InstanceId"] for one in instances(scaling)}
    spec = {
        "LaunchTemplateSpecification": {"LaunchTemplateName": "web"},
        "Overrides": [{"InstanceType": "t3.large"}],
    }
    first = {"LaunchTemplate": spec, "InstancesDistribution": {"OnDemandBaseCapacity": 1}}
    for policy in (first, {"InstancesDistribution": {"SpotInstancePools": 2}}):
        scaling.update_auto_scaling_group(AutoScalingGroupName="web", MixedInstancesPolicy=policy)
    (group,) = scaling.describe_auto_scaling_groups()["AutoScalingGroups"]
    assert "LaunchTemplate" not in group
    assert group["MixedInstancesPolicy"]["LaunchTemplate"]["Overrides"] == [{"InstanceType": "t3.large"}]
    assert group["MixedInstancesPolicy"]["InstancesDistribution"]["OnDemandBaseCapacity"] == 1
