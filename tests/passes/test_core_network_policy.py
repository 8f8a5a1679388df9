"""A policy of a core network becomes live with one change set, however often the program dies on the way."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from reconciler.errors import ConfigError
from reconciler.sandbox import local_aws
from tests import documents
from tests.conformance.fixture import Fixture, load
from tests.faults.killing import Course, Damage, Inline, Point, die, on_stage, points
from tests.faults.runs import Run, settle
from tests.harness import REGIONS, Host

CONFIG = Fixture("core-network")
CHANGES = {
    "UpdateCoreNetwork",
    "PutResourcePolicy",
    "TagResource",
    "PutCoreNetworkPolicy",
    "ExecuteCoreNetworkChangeSet",
}


def versions(ops: Host) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ops.by_hand(
        "networkmanager", "ListCoreNetworkPolicyVersions", CoreNetworkId=network(ops)
    )["CoreNetworkPolicyVersions"]
    return found


def network(ops: Host) -> str:
    return str(ops.rows("core-network")[0]["CoreNetworkId"])


def test_killed_around_every_changing_call_of_a_change_there_is_one_change_set(tmp_path: Path) -> None:
    """What is shown at the end tells how many versions there are."""
    run = Run("policy", settle(CONFIG.base), CONFIG.update)
    with local_aws(regions=REGIONS) as aws:
        host = Host(aws, tmp_path / "state", Inline(), least_wait=10)

        def work(host: Host, course: Course) -> list[tuple[Point, Damage]]:
            chosen = [point for point in points(run.name, course) if point.boundary.changes]
            assert {point.boundary.operation for point in chosen} == CHANGES
            return die(host, run, course, chosen[::3])  # a spread over moments and what is left of the memory

        found = on_stage(host, run, work)
    assert {point.boundary.operation for point, _ in found} == CHANGES
    assert [(str(point), damage.problems) for point, damage in found if damage.problems] == []


def test_the_answer_of_a_put_is_lost_and_nothing_is_put_twice(ops: Host) -> None:
    ops.aws.lose_answer("networkmanager", "PutCoreNetworkPolicy", times=1)
    assert ops.run(CONFIG.base).outcome == "settled"
    assert len(versions(ops)) == 1


def test_each_call_is_a_step_of_its_own_pass(ops: Host) -> None:
    ops.run(CONFIG.base)
    ops.aws.clear_calls()
    loop = ops.loop(CONFIG.update)
    made = []
    for _ in range(10):
        before = len(ops.writes())
        loop.one_pass("test")
        made.append(ops.writes()[before:])
        ops.aws.clock.advance(60)
    assert [calls for calls in made if calls] == [
        ["PutResourcePolicy", "UpdateCoreNetwork", "TagResource"],
        ["PutCoreNetworkPolicy"],
        ["ExecuteCoreNetworkChangeSet"],
    ]


def test_a_policy_that_somebody_else_puts_is_overtaken(ops: Host) -> None:
    ops.run(CONFIG.base)
    theirs = json.dumps(load("core-network-update")["PolicyDocument"])
    ops.by_hand("networkmanager", "PutCoreNetworkPolicy", CoreNetworkId=network(ops), PolicyDocument=theirs)
    ops.aws.clock.advance(600)
    assert ops.run(CONFIG.base).outcome == "settled"
    assert len(versions(ops)) == 2, "what is live is what is wanted: theirs waits, and nothing is done"
    by_hand = {"CoreNetworkId": network(ops), "PolicyVersionId": 2}
    ops.by_hand("networkmanager", "ExecuteCoreNetworkChangeSet", **by_hand)
    ops.aws.clock.advance(600)
    assert ops.run(CONFIG.base).outcome == "settled"
    assert len(versions(ops)) == 3


def test_a_policy_that_aws_refuses_is_told_in_its_words(ops: Host) -> None:
    policy = dict(load("core-network")["resources"]["core-network/subject"]["PolicyDocument"])
    policy["segments"] = [*policy["segments"], {"name": "no name"}]
    text = CONFIG.text(PolicyDocument=policy)
    report = ops.run(text)
    outcome = next(found for found in report.outcomes if found.label == CONFIG.address)
    assert outcome.status == "failed"
    assert outcome.final
    assert "$.segments[1].name: does not match" in outcome.why


def test_a_policy_may_be_written_as_json_too(ops: Host) -> None:
    policy = load("core-network")["resources"]["core-network/subject"]["PolicyDocument"]
    ops.run(CONFIG.base)
    ops.aws.clear_calls()
    assert ops.run(CONFIG.text(PolicyDocument=json.dumps(policy, indent=1))).outcome == "settled"
    assert ops.writes() == []


def test_an_ignored_policy_is_left_alone(ops: Host) -> None:
    ops.run(CONFIG.base)
    ops.aws.clear_calls()
    text = CONFIG.text(
        PolicyDocument=load("core-network-update")["PolicyDocument"], ignore=["PolicyDocument"]
    )
    assert ops.run(text).outcome == "settled"
    assert ops.writes() == []


def test_a_version_without_quotes_is_found_where_it_stands(ops: Host) -> None:
    with pytest.raises(ConfigError, match=r"test\.yaml:\d+:\d+: .*PolicyDocument.*quotes"):
        ops.plan(CONFIG.text(PolicyDocument={"version": 2021.12}))


def test_who_else_may_use_it_is_said_and_taken_back_however_aws_says_that_nobody_may(ops: Host) -> None:
    update = dict(load("core-network-update"))
    shared = update["ResourcePolicy"]
    one = {**shared, "Statement": {**shared["Statement"][0], "Action": ["networkmanager:GetCoreNetwork"]}}
    assert ops.run(CONFIG.update).outcome == "settled"
    for policy, made in ((one, "PutResourcePolicy"), (None, "DeleteResourcePolicy")):
        ops.aws.clear_calls()
        assert ops.run(CONFIG.text(**{**update, "ResourcePolicy": policy})).outcome == "settled"
        assert ops.writes() == [made, "TagResource"]
    for answer in ("ResourceNotFoundException", "ValidationException"):
        ops.aws.change(no_resource_policy=answer)
        ops.aws.clear_calls()
        assert ops.run(CONFIG.text(**{**update, "ResourcePolicy": None})).outcome == "settled"
        assert ops.writes() == []
    ops.run(CONFIG.update)
    config = documents.load(CONFIG.text(**update))
    del config["resources"][CONFIG.address]["ResourcePolicy"]
    ops.aws.clear_calls()
    assert ops.run(documents.dump(config)).outcome == "settled"
    assert ops.writes() == [], "what the config does not mention is never touched"
