"""Every enabled region is asked through one client, each at its own endpoint; what cannot be asked is named.

The wire tests look at the signed requests; the others at a local AWS that holds things of the stack.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.client import BaseClient
from hypothesis import given
from hypothesis import strategies as st

from reconciler.aws.discover import Discovered, discover
from reconciler.aws.gateway import Gateway
from reconciler.kinds import ALL, BY_NAME
from reconciler.model.calls import Call
from reconciler.model.service import escaped
from reconciler.model.things import Scope
from reconciler.sandbox import Call as Seen
from reconciler.sandbox import LocalAws
from reconciler.sandbox.ec2.filters import matches
from reconciler.sandbox.errors import AwsError as Failure

from .support import ACCOUNT, OTHER, Answer, Request, Wire, ec2, gateway, json_answer, requests

REGIONS = [f"{place}-{n}" for place in ("us-east", "us-west", "eu-west", "ap-south") for n in (1, 2)]
STACK = "ai"
SHARED = "transit-gateway-attachment"
"""The type of things of several kinds."""


@pytest.fixture
def workers() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as executor:
        yield executor


def look(gate: Gateway, executor: ThreadPoolExecutor, *accounts: str, stack: str = STACK) -> Discovered:
    return discover(gate, BY_NAME, stack, frozenset(accounts or (ACCOUNT,)), executor)


# ---- one client, many regions


class Regions:
    """Answers for all regions.  Each holds things of a sort of its own, and answers come when four have asked."""

    def __init__(self) -> None:
        self.together = threading.Barrier(4, timeout=20)
        self.sorts = dict(zip(REGIONS, ("vpc", "subnet", SHARED, "fleet") * 2, strict=True))

    def __call__(self, request: Request) -> Answer:
        if request.form["Action"] == "DescribeRegions":
            items = "".join(f"<item><regionName>{name}</regionName></item>" for name in REGIONS)
            return ec2("DescribeRegions", f"<regionInfo>{items}</regionInfo>")
        self.together.wait()
        sort = self.sorts[request.scope.split("/")[0]]
        item = f"<item><resourceId>x</resourceId><resourceType>{sort}</resourceType></item>"
        if "NextToken" in request.form:
            return ec2("DescribeTags", f"<tagSet>{item}</tagSet>")
        return ec2("DescribeTags", "<nextToken>more</nextToken><tagSet/>")


def everywhere(account: str) -> set[str]:
    """How the kinds are told that live in no region and in no network."""
    return {f"the {kind.name}s of {account}" for kind in ALL if not kind.regional and not kind.read.within}


def iam(request: Request, body: str) -> Answer:
    name = request.form["Action"]
    return Answer(f"<{name}Response><{name}Result>{body}</{name}Result></{name}Response>")


def untagged(gate: Gateway, body: str) -> None:
    """What the Resource Groups Tagging API answers."""
    Wire(lambda _: json_answer(body)).under(gate.sessions.client(ACCOUNT, "resourcegroupstaggingapi"))


def wired(**given: str) -> tuple[Gateway, Wire]:
    gate = gateway(**given)
    manager = gate.sessions.client(ACCOUNT, "networkmanager")
    Wire(
        lambda _: json_answer(
            '{"GlobalNetworks": [], "CoreNetworks": [], "Attachments": [], "ConnectPeers": [], "Peerings": []}'
        )
    ).under(manager)
    Wire(lambda request: iam(request, "<Roles/><InstanceProfiles/>")).under(
        gate.sessions.client(ACCOUNT, "iam")
    )
    Wire(lambda _: json_answer('{"Accelerators": []}')).under(
        gate.sessions.client(ACCOUNT, "globalaccelerator")
    )
    untagged(gate, '{"ResourceTagMappingList": []}')
    zones = "<HostedZones/><Marker/><IsTruncated>false</IsTruncated><MaxItems>100</MaxItems>"
    for service, answer in (
        (
            "autoscaling",
            "<DescribeTagsResponse><DescribeTagsResult><Tags/></DescribeTagsResult></DescribeTagsResponse>",
        ),
        ("route53", f"<ListHostedZonesResponse>{zones}</ListHostedZonesResponse>"),
    ):
        Wire(lambda _, body=answer: Answer(body)).under(gate.sessions.client(ACCOUNT, service))  # type: ignore[misc]
    return gate, Wire(Regions()).under(gate.sessions.client(ACCOUNT, "ec2"))


def test_each_region_is_asked_at_its_own_endpoint_with_its_own_signature(
    keys: None, workers: ThreadPoolExecutor
) -> None:
    """Four requests are under way at any time, so what belongs to one must not be seen by another."""
    gate, wire = wired()
    found = look(gate, workers)
    asked = [request for request in wire.requests if request.form["Action"] == "DescribeTags"]
    assert sorted((request.host, request.scope) for request in asked) == sorted(
        [(f"https://ec2.{region}.amazonaws.com", f"{region}/ec2") for region in REGIONS] * 2
    )
    assert found.scopes == {
        Scope(kind.name, ACCOUNT, region)
        for region, sort in Regions().sorts.items()
        for kind in ALL
        if kind.tag_type == sort
    }  # a fleet is no kind of ours
    assert {scope.kind for scope in found.scopes} >= {
        "transit-gateway-vpc-attachment",
        "transit-gateway-connect",
    }
    assert (found.unread, found.parents) == ({}, frozenset())


def test_every_page_of_a_region_comes_from_that_region(keys: None, workers: ThreadPoolExecutor) -> None:
    gate, wire = wired()
    look(gate, workers)
    second = [request.scope for request in wire.requests if "NextToken" in request.form]
    assert sorted(second) == sorted(f"{region}/ec2" for region in REGIONS)


def test_a_given_endpoint_stays_and_only_the_signature_turns(keys: None, workers: ThreadPoolExecutor) -> None:
    gate, wire = wired(endpoint_url="http://127.0.0.1:1")
    look(gate, workers)
    assert {request.host for request in wire.requests} == {"http://127.0.0.1:1"}
    scopes = {request.scope for request in wire.requests if request.form["Action"] == "DescribeTags"}
    assert scopes == {f"{region}/ec2" for region in REGIONS}


@pytest.mark.parametrize(
    ("region", "lacking"),
    [
        ("us-west-2", set()),
        ("us-gov-west-1", {"globalaccelerator"}),
        ("cn-north-1", {"globalaccelerator", "networkmanager"}),
    ],
)
def test_no_service_is_asked_that_the_partition_lacks(
    keys: None, workers: ThreadPoolExecutor, region: str, lacking: set[str]
) -> None:
    gate = gateway(region=region)
    services = {kind.service for kind in ALL if not kind.regional}
    wires = {
        service: Wire(lambda _: Answer("", 403)).under(gate.sessions.client(ACCOUNT, service))
        for service in (*services, "ec2", "autoscaling", "resourcegroupstaggingapi")
    }
    look(gate, workers)
    assert {service for service in services if not wires[service].requests} == lacking


def test_no_further_client_is_made(keys: None, workers: ThreadPoolExecutor) -> None:
    gate, _ = wired()
    before = clients()
    look(gate, workers)
    look(gate, workers)
    assert clients() == before


def clients() -> int:
    gc.collect()
    return sum(isinstance(found, BaseClient) for found in gc.get_objects())


def test_the_shared_client_goes_on_asking_its_own_region(keys: None, workers: ThreadPoolExecutor) -> None:
    """In the threads that have asked other regions, too."""
    gate, wire = wired()
    look(gate, workers)
    look(gate, workers)
    client, together = gate.sessions.client(ACCOUNT, "ec2"), threading.Barrier(4, timeout=20)

    def ask(_: int) -> None:
        together.wait()
        client.describe_regions()

    before = len(wire.requests)
    list(workers.map(ask, range(4)))
    asked = {(request.host, request.scope) for request in wire.requests[before:]}
    assert asked == {("https://ec2.us-west-2.amazonaws.com", "us-west-2/ec2")}


def test_what_is_asked(keys: None, workers: ThreadPoolExecutor) -> None:
    gate, wire = wired()
    look(gate, workers)
    asked = next(request for request in wire.requests if request.form["Action"] == "DescribeTags").form
    assert {name: value for name, value in asked.items() if name not in {"Action", "Version"}} == {
        "Filter.1.Name": "key",
        "Filter.1.Value.1": "reconciler:stack",
        "Filter.2.Name": "value",
        "Filter.2.Value.1": STACK,
        "MaxResults": "1000",
    }


# ---- the value of a filter


@given(st.text(alphabet="ab*?\\.", max_size=8), st.text(alphabet="ab*?\\.", max_size=8))
def test_a_stack_finds_its_own_name_and_no_other(name: str, other: str) -> None:
    assert matches(escaped(name), other) is (name == other)


def test_wildcards_are_escaped() -> None:
    assert escaped(r"a*b?c\d") == r"a\*b\?c\\d"


# ---- what is found


def tags(stack: str) -> list[dict[str, str]]:
    return [{"Key": "reconciler:stack", "Value": stack}]


def make_vpc(gate: Gateway, region: str, stack: str = STACK, account: str = ACCOUNT) -> None:
    given = {"TagSpecifications": [{"ResourceType": "vpc", "Tags": tags(stack)}], "CidrBlock": "10.0.0.0/16"}
    call = Call(service="ec2", operation="CreateVpc", parameters=given, account=account, region=region)
    gate.perform(call)


def make_network(gate: Gateway, stack: str = STACK) -> str:
    call = Call(
        service="networkmanager",
        operation="CreateGlobalNetwork",
        parameters={"Tags": tags(stack)},
        account=ACCOUNT,
    )
    return str(gate.perform(call)["GlobalNetwork"]["GlobalNetworkId"])


def make_site(gate: Gateway, network: str, stack: str = STACK) -> None:
    given = {"GlobalNetworkId": network, "Tags": tags(stack)}
    gate.perform(Call(service="networkmanager", operation="CreateSite", parameters=given, account=ACCOUNT))


def test_things_of_the_stack_are_found_wherever_they_are(aws: LocalAws, workers: ThreadPoolExecutor) -> None:
    gate = gateway(accounts={"other": OTHER})
    make_vpc(gate, "eu-west-1")
    make_vpc(gate, "ap-south-1", stack="another")
    make_vpc(gate, "us-east-1", stack="ai-too")
    make_vpc(gate, "us-east-2", account=OTHER.id)
    ours, theirs, _ = make_network(gate), make_network(gate, "another"), make_network(gate, "another")
    make_site(gate, theirs)
    make_site(gate, ours, "another")
    found = look(gate, workers, ACCOUNT, OTHER.id)
    assert found.scopes == {
        Scope("vpc", ACCOUNT, "eu-west-1"),
        Scope("vpc", OTHER.id, "us-east-2"),
        Scope("global-network", ACCOUNT, ""),
        Scope("site", ACCOUNT, ""),
    }
    assert found.parents == {(Scope("global-network", ACCOUNT, ""), theirs)}
    assert (found.unread, found.denied) == ({}, frozenset())


def test_the_more_than_one_page_of_a_region_is_read(aws: LocalAws, workers: ThreadPoolExecutor) -> None:
    """Three at a time: the subnet's tag is on the second page."""
    gate = gateway()
    for _ in range(3):
        make_vpc(gate, "eu-west-1")
    far = gate.sessions.client(ACCOUNT, "ec2", "eu-west-1")
    vpc = far.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["false"]}])["Vpcs"][0]
    far.create_subnet(
        VpcId=vpc["VpcId"],
        CidrBlock="10.0.0.0/24",
        TagSpecifications=[{"ResourceType": "subnet", "Tags": tags(STACK)}],
    )
    found = look(gate, workers)
    assert found.scopes == {Scope("vpc", ACCOUNT, "eu-west-1"), Scope("subnet", ACCOUNT, "eu-west-1")}


