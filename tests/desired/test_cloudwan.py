"""What cannot work on a core network is found before any call, where it stands."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reconciler.desired import load
from reconciler.errors import ConfigError
from reconciler.kinds import BY_NAME

from .support import HERE, SCHEMA, config, problem, problem_here, resources

ESTATE = """
global-network/g: {}
core-network/c:
  GlobalNetworkId: ${global-network/g}
  PolicyDocument:
    version: "2021.12"
    core-network-configuration:
      asn-ranges: ["64512-64555"]
      inside-cidr-blocks: [10.0.0.0/24, 10.0.1.0/24]
      edge-locations: [{location: us-west-2, asn: 64512}]
    segments: [{name: shared}]
    attachment-policies:
      - rule-number: 100
        conditions: [{type: tag-exists, key: zone}]
        action: {association-method: tag, tag-value-of-key: zone}
      - rule-number: 200
        conditions: [{type: any}]
        action: {association-method: constant, segment: shared}
vpc/v: {CidrBlock: 10.1.0.0/16}
subnet/s: {VpcId: "${vpc/v}", CidrBlock: 10.1.1.0/24}
vpc-attachment/v:
  CoreNetworkId: ${core-network/c}
  VpcArn: ${vpc/v}
  SubnetArns: ["${subnet/s}"]
  Tags: {zone: shared}
connect-attachment/a:
  CoreNetworkId: ${core-network/c}
  EdgeLocation: us-west-2
  TransportAttachmentId: ${vpc-attachment/v}
  Options: {Protocol: GRE}
connect-peer/one:
  ConnectAttachmentId: ${connect-attachment/a}
  PeerAddress: 10.1.1.5
  InsideCidrBlocks: [169.254.6.0/29]
connect-peer/two:
  ConnectAttachmentId: ${connect-attachment/a}
  PeerAddress: 10.1.1.6
  InsideCidrBlocks: [169.254.6.8/29]
direct-connect-gateway-attachment/d:
  CoreNetworkId: ${core-network/c}
  DirectConnectGatewayArn: arn:aws:directconnect::123456789012:dx-gateway/0b1c2d3e-4f50-4617-8293-a4b5c6d7e8f9
  EdgeLocations: [us-west-2]
customer-gateway/far: {Type: ipsec.1, BgpAsn: 65020, IpAddress: 198.51.100.1}
vpn-connection/far: {Type: ipsec.1, CustomerGatewayId: "${customer-gateway/far}"}
site-to-site-vpn-attachment/far:
  CoreNetworkId: ${core-network/c}
  VpnConnectionArn: ${vpn-connection/far}
transit-gateway/t: {}
transit-gateway/u: {}
transit-gateway-peering/t:
  CoreNetworkId: ${core-network/c}
  TransitGatewayArn: ${transit-gateway/t}
transit-gateway-route-table/t: {TransitGatewayId: "${transit-gateway/t}"}
transit-gateway-route-table-attachment/t:
  PeeringId: ${transit-gateway-peering/t}
  TransitGatewayRouteTableArn: ${transit-gateway-route-table/t}
  Tags: {zone: shared}
