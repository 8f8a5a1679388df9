"""What a client of the sandbox's HTTP endpoint relies on."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError

from reconciler.kinds import ALL

from .conftest import AMAZON_LINUX, code
from .serving import Server, command, ready, settled, starting


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all tests: starting one takes longer than they do."""
    folder = tmp_path_factory.mktemp("server")
    with starting(folder, command("--port", "0", "--ready-file", str(folder / "ready"))) as process:
        yield ready(process, folder)


@pytest.fixture
def server(running: Server) -> Server:
    """The server, empty again."""
    connection = running.raw()
    connection.request("POST", "/moto-api/reset")
    assert connection.getresponse().status == 200
    connection.close()
    return running


def test_states_follow_the_real_clock(server: Server) -> None:
    made = server.client("networkmanager").create_global_network()["GlobalNetwork"]
    assert made["State"] == "PENDING"
    assert settled(server, made["GlobalNetworkId"], within=10)


def test_regions_are_apart_in_ec2_and_one_in_network_manager(server: Server) -> None:
    regions = ("us-west-2", "eu-west-1", "ap-southeast-2", "us-gov-west-1")
    made = {
        region: server.client("ec2", region).create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        for region in regions
    }
    for region, vpc in made.items():
        shown = server.client("ec2", region).describe_vpcs()["Vpcs"]
        assert [one["VpcId"] for one in shown if not one["IsDefault"]] == [vpc]
    images = {
        server.client("ssm", region).get_parameter(Name=AMAZON_LINUX)["Parameter"]["Value"]
        for region in regions
    }
    assert len(images) == len(regions)
    network = server.client("networkmanager").create_global_network()["GlobalNetwork"]["GlobalNetworkId"]
    for region in ("us-west-2", "eu-west-1", "ap-southeast-2"):
        shown = server.client("networkmanager", region).describe_global_networks()["GlobalNetworks"]
        assert [one["GlobalNetworkId"] for one in shown] == [network]
    assert server.client("networkmanager", "us-gov-west-1").describe_global_networks()["GlobalNetworks"] == []


def test_the_arns_of_network_manager_in_paths(server: Server) -> None:
    nm = server.client("networkmanager")
    network = nm.create_global_network()["GlobalNetwork"]
    site = nm.create_site(GlobalNetworkId=network["GlobalNetworkId"])["Site"]
    for arn in (network["GlobalNetworkArn"], site["SiteArn"]):
        assert arn.count("/") in (1, 2)
        nm.tag_resource(
            ResourceArn=arn, Tags=[{"Key": "a/b c", "Value": "ü & %2F"}, {"Key": "x", "Value": ""}]
        )
        nm.untag_resource(ResourceArn=arn, TagKeys=["x"])
        assert nm.list_tags_for_resource(ResourceArn=arn)["TagList"] == [{"Key": "a/b c", "Value": "ü & %2F"}]
    nm.untag_resource(ResourceArn=site["SiteArn"], TagKeys=["a/b c"])
    assert nm.list_tags_for_resource(ResourceArn=site["SiteArn"])["TagList"] == []
    assert code(nm.list_tags_for_resource, ResourceArn=site["SiteArn"][:-1] + "_")[1] == 404


def test_pages_and_lists_of_ids_in_query_strings(server: Server) -> None:
    nm = server.client("networkmanager")
    network = nm.create_global_network()["GlobalNetwork"]["GlobalNetworkId"]
    made = [nm.create_site(GlobalNetworkId=network)["Site"]["SiteId"] for _ in range(5)]
    pages = nm.get_paginator("get_sites").paginate(GlobalNetworkId=network, PaginationConfig={"PageSize": 2})
    assert [[one["SiteId"] for one in page["Sites"]] for page in pages] == [made[:2], made[2:4], made[4:]]
    some = nm.get_sites(GlobalNetworkId=network, SiteIds=made[1:3])["Sites"]
    assert [one["SiteId"] for one in some] == made[1:3]


@pytest.mark.parametrize("service", sorted({kind.service for kind in ALL}))
def test_every_service_of_a_kind_is_found_by_its_address(server: Server, service: str) -> None:
    kind = next(kind for kind in ALL if kind.service == service and kind.read.within is None)
    answer = getattr(server.client(service), xform_name(kind.read.operation))(**kind.read.arguments)
    assert kind.read.path.partition(".")[0].partition("[")[0] in answer


@pytest.mark.parametrize(
    ("service", "operation"),
    [
        ("s3", "list_buckets"),
        ("logs", "describe_log_groups"),
        ("cloudwatch", "list_metrics"),
        ("rds", "describe_db_instances"),
        ("ecs", "list_clusters"),
        ("lambda", "list_functions"),
        ("sqs", "list_queues"),
    ],
)
def test_a_service_that_is_not_here_says_so_as_services_do(
    server: Server, service: str, operation: str
) -> None:
    with pytest.raises(ClientError, match="The local AWS has no") as caught:
        getattr(server.client(service), operation)()
    assert caught.value.response["Error"]["Code"] == "UnknownOperationException"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def signed(service: str) -> dict[str, str]:
    scope = f"Credential=AKIDOFNOBODY/20260101/us-west-2/{service}/aws4_request"
    return {"Authorization": f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0"}


FORM = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}