def balancing(gate: Gateway, operation: str, **given: Any) -> str:
    """Something of Elastic Load Balancing in a far region; gives its ARN."""
    call = Call(service="elbv2", operation=operation, parameters=given, account=ACCOUNT, region="eu-west-1")
    (made,) = next(iter(gate.perform(call).values()))
    return str(
        next(value for name, value in made.items() if name == f"{operation.removeprefix('Create')}Arn")
    )


def test_load_balancing_is_found_in_each_region_and_a_listener_on_somebody_elses_load_balancer(
    aws: LocalAws, workers: ThreadPoolExecutor
) -> None:
    gate = gateway()
    far = gate.sessions.client(ACCOUNT, "ec2", "eu-west-1")
    vpc = far.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = far.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    near = {"Type": "network", "Scheme": "internal", "Subnets": [subnet]}
    theirs = balancing(gate, "CreateLoadBalancer", Name="theirs", Tags=tags("another"), **near)
    group = balancing(gate, "CreateTargetGroup", Name="x", Protocol="TCP", Port=80, VpcId=vpc)
    assert look(gate, workers).scopes == set()
    actions = [{"Type": "forward", "TargetGroupArn": group}]
    listener = {"LoadBalancerArn": theirs, "Protocol": "TCP", "Port": 80, "DefaultActions": actions}
    balancing(gate, "CreateListener", Tags=tags(STACK), **listener)
    found = look(gate, workers)
    assert found.scopes == {Scope("listener", ACCOUNT, "eu-west-1")}
    assert found.parents == {(Scope("load-balancer", ACCOUNT, "eu-west-1"), theirs)}
    assert found.unread == {}


