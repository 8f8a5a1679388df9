"""A mesh of regions that is written as lists: a cut of it lives, and the whole is what it should be."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from reconciler.kinds import BY_NAME
from reconciler.model.plan import Report
from reconciler.model.things import Ref
from tests import documents
from tests.harness import Host, host, read

FILE = Path(__file__).parents[2] / "config/twenty-regions/estate.yaml"
REGIONS = ("us-east-1", "us-west-1", "ap-northeast-1", "af-south-1")
"""Some whose zones are others than a, b and c."""
PENDING = 10
"""Peerings of one transit gateway that may wait to be accepted at one time."""
LIMIT = "TransitGatewayPeeringAttachmentLimitExceeded"


def cut(regions: tuple[str, ...], machines: int) -> str:
    """The same estate in fewer regions, with fewer machines in each zone."""
    config: dict[str, Any] = documents.load(FILE.read_text())
    every = config["lists"]["regions"]
    config["lists"]["regions"] = {name: every[name] for name in regions}
    for region in every.values():
        region["zones"] = {name: zone | {"machines": machines} for name, zone in region["zones"].items()}
    config["limits"] = {"deletes": 1000, "percent": 100, "per-hour": 1000}
    return documents.dump(config)


def test_the_whole_estate_is_what_it_should_be() -> None:
    """1,460 objects without machines: one network, ten a region, two subnets in each of 59 zones, 190 peerings with the
    acceptance, the two associations and the two routes of each, and what is at work, here by fifty machines a region.
    Of the ten a registration, an association and a propagation have no address, nor what is of a peering."""
    resources = read(FILE.read_text()).resources
    regions, zones, pairs = 20, 59, 20 * 19 // 2
    kinds = Counter(address.kind for address in resources)
    assert kinds == {
        "global-network": 1,
        **dict.fromkeys(("site", "vpc", "transit-gateway", "transit-gateway-vpc-attachment"), regions),
        **dict.fromkeys(("transit-gateway-route-table", "route-table", "security-group"), regions),
        "subnet": 2 * zones,
        "transit-gateway-peering-attachment": pairs,
        "instance": 50 * regions,
    }
    parts = sum(
        len(desired.spec[part.field])
        for address, desired in resources.items()
        if address.kind in {"global-network", "transit-gateway-route-table"}
        for part in BY_NAME[address.kind].parts
        if part.field in desired.spec
    )
    accepted, work = pairs, 1
    assert kinds.total() - kinds["instance"] + parts + accepted + work == 1460


def test_every_region_leads_to_every_other_by_the_peering_of_both() -> None:
    config = read(FILE.read_text())
    tables = {
        one.region: one.spec
        for one in config.resources.values()
        if one.address.kind == "transit-gateway-route-table"
    }
    nets = {
        one.region: one.spec["CidrBlock"] for one in config.resources.values() if one.address.kind == "vpc"
    }
    order = list(nets)
    for here, spec in tables.items():
        beyond = {there: "-".join(sorted((here, there), key=order.index)) for there in order if there != here}
        routes = {
            route["DestinationCidrBlock"]: route["TransitGatewayAttachmentId"].to.name
            for route in spec["Routes"]
        }
        assert routes == {nets[there].replace("/16", "/14"): name for there, name in beyond.items()}
        attached = [one["TransitGatewayAttachmentId"] for one in spec["Associations"]]
        assert {one.to.name for one in attached if isinstance(one, Ref)} == {here, *beyond.values()}
    machines = Counter(
        one.spec["SubnetId"].to.name for one in config.resources.values() if one.address.kind == "instance"
    )
    for region in nets:
        counts = [count for subnet, count in machines.items() if subnet.startswith(f"{region}-private-")]
        assert sum(counts) == 50
        assert max(counts) - min(counts) <= 1


def test_a_mesh_of_four_regions_lives(tmp_path: Path) -> None:
    text = cut(REGIONS, machines=1)
    with host(tmp_path, 25.0, regions=(*REGIONS, "us-west-2"), page_size=1000) as ops:
        report = ops.run(text, timeout=3600)
        assert report.outcome == "settled", [one for one in report.outcomes if one.status != "settled"]
        assert [call for call in ops.aws.calls if call.error] == []
        ops.aws.clear_calls()
        assert ops.loop(text).one_pass("test").outcome == "settled"
        assert ops.writes() == []
        report = ops.run(text, timeout=3600, destroy=True, unprotected=True)
        assert report.count("failed", "blocked", "waiting") == 0
        assert ops.loop(text).look().owned == ()
        assert [call for call in ops.aws.calls if call.error] == []


def hub(hub_asks: bool) -> str:
    """One transit gateway with more peerings than may wait at one time, of which it asks for all or accepts all."""
    sides = ("hub", "us-west-2"), ("spoke-${each.n}", "eu-west-1")
    (asks, region), (accepts, other) = sides if hub_asks else sides[::-1]
    return f"""
        lists: {{spokes: [{", ".join(map(str, range(PENDING + 3)))}]}}
        resources:
          transit-gateway/hub: {{region: us-west-2}}
          transit-gateway/spoke-${{each.n}}: {{for: {{n: spokes}}, region: eu-west-1}}
          transit-gateway-peering-attachment/${{each.n}}:
            for: {{n: spokes}}
            region: {region}
            TransitGatewayId: ${{transit-gateway/{asks}}}
            PeerTransitGatewayId: ${{transit-gateway/{accepts}}}
            PeerAccountId: "123456789012"
            PeerRegion: {other}
        """


def passes(ops: Host, text: str, most: int) -> list[Report]:
    """Passes, half a minute apart, until nothing is left to do."""
    loop, found = ops.loop(text), list[Report]()
    while len(found) < most and (not found or found[-1].outcome != "settled"):
        found.append(loop.one_pass("test"))
        ops.aws.clock.advance(30)
    return found


@pytest.mark.parametrize("hub_asks", [True, False])
def test_peerings_are_asked_for_in_turn(ops: Host, hub_asks: bool) -> None:
    """No more than AWS lets wait, on either side: of more, one side is refused, and the other has failed for good."""
    reports = passes(ops, hub(hub_asks), 20)
    assert reports[-1].outcome == "settled"
    assert [report.count("failed", "blocked") for report in reports] == [0] * len(reports)
    assert [call for call in ops.aws.calls if call.error] == []
    made = ops.ours("transit-gateway-peering-attachment", "us-west-2" if hub_asks else "eu-west-1")
    assert len(made) == PENDING + 3


def test_where_others_let_peerings_wait_aws_is_asked_again_until_it_takes_one(ops: Host) -> None:
    """Nobody here knows of theirs, so that AWS refuses: that is waited for, and nothing has failed."""
    text = hub(hub_asks=True)
    gateways = text.partition("          transit-gateway-peering")[0]
    assert passes(ops, gateways, 5)[-1].outcome == "settled"
    (asks,) = ops.ours("transit-gateway", "us-west-2")
    theirs = [
        ops.by_hand(
            "ec2",
            "CreateTransitGatewayPeeringAttachment",
            TransitGatewayId=asks["TransitGatewayId"],
            PeerTransitGatewayId=ops.by_hand("ec2", "CreateTransitGateway", "eu-central-1")["TransitGateway"][
                "TransitGatewayId"
            ],
            PeerAccountId="123456789012",
            PeerRegion="eu-central-1",
        )["TransitGatewayPeeringAttachment"]["TransitGatewayAttachmentId"]
        for _ in range(PENDING)
    ]
    ops.aws.clear_calls()
    refused = passes(ops, text, 3)
    assert {call.error for call in ops.aws.calls if call.error} == {LIMIT}
    assert [report.count("failed", "blocked") for report in refused] == [0, 0, 0]
    assert {report.outcome for report in refused} == {"waiting"}
    for id in theirs:
        ops.by_hand("ec2", "DeleteTransitGatewayPeeringAttachment", TransitGatewayAttachmentId=id)
    assert passes(ops, text, 20)[-1].outcome == "settled"
