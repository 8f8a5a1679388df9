"""Whole passes of a fight: somebody else writes what we put right, again and again."""

from __future__ import annotations

import json

import pytest

from reconciler.loop import Loop
from reconciler.model.plan import Outcome, Report
from reconciler.model.verdicts import Blocked
from tests.harness import Host, read

TEXT = """
resources:
  global-network/n: {Description: ours}
  site/one: {GlobalNetworkId: "${global-network/n}", Description: ours}
"""
APART = 900.0


def meddle(ops: Host, to: str = "theirs") -> None:
    """Somebody else changes the description of the network."""
    (row,) = ops.rows("global-network")
    ops.by_hand(
        "networkmanager", "UpdateGlobalNetwork", GlobalNetworkId=row["GlobalNetworkId"], Description=to
    )


def fight(ops: Host, loop: Loop | None = None, rounds: int = 3, text: str = TEXT) -> Report:
    """So many times it differs a quarter of an hour later, and a pass comes: of one process, or of a new one each."""
    report = ops.run(text)
    for _ in range(rounds):
        ops.aws.clock.advance(APART)
        meddle(ops)
        report = loop.until_settled(600) if loop else ops.run(text)
    return report


def of(report: Report, label: str = "global-network/n") -> Outcome:
    return next(outcome for outcome in report.outcomes if outcome.label == label)


def described(ops: Host) -> str:
    return str(ops.rows("global-network")[0]["Description"])


@pytest.mark.parametrize("one_process", [True, False])
def test_the_fourth_time_nothing_is_done_to_it_and_others_go_on(ops: Host, one_process: bool) -> None:
    loop = ops.loop(TEXT) if one_process else None
    fight(ops, loop)
    assert described(ops) == "ours"
    ops.aws.clock.advance(300)
    meddle(ops)
    more = TEXT + '  site/two: {GlobalNetworkId: "${global-network/n}"}\n'
    if loop:
        loop.take(read(more))
    ops.aws.clear_calls()
    report = loop.until_settled(600) if loop else ops.run(more)
    assert of(report).status == "blocked"
    assert "Description was put right 3 times within an hour and differs again" in of(report).why
    assert of(report, "site/two").status == "settled", "others go on"
    assert "UpdateGlobalNetwork" not in ops.writes()
    assert described(ops) == "theirs"
    told = ops.entry(more, "global-network/n").verdict
    assert isinstance(told, Blocked)
    assert told.why == of(report).why, "`plan` says so too"


def test_aws_names_who_else_writes(ops: Host) -> None:
    fight(ops)
    ops.aws.clock.advance(400)
    meddle(ops)
    report = ops.run(TEXT)
    assert "CloudTrail names arn:aws:iam::123456789012:user/" in of(report).why
    assert "(UpdateGlobalNetwork at 2026-" in of(report).why
    assert "CreateGlobalNetwork" not in of(report).why, "what we did is not told"
    lookups = [call for call in ops.aws.calls if call.operation == "LookupEvents"]
    assert {call.region for call in lookups} == {"us-west-2"}
    before = len(lookups)
    ops.aws.clock.advance(900)
    assert of(ops.run(TEXT)).why == of(report).why
    assert sum(call.operation == "LookupEvents" for call in ops.aws.calls) == before, "it is asked once"


def test_events_come_late_and_are_asked_for_again(ops: Host) -> None:
    loop = ops.loop(TEXT)
    loop.until_settled(600)
    for _ in range(25):  # somebody answers each of our changes at once
        meddle(ops)
        ops.aws.clock.advance(5)
        report = loop.one_pass("test")
        ops.aws.clock.advance(5)
    assert "CloudTrail does not show yet who else writes it" in of(report).why
    assert "`aws cloudtrail lookup-events --region us-west-2 --start-time 2026-" in of(report).why
    ops.aws.clock.advance(400)
    assert "CloudTrail names arn:" in of(loop.one_pass("test")).why


