"""What hangs on every request: no second attempt after a stop, who asks, what is in flight, what AWS throttles."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import botocore.endpoint
import pytest
import structlog

from reconciler.aws.gateway import Gateway
from reconciler.aws.session import session_name
from reconciler.aws.traffic import InFlight
from reconciler.errors import GuardError, Lost
from reconciler.model.calls import Call
from reconciler.sandbox import LocalAws

from .support import ACCOUNT, OTHER, Answer, Request, count, ec2, gateway, script, server, sessions

BUSY = Answer("<Response><Errors><Error><Code>Unavailable</Code></Error></Errors></Response>", status=503)
DELETE = Call(
    service="ec2",
    operation="DeleteVpc",
    parameters={"VpcId": "vpc-1"},
    account=ACCOUNT,
    region="us-west-2",
)


def delete(gate: Gateway) -> None:
    gate.perform(DELETE)


def read(gate: Gateway) -> None:
    where = {"account": ACCOUNT, "region": "us-west-2"}
    list(gate.rows(**where, service="ec2", operation="DescribeVpcs", path="Vpcs", parameters={}))


def parameter(gate: Gateway) -> None:
    gate.parameter(ACCOUNT, "us-west-2", "/some/parameter")


def identity(gate: Gateway) -> None:
    gate.sessions.verify()


REQUESTS = [delete, read, parameter, identity]


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """botocore does not rest between attempts."""
    monkeypatch.setattr(botocore.endpoint, "time", SimpleNamespace(sleep=lambda _: None))


# ---- stopping


@pytest.mark.parametrize("request_", REQUESTS)
@pytest.mark.parametrize("attempts", [1, 2])
def test_a_stop_ends_a_storm_of_retries(
    keys: None, hurried: None, request_: Callable[[Gateway], None], attempts: int
) -> None:
    stop = threading.Event()

    def busy(_: Request) -> Answer:
        if len(sent) == attempts:
            stop.set()
        return BUSY

    with server(busy) as (url, sent):
        gate = gateway(endpoint_url=url, stopping=stop.is_set)
        with pytest.raises(Lost, match="stopped while AWS was answering 503") as caught:
            request_(gate)
        assert len(sent) == attempts
    assert (caught.value.http_status, caught.value.retry_attempts) == (503, attempts - 1)
    assert gate.in_flight() == ()


def test_a_stop_ends_the_retries_of_what_gets_no_answer(aws: LocalAws, hurried: None) -> None:
    stop = threading.Event()
    aws.drop("ec2", "DeleteVpc", times=9)
    aws.on_call.append(lambda moment, call: stop.set())
    with pytest.raises(Lost, match="stopped while AWS was giving no answer"):
        delete(gateway(stopping=stop.is_set))
    assert count(aws, "DeleteVpc") == 1


@pytest.mark.parametrize("request_", REQUESTS)
def test_what_is_decided_is_sent_once_all_the_same(keys: None, request_: Callable[[Gateway], None]) -> None:
    with server(lambda _: BUSY) as (url, sent):
        with pytest.raises(Lost):
            request_(gateway(endpoint_url=url, stopping=lambda: True))
        assert len(sent) == 1


def test_a_stop_ends_the_retries_for_credentials_too(keys: None, hurried: None) -> None:
    """The role that a request needs is asked for in the middle of it."""
    with server(lambda _: BUSY) as (url, sent):
        made = sessions(endpoint_url=url, accounts={"other": OTHER}, stopping=lambda: True)
        with pytest.raises(Lost, match="stopped"):
            Gateway(made).parameter(OTHER.id, "us-west-2", "/some/parameter")
        assert [request.form["Action"] for request in sent] == ["AssumeRole"]


def test_how_an_answer_was_come_by_is_known(aws: LocalAws, hurried: None) -> None:
    gate = gateway()
    aws.fail("ec2", "DeleteVpc", code="InternalError", status=500, times=3)
    with pytest.raises(Lost) as caught:
        delete(gate)
    assert (caught.value.http_status, caught.value.retry_attempts) == (500, 2)
    aws.drop("ec2", "DeleteVpc", times=3)
    with pytest.raises(Lost) as caught:
        delete(gate)
    assert (caught.value.http_status, caught.value.retry_attempts) == (0, 2)


# ---- in flight


class Clock:
    """A clock that a test holds."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("request_", "operation", "changes"),
    [
        (delete, "ec2:DeleteVpc", True),
        (read, "ec2:DescribeVpcs", False),
        (parameter, "ssm:GetParameter", False),
        (identity, "sts:GetCallerIdentity", False),
    ],
)
def test_what_is_in_flight_is_seen_while_it_is(
    keys: None, request_: Callable[[Gateway], None], operation: str, changes: bool
) -> None:
    seen: list[tuple[InFlight, ...]] = []
    clock = Clock()

    def look(_: Request) -> Answer:
        clock.now += 7
        seen.append(gate.in_flight())
        return Answer("<Response/>", status=400)

    with server(look) as (url, _):
        gate = gateway(endpoint_url=url, clock=clock)
        thread = threading.Thread(target=failing, args=(request_, gate), name="worker-3")
        thread.start()
        thread.join()
    found = InFlight(operation=operation, changes=changes, since=100.0, thread="worker-3")
    assert seen == [(found,)]
    assert gate.in_flight() == ()
    assert gate.evidence == 107