def test_where_one_list_cannot_be_asked_the_kinds_of_its_services_alone_are_doubtful(
    aws: LocalAws, workers: ThreadPoolExecutor
) -> None:
    gate = gateway()
    fail_in(aws, "eu-west-1", "AccessDeniedException", "GetResources")
    found = look(gate, workers)
    assert found.unread.keys() == found.denied == {f"eu-west-1 of {ACCOUNT}"}
    assert "tag" in found.unread[f"eu-west-1 of {ACCOUNT}"]
    named = {Scope("vpc", ACCOUNT, "eu-west-1")}
    doubtful = {scope.kind for scope in found.doubtful(BY_NAME, named)}
    assert doubtful == {kind.name for kind in ALL if kind.service in {"eks", "elbv2"}}


# ---- what cannot be asked


def fail_in(aws: LocalAws, region: str, code: str, operation: str = "DescribeTags") -> None:
    """Have an operation fail in one region, always."""

    def hook(moment: str, call: Seen) -> None:
        if moment == "before" and (call.operation, call.region) == (operation, region):
            raise Failure(code, "so it says")

    aws.on_call.append(hook)


def test_a_region_that_cannot_be_asked_is_named_and_the_others_are_found(
    aws: LocalAws, workers: ThreadPoolExecutor
) -> None:
    gate = gateway()
    make_vpc(gate, "eu-west-1")
    make_vpc(gate, "eu-west-2")
    fail_in(aws, "eu-west-1", "InternalError")
    fail_in(aws, "us-east-1", "UnauthorizedOperation")
    found = look(gate, workers)
    assert found.scopes == {Scope("vpc", ACCOUNT, "eu-west-2")}
    assert found.unread.keys() == {f"eu-west-1 of {ACCOUNT}", f"us-east-1 of {ACCOUNT}"}
    assert "InternalError: so it says" in found.unread[f"eu-west-1 of {ACCOUNT}"]
    assert found.denied == {f"us-east-1 of {ACCOUNT}"}


