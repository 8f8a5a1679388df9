"""What a pass does with what it could not read: nothing, and it says so."""

from __future__ import annotations

from threading import Event
from typing import Any

import pytest

from reconciler.aws.patience import Patience
from reconciler.model.verdicts import Settled, Steps, Wait
from reconciler.workers import workers
from tests.conformance.fixture import load, written
from tests.harness import Host
from tests.passes.estates import AI_GLOBAL, TWO_REGIONS

NETWORK = """
resources:
  vpc/a: {CidrBlock: 10.1.0.0/16}
  subnet/a: {VpcId: "${vpc/a}", CidrBlock: 10.1.1.0/24, AvailabilityZone: us-west-2a}
  target-group/a: {Name: front, Protocol: TCP, Port: 8000, VpcId: "${vpc/a}"}
"""


def deny(ops: Host, operation: str, service: str = "ec2") -> None:
    code = "UnauthorizedOperation" if service == "ec2" else "AccessDeniedException"
    ops.aws.fail(service, operation, code=code, status=403, times=1000)


@pytest.fixture(autouse=True)
def everywhere(ops: Host) -> None:
    """What cannot be read may be among what is asked everywhere."""
    ops.asks_everywhere = True


@pytest.mark.parametrize(
    ("service", "operation", "kind"),
    [
        ("networkmanager", "DescribeGlobalNetworks", "global-network"),
        ("networkmanager", "GetSites", "site"),
        ("ec2", "DescribeInstances", "instance"),
    ],
)
def test_a_kind_that_cannot_be_read_is_left_alone_and_others_are_not(
    ops: Host, service: str, operation: str, kind: str
) -> None:
    ops.run(AI_GLOBAL)
    edited = AI_GLOBAL.replace("Region One", "Region 1").replace("site/two", "site/three")
    if kind == "instance":  # an orphan of each kind stands ready to be deleted
        edited = edited.partition("  instance/worker")[0]
    deny(ops, operation, service)
    ops.aws.clear_calls()
    report = ops.run(edited, allow_shrink=True)
    whys = {scope.kind: why for scope, why in report.plan.unread.items()}
    assert "Denied" in whys[kind] or "Unauthorized" in whys[kind]
    deletes = {"global-network": "DeleteSite", "site": "DeleteSite", "instance": "TerminateInstances"}
    assert deletes[kind] not in ops.writes()
    assert not any(
        entry.scope.kind == kind and isinstance(entry.verdict, Steps) for entry in report.plan.entries
    )


def test_what_refers_to_something_unread_in_a_part_waits_for_it(ops: Host) -> None:
    text = written(load("target-group"))
    ops.run(text)
    deny(ops, "DescribeInstances")
    ops.aws.clear_calls()
    report = ops.run(text)
    entry = next(one for one in report.plan.entries if one.label == "target-group/subject")
    assert isinstance(entry.verdict, Wait)
    assert "instance/holder" in entry.verdict.why
    assert "could not be read" in entry.verdict.why
    assert ops.writes() == []


@pytest.mark.parametrize("fault", ["drop", "truncate"])
@pytest.mark.parametrize(
    ("service", "operation"),
    [
        ("networkmanager", "DescribeGlobalNetworks"),
        ("networkmanager", "GetSites"),
        ("ec2", "DescribeInstances"),
    ],
)
def test_answers_that_are_lost_or_cut_never_look_like_an_empty_world(
    ops: Host, fault: str, service: str, operation: str
) -> None:
    ops.run(AI_GLOBAL)
    ops.aws.clear_calls()
    getattr(ops.aws, fault)(service, operation, times=50)
    report = ops.loop(AI_GLOBAL).one_pass("test")
    assert report.plan.unread
    assert ops.writes() == []
    assert not any(isinstance(entry.verdict, Steps) for entry in report.plan.entries)


def test_what_lies_within_an_unread_network_is_unread_too(ops: Host) -> None:
    ops.run(AI_GLOBAL)
    ops.aws.drop("networkmanager", "DescribeGlobalNetworks", times=50)
    report = ops.loop(AI_GLOBAL).one_pass("test")
    assert {scope.kind for scope in report.plan.unread} == {"global-network", "site"}


