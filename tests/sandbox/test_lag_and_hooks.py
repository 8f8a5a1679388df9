"""Lists that do not show new things yet, and functions that look on: in both services, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError

from reconciler.sandbox import AwsError, Call, LocalAws
from reconciler.sandbox.calls import is_read

from .conftest import client, code, image
from .services import BOTH, EC2, NETWORK_MANAGER, Service, others_work

# ---- lists that lag


@BOTH
def test_a_new_thing_is_hidden_for_some_seconds(aws: LocalAws, service: Service) -> None:
    old = service.make()
    aws.hide(service.name, service.read, seconds=30)
    aws.clock.advance(5)
    new = service.make()
    others_work(service)
    assert service.ids() == [old]
    aws.clock.advance(29)
    assert service.ids() == [old]
    aws.clock.advance(1)
    assert service.ids() == [old, new]


@BOTH
def test_a_new_thing_is_hidden_from_some_lists(aws: LocalAws, service: Service) -> None:
    old = [service.make() for _ in range(4)]  # two pages
    aws.hide(service.name, service.read, calls=2)
    new = service.make()
    others_work(service)
    assert service.ids() == old
    assert service.ids() == old
    assert service.ids() == [*old, new]
    assert service.ids() == [*old, new]


@BOTH
def test_each_thing_is_hidden_for_itself(aws: LocalAws, service: Service) -> None:
    aws.hide(service.name, calls=1)
    first = service.make()
    assert service.ids() == []
    second = service.make()
    assert service.ids() == [first]
    assert service.ids() == [first, second]


def test_what_is_hidden_is_not_found_by_id_and_is_there_all_the_same(
    aws: LocalAws, nm: Any, ec2: Any
) -> None:
    aws.hide("ec2", seconds=10)
    aws.hide("networkmanager", seconds=10)
    vpc, network = EC2.make(), NETWORK_MANAGER.make()
    ec2.create_tags(Resources=[vpc], Tags=[{"Key": "a", "Value": "b"}])
    assert code(ec2.describe_vpcs, VpcIds=[vpc]) == ("InvalidVpcID.NotFound", 400)
    assert ec2.describe_tags()["Tags"] == []
    assert nm.describe_global_networks(GlobalNetworkIds=[network])["GlobalNetworks"] == []
    ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")
    nm.create_site(GlobalNetworkId=network)
    assert nm.get_sites(GlobalNetworkId=network)["Sites"] == []
    aws.clock.advance(10)
    assert EC2.ids() == [vpc]
    assert [tag["ResourceId"] for tag in ec2.describe_tags()["Tags"]] == [vpc]
    assert len(nm.get_sites(GlobalNetworkId=network)["Sites"]) == 1


def test_instances_groups_and_rules_can_be_hidden(aws: LocalAws, ec2: Any) -> None:
    vpc = EC2.make()
    aws.hide("ec2", calls=1)
    instance = ec2.run_instances(ImageId=image(), InstanceType="t3.micro", MinCount=1, MaxCount=1)
    group = ec2.create_security_group(VpcId=vpc, GroupName="g", Description="d")["GroupId"]
    source = [{"IpProtocol": "tcp", "FromPort": 1, "ToPort": 1, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}]
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=source)
    mine: dict[str, Any] = {"Filters": [{"Name": "group-id", "Values": [group]}]}

    def seen() -> tuple[int, int, int]:
        return (
            len(ec2.describe_instances()["Reservations"]),
            len(ec2.describe_security_groups(**mine)["SecurityGroups"]),
            sum(
                not one["IsEgress"] for one in ec2.describe_security_group_rules(**mine)["SecurityGroupRules"]
            ),
        )

    assert seen() == (0, 0, 0)
    assert seen() == (1, 1, 1)
    assert instance["Instances"][0]["State"]["Name"] == "pending"


@pytest.mark.parametrize("given", [{}, {"seconds": 1, "calls": 1}])
def test_hiding_is_by_seconds_or_by_calls(aws: LocalAws, given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="either seconds or calls"):
        aws.hide("ec2", **given)


# ---- hooks


@BOTH
def test_hooks_see_each_call_before_and_after(aws: LocalAws, service: Service) -> None:
    seen: list[tuple[str, str, int]] = []

    def hook(moment: str, call: Call) -> None:
        assert (call.service, call.region) == (service.name, "us-west-2")
        seen.append((moment, call.operation, len(aws.calls)))

    aws.on_call.append(hook)
    service.make()
    service.page()
    assert seen == [
        ("before", service.create, 0),
        ("after", service.create, 0),
        ("before", service.read, 1),
        ("after", service.read, 1),
    ]
    assert [is_read(operation) for _, operation, _ in seen] == [False, False, True, True]


@BOTH
@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize(
    "raised",
    [
        AwsError("Busy", "by hook", 409),
        ConnectionClosedError(endpoint_url="here"),
        ReadTimeoutError(endpoint_url="here"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_a_hook_raises_reaches_the_caller(
    aws: LocalAws, service: Service, moment: str, raised: Exception
) -> None:
    def hook(when: str, call: Call) -> None:
        if (when, call.operation) == (moment, service.create):
            raise raised

    aws.on_call.append(hook)
    expected: Any = type(raised)
    if isinstance(raised, AwsError):
        assert code(service.make) == ("Busy", 409)
    else:
        with pytest.raises(expected):
            service.make()
    assert len(service.ids()) == (0 if moment == "before" else 1)


@BOTH
def test_after_is_said_of_what_took_effect_alone(aws: LocalAws, service: Service) -> None:
    after: list[str] = []
    aws.on_call.append(lambda moment, call: after.append(call.operation) if moment == "after" else None)
    aws.fail(service.name, service.create, code="Busy")
    assert code(service.make)[0] == "Busy"
    aws.drop(service.name, service.create)
    with pytest.raises(ConnectionClosedError):
        service.make()
    code(service.make_nonsense)
    assert code(client("ssm").get_parameter, Name="/nowhere")[0] == "ParameterNotFound"
    assert after == []
    aws.lose_answer(service.name, service.create)
    with pytest.raises(ConnectionClosedError):
        service.make()
    assert after == [service.create]


@BOTH
def test_cleared_faults_are_gone(aws: LocalAws, service: Service) -> None:
    aws.fail(service.name, "*", code="Busy", times=99)
    aws.drop(service.name, "*", times=99)
    aws.lose_answer(service.name, "*", times=99)
    aws.truncate(service.name, "*", times=99)
    aws.hide(service.name, seconds=99)
    aws.on_call.append(lambda moment, call: pytest.fail("the hook is gone"))
    aws.clear_faults()
    assert service.make() in service.ids()
    assert [call.error for call in aws.calls] == [None, None]
    aws.clear_calls()
    assert aws.calls == aws.writes == []
