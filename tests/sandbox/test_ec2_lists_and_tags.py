"""EC2's pages, filters, tags and the errors of all its operations."""

from __future__ import annotations

from typing import Any

import pytest
from botocore import xform_name
from hypothesis import given
from hypothesis import strategies as st

from reconciler.kinds import ALL
from reconciler.sandbox import LocalAws
from reconciler.sandbox.ec2.filters import matches

from .conftest import client, code, launch, refusal


def make_vpcs(ec2: Any, count: int, **tags: str) -> list[str]:
    listed = [{"Key": key, "Value": value} for key, value in tags.items()]
    more = {"TagSpecifications": [{"ResourceType": "vpc", "Tags": listed}]} if tags else {}
    return [ec2.create_vpc(CidrBlock="10.0.0.0/16", **more)["Vpc"]["VpcId"] for _ in range(count)]


def vpc_ids(ec2: Any, **filters: list[str]) -> list[str]:
    listed = [{"Name": name, "Values": values} for name, values in filters.items()]
    pages = ec2.get_paginator("describe_vpcs").paginate(Filters=listed)
    return [one["VpcId"] for page in pages for one in page["Vpcs"]]


def test_pages_are_never_longer_than_the_sandbox_says(ec2: Any) -> None:
    made = make_vpcs(ec2, 6)
    first = ec2.describe_vpcs()
    assert len(first["Vpcs"]) == 3
    assert len(ec2.describe_vpcs(MaxResults=1000)["Vpcs"]) == 3
    assert set(made) < set(vpc_ids(ec2))
    assert len(vpc_ids(ec2)) == 7  # the default one too


def test_tokens_are_bound(ec2: Any) -> None:
    make_vpcs(ec2, 4)
    token = ec2.describe_vpcs()["NextToken"]
    assert code(ec2.describe_subnets, NextToken=token) == ("InvalidParameterValue", 400)
    assert code(ec2.describe_vpcs, NextToken="made up") == ("InvalidParameterValue", 400)
    far = client("ec2", "eu-west-1")
    assert code(far.describe_vpcs, NextToken=token) == ("InvalidParameterValue", 400)
    assert ec2.describe_vpcs(NextToken=token)["Vpcs"]


def test_deleting_between_pages_hides_nothing(ec2: Any) -> None:
    made = make_vpcs(ec2, 6)
    filters = [{"Name": "is-default", "Values": ["false"]}]
    first = ec2.describe_vpcs(Filters=filters)
    for vpc in made[:3]:
        ec2.delete_vpc(VpcId=vpc)
    second = ec2.describe_vpcs(Filters=filters, NextToken=first["NextToken"])
    assert [one["VpcId"] for one in second["Vpcs"]] == made[3:]


@pytest.mark.parametrize("operation", ["describe_instances", "describe_tags"])
def test_max_results_below_five(ec2: Any, operation: str) -> None:
    assert code(getattr(ec2, operation), MaxResults=4) == ("InvalidParameterValue", 400)


def test_max_results_beside_ids(ec2: Any) -> None:
    one = launch(ec2)["InstanceId"]
    expected = ("InvalidParameterCombination", 400)
    assert code(ec2.describe_instances, InstanceIds=[one], MaxResults=5) == expected
    vpc = make_vpcs(ec2, 1)
    assert code(ec2.describe_vpcs, VpcIds=vpc, MaxResults=5) == expected


def test_other_lists_are_cut_too(ec2: Any) -> None:
    make_vpcs(ec2, 4)
    assert len(ec2.describe_route_tables()["RouteTables"]) == 3
    pages = ec2.get_paginator("describe_route_tables").paginate()
    assert sum(len(page["RouteTables"]) for page in pages) == 5


def test_instances_are_filtered_inside_their_reservation(aws: LocalAws, ec2: Any) -> None:
    one, other = launch(ec2)["InstanceId"], launch(ec2, InstanceType="t3.micro")["InstanceId"]
    aws.clock.advance(0.5)
    ec2.stop_instances(InstanceIds=[one])

    def ids(name: str, *values: str) -> set[str]:
        answer = ec2.describe_instances(Filters=[{"Name": name, "Values": list(values)}])
        return {each["InstanceId"] for outer in answer["Reservations"] for each in outer["Instances"]}

    assert ids("instance-state-name", "stopping") == {one}
    assert ids("instance-state-name", "running", "stopping") == {one, other}
    assert ids("instance-type", "t3.*") == {other}
    assert ids("instance-state-code", "16") == {other}
    assert ids("owner-id", "123456789012") == {one, other}


