"""Load balancing: names that others have, listeners that others put on what is ours, and tags that are read apart."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.errors import ConfigError
from reconciler.kinds.balancing import LISTENER
from reconciler.sandbox.settings import Delays
from tests.conformance.fixture import load, written
from tests.harness import Host, host, tags

CONFIG = """
resources:
  vpc/a: {CidrBlock: 10.1.0.0/16}
  subnet/a: {VpcId: "${vpc/a}", CidrBlock: 10.1.1.0/24, AvailabilityZone: us-west-2a}
  target-group/a: {Name: front, Protocol: TCP, Port: 8000, VpcId: "${vpc/a}"}
  load-balancer/a: {Name: front, Type: network, Scheme: internal, Subnets: ["${subnet/a}"]}
  listener/a:
    LoadBalancerArn: ${load-balancer/a}
    Protocol: TCP
    Port: 443
    DefaultActions: [{Type: forward, TargetGroupArn: "${target-group/a}"}]
"""
NETWORK = "".join(CONFIG.splitlines(keepends=True)[:4])


@pytest.fixture
def ops(tmp_path: Path) -> Iterator[Host]:
    with host(tmp_path, 10.0, regions=("us-west-2",), page_size=50) as made:
        yield made


def settings(ops: Host) -> dict[str, Any]:
    subnet = ops.seen(NETWORK, "subnet/a").id
    return {"Name": "front", "Type": "network", "Scheme": "internal", "Subnets": [subnet]}


def test_somebody_elses_load_balancer_of_the_name_is_never_taken_for_ours(ops: Host) -> None:
    """AWS answers a creation with what is there, if it is just like it."""
    ops.run(NETWORK)
    (theirs,) = ops.by_hand("elbv2", "CreateLoadBalancer", **settings(ops))["LoadBalancers"]
    report = ops.run(CONFIG, timeout=120)
    told = {outcome.label: outcome for outcome in report.outcomes}
    assert told["load-balancer/a"].status == "blocked"
    assert theirs["LoadBalancerArn"] in told["load-balancer/a"].why
    (row,) = ops.rows("load-balancer")
    assert tags(row) == {}
    assert ops.rows("listener") == [], "nothing is put on it either"


def test_a_name_with_other_settings_is_told(ops: Host) -> None:
    ops.run(NETWORK)
    subnets = {**settings(ops), "IpAddressType": "dualstack"}
    ops.by_hand("elbv2", "CreateLoadBalancer", **subnets)
    report = ops.run(CONFIG, timeout=120)
    told = {outcome.label: outcome.why for outcome in report.outcomes}
    assert "exists, but with different settings" in told["load-balancer/a"]


def test_a_load_balancer_does_not_go_while_others_listen_on_it(ops: Host) -> None:
    assert ops.run(CONFIG).outcome == "settled"
    balancer = ops.seen(CONFIG, "load-balancer/a").id
    group = ops.seen(CONFIG, "target-group/a").id
    actions = [{"Type": "forward", "TargetGroupArn": group}]
    given = {"LoadBalancerArn": balancer, "Protocol": "TCP", "Port": 444, "DefaultActions": actions}
    (theirs,) = ops.by_hand("elbv2", "CreateListener", **given)["Listeners"]
    told = {outcome.label: outcome for outcome in ops.destroy(CONFIG).outcomes}
    assert theirs["ListenerArn"] in told["load-balancer/a"].why
    assert told["load-balancer/a"].on == "person"
    assert [row["ListenerArn"] for row in ops.rows("listener")] == [theirs["ListenerArn"]]
    ops.by_hand("elbv2", "DeleteListener", ListenerArn=theirs["ListenerArn"])
    report = ops.destroy(CONFIG)
    assert report.count("failed", "blocked", "waiting") == 0, report.outcomes
    assert ops.rows("load-balancer") == ops.ours("subnet") == []


def test_a_load_balancer_makes_no_way_for_its_successor_while_others_listen_on_it(ops: Host) -> None:
    """Its name is unique, so that it is deleted first; nothing in the config asks for what listens on it."""
    plain = "".join(CONFIG.splitlines(keepends=True)[:6])
    ops.run(plain)
    balancer, group = ops.seen(plain, "load-balancer/a").id, ops.seen(plain, "target-group/a").id
    actions = [{"Type": "forward", "TargetGroupArn": group}]
    given = {"LoadBalancerArn": balancer, "Protocol": "TCP", "Port": 444, "DefaultActions": actions}
    (theirs,) = ops.by_hand("elbv2", "CreateListener", **given)["Listeners"]
    other = plain.replace("Scheme: internal", "Scheme: internet-facing, replace: delete-first")
    told = {outcome.label: outcome for outcome in ops.run(other, timeout=120).outcomes}
    assert theirs["ListenerArn"] in told["load-balancer/a"].why
    assert ops.seen(plain, "load-balancer/a").id == balancer


def test_a_machine_is_a_target_once_it_runs(tmp_path: Path) -> None:
    with host(tmp_path, 0.0, delays=Delays(each={"instance": 20.0})) as slow:
        report = slow.run(written(load("target-group")), timeout=120)
        assert report.outcome == "settled"
        assert not [call for call in slow.aws.calls if call.error], "AWS refuses what is pending"


def test_tags_are_read_for_twenty_at_a_time(ops: Host) -> None:
    groups = "".join(
        f'  target-group/g{n}: {{Name: g{n}, Protocol: TCP, Port: 80, VpcId: "${{vpc/a}}"}}\n'
        for n in range(25)
    )
    text = NETWORK + groups
    assert ops.run(text).outcome == "settled"
    ops.aws.clear_calls()
    assert ops.run(text).outcome == "settled"
    asked = [
        len(call.parameters["ResourceArns"]) for call in ops.aws.calls if call.operation == "DescribeTags"
    ]
    assert sorted(asked) == [5, 20]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"TargetGroupArn": "a"}, {"ForwardConfig": {"TargetGroups": [{"TargetGroupArn": "a"}]}}),
        (
            {"TargetGroupArn": "a"},
            {
                "TargetGroupArn": "a",
                "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": "a", "Weight": 1}]},
            },
        ),
        (
            {"ForwardConfig": {"TargetGroups": [{"TargetGroupArn": one, "Weight": 5} for one in "ab"]}},
            {"ForwardConfig": {"TargetGroups": [{"TargetGroupArn": one, "Weight": 5} for one in "ba"]}},
        ),
    ],
)
def test_one_action_in_two_spellings_is_one(one: dict[str, Any], other: dict[str, Any]) -> None:
    normal = LISTENER.normal["DefaultActions"]
    assert normal([{"Type": "forward", **one}]) == normal([{"Type": "forward", **other}])


def test_another_weight_is_another_action() -> None:
    normal = LISTENER.normal["DefaultActions"]
    both = [
        [{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}]
        for groups in (
            [{"TargetGroupArn": "a", "Weight": 1}, {"TargetGroupArn": "b", "Weight": 1}],
            [{"TargetGroupArn": "a", "Weight": 9}, {"TargetGroupArn": "b", "Weight": 1}],
        )
    ]
    assert normal(both[0]) != normal(both[1])


def test_a_target_at_the_groups_own_port_says_so_by_saying_nothing(ops: Host) -> None:
    text = CONFIG.replace("Port: 8000, ", "Port: 8000, Targets: [{Id: i-0123456789abcdef0, Port: 8000}], ")
    with pytest.raises(ConfigError, match="8000 is the group's own port"):
        ops.plan(text)


def test_a_secret_has_no_place_in_an_action(ops: Host) -> None:
    action = "{Type: authenticate-oidc, AuthenticateOidcConfig: {Issuer: x, AuthorizationEndpoint: x, "
    action += "TokenEndpoint: x, UserInfoEndpoint: x, ClientId: x, ClientSecret: verysecret}}"
    text = CONFIG.replace("[{Type: forward", f"[{action}, {{Type: forward")
    with pytest.raises(ConfigError, match="outside of this config") as told:
        ops.plan(text)
    assert "verysecret" not in str(told.value)
