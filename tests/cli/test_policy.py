"""The verb `iam-policy`: a document on stdout, what a person has to know on stderr, and nothing is asked of AWS."""

from __future__ import annotations

import json

import pytest

from reconciler.sandbox import local_aws
from tests.policy.enforcing import Iam

from .support import HEAD, NETWORK, Cli, run
from .test_doctor import ESTATE
from .test_doctor import found as findings
from .wire import Wire

EDGE = 'accounts: {edge: {id: "210987654321", role: "arn:aws:iam::210987654321:role/edge"}}\n'


def test_it_prints_a_policy_and_asks_nothing(cli: Cli, line: Wire) -> None:
    cli.write(NETWORK)
    found = cli("iam-policy")
    assert (found.status, found.err) == (0, "")
    assert json.loads(found.out)["Version"] == "2012-10-17"
    assert cli("iam-policy", "--json").out == found.out
    assert line.calls == []


def test_halves(cli: Cli) -> None:
    cli.write(NETWORK)
    read, write = (cli("iam-policy", "--half", half).data["Statement"] for half in ("read", "write"))
    assert [*read, *write] == cli("iam-policy").data["Statement"]
    assert "Delete" not in json.dumps(read)


def test_other_accounts_need_theirs_and_it_says_so(cli: Cli) -> None:
    cli.write(NETWORK, HEAD + EDGE)
    found = cli("iam-policy")
    assert "--account edge" in found.err
    assert "role/edge" in found.out
    assert "role/edge" not in cli("iam-policy", "--account", "edge").out
    wrong = cli("iam-policy", "--account", "egde")
    assert (wrong.status, wrong.out) == (64, "")
    assert "did you mean edge" in wrong.err or "there are edge" in wrong.err


def test_a_part_that_is_not_there_is_told(cli: Cli) -> None:
    cli.write(NETWORK)
    assert cli("iam-policy", "--part", "1").out == cli("iam-policy").out
    found = cli("iam-policy", "--part", "2")
    assert (found.status, found.out) == (64, "")
    assert "the last is 1" in found.err


def test_there_is_nothing_to_write_where_nothing_may_be_changed(cli: Cli) -> None:
    cli.write(NETWORK, f"{HEAD}mode: observe\n")
    found = cli("iam-policy", "--half", "write")
    assert found.status == 64
    assert "changes nothing" in found.err


def test_a_look_that_cannot_write_answers_as_any_look(cli: Cli, line: Wire) -> None:
    cli.write(NETWORK)
    usual = cli("plan", "--json")
    line.calls.clear()
    found = cli("plan", "--read-only", "--json")
    assert (found.status, found.out) == (usual.status, usual.out)
    assert line.calls.count("GetFederationToken") == 1


def test_a_look_that_aws_cannot_narrow_is_not_made(
    cli: Cli, line: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", "temporary")
    cli.write(NETWORK)
    found = cli("drift", "--read-only", "--log-format", "console")
    assert (found.status, found.out, line.calls) == (77, "", [])
    assert "--assume-role ARN" in found.err
    role = "arn:aws:iam::123456789012:role/looker"
    found = cli("outputs", "--read-only", "--assume-role", role)
    assert "AssumeRole" in line.calls


def test_a_role_alone_is_no_look_that_cannot_write(cli: Cli, line: Wire) -> None:
    cli.write(NETWORK)
    found = cli("plan", "--assume-role", "arn:aws:iam::123456789012:role/looker")
    assert (found.status, line.calls) == (64, [])
    assert "--read-only" in found.err


def test_doctor_has_nothing_to_say_against_it(cli: Cli) -> None:
    """Before there is anything, and when all is there."""
    cli.write(ESTATE)
    policy = cli("iam-policy").data
    with local_aws(regions=("us-west-2", "eu-west-1")) as aws:
        iam = Iam(policy)
        aws.on_call.extend([iam.judge, lambda moment, call: aws.clock.advance(1)])
        words = ["--config", str(cli.file), "--state-dir", str(cli.state), "--json"]
        for _ in range(2):
            done = run(["doctor", *words])
            assert findings(done, "rights", "bad") == []
            assert run(["run", "--once", "--grace", "0s", *words]).status == 0
    assert iam.denied, "what was rehearsed on ids that nothing has"
