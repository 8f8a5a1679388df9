"""Addresses of networks that cannot be as the config says are found before any call."""

from __future__ import annotations

import pytest

from .support import HERE, config, problem_here, resources

ESTATE = """
vpc/v:
  CidrBlock: 10.1.0.0/16
  CidrBlockAssociationSet:
    - CidrBlock: 10.2.0.0/16
vpc/w: {CidrBlock: 10.1.0.0/16}
subnet/a: {VpcId: "${vpc/v}", CidrBlock: 10.1.0.0/24, AvailabilityZone: us-west-2a}
subnet/b: {VpcId: "${vpc/v}", CidrBlock: 10.1.1.0/24, AvailabilityZone: us-west-2-lax-1a}
subnet/c: {VpcId: "${vpc/v}", CidrBlock: 10.2.1.0/24}
subnet/w: {VpcId: "${vpc/w}", CidrBlock: 10.1.0.0/24}
internet-gateway/v: {VpcId: "${vpc/v}"}
internet-gateway/w: {VpcId: "${vpc/w}"}
route-table/a:
  VpcId: ${vpc/v}
  Routes:
    - DestinationCidrBlock: 0.0.0.0/0
      GatewayId: ${internet-gateway/v}
  Associations: [{SubnetId: "${subnet/a}"}]
route-table/b:
  VpcId: ${vpc/v}
  Associations: [{SubnetId: "${subnet/b}"}]
network-acl/a:
  VpcId: ${vpc/v}
  Associations: [{SubnetId: "${subnet/a}"}]
"""


def test_the_good_one() -> None:
    assert len(config(resources(ESTATE)).resources) == 11


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        (
            "CidrBlock: 10.2.1.0/24",
            f"CidrBlock: {HERE}10.3.1.0/24",
            "subnet/c.CidrBlock: 10.3.1.0/24 lies outside of vpc/v (it has 10.1.0.0/16, 10.2.0.0/16; more go into its "
            "CidrBlockAssociationSet)",
        ),
        (
            "CidrBlock: 10.1.1.0/24",
            f"CidrBlock: {HERE}10.1.0.128/25",
            "subnet/b.CidrBlock: 10.1.0.128/25 overlaps 10.1.0.0/24 of subnet/a",
        ),
        (
            "CidrBlock: 10.1.1.0/24",
            f"CidrBlock: {HERE}10.1.1.0/29",
            "subnet/b.CidrBlock: 10.1.1.0/29 has 29 bits, allowed are 16 to 28",
        ),
        (
            "CidrBlock: 10.1.1.0/24",
            f"CidrBlock: {HERE}10.1.1/24",
            "subnet/b.CidrBlock: '10.1.1/24' is no range of addresses (write it like 10.1.0.0/16)",
        ),
        (
            "    - CidrBlock: 10.2.0.0/16",
            f"    {HERE}- CidrBlock: 10.2.0.0/16\n    - CidrBlock: 10.1.128.0/17",
            "vpc/v.CidrBlockAssociationSet: 10.1.128.0/17 overlaps 10.1.0.0/16",
        ),
        (
            "us-west-2a",
            f"{HERE}eu-west-1a",
            "subnet/a.AvailabilityZone: 'eu-west-1a' is no zone of us-west-2 (like us-west-2a)",
        ),
        (
            "    - DestinationCidrBlock: 0.0.0.0/0\n      GatewayId: ${internet-gateway/v}",
            f"    {HERE}- DestinationCidrBlock: 0.0.0.0/0",
            "route-table/a.Routes[0]: needs one target, and it has none",
        ),
        (
            "      GatewayId: ${internet-gateway/v}",
            f"      GatewayId: {HERE}${{internet-gateway/w}}",
            "route-table/a.Routes[].GatewayId: internet-gateway/w has VpcId ${vpc/w}, and this one ${vpc/v} "
            "(they have to be the same)",
        ),
        (
            '[{SubnetId: "${subnet/b}"}]',
            f'{HERE}[{{SubnetId: "${{subnet/a}}"}}]',
            "route-table/b.Associations[0].SubnetId: ${subnet/a} is associated with route-table/a already, and can "
            "have one route-table",
        ),
    ],
)
def test_what_cannot_be(right: str, wrong: str, told: str) -> None:
    assert right in ESTATE
    found = problem_here(resources(ESTATE.replace(right, wrong, 1)))
    assert told in str(found)
