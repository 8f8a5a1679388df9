"""Where we ask, and how: clients, regions, partitions, endpoints, answers that come whole."""

from __future__ import annotations

import gc
import threading
from typing import Any

import pytest
from botocore.client import BaseClient

from reconciler.aws.gateway import Gateway
from reconciler.errors import Lost, NoCredentials, ReconcilerError, Refused
from reconciler.sandbox import LocalAws

from .support import ACCOUNT, OTHER, Answer, ec2, json_answer, script, server, sessions


def built() -> int:
    """How many clients there are in this process."""
    gc.collect()
    return sum(isinstance(found, BaseClient) for found in gc.get_objects())


# ---- clients


def test_there_is_one_client_for_each_account_service_and_region(keys: None) -> None:
    made = sessions(accounts={"other": OTHER})
    one = made.client(ACCOUNT, "ec2", "us-west-2")
    before = built()
    assert made.client(ACCOUNT, "ec2", "us-west-2") is one
    assert made.client(ACCOUNT, "ec2") is one  # no region: the config's
    assert built() == before
    others = [
        made.client(ACCOUNT, "ec2", "eu-west-1"),
        made.client(ACCOUNT, "ssm", "us-west-2"),
        made.client(OTHER.id, "ec2", "us-west-2"),
        made.client(ACCOUNT, "ec2", "us-west-2", retries=False),
    ]
    assert len({id(client) for client in (one, *others)}) == 5
    assert built() == before + 4


def test_clients_are_made_once_when_many_threads_ask(keys: None) -> None:
    made = sessions()
    before = built()
    found: list[Any] = []
    threads = [
        threading.Thread(target=lambda: found.append(made.client(ACCOUNT, "ec2", "eu-west-1")))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(client) for client in found}) == 1
    assert built() == before + 1


@pytest.mark.parametrize(("retries", "attempts"), [(True, 3), (False, 1)])
@pytest.mark.parametrize("service", ["ec2", "networkmanager", "ssm", "sts"])
def test_how_often_and_how_long_a_client_tries(
    keys: None, service: str, retries: bool, attempts: int
) -> None:
    config = sessions().client(ACCOUNT, service, retries=retries).meta.config
    assert config.retries == {"mode": "standard", "total_max_attempts": attempts}
    assert (config.connect_timeout, config.read_timeout, config.max_pool_connections) == (5, 30, 32)
    assert "reconciler/" in config.user_agent_extra


def test_who_cannot_wait_does_not(keys: None) -> None:
    made = sessions()
    config = made.client(ACCOUNT, "dynamodb", retries=False, quick=True).meta.config
    assert (config.connect_timeout, config.read_timeout) == (2, 2)
    assert made.client(ACCOUNT, "dynamodb", retries=False).meta.config.read_timeout == 30


# ---- where


@pytest.mark.parametrize(
    ("region", "partition", "home"),
    [
        ("us-west-2", "aws", "us-west-2"),
        ("eu-central-1", "aws", "us-west-2"),
        ("", "aws", "us-west-2"),
        ("us-gov-east-1", "aws-us-gov", "us-gov-west-1"),
        ("us-iso-east-1", "aws-iso", "us-iso-east-1"),
        ("eusc-de-east-1", "aws-eusc", "eusc-de-east-1"),
    ],
)
def test_network_manager_is_asked_at_home(keys: None, region: str, partition: str, home: str) -> None:
    """The request and its signature go to the one endpoint of the partition, whatever region is asked for."""
    made = sessions(region=region)
    assert (made.partition, made.home_of("networkmanager"), made.region) == (partition, home, region or home)
    client = made.client(ACCOUNT, "networkmanager")
    wire = script(json_answer('{"GlobalNetworks": []}')).under(client)
    client.describe_global_networks()
    assert wire.requests[0].host.startswith(f"https://networkmanager.{home}.")
    assert wire.requests[0].scope == f"{home}/networkmanager"


@pytest.mark.parametrize(
    ("region", "host"),
    [("eu-west-1", "ec2.eu-west-1.amazonaws.com"), ("us-gov-east-1", "ec2.us-gov-east-1.amazonaws.com")],
)
def test_ec2_is_asked_in_its_region(keys: None, region: str, host: str) -> None:
    client = sessions().client(ACCOUNT, "ec2", region)
    wire = script(ec2("DescribeVpcs", "<vpcSet/>")).under(client)
    client.describe_vpcs()
    assert (wire.requests[0].host, wire.requests[0].scope) == (f"https://{host}", f"{region}/ec2")


def test_a_region_that_no_partition_has_is_told(keys: None) -> None:
    with pytest.raises(ReconcilerError, match="mars-1"):
        sessions(region="mars-1")


def test_a_profile_that_does_not_exist_is_told(keys: None) -> None:
    with pytest.raises(NoCredentials, match=r"nobody.*list-profiles"):
        sessions(profile="nobody")


@pytest.mark.parametrize("service", ["ec2", "networkmanager", "ssm", "sts"])
def test_another_endpoint_is_for_all_services(keys: None, service: str) -> None:
    made = sessions(endpoint_url="http://127.0.0.1:1/", accounts={"other": OTHER})
    for account in (ACCOUNT, OTHER.id):
        assert made.client(account, service, "eu-west-1").meta.endpoint_url == "http://127.0.0.1:1/"


def test_an_endpoint_that_is_no_url_is_told(keys: None) -> None:
    with pytest.raises(Refused, match="--endpoint-url"):
        sessions(endpoint_url="127.0.0.1").verify()


def test_a_cut_answer_is_noticed_over_real_http_too(keys: None) -> None:
    body = ec2("DescribeVpcs", "<vpcSet/>").body
    with server(lambda _: Answer(body, length=len(body) + 1)) as (url, sent):
        gate = Gateway(sessions(endpoint_url=url))
        with pytest.raises(Lost) as caught:
            list(
                gate.rows(
                    account=ACCOUNT,
                    region="us-west-2",
                    service="ec2",
                    operation="DescribeVpcs",
                    path="Vpcs",
                    parameters={},
                )
            )
    assert (caught.value.code, len(sent)) == ("IncompleteReadError", 3)


# ---- times


def test_times_stay_as_they_came(aws: LocalAws) -> None:
    """Nothing here looks at one, and parsing them is half of the decoding; both services work all the same."""
    made = sessions()
    manager, compute = made.client(ACCOUNT, "networkmanager"), made.client(ACCOUNT, "ec2")
    created = manager.create_global_network()["GlobalNetwork"]["CreatedAt"]
    assert created == manager.describe_global_networks()["GlobalNetworks"][0]["CreatedAt"]
    assert isinstance(created, int | float)
    image = compute.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
    launched = compute.run_instances(ImageId=image, InstanceType="t2.micro", MinCount=1, MaxCount=1)
    assert launched["Instances"][0]["LaunchTime"].startswith("2026-01-01T00:00:00")
    assert compute.describe_instances()["Reservations"][0]["Instances"][0]["LaunchTime"].startswith("2026")
