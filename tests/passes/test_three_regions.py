"""A realistic estate lives: three regions, a data centre and another cloud's network, from nothing and back again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from reconciler.desired import File, build
from reconciler.kinds import BY_NAME
from reconciler.model.things import Observed
from tests import documents
from tests.harness import FACTS, SCHEMA, Host, host, read

FOLDER = Path(__file__).parents[2] / "config/three-regions"
REGIONS = ("ap-northeast-1", "eu-central-1", "us-east-1")


def whole() -> str:
    """The folder's files as one, with limits that let a hundred things go."""
    config: dict[str, Any] = {}
    for path in sorted(FOLDER.glob("*.yaml")):
        for key, value in documents.load(path.read_text()).items():
            config[key] = config[key] | value if isinstance(config.get(key), dict) else value
    config["limits"] = {"deletes": 1000, "percent": 100, "per-hour": 1000}
    return documents.dump(config)


CONFIG = whole()


ONE_BY_ONE = {
    "DescribeLaunchTemplateVersions": 3,
    "DescribeLoadBalancerAttributes": 3,
    "DescribeTags": 9,
    "DescribeTargetGroupAttributes": 3,
    "DescribeVpcAttribute": 6,
    "GetInstanceProfile": 1,
    "GetRole": 2,
    "GetRolePolicy": 1,
    "GetTransitGatewayRouteTableAssociations": 3,
    "GetTransitGatewayRouteTablePropagations": 3,
    "ListAttachedRolePolicies": 1,
    "ListEndpointGroups": 1,
    "ListListeners": 1,
    "ListResourceRecordSets": 1,
    "ListRolePolicies": 1,
    "ListTagsForResource": 1,
    "ListTagsForResources": 1,
    "SearchTransitGatewayRoutes": 3,
}
"""What AWS shows for one thing alone: two attributes of each VPC, a role's tags and policies, a table's attachments and
routes, the data of a launch template, attributes of what balances load, a zone's records, an accelerator's listeners
and their endpoints; and tags where no list has them, of up to twenty things at once."""

PEERING, ATTACHMENT = "transit-gateway-peering-attachment", "TransitGatewayPeeringAttachment"
BEHIND = {
    "us-east-1": ("10.16.0.0/12", "10.128.0.0/20"),
    "eu-central-1": ("10.32.0.0/12", "172.20.0.0/16"),
    "ap-northeast-1": ("10.48.0.0/12",),
}
"""What each region leads to: its own VPC, and Google's network or the data centre."""


