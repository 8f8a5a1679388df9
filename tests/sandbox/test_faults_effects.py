"""What a rule does to a call: each word of its second half, seen by a plain client."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError
from botocore.parsers import ResponseParserError

from reconciler.sandbox import LocalAws
from reconciler.sandbox.faults.buckets import published

from .conftest import AMAZON_LINUX, client, code, image, launch, new_client, refusal
from .services import BOTH, EC2, NETWORK_MANAGER, Service


def answer(call: Any, **parameters: Any) -> dict[str, Any]:
    """What an answer has in it."""
    found: dict[str, Any] = call(**parameters)
    del found["ResponseMetadata"]
    return found


# ---- refusals

EXISTS = {"VpcIds": ["vpc-12345678"]}
READS: dict[str, tuple[str, dict[str, Any]]] = {
    "ec2": ("describe_vpcs", EXISTS),
    "networkmanager": ("get_sites", {"GlobalNetworkId": "global-network-1"}),
    "sts": ("get_caller_identity", {}),
    "ssm": ("get_parameter", {"Name": AMAZON_LINUX}),
    "dynamodb": ("list_tables", {}),
}
SPELT = [
    ("denied", "ec2", "UnauthorizedOperation", 403),
    ("denied", "networkmanager", "AccessDeniedException", 403),
    ("denied", "sts", "AccessDenied", 403),
    ("denied", "ssm", "AccessDeniedException", 400),
    ("expired", "ec2", "RequestExpired", 400),
    ("expired", "networkmanager", "ExpiredTokenException", 403),
    ("expired", "sts", "ExpiredToken", 403),
    ("expired", "dynamodb", "ExpiredTokenException", 400),
    ("throttled", "ec2", "RequestLimitExceeded", 503),
    ("throttled", "networkmanager", "ThrottlingException", 429),
    ("throttled", "sts", "Throttling", 400),
    ("internal", "ec2", "InternalError", 500),
    ("internal", "networkmanager", "InternalServerException", 500),
    ("unavailable", "ec2", "Unavailable", 503),
    ("unavailable", "networkmanager", "ServiceUnavailable", 503),
    ("not-found", "ec2", "InvalidVpcID.NotFound", 400),
    ("not-found", "networkmanager", "ValidationException", 400),
    ("not-found", "ssm", "ParameterNotFound", 400),
]


@pytest.mark.parametrize(("word", "service", "name", "status"), SPELT)
def test_a_refusal_in_a_word_is_spelt_as_the_service_does(
    aws: LocalAws, word: str, service: str, name: str, status: int
) -> None:
    aws.faults(f"[{{call: {service}:reads, do: {{fail: {word}}}}}]")
    method, given = READS[service]
    assert code(getattr(client(service), method), **given) == (name, status)


def test_what_is_not_found_is_named(aws: LocalAws, nm: Any, ec2: Any, network: str) -> None:
    aws.faults("[{call: '*', do: {fail: not-found}}]")
    answered = refusal(nm.get_sites, GlobalNetworkId=network)
    assert answered["Fields"] == [{"Name": "globalNetworkId", "Message": "Global network not found."}]
    answered = refusal(nm.delete_site, GlobalNetworkId=network, SiteId="site-1")
    assert (answered["Error"]["Code"], answered["ResourceId"]) == ("ResourceNotFoundException", "site-1")
    assert "'sg-0a1b2c3d'" in refusal(ec2.delete_security_group, GroupId="sg-0a1b2c3d")["Error"]["Message"]


def test_a_refusal_in_full(aws: LocalAws, nm: Any) -> None:
    aws.faults(
        "[{call: CreateGlobalNetwork, do: {fail: {code: ConflictException, message: no, status: 418, ResourceId: x}}}]"
    )
    answered = refusal(nm.create_global_network)
    assert (answered["Error"]["Message"], answered["ResourceId"]) == ("no", "x")
    assert answered["ResponseMetadata"]["HTTPStatusCode"] == 418


# ---- connections and time


@BOTH
def test_connections_by_rule(aws: LocalAws, service: Service) -> None:
    aws.faults(
        f"[{{call: {service.create}, nth: 1, do: drop}}, {{call: {service.create}, nth: 3, do: lose-answer}}]"
    )
    for nth, there in ((1, 0), (2, 1), (3, 2)):
        if nth == 2:
            service.make()
        else:
            with pytest.raises(ConnectionClosedError):
                service.make()
        assert len(service.ids()) == there


def test_a_cut_body_by_rule(aws: LocalAws) -> None:
    EC2.make()
    aws.faults("[{call: DescribeVpcs, times: 1, do: cut}]")
    with pytest.raises(ResponseParserError):
        EC2.page()
    assert EC2.ids()


@BOTH
def test_a_slow_answer_moves_the_held_clock_on(aws: LocalAws, service: Service) -> None:
    aws.faults(f"[{{call: {service.create}, do: {{slow: 12}}}}]")
    made = service.make()
    assert aws.clock.monotonic() == 12
    assert service.ids() == [made]


@BOTH
def test_a_client_gives_up_on_an_answer_that_is_slower_than_its_patience(
    aws: LocalAws, service: Service
) -> None:
    aws.faults(f"[{{call: {service.create}, do: {{slow: {{seconds: 40, patience: 30}}}}}}]")
    with pytest.raises(ReadTimeoutError):
        service.make()
    assert aws.clock.monotonic() == 30
    assert len(service.ids()) == 1  # it happened all the same


def test_a_slow_answer_can_be_a_bad_one(aws: LocalAws) -> None:
    aws.faults("[{call: DescribeVpcs, do: {slow: 5}}, {call: DescribeVpcs, do: {fail: Busy}}]")
    assert code(EC2.page)[0] == "Busy"
    assert aws.clock.monotonic() == 5


# ---- reads that lie


@BOTH
def test_lists_that_lag_by_rule(aws: LocalAws, service: Service) -> None:
    old = service.make()
    aws.faults(f"[{{call: {service.name}:reads, do: {{lag: 30}}}}]")
    new = service.make()
    assert service.ids() == [old]
    assert [strike.note for strike in aws.strikes] == [f"{new} is hidden"]
    aws.clock.advance(30)
    assert service.ids() == [old, new]
    aws.clear_faults()
    aws.faults(f"[{{call: {service.name}:reads, do: {{lag: {{lists: 1}}}}}}]")
    third = service.make()
    assert service.ids() == [old, new]
    assert service.ids() == [old, new, third]


@BOTH
def test_lists_leave_things_out_for_a_while(aws: LocalAws, service: Service) -> None:
    made = [service.make() for _ in range(5)]  # two pages
    aws.faults(f"[{{call: {service.read}, until: 10, do: {{leave-out: [{made[0]}, {made[4]}]}}}}]")
    assert service.ids() == made[1:4]
    aws.clock.advance(10)
    assert sorted(service.ids()) == sorted(made)


@BOTH
def test_lists_that_flap_do_so_as_a_whole(aws: LocalAws, service: Service) -> None:
    made = [service.make() for _ in range(5)]
    aws.faults(f"[{{call: {service.read}, nth: even, do: {{leave-out: '{made[0][:-1]}*'}}}}]")
    assert [len(service.ids()) for _ in range(4)] == [5, 4, 5, 4]


def test_what_is_left_out_is_not_found_by_its_id(aws: LocalAws, nm: Any) -> None:
    vpc, network = EC2.make(), NETWORK_MANAGER.make()
    tag = {"Key": "reconciler:address", "Value": "vpc/v"}
    client("ec2").create_tags(Resources=[vpc], Tags=[tag])
    aws.faults("[{call: reads, do: leave-out}]")
    assert code(EC2.page, VpcIds=[vpc]) == ("InvalidVpcID.NotFound", 400)
    assert NETWORK_MANAGER.page(GlobalNetworkIds=[network])["GlobalNetworks"] == []
    aws.clear_faults()
    aws.faults("[{call: reads, do: {leave-out: '${vpc/v}'}}]")
    assert vpc not in EC2.ids()
    assert NETWORK_MANAGER.ids() == [network]


@BOTH
def test_an_empty_answer_is_well_formed_and_the_last_page(aws: LocalAws, service: Service) -> None:
    for _ in range(5):
        service.make()
    aws.faults(f"[{{call: {service.read}, do: empty}}]")
    assert answer(service.page) == {service.many: []}
    assert len(aws.calls) == 6


@BOTH
def test_a_blank_answer_lacks_even_the_list(aws: LocalAws, service: Service) -> None:
    service.make()
    aws.faults(f"[{{call: {service.read}, do: blank}}]")
    assert answer(service.page) == {}


def test_answers_without_a_list_can_be_blank_too(aws: LocalAws, ec2: Any) -> None:
    vpc = EC2.make()
    aws.faults("[{call: reads, do: blank}]")
    assert answer(ec2.describe_vpc_attribute, VpcId=vpc, Attribute="enableDnsSupport") == {}
    assert answer(client("sts").get_caller_identity) == {}
    assert answer(client("ssm").get_parameter, Name=AMAZON_LINUX) == {}
    aws.clear_faults()
    aws.faults("[{call: reads, do: empty}]")
    assert answer(client("sts").get_caller_identity)["Account"] == "123456789012"
    assert answer(ec2.describe_regions) == {"Regions": []}


def test_instances_of_a_stale_list_are_as_before_the_write(aws: LocalAws, ec2: Any) -> None:
    instance = launch(ec2)["InstanceId"]
    aws.clock.advance(60)
    aws.faults("[{call: DescribeInstances, do: {stale: 5}}]")

    def state() -> str:
        (one,) = [one for found in ec2.describe_instances()["Reservations"] for one in found["Instances"]]
        return str(one["State"]["Name"])

    assert state() == "running"
    ec2.stop_instances(InstanceIds=[instance])
    assert state() == "running"
    aws.clock.advance(4)
    assert state() == "running"
    aws.clock.advance(1)
    assert state() in ("stopping", "stopped")


@BOTH
def test_a_stale_read_lacks_what_is_new_and_shows_what_is_gone(aws: LocalAws, service: Service) -> None:
    old = service.make()
    aws.clock.advance(1)
    aws.faults("[{call: reads, do: {stale: 5}}]")
    assert service.ids() == [old]
    new = service.make()
    assert service.ids() == [old]
    aws.clock.advance(5)
    assert service.ids() == [old, new]
    only: dict[str, Any] = {f"{service.id}s": [old]}
    assert len(service.page(**only)[service.many]) == 1
    delete = {"ec2": "delete_vpc", "networkmanager": "delete_global_network"}[service.name]
    getattr(client(service.name), delete)(**{service.id: old})
    aws.clock.advance(1)
    assert len(service.page(**only)[service.many]) == 1
    assert service.ids() == [old, new]


# ---- token buckets


def taken(call: Any, limit: int = 60) -> int:
    """How many calls are answered before one is throttled."""
    for number in range(limit):
        try:
            call()
        except Exception as error:
            assert "Rate exceeded" in str(error) or "RequestLimitExceeded" in str(error)  # noqa: PT017
            return number
    return limit


def test_the_published_buckets_of_ec2(aws: LocalAws, ec2: Any) -> None:
    aws.faults("[{call: '*', do: throttle}]")
    given = {"VpcId": EC2.make(), "EnableDnsSupport": {"Value": True}}
    assert taken(lambda: ec2.modify_vpc_attribute(**given)) == 50
    assert code(ec2.modify_vpc_attribute, **given) == ("RequestLimitExceeded", 503)
    aws.clock.advance(2)  # five come in a second
    assert taken(lambda: ec2.modify_vpc_attribute(**given)) == 10
    elsewhere = client("ec2", "eu-west-1")  # each region and each operation has its own
    vpc = elsewhere.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    elsewhere.modify_vpc_attribute(VpcId=vpc, EnableDnsSupport={"Value": True})
    ec2.create_tags(Resources=[given["VpcId"]], Tags=[{"Key": "a", "Value": "b"}])


@pytest.mark.parametrize(
    ("operation", "given", "burst", "refill"),
    [
        ("DescribeInstances", {}, 50, 10),  # neither paged nor filtered
        ("DescribeInstances", {"MaxResults": 1000}, 100, 20),
        ("DescribeVpcs", {}, 100, 20),
        ("RunInstances", {"MaxCount": 1}, 5, 2),
        ("TerminateInstances", {"InstanceIds": ["i-1"]}, 100, 5),
        ("CreateTags", {}, 100, 10),
        ("CreateVpcEndpoint", {}, 4, 0.3),
        ("AuthorizeSecurityGroupIngress", {}, 50, 5),
    ],
)
def test_the_numbers_that_aws_publishes(
    operation: str, given: dict[str, Any], burst: float, refill: float
) -> None:
    assert published("ec2", operation, given)[0][1] == (burst, refill)


def test_launches_take_from_a_bucket_of_calls_and_one_of_instances(aws: LocalAws, ec2: Any) -> None:
    given = {"ImageId": image(), "InstanceType": "t3.micro"}
    aws.faults("[{call: ec2:writes, do: throttle}]")
    assert code(ec2.run_instances, **given, MinCount=1, MaxCount=1001)[0] == "RequestLimitExceeded"
    assert taken(lambda: ec2.run_instances(**given, MinCount=1, MaxCount=1), 10) == 5
    aws.clock.advance(0.5)
    assert taken(lambda: ec2.run_instances(**given, MinCount=1, MaxCount=1), 10) == 1


def test_a_bucket_of_ones_own(aws: LocalAws, nm: Any) -> None:
    aws.faults("[{call: networkmanager:reads, do: {throttle: {burst: 2, refill: 0.5}}}]")
    assert taken(nm.describe_global_networks) == 2
    aws.clock.advance(2)
    assert taken(nm.describe_global_networks) == 1
    patient = new_client("networkmanager", attempts=3)
    with pytest.raises(Exception, match="reached max retries: 2"):
        patient.describe_global_networks()


# ---- somebody else


def test_somebody_else_comes_first(aws: LocalAws, nm: Any, network: str) -> None:
    tag = {"Key": "reconciler:address", "Value": "site/one"}
    site = nm.create_site(GlobalNetworkId=network, Tags=[tag])["Site"]["SiteId"]
    aws.clock.advance(1)
    aws.faults(f"""
        - call: UpdateSite
          do: {{before: {{call: DeleteSite, with: {{GlobalNetworkId: {network}, SiteId: "${{site/one}}"}}}}}}
    """)
    aws.clear_calls()
    assert (
        code(nm.update_site, GlobalNetworkId=network, SiteId=site, Description="x")[0] == "ConflictException"
    )
    assert [call.operation for call in aws.calls] == [
        "UpdateSite"
    ]  # what others do is no call of the client's


def test_somebody_else_comes_right_after(aws: LocalAws, nm: Any, network: str, ec2: Any) -> None:
    aws.faults("""
        - call: CreateSite
          nth: 2
          do:
            after:
            - call: networkmanager:TagResource
              with: {ResourceArn: "${site/one.arn}", Tags: [{Key: by, Value: another}]}
            - {call: ec2:CreateVpc, region: eu-west-1, with: {CidrBlock: 10.0.0.0/8}}
            - {call: ec2:DeleteVpc, with: {VpcId: "${vpc/nowhere}"}}
    """)
    tag = {"Key": "reconciler:address", "Value": "site/one"}

    def make() -> None:
        nm.create_site(GlobalNetworkId=network, Tags=[tag])

    def seen() -> list[list[str]]:
        return [
            [tag["Key"] for tag in site["Tags"]] for site in nm.get_sites(GlobalNetworkId=network)["Sites"]
        ]

    make()
    assert seen() == [["reconciler:address"]]
    make()  # of two that hold an address the newer is meant
    assert seen() == [["reconciler:address"], ["reconciler:address", "by"]]


def test_what_somebody_else_cannot_do_keeps_nobody_from_anything(aws: LocalAws) -> None:
    aws.faults("""
        - {call: CreateVpc, do: {before: [{call: DeleteVpc, with: {VpcId: vpc-12345678}}]}}
        - {call: CreateVpc, do: {before: [{call: CreateVpc, with: {CidrBlock: 7}}]}}
        - {call: ec2:DeleteVpc, do: {fail: Busy}}
    """)
    made = EC2.make()
    assert EC2.ids() == [made]
