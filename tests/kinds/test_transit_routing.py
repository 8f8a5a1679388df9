"""Route tables of transit gateways: what attachments of several kinds have to do with them, over time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from reconciler.kinds.transitrouting import ROUTES
from tests.harness import Host, host

CONFIG = """
resources:
  vpc/a: {CidrBlock: 10.8.0.0/16}
  subnet/a: {VpcId: "${vpc/a}", CidrBlock: 10.8.1.0/24, AvailabilityZone: us-west-2a}
  internet-gateway/a: {VpcId: "${vpc/a}"}
  vpn-gateway/a: {Type: ipsec.1, VpcId: "${vpc/a}"}
  network-interface/a: {SubnetId: "${subnet/a}"}
  transit-gateway/a: {Options: {DefaultRouteTableAssociation: disable, DefaultRouteTablePropagation: disable}}
  transit-gateway-vpc-attachment/a:
    {TransitGatewayId: "${transit-gateway/a}", VpcId: "${vpc/a}", SubnetIds: ["${subnet/a}"]}
  customer-gateway/a: {Type: ipsec.1, BgpAsn: 65020, IpAddress: 198.51.100.9}
  vpn-connection/a:
    {Type: ipsec.1, CustomerGatewayId: "${customer-gateway/a}", TransitGatewayId: "${transit-gateway/a}"}
  transit-gateway-route-table/first:
    TransitGatewayId: ${transit-gateway/a}
    Associations: [{TransitGatewayAttachmentId: "${transit-gateway-vpc-attachment/a}"}]
    Propagations: [{TransitGatewayAttachmentId: "${vpn-connection/a}"}]
    Routes: [{DestinationCidrBlock: 10.8.0.0/16, TransitGatewayAttachmentId: "${transit-gateway-vpc-attachment/a}"}]
  transit-gateway-route-table/second:
    TransitGatewayId: ${transit-gateway/a}
    Associations: [{TransitGatewayAttachmentId: "${vpn-connection/a}"}]
  route-table/a:
    VpcId: ${vpc/a}
    Routes:
      - {DestinationCidrBlock: 10.0.0.0/8, TransitGatewayId: "${transit-gateway/a}"}
      - {DestinationCidrBlock: 192.168.0.0/16, GatewayId: "${vpn-gateway/a}"}
      - {DestinationCidrBlock: 172.16.0.0/12, NetworkInterfaceId: "${network-interface/a}"}
      - {DestinationCidrBlock: 0.0.0.0/0, GatewayId: "${internet-gateway/a}"}
"""
VPC, VPN = ("${transit-gateway-vpc-attachment/a}", "${vpn-connection/a}")
ASSOCIATED = 'Associations: [{TransitGatewayAttachmentId: "%s"}]'
MOVED = (
    CONFIG.replace(ASSOCIATED % VPC, "Associations: here")
    .replace(ASSOCIATED % VPN, ASSOCIATED % VPC)
    .replace("Associations: here", ASSOCIATED % VPN)
)


@pytest.fixture(scope="module")
def ops(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """One estate for all of these tests, each of which leaves it as it has found it."""
    with host(tmp_path_factory.mktemp("transit"), 10.0, regions=("us-west-2",)) as made:
        assert made.run(CONFIG).outcome == "settled"
        yield made


def associated(ops: Host, text: str, table: str) -> list[Any]:
    """The attachments that look into a table, read as a person would."""
    id = ops.seen(text, f"transit-gateway-route-table/{table}").id
    found = ops.by_hand("ec2", "GetTransitGatewayRouteTableAssociations", TransitGatewayRouteTableId=id)
    return [one["TransitGatewayAttachmentId"] for one in found["Associations"]]


def test_routes_lead_to_gateways_of_several_kinds(ops: Host) -> None:
    rows = {row["DestinationCidrBlock"]: row for row in ops.seen(CONFIG, "route-table/a").raw["Routes"]}
    assert rows["10.0.0.0/8"]["TransitGatewayId"] == ops.seen(CONFIG, "transit-gateway/a").id
    assert rows["192.168.0.0/16"]["GatewayId"] == ops.seen(CONFIG, "vpn-gateway/a").id
    assert rows["172.16.0.0/12"]["NetworkInterfaceId"] == ops.seen(CONFIG, "network-interface/a").id


def test_attachments_leave_one_table_before_they_come_into_another(ops: Host) -> None:
    one, other = (associated(ops, CONFIG, table) for table in ("first", "second"))
    assert one != other
    assert ops.run(MOVED).outcome == "settled"
    assert (associated(ops, MOVED, "first"), associated(ops, MOVED, "second")) == (other, one)
    assert ops.run(CONFIG).outcome == "settled"
    assert (associated(ops, CONFIG, "first"), associated(ops, CONFIG, "second")) == (one, other)


def test_an_attachment_that_a_table_uses_is_deleted_once_the_table_has_let_go_of_it(ops: Host) -> None:
    """That of a VPN connection too, which has another id than the connection.  Then both go side by side."""
    table = ops.seen(CONFIG, "transit-gateway-route-table/second").id
    ops.aws.clear_calls()
    assert ops.run(CONFIG[: CONFIG.index("  customer-gateway/a")], unprotected=True).outcome == "settled"
    assert [call for call in ops.aws.writes if call.error] == []
    order = [
        call.operation
        for call in ops.aws.writes
        if call.parameters.get("TransitGatewayRouteTableId") == table
        or call.operation == "DeleteVpnConnection"
    ]
    first, *rest = order
    assert first == "DisassociateTransitGatewayRouteTable"
    assert sorted(rest) == ["DeleteTransitGatewayRouteTable", "DeleteVpnConnection"]


def test_only_what_somebody_has_put_in_counts_as_a_route() -> None:
    leads = [{"TransitGatewayAttachmentId": "tgw-attach-1"}]
    rows = [
        {"DestinationCidrBlock": "10.1.0.0/16", "State": "active", "TransitGatewayAttachments": leads},
        {"DestinationCidrBlock": "10.2.0.0/16", "State": "active", "PrefixListId": "pl-1"},
        {"DestinationCidrBlock": "10.3.0.0/16", "State": "deleting", "TransitGatewayAttachments": leads},
        {"DestinationCidrBlock": "10.4.0.0/16", "State": "blackhole"},
        {"DestinationCidrBlock": "10.5.0.0/16", "State": "blackhole", "TransitGatewayAttachments": leads},
    ]
    found = {row["DestinationCidrBlock"]: row["Target"] for row in ROUTES.rows({"Routes": rows})}
    assert found == {"10.1.0.0/16": "tgw-attach-1", "10.4.0.0/16": "blackhole", "10.5.0.0/16": "blackhole"}