def test_an_answer_without_its_list_is_no_empty_region(keys: None, workers: ThreadPoolExecutor) -> None:
    def answer(request: Request) -> Answer:
        if request.form["Action"] == "DescribeRegions":
            items = "<item><regionName>eu-west-1</regionName></item>"
            return ec2("DescribeRegions", f"<regionInfo>{items}</regionInfo>")
        return ec2("DescribeTags", "")

    gate = gateway()
    Wire(lambda _: json_answer("{}")).under(gate.sessions.client(ACCOUNT, "networkmanager"))
    Wire(lambda request: iam(request, "")).under(gate.sessions.client(ACCOUNT, "iam"))
    untagged(gate, "{}")
    Wire(answer).under(gate.sessions.client(ACCOUNT, "ec2"))
    found = look(gate, workers)
    assert found.unread.keys() == {f"eu-west-1 of {ACCOUNT}", *everywhere(ACCOUNT)}
    assert found.denied == frozenset()


def test_an_account_whose_regions_cannot_be_listed_is_named(
    aws: LocalAws, workers: ThreadPoolExecutor
) -> None:
    gate = gateway(accounts={"other": OTHER})
    make_vpc(gate, "eu-west-1", account=OTHER.id)
    aws.clear_calls()
    aws.fail("ec2", "DescribeRegions", code="UnauthorizedOperation")
    found = look(gate, workers, ACCOUNT, OTHER.id)
    assert found.unread.keys() == found.denied == {f"the regions of {ACCOUNT}"}
    assert found.scopes == {Scope("vpc", OTHER.id, "eu-west-1")}


