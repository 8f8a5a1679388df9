"""A realistic estate lives: three regions, a data centre and another cloud's network, from nothing and back again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.desired import File, build
from reconciler.kinds import BY_NAME
from reconciler.model.things import Observed
from tests.harness import SCHEMA, Host, host, read

FOLDER = Path(__file__).parents[2] / "config/three-regions"
REGIONS = ("ap-northeast-1", "eu-central-1", "us-east-1")


def whole() -> str:
    """The folder's files as one, with limits that let a hundred things go."""
    config: dict[str, Any] = {}
    for path in sorted(FOLDER.glob("*.yaml")):
        for key, value in yaml.safe_load(path.read_text()).items():
            config[key] = config[key] | value if isinstance(config.get(key), dict) else value
    config["limits"] = {"deletes": 1000, "percent": 100, "per-hour": 1000}
    return str(yaml.safe_dump(config, sort_keys=False))


CONFIG = whole()


ONE_BY_ONE = {
    "DescribeVpcAttribute": 6,
    "GetInstanceProfile": 1,
    "GetRole": 2,
    "GetRolePolicy": 1,
    "GetTransitGatewayRouteTableAssociations": 3,
    "GetTransitGatewayRouteTablePropagations": 3,
    "ListAttachedRolePolicies": 1,
    "ListRolePolicies": 1,
    "SearchTransitGatewayRoutes": 3,
}
"""What AWS shows for one thing alone: two attributes of each VPC, a role's tags and policies, a table's attachments and
routes."""

BEHIND = {
    "us-east-1": ("10.16.0.0/12", "10.128.0.0/20"),
    "eu-central-1": ("10.32.0.0/12", "172.20.0.0/16"),
    "ap-northeast-1": ("10.48.0.0/12",),
}
"""What each region leads to: its own VPC, and Google's network or the data centre."""


