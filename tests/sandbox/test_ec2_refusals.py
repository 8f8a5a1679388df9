"""What EC2 refuses of networks, groups, rules and lists, and in which words where callers match them."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.sandbox import LocalAws, local_aws

from .conftest import client, code, launch, refusal
from .test_ec2_networks import HTTPS, group, rules, vpc

__all__ = ["group", "vpc"]  # fixtures


# ---- networks


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, "MissingParameter"),
        ({"CidrBlock": "nonsense"}, "InvalidParameterValue"),
        ({"CidrBlock": "10.0.0.0/15"}, "InvalidVpc.Range"),
        ({"CidrBlock": "10.0.0.0/29"}, "InvalidVpc.Range"),
        ({"CidrBlock": "10.0.0.0/16", "InstanceTenancy": "host"}, "InvalidParameterValue"),
    ],
)
def test_networks_that_cannot_be(ec2: Any, given: dict[str, Any], expected: str) -> None:
    assert code(ec2.create_vpc, **given) == (expected, 400)
    assert len(ec2.describe_vpcs()["Vpcs"]) == 1


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, "MissingParameter"),
        ({"CidrBlock": "nonsense"}, "InvalidParameterValue"),
        ({"CidrBlock": "10.1.0.0/24"}, "InvalidSubnet.Range"),
        ({"CidrBlock": "10.0.2.0/29"}, "InvalidSubnet.Range"),
        ({"CidrBlock": "10.0.1.128/25"}, "InvalidSubnet.Conflict"),
        ({"CidrBlock": "10.0.2.0/24", "AvailabilityZone": "us-west-2z"}, "InvalidParameterValue"),
        ({"CidrBlock": "10.0.2.0/24", "AvailabilityZone": "eu-west-1a"}, "InvalidParameterValue"),
        ({"CidrBlock": "10.0.2.0/24", "AvailabilityZoneId": "euw1-az1"}, "InvalidParameterValue"),
        (
            {"CidrBlock": "10.0.2.0/24", "AvailabilityZone": "us-west-2a", "AvailabilityZoneId": "usw2-az2"},
            "InvalidParameterCombination",
        ),
    ],
)
def test_subnets_that_cannot_be(ec2: Any, vpc: str, given: dict[str, Any], expected: str) -> None:
    ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")
    assert code(ec2.create_subnet, VpcId=vpc, **given) == (expected, 400)
    where = [{"Name": "vpc-id", "Values": [vpc]}]
    assert len(ec2.describe_subnets(Filters=where)["Subnets"]) == 1


def test_a_subnet_is_in_the_zone_that_is_named_by_id(ec2: Any, vpc: str) -> None:
    made = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24", AvailabilityZoneId="usw2-az1")["Subnet"]
    zones = ec2.describe_availability_zones(ZoneIds=["usw2-az1"])["AvailabilityZones"]
    assert (made["AvailabilityZone"], made["AvailabilityZoneId"]) == (zones[0]["ZoneName"], "usw2-az1")


def test_the_refusal_of_a_zone_names_those_of_the_region(ec2: Any, vpc: str) -> None:
    given = {"VpcId": vpc, "CidrBlock": "10.0.1.0/24", "AvailabilityZone": "us-west-2z"}
    message = refusal(ec2.create_subnet, **given)["Error"]["Message"]
    assert "us-west-2a, us-west-2b" in message
    assert "us-east-1" not in message


def test_subnet_attributes_read_back(ec2: Any, vpc: str) -> None:
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]
    assert subnet["EnableDns64"] is False
    for given in (
        {"EnableDns64": {"Value": True}},
        {"PrivateDnsHostnameTypeOnLaunch": "resource-name"},
        {"EnableResourceNameDnsARecordOnLaunch": {"Value": True}},
        {"MapPublicIpOnLaunch": {"Value": True}},
    ):
        ec2.modify_subnet_attribute(SubnetId=subnet["SubnetId"], **given)
    shown = ec2.describe_subnets(SubnetIds=[subnet["SubnetId"]])["Subnets"][0]
    assert (shown["EnableDns64"], shown["MapPublicIpOnLaunch"]) == (True, True)
    options = shown["PrivateDnsNameOptionsOnLaunch"]
    assert (options["HostnameType"], options["EnableResourceNameDnsARecord"]) == ("resource-name", True)
    bad = {"SubnetId": subnet["SubnetId"], "PrivateDnsHostnameTypeOnLaunch": "nonsense"}
    assert code(ec2.modify_subnet_attribute, **bad) == ("InvalidParameterValue", 400)
    assert code(ec2.modify_subnet_attribute, SubnetId=subnet["SubnetId"]) == ("MissingParameter", 400)


def test_a_subnet_is_listed_as_it_was_made(ec2: Any) -> None:
    made = ec2.create_vpc(CidrBlock="10.0.0.0/16", AmazonProvidedIpv6CidrBlock=True)["Vpc"]
    six = made["Ipv6CidrBlockAssociationSet"][0]["Ipv6CidrBlock"].replace("/56", "/64")
    tags = [{"Key": "a", "Value": "b"}]
    specification = [{"ResourceType": "subnet", "Tags": tags}]
    given = {"VpcId": made["VpcId"], "CidrBlock": "10.0.1.0/24", "Ipv6CidrBlock": six}
    subnet = ec2.create_subnet(**given, TagSpecifications=specification)["Subnet"]
    assert subnet["Tags"] == tags
    assert [one["Ipv6CidrBlock"] for one in subnet["Ipv6CidrBlockAssociationSet"]] == [six]
    assert ec2.describe_subnets(SubnetIds=[subnet["SubnetId"]])["Subnets"] == [subnet]


def test_host_names_need_dns_support(ec2: Any, vpc: str) -> None:
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsSupport={"Value": False})
    names = {"VpcId": vpc, "EnableDnsHostnames": {"Value": True}}
    assert code(ec2.modify_vpc_attribute, **names) == ("InvalidParameterValue", 400)
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsSupport={"Value": True})
    ec2.modify_vpc_attribute(**names)
    attributes = ("enableDnsSupport", "enableDnsHostnames", "enableNetworkAddressUsageMetrics")
    shown = {name: ec2.describe_vpc_attribute(VpcId=vpc, Attribute=name) for name in attributes}
    values = [shown[name][name[:1].upper() + name[1:]]["Value"] for name in attributes]
    assert values == [True, True, False]


def test_two_attributes_are_refused_by_name(ec2: Any, vpc: str) -> None:
    both = {"EnableDnsSupport": {"Value": True}, "EnableDnsHostnames": {"Value": True}}
    message = refusal(ec2.modify_vpc_attribute, VpcId=vpc, **both)["Error"]["Message"]
    assert message == "Fields for multiple attribute types specified: enableDnsHostnames, enableDnsSupport"


def test_what_came_with_a_network_goes_with_it_and_not_before(ec2: Any, vpc: str) -> None:
    where: dict[str, Any] = {"Filters": [{"Name": "vpc-id", "Values": [vpc]}]}
    table = ec2.describe_route_tables(**where)["RouteTables"][0]
    assert table["Associations"][0]["Main"] is True
    acl = ec2.describe_network_acls(**where)["NetworkAcls"][0]
    assert acl["IsDefault"] is True
    main = {"RouteTableId": table["RouteTableId"]}
    assert code(ec2.delete_route_table, **main) == ("DependencyViolation", 400)
    default = {"NetworkAclId": acl["NetworkAclId"]}
    assert code(ec2.delete_network_acl, **default) == ("InvalidParameterValue", 400)
    own = ec2.create_network_acl(VpcId=vpc)["NetworkAcl"]["NetworkAclId"]
    assert code(ec2.delete_vpc, VpcId=vpc) == ("DependencyViolation", 400)
    ec2.delete_network_acl(NetworkAclId=own)
    ec2.delete_vpc(VpcId=vpc)
    assert ec2.describe_route_tables(**where)["RouteTables"] == []
    assert ec2.describe_network_acls(**where)["NetworkAcls"] == []
    assert ec2.describe_security_groups(**where)["SecurityGroups"] == []


def test_quotas_of_ec2_hold_when_they_are_set() -> None:
    with local_aws(quotas={"Vpc": 2, "Subnet": 1, "SecurityGroup": 3}):
        ec2 = client("ec2")
        made = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]  # beside the default one
        assert code(ec2.create_vpc, CidrBlock="10.0.0.0/16") == ("VpcLimitExceeded", 400)
        ec2.create_subnet(VpcId=made, CidrBlock="10.0.1.0/24")
        another = {"VpcId": made, "CidrBlock": "10.0.2.0/24"}
        assert code(ec2.create_subnet, **another) == ("SubnetLimitExceeded", 400)
        ec2.create_security_group(VpcId=made, GroupName="a", Description="d")  # beside two default ones
        given = {"VpcId": made, "GroupName": "b", "Description": "d"}
        assert code(ec2.create_security_group, **given) == ("SecurityGroupLimitExceeded", 400)


# ---- rules


def test_a_rule_names_a_source(ec2: Any, group: str) -> None:
    bare = {"GroupId": group, "IpPermissions": [HTTPS]}
    assert code(ec2.authorize_security_group_ingress, **bare) == ("MissingParameter", 400)


@pytest.mark.parametrize("cidrs", [("10.0.0.0/8", "10.0.0.0/8"), ("10.0.0.0/8", "10.1.2.3/8")])
def test_the_same_rule_twice_in_one_call(ec2: Any, group: str, cidrs: tuple[str, ...]) -> None:
    twice = [{**HTTPS, "IpRanges": [{"CidrIp": cidr, "Description": cidr} for cidr in cidrs]}]
    answer = refusal(ec2.authorize_security_group_ingress, GroupId=group, IpPermissions=twice)["Error"]
    assert (answer["Code"], answer["Message"]) == (
        "InvalidParameterValue",
        "The same permission must not appear multiple times",
    )
    assert rules(ec2, group) == []


def test_a_source_group_is_of_the_same_network_or_of_a_peer(
    aws: LocalAws, ec2: Any, vpc: str, group: str
) -> None:
    other = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    far = ec2.create_security_group(VpcId=other, GroupName="far", Description="d")["GroupId"]
    permission = [{**HTTPS, "UserIdGroupPairs": [{"GroupId": far}]}]
    answer = refusal(ec2.authorize_security_group_ingress, GroupId=group, IpPermissions=permission)["Error"]
    assert answer["Code"] == "InvalidGroup.NotFound"
    assert "different networks" in answer["Message"]
    peering = ec2.create_vpc_peering_connection(VpcId=vpc, PeerVpcId=other)["VpcPeeringConnection"]
    peer = {"VpcPeeringConnectionId": peering["VpcPeeringConnectionId"]}
    assert code(ec2.authorize_security_group_ingress, GroupId=group, IpPermissions=permission)[1] == 400
    aws.clock.advance(1)
    ec2.accept_vpc_peering_connection(**peer)
    aws.clock.advance(1)
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=permission)
    assert rules(ec2, group)[0]["ReferencedGroupInfo"]["VpcId"] == other


@pytest.mark.parametrize("text", ["naïve", "a'b", "a?", "x" * 256])
def test_descriptions_of_rules(ec2: Any, group: str, text: str) -> None:
    permission = [{**HTTPS, "IpRanges": [{"CidrIp": "10.0.0.0/8", "Description": text}]}]
    answer = refusal(ec2.authorize_security_group_ingress, GroupId=group, IpPermissions=permission)["Error"]
    assert answer["Code"] == "InvalidParameterValue"
    assert answer["Message"].startswith("Invalid rule description.")


def test_prefix_lists_must_be_there(ec2: Any, group: str) -> None:
    permission = [{**HTTPS, "PrefixListIds": [{"PrefixListId": "pl-0123456789abcdef0"}]}]
    given = {"GroupId": group, "IpPermissions": permission}
    assert code(ec2.authorize_security_group_ingress, **given) == ("InvalidPrefixListID.NotFound", 400)


def test_all_icmp_types_go_with_all_codes(ec2: Any, group: str) -> None:
    some = {"IpProtocol": "icmp", "FromPort": -1, "ToPort": 3, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}
    given = {"GroupId": group, "IpPermissions": [some]}
    assert code(ec2.authorize_security_group_ingress, **given) == ("InvalidParameterValue", 400)


def test_sixty_rules_for_each_kind_of_address(ec2: Any, group: str) -> None:
    def permission(count: int, first: int = 0) -> list[dict[str, Any]]:
        ranges = [{"CidrIp": f"10.0.{number}.0/24"} for number in range(first, first + count)]
        sixes = [{"CidrIpv6": f"2001:db8:{number}::/48"} for number in range(first, first + count)]
        return [{**HTTPS, "IpRanges": ranges, "Ipv6Ranges": sixes}]

    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=permission(60))
    one_more = {"GroupId": group, "IpPermissions": permission(1, 60)}
    expected = ("RulesPerSecurityGroupLimitExceeded", 400)
    assert code(ec2.authorize_security_group_ingress, **one_more) == expected
    to_itself = [{**HTTPS, "UserIdGroupPairs": [{"GroupId": group}]}]
    assert code(ec2.authorize_security_group_ingress, GroupId=group, IpPermissions=to_itself) == expected


# ---- lists


def test_no_tags_are_shown_as_none_at_all(ec2: Any, vpc: str, group: str) -> None:
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
    assert "Tags" not in ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"][0]
    assert "Tags" not in ec2.describe_subnets(SubnetIds=[subnet])["Subnets"][0]
    assert "Tags" not in ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]
    assert rules(ec2, group, is_egress=True)[0]["Tags"] == []
    ec2.create_tags(Resources=[vpc, subnet, group], Tags=[{"Key": "a", "Value": ""}])
    assert ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"][0]["Tags"] == [{"Key": "a", "Value": ""}]


def test_group_names_mean_groups_of_the_default_network(ec2: Any, vpc: str, group: str) -> None:
    given = {"GroupNames": ["web"]}
    assert code(ec2.describe_security_groups, **given) == ("InvalidGroup.NotFound", 400)
    default = ec2.describe_security_groups(GroupNames=["default"])["SecurityGroups"]
    assert len(default) == 1
    assert default[0]["VpcId"] != vpc
    by_filter = [{"Name": "group-name", "Values": ["web"]}]
    assert len(ec2.describe_security_groups(Filters=by_filter)["SecurityGroups"]) == 1


@pytest.mark.parametrize(
    ("operation", "name"),
    [
        ("describe_vpcs", "tag-value"),
        ("describe_security_group_rules", "tag-key"),
        ("describe_tags", "tag-key"),
        ("describe_regions", "tag:a"),
        ("describe_regions", "tag-key"),
    ],
)
def test_not_every_list_has_every_filter_by_tag(ec2: Any, operation: str, name: str) -> None:
    filters = [{"Name": name, "Values": ["x"]}]
    assert code(getattr(ec2, operation), Filters=filters) == ("InvalidParameterValue", 400)


def test_tags_are_found_by_key_and_value(ec2: Any, vpc: str, group: str) -> None:
    ec2.create_tags(Resources=[vpc], Tags=[{"Key": "owner", "Value": "me"}, {"Key": "other", "Value": "x"}])
    ec2.create_tags(Resources=[group], Tags=[{"Key": "owner", "Value": "you"}])

    def found(*filters: dict[str, Any]) -> list[str]:
        return [tag["ResourceId"] for tag in ec2.describe_tags(Filters=list(filters))["Tags"]]

    assert found({"Name": "tag:owner", "Values": ["me"]}) == [vpc]
    assert found({"Name": "key", "Values": ["owner"]}) == [vpc, group]
    assert found({"Name": "resource-type", "Values": ["security-group"]}) == [group]
    assert found({"Name": "resource-id", "Values": [vpc]}, {"Name": "value", "Values": ["x"]}) == [vpc]


@pytest.mark.parametrize(
    ("operation", "size"),
    [("describe_vpcs", 1001), ("describe_security_groups", 1001), ("describe_route_tables", 101)],
)
def test_pages_have_a_longest_size(ec2: Any, operation: str, size: int) -> None:
    assert code(getattr(ec2, operation), MaxResults=size) == ("InvalidParameterValue", 400)
    getattr(ec2, operation)(MaxResults=size - 1)


def test_a_filter_takes_two_hundred_values(ec2: Any) -> None:
    values = [f"vpc-{number:017x}" for number in range(201)]
    filters = [{"Name": "vpc-id", "Values": values}]
    assert code(ec2.describe_vpcs, Filters=filters) == ("FilterLimitExceeded", 400)
    assert ec2.describe_vpcs(Filters=[{"Name": "vpc-id", "Values": values[:200]}])["Vpcs"] == []


def test_the_tagging_api_sees_networks(ec2: Any, vpc: str) -> None:
    ec2.create_tags(Resources=[vpc], Tags=[{"Key": "a", "Value": "b"}])
    seen = client("resourcegroupstaggingapi").get_resources()["ResourceTagMappingList"]
    assert [one["ResourceARN"] for one in seen] == [f"arn:aws:ec2:us-west-2:123456789012:vpc/{vpc}"]


def test_a_peering_within_a_region_keeps_both_transit_gateways(ec2: Any, aws: LocalAws) -> None:
    one, other = (ec2.create_transit_gateway()["TransitGateway"]["TransitGatewayId"] for _ in range(2))
    aws.clock.advance(5)
    ec2.create_transit_gateway_peering_attachment(
        TransitGatewayId=one, PeerTransitGatewayId=other, PeerAccountId="123456789012", PeerRegion="us-west-2"
    )
    aws.clock.advance(5)
    for gateway in (one, other):
        assert code(ec2.delete_transit_gateway, TransitGatewayId=gateway) == ("IncorrectState", 400)


def test_a_transit_gateway_has_ten_peerings_that_wait(ec2: Any, aws: LocalAws) -> None:
    """Whoever asks; what is asked of one that has no room has failed."""
    here = [ec2.create_transit_gateway()["TransitGateway"]["TransitGatewayId"] for _ in range(12)]
    west = client("ec2", region="eu-west-1")
    there = west.create_transit_gateway()["TransitGateway"]["TransitGatewayId"]
    aws.clock.advance(5)

    def ask(one: str, other: str, region: str) -> dict[str, Any]:
        ends = {"TransitGatewayId": one, "PeerTransitGatewayId": other}
        return ends | {"PeerAccountId": "123456789012", "PeerRegion": region}

    for gateway in here[:10]:
        west.create_transit_gateway_peering_attachment(**ask(there, gateway, "us-west-2"))
    aws.clock.advance(5)
    refused = code(west.create_transit_gateway_peering_attachment, **ask(there, here[10], "us-west-2"))
    assert refused == ("TransitGatewayPeeringAttachmentLimitExceeded", 400)
    made = ec2.create_transit_gateway_peering_attachment(**ask(here[11], there, "eu-west-1"))
    aws.clock.advance(5)
    id = made["TransitGatewayPeeringAttachment"]["TransitGatewayAttachmentId"]
    (row,) = ec2.describe_transit_gateway_peering_attachments(TransitGatewayAttachmentIds=[id])[
        "TransitGatewayPeeringAttachments"
    ]
    assert row["State"] == "failed"


def test_an_address_is_given_to_one_interface_and_a_machine_may_have_two(
    ec2: Any, aws: LocalAws, vpc: str
) -> None:
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24", AvailabilityZone="us-west-2a")
    subnet = subnet["Subnet"]["SubnetId"]
    instance = launch(ec2, SubnetId=subnet)["InstanceId"]
    aws.clock.advance(60)
    card = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    ec2.attach_network_interface(NetworkInterfaceId=card, InstanceId=instance, DeviceIndex=1)
    given = {"AllocationId": address, "InstanceId": instance}
    assert code(ec2.associate_address, **given) == ("InvalidInstanceID", 400)
    ec2.associate_address(AllocationId=address, NetworkInterfaceId=card)


def test_an_endpoint_has_one_subnet_in_each_zone(ec2: Any, aws: LocalAws, vpc: str) -> None:
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone="us-west-2a")["Subnet"][
            "SubnetId"
        ]
        for n in range(2)
    ]
    given = {"VpcId": vpc, "VpcEndpointType": "Interface", "ServiceName": "com.amazonaws.us-west-2.ssm"}
    assert code(ec2.create_vpc_endpoint, **given, SubnetIds=subnets)[0] == "DuplicateSubnetsInSameZone"
    made = ec2.create_vpc_endpoint(**given, SubnetIds=subnets[:1])["VpcEndpoint"]["VpcEndpointId"]
    aws.clock.advance(5)
    more = {"VpcEndpointId": made, "AddSubnetIds": subnets[1:]}
    assert code(ec2.modify_vpc_endpoint, **more)[0] == "DuplicateSubnetsInSameZone"
