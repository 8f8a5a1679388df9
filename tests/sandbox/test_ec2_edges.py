"""ACLs, ranges, options, endpoints and peerings of the local AWS: what EC2 refuses, and what takes time."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.sandbox import LocalAws

from .conftest import client, code


@pytest.fixture
def ec2(aws: LocalAws) -> Any:
    return client("ec2")


@pytest.fixture
def vpc(ec2: Any) -> str:
    return str(ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"])


def test_the_entries_of_an_acl_that_refuse_the_rest_stay(ec2: Any, vpc: str) -> None:
    acl = ec2.create_network_acl(VpcId=vpc)["NetworkAcl"]
    assert {(one["RuleNumber"], one["RuleAction"]) for one in acl["Entries"]} == {(32767, "deny")}
    last = {"NetworkAclId": acl["NetworkAclId"], "RuleNumber": 32767, "Egress": True}
    assert code(ec2.delete_network_acl_entry, **last)[0] == "InvalidNetworkAclEntry.NotFound"
    given = {**last, "Protocol": "tcp", "RuleAction": "allow", "CidrBlock": "10.0.0.0/8"}
    assert code(ec2.create_network_acl_entry, **given)[0] == "InvalidParameterValue"
    assert code(ec2.create_network_acl_entry, **{**given, "RuleNumber": 1})[0] == "MissingParameter"


def test_a_range_and_options_stay_while_they_are_used(ec2: Any, vpc: str) -> None:
    made = ec2.associate_vpc_cidr_block(VpcId=vpc, CidrBlock="10.2.0.0/16")["CidrBlockAssociation"]
    overlapping = code(ec2.associate_vpc_cidr_block, VpcId=vpc, CidrBlock="10.1.128.0/17")
    assert overlapping[0] == "InvalidVpc.Range"
    ec2.create_subnet(VpcId=vpc, CidrBlock="10.2.1.0/24")
    used = code(ec2.disassociate_vpc_cidr_block, AssociationId=made["AssociationId"])
    assert used[0] == "InvalidCidrBlock.InUse"
    wanted = [{"Key": "domain-name", "Values": ["x.example"]}]
    options = ec2.create_dhcp_options(DhcpConfigurations=wanted)["DhcpOptions"]["DhcpOptionsId"]
    ec2.associate_dhcp_options(DhcpOptionsId=options, VpcId=vpc)
    assert code(ec2.delete_dhcp_options, DhcpOptionsId=options)[0] == "DependencyViolation"
    ec2.associate_dhcp_options(DhcpOptionsId="default", VpcId=vpc)
    ec2.delete_dhcp_options(DhcpOptionsId=options)


def test_an_endpoint_is_changed_once_at_a_time_and_its_interfaces_outlive_it(
    aws: LocalAws, ec2: Any, vpc: str
) -> None:
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.1.1.0/24")["Subnet"]["SubnetId"]
    given = {"VpcId": vpc, "ServiceName": "com.amazonaws.us-west-2.ec2", "VpcEndpointType": "Interface"}
    wishes = {**given, "SubnetIds": [subnet]}
    assert code(ec2.create_vpc_endpoint, PrivateDnsEnabled=True, **wishes)[0] == "InvalidParameter"
    endpoint = ec2.create_vpc_endpoint(PrivateDnsEnabled=False, **wishes)["VpcEndpoint"]["VpcEndpointId"]
    change = {"VpcEndpointId": endpoint, "PolicyDocument": "{}"}
    assert code(ec2.modify_vpc_endpoint, **change)[0] == "IncorrectState"
    aws.clock.advance(1)
    ec2.modify_vpc_endpoint(**change)
    assert code(ec2.modify_vpc_endpoint, **change)[0] == "IncorrectState"
    ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint])
    aws.clock.advance(0.3)
    assert ec2.describe_vpc_endpoints()["VpcEndpoints"] == []
    assert code(ec2.delete_subnet, SubnetId=subnet)[0] == "DependencyViolation"
    aws.clock.advance(1)
    ec2.delete_subnet(SubnetId=subnet)


def test_a_peering_is_asked_for_first_and_fails_where_ranges_overlap(
    aws: LocalAws, ec2: Any, vpc: str
) -> None:
    def peered(cidr: str) -> tuple[str, str]:
        other = ec2.create_vpc(CidrBlock=cidr)["Vpc"]["VpcId"]
        made = ec2.create_vpc_peering_connection(VpcId=vpc, PeerVpcId=other)["VpcPeeringConnection"]
        assert made["Status"]["Code"] == "initiating-request"
        aws.clock.advance(1)
        (row,) = ec2.describe_vpc_peering_connections(
            VpcPeeringConnectionIds=[made["VpcPeeringConnectionId"]]
        )["VpcPeeringConnections"]
        return row["VpcPeeringConnectionId"], row["Status"]["Code"]

    bad, state = peered("10.1.128.0/17")
    assert state == "failed"
    assert code(ec2.delete_vpc_peering_connection, VpcPeeringConnectionId=bad)[0] == "InvalidStateTransition"
    good, state = peered("10.2.0.0/16")
    assert state == "pending-acceptance"
    ec2.accept_vpc_peering_connection(VpcPeeringConnectionId=good)
    assert code(ec2.delete_vpc, VpcId=vpc)[0] == "DependencyViolation"
