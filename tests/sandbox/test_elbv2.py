"""Elastic Load Balancing in the local AWS: what it refuses, repeats and takes its time over, as AWS does."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from reconciler.sandbox import LocalAws

from .conftest import client


@pytest.fixture
def elb(aws: LocalAws) -> Any:
    return client("elbv2")


@pytest.fixture
def vpc(aws: LocalAws) -> str:
    return str(client("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"])


@pytest.fixture
def subnet(vpc: str) -> str:
    made = client("ec2").create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")
    return str(made["Subnet"]["SubnetId"])


def balancer(elb: Any, subnet: str, **given: Any) -> str:
    asked = {"Name": "one", "Type": "network", "Scheme": "internal", "Subnets": [subnet], **given}
    return str(elb.create_load_balancer(**asked)["LoadBalancers"][0]["LoadBalancerArn"])


def group(elb: Any, vpc: str, **given: Any) -> str:
    asked = {"Name": "one", "Protocol": "TCP", "Port": 80, "VpcId": vpc, **given}
    return str(elb.create_target_group(**asked)["TargetGroups"][0]["TargetGroupArn"])


def listener(elb: Any, balancer: str, group: str, port: int = 80) -> str:
    made = elb.create_listener(
        LoadBalancerArn=balancer,
        Protocol="TCP",
        Port=port,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": group}],
    )
    return str(made["Listeners"][0]["ListenerArn"])


def refused(code: str, call: Any, **given: Any) -> None:
    with pytest.raises(ClientError) as told:
        call(**given)
    assert told.value.response["Error"]["Code"] == code


def test_the_same_once_more_is_the_same_thing_with_the_tags_that_it_has(
    elb: Any, vpc: str, subnet: str
) -> None:
    first = balancer(elb, subnet, Tags=[{"Key": "a", "Value": "1"}])
    assert balancer(elb, subnet, Tags=[{"Key": "b", "Value": "2"}]) == first
    tags = elb.describe_tags(ResourceArns=[first])["TagDescriptions"][0]["Tags"]
    assert tags == [{"Key": "a", "Value": "1"}]
    target = group(elb, vpc)
    assert group(elb, vpc) == target
    assert listener(elb, first, target) == listener(elb, first, target)


def test_a_name_or_a_port_with_other_settings_is_taken(elb: Any, vpc: str, subnet: str) -> None:
    one, target = balancer(elb, subnet), group(elb, vpc)
    listener(elb, one, target)
    refused("DuplicateTargetGroupName", group, elb=elb, vpc=vpc, Port=81)
    refused("DuplicateListener", listener, elb=elb, balancer=one, group=group(elb, vpc, Name="two"))
    other = {"Name": "one", "Type": "network", "Scheme": "internal", "IpAddressType": "dualstack"}
    refused("DuplicateLoadBalancerName", elb.create_load_balancer, Subnets=[subnet], **other)


def test_it_is_provisioning_at_first_and_its_interfaces_outlive_it(
    aws: LocalAws, elb: Any, subnet: str
) -> None:
    arn, ec2 = balancer(elb, subnet), client("ec2")
    assert elb.describe_load_balancers()["LoadBalancers"][0]["State"]["Code"] == "provisioning"
    aws.clock.advance(1)
    assert elb.describe_load_balancers()["LoadBalancers"][0]["State"]["Code"] == "active"
    (interface,) = ec2.describe_network_interfaces()["NetworkInterfaces"]
    assert interface["RequesterManaged"]
    elb.delete_load_balancer(LoadBalancerArn=arn)
    refused("DependencyViolation", ec2.delete_subnet, SubnetId=subnet)
    aws.clock.advance(1)
    ec2.delete_subnet(SubnetId=subnet)


def test_a_group_stays_while_a_listener_leads_there_and_serves_one_load_balancer(
    elb: Any, vpc: str, subnet: str
) -> None:
    one, two, target = balancer(elb, subnet), balancer(elb, subnet, Name="two"), group(elb, vpc)
    made = listener(elb, one, target)
    refused("ResourceInUse", elb.delete_target_group, TargetGroupArn=target)
    refused("TargetGroupAssociationLimit", listener, elb=elb, balancer=two, group=target)
    elb.delete_listener(ListenerArn=made)
    elb.delete_target_group(TargetGroupArn=target)
    elb.delete_target_group(TargetGroupArn=target)  # as AWS: gone is gone
    refused("ListenerNotFound", elb.delete_listener, ListenerArn=made)


def test_lists_come_in_pages_that_a_marker_continues(elb: Any, vpc: str) -> None:
    made = [group(elb, vpc, Name=f"g{n}") for n in range(7)]
    first = elb.describe_target_groups()
    assert len(first["TargetGroups"]) == 3
    assert first["NextMarker"]
    pages = elb.get_paginator("describe_target_groups").paginate()
    assert [row["TargetGroupArn"] for page in pages for row in page["TargetGroups"]] == made
    refused("ValidationError", elb.describe_target_groups, Marker="made up")
    refused("ValidationError", elb.describe_tags, ResourceArns=made * 3)


def test_what_is_to_be_reached_from_the_internet_needs_a_way_there(elb: Any, subnet: str) -> None:
    refused(
        "InvalidSubnet",
        elb.create_load_balancer,
        Name="one",
        Type="network",
        Subnets=[subnet],
    )


def test_protection_and_gone_things(elb: Any, subnet: str) -> None:
    arn = balancer(elb, subnet)
    on = [{"Key": "deletion_protection.enabled", "Value": "true"}]
    elb.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=on)
    refused("OperationNotPermitted", elb.delete_load_balancer, LoadBalancerArn=arn)
    refused("LoadBalancerNotFound", elb.describe_listeners, LoadBalancerArn=arn + "x")
    refused("LoadBalancerNotFound", elb.describe_tags, ResourceArns=[arn + "x"])
