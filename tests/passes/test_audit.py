"""Every call of a pass that changes something is on record, with AWS's own request id and nothing secret."""

from __future__ import annotations

import base64
import json
import threading
from collections import Counter
from typing import Any

import pytest

from reconciler.aws.audit import NO_RECORD, Changed, changes
from reconciler.errors import LeaseLost
from reconciler.sandbox import Call
from tests.harness import ACCOUNT, Host
from tests.passes.estates import NETWORK, SLEEPY

ONE = "resources:\n  global-network/a: {}\n"
VPC = "resources:\n  vpc/v: {CidrBlock: 10.0.0.0/16, protect: false}\n"
ROOMY = VPC.replace("protect: false", "protect: false, Tags: {x: y, w: w}")
READS = ("Describe", "Get", "List", "Search")


class Died(BaseException):
    """The process is gone."""


def listen(ops: Host) -> list[tuple[str, str]]:
    """From now on, the operation and AWS's request id of every answer to a call that changes something."""
    answers: list[tuple[str, str]] = []
    ops.clients_of_its_own()

    def note(model: Any, parsed: dict[str, Any], **_: Any) -> None:
        if not model.name.startswith(READS):
            answers.append((model.name, parsed["ResponseMetadata"]["RequestId"]))

    for service in ("ec2", "networkmanager"):
        for retries in (True, False):
            client = ops.hand.sessions.client(
                ACCOUNT, service, "us-west-2" if service == "ec2" else "", retries=retries
            )
            client.meta.events.register("after-call", note)
    return answers


def lines(ops: Host) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (ops.state / "audit.jsonl").read_text().splitlines()]


def newest(ops: Host) -> Changed:
    return changes(ops.state)[-1]


