"""AS numbers and tunnel addresses that clash are found before any call."""

from __future__ import annotations

import pytest

from .support import HERE, config, problem_here, resources

ESTATE = """
transit-gateway/a: {Options: {AmazonSideAsn: 64513}}
transit-gateway/b: {region: us-east-1}
transit-gateway-peering-attachment/p:
  TransitGatewayId: ${transit-gateway/a}
  PeerTransitGatewayId: ${transit-gateway/b}
  PeerRegion: us-east-1
  PeerAccountId: "123456789012"
customer-gateway/c: {Type: ipsec.1, BgpAsn: 65010, IpAddress: 203.0.113.10}
customer-gateway/d: {Type: ipsec.1, BgpAsn: 65010, IpAddress: 203.0.113.11}
vpn-connection/v:
  Type: ipsec.1
  CustomerGatewayId: ${customer-gateway/c}
  TransitGatewayId: ${transit-gateway/a}
  Options: {TunnelOptions: [{TunnelInsideCidr: 169.254.10.0/30}, {TunnelInsideCidr: 169.254.10.4/30}]}
vpn-connection/w:
  Type: ipsec.1
  CustomerGatewayId: ${customer-gateway/d}
  TransitGatewayId: ${transit-gateway/a}
  Options: {TunnelOptions: [{TunnelInsideCidr: 169.254.10.8/30}]}
"""


def test_the_good_one() -> None:
    assert len(config(resources(ESTATE)).resources) == 7


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            {"AmazonSideAsn: 64513": "AmazonSideAsn: 64512", "PeerTransitGatewayId: ": f"PeerTransitGatewayId: {HERE}"},
            "transit-gateway/b and transit-gateway/a both have the AS number 64512",
        ),
        (
            {
                "BgpAsn: 65010, IpAddress: 203.0.113.11": "BgpAsn: 64513, IpAddress: 203.0.113.11",
                "CustomerGatewayId: ${customer-gateway/d}": f"CustomerGatewayId: {HERE}${{customer-gateway/d}}",
            },
            "customer-gateway/d and transit-gateway/a both have the AS number 64513",
        ),
        (
            {"Options: {TunnelOptions: [{TunnelInsideCidr: 169.254.10.8/30}]}":
             f"Options: {HERE}{{TunnelOptions: [{{TunnelInsideCidr: 169.254.10.4/30}}]}}"},
            "has the TunnelInsideCidr 169.254.10.4/30, as a tunnel of vpn-connection/v has at the same gateway",
        ),
    ],
)  # fmt: skip
def test_what_clashes(changes: dict[str, str], told: str) -> None:
    text = ESTATE
    for right, wrong in changes.items():
        assert right in text
        text = text.replace(right, wrong, 1)
    assert told in str(problem_here(resources(text)))


@pytest.mark.parametrize("block", ["169.254.5.0/29", "169.254.6.0/30", "10.1.0.0/29"])
def test_the_inside_of_a_gre_tunnel_is_where_aws_allows_it(block: str) -> None:
    peer = f"""
transit-gateway-connect-peer/p:
  TransitGatewayAttachmentId: tgw-attach-1
  PeerAddress: 10.8.1.9
  InsideCidrBlocks: {HERE}[{block}]
"""
    assert f"has {block}: expected a /29 of 169.254.0.0/16" in str(problem_here(resources(peer)))
    config(resources(peer.replace(HERE, "").replace(block, "169.254.6.0/29")))
