"""Instances: launches that happen once, states on the clock, what may be changed when."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from reconciler.sandbox import LocalAws

from .conftest import client, code, found, image, launch


def state(ec2: Any, instance_id: str) -> str:
    return str(found(ec2, instance_id)["State"]["Name"])


def subnet_in(ec2: Any) -> tuple[str, str]:
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24", AvailabilityZone="us-west-2a")
    return vpc, subnet["Subnet"]["SubnetId"]


def test_an_instance_starts_stops_starts_and_ends_on_the_clock(aws: LocalAws, ec2: Any) -> None:
    made = launch(ec2)
    one = made["InstanceId"]
    assert made["State"] == {"Code": 0, "Name": "pending"}
    assert state(ec2, one) == "pending"
    assert code(ec2.stop_instances, InstanceIds=[one]) == ("IncorrectInstanceState", 400)
    aws.clock.advance(0.5)
    assert state(ec2, one) == "running"
    answer = ec2.stop_instances(InstanceIds=[one])["StoppingInstances"][0]
    assert (answer["PreviousState"]["Name"], answer["CurrentState"]["Name"]) == ("running", "stopping")
    assert code(ec2.start_instances, InstanceIds=[one])[0] == "IncorrectInstanceState"
    assert state(ec2, one) == "stopping"
    aws.clock.advance(0.5)
    assert state(ec2, one) == "stopped"
    answer = ec2.start_instances(InstanceIds=[one])["StartingInstances"][0]
    assert (answer["PreviousState"]["Name"], answer["CurrentState"]["Name"]) == ("stopped", "pending")
    aws.clock.advance(0.5)
    assert state(ec2, one) == "running"
    answer = ec2.terminate_instances(InstanceIds=[one])["TerminatingInstances"][0]
    assert (answer["PreviousState"]["Name"], answer["CurrentState"]["Name"]) == ("running", "shutting-down")
    assert state(ec2, one) == "shutting-down"
    aws.clock.advance(0.5)
    gone = found(ec2, one)
    assert gone["State"] == {"Code": 48, "Name": "terminated"}
    assert gone["NetworkInterfaces"] == []
    assert "SubnetId" not in gone
    assert (
        ec2.terminate_instances(InstanceIds=[one])["TerminatingInstances"][0]["PreviousState"]["Code"] == 48
    )
    assert code(ec2.start_instances, InstanceIds=[one])[0] == "IncorrectInstanceState"
    aws.clock.advance(3700)
    assert code(ec2.describe_instances, InstanceIds=[one]) == ("InvalidInstanceID.NotFound", 400)


def test_a_terminated_pending_instance_never_runs(aws: LocalAws, ec2: Any) -> None:
    one = launch(ec2)["InstanceId"]
    ec2.terminate_instances(InstanceIds=[one])
    aws.clock.advance(0.5)
    assert state(ec2, one) == "terminated"
    aws.clock.advance(5)
    assert state(ec2, one) == "terminated"


def test_the_same_token_launches_once_and_shows_the_present_state(aws: LocalAws, ec2: Any) -> None:
    first = launch(ec2, ClientToken="one")
    assert first["ClientToken"] == "one"
    aws.clock.advance(0.5)
    again = launch(ec2, ClientToken="one")
    assert again["InstanceId"] == first["InstanceId"]
    assert again["State"]["Name"] == "running"
    shown = ec2.describe_instances(Filters=[{"Name": "client-token", "Values": ["one"]}])["Reservations"]
    assert [one["InstanceId"] for one in shown[0]["Instances"]] == [first["InstanceId"]]
    assert launch(ec2, ClientToken="two")["InstanceId"] != first["InstanceId"]


def test_the_same_token_for_something_else_is_refused(ec2: Any) -> None:
    launch(ec2, ClientToken="one")
    other = {
        "ImageId": image(),
        "InstanceType": "t3.micro",
        "MinCount": 1,
        "MaxCount": 1,
        "ClientToken": "one",
    }
    assert code(ec2.run_instances, **other) == ("IdempotentParameterMismatch", 400)


def test_the_token_of_a_terminated_instance_is_refused(aws: LocalAws, ec2: Any) -> None:
    one = launch(ec2, ClientToken="one")["InstanceId"]
    ec2.terminate_instances(InstanceIds=[one])
    aws.clock.advance(0.5)
    same = {
        "ImageId": image(),
        "InstanceType": "t2.medium",
        "MinCount": 1,
        "MaxCount": 1,
        "ClientToken": "one",
    }
    assert code(ec2.run_instances, **same)[0] == "IdempotentInstanceTerminated"
    aws.clock.advance(3700)
    assert code(ec2.run_instances, **same)[0] == "IdempotentInstanceTerminated"


def test_tokens_are_zonal_when_a_zone_is_named_and_never_cross_regions(aws: LocalAws, ec2: Any) -> None:
    a = launch(ec2, ClientToken="one", Placement={"AvailabilityZone": "us-west-2a"})
    b = launch(ec2, ClientToken="one", Placement={"AvailabilityZone": "us-west-2b"})
    assert a["InstanceId"] != b["InstanceId"]
    assert b["Placement"]["AvailabilityZone"] == "us-west-2b"
    elsewhere = client("ec2", "eu-west-1")
    far = launch(elsewhere, ClientToken="one", ImageId=image("eu-west-1"))
    assert far["InstanceId"] not in (a["InstanceId"], b["InstanceId"])


def test_a_refused_launch_leaves_its_token_free(ec2: Any) -> None:
    bad = {"ImageId": "ami-0123456789abcdef0", "MinCount": 1, "MaxCount": 1, "ClientToken": "one"}
    assert code(ec2.run_instances, **bad) == ("InvalidAMIID.NotFound", 400)
    launch(ec2, ClientToken="one")


def test_other_creates_honour_their_token_too(ec2: Any) -> None:
    given = {"AvailabilityZone": "us-west-2a", "Size": 1, "ClientToken": "one"}
    assert ec2.create_volume(**given)["VolumeId"] == ec2.create_volume(**given)["VolumeId"]
    assert code(ec2.create_volume, **{**given, "Size": 2})[0] == "IdempotentParameterMismatch"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"ImageId": "ami-0123456789abcdef0"}, "InvalidAMIID.NotFound"),
        ({"ImageId": "ami-placeholder"}, "InvalidAMIID.Malformed"),
        ({"InstanceType": "t2.enormous"}, "InvalidParameterValue"),
        ({"SubnetId": "subnet-0123456789abcdef0"}, "InvalidSubnetID.NotFound"),
        ({"SecurityGroupIds": ["sg-0123456789abcdef0"]}, "InvalidGroup.NotFound"),
        ({"KeyName": "nobody"}, "InvalidKeyPair.NotFound"),
        ({"IamInstanceProfile": {"Name": "nobody"}}, "InvalidParameterValue"),
        ({"Placement": {"AvailabilityZone": "eu-west-1a"}}, "InvalidParameterValue"),
        ({"MinCount": 2}, "InvalidParameterValue"),
    ],
)
def test_what_a_launch_names_must_be_there(ec2: Any, given: dict[str, Any], expected: str) -> None:
    good = {"ImageId": image(), "InstanceType": "t2.medium", "MinCount": 1, "MaxCount": 1}
    assert code(ec2.run_instances, **{**good, **given}) == (expected, 400)
    assert ec2.describe_instances()["Reservations"] == []


def test_an_image_belongs_to_one_region(aws: LocalAws) -> None:
    given = {"InstanceType": "t2.medium", "MinCount": 1, "MaxCount": 1, "ImageId": image("us-west-2")}
    assert code(client("ec2", "eu-west-1").run_instances, **given) == ("InvalidAMIID.NotFound", 400)


@pytest.mark.parametrize(
    "region", ["us-east-1", "eu-central-1", "ap-southeast-2", "mx-central-1", "us-gov-west-1"]
)
def test_amazon_linux_resolves_and_launches_in_every_region(aws: LocalAws, region: str) -> None:
    ec2 = client("ec2", region)
    made = launch(ec2, ImageId=image(region), InstanceType="t3.medium")
    assert made["Placement"]["AvailabilityZone"].startswith(region)


def test_a_launch_fills_in_subnet_group_and_interface(ec2: Any) -> None:
    made = launch(ec2, Placement={"AvailabilityZone": "us-west-2c"})
    subnet = ec2.describe_subnets(SubnetIds=[made["SubnetId"]])["Subnets"][0]
    assert (subnet["AvailabilityZone"], subnet["DefaultForAz"]) == ("us-west-2c", True)
    assert [group["GroupName"] for group in made["SecurityGroups"]] == ["default"]
    assert made["NetworkInterfaces"][0]["Attachment"]["DeleteOnTermination"] is True


def test_a_launch_makes_as_many_as_it_may(ec2: Any) -> None:
    given = {"ImageId": image(), "InstanceType": "t2.medium", "MinCount": 1, "MaxCount": 3}
    assert len(ec2.run_instances(**given)["Instances"]) == 3


def test_tags_at_launch_reach_instance_volume_and_interface(ec2: Any) -> None:
    kinds = ("instance", "volume", "network-interface")
    specifications = [{"ResourceType": kind, "Tags": [{"Key": "of", "Value": kind}]} for kind in kinds]
    made = launch(ec2, TagSpecifications=specifications)
    assert made["Tags"] == [{"Key": "of", "Value": "instance"}]
    filters = [{"Name": "key", "Values": ["of"]}]
    tags = ec2.describe_tags(Filters=filters)["Tags"]
    assert {(tag["ResourceType"], tag["Value"]) for tag in tags} == {(kind, kind) for kind in kinds}


def test_protection_set_at_launch_is_honoured(aws: LocalAws, ec2: Any) -> None:
    one, other = launch(ec2, DisableApiTermination=True)["InstanceId"], launch(ec2)["InstanceId"]
    aws.clock.advance(0.5)
    assert code(ec2.terminate_instances, InstanceIds=[other, one]) == ("OperationNotPermitted", 400)
    assert state(ec2, other) == "running"
    shown = ec2.describe_instance_attribute(InstanceId=one, Attribute="disableApiTermination")
    assert shown["DisableApiTermination"] == {"Value": True}
    ec2.modify_instance_attribute(InstanceId=one, DisableApiTermination={"Value": False})
    ec2.terminate_instances(InstanceIds=[one, other])


def test_one_attribute_per_call(ec2: Any) -> None:
    one = launch(ec2)["InstanceId"]
    two = {"SourceDestCheck": {"Value": False}, "DisableApiTermination": {"Value": True}}
    assert code(ec2.modify_instance_attribute, InstanceId=one, **two) == ("InvalidParameterCombination", 400)
    assert found(ec2, one)["SourceDestCheck"] is True


def test_some_attributes_change_only_while_stopped(aws: LocalAws, ec2: Any) -> None:
    one = launch(ec2)["InstanceId"]
    aws.clock.advance(0.5)
    kind = {"InstanceId": one, "InstanceType": {"Value": "t3.large"}}
    data = {"InstanceId": one, "UserData": {"Value": b"#!/bin/sh\necho new"}}
    assert code(ec2.modify_instance_attribute, **kind) == ("IncorrectInstanceState", 400)
    assert code(ec2.modify_instance_attribute, **data) == ("IncorrectInstanceState", 400)
    ec2.modify_instance_attribute(InstanceId=one, SourceDestCheck={"Value": False})
    ec2.stop_instances(InstanceIds=[one])
    assert code(ec2.modify_instance_attribute, **kind) == ("IncorrectInstanceState", 400)
    aws.clock.advance(0.5)
    ec2.modify_instance_attribute(**kind)
    ec2.modify_instance_attribute(**data)
    assert found(ec2, one)["InstanceType"] == "t3.large"
    assert found(ec2, one)["SourceDestCheck"] is False
    shown = ec2.describe_instance_attribute(InstanceId=one, Attribute="userData")["UserData"]["Value"]
    assert base64.b64decode(shown) == b"#!/bin/sh\necho new"


def test_user_data_reads_back_as_launched(ec2: Any) -> None:
    one = launch(ec2, UserData="#!/bin/sh")["InstanceId"]
    shown = ec2.describe_instance_attribute(InstanceId=one, Attribute="userData")["UserData"]["Value"]
    assert base64.b64decode(shown) == b"#!/bin/sh"


def test_groups_of_an_instance_are_replaced_as_a_whole(ec2: Any) -> None:
    vpc, subnet = subnet_in(ec2)
    groups = [
        ec2.create_security_group(VpcId=vpc, GroupName=name, Description="d")["GroupId"]
        for name in ("a", "b")
    ]
    one = launch(ec2, SubnetId=subnet, SecurityGroupIds=groups[:1])["InstanceId"]
    ec2.modify_instance_attribute(InstanceId=one, Groups=groups[1:])
    shown = found(ec2, one)
    assert [group["GroupId"] for group in shown["SecurityGroups"]] == groups[1:]
    assert [group["GroupId"] for group in shown["NetworkInterfaces"][0]["Groups"]] == groups[1:]
    ec2.delete_security_group(GroupId=groups[0])
    assert code(ec2.delete_security_group, GroupId=groups[1]) == ("DependencyViolation", 400)


def test_a_terminated_instance_cannot_be_modified(aws: LocalAws, ec2: Any) -> None:
    one = launch(ec2)["InstanceId"]
    ec2.terminate_instances(InstanceIds=[one])
    aws.clock.advance(0.5)
    change = {"InstanceId": one, "SourceDestCheck": {"Value": False}}
    assert code(ec2.modify_instance_attribute, **change) == ("IncorrectInstanceState", 400)
    options = {"InstanceId": one, "HttpTokens": "required"}
    assert code(ec2.modify_instance_metadata_options, **options)[0] == "IncorrectInstanceState"


def test_metadata_options_keep_what_is_left_out(aws: LocalAws, ec2: Any) -> None:
    one = launch(ec2, MetadataOptions={"HttpPutResponseHopLimit": 2})["InstanceId"]
    answer = ec2.modify_instance_metadata_options(InstanceId=one, HttpTokens="required")[
        "InstanceMetadataOptions"
    ]
    assert (answer["State"], answer["HttpTokens"], answer["HttpPutResponseHopLimit"]) == (
        "pending",
        "required",
        2,
    )
    assert found(ec2, one)["MetadataOptions"]["State"] == "pending"
    aws.clock.advance(0.5)
    assert found(ec2, one)["MetadataOptions"]["State"] == "applied"
    assert found(ec2, one)["MetadataOptions"]["HttpTokens"] == "required"


def test_instances_block_their_subnet_until_terminated(aws: LocalAws, ec2: Any) -> None:
    vpc, subnet = subnet_in(ec2)
    group = ec2.create_security_group(VpcId=vpc, GroupName="web", Description="d")["GroupId"]
    one = launch(ec2, SubnetId=subnet, SecurityGroupIds=[group])["InstanceId"]
    for _ in range(2):
        assert code(ec2.delete_subnet, SubnetId=subnet) == ("DependencyViolation", 400)
        assert code(ec2.delete_security_group, GroupId=group) == ("DependencyViolation", 400)
        ec2.terminate_instances(InstanceIds=[one])
    aws.clock.advance(0.5)
    ec2.delete_security_group(GroupId=group)
    ec2.delete_subnet(SubnetId=subnet)
    ec2.delete_vpc(VpcId=vpc)
    assert state(ec2, one) == "terminated"


@pytest.mark.parametrize(
    ("given", "expected"),
    [("i-0123456789abcdef0", "InvalidInstanceID.NotFound"), ("worker", "InvalidInstanceID.Malformed")],
)
def test_unknown_instances(ec2: Any, given: str, expected: str) -> None:
    for call in (ec2.describe_instances, ec2.stop_instances, ec2.start_instances, ec2.terminate_instances):
        assert code(call, InstanceIds=[given]) == (expected, 400)
    assert (
        code(ec2.modify_instance_attribute, InstanceId=given, SourceDestCheck={"Value": True})[0] == expected
    )


@pytest.mark.parametrize(
    ("operation", "given"),
    [
        ("modify_instance_placement", {"Affinity": "default"}),
        ("modify_instance_cpu_options", {"CoreCount": 1, "ThreadsPerCore": 1}),
        ("modify_instance_network_performance_options", {"BandwidthWeighting": "vpc-1"}),
        ("modify_private_dns_name_options", {"PrivateDnsHostnameType": "resource-name"}),
        (
            "modify_instance_capacity_reservation_attributes",
            {"CapacityReservationSpecification": {"CapacityReservationPreference": "none"}},
        ),
    ],
)
def test_what_a_running_machine_cannot_change_it_changes_while_stopped(
    aws: LocalAws, ec2: Any, operation: str, given: dict[str, Any]
) -> None:
    one = launch(ec2)["InstanceId"]
    aws.clock.advance(1)
    before = found(ec2, one)
    assert code(getattr(ec2, operation), InstanceId=one, **given)[0] == "IncorrectInstanceState"
    ec2.stop_instances(InstanceIds=[one])
    aws.clock.advance(1)
    getattr(ec2, operation)(InstanceId=one, **given)
    assert found(ec2, one) != before


def test_a_list_of_credits_shows_the_unlimited_ones_and_a_bad_change_is_no_error(ec2: Any) -> None:
    one, other = launch(ec2, InstanceType="t3.micro")["InstanceId"], launch(ec2, InstanceType="m5.large")
    other = other["InstanceId"]

    def shown(**given: Any) -> Any:
        return ec2.describe_instance_credit_specifications(**given)["InstanceCreditSpecifications"]

    def change(id: str) -> Any:
        wanted = [{"InstanceId": id, "CpuCredits": "standard"}]
        return ec2.modify_instance_credit_specification(InstanceCreditSpecifications=wanted)

    assert shown() == [{"InstanceId": one, "CpuCredits": "unlimited"}]
    assert change(one)["UnsuccessfulInstanceCreditSpecifications"] == []
    assert shown(Filters=[{"Name": "instance-id", "Values": [one]}]) == []
    assert shown(InstanceIds=[one]) == [{"InstanceId": one, "CpuCredits": "standard"}]
    (refused,) = change(other)["UnsuccessfulInstanceCreditSpecifications"]
    assert refused["Error"]["Code"] == "InstanceCreditSpecification.NotSupported"
