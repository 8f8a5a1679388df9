"""VPC endpoints and what they put into other things of ours, ranges that subnets wait for, answers that say less."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.errors import Gone
from tests.harness import Host, host

CONFIG = """
resources:
  vpc/a: {CidrBlock: 10.1.0.0/16, CidrBlockAssociationSet: [{CidrBlock: 10.2.0.0/16}]}
  subnet/a: {VpcId: "${vpc/a}", CidrBlock: 10.2.1.0/24, AvailabilityZone: us-west-2a}
  route-table/a: {VpcId: "${vpc/a}", Routes: [], Associations: [{SubnetId: "${subnet/a}"}]}
  vpc-endpoint/s3:
    VpcId: ${vpc/a}
    VpcEndpointType: Gateway
    ServiceName: com.amazonaws.us-west-2.s3
    RouteTableIds: ["${route-table/a}"]
"""


@pytest.fixture
def ops(tmp_path: Path) -> Iterator[Host]:
    with host(tmp_path, 10.0, regions=("us-west-2",)) as made:
        assert made.run(CONFIG).outcome == "settled"
        made.aws.clear_calls()
        yield made


def test_the_route_of_a_gateway_endpoint_is_its_own_and_all_goes_in_order(ops: Host) -> None:
    routes = ops.seen(CONFIG, "route-table/a").raw["Routes"]
    assert any(str(one.get("GatewayId")).startswith("vpce-") for one in routes)
    assert ops.run(CONFIG).outcome == "settled"
    assert ops.writes() == [], "no list of routes takes it out"
    report = ops.destroy(CONFIG)
    assert report.count("failed", "blocked", "waiting") == 0


def test_a_deletion_that_is_answered_well_and_did_not_happen_is_no_success(ops: Host) -> None:
    with pytest.raises(Gone, match=r"InvalidVpcEndpointId\.NotFound"):
        ops.by_hand("ec2", "DeleteVpcEndpoints", VpcEndpointIds=["vpce-0123456789abcdef0"])