@pytest.fixture(scope="module")
def ops(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    folder = tmp_path_factory.mktemp("three")
    with host(folder, 25.0, regions=(*REGIONS, "us-west-2"), page_size=1000) as made:
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


def joined(seen: Collection[Observed]) -> None:
    """Each region's table leads to what lies behind the two others, by the peering with each, which looks into it."""
    peerings = {thing.id: thing for thing in seen if thing.kind == PEERING}
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


def rules(group: Observed) -> list[str]:
    return [rule["SecurityGroupRuleId"] for rule in group.raw["Rules"] if not rule["IsEgress"]]


Edit = tuple[str, Callable[[Observed], dict[str, Any]], str]
EDITS: Mapping[str, Edit] = {
    "accelerator": ("UpdateAccelerator", lambda _: {"Name": "theirs"}, "UpdateAccelerator"),
    "auto-scaling-group": (
        "UpdateAutoScalingGroup",
        lambda _: {"MaxSize": 20},
        "UpdateAutoScalingGroup",
    ),
    "device": ("UpdateDevice", lambda _: {"Model": "another"}, "UpdateDevice"),
    "global-network": ("UpdateGlobalNetwork", lambda _: {"Description": "ours"}, "UpdateGlobalNetwork"),
    "hosted-zone": ("UpdateHostedZoneComment", lambda _: {"Comment": "theirs"}, "UpdateHostedZoneComment"),
    "iam-role": ("DeleteRolePolicy", lambda _: {"PolicyName": "write"}, "PutRolePolicy"),
    "instance": (
        "ModifyInstanceMetadataOptions",
        lambda _: {"HttpTokens": "optional"},
        "ModifyInstanceMetadataOptions",
    ),
    "instance-profile": (
        "RemoveRoleFromInstanceProfile",
        lambda _: {"RoleName": "worker"},
        "AddRoleToInstanceProfile",
    ),
    "launch-template": ("ModifyLaunchTemplate", lambda _: {"DefaultVersion": "2"}, "ModifyLaunchTemplate"),
    "link": ("UpdateLink", lambda _: {"Provider": "another"}, "UpdateLink"),
    "listener": ("ModifyListener", lambda _: {"Port": 8443}, "ModifyListener"),
    "load-balancer": (
        "ModifyLoadBalancerAttributes",
        lambda _: {"Attributes": [{"Key": "load_balancing.cross_zone.enabled", "Value": "false"}]},
        "ModifyLoadBalancerAttributes",
    ),
    "route-table": (
        "DeleteRoute",
        lambda table: {"DestinationCidrBlock": table.spec["Routes"][-1]["DestinationCidrBlock"]},
        "CreateRoute",
    ),
    "security-group": (
        "RevokeSecurityGroupIngress",
        lambda group: {"SecurityGroupRuleIds": rules(group)},
        "AuthorizeSecurityGroupIngress",
    ),
    "site": ("UpdateSite", lambda _: {"Description": "elsewhere"}, "UpdateSite"),
    "target-group": ("ModifyTargetGroup", lambda _: {"HealthCheckPath": "/"}, "ModifyTargetGroup"),
    "transit-gateway": (
        "ModifyTransitGateway",
        lambda _: {"Options": {"VpnEcmpSupport": "disable"}},
        "ModifyTransitGateway",
    ),
    "transit-gateway-route-table": (
        "DeleteTransitGatewayRoute",
        lambda table: {"DestinationCidrBlock": table.spec["Routes"][-1]["DestinationCidrBlock"]},
        "CreateTransitGatewayRoute",
    ),
    "transit-gateway-vpc-attachment": (
        "ModifyTransitGatewayVpcAttachment",
        lambda attachment: {"RemoveSubnetIds": attachment.spec["SubnetIds"][:1]},
        "ModifyTransitGatewayVpcAttachment",
    ),
    "vpc": ("ModifyVpcAttribute", lambda _: {"EnableDnsHostnames": {"Value": False}}, "ModifyVpcAttribute"),
    "vpc-endpoint": (
        "ModifyVpcEndpoint",
        lambda endpoint: {"RemoveSubnetIds": endpoint.spec["SubnetIds"][:1]},
        "ModifyVpcEndpoint",
    ),
    "vpn-connection": (
        "ModifyVpnTunnelOptions",
        lambda connection: {
            "VpnTunnelOutsideIpAddress": connection.spec["Options"]["TunnelOptions"][0]["OutsideIpAddress"],
            "TunnelOptions": {"DPDTimeoutAction": "clear"},
        },
        "ModifyVpnTunnelOptions",
    ),
}
"""What somebody else does to one thing of each kind of which something beside tags can change, by its operation and
parameters, and the operation that mends it."""
BEFORE = {
    "launch-template": (
        "CreateLaunchTemplateVersion",
        {"LaunchTemplateData": {"ImageId": "ami-0123456789abcdef0"}},
    ),
}
"""What he does first."""
HELD = {"internet-gateway": "AWS does not let it leave a network in which there are public addresses"}
"""Kinds whose fields nobody can change here."""


def chosen(seen: Collection[Observed]) -> dict[str, Observed]:
    """One thing of each kind: an endpoint that has subnets, and the role that has a policy of its own."""
    things = {thing.kind: thing for thing in seen if thing.spec.get("VpcEndpointType") != "Gateway"}
    return things | {"iam-role": next(thing for thing in seen if str(thing.address) == "iam-role/flow-logs")}


def by_hand(ops: Host, thing: Observed) -> None:
    """Somebody else's tag on a thing, and his edit to it."""
    kind = BY_NAME[thing.kind]
    tag = kind.tagged.put(thing, [{"Key": "team", "Value": "somebody else's"}])
    ops.by_hand(kind.service, kind.tagged.operations[0], thing.region, **tag)
    if thing.kind in EDITS:
        operation, parameters, _ = EDITS[thing.kind]
        place = {name: thing.raw[name] for name in kind.identity}
        whose = {**place, **kind.handle_of(thing)}
        if thing.kind in BEFORE:
            first, more = BEFORE[thing.kind]
            ops.by_hand(kind.service, first, thing.region, **whose, **more)
        ops.by_hand(kind.service, operation, thing.region, **{**whose, **parameters(thing)})


def test_the_regions_reach_each_other_whatever_somebody_edits_or_deletes(ops: Host) -> None:
    """One edit to each kind, of its tags and of what else can change, and a peering is deleted."""
    config = read(CONFIG)
    can_change = {
        desired.address.kind
        for desired in config.resources.values()
        for name in desired.spec
        if FACTS[desired.address.kind].fields[name].mutable
    }
    assert EDITS.keys() == can_change - HELD.keys()
    seen = ops.loop(CONFIG).look().owned
    joined(seen)
    things, (lost, *_) = chosen(seen), [thing for thing in seen if thing.kind == PEERING]
    assert things.keys() == {address.kind for address in config.resources}
    assert lost is not things[PEERING]
    for thing in things.values():
        by_hand(ops, thing)
    ops.by_hand("ec2", f"Delete{ATTACHMENT}", lost.region, TransitGatewayAttachmentId=lost.id)
    ops.aws.clear_calls()
    report = ops.run(CONFIG, timeout=3600)
    assert report.outcome == "settled", [one for one in report.outcomes if one.status != "settled"]
    assert set(ops.writes()) >= {mended for _, _, mended in EDITS.values()}
    after = ops.loop(CONFIG).look().owned
    joined(after)
    ids = {thing.id for thing in after}
    assert len(ids) == len(seen)
    assert {thing.id for thing in seen} - ids == {lost.id}
    assert {thing.tags["team"] for thing in after} == {"ml-platform"}


def test_it_is_destroyed_to_nothing_in_order(ops: Host) -> None:
    ops.aws.clear_calls()
    report = ops.run(CONFIG, timeout=3600, destroy=True, unprotected=True)
    assert report.count("failed", "blocked", "waiting") == 0
    assert ops.loop(CONFIG).look().owned == ()
    assert [call for call in ops.aws.calls if call.error] == []
