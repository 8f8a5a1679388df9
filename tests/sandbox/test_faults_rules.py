"""Which calls a rule means: each word of its first half, seen by a plain client."""

from __future__ import annotations

from typing import Any

import pytest
from botocore import xform_name

from reconciler.kinds import ALL
from reconciler.sandbox import LocalAws, local_aws
from reconciler.sandbox.faults.faults import TOKENS

from .conftest import client, code, image, launch
from .services import EC2, NETWORK_MANAGER


def struck(make: Any, times: int) -> list[bool]:
    """Whether each of some calls in a row was refused."""
    found = []
    for _ in range(times):
        try:
            make()
        except Exception as error:
            assert "Busy" in str(error)  # noqa: PT017 - others are mistakes
            found.append(True)
        else:
            found.append(False)
    return found


def which(rule: str) -> str:
    """A rule with an end that tests can see."""
    return f"[{{{rule}, do: {{fail: Busy}}}}]"


@pytest.mark.parametrize(
    ("nth", "numbers"),
    [("3", [3]), ("2-4", [2, 3, 4]), ("4-", [4, 5, 6]), ("odd", [1, 3, 5]), ("even", [2, 4, 6])],
)
def test_the_nth_is_counted_from_one(aws: LocalAws, nth: str, numbers: list[int]) -> None:
    aws.faults(which(f"call: CreateVpc, nth: {nth}"))
    found = struck(EC2.make, 6)
    assert [number for number, was in enumerate(found, 1) if was] == numbers


def test_times_ends_it(aws: LocalAws) -> None:
    aws.faults(which("call: CreateVpc, nth: even, times: 2"))
    assert struck(EC2.make, 8) == [False, True, False, True, False, False, False, False]


def test_a_call_that_another_rule_ends_is_counted_all_the_same(aws: LocalAws) -> None:
    """`the third CreateVpc` is the third, whatever befell the first."""
    aws.drop("ec2", "CreateVpc")
    aws.faults(which("call: CreateVpc, nth: 3"))
    with pytest.raises(Exception, match="Connection was closed"):
        EC2.make()
    assert struck(EC2.make, 3) == [False, True, False]


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("reads", [True, False, True, False, True]),
        ("writes", [False, True, False, True, False]),
        ("'*'", [True] * 5),
        ("ec2:reads", [True, False, False, False, False]),
        ("'*:writes'", [False, True, False, True, False]),
        ("networkmanager:*", [False, False, True, True, False]),
        ("[DescribeVpcs, CreateGlobalNetwork]", [True, False, False, True, False]),
    ],
)
def test_sorts_of_calls(aws: LocalAws, call: str, expected: list[bool]) -> None:
    aws.faults(which(f"call: {call}"))
    calls = (
        EC2.page,
        EC2.make,
        NETWORK_MANAGER.page,
        NETWORK_MANAGER.make,
        client("sts").get_caller_identity,
    )
    assert [struck(one, 1)[0] for one in calls] == expected


def test_regions(aws: LocalAws) -> None:
    aws.faults(which("call: ec2:*, region: [eu-west-1, eu-central-1]"))
    regions = ("us-west-2", "eu-west-1", "eu-central-1", "eu-north-1")
    assert [struck(client("ec2", region).describe_vpcs, 1)[0] for region in regions] == [
        False,
        True,
        True,
        False,
    ]


@pytest.mark.parametrize(
    ("given", "is_meant"),
    [
        ("{VpcIds: [vpc-1]}", False),
        ("{VpcIds: VPC}", True),
        ("{VpcIds: [VPC]}", True),
        ("{VpcIds: 'vpc-*'}", True),
        ("{Filters: {Name: cidr}}", True),
        ("{Filters: [{Name: cidr, Values: ['10.*']}]}", True),
        ("{Filters: [{Name: cidr}, {Name: state}]}", False),
        ("{VpcIds: VPC, MaxResults: 5}", False),
        ("{VpcIds: '${vpc/mine}'}", True),
        ("{VpcIds: '${vpc/other}'}", False),
    ],
)
def test_parameters_are_a_part_of_what_was_asked(aws: LocalAws, given: str, is_meant: bool) -> None:
    vpc = EC2.make()
    client("ec2").create_tags(Resources=[vpc], Tags=[{"Key": "reconciler:address", "Value": "vpc/mine"}])
    aws.faults(which(f"call: DescribeVpcs, with: {given}".replace("VPC", vpc)))
    asked: dict[str, Any] = {"VpcIds": [vpc], "Filters": [{"Name": "cidr", "Values": ["10.0.0.0/16"]}]}
    assert struck(lambda: EC2.page(**asked), 1) == [is_meant]


