"""The local AWS of a test: held clock, pages of three, and no answer that botocore's model does not describe."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from reconciler.sandbox import HeldClock, LocalAws, local_aws
from reconciler.sandbox.world import current

# a request that left the process would be refused: no account has these
SAFE_KEYS = {"aws_access_key_id": "AKIDOFNOBODY", "aws_secret_access_key": "of-nobody"}
AMAZON_LINUX = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"


@pytest.fixture
def aws() -> Iterator[LocalAws]:
    """A local AWS whose every answer must fit its shape."""
    with local_aws() as local:
        yield local
        assert local.problems == []


@cache
def client(service: str, region: str = "us-west-2") -> Any:
    """A client that tries once.

    Making one takes longer than most tests, so there is one for all of them: it remembers nothing of what it was
    answered. A test that hangs something on a client makes its own with `new_client`.
    """
    return new_client(service, region)


def new_client(service: str, region: str = "us-west-2", attempts: int = 1, **more: Any) -> Any:
    """A client of the test's own; its models were read once for all."""
    config = Config(retries={"mode": "standard", "total_max_attempts": attempts})
    return session().client(service, region_name=region, config=config, **SAFE_KEYS, **more)


@cache
def session() -> Any:
    """The session that keeps botocore's models, which are large files."""
    return boto3.session.Session()


@pytest.fixture
def nm(aws: LocalAws) -> Any:
    """Network Manager."""
    return client("networkmanager")


@pytest.fixture
def ec2(aws: LocalAws) -> Any:
    """EC2 in us-west-2."""
    return client("ec2")


@pytest.fixture
def network(nm: Any) -> str:
    """The id of a global network."""
    return str(nm.create_global_network()["GlobalNetwork"]["GlobalNetworkId"])


_addresses = itertools.count(1)


def transit_gateway() -> str:
    """The id of a new transit gateway that is available."""
    made = client("ec2").create_transit_gateway()["TransitGateway"]["TransitGatewayId"]
    clock = current().settings.clock
    assert isinstance(clock, HeldClock)
    clock.advance(0.3)
    return str(made)


def customer_gateway() -> str:
    """The id of a new customer gateway, unlike any other."""
    address = f"198.51.100.{next(_addresses) % 256}"
    made = client("ec2").create_customer_gateway(Type="ipsec.1", IpAddress=address, BgpAsn=65000)
    return str(made["CustomerGateway"]["CustomerGatewayId"])


def refusal(call: Callable[..., Any], **parameters: Any) -> dict[str, Any]:
    """The error answer of a call that must fail."""
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    response: dict[str, Any] = dict(caught.value.response)
    return response


def code(call: Callable[..., Any], **parameters: Any) -> tuple[str, int]:
    """Code and HTTP status of a call that must fail."""
    response = refusal(call, **parameters)
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


def image(region: str = "us-west-2") -> str:
    """The image of Amazon Linux in a region."""
    return str(client("ssm", region).get_parameter(Name=AMAZON_LINUX)["Parameter"]["Value"])


def launch(ec2: Any, **more: Any) -> dict[str, Any]:
    """One launched instance."""
    given = {"ImageId": image(), "InstanceType": "t2.medium", "MinCount": 1, "MaxCount": 1, **more}
    instance: dict[str, Any] = ec2.run_instances(**given)["Instances"][0]
    return instance


def found(ec2: Any, instance_id: str) -> dict[str, Any]:
    """An instance as DescribeInstances shows it."""
    reservations = ec2.describe_instances(InstanceIds=[instance_id])["Reservations"]
    instance: dict[str, Any] = reservations[0]["Instances"][0]
    return instance
