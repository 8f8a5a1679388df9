"""Questions that change nothing: many at once, none for long, and what the answers bring along."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from reconciler.aws.checkup import ask, credentials, together
from reconciler.errors import Denied, Lost, Refused
from reconciler.model.calls import Call
from reconciler.sandbox import LocalAws

from .support import ACCOUNT, OTHER, Answer, count, script, sessions

MOMENT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def call(operation: str = "DescribeVpcs", service: str = "ec2", **parameters: Any) -> Call:
    return Call(
        service=service, operation=operation, parameters=parameters, account=ACCOUNT, region="us-west-2"
    )


WHO = call("GetCallerIdentity", "sts")


@pytest.mark.parametrize(
    "change",
    [
        call("DeleteVpc", VpcId="vpc-1"),
        call("DeleteVpc", VpcId="vpc-1", DryRun=False),
        call("CreateGlobalNetwork", "networkmanager"),
    ],
    ids=["without", "not dry", "a service that has none"],
)
def test_a_change_is_not_even_sent(aws: LocalAws, change: Call) -> None:
    with pytest.raises(ValueError, match="would change something"):
        ask(sessions(), [WHO, change], now=time.time)
    assert aws.calls == []


def test_answers_come_in_the_order_of_the_questions(aws: LocalAws) -> None:
    asked = [
        WHO,
        call(),
        call("DeleteVpc", VpcId="vpc-0123456789abcdef0", DryRun=True),
        call(DryRun=True),
    ] * 5
    found = ask(sessions(), asked, now=time.time)
    assert [answer.call for answer in found] == asked
    assert [answer.code for answer in found] == ["", "", "InvalidVpcID.NotFound", "DryRunOperation"] * 5
    assert found[0].data["Account"] == ACCOUNT
    assert found[1].endpoint == "https://ec2.us-west-2.amazonaws.com"
    assert found[1].server == "AmazonEC2"


def test_a_question_is_sent_once(aws: LocalAws) -> None:
    aws.fail("ec2", "DescribeVpcs", code="RequestLimitExceeded", status=503, times=9)
    (found,) = ask(sessions(), [call()], now=time.time)
    assert found.code == "RequestLimitExceeded"
    assert count(aws, "DescribeVpcs") == 1


def test_what_hangs_is_given_up(keys: None) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:  # takes connections and never answers
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        started = time.monotonic()
        (found,) = ask(sessions(endpoint_url=url), [WHO], now=time.time, seconds=0.5)
        assert time.monotonic() - started < 5
    assert isinstance(found.error, Lost)
    assert found.code == "Timeout"


def test_where_nobody_listens_and_what_is_no_url(keys: None) -> None:
    (nobody,) = ask(sessions(endpoint_url="http://127.0.0.1:9"), [WHO], now=time.time)
    assert isinstance(nobody.error, Lost)
    assert nobody.endpoint == "http://127.0.0.1:9"
    (nowhere,) = ask(sessions(endpoint_url="nowhere"), [WHO], now=time.time)
    assert isinstance(nowhere.error, Refused)
    assert nowhere.endpoint == ""


IDENTITY = (
    '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>'
    f"<Account>{ACCOUNT}</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"
)
REFUSAL = "<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code><Message>expired</Message></Error></ErrorResponse>"


@pytest.mark.parametrize(("body", "status"), [(IDENTITY, 200), (REFUSAL, 403)], ids=["answer", "refusal"])
@pytest.mark.parametrize("ahead", [0, 400, -7], ids=str)
def test_how_far_our_clock_is_ahead_of_the_answers(keys: None, body: str, status: int, ahead: int) -> None:
    made = sessions()
    script(Answer(body, status=status, date=format_datetime(MOMENT, usegmt=True))).under(
        made.client(ACCOUNT, "sts", "us-west-2", retries=False)
    )
    (found,) = ask(made, [WHO], now=lambda: (MOMENT + timedelta(seconds=ahead)).timestamp())
    assert found.skew == ahead


@pytest.mark.parametrize("date", ["", "yesterday"])
def test_an_answer_without_a_date_tells_nothing_of_the_clock(keys: None, date: str) -> None:
    made = sessions()
    client = made.client(ACCOUNT, "sts", "us-west-2", retries=False)
    script(Answer(IDENTITY, date=date)).under(client)
    (found,) = ask(made, [WHO], now=time.time)
    assert (found.error, found.skew) == (None, None)


# ------------------------------------------------------------------------------------------------- credentials


def test_keys_of_the_environment_last_for_ever(keys: None) -> None:
    (found,) = credentials(sessions(), [ACCOUNT])
    assert (found.method, found.lasting, found.expires, found.error) == ("env", True, None, None)
    assert "wJalrXUtnFEMI" not in str(found)


def test_no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID", raising=False)
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY", raising=False)
    (found,) = credentials(sessions(), [ACCOUNT])
    assert (found.method, found.error) == ("", None)


def test_credentials_that_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    end = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    keys = {"Version": 1, "AccessKeyId": "A", "SecretAccessKey": "s", "SessionToken": "t"}
    (tmp_path / "keys.json").write_text(json.dumps({**keys, "Expiration": end.isoformat()}))
    (tmp_path / "config").write_text(f"[profile ending]\ncredential_process = cat {tmp_path / 'keys.json'}\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    (found,) = credentials(sessions(profile="ending"), [ACCOUNT])
    assert (found.method, found.lasting, found.expires) == ("custom-process", False, end.timestamp())


def test_the_credentials_of_a_role(aws: LocalAws) -> None:
    made = sessions(accounts={OTHER.name: OTHER})
    ours, theirs = credentials(made, [ACCOUNT, OTHER.id])
    assert (ours.method, theirs.account) == ("env", OTHER.id)
    assert (theirs.method, theirs.lasting) == ("assume-role", False)
    assert theirs.expires is not None
    assert theirs.expires > time.time()
    assert count(aws, "AssumeRole") == 1


def test_a_role_that_may_not_be_assumed(aws: LocalAws) -> None:
    aws.fail("sts", "AssumeRole", code="AccessDenied", status=403)
    (found,) = credentials(sessions(accounts={OTHER.name: OTHER}), [OTHER.id])
    assert isinstance(found.error, Denied)
    assert found.method == ""


# -------------------------------------------------------------------------------------------------- side by side


def test_tasks_run_side_by_side() -> None:
    barrier = threading.Barrier(8, timeout=20)
    assert len([one for one in together([barrier.wait] * 8, 20.0) if one is not None]) == 8


def test_what_is_done_in_time_counts_although_something_hangs() -> None:
    released = threading.Event()

    def hang() -> int:
        released.wait(20)
        return 2

    tasks: list[Callable[[], int]] = [lambda: 0, hang, lambda: 1]
    try:
        assert together(tasks, 0.5) == [0, None, 1]
    finally:
        released.set()


def test_a_defect_is_not_swallowed() -> None:
    def defect() -> int:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        together([lambda: 1, defect], 20.0)
