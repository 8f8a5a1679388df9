"""EKS in the local AWS: what it refuses, what takes its time, and what it makes of its own, as in AWS."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from reconciler.sandbox import LocalAws

from .conftest import client, code

INVALID, BUSY = "InvalidParameterException", "ResourceInUseException"


@pytest.fixture
def subnets(aws: LocalAws) -> list[str]:
    ec2 = client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    places = (("10.0.0.0/24", "us-west-2a"), ("10.0.1.0/24", "us-west-2b"))
    made = [ec2.create_subnet(VpcId=vpc, CidrBlock=block, AvailabilityZone=zone) for block, zone in places]
    return [str(one["Subnet"]["SubnetId"]) for one in made]


@pytest.fixture
def role(aws: LocalAws) -> str:
    made = client("iam").create_role(RoleName="kubernetes", AssumeRolePolicyDocument="{}")
    return str(made["Role"]["Arn"])


@pytest.fixture
def eks(aws: LocalAws, subnets: list[str], role: str) -> Any:
    """With an active cluster."""
    found = client("eks")
    found.create_cluster(
        name="main",
        version="1.31",
        roleArn=role,
        resourcesVpcConfig={"subnetIds": subnets},
        clientRequestToken="main",
        tags={"team": "ours"},
    )
    aws.clock.advance(1)
    return found


@pytest.fixture
def nodes(aws: LocalAws, eks: Any, subnets: list[str], role: str) -> Any:
    """With an active group of one node."""
    given = {"clusterName": "main", "nodegroupName": "workers", "nodeRole": role, "subnets": subnets}
    eks.create_nodegroup(**given, tags={"team": "ours"})
    aws.clock.advance(1)
    return eks


def marked() -> Counter[str]:
    """How many things of each type EKS has marked as its own; none of them has tags of the cluster or the group."""
    pages = [client(one).get_paginator("describe_tags").paginate() for one in ("ec2", "autoscaling")]
    tags = [tag for each in pages for page in each for tag in page["Tags"]]
    assert "team" not in {tag["Key"] for tag in tags}
    marks = ("aws:eks:cluster-name", "eks:nodegroup-name")
    return Counter(tag["ResourceType"] for tag in tags if tag["Key"] in marks)


def test_a_cluster_wants_two_zones_and_a_role_that_is_there(
    aws: LocalAws, subnets: list[str], role: str
) -> None:
    def create(ids: list[str], arn: str) -> Any:
        return client("eks").create_cluster(name="x", roleArn=arn, resourcesVpcConfig={"subnetIds": ids})

    assert code(lambda: create(subnets[:1], role))[0] == INVALID
    assert code(lambda: create(subnets, f"{role}x"))[0] == INVALID
    assert create(subnets, role)["cluster"]["status"] == "CREATING"
    assert code(lambda: create(subnets, role))[0] == BUSY


def test_a_token_makes_one(eks: Any, subnets: list[str], role: str) -> None:
    given = {"name": "main", "roleArn": role, "resourcesVpcConfig": {"subnetIds": subnets}}
    eks.create_cluster(**given, clientRequestToken="main")
    assert eks.list_clusters()["clusters"] == ["main"]


def test_one_sort_of_change_at_a_time_that_changes_something(aws: LocalAws, eks: Any) -> None:
    def configure(**change: Any) -> Any:
        return eks.update_cluster_config(name="main", **change)

    policy = {"supportType": "STANDARD"}
    assert code(lambda: configure(upgradePolicy=policy, deletionProtection=True))[0] == INVALID
    configure(upgradePolicy=policy)
    assert eks.describe_cluster(name="main")["cluster"]["status"] == "UPDATING"
    assert code(lambda: configure(deletionProtection=True))[0] == BUSY
    aws.clock.advance(1)
    assert code(lambda: configure(upgradePolicy=policy))[0] == INVALID
    assert eks.describe_cluster(name="main")["cluster"]["upgradePolicy"] == policy


def test_versions_go_up_by_one_and_nodes_are_never_ahead(aws: LocalAws, nodes: Any) -> None:
    def upgrade(version: str) -> Any:
        return nodes.update_cluster_version(name="main", version=version)

    def roll(version: str) -> Any:
        return nodes.update_nodegroup_version(clusterName="main", nodegroupName="workers", version=version)

    assert code(lambda: upgrade("1.33"))[0] == INVALID
    assert code(lambda: roll("1.32"))[0] == INVALID
    upgrade("1.32")
    aws.clock.advance(1)
    roll("1.32")
    aws.clock.advance(1)
    shown = nodes.describe_nodegroup(clusterName="main", nodegroupName="workers")["nodegroup"]
    assert (shown["status"], shown["version"]) == ("ACTIVE", "1.32")


def test_a_group_wants_an_active_cluster_and_sizes_in_order(
    aws: LocalAws, eks: Any, subnets: list[str], role: str
) -> None:
    def create(**given: Any) -> Any:
        names = {"clusterName": "main", "nodegroupName": "workers", "nodeRole": role, "subnets": subnets}
        return eks.create_nodegroup(**{**names, **given})

    assert code(lambda: create(clusterName="other"))[0] == "ResourceNotFoundException"
    assert code(lambda: create(scalingConfig={"minSize": 2, "maxSize": 1, "desiredSize": 1}))[0] == INVALID
    assert code(lambda: create(launchTemplate={"id": "lt-0123456789abcdef0"}))[0] == INVALID
    eks.update_cluster_config(name="main", deletionProtection=True)
    assert code(create)[0] == BUSY


def test_what_it_makes_of_its_own_is_marked_and_goes_with_what_it_is_for(aws: LocalAws, nodes: Any) -> None:
    made = {"auto-scaling-group": 1, "instance": 1, "launch-template": 1, "security-group": 1}
    assert marked() == made
    sizes = {"minSize": 0, "maxSize": 3, "desiredSize": 3}
    nodes.update_nodegroup_config(clusterName="main", nodegroupName="workers", scalingConfig=sizes)
    aws.clock.advance(1)
    assert marked() == {**made, "instance": 3}
    assert code(lambda: nodes.delete_cluster(name="main"))[0] == BUSY
    nodes.delete_nodegroup(clusterName="main", nodegroupName="workers")
    for _ in range(5):  # its instances go first
        aws.clock.advance(1)
        left = nodes.list_nodegroups(clusterName="main")["nodegroups"]
    assert left == []
    nodes.delete_cluster(name="main")
    aws.clock.advance(1)
    assert nodes.list_clusters()["clusters"] == []
    assert marked().keys().isdisjoint({"auto-scaling-group", "security-group"})
    assert client("ec2").describe_launch_templates()["LaunchTemplates"] == []


def test_a_group_goes_although_somebody_has_deleted_its_template(aws: LocalAws, nodes: Any) -> None:
    (made,) = client("ec2").describe_launch_templates()["LaunchTemplates"]
    client("ec2").delete_launch_template(LaunchTemplateId=made["LaunchTemplateId"])
    nodes.delete_nodegroup(clusterName="main", nodegroupName="workers")
    for _ in range(5):
        aws.clock.advance(1)
        left = nodes.list_nodegroups(clusterName="main")["nodegroups"]
    assert left == []


def test_sizes_are_said_all_or_none_at_creation(eks: Any, subnets: list[str], role: str) -> None:
    names = {"clusterName": "main", "nodegroupName": "workers", "nodeRole": role, "subnets": subnets}
    assert (
        code(lambda: eks.create_nodegroup(**names, scalingConfig={"minSize": 1, "maxSize": 2}))[0] == INVALID
    )
