"""Addresses of networks that cannot be as the config says are found before any call."""

from __future__ import annotations

import pytest

from .support import HERE, config, problem_here, problems, resources

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
            "vpc/w: {CidrBlock: 10.1.0.0/16}",
            "vpc/w: {CidrBlock: 10.1.0.0/16}\n"
            f'vpc-peering-connection/p: {{VpcId: "${{vpc/v}}", PeerVpcId: {HERE}"${{vpc/w}}"}}',
            "vpc-peering-connection/p.PeerVpcId: 10.1.0.0/16 of vpc/w overlaps 10.1.0.0/16 of vpc/v",
        ),
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
            "AvailabilityZone: us-west-2a",
            f"AvailabilityZoneId: {HERE}use1-az4",
            "subnet/a.AvailabilityZoneId: 'use1-az4' is no zone of us-west-2",
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
            "      GatewayId: ${internet-gateway/v}",
            f"      GatewayId: {HERE}${{internet-gateway/x}}",
            "route-table/a.Routes[0].GatewayId: refers to internet-gateway/x, which is nowhere in the config",
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


ATTACHED = """
vpc/v: {CidrBlock: 10.1.0.0/16}
subnet/a: {VpcId: "${vpc/v}", CidrBlock: 10.1.0.0/24, AvailabilityZone: us-west-2a}
subnet/b: {VpcId: "${vpc/v}", CidrBlock: 10.1.1.0/24, AvailabilityZone: us-west-2b}
transit-gateway/t: {}
transit-gateway-vpc-attachment/t:
  TransitGatewayId: ${transit-gateway/t}
  VpcId: ${vpc/v}
  SubnetIds: ["${subnet/a}", "${subnet/b}"]
vpc-endpoint/e:
  VpcId: ${vpc/v}
  ServiceName: com.amazonaws.us-west-2.ssm
  VpcEndpointType: Interface
  SubnetIds: ["${subnet/a}", "${subnet/b}"]
"""


def test_there_is_one_subnet_a_zone_where_aws_puts_an_interface_into_each() -> None:
    assert len(config(resources(ATTACHED)).resources) == 6
    told = problems(resources(ATTACHED.replace("us-west-2b", "us-west-2a")))
    assert [(found.path, found.what) for found in told] == [
        (f"{name}.SubnetIds[1]", "subnet/b is in us-west-2a, as subnet/a is")
        for name in ("transit-gateway-vpc-attachment/t", "vpc-endpoint/e")
    ]


SECOND = """
vpc/v: {CidrBlock: 10.1.0.0/16}
subnet/a: {VpcId: "${vpc/v}", CidrBlock: 10.1.0.0/24}
instance/i: {ImageId: ami-0c55b159cbfafe1f0, InstanceType: t3.micro, SubnetId: "${subnet/a}"}
elastic-ip/e: {InstanceId: "${instance/i}"}
route-table/r: {VpcId: "${vpc/v}", Routes: [{DestinationCidrBlock: 10.9.0.0/16, InstanceId: "${instance/i}"}]}
network-interface/n: {SubnetId: "${subnet/a}", Attachment: [{InstanceId: "${instance/i}", DeviceIndex: N}]}
"""


def test_of_two_interfaces_one_is_meant() -> None:
    assert len(config(resources(SECOND.replace("N}", "0}"))).resources) == 6
    told = problems(resources(SECOND.replace("N}", "1}")))
    assert [(found.path, found.what) for found in told] == [
        (path, "instance/i has a second interface, network-interface/n")
        for path in ("elastic-ip/e.InstanceId", "route-table/r.Routes[0]")
    ]


def test_a_route_that_leads_nowhere_is_told_of_once_in_all_its_repeats() -> None:
    told = problems(
        resources("""
            vpc/v: {CidrBlock: 10.1.0.0/16}
            route-table/${each.n}:
              for: {n: [a, b]}
              VpcId: ${vpc/v}
              Routes: [{DestinationCidrBlock: 0.0.0.0/0, NatGatewayId: "${nat-gateway/x}"}]
        """)
    )
    assert len(told) == 1
    assert "refers to nat-gateway/x" in told[0].what
