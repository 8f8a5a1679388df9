"""Who we are: the account is asked of STS once for each set of credentials, and what is wrong is said with what to do.

Roles of other accounts carry their name and renew themselves.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog

from reconciler.aws.gateway import Gateway
from reconciler.errors import Denied, Lost, NoCredentials, NotYet, ReconcilerError, Throttled, WrongAccount
from reconciler.model.calls import Call
from reconciler.model.config import Account
from reconciler.sandbox import LocalAws

from .support import ACCOUNT, OTHER, Answer, Request, count, ec2, gateway, requests, server, sessions


def soon(minutes: float) -> str:
    """The time in so many minutes, as AWS writes it."""
    return (datetime.now(UTC) + timedelta(minutes=minutes)).isoformat()


def test_the_right_account_is_asked_for_once(aws: LocalAws) -> None:
    made = sessions()
    for _ in range(5):
        made.verify()
    assert count(aws, "GetCallerIdentity") == 1


def test_another_account_is_refused_with_both_numbers(aws: LocalAws) -> None:
    made = sessions(account="999999999999")
    for _ in range(2):
        with pytest.raises(WrongAccount, match=rf"{ACCOUNT}.*999999999999.*nothing was done.*--profile"):
            made.verify()


@pytest.fixture
def renewing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A profile whose keys come from a program; the file that the program shows."""
    shown = tmp_path / "keys.json"
    config = tmp_path / "config"
    config.write_text(f"[profile renewing]\ncredential_process = cat {shown}\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    return shown


def show(file: Path, key: str, minutes: float) -> None:
    """Have the program give a key that expires in so many minutes."""
    found = {"Version": 1, "AccessKeyId": key, "SecretAccessKey": "s", "SessionToken": "t"}
    file.write_text(json.dumps({**found, "Expiration": soon(minutes)}))


def test_new_credentials_are_asked_about_anew(aws: LocalAws, renewing: Path) -> None:
    """Keys that end within a quarter of an hour are renewed by botocore each time that they are used."""
    made = sessions(profile="renewing")
    show(renewing, "AKIDFIRST", minutes=14)
    made.verify()
    made.verify()
    assert count(aws, "GetCallerIdentity") == 1
    show(renewing, "AKIDSECOND", minutes=60)
    made.verify()
    made.verify()
    assert count(aws, "GetCallerIdentity") == 2


def events(lines: list[Any]) -> list[tuple[str, str, str]]:
    """What was told of accounts."""
    return [(line["event"], line["log_level"], line["account"]) for line in lines]


def test_who_we_are_is_told_once_for_each_set_of_credentials(aws: LocalAws, renewing: Path) -> None:
    made = sessions(profile="renewing", accounts={"other": OTHER})
    show(renewing, "AKIDFIRST", minutes=14)
    with structlog.testing.capture_logs() as lines:
        made.verify()
        show(renewing, "AKIDSECOND", minutes=60)
        for _ in range(3):
            made.verify()
    assert events(lines) == [
        ("identity.verified", "debug", ACCOUNT),
        ("identity.verified", "debug", OTHER.id),
        ("credentials.refreshed", "info", ACCOUNT),
        ("identity.verified", "debug", ACCOUNT),
    ]


def test_another_account_is_not_told_to_be_the_right_one(aws: LocalAws) -> None:
    with structlog.testing.capture_logs() as lines, pytest.raises(WrongAccount):
        sessions(account="999999999999").verify()
    assert lines == []


def test_credentials_that_end_soon_and_are_not_renewed_are_told_once(aws: LocalAws, renewing: Path) -> None:
    """botocore goes on with the old ones, as long as they have ten minutes left."""
    made = sessions(profile="renewing")
    show(renewing, "AKIDFIRST", minutes=14)
    with structlog.testing.capture_logs() as lines:
        made.verify()
        assert events(lines) == [("identity.verified", "debug", ACCOUNT)]
        renewing.unlink()
        made.verify()
        made.verify()
        assert events(lines)[1:] == [("credentials.expiring", "warning", ACCOUNT)]
        assert 13 * 60 < lines[1]["expires_in_s"] <= 14 * 60
        show(renewing, "AKIDSECOND", minutes=60)
        made.verify()
        made.verify()
        assert [line["event"] for line in lines[2:]] == ["credentials.refreshed", "identity.verified"]


def test_credentials_that_are_expired_when_they_come_are_refused(aws: LocalAws, renewing: Path) -> None:
    made = sessions(profile="renewing")
    show(renewing, "AKIDFIRST", minutes=1)
    made.verify()
    show(renewing, "AKIDSECOND", minutes=-1)
    with pytest.raises(NoCredentials, match=r"still expired.*renew"):
        made.verify()


def test_a_program_that_gives_no_credentials_is_told(aws: LocalAws, renewing: Path) -> None:
    with pytest.raises(NoCredentials, match=r"custom-process.*No such file.*renew"):
        sessions(profile="renewing").verify()


def test_no_credentials_at_all_is_told_with_what_to_do(
    aws: LocalAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(NoCredentials, match=r"no AWS credentials.*--profile"):
        sessions().verify()
    with pytest.raises(NoCredentials, match=r"no AWS credentials.*--profile"):
        sessions(accounts={"other": OTHER}).client(OTHER.id, "ec2")
    assert aws.calls == []


@pytest.mark.parametrize(
    "code", ["ExpiredToken", "InvalidClientTokenId", "SignatureDoesNotMatch", "AccessDenied"]
)
def test_credentials_that_aws_refuses_are_told_with_what_to_do(aws: LocalAws, code: str) -> None:
    aws.fail("sts", "GetCallerIdentity", code=code, message="so it says", status=403)
    made = sessions()
    with pytest.raises(NoCredentials, match=f"{code}: so it says.*renew.*--profile"):
        made.verify()
    made.verify()  # they may be accepted later, without a restart
    assert count(aws, "GetCallerIdentity") == 2


@pytest.mark.parametrize(
    ("code", "status", "sort"), [("InternalFailure", 500, Lost), ("Throttling", 400, Throttled)]
)
def test_sts_that_cannot_say_is_no_wrong_identity(
    aws: LocalAws, code: str, status: int, sort: type[ReconcilerError]
) -> None:
    aws.fail("sts", "GetCallerIdentity", code=code, status=status, times=3)
    with pytest.raises(sort):
        sessions().verify()


def test_sts_that_is_out_of_reach_is_no_wrong_identity(aws: LocalAws) -> None:
    aws.drop("sts", "GetCallerIdentity", times=3)
    made = sessions()
    with pytest.raises(Lost):
        made.verify()
    assert count(aws, "GetCallerIdentity") == 3
    made.verify()


# ---- roles of other accounts


def test_a_role_is_assumed_with_its_name_and_external_id(aws: LocalAws) -> None:
    other = Account(name="other", id=OTHER.id, role=OTHER.role, external_id="ext-1")
    made = sessions(accounts={"other": other}, stack="s" * 80)
    made.verify()
    made.verify()
    (asked,) = requests(aws, "AssumeRole")
    assert asked.parameters["RoleArn"] == OTHER.role
    assert asked.parameters["ExternalId"] == "ext-1"
    assert asked.parameters["RoleSessionName"] == "reconciler-" + "s" * 53  # 64 is the most that STS takes
    assert count(aws, "GetCallerIdentity") == 2  # once as ourselves, once in the role


def test_a_role_without_external_id_sends_none(aws: LocalAws) -> None:
    sessions(accounts={"other": OTHER}).verify()
    (asked,) = requests(aws, "AssumeRole")
    assert "ExternalId" not in asked.parameters


def test_what_is_made_in_another_account_is_there_and_not_here(aws: LocalAws) -> None:
    gate = Gateway(sessions(accounts={"other": OTHER}))
    call = Call(
        service="ec2",
        operation="CreateVpc",
        parameters={"CidrBlock": "10.0.0.0/16"},
        account=OTHER.id,
        region="us-west-2",
    )
    made = gate.perform(call)["Vpc"]
    assert made["OwnerId"] == OTHER.id
    here = gate.sessions.client(ACCOUNT, "ec2").describe_vpcs()["Vpcs"]
    assert made["VpcId"] not in {vpc["VpcId"] for vpc in here}


def test_a_role_that_leads_elsewhere_is_refused(aws: LocalAws) -> None:
    astray = Account(name="other", id="333333333333", role=OTHER.role)
    with pytest.raises(WrongAccount, match=f"role.*leads to account {OTHER.id}.*333333333333.*`accounts:`"):
        sessions(accounts={"other": astray}).verify()


def test_a_role_that_may_not_be_assumed_closes_its_account_alone_and_is_asked_for_again(
    aws: LocalAws,
) -> None:
    aws.fail("sts", "AssumeRole", code="AccessDenied", message="not authorized", status=403)
    made = sessions(accounts={"other": OTHER})
    closed = made.verify()
    why = (
        f"the role {OTHER.role} cannot be used: sts:AssumeRole: AccessDenied: not authorized; "
        "let us assume it (its trust policy, our sts:AssumeRole)"
    )
    assert {account: (type(error), str(error)) for account, error in closed.items()} == {
        OTHER.id: (Denied, why)
    }
    assert made.verify() == {}


def test_a_role_whose_credentials_aws_has_ended_is_assumed_again(aws: LocalAws) -> None:
    """As where somebody has revoked its sessions, which botocore cannot know."""
    made = gateway(accounts={"other": OTHER})
    made.sessions.verify()
    aws.fail("ec2", "DescribeVpcs", code="ExpiredToken", status=400)
    with pytest.raises(NotYet, match=rf"credentials for {OTHER.id} have expired, and are asked for anew"):
        vpcs(made, OTHER.id)
    assert vpcs(made, OTHER.id)
    assert made.sessions.verify() == {}
    assert (count(aws, "AssumeRole"), count(aws, "GetCallerIdentity")) == (2, 3)


def vpcs(gate: Gateway, account: str) -> list[Any]:
    """Those of an account."""
    return list(
        gate.rows(
            account=account,
            region="us-west-2",
            service="ec2",
            operation="DescribeVpcs",
            path="Vpcs",
            parameters={},
        )
    )


class Sts:
    """Gives keys in turn, each with the minutes that it is good for, and lists no VPCs to anyone."""

    def __init__(self, **keys: float) -> None:
        self._left = iter(keys.items())

    def __call__(self, request: Request) -> Answer:
        if request.form["Action"] == "DescribeVpcs":
            return ec2("DescribeVpcs", "<vpcSet/>")
        key, minutes = next(self._left)
        return Answer(
            '<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>'
            f"<Credentials><AccessKeyId>{key}</AccessKeyId><SecretAccessKey>s</SecretAccessKey>"
            f"<SessionToken>t</SessionToken><Expiration>{soon(minutes)}</Expiration></Credentials>"
            "</AssumeRoleResult></AssumeRoleResponse>"
        )


def test_a_role_renews_itself_and_its_sts_is_the_given_endpoint(keys: None) -> None:
    """A key is renewed when it has less than a quarter of an hour, and kept otherwise."""
    with server(Sts(AKID1=14, AKID2=60)) as (url, sent):
        client = sessions(endpoint_url=url, accounts={"other": OTHER}).client(OTHER.id, "ec2")
        assert sent == []  # not before it is needed
        for _ in range(3):
            client.describe_vpcs()
    assert [(request.form["Action"], request.key) for request in sent] == [
        ("AssumeRole", "AKIDEXAMPLE"),
        ("DescribeVpcs", "AKID1"),
        ("AssumeRole", "AKIDEXAMPLE"),
        ("DescribeVpcs", "AKID2"),
        ("DescribeVpcs", "AKID2"),
    ]


def test_a_role_that_cannot_be_renewed_yet_is_used_while_it_is_good(keys: None) -> None:
    def failing(request: Request) -> Answer:
        try:
            return sts(request)
        except StopIteration:
            return Answer("<ErrorResponse/>", status=500)

    sts = Sts(AKID1=14)
    with server(failing) as (url, sent):
        client = sessions(endpoint_url=url, accounts={"other": OTHER}).client(OTHER.id, "ec2")
        client.describe_vpcs()
        client.describe_vpcs()
    actions = [request.form["Action"] for request in sent]
    assert actions == ["AssumeRole", "DescribeVpcs", *["AssumeRole"] * 3, "DescribeVpcs"]
    assert sent[-1].key == "AKID1"


def test_two_roles_are_two_identities(aws: LocalAws) -> None:
    third = Account(name="third", id="333333333333", role="arn:aws:iam::333333333333:role/reconciler")
    made = sessions(accounts={"other": OTHER, "third": third})
    made.verify()
    made.verify()
    assert [call.parameters["RoleArn"] for call in requests(aws, "AssumeRole")] == [OTHER.role, third.role]
    assert count(aws, "GetCallerIdentity") == 3