def failing(request_: Callable[[Gateway], None], gate: Gateway) -> None:
    """Whatever becomes of it."""
    with pytest.raises(Exception):  # noqa: B017, PT011 - each fails in its own way
        request_(gate)


def test_a_request_that_is_begun_is_evidence(keys: None) -> None:
    clock, seen = Clock(), []
    gate = gateway(clock=clock)

    def stuck(request: Request) -> Answer:
        seen.append(gate.evidence)
        clock.now = 300.0
        return ec2("DeleteVpc", "<return>true</return>")

    wire = script()
    wire.answer = stuck
    wire.under(gate.sessions.client(ACCOUNT, "ec2", "us-west-2"))
    clock.now = 200.0
    assert gate.evidence == 100.0, "that time passes is none"
    delete(gate)
    assert (seen, gate.evidence) == ([200.0], 300.0)


# ---- leave to write


def refuse(call: Call) -> None:
    raise GuardError(f"no {call}")


@pytest.mark.parametrize("creates", [True, False])
def test_what_may_not_be_written_is_not_sent(aws: LocalAws, creates: bool) -> None:
    gate = gateway()
    gate.before_write.append(refuse)
    call = Call(
        service="ec2",
        operation="CreateVpc",
        parameters={"CidrBlock": "10.0.0.0/16"},
        account=ACCOUNT,
        region="us-west-2",
        creates=creates,
    )
    with pytest.raises(GuardError, match="no ec2:CreateVpc"):
        gate.perform(call)
    assert (aws.calls, gate.counts["write"], gate.in_flight()) == ([], 0, ())
    read(gate)
    where = {"account": ACCOUNT, "region": "us-west-2"}
    gate.perform(Call(service="ec2", operation="DescribeVpcs", parameters={}, **where))
    assert gate.counts["read"] == 2, "who only reads needs no leave"


def test_leave_is_asked_for_before_each_attempt(aws: LocalAws, hurried: None) -> None:
    gate = gateway()
    asked: list[str] = []

    def once(call: Call) -> None:
        asked.append(str(call))
        if len(asked) > 1:
            raise GuardError("not any more")

    gate.before_write.append(once)
    aws.fail("ec2", "DeleteVpc", code="InternalError", status=500, times=3)
    with pytest.raises(GuardError, match="not any more"):
        delete(gate)
    assert (count(aws, "DeleteVpc"), asked) == (1, ["ec2:DeleteVpc"] * 2)
    assert gate.counts["write"] == 1


def test_leave_is_asked_for_after_credentials_were_waited_for(aws: LocalAws) -> None:
    made = sessions(accounts={"other": OTHER})
    gate = Gateway(made)
    gate.before_write.append(refuse)
    with pytest.raises(GuardError):
        gate.perform(
            Call(
                service="ec2",
                operation="DeleteVpc",
                parameters={"VpcId": "vpc-1"},
                account=OTHER.id,
                region="us-west-2",
            )
        )
    assert [call.operation for call in aws.calls] == ["AssumeRole"]


# ---- who asks


def assumed(request: Request) -> Answer:
    """Keys for a role that want renewing each time, and no VPCs."""
    if request.form["Action"] == "DescribeVpcs":
        return ec2("DescribeVpcs", "<vpcSet/>")
    return Answer(
        '<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>'
        "<AccessKeyId>AKID1</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>"
        "<Expiration>2036-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"
    )


