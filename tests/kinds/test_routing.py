"""Route tables: what AWS and others put into them stays, and a subnet is never without its table."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.kinds.routing import ASSOCIATIONS, ROUTES
from tests.harness import Host, host

CONFIG = """
resources:
  vpc/a: {CidrBlock: 10.1.0.0/16}
  subnet/a: {VpcId: "${vpc/a}", CidrBlock: 10.1.1.0/24, AvailabilityZone: us-west-2a}
  nat-gateway/a: {SubnetId: "${subnet/a}", ConnectivityType: private}
  route-table/a:
    VpcId: ${vpc/a}
    Routes: [{DestinationCidrBlock: 172.16.0.0/12, NatGatewayId: "${nat-gateway/a}"}]
    Associations: [{SubnetId: "${subnet/a}"}]
"""


@pytest.fixture
def ops(tmp_path: Path) -> Iterator[Host]:
    with host(tmp_path, 10.0, regions=("us-west-2",)) as made:
        assert made.run(CONFIG).outcome == "settled"
        made.aws.clear_calls()
        yield made


def test_a_subnet_that_was_given_to_another_table_is_taken_back_without_being_without_one(ops: Host) -> None:
    table = ops.seen(CONFIG, "route-table/a")
    theirs = ops.by_hand("ec2", "CreateRouteTable", VpcId=table.raw["VpcId"])["RouteTable"]["RouteTableId"]
    (taken,) = ASSOCIATIONS.rows(table.raw)
    ops.by_hand(
        "ec2",
        "ReplaceRouteTableAssociation",
        AssociationId=taken["RouteTableAssociationId"],
        RouteTableId=theirs,
    )
    ops.aws.clear_calls()
    assert ops.run(CONFIG).outcome == "settled"
    assert ops.writes() == ["ReplaceRouteTableAssociation"]
    (back,) = ASSOCIATIONS.rows(ops.seen(CONFIG, "route-table/a").raw)
    assert back["SubnetId"] == taken["SubnetId"]


def test_a_route_whose_target_has_gone_leads_to_the_new_one(ops: Host) -> None:
    nat = ops.seen(CONFIG, "nat-gateway/a").id
    ops.by_hand("ec2", "DeleteNatGateway", NatGatewayId=nat)
    ops.aws.clock.advance(60)
    ops.aws.clear_calls()
    assert ops.run(CONFIG).outcome == "settled"
    assert {one for one in ops.writes() if "Route" in one} == {"ReplaceRoute"}


def test_a_gateway_is_replaced_although_a_route_leads_to_it(ops: Host) -> None:
    """AWS deletes it all the same, and the route leads nowhere until there is another."""
    before = ops.seen(CONFIG, "nat-gateway/a").id
    moved = CONFIG.replace(
        'nat-gateway/a: {SubnetId: "${subnet/a}"',
        'subnet/b: {VpcId: "${vpc/a}", CidrBlock: 10.1.2.0/24}\n'
        '  nat-gateway/a: {replace: delete-first, SubnetId: "${subnet/b}"',
    )
    assert ops.run(moved).outcome == "settled"
    after = ops.seen(moved, "nat-gateway/a").id
    assert after != before
    (route,) = (row for row in ops.seen(moved, "route-table/a").raw["Routes"] if "NatGatewayId" in row)
    assert (route["NatGatewayId"], route["State"]) == (after, "active")


def test_none_is_taken_out_that_nobody_has_put_in() -> None:
    """AWS's own, those of a propagating gateway and of a gateway endpoint; a load balancer's endpoint is a target."""
    given: dict[str, Any] = {"Origin": "CreateRoute", "State": "active"}
    raw = {
        "Routes": [
            {"DestinationCidrBlock": "10.1.0.0/16", "GatewayId": "local", "Origin": "CreateRouteTable"},
            {
                "DestinationCidrBlock": "10.9.0.0/16",
                "GatewayId": "vgw-1",
                "Origin": "EnableVgwRoutePropagation",
            },
            {"DestinationPrefixListId": "pl-1", "GatewayId": "vpce-1", **given},
            {"DestinationCidrBlock": "10.2.0.0/16", "GatewayId": "vpce-2", **given},
        ],
        "Associations": [{"Main": True, "RouteTableAssociationId": "rtbassoc-1"}],
    }
    (row,) = ROUTES.rows(raw)
    assert row["Target"] == {"VpcEndpointId": "vpce-2"}
    assert ASSOCIATIONS.rows(raw) == []


def test_a_route_over_a_peering_that_is_not_accepted_yet_is_left_to_itself() -> None:
    """It is black until then, and to write it anew would change nothing; another one's target is gone."""
    wanted = {"DestinationCidrBlock": "10.2.0.0/16", "VpcPeeringConnectionId": "pcx-1"}
    raw = {"Routes": [{**wanted, "Origin": "CreateRoute", "State": "blackhole"}]}
    assert ROUTES.rows(raw)[0]["State"] == ROUTES.normal(wanted)["State"]
    gone = {"DestinationCidrBlock": "10.2.0.0/16", "NatGatewayId": "nat-1"}
    raw = {"Routes": [{**gone, "Origin": "CreateRoute", "State": "blackhole"}]}
    assert ROUTES.rows(raw)[0]["State"] != ROUTES.normal(gone)["State"]