def test_tag_filters(ec2: Any) -> None:
    one, other = make_vpcs(ec2, 1, stack="ai-global", role="a*b")[0], make_vpcs(ec2, 1, stack="ai-local")[0]
    assert vpc_ids(ec2, **{"tag:stack": ["ai-*"]}) == [one, other]
    assert vpc_ids(ec2, **{"tag:stack": ["ai-global"]}) == [one]
    assert vpc_ids(ec2, **{"tag:stack": ["AI-global"]}) == []
    assert vpc_ids(ec2, **{"tag:stack": ["ai-?????", "ai-global"]}) == [one, other]
    assert vpc_ids(ec2, **{"tag-key": ["role"]}) == [one]
    assert vpc_ids(ec2, **{"tag:role": [r"a\*b"]}) == [one]
    assert vpc_ids(ec2, **{"tag:stack": ["ai-*"], "tag-key": ["nope"]}) == []
    assert vpc_ids(ec2, **{"vpc-id": ["vpc-0123456789abcdef0"]}) == []


@given(st.text(alphabet="ab*?\\", max_size=8))
def test_an_escaped_text_matches_itself_alone(text: str) -> None:
    escaped = "".join("\\" + character if character in "*?\\" else character for character in text)
    assert matches(escaped, text)
    assert not matches(escaped, text + "a")
    assert matches("*", text)


@pytest.mark.parametrize(
    "operation",
    [
        "describe_vpcs",
        "describe_subnets",
        "describe_instances",
        "describe_security_groups",
        "describe_tags",
        "describe_security_group_rules",
        "describe_regions",
        "describe_route_tables",
    ],
)
def test_an_unknown_filter_is_refused(ec2: Any, operation: str) -> None:
    filters = [{"Name": "no-such-filter", "Values": ["x"]}]
    assert code(getattr(ec2, operation), Filters=filters) == ("InvalidParameterValue", 400)


def test_dry_runs_do_nothing(ec2: Any) -> None:
    assert code(ec2.create_vpc, CidrBlock="10.0.0.0/16", DryRun=True) == ("DryRunOperation", 412)
    assert len(vpc_ids(ec2)) == 1
    assert code(ec2.describe_vpcs, DryRun=True) == ("DryRunOperation", 412)
    ours = make_vpcs(ec2, 1)[0]
    assert code(ec2.delete_vpc, VpcId=ours, DryRun=True) == ("DryRunOperation", 412)
    assert code(ec2.create_subnet, VpcId=ours, CidrBlock="10.0.0.0/24", DryRun=True)[0] == "DryRunOperation"
    assert len(vpc_ids(ec2)) == 2
    assert ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [ours]}])["Subnets"] == []


def test_a_dry_run_about_nothing_is_refused(ec2: Any) -> None:
    missing = "vpc-0123456789abcdef0"
    assert code(ec2.delete_vpc, VpcId=missing, DryRun=True)[0] == "InvalidVpcID.NotFound"
    assert code(ec2.create_subnet, VpcId=missing, CidrBlock="10.0.0.0/24", DryRun=True)[0] == (
        "InvalidVpcID.NotFound"
    )


def test_ec2_says_who_it_is(ec2: Any) -> None:
    assert ec2.describe_vpcs()["ResponseMetadata"]["HTTPHeaders"]["server"] == "AmazonEC2"
    refused = refusal(ec2.describe_vpcs, DryRun=True)
    assert refused["ResponseMetadata"]["HTTPHeaders"]["server"] == "AmazonEC2"


def test_tags_replace_and_go(ec2: Any) -> None:
    vpc = make_vpcs(ec2, 1, a="1")[0]
    ec2.create_tags(Resources=[vpc], Tags=[{"Key": "a", "Value": "2"}, {"Key": "b", "Value": "3"}])
    ec2.delete_tags(Resources=[vpc], Tags=[{"Key": "b", "Value": "other"}])
    shown = ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"][0]["Tags"]
    assert {tag["Key"]: tag["Value"] for tag in shown} == {"a": "2", "b": "3"}
    ec2.delete_tags(Resources=[vpc], Tags=[{"Key": "a"}, {"Key": "b", "Value": "3"}])
    assert ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"][0].get("Tags", []) == []


