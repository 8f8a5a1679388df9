"""What is read is read to its end or not at all; what creates is sent once; every request is counted.

Faults are the local AWS's, or come from a wire that answers from a script.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import boto3
import botocore.session
import pytest
from botocore import xform_name

from reconciler.aws.gateway import Gateway, by_hand
from reconciler.errors import AwsError, Denied, Exhausted, Gone, Lost, NotYet, Refused, Throttled
from reconciler.kinds import ALL
from reconciler.model.calls import Call
from reconciler.model.things import Parameter, Text
from reconciler.sandbox import LocalAws

from .support import ACCOUNT, Answer, count, ec2, gateway, json_answer, requests, script

AMAZON_LINUX = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"


def call(operation: str, *, creates: bool = False, region: str = "us-west-2", **parameters: Any) -> Call:
    """A call of EC2."""
    return Call(
        service="ec2",
        operation=operation,
        parameters=parameters,
        account=ACCOUNT,
        region=region,
        creates=creates,
    )


CREATE_NETWORK = Call(
    service="networkmanager", operation="CreateGlobalNetwork", parameters={}, account=ACCOUNT, creates=True
)


def listed(
    gate: Gateway,
    operation: str,
    path: str,
    parameters: Mapping[str, Any] | None = None,
    *,
    service: str = "ec2",
    page: int | None = -1,
) -> list[Any]:
    """All rows of a list, in the largest pages that the service allows unless `page` says otherwise."""
    region = "us-west-2" if service == "ec2" else ""
    largest = 1000 if service == "ec2" else 500
    return list(
        gate.rows(
            account=ACCOUNT,
            region=region,
            service=service,
            operation=operation,
            path=path,
            parameters=parameters or {},
            page=largest if page == -1 else page,
        )
    )


def networks(gate: Gateway) -> list[str]:
    rows = listed(gate, "DescribeGlobalNetworks", "GlobalNetworks", service="networkmanager")
    return [row["GlobalNetworkId"] for row in rows]


# ---- reading to the end


def test_pages_are_followed_to_the_end_and_asked_for_as_large_as_can_be(aws: LocalAws) -> None:
    gate = gateway()
    made = [gate.perform(call("CreateVpc", CidrBlock=f"10.{n}.0.0/16"))["Vpc"]["VpcId"] for n in range(7)]
    aws.clear_calls()
    found = listed(gate, "DescribeVpcs", "Vpcs", {"Filters": [{"Name": "is-default", "Values": ["false"]}]})
    assert [row["VpcId"] for row in found] == made
    pages = requests(aws, "DescribeVpcs")
    assert len(pages) == 3  # the local AWS gives three at a time, whatever it is asked for
    assert {page.parameters["MaxResults"] for page in pages} == {1000}
    assert gate.counts["DescribeVpcs"] == 3


def test_rows_inside_rows_are_all_found(aws: LocalAws) -> None:
    gate = gateway()
    image = gate.parameter(ACCOUNT, "us-west-2", AMAZON_LINUX)
    for number in (2, 1, 3):
        gate.perform(
            call("RunInstances", ImageId=image, InstanceType="t2.micro", MinCount=number, MaxCount=number)
        )
    assert len(listed(gate, "DescribeInstances", "Reservations[].Instances[]")) == 6


def test_a_list_that_is_asked_without_a_page_size_is_still_read_whole(aws: LocalAws) -> None:
    """EC2 takes no MaxResults together with ids, and may answer in pages all the same."""
    gate = gateway()
    ids = [gate.perform(call("CreateVpc", CidrBlock="10.0.0.0/16"))["Vpc"]["VpcId"] for _ in range(4)]
    aws.clear_calls()
    found = listed(gate, "DescribeVpcs", "Vpcs", {"VpcIds": ids}, page=None)
    assert [row["VpcId"] for row in found] == ids
    assert all("MaxResults" not in asked.parameters for asked in requests(aws, "DescribeVpcs"))


def test_a_list_that_has_more_and_no_way_to_ask_for_it_is_not_whole(keys: None) -> None:
    gate = gateway()
    half = "<stsToken/><nextToken>abc</nextToken><stateReason/>"
    page = ec2("DescribeFleetInstances", f"<activeInstanceSet/>{half}")
    script(page, page).under(gate.sessions.client(ACCOUNT, "ec2", "us-west-2"))
    with pytest.raises(Lost, match="not the whole list"):
        listed(gate, "DescribeFleetInstances", "ActiveInstances", {"FleetId": "fleet-1"})


def test_pages_that_the_sdk_does_not_follow_are_followed(keys: None) -> None:
    gate = gateway()
    first, second = (f"<member><InstanceRefreshId>{id}</InstanceRefreshId></member>" for id in "ab")
    answers = [
        f"<InstanceRefreshes>{first}</InstanceRefreshes><NextToken>t</NextToken>",
        f"<InstanceRefreshes>{second}</InstanceRefreshes>",
    ]
    name = "DescribeInstanceRefreshes"
    wire = script(
        *(Answer(f"<{name}Response><{name}Result>{one}</{name}Result></{name}Response>") for one in answers)
    )
    wire.under(gate.sessions.client(ACCOUNT, "autoscaling", "us-west-2"))
    group = {"AutoScalingGroupName": "web"}
    found = listed(gate, name, "InstanceRefreshes", group, service="autoscaling", page=100)
    assert [row["InstanceRefreshId"] for row in found] == ["a", "b"]
    asked = [(request.form["MaxRecords"], request.form.get("NextToken")) for request in wire.requests]
    assert asked == [("100", None), ("100", "t")]


def test_pages_of_network_manager_are_followed_too(keys: None) -> None:
    gate = gateway()
    wire = script(
        json_answer('{"GlobalNetworks": [{"GlobalNetworkId": "a"}], "NextToken": "t1"}'),
        json_answer('{"GlobalNetworks": [], "NextToken": "t2"}'),  # a page may be empty and not the last
        json_answer('{"GlobalNetworks": [{"GlobalNetworkId": "b"}]}'),
    ).under(gate.sessions.client(ACCOUNT, "networkmanager"))
    assert networks(gate) == ["a", "b"]
    queries = [request.url.split("?")[1] for request in wire.requests]
    assert queries == ["maxResults=500", "maxResults=500&nextToken=t1", "maxResults=500&nextToken=t2"]


def test_pages_that_go_in_a_circle_are_not_read_for_ever(keys: None) -> None:
    gate = gateway()
    page = json_answer('{"GlobalNetworks": [], "NextToken": "same"}')
    script(page, page, page).under(gate.sessions.client(ACCOUNT, "networkmanager"))
    with pytest.raises(Lost):
        networks(gate)


@pytest.mark.parametrize(
    "body", ["{}", "", '{"GlobalNetworks": [{"GlobalNetworkId": "a"}, {"Glob', '{"GlobalNetworks": null}']
)
def test_an_answer_without_its_list_is_lost_and_never_empty(keys: None, body: str) -> None:
    """The length is right, so nobody but the reader of the list can notice."""
    gate = gateway()
    script(json_answer(body)).under(gate.sessions.client(ACCOUNT, "networkmanager"))
    with pytest.raises(Lost) as caught:
        networks(gate)
    assert (caught.value.code, caught.value.call) == (
        "IncompleteAnswer",
        "networkmanager:DescribeGlobalNetworks",
    )


def test_a_later_page_without_its_list_spoils_the_whole(keys: None) -> None:
    gate = gateway()
    first = json_answer('{"GlobalNetworks": [{"GlobalNetworkId": "a"}], "NextToken": "t"}')
    script(first, json_answer("{}")).under(gate.sessions.client(ACCOUNT, "networkmanager"))
    with pytest.raises(Lost):
        networks(gate)


@pytest.mark.parametrize(
    ("path", "inside"), [("Vpcs", ""), ("Reservations[].Instances[]", ""), ("Vpcs", "<vpcSe/>")]
)
def test_the_same_goes_for_ec2(keys: None, path: str, inside: str) -> None:
    gate = gateway()
    operation = "DescribeVpcs" if path == "Vpcs" else "DescribeInstances"
    script(ec2(operation, inside)).under(gate.sessions.client(ACCOUNT, "ec2", "us-west-2"))
    with pytest.raises(Lost, match="no " + path.partition("[")[0]):
        listed(gate, operation, path)


def test_a_list_that_is_empty_is_empty(keys: None) -> None:
    gate = gateway()
    script(ec2("DescribeVpcs", "<vpcSet/>")).under(gate.sessions.client(ACCOUNT, "ec2", "us-west-2"))
    assert listed(gate, "DescribeVpcs", "Vpcs") == []


@pytest.mark.parametrize("body", ["<html>Access denied</html", "no XML at all", b"\xff\xfe\x00"])
def test_an_answer_that_is_none_of_awss_is_lost(keys: None, body: str | bytes) -> None:
    gate = gateway()
    script(Answer(body)).under(gate.sessions.client(ACCOUNT, "ec2", "us-west-2"))
    with pytest.raises(Lost):
        listed(gate, "DescribeVpcs", "Vpcs")
    script(Answer(body, content_type="application/json")).under(
        gate.sessions.client(ACCOUNT, "networkmanager")
    )
    with pytest.raises(Lost):
        networks(gate)


# ---- answers that were cut off


READS = [
    ("ec2", "DescribeVpcs", "Vpcs"),
    ("ec2", "DescribeInstances", "Reservations[].Instances[]"),
    ("networkmanager", "DescribeGlobalNetworks", "GlobalNetworks"),
]


@pytest.mark.parametrize(("service", "operation", "path"), READS)
def test_a_cut_answer_is_asked_for_again(aws: LocalAws, service: str, operation: str, path: str) -> None:
    gate = gateway()
    gate.perform(CREATE_NETWORK)
    whole = listed(gate, operation, path, service=service)
    aws.clear_calls()
    aws.truncate(service, operation, times=2)
    assert listed(gate, operation, path, service=service) == whole
    assert count(aws, operation) == 3


@pytest.mark.parametrize(("service", "operation", "path"), READS)
def test_an_answer_that_stays_cut_is_lost(aws: LocalAws, service: str, operation: str, path: str) -> None:
    gate = gateway()
    gate.perform(CREATE_NETWORK)
    aws.clear_calls()
    aws.truncate(service, operation, times=9)
    with pytest.raises(Lost) as caught:
        listed(gate, operation, path, service=service)
    assert caught.value.code == "IncompleteReadError"
    assert count(aws, operation) == 3


@pytest.mark.parametrize(
    "cut", ['{"GlobalNetworks": [{"Description": "München', '{"GlobalNetworks": [', '{"GlobalNetworks": []}']
)
def test_wherever_it_was_cut(keys: None, cut: str) -> None:
    """Within a letter, within the list, and where nothing but the length tells."""
    body = cut.encode()[: len(cut.encode()) - (4 if "München" in cut else 0)]
    gate = gateway()
    script(*[Answer(body, length=1000, content_type="application/json")] * 3).under(
        gate.sessions.client(ACCOUNT, "networkmanager")
    )
    with pytest.raises(Lost) as caught:
        networks(gate)
    assert caught.value.code == "IncompleteReadError"


def test_a_creation_whose_answer_is_cut_is_lost_and_not_sent_again(aws: LocalAws) -> None:
    gate = gateway()
    aws.truncate("networkmanager", "CreateGlobalNetwork", times=9)
    with pytest.raises(Lost):
        gate.perform(CREATE_NETWORK)
    aws.truncate("ec2", "CreateVpc", times=9)
    with pytest.raises(Lost):
        gate.perform(call("CreateVpc", creates=True, CidrBlock="10.0.0.0/16"))
    assert (count(aws, "CreateGlobalNetwork"), count(aws, "CreateVpc")) == (1, 1)


# ---- once, or again


FAULTS: list[tuple[str, int, type[AwsError]]] = [
    ("InternalError", 500, Lost),
    ("Unavailable", 503, Lost),
    ("RequestLimitExceeded", 503, Throttled),
    ("Throttling", 400, Throttled),
    ("InsufficientInstanceCapacity", 500, Exhausted),
]


@pytest.mark.parametrize(("code", "status", "sort"), FAULTS)
def test_what_creates_is_sent_once(aws: LocalAws, code: str, status: int, sort: type[AwsError]) -> None:
    gate = gateway()
    aws.fail("ec2", "CreateVpc", code=code, status=status, times=9)
    with pytest.raises(sort):
        gate.perform(call("CreateVpc", creates=True, CidrBlock="10.0.0.0/16"))
    aws.fail("networkmanager", "CreateGlobalNetwork", code=code, status=status, times=9)
    with pytest.raises(sort):
        gate.perform(CREATE_NETWORK)
    assert (count(aws, "CreateVpc"), count(aws, "CreateGlobalNetwork")) == (1, 1)
    assert gate.counts["write"] == 2


@pytest.mark.parametrize("fault", ["drop", "lose_answer"])
def test_what_creates_is_sent_once_when_the_connection_breaks(aws: LocalAws, fault: str) -> None:
    gate = gateway()
    getattr(aws, fault)("networkmanager", "CreateGlobalNetwork", times=9)
    with pytest.raises(Lost):
        gate.perform(CREATE_NETWORK)
    assert count(aws, "CreateGlobalNetwork") == 1
    aws.clear_faults()
    assert len(networks(gate)) == (1 if fault == "lose_answer" else 0)


def test_what_does_not_create_is_tried_three_times_by_the_sdk(aws: LocalAws) -> None:
    gate = gateway()
    vpc = gate.perform(call("CreateVpc", creates=True, CidrBlock="10.0.0.0/16"))["Vpc"]["VpcId"]
    aws.fail("ec2", "DescribeVpcs", code="InternalError", status=500, times=2)
    assert listed(gate, "DescribeVpcs", "Vpcs")
    aws.drop("ec2", "DeleteVpc", times=2)
    gate.perform(call("DeleteVpc", VpcId=vpc))
    assert (count(aws, "DescribeVpcs"), count(aws, "DeleteVpc")) == (3, 3)
    aws.clear_calls()
    aws.fail("ec2", "DescribeVpcs", code="InternalError", status=500, times=9)
    with pytest.raises(Lost):
        listed(gate, "DescribeVpcs", "Vpcs")
    assert count(aws, "DescribeVpcs") == 3


# ---- meanings, on the wire


def test_the_three_faces_of_not_found(aws: LocalAws) -> None:
    gate = gateway()
    network = gate.perform(CREATE_NETWORK)["GlobalNetwork"]["GlobalNetworkId"]

    def sites(network: str, *ids: str) -> list[Any]:
        parameters = {"GlobalNetworkId": network, "SiteIds": list(ids)}
        return listed(gate, "GetSites", "Sites", parameters, service="networkmanager")

    def perform(operation: str, creates: bool, **parameters: str) -> None:
        made = Call(
            service="networkmanager",
            operation=operation,
            parameters=parameters,
            account=ACCOUNT,
            creates=creates,
        )
        gate.perform(made)

    unknown = "global-network-0123456789abcdef0"
    with pytest.raises(Gone, match="Global network not found"):
        sites(unknown)
    with pytest.raises(NotYet, match="Global network not found"):
        perform("CreateSite", True, GlobalNetworkId=unknown)
    assert sites(network, "site-0123456789abcdef0") == []
    with pytest.raises(Gone) as caught:
        perform("DeleteSite", False, GlobalNetworkId=network, SiteId="site-0123456789abcdef0")
    assert caught.value.code == "ResourceNotFoundException"
    assert caught.value.request_id
    with pytest.raises(Gone) as caught:
        gate.perform(call("DeleteVpc", VpcId="vpc-0123456789abcdef0"))
    assert caught.value.call == "ec2:DeleteVpc"
    assert caught.value.request_id


def test_what_may_not_be_read_is_denied_and_not_empty(aws: LocalAws) -> None:
    gate = gateway()
    aws.fail("ec2", "DescribeVpcs", code="UnauthorizedOperation", message="You are not authorized", times=9)
    with pytest.raises(Denied):
        listed(gate, "DescribeVpcs", "Vpcs")
    assert count(aws, "DescribeVpcs") == 1


def test_a_client_that_cannot_be_made_is_told_like_any_failure(keys: None) -> None:
    gate = gateway(endpoint_url="no URL")
    with pytest.raises(Refused, match="endpoint-url"):
        listed(gate, "DescribeVpcs", "Vpcs")
    with pytest.raises(Refused, match="region"):
        gateway().perform(call("DeleteVpc", region="us west", VpcId="vpc-1"))


# ---- what is counted, what is read in between


def test_requests_are_counted_by_sort_and_by_operation(aws: LocalAws) -> None:
    gate = gateway()
    gate.perform(call("CreateVpc", CidrBlock="10.0.0.0/16"))
    listed(gate, "DescribeVpcs", "Vpcs")
    with pytest.raises(Gone):
        gate.perform(call("DeleteVpc", VpcId="vpc-0123456789abcdef0"))
    aws.fail("ec2", "DescribeSubnets", code="UnauthorizedOperation")
    with pytest.raises(Denied):
        listed(gate, "DescribeSubnets", "Subnets")
    assert gate.counts == {
        "CreateVpc": 1, "DeleteVpc": 1, "write": 2, "DescribeVpcs": 1, "DescribeSubnets": 1, "read": 2,
    }  # fmt: skip


def test_parameters_of_ssm_are_read_in_the_region_of_the_call(aws: LocalAws) -> None:
    gate = gateway()
    parameters = {
        "ImageId": Parameter(AMAZON_LINUX),
        "InstanceType": "t2.micro",
        "MinCount": 1,
        "MaxCount": 1,
    }
    tags = [{"Key": "image", "Value": Text(("from ", Parameter(AMAZON_LINUX)))}]
    given = {"TagSpecifications": [{"ResourceType": "instance", "Tags": tags}]}
    images = {}
    for region in ("us-west-2", "eu-west-1"):
        made = gate.perform(call("RunInstances", creates=True, region=region, **parameters, **given))
        images[region] = made["Instances"][0]["ImageId"]
        assert made["Instances"][0]["Tags"] == [{"Key": "image", "Value": f"from {images[region]}"}]
    assert images["us-west-2"] != images["eu-west-1"]
    asked = requests(aws, "GetParameter")
    assert [one.region for one in asked] == ["us-west-2"] * 2 + ["eu-west-1"] * 2
    assert gate.counts["GetParameter"] == 4


def test_a_parameter_that_does_not_exist_is_a_mistake_of_the_config(aws: LocalAws) -> None:
    gate = gateway()
    with pytest.raises(Refused, match="/aws/service/nothing"):
        gate.perform(call("RunInstances", creates=True, ImageId=Parameter("/aws/service/nothing")))
    assert count(aws, "RunInstances") == 0


LISTS = sorted(
    {
        (kind.service, what.operation)
        for kind in ALL
        for what in (kind.read, *kind.read.details, *kind.read.companions)
    }
)


def test_a_list_is_turned_by_hand_where_the_sdk_would_do_no_more() -> None:
    loader, found = botocore.session.get_session().get_component("data_loader"), Counter[str | None]()
    for service, operation in LISTS:
        client: Any = boto3.client(  # type: ignore[call-overload]
            service, "us-west-2", aws_access_key_id="x", aws_secret_access_key="x"
        )
        method = xform_name(operation)
        size = by_hand(client, method, operation)
        found[size] += 1
        if size is None or not client.can_paginate(method):
            continue
        told = loader.load_service_model(service, "paginators-1")["pagination"][operation]
        assert told["input_token"] == told["output_token"] == "NextToken", operation
        assert told["limit_key"] == size, operation
        assert "more_results" not in told, operation
    assert found["MaxResults"] > found[None], "most lists are so"
