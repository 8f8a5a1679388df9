"""Peerings over two regions: accepted where the other side is; by a person where it is somebody else's."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from reconciler.kinds.peering import VPC_PEERING_CONNECTION
from reconciler.model.verdicts import Steps, Wait
from tests.harness import ACCOUNT, Host, host

CONFIG = """
resources:
  vpc/here: {CidrBlock: 10.1.0.0/16}
  vpc/there: {region: eu-west-1, CidrBlock: 10.2.0.0/16}
  vpc-peering-connection/a: {VpcId: "${vpc/here}", PeerVpcId: "${vpc/there}", PeerRegion: eu-west-1}
  route-table/here:
    VpcId: ${vpc/here}
    Routes: [{DestinationCidrBlock: 10.2.0.0/16, VpcPeeringConnectionId: "${vpc-peering-connection/a}"}]
  route-table/there:
    region: eu-west-1
    VpcId: ${vpc/there}
    Routes: [{DestinationCidrBlock: 10.1.0.0/16, VpcPeeringConnectionId: "${vpc-peering-connection/a}"}]
"""
WITHOUT = """
resources:
  vpc/here: {CidrBlock: 10.1.0.0/16}
  vpc-peering-connection/b: {VpcId: "${vpc/here}", PeerVpcId: vpc-0123456789abcdef0}
"""


def accepted(ops: Host) -> list[str]:
    """In which regions something was accepted."""
    return [call.region for call in ops.aws.writes if call.operation == "AcceptVpcPeeringConnection"]


def test_it_is_accepted_in_the_region_of_the_other_side(tmp_path: Path) -> None:
    with host(tmp_path, 10.0, regions=("us-west-2", "eu-west-1")) as ops:
        assert ops.run(CONFIG).outcome == "settled"
        assert set(accepted(ops)) == {"eu-west-1"}
        seen = ops.seen(CONFIG, "vpc-peering-connection/a")
        assert seen.state == "active"
        (route,) = ops.seen(CONFIG, "route-table/there").raw["Routes"][1:]
        assert route["State"] == "active"
        ops.aws.clear_calls()
        assert ops.run(CONFIG).outcome == "settled"
        assert ops.writes() == []

        asked = {"Status": {"Code": "pending-acceptance"}}
        theirs = {"AccepterVpcInfo": {**seen.raw["AccepterVpcInfo"], "OwnerId": "210987654321"}}
        other = replace(seen, raw={**seen.raw, **asked, **theirs}, state="pending-acceptance")
        then = VPC_PEERING_CONNECTION.then
        assert then is not None
        verdict = then(next(iter(ops.loop(CONFIG).config.resources.values())), other)
        assert isinstance(verdict, Steps)
        assert [(call.account, call.region) for call in verdict.calls] == [("210987654321", "eu-west-1")]

        assert ops.destroy(CONFIG).count("failed", "blocked", "waiting") == 0


def test_a_vpc_stays_while_peerings_of_another_region_could_not_be_read(tmp_path: Path) -> None:
    free = CONFIG.replace("{region: eu-west-1, Cidr", "{region: eu-west-1, protect: false, Cidr")
    with host(tmp_path, 10.0, regions=("us-west-2", "eu-west-1")) as ops:
        assert ops.run(free).outcome == "settled"
        ops.aws.fail("ec2", "DescribeVpcPeeringConnections", code="InternalError", status=500, times=10_000)
        plan = ops.plan(WITHOUT)
        entry = next(entry for entry in plan.entries if entry.label == "vpc/there")
        assert isinstance(entry.verdict, Wait)
        assert "vpc-peering-connection in us-west-2" in entry.verdict.why


GATEWAYS = """
resources:
  transit-gateway/here: {Options: {DefaultRouteTableAssociation: disable, AmazonSideAsn: 64600}}
  transit-gateway/there: {region: eu-west-1, Options: {DefaultRouteTableAssociation: disable, AmazonSideAsn: 64601}}
  transit-gateway-peering-attachment/a:
    TransitGatewayId: ${transit-gateway/here}
    PeerTransitGatewayId: ${transit-gateway/there}
    PeerAccountId: "123456789012"
    PeerRegion: eu-west-1
  transit-gateway-route-table/here:
    TransitGatewayId: ${transit-gateway/here}
    Associations: [{TransitGatewayAttachmentId: "${transit-gateway-peering-attachment/a}"}]
    Routes: [{DestinationCidrBlock: 10.2.0.0/16, TransitGatewayAttachmentId: "${transit-gateway-peering-attachment/a}"}]
  transit-gateway-route-table/there:
    region: eu-west-1
    TransitGatewayId: ${transit-gateway/there}
    Associations: [{TransitGatewayAttachmentId: "${transit-gateway-peering-attachment/a}"}]
    Routes: [{DestinationCidrBlock: 10.1.0.0/16, TransitGatewayAttachmentId: "${transit-gateway-peering-attachment/a}"}]
"""
ELSEWHERE = """
  transit-gateway/third: {region: eu-west-1, Options: {DefaultRouteTableAssociation: disable}}
  transit-gateway-peering-attachment/b: # so that the other region is looked at for peerings too
    region: eu-west-1
    TransitGatewayId: ${transit-gateway/there}
    PeerTransitGatewayId: ${transit-gateway/third}
    PeerAccountId: "123456789012"
    PeerRegion: eu-west-1
"""


def test_transit_gateways_are_peered_with_tables_on_both_sides(tmp_path: Path) -> None:
    with host(tmp_path, 10.0, regions=("us-west-2", "eu-west-1")) as ops:
        assert ops.run(GATEWAYS).outcome == "settled"
        peering = ops.seen(GATEWAYS, "transit-gateway-peering-attachment/a")
        for table in ("here", "there"):
            (route,) = ops.seen(GATEWAYS, f"transit-gateway-route-table/{table}").raw["Routes"]
            assert route["State"] == "active"
        # whatever tags it has in the other region, it is no second one
        ours = [{"Key": key, "Value": value} for key, value in peering.tags.items()]
        ops.hand.sessions.client(ACCOUNT, "ec2", "eu-west-1").create_tags(Resources=[peering.id], Tags=ours)
        ops.aws.clear_calls()
        assert ops.run(GATEWAYS + ELSEWHERE).outcome == "settled"
        assert "AcceptTransitGatewayPeeringAttachment" in ops.writes()
        assert ops.destroy(GATEWAYS).count("failed", "blocked", "waiting") == 0
