"""Ways out of a VPC on the local AWS: what EC2 refuses, and what it only finds out later."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from reconciler.sandbox import LocalAws, local_aws


def code(call: Any, **parameters: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    return str(caught.value.response["Error"]["Code"])


def nat(ec2: Any) -> dict[str, Any]:
    found: dict[str, Any] = ec2.describe_nat_gateways()["NatGateways"][-1]
    return found


def subnet(ec2: Any) -> tuple[str, str]:
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    return vpc, ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]


def settle(aws: LocalAws) -> None:
    aws.clock.advance(60)


def test_a_nat_gateway_needs_a_way_to_the_internet_and_keeps_its_address_to_the_end() -> None:
    with local_aws() as aws:
        ec2 = boto3.client("ec2")
        vpc, inside = subnet(ec2)
        address = ec2.allocate_address(Domain="vpc")["AllocationId"]
        ec2.create_nat_gateway(SubnetId=inside, AllocationId=address)
        settle(aws)
        assert (nat(ec2)["State"], nat(ec2)["FailureCode"]) == ("failed", "Gateway.NotAttached")
        gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
        made = ec2.create_nat_gateway(SubnetId=inside, AllocationId=address)["NatGateway"]
        assert made["State"] == "pending"
        settle(aws)
        assert nat(ec2)["State"] == "available"
        assert code(ec2.release_address, AllocationId=address) == "InvalidIPAddress.InUse"
        assert (
            code(ec2.detach_internet_gateway, InternetGatewayId=gateway, VpcId=vpc) == "DependencyViolation"
        )
        assert code(ec2.delete_subnet, SubnetId=inside) == "DependencyViolation"
        ec2.delete_nat_gateway(NatGatewayId=made["NatGatewayId"])
        assert code(ec2.release_address, AllocationId=address) == "InvalidIPAddress.InUse"
        settle(aws)
        assert nat(ec2)["State"] == "deleted"
        ec2.release_address(AllocationId=address)
        assert code(ec2.release_address, AllocationId=address) == "AuthFailure"
        ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
        assert aws.problems == []


def test_a_network_has_one_internet_gateway() -> None:
    with local_aws():
        ec2 = boto3.client("ec2")
        vpc, _ = subnet(ec2)
        one, other = (ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"] for _ in "ab")
        ec2.attach_internet_gateway(InternetGatewayId=one, VpcId=vpc)
        refused = code(ec2.attach_internet_gateway, InternetGatewayId=other, VpcId=vpc)
        assert refused == "Resource.AlreadyAssociated"
