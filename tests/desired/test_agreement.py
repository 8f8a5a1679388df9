"""What has to be alike between a resource and those that it refers to is found before any call."""

from __future__ import annotations

import pytest

from .support import HERE, config, problem, problem_here, resources

ESTATE = """
global-network/g: {}
global-network/h: {}
site/s: {GlobalNetworkId: "${global-network/g}"}
site/t: {GlobalNetworkId: "${global-network/g}"}
site/h: {GlobalNetworkId: "${global-network/h}"}
link/s: {GlobalNetworkId: "${global-network/g}", SiteId: "${site/s}", Bandwidth: {UploadSpeed: 1, DownloadSpeed: 1}}
link/t: {GlobalNetworkId: "${global-network/g}", SiteId: "${site/t}", Bandwidth: {UploadSpeed: 1, DownloadSpeed: 1}}
device/d:
  GlobalNetworkId: ${global-network/g}
  SiteId: ${site/s}
  Links:
    - LinkId: ${link/s}
device/e: {GlobalNetworkId: "${global-network/g}"}
connection/c:
  GlobalNetworkId: ${global-network/g}
  DeviceId: ${device/d}
  ConnectedDeviceId: ${device/e}
"""


def test_the_good_one() -> None:
    assert len(config(resources(ESTATE)).resources) == 10


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        (
            "SiteId: ${site/s}\n  Links:\n    - LinkId: ${link/s}",
            f"SiteId: ${{site/t}}\n  Links:\n    - LinkId: {HERE}${{link/s}}",
            "device/d.Links[].LinkId: link/s has SiteId ${site/s}, and this one ${site/t}",
        ),
        (
            "SiteId: ${site/s}\n  Links:\n    - LinkId: ${link/s}",
            f"SiteId: {HERE}${{site/h}}",
            "device/d.SiteId: site/h has GlobalNetworkId ${global-network/h}, and this one ${global-network/g}",
        ),
        (
            "ConnectedDeviceId: ${device/e}",
            "ConnectedDeviceId: ${device/d}",
            "connection/c.DeviceId: ConnectedDeviceId and DeviceId are both ${device/d}",
        ),
        (
            'device/e: {GlobalNetworkId: "${global-network/g}"}',
            'device/e: {GlobalNetworkId: "${global-network/h}"}',
            "connection/c.ConnectedDeviceId: device/e has GlobalNetworkId ${global-network/h}, and this one "
            "${global-network/g}",
        ),
        (
            "  ConnectedDeviceId: ${device/e}\n",
            "  ConnectedDeviceId: ${device/e}\n  LinkId: ${link/t}\n",
            "connection/c.LinkId: link/t is at ${site/t}, and device/d at ${site/s}",
        ),
        (
            'device/e: {GlobalNetworkId: "${global-network/g}"}',
            "customer-gateway/c: {Type: ipsec.1, BgpAsn: 65010, IpAddress: 203.0.113.9}\n"
            + "\n".join(
                f'device/{name}: {{GlobalNetworkId: "${{global-network/g}}", CustomerGateways: '
                f'[{{CustomerGatewayArn: {here}"${{customer-gateway/c}}"}}]}}'
                for name, here in (("f", ""), ("e", HERE))
            ),
            "device/e.CustomerGateways: customer-gateway/c is in device/f too, and can be in one",
        ),
    ],
)
def test_what_does_not_go_together(right: str, wrong: str, told: str) -> None:
    assert right in ESTATE
    text = resources(ESTATE.replace(right, wrong))
    found = problem_here(text) if HERE in text else problem(text)
    assert told in str(found)


def test_what_cannot_be_compared_is_left_to_aws() -> None:
    text = ESTATE.replace("  SiteId: ${site/s}\n  Links", "  SiteId: site-0123456789abcdef0\n  Links")
    assert len(config(resources(text)).resources) == 10


TRANSIT = """
transit-gateway/a: {Options: {DefaultRouteTableAssociation: disable}}
transit-gateway/b: {Options: {DefaultRouteTableAssociation: disable}}
vpc/v: {CidrBlock: 10.1.0.0/16}
transit-gateway-vpc-attachment/v:
  {TransitGatewayId: "${transit-gateway/a}", VpcId: "${vpc/v}", SubnetIds: [subnet-0123456789abcdef0]}
transit-gateway-route-table/t:
  TransitGatewayId: ${transit-gateway/a}
  Associations: [{TransitGatewayAttachmentId: "${transit-gateway-vpc-attachment/v}"}]
  Routes: [{DestinationCidrBlock: 10.1.0.0/16, Blackhole: true}]
"""


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        (
            '{TransitGatewayAttachmentId: "${transit-gateway-vpc-attachment/v}"}',
            '{TransitGatewayAttachmentId: "${vpc/v}"}',
            "needs a transit-gateway-vpc-attachment or a transit-gateway-connect or a",
        ),
        (
            "t:\n  TransitGatewayId: ${transit-gateway/a}",
            "t:\n  TransitGatewayId: ${transit-gateway/b}",
            "v is attached to transit-gateway/a, and this is a table of transit-gateway/b",
        ),
        (", Blackhole: true", "", "Routes[0]: needs one target, and it has none"),
        (
            "Blackhole: true",
            'TransitGatewayAttachmentId: "${transit-gateway-vpc-attachment/x}"',
            "refers to transit-gateway-vpc-attachment/x, which is nowhere in the config",
        ),
        (
            "a: {Options: {DefaultRouteTableAssociation: disable}}",
            "a: {}",
            "associates with its default table",
        ),
    ],
)
def test_a_table_of_a_transit_gateway_has_attachments_of_its_own(right: str, wrong: str, told: str) -> None:
    assert len(config(resources(TRANSIT)).resources) == 5
    assert right in TRANSIT
    assert told in str(problem(resources(TRANSIT.replace(right, wrong))))


@pytest.mark.parametrize(
    ("entries", "told"),
    [
        ("[{Cidr: 10.1.0.0/16}, {Cidr: 10.2.0.0/16}]", "has 2, and MaxEntries is 1"),
        ("[{Cidr: 'fd00::/8'}]", "Entries[0] is of IPv6, and AddressFamily is IPv4"),
    ],
)
def test_entries_that_a_prefix_list_cannot_hold(entries: str, told: str) -> None:
    text = "prefix-list/a: {PrefixListName: a, AddressFamily: IPv4, MaxEntries: 1, Entries: %s}"
    assert len(config(resources(text % "[{Cidr: 10.1.0.0/16}]")).resources) == 1
    assert told in str(problem(resources(text % entries)))


def test_a_transit_gateway_is_where_its_peer_says() -> None:
    text = """
transit-gateway/a: {}
transit-gateway/b: {}
transit-gateway-peering-attachment/p:
  TransitGatewayId: ${transit-gateway/a}
  PeerTransitGatewayId: ${transit-gateway/b}
  PeerAccountId: "123456789012"
  PeerRegion: eu-west-3
"""
    assert "PeerRegion: transit-gateway/b is in" in str(problem(resources(text)))