@pytest.mark.parametrize(
    ("method", "path", "headers", "body", "status", "text"),
    [
        ("GET", "/", {}, "", 403, "MissingAuthenticationToken"),
        ("GET", "/moto-api/", {}, "", 403, "MissingAuthenticationToken"),
        ("OPTIONS", "/", {"Origin": "http://evil.example"}, "", 403, "MissingAuthenticationToken"),
        (
            "POST",
            "/",
            {**FORM, **signed("ec2")},
            "Action=NoSuchThing&Version=2016-11-15",
            400,
            "InvalidAction",
        ),
        ("POST", "/", {**FORM, **signed("ec2")}, "", 400, "MissingAction"),
        (
            "POST",
            "/",
            {**FORM, **signed("ec2")},
            "Action=CreateIpam&Version=2016-11-15",
            400,
            "",
        ),
        ("POST", "/", {**FORM, **signed("ec2")}, "Action=DescribeByoipCidrs", 400, "InvalidAction"),
        ("POST", "/", {**FORM, **signed("sts")}, "Action=NoSuchThing", 400, "InvalidAction"),
        ("POST", "/", {**signed("ssm"), "X-Amz-Target": "AmazonSSM.NoSuch"}, "{}", 400, "UnknownOperation"),
        ("GET", "/no/such/path", signed("networkmanager"), "", 400, "UnknownOperation"),
        ("PUT", "/global-networks", signed("networkmanager"), "{}", 400, "UnknownOperation"),
    ],
)
def test_nothing_is_answered_with_a_page(
    server: Server, method: str, path: str, headers: dict[str, str], body: str, status: int, text: str
) -> None:
    connection = server.raw()
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    content = answer.read().decode()
    assert answer.status == status
    assert text in content + str(answer.headers)
    assert "html" not in (content + str(answer.headers)).lower()
    assert int(answer.headers["Content-Length"]) == len(content.encode())
    connection.close()


def test_every_operation_that_moto_lacks_is_a_modelled_error(server: Server) -> None:
    ec2, nm = server.client("ec2"), server.client("networkmanager")
    assert code(lambda: ec2.describe_byoip_cidrs(MaxResults=5)) == ("InvalidAction", 400)
    network = nm.create_global_network()["GlobalNetwork"]["GlobalNetworkId"]
    assert code(nm.create_context_store, GlobalNetworkId=network) == ("ValidationException", 400)


def test_arns_in_paths_are_read_whole(server: Server) -> None:
    nm, ec2 = server.client("networkmanager"), server.client("ec2")
    network = nm.create_global_network()["GlobalNetwork"]
    gateway = ec2.create_transit_gateway()["TransitGateway"]["TransitGatewayId"]
    arn = f"arn:aws:ec2:us-west-2:123456789012:transit-gateway/{gateway}"
    given = {"GlobalNetworkId": network["GlobalNetworkId"], "TransitGatewayArn": arn}
    nm.register_transit_gateway(**given)
    gone = nm.deregister_transit_gateway(**given)["TransitGatewayRegistration"]
    assert gone == {**given, "State": {"Code": "DELETING"}}
    tags = [{"Key": "a", "Value": "b"}]
    nm.tag_resource(ResourceArn=network["GlobalNetworkArn"], Tags=tags)
    assert nm.list_tags_for_resource(ResourceArn=network["GlobalNetworkArn"])["TagList"] == tags


def test_a_connection_stays_open(server: Server) -> None:
    connection = server.raw()
    seen = set()
    for method, path, headers, body, status in (
        ("POST", "/global-networks", signed("networkmanager"), '{"Description": "one"}', 200),
        ("GET", "/global-networks", signed("networkmanager"), "", 200),
        ("POST", "/", {**FORM, **signed("s3")}, "a body that nobody reads" * 1000, 400),
        ("POST", "/global-networks", signed("networkmanager"), "{}", 200),
        ("GET", "/no/such/path", signed("networkmanager"), "", 400),
        ("POST", "/", {**FORM, **signed("ec2")}, "Action=DescribeVpcs&Version=2016-11-15", 200),
    ):
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == status
        assert answer.headers.get("Connection") is None
        assert connection.sock is not None
        seen.add(connection.sock.getsockname())
    assert len(seen) == 1
    connection.request("GET", "/global-networks", headers={**signed("networkmanager"), "Connection": "close"})
    assert len(connection.getresponse().read()) > 2
    connection.close()


