"""The two services by what tests of faults do with them, so that each such test says it of both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from botocore import xform_name

from .conftest import client, image


@dataclass(frozen=True)
class Service:
    """One service by what tests do with it: make a thing without a token, list such things, look at something else."""

    name: str
    create: str
    read: str
    many: str
    other: str
    given: dict[str, Any]

    @property
    def id(self) -> str:
        return self.many.removesuffix("s") + "Id"

    def make(self, boto: Any = None) -> str:
        method = getattr(boto or client(self.name), xform_name(self.create))
        return str(method(**self.given)[self.many.removesuffix("s")][self.id])

    def make_nonsense(self) -> None:
        """A create that the service refuses by itself."""
        if self.name == "ec2":
            client("ec2").create_vpc(CidrBlock="nonsense")
        else:
            client("networkmanager").create_site(GlobalNetworkId="nowhere")

    def page(self, **more: Any) -> dict[str, Any]:
        answer: dict[str, Any] = getattr(client(self.name), xform_name(self.read))(**more)
        return answer

    def ids(self, **more: Any) -> list[str]:
        pages = client(self.name).get_paginator(xform_name(self.read)).paginate(**more)
        there = [one for page in pages for one in page[self.many] if not one.get("IsDefault")]
        return [one[self.id] for one in there]

    def look_elsewhere(self) -> None:
        getattr(client(self.name), xform_name(self.other))()


NETWORK_MANAGER = Service(
    "networkmanager",
    "CreateGlobalNetwork",
    "DescribeGlobalNetworks",
    "GlobalNetworks",
    "ListCoreNetworks",
    {"Tags": [{"Key": "a", "Value": "b"}]},
)
EC2 = Service("ec2", "CreateVpc", "DescribeVpcs", "Vpcs", "DescribeSubnets", {"CidrBlock": "10.0.0.0/16"})
BOTH = pytest.mark.parametrize("service", [NETWORK_MANAGER, EC2], ids=lambda one: one.name)


def others_work(service: Service) -> None:
    """That what no fault was set for is left alone: other operations, the other service, and SSM."""
    service.look_elsewhere()
    other = EC2 if service is NETWORK_MANAGER else NETWORK_MANAGER
    assert other.make() in other.ids()
    image()
