"""VPCs, subnets and security groups: states, dependencies, rules."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.sandbox import LocalAws

from .conftest import client, code

HTTPS = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}


@pytest.fixture
def vpc(ec2: Any) -> str:
    return str(ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"])


@pytest.fixture
def group(ec2: Any, vpc: str) -> str:
    return str(ec2.create_security_group(VpcId=vpc, GroupName="web", Description="web")["GroupId"])


def rules(ec2: Any, group: str, is_egress: bool = False) -> list[dict[str, Any]]:
    pages = ec2.get_paginator("describe_security_group_rules").paginate(
        Filters=[{"Name": "group-id", "Values": [group]}]
    )
    return [rule for page in pages for rule in page["SecurityGroupRules"] if rule["IsEgress"] is is_egress]


def test_networks_are_pending_for_a_moment(aws: LocalAws, ec2: Any) -> None:
    made = ec2.create_vpc(CidrBlock="10.1.2.3/16")["Vpc"]
    assert (made["State"], made["CidrBlock"]) == ("pending", "10.1.0.0/16")
    subnet = ec2.create_subnet(VpcId=made["VpcId"], CidrBlock="10.1.1.0/24", AvailabilityZone="us-west-2a")[
        "Subnet"
    ]
    assert (subnet["State"], subnet["DefaultForAz"], subnet["MapPublicIpOnLaunch"]) == (
        "pending",
        False,
        False,
    )
    assert ec2.describe_vpcs(VpcIds=[made["VpcId"]])["Vpcs"][0]["State"] == "pending"
    aws.clock.advance(0.5)
    assert ec2.describe_vpcs(VpcIds=[made["VpcId"]])["Vpcs"][0]["State"] == "available"
    assert ec2.describe_subnets(SubnetIds=[subnet["SubnetId"]])["Subnets"][0]["State"] == "available"


def test_two_calls_make_two_networks(ec2: Any) -> None:
    made = [ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"] for _ in range(2)]
    assert made[0] != made[1]


def test_a_new_network_has_its_default_group_with_its_rules(ec2: Any, vpc: str) -> None:
    where = [{"Name": "vpc-id", "Values": [vpc]}]
    default = ec2.describe_security_groups(Filters=where)["SecurityGroups"]
    assert [one["GroupName"] for one in default] == ["default"]
    inward = default[0]["IpPermissions"]
    assert [pair["GroupId"] for pair in inward[0]["UserIdGroupPairs"]] == [default[0]["GroupId"]]
    assert default[0]["IpPermissionsEgress"][0]["IpRanges"] == [{"CidrIp": "0.0.0.0/0"}]
    assert code(ec2.delete_security_group, GroupId=default[0]["GroupId"]) == ("CannotDelete", 400)


def test_vpc_attributes_one_at_a_time(ec2: Any, vpc: str) -> None:
    both = {"EnableDnsSupport": {"Value": True}, "EnableDnsHostnames": {"Value": True}}
    assert code(ec2.modify_vpc_attribute, VpcId=vpc, **both) == ("InvalidParameterCombination", 400)
    shown = ec2.describe_vpc_attribute(VpcId=vpc, Attribute="enableDnsHostnames")
    assert shown["EnableDnsHostnames"] == {"Value": False}
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    shown = ec2.describe_vpc_attribute(VpcId=vpc, Attribute="enableDnsHostnames")
    assert shown["EnableDnsHostnames"] == {"Value": True}


def test_subnet_attributes_one_at_a_time(ec2: Any, vpc: str) -> None:
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
    both = {"MapPublicIpOnLaunch": {"Value": True}, "EnableDns64": {"Value": True}}
    assert code(ec2.modify_subnet_attribute, SubnetId=subnet, **both) == ("InvalidParameterCombination", 400)
    ec2.modify_subnet_attribute(SubnetId=subnet, MapPublicIpOnLaunch={"Value": True})
    assert ec2.describe_subnets(SubnetIds=[subnet])["Subnets"][0]["MapPublicIpOnLaunch"] is True


def test_a_network_goes_last(ec2: Any, vpc: str, group: str) -> None:
    def refused() -> bool:
        return code(ec2.delete_vpc, VpcId=vpc) == ("DependencyViolation", 400)

    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(VpcId=vpc, InternetGatewayId=gateway)
    interface = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
    assert refused()
    assert code(ec2.delete_subnet, SubnetId=subnet) == ("DependencyViolation", 400)
    ec2.delete_network_interface(NetworkInterfaceId=interface)
    ec2.delete_subnet(SubnetId=subnet)
    assert refused()
    ec2.delete_security_group(GroupId=group)
    assert refused()
    ec2.detach_internet_gateway(VpcId=vpc, InternetGatewayId=gateway)
    ec2.delete_vpc(VpcId=vpc)
    assert code(ec2.describe_vpcs, VpcIds=[vpc]) == ("InvalidVpcID.NotFound", 400)


def test_a_group_that_another_one_refers_to_stays(ec2: Any, vpc: str, group: str) -> None:
    other = ec2.create_security_group(VpcId=vpc, GroupName="other", Description="d")["GroupId"]
    permission = [{**HTTPS, "UserIdGroupPairs": [{"GroupId": group}]}]
    ec2.authorize_security_group_ingress(GroupId=other, IpPermissions=permission)
    assert code(ec2.delete_security_group, GroupId=group) == ("DependencyViolation", 400)
    ec2.revoke_security_group_ingress(GroupId=other, IpPermissions=permission)
    ec2.delete_security_group(GroupId=group)


def test_group_names_are_unique_in_a_network(ec2: Any, vpc: str, group: str) -> None:
    for name in ("web", "WEB"):
        given = {"VpcId": vpc, "GroupName": name, "Description": "d"}
        assert code(ec2.create_security_group, **given) == ("InvalidGroup.Duplicate", 400)
    bad = {"VpcId": vpc, "GroupName": "x", "Description": "naïve"}
    assert code(ec2.create_security_group, **bad) == ("InvalidParameterValue", 400)


def test_group_tags_at_birth(ec2: Any, vpc: str) -> None:
    tags = [{"Key": "a", "Value": "b"}]
    specification = [{"ResourceType": "security-group", "Tags": tags}]
    made = ec2.create_security_group(
        VpcId=vpc, GroupName="t", Description="d", TagSpecifications=specification
    )
    assert made["Tags"] == tags
    assert ec2.describe_security_groups(GroupIds=[made["GroupId"]])["SecurityGroups"][0]["Tags"] == tags


def test_rules_are_objects(ec2: Any, vpc: str, group: str) -> None:
    entries = {"PrefixListName": "list", "MaxEntries": 1, "AddressFamily": "IPv4"}
    prefixes = ec2.create_managed_prefix_list(**entries)["PrefixList"]["PrefixListId"]
    permission = {
        **HTTPS,
        "IpRanges": [{"CidrIp": "10.1.2.3/16", "Description": "office"}],
        "Ipv6Ranges": [{"CidrIpv6": "2001:DB8::1/32"}],
        "UserIdGroupPairs": [{"GroupId": group}],
        "PrefixListIds": [{"PrefixListId": prefixes, "Description": "list"}],
    }
    tags = [{"Key": "a", "Value": "b"}]
    answer = ec2.authorize_security_group_ingress(
        GroupId=group,
        IpPermissions=[permission],
        TagSpecifications=[{"ResourceType": "security-group-rule", "Tags": tags}],
    )
    made = answer["SecurityGroupRules"]
    assert rules(ec2, group) == made
    assert all(rule["SecurityGroupRuleId"].startswith("sgr-") and rule["Tags"] == tags for rule in made)
    assert {(rule["IpProtocol"], rule["FromPort"], rule["ToPort"]) for rule in made} == {("tcp", 443, 443)}
    office = next(rule for rule in made if "CidrIpv4" in rule)
    assert (office["CidrIpv4"], office["Description"]) == ("10.1.0.0/16", "office")
    assert [rule["CidrIpv6"] for rule in made if "CidrIpv6" in rule] == ["2001:db8::/32"]
    referenced = next(rule["ReferencedGroupInfo"] for rule in made if "ReferencedGroupInfo" in rule)
    assert referenced == {"GroupId": group, "UserId": "123456789012", "VpcId": vpc}
    listed = next(rule for rule in made if "PrefixListId" in rule)
    assert (listed["PrefixListId"], listed["Description"]) == (prefixes, "list")
    merged = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["IpPermissions"]
    assert len(merged) == 1
    assert merged[0]["IpRanges"] == [{"CidrIp": "10.1.0.0/16", "Description": "office"}]
    assert merged[0]["UserIdGroupPairs"] == [{"GroupId": group, "UserId": "123456789012"}]
    by_tag = ec2.describe_security_group_rules(Filters=[{"Name": "tag:a", "Values": ["b"]}])[
        "SecurityGroupRules"
    ]
    assert len(by_tag) == 3  # one page


def test_the_default_egress_rule(ec2: Any, group: str) -> None:
    outward = rules(ec2, group, is_egress=True)
    assert [(one["IpProtocol"], one["FromPort"], one["ToPort"], one["CidrIpv4"]) for one in outward] == [
        ("-1", -1, -1, "0.0.0.0/0")
    ]
    everything = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
    assert code(ec2.authorize_security_group_egress, GroupId=group, IpPermissions=everything) == (
        "InvalidPermission.Duplicate",
        400,
    )
    ec2.revoke_security_group_egress(GroupId=group, IpPermissions=everything)
    assert rules(ec2, group, is_egress=True) == []


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ({"IpProtocol": "6", "FromPort": 22, "ToPort": 22}, ("tcp", 22, 22)),
        ({"IpProtocol": "UDP", "FromPort": 53, "ToPort": 53}, ("udp", 53, 53)),
        ({"IpProtocol": "all", "FromPort": 1, "ToPort": 2}, ("-1", -1, -1)),
        ({"IpProtocol": "50"}, ("50", -1, -1)),
        ({"IpProtocol": "icmp", "FromPort": 8, "ToPort": -1}, ("icmp", 8, -1)),
        ({"IpProtocol": "58"}, ("icmpv6", -1, -1)),
    ],
)
def test_protocols_and_ports_read_back_as_ec2_writes_them(
    ec2: Any, group: str, given: dict[str, Any], shown: tuple[str, int, int]
) -> None:
    permission = [{**given, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}]
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=permission)
    rule = rules(ec2, group)[0]
    assert (rule["IpProtocol"], rule["FromPort"], rule["ToPort"]) == shown
    duplicate = ("InvalidPermission.Duplicate", 400)
    assert code(ec2.authorize_security_group_ingress, GroupId=group, IpPermissions=permission) == duplicate
    ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=permission)
    assert rules(ec2, group) == []


@pytest.mark.parametrize(
    "bad",
    [
        {"IpProtocol": "tcp", "IpRanges": [{"CidrIp": "10.0.0.0/8"}]},
        {"IpProtocol": "tcp", "FromPort": 9, "ToPort": 8, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]},
        {**HTTPS, "IpRanges": [{"CidrIp": "10.0.0.0/33"}]},
        {"IpProtocol": "carrier-pigeon", "IpRanges": [{"CidrIp": "10.0.0.0/8"}]},
    ],
)
def test_bad_rules(ec2: Any, group: str, bad: dict[str, Any]) -> None:
    refused = code(ec2.authorize_security_group_ingress, GroupId=group, IpPermissions=[bad])
    assert refused == ("InvalidParameterValue", 400)


def test_a_description_is_no_part_of_a_rule(ec2: Any, group: str) -> None:
    def permission(description: str) -> list[dict[str, Any]]:
        return [{**HTTPS, "IpRanges": [{"CidrIp": "10.0.0.0/8", "Description": description}]}]

    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=permission("old"))
    refused = code(ec2.authorize_security_group_ingress, GroupId=group, IpPermissions=permission("new"))
    assert refused == ("InvalidPermission.Duplicate", 400)
    ec2.update_security_group_rule_descriptions_ingress(GroupId=group, IpPermissions=permission("new"))
    rule = rules(ec2, group)[0]
    assert rule["Description"] == "new"
    by_id = [{"SecurityGroupRuleId": rule["SecurityGroupRuleId"], "Description": "newer"}]
    ec2.update_security_group_rule_descriptions_ingress(GroupId=group, SecurityGroupRuleDescriptions=by_id)
    assert rules(ec2, group)[0]["Description"] == "newer"
    ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=permission("whatever"))
    assert rules(ec2, group) == []


def test_all_rules_of_a_call_or_none(ec2: Any, group: str) -> None:
    one, two = ({**HTTPS, "IpRanges": [{"CidrIp": cidr}]} for cidr in ("10.0.0.0/8", "11.0.0.0/8"))
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[one])
    refused = code(ec2.authorize_security_group_ingress, GroupId=group, IpPermissions=[two, one])
    assert refused == ("InvalidPermission.Duplicate", 400)
    assert len(rules(ec2, group)) == 1


def test_revoking_by_id_and_what_is_not_there(ec2: Any, group: str) -> None:
    permission = [{**HTTPS, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}]
    assert code(ec2.revoke_security_group_ingress, GroupId=group, IpPermissions=permission) == (
        "InvalidPermission.NotFound",
        400,
    )
    made = ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=permission)[
        "SecurityGroupRules"
    ][0]
    wrong = {"GroupId": group, "SecurityGroupRuleIds": ["sgr-0123456789abcdef0"]}
    assert code(ec2.revoke_security_group_ingress, **wrong) == ("InvalidSecurityGroupRuleId.NotFound", 400)
    right = [made["SecurityGroupRuleId"]]
    assert code(ec2.revoke_security_group_egress, GroupId=group, SecurityGroupRuleIds=right)[1] == 400
    answer = ec2.revoke_security_group_ingress(GroupId=group, SecurityGroupRuleIds=right)
    assert [one["SecurityGroupRuleId"] for one in answer["RevokedSecurityGroupRules"]] == right
    assert rules(ec2, group) == []


def test_a_modified_rule_keeps_its_id_and_tags(ec2: Any, group: str) -> None:
    permissions = [{**HTTPS, "IpRanges": [{"CidrIp": cidr} for cidr in ("10.0.0.0/8", "11.0.0.0/8")]}]
    first, second = ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=permissions)[
        "SecurityGroupRules"
    ]
    ec2.create_tags(Resources=[first["SecurityGroupRuleId"]], Tags=[{"Key": "a", "Value": "b"}])

    def change(**rule: Any) -> dict[str, Any]:
        return {
            "GroupId": group,
            "SecurityGroupRules": [
                {"SecurityGroupRuleId": first["SecurityGroupRuleId"], "SecurityGroupRule": rule}
            ],
        }

    same = code(ec2.modify_security_group_rules, **change(**HTTPS, CidrIpv4=second["CidrIpv4"]))
    assert same == ("InvalidPermission.Duplicate", 400)
    new = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 81, "CidrIpv4": "12.0.0.0/8", "Description": "x"}
    ec2.modify_security_group_rules(**change(**new))
    ids = [first["SecurityGroupRuleId"]]
    shown = ec2.describe_security_group_rules(SecurityGroupRuleIds=ids)["SecurityGroupRules"][0]
    assert {name: shown[name] for name in new} == new
    assert shown["Tags"] == [{"Key": "a", "Value": "b"}]


@pytest.mark.parametrize(
    ("operation", "given", "expected"),
    [
        ("describe_vpcs", {"VpcIds": ["vpc-0123456789abcdef0"]}, "InvalidVpcID.NotFound"),
        ("delete_vpc", {"VpcId": "vpc-0123456789abcdef0"}, "InvalidVpcID.NotFound"),
        (
            "describe_vpc_attribute",
            {"VpcId": "vpc-0", "Attribute": "enableDnsSupport"},
            "InvalidVpcID.NotFound",
        ),
        ("create_subnet", {"VpcId": "vpc-0", "CidrBlock": "10.0.0.0/24"}, "InvalidVpcID.NotFound"),
        ("describe_subnets", {"SubnetIds": ["subnet-0123456789abcdef0"]}, "InvalidSubnetID.NotFound"),
        ("delete_subnet", {"SubnetId": "subnet-0123456789abcdef0"}, "InvalidSubnetID.NotFound"),
        ("describe_security_groups", {"GroupIds": ["sg-0123456789abcdef0"]}, "InvalidGroup.NotFound"),
        ("delete_security_group", {"GroupId": "sg-0123456789abcdef0"}, "InvalidGroup.NotFound"),
        ("delete_security_group", {"GroupId": "web"}, "InvalidGroupId.Malformed"),
        (
            "describe_security_group_rules",
            {"SecurityGroupRuleIds": ["sgr-0123456789abcdef0"]},
            "InvalidSecurityGroupRuleId.NotFound",
        ),
    ],
)
def test_unknown_ids(ec2: Any, operation: str, given: dict[str, Any], expected: str) -> None:
    assert code(getattr(ec2, operation), **given) == (expected, 400)


def test_regions_are_those_of_the_partition(ec2: Any) -> None:
    names = {one["RegionName"] for one in ec2.describe_regions()["Regions"]}
    assert {"us-west-2", "eu-west-1"} <= names
    assert not {"us-gov-west-1", "cn-north-1"} & names
    assert names < {one["RegionName"] for one in ec2.describe_regions(AllRegions=True)["Regions"]}
    government = client("ec2", "us-gov-west-1").describe_regions()["Regions"]
    assert {one["RegionName"] for one in government} == {"us-gov-west-1", "us-gov-east-1"}