def test_a_body_in_chunks(server: Server) -> None:
    connection = server.raw()
    headers = {**signed("networkmanager"), "Content-Type": "application/json"}
    pieces = iter([b'{"Descr', b'iption": "one"}'])
    connection.request("POST", "/global-networks", pieces, headers, encode_chunked=True)
    assert connection.getresponse().read().find(b'"Description": "one"') > 0
    connection.request("GET", "/global-networks", headers=headers)
    assert connection.getresponse().status == 200
    connection.close()


def test_many_clients_at_once(server: Server) -> None:
    threads, each = 8, 6
    nm, ec2 = server.client("networkmanager"), server.client("ec2")
    network = nm.create_global_network()["GlobalNetwork"]["GlobalNetworkId"]
    clients = [(server.client("networkmanager"), server.client("ec2")) for _ in range(threads)]
    together = threading.Barrier(threads)

    def work(number: int) -> tuple[list[str], list[str]]:
        my_nm, my_ec2 = clients[number]
        together.wait(30)
        sites, vpcs = [], []
        for turn in range(each):
            tags = [{"Key": "of", "Value": f"{number}-{turn}"}]
            site = my_nm.create_site(GlobalNetworkId=network, Tags=tags)["Site"]
            specification = [{"ResourceType": "vpc", "Tags": tags}]
            vpc = my_ec2.create_vpc(CidrBlock="10.0.0.0/16", TagSpecifications=specification)["Vpc"]
            my_ec2.create_subnet(VpcId=vpc["VpcId"], CidrBlock="10.0.1.0/24")
            mine = my_ec2.describe_vpcs(Filters=[{"Name": "tag:of", "Values": [f"{number}-{turn}"]}])["Vpcs"]
            assert [one["VpcId"] for one in mine] == [vpc["VpcId"]]
            shown = my_nm.get_sites(GlobalNetworkId=network, SiteIds=[site["SiteId"]])["Sites"]
            assert [one["Tags"] for one in shown] == [tags]
            sites.append(site["SiteId"])
            vpcs.append(vpc["VpcId"])
        return sites, vpcs

    with ThreadPoolExecutor(threads) as pool:
        made = list(pool.map(work, range(threads)))
    sites = {one for some, _ in made for one in some}
    vpcs = {one for _, some in made for one in some}
    assert len(sites) == len(vpcs) == threads * each
    pages = nm.get_paginator("get_sites").paginate(GlobalNetworkId=network)
    assert {one["SiteId"] for page in pages for one in page["Sites"]} == sites
    shown = [page["Vpcs"] for page in ec2.get_paginator("describe_vpcs").paginate()]
    assert {one["VpcId"] for page in shown for one in page if not one["IsDefault"]} == vpcs
    subnets = [page["Subnets"] for page in ec2.get_paginator("describe_subnets").paginate()]
    assert {one["VpcId"] for page in subnets for one in page if not one["DefaultForAz"]} == vpcs


def test_a_launch_from_end_to_end(server: Server) -> None:
    ec2 = server.client("ec2")
    image = server.client("ssm").get_parameter(Name=AMAZON_LINUX)["Parameter"]["Value"]
    given = {"ImageId": image, "InstanceType": "t3.micro", "MinCount": 1, "MaxCount": 1, "ClientToken": "one"}
    made = ec2.run_instances(**given)["Instances"][0]["InstanceId"]
    assert ec2.run_instances(**given)["Instances"][0]["InstanceId"] == made
    ec2.get_waiter("instance_running").wait(InstanceIds=[made], WaiterConfig={"Delay": 1})
    ec2.terminate_instances(InstanceIds=[made])
    ec2.get_waiter("instance_terminated").wait(InstanceIds=[made], WaiterConfig={"Delay": 1})


def test_it_is_silent_and_asks_nobody(server: Server) -> None:
    for _ in range(3):
        server.client("ec2").describe_vpcs()
        server.client("networkmanager").describe_global_networks()
        code(server.client("ec2").describe_vpcs, VpcIds=["vpc-0123456789abcdef0"])
    assert server.said() == ""
    assert server.process.poll() is None
    assert (server.folder / "network-watched").exists()
    assert not (server.folder / "network").exists(), (server.folder / "network").read_text()


def test_conditions_of_dynamodb_hold_over_http(server: Server) -> None:
    """What a lease is made of: of two writers one fails."""
    tables = server.client("dynamodb")
    tables.create_table(
        TableName="leases",
        AttributeDefinitions=[{"AttributeName": "stack", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "stack", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    first = {"stack": {"S": "ai"}, "holder": {"S": "one"}}
    free = {"TableName": "leases", "ConditionExpression": "attribute_not_exists(stack)"}
    tables.put_item(Item=first, **free)
    assert code(tables.put_item, Item={**first, "holder": {"S": "two"}}, **free) == (
        "ConditionalCheckFailedException",
        400,
    )
    found = tables.get_item(TableName="leases", Key={"stack": {"S": "ai"}}, ConsistentRead=True)
    assert found["Item"] == first