@pytest.fixture(scope="module")
def ops(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    folder = tmp_path_factory.mktemp("three")
    with host(folder, 10.0, regions=(*REGIONS, "us-west-2"), page_size=1000) as made:
        yield made


def test_a_folder_is_one_good_config() -> None:
    files = [File(path.name, path.read_bytes()) for path in sorted(FOLDER.glob("*.yaml"))]
    config = build(files, "three-regions", kinds=BY_NAME, schema=SCHEMA, variables={}, environment={})
    assert config.resources.keys() == read(CONFIG).resources.keys()


def test_it_is_made_by_one_run_and_the_next_look_writes_nothing(ops: Host) -> None:
    report = ops.run(CONFIG, timeout=3600)
    assert report.outcome == "settled", [one for one in report.outcomes if one.status != "settled"]
    assert [call for call in ops.aws.calls if call.error] == [], "everything is asked for when AWS can do it"
    ops.aws.clear_calls()
    report = ops.loop(CONFIG).one_pass("test")
    assert report.outcome == "settled"
    assert ops.writes() == []
    lists = {
        (BY_NAME[desired.address.kind].read.operation, desired.region)
        for desired in read(CONFIG).resources.values()
    }
    further = {
        (one.operation, desired.region)
        for desired in read(CONFIG).resources.values()
        for one in BY_NAME[desired.address.kind].read.companions
        if not one.fields or one.fields & desired.spec.keys()
    }
    made = Counter(call.operation for call in ops.aws.calls)
    expected = Counter([operation for operation, _ in (*lists, *further)]) + Counter(ONE_BY_ONE)
    assert made == expected, "one list a kind and region, and what cannot be listed"
    assert report.calls == expected.total()


def joined(ops: Host) -> None:
    """Each region's table leads to what lies behind the two others, by the peering with each, which looks into it."""
    seen = ops.loop(CONFIG).look().owned
    peerings = {thing.id: thing for thing in seen if thing.kind == "transit-gateway-peering-attachment"}
    assert [thing.state for thing in peerings.values()] == ["available"] * 3
    tables = {thing.region: thing for thing in seen if thing.kind == "transit-gateway-route-table"}
    for here, table in tables.items():
        beyond = {}
        for id, peering in peerings.items():
            sides = {peering.region, peering.spec["PeerRegion"]}
            if here in sides:
                (beyond[id],) = sides - {here}
        assert sorted(beyond.values()) == sorted(set(REGIONS) - {here})
        assert beyond.keys() <= {one["TransitGatewayAttachmentId"] for one in table.raw["Associations"]}
        routes = {
            (
                route["DestinationCidrBlock"],
                beyond[route["TransitGatewayAttachments"][0]["TransitGatewayAttachmentId"]],
            )
            for route in table.raw["Routes"]
            if route["State"] == "active"
        }
        assert routes == {(block, there) for there in beyond.values() for block in BEHIND[there]}


def test_the_regions_reach_each_other(ops: Host) -> None:
    joined(ops)


def test_one_edit_by_hand_to_each_kind_is_mended(ops: Host) -> None:
    things = {thing.kind: thing for thing in ops.loop(CONFIG).look().owned}
    assert things.keys() == {address.kind for address in read(CONFIG).resources}
    for thing in things.values():
        kind = BY_NAME[thing.kind]
        put = kind.tagged.put(thing, [{"Key": "team", "Value": "somebody else's"}])
        ops.by_hand(kind.service, kind.tagged.operations[0], thing.region, **put)
    parts = cut(ops, things)
    ops.aws.clear_calls()
    report = ops.run(CONFIG, timeout=3600)
    assert report.outcome == "settled", [one for one in report.outcomes if one.status != "settled"]
    after = {thing.kind: thing for thing in ops.loop(CONFIG).look().owned}
    assert {thing.id for thing in after.values()} == {thing.id for thing in things.values()}
    assert {thing.tags["team"] for thing in after.values()} == {"ml-platform"}
    assert set(ops.writes()) >= parts


def cut(ops: Host, things: dict[str, Observed]) -> set[str]:
    """What things hold is taken out of them; gives the operations that put it back."""
    table, group = things["route-table"], things["security-group"]
    ops.by_hand(
        "ec2",
        "DeleteRoute",
        table.region,
        RouteTableId=table.id,
        DestinationCidrBlock=table.spec["Routes"][-1]["DestinationCidrBlock"],
    )
    rules = [rule["SecurityGroupRuleId"] for rule in group.raw["Rules"] if not rule["IsEgress"]]
    ops.by_hand(
        "ec2", "RevokeSecurityGroupIngress", group.region, GroupId=group.id, SecurityGroupRuleIds=rules
    )
    ops.by_hand("iam", "DeleteRolePolicy", RoleName="flow-logs", PolicyName="write")
    ops.by_hand("iam", "RemoveRoleFromInstanceProfile", InstanceProfileName="worker", RoleName="worker")
    leads = things["transit-gateway-route-table"]
    ops.by_hand(
        "ec2",
        "DeleteTransitGatewayRoute",
        leads.region,
        TransitGatewayRouteTableId=leads.id,
        DestinationCidrBlock=leads.spec["Routes"][-1]["DestinationCidrBlock"],
    )
    machine = things["instance"]
    ops.by_hand(
        "ec2",
        "ModifyInstanceMetadataOptions",
        machine.region,
        InstanceId=machine.id,
        HttpTokens="optional",
    )
    return {
        "CreateRoute",
        "CreateTransitGatewayRoute",
        "PutRolePolicy",
        "AddRoleToInstanceProfile",
        "ModifyInstanceMetadataOptions",
        "AuthorizeSecurityGroupIngress",
    }


def test_a_peering_that_somebody_deletes_is_made_again_with_its_routes(ops: Host) -> None:
    lost = ops.seen(CONFIG, "transit-gateway-peering-attachment/us-eu")
    ops.by_hand(
        "ec2", "DeleteTransitGatewayPeeringAttachment", lost.region, TransitGatewayAttachmentId=lost.id
    )
    report = ops.run(CONFIG, timeout=3600)
    assert report.outcome == "settled", [one for one in report.outcomes if one.status != "settled"]
    assert ops.seen(CONFIG, "transit-gateway-peering-attachment/us-eu").id != lost.id
    joined(ops)


def test_it_is_destroyed_to_nothing_in_order(ops: Host) -> None:
    ops.aws.clear_calls()
    report = ops.run(CONFIG, timeout=3600, destroy=True, unprotected=True)
    assert report.count("failed", "blocked", "waiting") == 0
    assert ops.loop(CONFIG).look().owned == ()
    assert [call for call in ops.aws.calls if call.error] == []
