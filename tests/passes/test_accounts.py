"""Passes over two accounts: one config, one stack, and a role of the other account.

The local AWS has an account for each role that is assumed.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.aws.gateway import Gateway
from reconciler.aws.session import Sessions
from reconciler.errors import WrongAccount
from reconciler.model.verdicts import Wait
from reconciler.sandbox import local_aws
from tests.faults.killing import Course, Damage, Inline, Point, die, on_stage, points
from tests.faults.runs import Run
from tests.harness import ACCOUNT, Host

EDGE = "210987654321"
HEAD = f"""
stack: test
account: "{ACCOUNT}"
region: us-west-2
accounts:
  edge: {{id: "{EDGE}", role: "arn:aws:iam::{EDGE}:role/reconciler", external-id: a-secret-word}}
limits: {{deletes: 100, percent: 100, per-hour: 1000}}
"""
BOTH = (
    HEAD
    + """
resources:
  vpc/home: {CidrBlock: 10.0.0.0/16, protect: false}
  vpc/edge: {account: edge, CidrBlock: 10.1.0.0/16, protect: false}
  subnet/edge: {account: edge, VpcId: "${vpc/edge}", CidrBlock: 10.1.1.0/24}
  security-group/home: {GroupName: same, Description: one, VpcId: "${vpc/home}"}
  security-group/edge: {account: edge, GroupName: same, Description: two, VpcId: "${vpc/edge}"}
  vpc-peering-connection/both:
    VpcId: ${vpc/home}
    PeerVpcId: ${vpc/edge}
    PeerOwnerId: ${vpc/edge.OwnerId}
"""
)


def refuse(ops: Host, times: int = 1000) -> None:
    """The role of the other account may not be assumed any more."""
    ops.aws.fail("sts", "AssumeRole", code="AccessDenied", message="not authorized", status=403, times=times)


def test_two_accounts_are_made_settle_heal_and_go(ops: Host) -> None:
    ops.assumes_anew = True
    assert ops.run(BOTH).outcome == "settled"
    edge = ops.seen(BOTH, "vpc/edge")
    assert (edge.account, edge.raw["OwnerId"]) == (EDGE, EDGE)
    peering = ops.seen(BOTH, "vpc-peering-connection/both")
    assert (peering.account, peering.state) == (ACCOUNT, "active")
    ops.aws.clear_calls()
    assert ops.run(BOTH).outcome == "settled"
    assert ops.writes() == []
    asked = Counter(call.operation for call in ops.aws.calls if call.service == "sts")
    assert asked == {"GetCallerIdentity": 2, "AssumeRole": 1}

    ops.hand = ops.loop(BOTH).gateway
    (subnet,) = ops.ours("subnet", account=EDGE)
    ops.by_hand("ec2", "DeleteSubnet", SubnetId=subnet["SubnetId"], account=EDGE)
    report = ops.run(BOTH)
    assert report.outcome == "settled"
    assert len(ops.ours("subnet", account=EDGE)) == 1

    gone = ops.destroy(BOTH)
    assert gone.count("failed", "blocked", "waiting") == 0
    assert [ops.ours("vpc", account=account) for account in (ACCOUNT, EDGE)] == [[], []]


def test_an_account_whose_role_cannot_be_assumed_blocks_itself_alone(ops: Host) -> None:
    """Nothing of it is deleted, though the config has lost it, and nothing that it may use; the rest goes on."""
    ops.assumes_anew = True
    ops.run(BOTH)
    ops.aws.clear_calls()
    refuse(ops)
    less = f"""{BOTH.partition("  security-group/edge")[0]}
  security-group/new: {{GroupName: n, Description: n, VpcId: "${{vpc/home}}"}}
  volume/new: {{AvailabilityZone: us-west-2a, Size: 1}}
"""
    report = ops.loop(less, grace=0).one_pass("test")
    assert Counter(ops.writes()) == {"CreateVolume": 1, "CreateSecurityGroup": 1}
    why = {entry.label: entry.verdict for entry in report.plan.entries}
    for label in ("vpc/edge", "subnet/edge", "vpc-peering-connection/both"):
        found = why[label]
        assert isinstance(found, Wait), label
        assert f"the role arn:aws:iam::{EDGE}:role/reconciler cannot be used: sts:AssumeRole" in found.why
    assert {scope.account for scope in report.plan.denied} == {EDGE}
    ops.aws.clear_faults()
    assert ops.run(less).outcome == "settled"
    assert {"DeleteSecurityGroup", "DeleteVpcPeeringConnection"} <= set(ops.writes())


def test_a_thing_that_moved_out_of_an_account_that_cannot_be_seen_is_not_made_twice(ops: Host) -> None:
    ops.run(BOTH)
    refuse(ops)
    ops.aws.clear_calls()
    moved = BOTH.replace("vpc/edge: {account: edge, ", "vpc/edge: {")
    for _ in range(3):
        ops.loop(moved).one_pass("test")
        ops.time.wait(600, lambda: False)
    assert ops.writes() == []


def test_a_role_of_the_wrong_account_stops_everything(ops: Host) -> None:
    """`check` holds the role to the id: where STS says otherwise, something stands between AWS and us."""
    loop = ops.loop(BOTH)
    wrong = replace(loop.config.accounts["edge"], role="arn:aws:iam::999999999999:role/reconciler")
    loop.gateway = Gateway(
        Sessions(account=ACCOUNT, accounts={"edge": wrong}, region="us-west-2", stack="test")
    )
    with pytest.raises(WrongAccount, match=f"leads to account 999999999999 and the config says {EDGE}"):
        loop.one_pass("test")
    assert ops.writes() == []


def test_credentials_of_a_role_that_end_in_the_middle_are_had_anew(ops: Host) -> None:
    loop = ops.loop(BOTH, grace=0)
    loop.one_pass("test")
    ops.aws.fail("ec2", "CreateSubnet", code="ExpiredToken", message="ended", status=400)
    ops.aws.fail("ec2", "DescribeSubnets", code="ExpiredToken", message="ended", status=400)
    report = loop.one_pass("test")
    assert [str(scope) for scope in report.plan.unread] == [f"subnet in us-west-2 of {EDGE}"]
    assert not report.plan.denied
    assert loop.until_settled(600).outcome == "settled"


EXAMPLE = (Path(__file__).parents[2] / "config/two-accounts/estate.yaml").read_text()
LIMITLESS = "limits: {deletes: 100, percent: 100, per-hour: 1000}\n"


def share(ops: Host, text: str) -> None:
    """What a person does once: the home account's transit gateway is shared with the other account."""
    gateway = ops.seen(text, "transit-gateway/hub")
    ops.by_hand("ram", "CreateResourceShare", name="hub", resourceArns=[gateway.arn], principals=[EDGE])