def test_an_account_that_cannot_be_entered_is_named(aws: LocalAws, workers: ThreadPoolExecutor) -> None:
    gate = gateway(accounts={"other": OTHER})
    aws.fail("sts", "AssumeRole", code="AccessDenied", status=403, times=99)
    found = look(gate, workers, OTHER.id)
    assert found.unread.keys() == {f"the regions of {OTHER.id}", *everywhere(OTHER.id)}
    assert found.denied == found.unread.keys()


def test_one_network_that_cannot_be_read_hides_no_other(aws: LocalAws, workers: ThreadPoolExecutor) -> None:
    gate = gateway()
    first, second = make_network(gate, "another"), make_network(gate, "another")
    make_site(gate, first)
    make_site(gate, second)
    aws.fail("networkmanager", "GetSites", code="AccessDeniedException")
    found = look(gate, workers)
    assert found.unread.keys() == found.denied == {f"the sites in {first} of {ACCOUNT}"}
    assert found.parents == {(Scope("global-network", ACCOUNT, ""), second)}


def test_a_network_that_vanishes_while_it_is_looked_into_is_nothing_amiss(
    aws: LocalAws, workers: ThreadPoolExecutor
) -> None:
    gate = gateway()
    make_network(gate)
    fields = [{"Name": "globalNetworkId", "Message": "Global network not found."}]
    aws.fail("networkmanager", "GetSites", code="ValidationException", Fields=fields)
    found = look(gate, workers)
    here = {Scope(kind, ACCOUNT, "") for kind in ("global-network", "site")}
    assert found.scopes == here  # the look finds out
    assert found.parents == set()
    assert found.unread == {}


def test_a_region_that_is_cut_off_is_asked_again(aws: LocalAws, workers: ThreadPoolExecutor) -> None:
    gate = gateway()
    make_vpc(gate, "eu-west-1")
    aws.truncate("ec2", "DescribeTags", times=2)
    found = look(gate, workers)
    assert found.scopes == {Scope("vpc", ACCOUNT, "eu-west-1")}
    assert found.unread == {}
    asked = [call.region for call in requests(aws, "DescribeTags") if call.service == "ec2"]
    assert len(asked) == len(set(asked)) + 2