def test_every_request_says_which_pass_it_is_made_for(keys: None) -> None:
    now = {"pass": "01JD6Y4T"}
    with server(assumed) as (url, sent):
        made = sessions(endpoint_url=url, accounts={"other": OTHER}, pass_id=lambda: now["pass"])
        for name in ("01JD6Y4T", "", "b c/d"):
            now["pass"] = name
            made.client(OTHER.id, "ec2").describe_vpcs()
    agents = [(request.form["Action"], request.headers["User-Agent"].split(" ")) for request in sent]
    assert [(action, words[-1]) for action, words in agents][:2] == [
        ("AssumeRole", "pass/01JD6Y4T"),
        ("DescribeVpcs", "pass/01JD6Y4T"),
    ]
    assert not any(word.startswith("pass/") for word in agents[2][1])
    assert agents[3][1][-1] == "pass/b-c-d"
    assert all(any(word.startswith("reconciler/") for word in words) for _, words in agents)


def test_a_session_is_named_after_the_pass_that_needs_it(keys: None) -> None:
    names = iter(["first", "second"])
    current = ["none yet"]

    def short(request: Request) -> Answer:
        found = assumed(request)
        return Answer(str(found.body).replace("2036", "2026"), content_type=found.content_type)

    with server(short) as (url, sent):
        made = sessions(endpoint_url=url, accounts={"other": OTHER}, pass_id=lambda: current[0])
        for name in names:
            current[0] = name
            failing(lambda gate: gate.sessions.client(OTHER.id, "ec2").describe_vpcs(), Gateway(made))
    asked = [request.form["RoleSessionName"] for request in sent if request.form["Action"] == "AssumeRole"]
    assert asked == ["reconciler-ai-first", "reconciler-ai-second"]


@pytest.mark.parametrize(
    ("stack", "pass_id", "name"),
    [
        ("ai", "", "reconciler-ai"),
        ("ai", "01JD6Y4T", "reconciler-ai-01JD6Y4T"),
        ("s" * 80, "", "reconciler-" + "s" * 53),
        ("s" * 80, "p" * 32, "reconciler-" + "s" * 20 + "-" + "p" * 32),
        ("s" * 80, "p" * 80, "reconciler-" + "s" * 13 + "-" + "p" * 39),
        ("a b/c:ü", "x y", "reconciler-a-b-c---x-y"),
    ],
)
def test_what_sts_takes_as_a_name(stack: str, pass_id: str, name: str) -> None:
    assert session_name(stack, pass_id) == name


# ---- throttling


def test_what_aws_throttles_is_counted_though_the_sdk_gets_through(aws: LocalAws, hurried: None) -> None:
    gate = gateway()
    aws.fail("ec2", "DescribeVpcs", code="RequestLimitExceeded", status=503, times=2)
    read(gate)
    assert (gate.counts["throttled"], gate.counts["DescribeVpcs"]) == (2, 1)
    aws.fail("ec2", "DeleteVpc", code="InternalError", status=500, times=3)
    with pytest.raises(Lost):
        delete(gate)
    assert gate.counts["throttled"] == 2, "a server error is none"


def told(lines: list[Any]) -> list[tuple[int, dict[str, int]]]:
    """The summaries."""
    found = [line for line in lines if line["event"] == "api.throttled"]
    assert all(line["log_level"] == "warning" for line in found)
    return [(line["count"], line["operations"]) for line in found]


def test_throttling_is_told_at_most_once_a_minute(aws: LocalAws, hurried: None) -> None:
    clock = Clock()
    gate = gateway(clock=clock)
    with structlog.testing.capture_logs() as lines:
        aws.fail("ec2", "DescribeVpcs", code="Throttling", times=2)
        read(gate)
        assert told(lines) == [(1, {"ec2:DescribeVpcs": 1})]
        clock.now += 59
        aws.fail("sts", "GetCallerIdentity", code="Throttling")
        identity(gate)
        assert len(told(lines)) == 1
        clock.now += 1
        read(gate)
        assert told(lines)[1:] == [(2, {"ec2:DescribeVpcs": 1, "sts:GetCallerIdentity": 1})]
        clock.now += 600
        read(gate)
        assert len(told(lines)) == 2, "nothing is left to tell"
