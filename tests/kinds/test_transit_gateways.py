"""What is special about transit gateways: what is in one goes with it."""

from __future__ import annotations

from tests.harness import Host

NONE = "resources:\n  vpc/v: {region: us-west-2, CidrBlock: 10.0.0.0/16}\n"
TEXT = NONE + "  transit-gateway/t: {region: us-west-2, protect: false}\n"
TABLED = (
    TEXT + '  transit-gateway-route-table/r: {region: us-west-2, TransitGatewayId: "${transit-gateway/t}"}\n'
)


def test_it_goes_with_our_tables_and_those_that_aws_has_made_with_it(ops: Host) -> None:
    ops.run(TABLED)
    assert ops.run(NONE, allow_shrink=True, timeout=900).outcome == "settled"
    assert [row["State"] for row in ops.rows("transit-gateway")] in ([], ["deleted"])


def test_it_stays_while_a_route_table_that_somebody_has_made_would_go_with_it(ops: Host) -> None:
    ops.run(TABLED)
    gateway = ops.seen(TABLED, "transit-gateway/t").id
    made = ops.by_hand("ec2", "CreateTransitGatewayRouteTable", TransitGatewayId=gateway)
    table = made["TransitGatewayRouteTable"]["TransitGatewayRouteTableId"]
    report = ops.run(NONE, allow_shrink=True, timeout=900)
    (told,) = [one for one in report.outcomes if one.label == "transit-gateway/t"]
    assert told.status == "waiting"
    assert told.why == f"{table}, in it and not ours, would go with it: delete them first"
    assert "DeleteTransitGateway" not in ops.writes()
    ops.by_hand("ec2", "DeleteTransitGatewayRouteTable", TransitGatewayRouteTableId=table)
    ops.aws.clock.advance(60)
    assert ops.run(NONE, allow_shrink=True, timeout=900).outcome == "settled"
    assert "DeleteTransitGateway" in ops.writes()