def test_a_thing_that_is_deleted_while_it_is_stopped_is_made_again(ops: Host) -> None:
    loop = ops.loop(TEXT)
    loop.until_settled(600)
    for _ in range(25):
        meddle(ops)
        ops.aws.clock.advance(5)
        report = loop.one_pass("test")
        ops.aws.clock.advance(5)
    assert "does not show yet who else writes it" in of(report).why
    (network,), (site,) = ops.rows("global-network"), ops.rows("site")
    of_network = {"GlobalNetworkId": network["GlobalNetworkId"]}
    ops.by_hand("networkmanager", "DeleteSite", **of_network, SiteId=site["SiteId"])
    ops.aws.clock.advance(60)
    ops.by_hand("networkmanager", "DeleteGlobalNetwork", **of_network)
    ops.aws.clock.advance(400)  # AWS would be asked again now
    assert loop.until_settled(600).outcome == "settled"
    assert described(ops) == "ours"


def test_where_the_trail_may_not_be_read_it_says_how_to(ops: Host) -> None:
    fight(ops)
    meddle(ops)
    ops.aws.fail("cloudtrail", "LookupEvents", code="AccessDeniedException", times=9)
    report = ops.run(TEXT)
    assert of(report).status == "blocked"
    assert "who else writes it cannot be told" in of(report).why
    assert "AccessDenied" in of(report).why
    assert "aws cloudtrail lookup-events" in of(report).why


def test_it_ends_when_a_person_says_so_or_wants_something_else_or_after_an_hour_of_order(ops: Host) -> None:
    fight(ops)
    meddle(ops)
    assert of(ops.run(TEXT)).status == "blocked"

    other = TEXT.replace("n: {Description: ours}", "n: {Description: new}")
    assert ops.run(other).outcome == "settled"
    assert described(ops) == "new"

    fight(ops)
    meddle(ops)
    assert of(ops.run(TEXT)).status == "blocked"
    assert ops.run(TEXT.replace("n: {", "n: {ignore: [Description], ")).outcome == "settled"
    loop = ops.loop(TEXT)
    assert of(loop.until_settled(600)).status == "blocked"
    loop.resumed = lambda: {"global-network/n": loop.clock.now()}
    del loop.breaker
    assert loop.until_settled(600).outcome == "settled"
    assert described(ops) == "ours"

    fight(ops)
    meddle(ops)
    assert of(ops.run(TEXT)).status == "blocked"
    meddle(ops, "ours")  # somebody has given in
    ops.run(TEXT)
    ops.aws.clock.advance(3700)
    ops.run(TEXT)
    meddle(ops)
    assert ops.run(TEXT).outcome == "settled", "it was in order for an hour"


def test_losing_the_state_directory_forgets_it_and_what_is_kept_holds_no_value(ops: Host) -> None:
    secret = TEXT.replace("n: {Description: ours}", "n: {Description: hunter2}")
    fight(ops, text=secret)
    kept = (ops.state / "memory.jsonl").read_text()
    assert '"flap"' in kept
    assert "hunter2" not in kept
    assert all(isinstance(json.loads(line), dict) for line in kept.splitlines())
    meddle(ops)
    assert of(ops.run(secret)).status == "blocked"
    ops.forget()
    assert ops.run(secret).outcome == "settled"


def test_what_is_put_into_a_thing_that_was_made_anew_begins_a_new_count(ops: Host) -> None:
    base = TEXT + "  vpc/one: {region: us-west-2, CidrBlock: 10.0.0.0/16}\n"
    gateway = '  internet-gateway/one: {region: us-west-2, VpcId: "${vpc/one}"}\n'
    loop = ops.loop(base)
    loop.until_settled(600)
    for _ in range(5):
        loop.take(read(base + gateway))
        report = loop.until_settled(600)
        assert of(report, "internet-gateway/one").status in {"settled", "updated"}
        ops.aws.clock.advance(120)
        loop.take(read(base))
        loop.until_settled(600)
        ops.aws.clock.advance(120)