"""


def test_the_good_one() -> None:
    assert len(config(resources(ESTATE)).resources) == 17


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        (
            "EdgeLocation: us-west-2",
            f"EdgeLocation: {HERE}eu-west-1",
            "core-network/c has no edge location eu-west-1",
        ),
        ("EdgeLocations: [us-west-2]", f"EdgeLocations: {HERE}[us-west-2, eu-west-1]", "one of: us-west-2"),
        (
            "VpcArn: ${vpc/v}",
            f"VpcArn: {HERE}arn:aws:ec2:eu-west-1:123456789012:vpc/vpc-0123456789abcdef0",
            "vpc-attachment/v.VpcArn: the policy of core-network/c has no edge location eu-west-1",
        ),
        (
            "Tags: {zone: shared}",
            f"Tags: {HERE}{{zone: apart}}",
            "the segment apart, which the policy of core-network/c lacks",
        ),
        (
            "[169.254.6.8/29]",
            f"{HERE}[169.254.6.4/29]",
            "169.254.6.4/29 overlaps with 169.254.6.0/29 of connect-peer/one",
        ),
        (
            "TransitGatewayArn: ${transit-gateway/t}",
            f"TransitGatewayArn: {HERE}arn:aws:ec2:eu-west-1:123456789012:transit-gateway/tgw-0123456789abcdef0",
            "transit-gateway-peering/t.TransitGatewayArn: the policy of core-network/c has no edge location eu-west-1",
        ),
        (
            "TransitGatewayRouteTableArn: ${transit-gateway-route-table/t}\n  Tags: {zone: shared}",
            f"TransitGatewayRouteTableArn: ${{transit-gateway-route-table/t}}\n  Tags: {HERE}{{zone: apart}}",
            "the segment apart, which the policy of core-network/c lacks",
        ),
        ("connect-attachment/a:\n", f"connect-attachment/a:\n  accept: {HERE}maybe\n", "true or false"),
        ("vpc/v: {CidrBlock", f"vpc/v: {{{HERE}accept: true, CidrBlock", "nobody has to accept a vpc"),
    ],
)
def test_what_does_not_fit(right: str, wrong: str, told: str) -> None:
    assert right in ESTATE
    assert told in str(problem_here(resources(ESTATE.replace(right, wrong, 1))))


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        ("asn: 64512", f"asn: {HERE}65000", "edge-locations[0].asn: 65000 is outside of asn-ranges"),
        (
            "10.0.1.0/24]",
            f"{HERE}10.0.0.0/20]",
            "inside-cidr-blocks[1]: 10.0.0.0/20 overlaps with 10.0.0.0/24",
        ),
        (
            "segment: shared}",
            f"segment: {HERE}apart}}",
            "attachment-policies[1].action.segment: the policy has no segment apart",
        ),
        ('"64512-64555"', f'{HERE}"a few"', "asn-ranges[0]: a few is no range such as"),
        ('"2021.12"', f"{HERE}2021.12", "in quotes"),
    ],
)
def test_what_is_wrong_within_a_policy(right: str, wrong: str, told: str) -> None:
    assert right in ESTATE
    assert told in str(problem_here(resources(ESTATE.replace(right, wrong))))


def test_all_that_is_wrong_with_a_policy_is_told_at_once_in_a_file_of_json_too(tmp_path: Path) -> None:
    policy = {
        "version": "2021.12",
        "core-network-configuration": {
            "asn-ranges": ["64512-64555"],
            "inside-cidr-blocks": ["10.0.0.0/16", "10.0.1.0/24"],
            "edge-locations": [{"location": "us-west-2", "asn": 65000}],
        },
        "segments": [{"name": "shared"}],
        "segment-actions": [{"action": "share", "segment": "apart", "share-with": "*"}],
    }
    (tmp_path / "policy.json").write_text(json.dumps(policy))
    written = resources(f"core-network/c: {{GlobalNetworkId: gn, PolicyDocument: {json.dumps(policy)}}}")
    kept = resources("core-network/c: {GlobalNetworkId: gn, PolicyDocument: '${file:policy.json}'}")
    for text in (written, kept):
        (tmp_path / "a.yaml").write_text(text)
        with pytest.raises(ConfigError) as found:
            load(tmp_path / "a.yaml", kinds=BY_NAME, schema=SCHEMA, variables={}, environment={})
        assert sorted(
            str(one).split("core-network/c.PolicyDocument.")[1] for one in found.value.problems
        ) == [
            "core-network-configuration.edge-locations[0].asn: 65000 is outside of asn-ranges",
            "core-network-configuration.inside-cidr-blocks[1]: 10.0.1.0/24 overlaps with 10.0.0.0/16",
            "segment-actions[0].segment: the policy has no segment apart",
        ]


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        (
            'CustomerGatewayId: "${customer-gateway/far}"}',
            'CustomerGatewayId: "${customer-gateway/far}", TransitGatewayId: "${transit-gateway/t}"}',
            "VpnConnectionArn: vpn-connection/far has a TransitGatewayId (it must have no gateway)",
        ),
        (
            'transit-gateway-route-table/t: {TransitGatewayId: "${transit-gateway/t}"}',
            'transit-gateway-route-table/t: {TransitGatewayId: "${transit-gateway/u}"}',
            "transit-gateway-route-table/t is one of transit-gateway/u, and transit-gateway-peering/t is with "
            "transit-gateway/t",
        ),
    ],
)
def test_what_is_tied_to_something_else(right: str, wrong: str, told: str) -> None:
    assert right in ESTATE
    assert told in str(problem(resources(ESTATE.replace(right, wrong))))


ROUTE = """
    segment-actions:
      - action: create-route
        segment: shared
        destination-cidr-blocks: [0.0.0.0/0]
        destinations: ["${vpc-attachment/v}"]
    attachment-policies:"""


def test_a_policy_may_lead_to_what_is_attached_to_its_own_network_and_name_it_nowhere_else() -> None:
    routed = ESTATE.replace("\n    attachment-policies:", ROUTE)
    assert len(config(resources(routed)).resources) == 17
    besides = routed.replace(
        "segments: [{name: shared}]", 'segments: [{name: shared, description: "${vpc-attachment/v}"}]'
    )
    found = str(problem(resources(besides)))
    assert "core-network/c.PolicyDocument: names vpc-attachment/v otherwise than as a destination" in found
    elsewhere = routed.replace("CoreNetworkId: ${core-network/c}", "CoreNetworkId: ${core-network/d}")
    found = str(problem(resources("core-network/d: {GlobalNetworkId: gn}\n" + elsewhere)))
    assert "core-network/c.PolicyDocument: leads to vpc-attachment/v, which is on core-network/d" in found


def test_what_is_not_of_this_config_is_left_to_aws() -> None:
    elsewhere = ESTATE.replace(
        "CoreNetworkId: ${core-network/c}", "CoreNetworkId: core-network-0123456789abcdef0"
    )
    assert (
        len(
            config(resources(elsewhere.replace("us-west-2\n  Transport", "eu-west-1\n  Transport"))).resources
        )
        == 17
    )