def test_the_example_waits_to_be_shared_and_is_made_settles_heals_and_goes(ops: Host) -> None:
    first = ops.run(EXAMPLE, timeout=60)
    waits = {outcome.label: outcome for outcome in first.outcomes if outcome.status == "waiting"}
    assert "InvalidTransitGatewayID.NotFound" in waits["transit-gateway-vpc-attachment/edge"].why
    assert set(waits) == {"transit-gateway-vpc-attachment/edge", "route-table/edge"}

    share(ops, EXAMPLE)
    ops.aws.clear_calls()
    assert ops.run(EXAMPLE).outcome == "settled"
    assert "AcceptTransitGatewayVpcAttachment" in ops.writes()
    attached = ops.seen(EXAMPLE, "transit-gateway-vpc-attachment/edge")
    assert (attached.account, attached.state) == (EDGE, "available")
    ops.hand = ops.loop(EXAMPLE).gateway
    seen_at_home = {
        row["TransitGatewayAttachmentId"]: row for row in ops.rows("transit-gateway-vpc-attachment")
    }
    assert len(seen_at_home) == 2
    assert seen_at_home[attached.id]["VpcOwnerId"] == EDGE
    ops.aws.clear_calls()
    assert ops.run(EXAMPLE).outcome == "settled"
    assert ops.writes() == []

    ops.by_hand(
        "ec2",
        "DeleteTransitGatewayVpcAttachment",
        TransitGatewayAttachmentId=attached.id,
        account=EDGE,
    )
    assert ops.run(EXAMPLE).outcome == "settled"
    healed = ops.seen(EXAMPLE, "transit-gateway-vpc-attachment/edge")
    assert (healed.account, healed.state, healed.id == attached.id) == (EDGE, "available", False)

    assert ops.destroy(EXAMPLE + LIMITLESS).count("failed", "blocked", "waiting") == 0
    for account in (ACCOUNT, EDGE):
        for kind in ("vpc", "transit-gateway", "transit-gateway-vpc-attachment"):
            assert ops.ours(kind, account=account) == []


def test_what_the_home_account_has_refused_is_declined_there_when_it_goes(ops: Host) -> None:
    """An attachment that nobody has accepted yet: it is taken back by its account, or declined by the other."""
    unasked = EXAMPLE.replace("    accept: true # by the home account, which owns the gateway\n", "")
    ops.run(unasked, timeout=60)
    share(ops, unasked)
    report = ops.run(unasked, timeout=60)
    waits = {outcome.label: outcome for outcome in report.outcomes if outcome.status == "waiting"}
    assert "accept: true" in waits["transit-gateway-vpc-attachment/edge"].why
    ops.aws.clear_calls()
    assert ops.destroy(unasked + LIMITLESS).count("failed", "blocked", "waiting") == 0
    assert "RejectTransitGatewayVpcAttachment" in ops.writes()


ACROSS = {"CreateTransitGatewayVpcAttachment", "AcceptTransitGatewayVpcAttachment"}


def test_killed_around_what_it_does_in_the_other_account_it_comes_to_the_same_end(tmp_path: Path) -> None:
    def stage(host: Host) -> None:
        host.run(EXAMPLE, timeout=60)
        share(host, EXAMPLE)

    run = Run("accounts", stage, EXAMPLE)
    with local_aws(regions=("us-west-2",)) as aws:
        host = Host(aws, tmp_path / "state", Inline(), least_wait=10)

        def work(host: Host, course: Course) -> list[tuple[Point, Damage]]:
            chosen = [point for point in points(run.name, course) if point.boundary.operation in ACROSS]
            return die(host, run, course, chosen[::3])  # a spread over moments and what is left of the memory

        found = on_stage(host, run, work)
    assert {point.boundary.operation for point, _ in found} == ACROSS
    assert [(str(point), damage.problems) for point, damage in found if damage.problems] == []
