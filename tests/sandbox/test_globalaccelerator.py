"""Global Accelerator in the local AWS: what it refuses, as AWS does."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ConnectionClosedError

from reconciler.sandbox import LocalAws

from .conftest import client, code

PORTS = [{"FromPort": 443, "ToPort": 443}]


@pytest.fixture
def front(aws: LocalAws) -> Any:
    return client("globalaccelerator")


@pytest.fixture
def one(front: Any) -> str:
    return str(front.create_accelerator(Name="one", IdempotencyToken="one")["Accelerator"]["AcceleratorArn"])


def listener(front: Any, one: str, **given: Any) -> str:
    more = {"Protocol": "TCP", "PortRanges": PORTS, **given}
    return str(front.create_listener(AcceleratorArn=one, **more)["Listener"]["ListenerArn"])


def test_it_answers_in_one_region_alone(aws: LocalAws) -> None:
    with pytest.raises(ConnectionClosedError):
        client("globalaccelerator", "eu-west-1").list_accelerators()


def test_a_token_makes_one(front: Any, one: str) -> None:
    again = front.create_accelerator(Name="one", IdempotencyToken="one")["Accelerator"]
    assert again["AcceleratorArn"] == one
    assert len(front.list_accelerators()["Accelerators"]) == 1


def test_one_change_at_a_time(aws: LocalAws, front: Any, one: str) -> None:
    def rename() -> Any:
        return front.update_accelerator(AcceleratorArn=one, Name="other")

    assert code(rename)[0] == "TransactionInProgressException"
    aws.clock.advance(1)
    assert front.list_accelerators()["Accelerators"][0]["Status"] == "DEPLOYED"
    assert rename()["Accelerator"]["Status"] == "IN_PROGRESS"


def test_it_goes_disabled_and_empty(aws: LocalAws, front: Any, one: str) -> None:
    def delete() -> Any:
        return front.delete_accelerator(AcceleratorArn=one)

    aws.clock.advance(1)
    heard = listener(front, one)
    group = front.create_endpoint_group(ListenerArn=heard, EndpointGroupRegion="us-west-2")["EndpointGroup"]
    assert code(delete)[0] == "AcceleratorNotDisabledException"
    aws.clock.advance(1)
    front.update_accelerator(AcceleratorArn=one, Enabled=False)
    assert code(delete)[0] == "TransactionInProgressException"
    aws.clock.advance(1)
    assert code(delete)[0] == "AssociatedListenerFoundException"
    gone = code(lambda: front.delete_listener(ListenerArn=heard))[0]
    assert gone == "AssociatedEndpointGroupFoundException"
    front.delete_endpoint_group(EndpointGroupArn=group["EndpointGroupArn"])
    front.delete_listener(ListenerArn=heard)
    aws.clock.advance(1)
    delete()
    assert front.list_accelerators()["Accelerators"] == []


def test_a_port_is_heard_once_and_a_region_has_one_group(front: Any, one: str) -> None:
    heard = listener(front, one)
    assert code(lambda: listener(front, one))[0] == "InvalidPortRangeException"
    listener(front, one, Protocol="UDP")
    front.create_endpoint_group(ListenerArn=heard, EndpointGroupRegion="us-west-2")
    again = code(lambda: front.create_endpoint_group(ListenerArn=heard, EndpointGroupRegion="us-west-2"))
    assert again[0] == "EndpointGroupAlreadyExistsException"


def test_an_endpoint_is_there_and_active_in_the_region_of_its_group(
    aws: LocalAws, front: Any, one: str
) -> None:
    ec2 = client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    given = {"Name": "x", "Type": "network", "Scheme": "internal", "Subnets": [subnet]}
    balancer = client("elbv2").create_load_balancer(**given)["LoadBalancers"][0]["LoadBalancerArn"]
    heard = listener(front, one)

    def lead(region: str) -> Any:
        return front.create_endpoint_group(
            ListenerArn=heard,
            EndpointGroupRegion=region,
            EndpointConfigurations=[{"EndpointId": balancer}],
        )

    assert code(lambda: lead("us-west-2"))[0] == "InvalidArgumentException", "it is provisioning"
    aws.clock.advance(10)
    assert code(lambda: lead("eu-west-1"))[0] == "InvalidArgumentException"
    group = lead("us-west-2")["EndpointGroup"]
    assert [one["Weight"] for one in group["EndpointDescriptions"]] == [128]
    arn = group["EndpointGroupArn"]
    front.update_endpoint_group(EndpointGroupArn=arn, TrafficDialPercentage=10)
    (shown,) = front.list_endpoint_groups(ListenerArn=heard)["EndpointGroups"]
    assert (shown["TrafficDialPercentage"], len(shown["EndpointDescriptions"])) == (10, 1)
    front.update_endpoint_group(EndpointGroupArn=arn, EndpointConfigurations=[])
    assert front.list_endpoint_groups(ListenerArn=heard)["EndpointGroups"][0]["EndpointDescriptions"] == []
