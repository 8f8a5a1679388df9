"""Launches: what is refused, what reads back, and what a repeated one answers."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.sandbox import LocalAws, local_aws

from .conftest import client, code, found, image, launch, refusal
from .test_ec2_instances import state, subnet_in

SMALL = {"InstanceType": "t3.micro", "MinCount": 1, "MaxCount": 1}


def wanted(**more: Any) -> dict[str, Any]:
    return {"ImageId": image(), **SMALL, **more}


# ---- tokens


def end(aws: LocalAws, ec2: Any, instance_id: str) -> None:
    ec2.terminate_instances(InstanceIds=[instance_id])
    aws.clock.advance(0.5)


@pytest.mark.parametrize(
    ("mismatch_first", "expected"),
    [(True, "IdempotentParameterMismatch"), (False, "IdempotentInstanceTerminated")],
)
def test_another_launch_with_the_token_of_a_terminated_instance(mismatch_first: bool, expected: str) -> None:
    with local_aws(token_mismatch_first=mismatch_first) as aws:
        ec2 = client("ec2")
        one = launch(ec2, ClientToken="one")["InstanceId"]
        other = wanted(ClientToken="one", InstanceType="t3.large")
        assert code(ec2.run_instances, **other) == ("IdempotentParameterMismatch", 400)  # it is alive
        end(aws, ec2, one)
        assert code(ec2.run_instances, **other) == (expected, 400)
        aws.clock.advance(3700)
        assert code(ec2.run_instances, **other) == (expected, 400)


@pytest.mark.parametrize("shows_tags", [True, False])
def test_a_repeated_launch_may_lack_the_tags(shows_tags: bool) -> None:
    tags = [{"Key": "a", "Value": "b"}]
    given = {"ClientToken": "one", "TagSpecifications": [{"ResourceType": "instance", "Tags": tags}]}
    with local_aws(repeated_launch_shows_tags=shows_tags):
        ec2 = client("ec2")
        first = launch(ec2, **given)
        again = launch(ec2, **given)
        assert (first["InstanceId"], first["Tags"]) == (again["InstanceId"], tags)
        assert again.get("Tags") == (tags if shows_tags else None)
        assert found(ec2, first["InstanceId"])["Tags"] == tags


def test_a_token_is_at_most_64_characters_long(ec2: Any) -> None:
    assert code(ec2.run_instances, **wanted(ClientToken="x" * 65)) == ("InvalidParameterValue", 400)
    launch(ec2, ClientToken="x" * 64)


def test_instances_of_one_launch_are_numbered_and_share_its_token(aws: LocalAws, ec2: Any) -> None:
    given = {**wanted(ClientToken="one"), "MinCount": 3, "MaxCount": 3}
    first, again = ec2.run_instances(**given), ec2.run_instances(**given)
    assert [one["AmiLaunchIndex"] for one in first["Instances"]] == [0, 1, 2]
    assert {one["ClientToken"] for one in first["Instances"]} == {"one"}
    assert first["ReservationId"] == again["ReservationId"]
    assert [one["InstanceId"] for one in again["Instances"]] == [
        one["InstanceId"] for one in first["Instances"]
    ]
    fewer = {**given, "MinCount": 2, "MaxCount": 2}
    assert code(ec2.run_instances, **fewer) == ("IdempotentParameterMismatch", 400)
    end(aws, ec2, first["Instances"][1]["InstanceId"])
    assert code(ec2.run_instances, **given) == ("IdempotentInstanceTerminated", 400)
    shown = [one for each in ec2.describe_instances()["Reservations"] for one in each["Instances"]]
    assert [(one["AmiLaunchIndex"], state(ec2, one["InstanceId"])) for one in shown] == [
        (0, "running"),
        (1, "terminated"),
        (2, "running"),
    ]


# ---- what is refused


def test_of_what_only_one_can_have_no_launch_of_several_speaks(ec2: Any) -> None:
    _, subnet = subnet_in(ec2)
    several = {**wanted(), "MinCount": 2, "MaxCount": 2}
    card = {"DeviceIndex": 0, "SubnetId": subnet, "PrivateIpAddress": "10.0.1.9"}
    for one in ({"SubnetId": subnet, "PrivateIpAddress": "10.0.1.9"}, {"NetworkInterfaces": [card]}):
        assert code(ec2.run_instances, **several, **one) == ("InvalidParameterCombination", 400)
    assert len(ec2.run_instances(**several, SubnetId=subnet)["Instances"]) == 2


def test_an_interface_says_it_or_the_instance(ec2: Any) -> None:
    vpc, subnet = subnet_in(ec2)
    group = ec2.create_security_group(VpcId=vpc, GroupName="g", Description="d")["GroupId"]
    interface = {"DeviceIndex": 0, "SubnetId": subnet, "Groups": [group]}
    for both in ({"SubnetId": subnet}, {"SecurityGroupIds": [group]}, {"PrivateIpAddress": "10.0.1.9"}):
        given = wanted(NetworkInterfaces=[interface], **both)
        assert code(ec2.run_instances, **given) == ("InvalidParameterCombination", 400)
    made = launch(ec2, NetworkInterfaces=[interface])
    assert (made["SubnetId"], [one["GroupId"] for one in made["SecurityGroups"]]) == (subnet, [group])
    assert code(ec2.delete_security_group, GroupId=group)[0] == "DependencyViolation"
    bare = launch(ec2, NetworkInterfaces=[{"DeviceIndex": 0, "SubnetId": subnet}])
    assert [one["GroupName"] for one in bare["SecurityGroups"]] == ["default"]


def test_of_several_interfaces_one_must_be_named(ec2: Any) -> None:
    _, subnet = subnet_in(ec2)
    two = [{"DeviceIndex": index, "SubnetId": subnet} for index in (0, 1)]
    one = launch(ec2, NetworkInterfaces=two)["InstanceId"]
    change = {"InstanceId": one, "SourceDestCheck": {"Value": False}}
    assert code(ec2.modify_instance_attribute, **change) == ("InvalidInstanceID", 400)


@pytest.mark.parametrize(
    ("interfaces", "expected"),
    [
        ([{"DeviceIndex": 0, "SubnetId": "subnet-0123456789abcdef0"}], "InvalidSubnetID.NotFound"),
        ([{"DeviceIndex": 0, "Groups": ["sg-0123456789abcdef0"]}], "InvalidGroup.NotFound"),
        (
            [{"DeviceIndex": 0, "AssociatePublicIpAddress": True}, {"DeviceIndex": 1}],
            "InvalidParameterCombination",
        ),
    ],
)
def test_interfaces_that_cannot_be(ec2: Any, interfaces: list[dict[str, Any]], expected: str) -> None:
    assert code(ec2.run_instances, **wanted(NetworkInterfaces=interfaces)) == (expected, 400)
    assert ec2.describe_instances()["Reservations"] == []


def test_groups_and_subnet_are_of_one_network(ec2: Any) -> None:
    _, subnet = subnet_in(ec2)
    other = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    group = ec2.create_security_group(VpcId=other, GroupName="g", Description="d")["GroupId"]
    given = wanted(SubnetId=subnet, SecurityGroupIds=[group])
    assert code(ec2.run_instances, **given) == ("InvalidParameter", 400)
    zone = {"AvailabilityZone": "us-west-2b"}
    assert code(ec2.run_instances, **wanted(SubnetId=subnet, Placement=zone))[0] == "InvalidParameterValue"
    nobody = wanted(Placement={"GroupName": "nobody"})
    assert code(ec2.run_instances, **nobody)[0] == "InvalidPlacementGroup.Unknown"


def test_an_address_is_of_the_subnet_and_free_until_its_instance_is_gone(aws: LocalAws, ec2: Any) -> None:
    _, subnet = subnet_in(ec2)
    fixed = {"SubnetId": subnet, "PrivateIpAddress": "10.0.1.9"}
    assert code(ec2.run_instances, **wanted(SubnetId=subnet, PrivateIpAddress="10.9.9.9")) == (
        "InvalidParameterValue",
        400,
    )
    assert code(ec2.run_instances, **wanted(SubnetId=subnet, PrivateIpAddress="x"))[1] == 400
    first = launch(ec2, **fixed)
    assert first["PrivateIpAddress"] == "10.0.1.9"
    ec2.terminate_instances(InstanceIds=[first["InstanceId"]])
    assert code(ec2.run_instances, **wanted(**fixed)) == ("InvalidIPAddress.InUse", 400)  # shutting down
    aws.clock.advance(0.5)
    assert launch(ec2, **fixed)["InstanceId"] != first["InstanceId"]


def test_a_subnet_has_only_so_many_addresses(aws: LocalAws, ec2: Any) -> None:
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/28")["Subnet"]

    def free() -> int:
        return int(
            ec2.describe_subnets(SubnetIds=[subnet["SubnetId"]])["Subnets"][0]["AvailableIpAddressCount"]
        )

    assert free() == 11
    where = {"SubnetId": subnet["SubnetId"]}
    none = {**wanted(**where), "MinCount": 12, "MaxCount": 12}
    assert code(ec2.run_instances, **none) == ("InsufficientFreeAddressesInSubnet", 400)
    some = ec2.run_instances(**{**wanted(**where), "MaxCount": 20})["Instances"]
    assert (len(some), free()) == (11, 0)
    assert code(ec2.run_instances, **wanted(**where))[0] == "InsufficientFreeAddressesInSubnet"
    ec2.terminate_instances(InstanceIds=[one["InstanceId"] for one in some])
    aws.clock.advance(0.5)
    assert free() == 11


# ---- what reads back


def test_what_is_asked_for_reads_back(aws: LocalAws, ec2: Any) -> None:
    ec2.create_key_pair(KeyName="mine")
    asked: dict[str, Any] = {
        "CapacityReservationSpecification": {"CapacityReservationPreference": "none"},
        "CpuOptions": {"CoreCount": 1, "ThreadsPerCore": 1},
        "EbsOptimized": True,
        "EnclaveOptions": {"Enabled": True},
        "HibernationOptions": {"Configured": True},
        "KeyName": "mine",
        "MaintenanceOptions": {"AutoRecovery": "disabled"},
        "PrivateDnsNameOptions": {"HostnameType": "resource-name"},
        "Placement": {"AvailabilityZone": "us-west-2b", "Tenancy": "dedicated"},
    }
    one = launch(ec2, **asked)["InstanceId"]
    for _ in range(2):
        shown = found(ec2, one)
        for name, value in asked.items():
            assert shown[name] == ({**shown[name], **value} if isinstance(value, dict) else value)
        aws.clock.advance(0.5)


def test_what_nobody_asks_for_has_its_default(aws: LocalAws, ec2: Any) -> None:
    shown = launch(ec2, InstanceType="t3.micro")
    assert shown["CapacityReservationSpecification"] == {"CapacityReservationPreference": "open"}
    assert shown["CpuOptions"] == {"CoreCount": 1, "ThreadsPerCore": 2}
    assert shown["EnclaveOptions"] == {"Enabled": False}
    assert shown["HibernationOptions"] == {"Configured": False}
    assert shown["Placement"]["Tenancy"] == "default"
    # Amazon Linux 2023 asks for tokens
    assert shown["MetadataOptions"]["HttpTokens"] == "required"
    assert shown["MetadataOptions"]["HttpPutResponseHopLimit"] == 2
    optional = launch(ec2, MetadataOptions={"HttpTokens": "optional"})["MetadataOptions"]
    assert (optional["HttpTokens"], optional["HttpPutResponseHopLimit"]) == ("optional", 2)
    assert "Tags" not in shown
    assert "Tags" not in found(ec2, shown["InstanceId"])


def test_a_pending_instance_is_not_complete(aws: LocalAws, ec2: Any) -> None:
    pending = launch(ec2, Monitoring={"Enabled": True})
    assert pending["StateReason"] == {"Code": "pending", "Message": "pending"}
    assert pending["Monitoring"] == {"State": "pending"}
    assert pending["MetadataOptions"]["State"] == "pending"
    assert pending["BlockDeviceMappings"] == []
    assert pending["NetworkInterfaces"][0]["Attachment"]["Status"] == "attaching"
    aws.clock.advance(0.5)
    running = found(ec2, pending["InstanceId"])
    assert "StateReason" not in running
    assert running["Monitoring"] == {"State": "enabled"}
    assert running["MetadataOptions"]["State"] == "applied"
    assert running["BlockDeviceMappings"][0]["Ebs"]["AttachTime"] == running["LaunchTime"]
    assert running["NetworkInterfaces"][0]["Attachment"]["Status"] == "attached"


def test_a_public_address_goes_with_a_stop(aws: LocalAws, ec2: Any) -> None:
    one = launch(ec2)["InstanceId"]  # a default subnet gives one
    aws.clock.advance(0.5)
    before = found(ec2, one)
    assert before["PublicIpAddress"]
    aws.clock.advance(60)
    ec2.stop_instances(InstanceIds=[one])
    aws.clock.advance(0.5)
    stopped = found(ec2, one)
    assert "PublicIpAddress" not in stopped
    assert stopped["PublicDnsName"] == ""
    assert "Association" not in stopped["NetworkInterfaces"][0]
    assert stopped["PrivateIpAddress"] == before["PrivateIpAddress"]
    assert stopped["StateReason"]["Code"] == "Client.UserInitiatedShutdown"
    assert stopped["StateTransitionReason"] == "User initiated (2026-01-01 00:01:00 GMT)"  # by the held clock


# ---- termination


def test_one_protected_instance_keeps_those_of_its_zone(aws: LocalAws, ec2: Any) -> None:
    def at(zone: str, **more: Any) -> str:
        return str(launch(ec2, Placement={"AvailabilityZone": zone}, **more)["InstanceId"])

    kept = [at("us-west-2a"), at("us-west-2a", DisableApiTermination=True)]
    lost = at("us-west-2b")
    answer = refusal(ec2.terminate_instances, InstanceIds=[lost, *kept])
    assert answer["Error"]["Code"] == "OperationNotPermitted"
    assert kept[1] in answer["Error"]["Message"]
    aws.clock.advance(0.5)
    assert [state(ec2, one) for one in (*kept, lost)] == ["running", "running", "terminated"]


def test_a_terminated_instance_keeps_its_tags_and_names_no_network(aws: LocalAws, ec2: Any) -> None:
    tags = [{"Key": "a", "Value": "b"}]
    one = launch(ec2, TagSpecifications=[{"ResourceType": "instance", "Tags": tags}])
    end(aws, ec2, one["InstanceId"])
    gone = found(ec2, one["InstanceId"])
    assert (gone["Tags"], gone["SecurityGroups"], gone["BlockDeviceMappings"]) == (tags, [], [])
    assert not {"SubnetId", "VpcId", "PrivateIpAddress", "PublicIpAddress"} & set(gone)
    assert [tag["ResourceId"] for tag in ec2.describe_tags()["Tags"]] == [one["InstanceId"]]
    by_group = [{"Name": "instance.group-id", "Values": [one["SecurityGroups"][0]["GroupId"]]}]
    assert ec2.describe_instances(Filters=by_group)["Reservations"] == []
    aws.clock.advance(3599)
    assert state(ec2, one["InstanceId"]) == "terminated"
    aws.clock.advance(1)
    assert ec2.describe_instances()["Reservations"] == []
    assert ec2.describe_tags()["Tags"] == []