def said(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    """The lines of the log about changes."""
    found = [record.msg for record in caplog.records if isinstance(record.msg, dict)]
    return [line for line in found if line["event"].startswith("change.")]


# ---- whole lives


def test_every_call_of_a_life_is_two_lines_with_the_request_id_of_aws(ops: Host) -> None:
    answers = listen(ops)
    ops.run(NETWORK)
    ops.run(NETWORK.replace("{CidrBlock: 10.0.0.0/16", "{Tags: {x: y}, CidrBlock: 10.0.0.0/16"))
    ops.run(SLEEPY.replace("t3.micro", "t3.micro\n        replace: delete-first"))
    ops.run(NETWORK.replace("t3.micro", "t3.micro\n        replace: create-first"))
    ops.destroy(NETWORK)
    expected = Counter(answers)
    assert {"CreateVpc", "CreateTags", "RunInstances", "TerminateInstances", "DeleteVpc"} <= {
        operation for operation, _ in expected
    }
    assert Counter(operation for operation, _ in answers) == Counter(ops.writes())

    begun = [line for line in lines(ops) if line["what"] == "begun"]
    answered = [line for line in lines(ops) if line["what"] == "answered"]
    assert Counter((line["api"].partition(":")[2], line["aws_request_id"]) for line in answered) == expected
    pairs = Counter((line["change_id"], line["call"]) for line in begun)
    assert pairs == Counter((line["change_id"], line["call"]) for line in answered)
    assert set(pairs.values()) == {1}
    assert {line["verb"] for line in begun} == {"create", "update", "replace", "delete"}
    for line in begun + answered:
        assert (line["v"], line["stack"], line["account"]) == (1, "test", ACCOUNT)
        assert line["trigger"] in {"once", "destroy"}
        assert line["pass_id"].startswith("pass-")
        assert len(line["config_hash"]) == 8
        assert line["reason"]
        assert line["by"] is None
    for line in answered:
        assert line["id"]
        assert line["arn"].startswith("arn:aws:ec2:us-west-2:")
        assert (line["outcome"], line["http_status"], line["retry_attempts"]) == ("done", 200, 0)


def test_a_line_says_what_the_change_is_about(ops: Host) -> None:
    ops.run(VPC)
    ops.run(ROOMY)
    creation, update = changes(ops.state)
    assert (creation.about.address, creation.about.kind, creation.about.verb) == ("vpc/v", "vpc", "create")
    assert (creation.about.api, creation.about.reason) == ("ec2:CreateVpc", "it does not exist")
    assert (creation.about.before, creation.about.paths) == (None, ())
    assert creation.about.id == update.about.id == ops.seen(VPC, "vpc/v").id
    assert creation.about.arn == update.about.arn == f"arn:aws:ec2:us-west-2:{ACCOUNT}:vpc/{update.about.id}"
    assert (update.about.verb, update.about.paths) == ("update", ("Tags.x", "Tags.w"))
    assert lines(ops)[0]["id"] == "", "a thing that is yet to be made has none"
    assert creation.about.config_hash != update.about.config_hash


def test_digests_are_those_of_the_thing_and_of_what_is_asked(ops: Host) -> None:
    """Equal where they are equal, and no others."""
    ops.run(VPC)
    ops.run(ROOMY)
    id = newest(ops).about.id
    for value in ("by hand", "by hand", "another"):
        ops.by_hand("ec2", "CreateTags", Resources=[id], Tags=[{"Key": "x", "Value": value}])
        ops.run(ROOMY)
    first, again, other = (change.about for change in changes(ops.state)[-3:])
    assert (first.before, first.after) == (again.before, again.after)
    assert first.before != other.before
    assert first.after == other.after
    ops.run(ROOMY.replace("x: y", "x: z"))
    last = newest(ops).about
    assert last.after != other.after
    assert last.before not in (first.before, other.before)


def test_nothing_secret_is_in_the_file(ops: Host) -> None:
    secret, street = "hunter2-token", "Geheimgasse 17"
    script = f"#!/bin/sh\\nlogin {secret}\\n"
    estate = f"""
{NETWORK}
        UserData: "{script}"
      global-network/n: {{}}
      site/s: {{GlobalNetworkId: "${{global-network/n}}", Location: {{Address: {street}}}}}
"""
    ops.run(estate)
    ops.run(estate.replace(street, f"{street} b"))
    ops.run(
        estate.replace(secret, f"{secret} b").replace("t3.micro", "t3.micro\n        replace: delete-first")
    )
    ops.destroy(estate)
    text = (ops.state / "audit.jsonl").read_text()
    assert {"Location", "UserData"} <= {
        path.partition(".")[0] for line in lines(ops) for path in line["paths"]
    }
    for hidden in (secret, street, base64.b64encode(b"#!/bin/sh\nlogin").decode()):
        assert hidden not in text


# ---- calls that do not succeed


def test_a_refusal_is_on_record_and_in_the_log_with_the_same_words(
    ops: Host, caplog: pytest.LogCaptureFixture
) -> None:
    ops.run("resources: {global-network/a: {}}")
    caplog.set_level("INFO", logger="reconciler")
    caplog.clear()
    answers = listen(ops)
    ops.aws.fail("ec2", "CreateVpc", code="VpcLimitExceeded", times=1)
    ops.loop("resources: {global-network/a: {}, vpc/v: {CidrBlock: 10.0.0.0/16}}").one_pass("interval")
    answer = newest(ops).last.answer
    assert answer is not None
    assert (answer.outcome, answer.aws_error_code, answer.http_status) == ("refused", "VpcLimitExceeded", 400)
    assert [("CreateVpc", answer.aws_request_id)] == answers
    started, failed = said(caplog)
    assert (started["event"], failed["event"]) == ("change.started", "change.failed")
    assert failed["change_id"] == started["change_id"] == newest(ops).about.change_id
    assert (failed["aws_error_code"], failed["aws_request_id"], failed["http_status"]) == (
        answer.aws_error_code,
        answer.aws_request_id,
        400,
    )
    assert newest(ops).about.trigger == "interval"


def test_an_answer_that_was_lost_is_not_called_a_refusal(ops: Host) -> None:
    ops.run(ONE)
    ops.aws.lose_answer("ec2", "CreateVpc")
    ops.loop("resources: {global-network/a: {}, vpc/v: {CidrBlock: 10.0.0.0/16}}").one_pass("test")
    answer = newest(ops).last.answer
    assert answer is not None
    assert (answer.outcome, answer.aws_request_id, answer.http_status) == ("no answer", "", 0)


def test_what_could_not_be_sent_is_not_called_a_refusal(ops: Host) -> None:
    """The image is read from SSM first."""
    ops.run(NETWORK.partition("      instance/i")[0])
    ops.aws.fail("ssm", "GetParameter", code="AccessDeniedException")
    ops.loop(NETWORK).one_pass("test")
    assert newest(ops).about.api == "ec2:RunInstances"
    assert newest(ops).outcome == "not sent"
    assert "RunInstances" not in ops.writes()


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_process_that_is_killed_in_a_call_leaves_its_beginning(ops: Host, moment: str) -> None:
    def die(now: str, call: Call) -> None:
        if (now, call.operation) == (moment, "CreateVpc"):
            raise Died

    ops.aws.on_call.append(die)
    with pytest.raises(Died):
        ops.run(VPC)
    ops.aws.on_call.remove(die)
    assert [line["what"] for line in lines(ops)] == ["begun"]
    assert newest(ops).outcome == NO_RECORD
    ops.run(VPC)
    assert len(ops.ours("vpc")) == 1
    assert newest(ops).outcome == ("done" if moment == "before" else NO_RECORD)


def test_each_launch_that_finds_its_token_used_up_is_a_call_of_its_own(ops: Host) -> None:
    ops.run(NETWORK.partition("      instance/i")[0])
    answers = listen(ops)
    ops.aws.fail("ec2", "RunInstances", code="IdempotentInstanceTerminated", times=1)
    ops.run(NETWORK)
    calls = newest(ops).calls
    assert [made.answer.outcome for made in calls if made.answer] == ["refused", "done"]
    assert [("RunInstances", made.answer.aws_request_id) for made in calls if made.answer] == answers
    assert newest(ops).outcome == "done"
    assert len({made.sending.after for made in calls}) == 2, "the token is a parameter"


# ---- several calls


TWO_CALLS = ROOMY.replace("x: y, w: w", "x: z, w: null")


def test_a_change_of_several_calls_has_one_id_and_one_end(
    ops: Host, caplog: pytest.LogCaptureFixture
) -> None:
    ops.run(ROOMY)
    caplog.set_level("INFO", logger="reconciler")
    caplog.clear()
    answers = listen(ops)
    ops.loop(TWO_CALLS).one_pass("test")
    change = newest(ops)
    assert [(made.sending.call, made.sending.api) for made in change.calls] == [
        (1, "ec2:CreateTags"),
        (2, "ec2:DeleteTags"),
    ]
    assert change.outcome == "done"
    first, second, end = said(caplog)
    assert [line["api"] for line in (first, second)] == ["ec2:CreateTags", "ec2:DeleteTags"]
    assert end["event"] == "change.succeeded"
    assert ("DeleteTags", end["aws_request_id"]) == answers[-1]
    assert {line["change_id"] for line in (first, second, end)} == {change.about.change_id}
    assert end["id"] == change.about.id


def test_a_change_that_is_stopped_between_its_calls_is_partial_and_has_an_end(
    ops: Host, caplog: pytest.LogCaptureFixture
) -> None:
    ops.run(ROOMY)
    caplog.set_level("INFO", logger="reconciler")
    caplog.clear()
    loop, stop = ops.loop(TWO_CALLS), threading.Event()
    loop.stopped = stop.is_set

    def note(moment: str, call: Call) -> None:
        if (moment, call.operation) == ("after", "CreateTags"):
            stop.set()

    ops.aws.on_call.append(note)
    loop.one_pass("test")
    assert newest(ops).outcome == "partial"
    assert [line["event"] for line in said(caplog)] == ["change.started", "change.deferred"]
    assert said(caplog)[-1]["reason"] == "stopped before ec2:DeleteTags"


def test_a_thing_that_was_gone_already_has_its_end_in_the_log(
    ops: Host, caplog: pytest.LogCaptureFixture
) -> None:
    ops.run(VPC)
    caplog.set_level("INFO", logger="reconciler")
    caplog.clear()
    answers = listen(ops)
    ops.aws.fail("ec2", "DeleteVpc", code="InvalidVpcID.NotFound")
    ops.loop("resources: {}", allow_empty=True).one_pass("test")
    _, end = said(caplog)
    assert (end["event"], end["reason"]) == ("change.succeeded", "it was gone already")
    assert [("DeleteVpc", end["aws_request_id"])] == answers


# ---- when there may be no further change


def test_a_stack_that_is_not_ours_any_more_ends_the_pass(ops: Host, caplog: pytest.LogCaptureFixture) -> None:
    ops.run(ONE)
    caplog.set_level("INFO", logger="reconciler")
    caplog.clear()
    three = (
        VPC + "  vpc/w: {CidrBlock: 10.1.0.0/16}\n  subnet/s: {VpcId: '${vpc/v}', CidrBlock: 10.0.1.0/24}\n"
    )
    loop = ops.loop(three + "  global-network/a: {}\n")
    ops.aws.clear_calls()

    def refuse(_: object) -> None:
        raise LeaseLost("the lease is another host's")

    loop.gateway.before_write.append(refuse)
    report = loop.one_pass("test")
    assert ops.writes() == []
    assert {change.about.address for change in changes(ops.state)} == {"global-network/a"}, (
        "nothing was begun"
    )
    assert {outcome.status for outcome in report.outcomes} == {"settled", "waiting"}
    assert {outcome.why for outcome in report.outcomes if outcome.label.startswith("vpc")} == {
        "the lease is another host's"
    }
    assert not any(record.levelname == "CRITICAL" for record in caplog.records)


# ---- without a place to write, or with one that is lost


def test_without_a_state_directory_the_work_is_done_all_the_same(
    ops: Host, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="reconciler")
    caplog.clear()
    ops.state.touch()
    assert ops.run(NETWORK, timeout=900).outcome == "settled"
    told = [record.msg for record in caplog.records if isinstance(record.msg, dict)]
    warned = [line["message"] for line in told if line["event"] == "state.unwritable"]
    assert sum("without an audit log" in message for message in warned) == 1
    assert len(said(caplog)) > 4


def test_losing_the_audit_log_changes_no_plan(ops: Host) -> None:
    ops.run(NETWORK)
    (ops.state / "audit.jsonl").unlink()
    ops.aws.clear_calls()
    assert ops.run(NETWORK).outcome == "settled"
    assert ops.writes() == []
    assert not (ops.state / "audit.jsonl").exists(), "a pass that changes nothing writes nothing"