def test_a_name_means_the_id_and_the_arn_of_what_lives(
    aws: LocalAws, nm: Any, network: str, ec2: Any
) -> None:
    tags = [{"Key": "reconciler:address", "Value": "site/one"}]
    site = nm.create_site(GlobalNetworkId=network, Tags=tags)["Site"]
    aws.faults(which("call: networkmanager:writes, with: {SiteId: '${site/one}'}"))
    aws.faults(which("call: networkmanager:TagResource, with: {ResourceArn: '${site/one}'}"))
    assert struck(
        lambda: nm.update_site(GlobalNetworkId=network, SiteId=site["SiteId"], Description="x"), 1
    ) == [True]
    assert struck(lambda: nm.tag_resource(ResourceArn=site["SiteArn"], Tags=tags), 1) == [True]
    one = {"Key": "reconciler:address", "Value": "instance/one"}
    gone, there = (
        launch(ec2, TagSpecifications=[{"ResourceType": "instance", "Tags": [one]}])["InstanceId"]
        for _ in range(2)
    )
    ec2.terminate_instances(InstanceIds=[gone])
    aws.clock.advance(1)
    aws.faults(which("call: StopInstances, with: {InstanceIds: '${instance/one}'}"))
    assert code(ec2.stop_instances, InstanceIds=[gone])[0] != "Busy"
    assert code(ec2.stop_instances, InstanceIds=[there])[0] == "Busy"


def test_a_page_of_a_list(aws: LocalAws) -> None:
    for _ in range(7):  # three pages
        NETWORK_MANAGER.make() if len(NETWORK_MANAGER.ids()) < 5 else EC2.make()
    aws.faults(which("call: networkmanager:DescribeGlobalNetworks, page: 2"))
    first = NETWORK_MANAGER.page()
    assert len(first["GlobalNetworks"]) == 3
    for _ in range(2):  # the second stays the second however often it is asked for
        assert struck(lambda: NETWORK_MANAGER.page(NextToken=first["NextToken"]), 1) == [True]
    aws.clear_faults()
    assert len(NETWORK_MANAGER.ids()) == 5


def test_the_window_is_in_seconds_since_the_rule_was_set(aws: LocalAws) -> None:
    aws.clock.advance(100)
    aws.faults(which("call: CreateVpc, from: 10, until: 20"))
    found = []
    for _ in range(4):
        found += struck(EC2.make, 1)
        aws.clock.advance(9)
    assert found == [False, False, True, False]


def chances(seed: int, others: bool) -> list[bool]:
    """How twenty calls fare, with or without others between them."""
    with local_aws(seed=seed) as aws:
        aws.faults(which("call: DescribeVpcs, chance: 0.5"))
        found = []
        for _ in range(20):
            found += struck(EC2.page, 1)
            if others:
                struck(lambda: EC2.page(MaxResults=5), 1)
        return found


def test_chance_is_the_seeds_whatever_goes_on_beside_it() -> None:
    found = chances(7, others=False)
    assert found == chances(7, others=True)
    assert found != chances(8, others=False)
    assert 5 <= sum(found) <= 15


def test_what_was_struck_is_told_and_kept(aws: LocalAws) -> None:
    aws.faults("[{call: CreateVpc, nth: 2, do: lose-answer}]")
    struck(EC2.make, 1)
    with pytest.raises(Exception, match="Connection was closed"):
        EC2.make()
    (strike,) = aws.strikes
    assert str(strike) == "fault rules:1 (lose-answer) struck ec2:CreateVpc in us-west-2, match 2, at 0.0 s"


def test_images_are_there_for_all_that(aws: LocalAws) -> None:
    aws.faults(which("call: ec2:*"))
    assert image()


@pytest.mark.parametrize(
    ("service", "operation"),
    sorted({(kind.service, kind.read.operation) for kind in ALL if kind.read.page is not None}),
)
def test_a_further_page_of_every_list_is_told_from_its_first(service: str, operation: str) -> None:
    of = client(service)
    if not of.can_paginate(xform_name(operation)):
        return
    config = of._cache["page_config"][operation]
    asked = config["input_token"]
    names = asked if isinstance(asked, list) else [asked]
    assert set(TOKENS) & set(names)