def test_tags_of_a_deleted_thing_are_gone(ec2: Any) -> None:
    vpc = make_vpcs(ec2, 1, a="1")[0]
    assert [tag["ResourceId"] for tag in ec2.describe_tags()["Tags"]] == [vpc]
    ec2.delete_vpc(VpcId=vpc)
    assert ec2.describe_tags()["Tags"] == []


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        ("vpc-0123456789abcdef0", "InvalidVpcID.NotFound"),
        ("subnet-0123456789abcdef0", "InvalidSubnetID.NotFound"),
        ("sg-0123456789abcdef0", "InvalidGroup.NotFound"),
        ("sgr-0123456789abcdef0", "InvalidSecurityGroupRuleId.NotFound"),
        ("i-0123456789abcdef0", "InvalidInstanceID.NotFound"),
        ("vol-0123456789abcdef0", "InvalidVolume.NotFound"),
        ("eni-0123456789abcdef0", "InvalidNetworkInterfaceID.NotFound"),
        ("nothing", "InvalidID"),
    ],
)
def test_tagging_what_is_not_there(ec2: Any, resource: str, expected: str) -> None:
    tags = [{"Key": "a", "Value": "b"}]
    assert code(ec2.create_tags, Resources=[resource], Tags=tags) == (expected, 400)


def test_reserved_and_too_many_tags(ec2: Any) -> None:
    vpc = make_vpcs(ec2, 1)[0]
    reserved = [{"Key": "aws:mine", "Value": "x"}]
    assert code(ec2.create_tags, Resources=[vpc], Tags=reserved) == ("InvalidParameterValue", 400)
    many = [{"Key": str(number), "Value": "x"} for number in range(51)]
    assert code(ec2.create_tags, Resources=[vpc], Tags=many) == ("TagLimitExceeded", 400)
    ec2.create_tags(Resources=[vpc], Tags=many[:50])
    assert code(ec2.create_tags, Resources=[vpc], Tags=many[50:]) == ("TagLimitExceeded", 400)


@pytest.mark.parametrize(
    ("kind", "tags", "expected"),
    [
        ("subnet", [{"Key": "a", "Value": "b"}], "InvalidParameterValue"),
        ("vpc", [{"Key": "aws:a", "Value": "b"}], "InvalidParameterValue"),
        ("vpc", [{"Key": "a", "Value": "b"}, {"Key": "a", "Value": "c"}], "InvalidParameterValue"),
        ("vpc", [{"Key": str(number), "Value": "x"} for number in range(51)], "TagLimitExceeded"),
    ],
)
def test_bad_tags_at_birth(ec2: Any, kind: str, tags: list[dict[str, str]], expected: str) -> None:
    specification = [{"ResourceType": kind, "Tags": tags}]
    given = {"CidrBlock": "10.0.0.0/16", "TagSpecifications": specification}
    assert code(ec2.create_vpc, **given) == (expected, 400)
    assert len(vpc_ids(ec2)) == 1


def test_what_moto_lacks_is_an_error_of_ec2(ec2: Any) -> None:
    assert code(ec2.describe_capacity_block_offerings, CapacityDurationHours=24) == ("InvalidAction", 400)


def test_regions_are_worlds_of_their_own(ec2: Any) -> None:
    vpc = make_vpcs(ec2, 1)[0]
    assert code(client("ec2", "eu-west-1").describe_vpcs, VpcIds=[vpc]) == ("InvalidVpcID.NotFound", 400)


def test_identity(aws: LocalAws) -> None:
    assert client("sts").get_caller_identity()["Account"] == "123456789012"


def test_no_list_that_a_kind_reads_takes_any_filter_or_page(ec2: Any) -> None:
    """Its tag filter goes where the record says that AWS has one, and nowhere else."""
    reads = {read.operation: read for kind in ALL if kind.service == "ec2" for read in [kind.read]}
    assert reads
    for operation, read in reads.items():
        members = ec2.meta.service_model.operation_model(operation).input_shape.members
        ask = getattr(ec2, xform_name(operation))
        name = "Filter" if "Filter" in members else "Filters"
        assert code(ask, **{name: [{"Name": "made-up", "Values": ["x"]}]}) == ("InvalidParameterValue", 400)
        by_tag = {name: [{"Name": "tag:x", "Values": ["x"]}]}
        if read.filters:
            assert read.filters == name
            assert ask(**by_tag)[read.path.partition("[")[0]] == []
        else:
            assert code(ask, **by_tag) == ("InvalidParameterValue", 400)
        if read.page:
            ask(MaxResults=read.page)
            assert code(ask, MaxResults=100_000) == ("InvalidParameterValue", 400)
            assert code(ask, NextToken="made up") == ("InvalidParameterValue", 400)
        else:
            assert "MaxResults" not in members
