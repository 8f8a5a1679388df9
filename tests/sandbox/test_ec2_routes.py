"""Route tables of the local AWS: what EC2 refuses, and what it shows."""

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


@pytest.fixture
def table(ec2: Any, vpc: str) -> str:
    return str(ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"])


def routes(ec2: Any, table: str) -> dict[str, tuple[str, str]]:
    """State and origin by destination."""
    (found,) = ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"]
    return {one["DestinationCidrBlock"]: (one["State"], one["Origin"]) for one in found["Routes"]}


def test_a_route_needs_a_gateway_of_its_own_network_and_goes_black_without_it(
    ec2: Any, vpc: str, table: str
) -> None:
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    given = {"RouteTableId": table, "DestinationCidrBlock": "9.9.9.9/8", "GatewayId": gateway}
    assert code(ec2.create_route, **given)[0] == "InvalidParameterValue"
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    ec2.create_route(**given)
    assert routes(ec2, table) == {
        "10.1.0.0/16": ("active", "CreateRouteTable"),
        "9.0.0.0/8": ("active", "CreateRoute"),
    }
    ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    assert routes(ec2, table)["9.0.0.0/8"][0] == "blackhole"


def test_a_destination_has_one_route_and_the_local_one_stays(ec2: Any, vpc: str, table: str) -> None:
    made = ec2.create_egress_only_internet_gateway(VpcId=vpc)["EgressOnlyInternetGateway"]
    target = {"EgressOnlyInternetGatewayId": made["EgressOnlyInternetGatewayId"], "RouteTableId": table}
    assert code(ec2.replace_route, DestinationIpv6CidrBlock="::/0", **target)[0] == "InvalidParameterValue"
    ec2.create_route(DestinationIpv6CidrBlock="0::0/0", **target)
    assert code(ec2.create_route, DestinationIpv6CidrBlock="::/0", **target)[0] == "RouteAlreadyExists"
    local = {"RouteTableId": table, "DestinationCidrBlock": "10.1.0.0/16"}
    assert code(ec2.delete_route, **local)[0] == "InvalidParameterValue"
    ec2.delete_route(RouteTableId=table, DestinationIpv6CidrBlock="::/0")
    gone = code(ec2.delete_route, RouteTableId=table, DestinationIpv6CidrBlock="::/0")
    assert gone[0] == "InvalidRoute.NotFound"


def test_a_subnet_has_one_table_and_leaves_it_when_it_goes(ec2: Any, vpc: str, table: str) -> None:
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.1.1.0/24")["Subnet"]["SubnetId"]
    ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
    other = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    again = code(ec2.associate_route_table, RouteTableId=other, SubnetId=subnet)
    assert again[0] == "Resource.AlreadyAssociated"
    assert code(ec2.delete_route_table, RouteTableId=table)[0] == "DependencyViolation"
    ec2.delete_subnet(SubnetId=subnet)
    ec2.delete_route_table(RouteTableId=table)