def test_a_network_that_is_listed_and_cannot_be_looked_into_is_not_empty(ops: Host) -> None:
    ops.run(AI_GLOBAL)
    ops.aws.clear_calls()
    ops.aws.fail(
        "networkmanager",
        "GetSites",
        code="ValidationException",
        message="Incorrect input.",
        Reason="FieldValidationFailed",
        Fields=[{"Name": "globalNetworkId", "Message": "Global network not found."}],
    )
    report = ops.loop(AI_GLOBAL).one_pass("test")
    assert {scope.kind for scope in report.plan.unread} == {"site"}
    assert ops.writes() == []


def test_a_refused_region_blocks_only_itself(ops: Host) -> None:
    text = TWO_REGIONS
    ops.aws.on_call.append(refuse_region("eu-central-1"))
    report = ops.run(text, timeout=60)
    assert {scope.region for scope in report.plan.unread} == {"eu-central-1"}
    assert {entry.label for entry in report.plan.entries if isinstance(entry.verdict, Settled)} == {
        entry.label for entry in report.plan.entries if entry.scope.region == "us-west-2"
    }


def refuse_region(region: str):  # type: ignore[no-untyped-def]
    from reconciler.sandbox import AwsError, Call

    def hook(moment: str, call: Call) -> None:
        if moment == "before" and call.service == "ec2" and call.region == region:
            raise AwsError("UnauthorizedOperation", "denied by an organisation", 403)

    return hook


@pytest.mark.parametrize("everywhere", [True, False], ids=["discovery", "look"])
def test_a_silent_region_delays_and_blocks_only_itself(ops: Host, everywhere: bool) -> None:
    """It takes connections and says nothing: it is given up, and asked again only some time later."""
    ops.asks_everywhere = everywhere
    ops.clients_of_its_own()
    ops.use(workers(20), ops.time)
    loop, end = ops.loop(TWO_REGIONS), Event()
    loop.gateway.patience = Patience(seconds=0.2, rest=1000.0)
    asked: list[str] = []

    def silent(request: Any, **_: Any) -> None:
        if ".eu-central-1." in request.url:
            asked.append(request.url)
            assert end.wait(60)

    for service, region in (("ec2", ""), ("resourcegroupstaggingapi", ""), ("ec2", "eu-central-1")):
        client = loop.gateway.sessions.client("123456789012", service, region)
        client.meta.events.register_first("before-send", silent)
    try:
        report = loop.until_settled(60)
        assert {scope.region for scope in report.plan.unread} == {"eu-central-1"}
        assert all("eu-central-1 of 123456789012" in why for why in report.plan.unread.values())
        assert {entry.label for entry in report.plan.entries if isinstance(entry.verdict, Settled)} == {
            entry.label for entry in report.plan.entries if entry.scope.region == "us-west-2"
        }
        before = len(asked)
        loop.one_pass("test")
        assert len(asked) == before > 0
    finally:
        end.set()


def test_a_listener_that_discovery_may_not_find_is_not_made_on_another_load_balancer(ops: Host) -> None:
    ops.run(NETWORK)
    subnet, group = ops.seen(NETWORK, "subnet/a").id, ops.seen(NETWORK, "target-group/a").id
    theirs = [
        ops.by_hand(
            "elbv2", "CreateLoadBalancer", Name=name, Type="network", Scheme="internal", Subnets=[subnet]
        )
        for name in ("one", "other")
    ]
    one, other = (made["LoadBalancers"][0]["LoadBalancerArn"] for made in theirs)
    text = NETWORK + (
        f"  listener/a: {{LoadBalancerArn: {one}, Protocol: TCP, Port: 443,"
        f" DefaultActions: [{{Type: forward, TargetGroupArn: {group}}}]}}\n"
    )
    assert ops.run(text).outcome == "settled"
    ops.aws.clear_calls()
    deny(ops, "GetResources", "resourcegroupstaggingapi")
    report = ops.run(text.replace(one, other), timeout=120)
    assert ops.writes() == []
    assert report.count("blocked") == 1
