"""Credentials that AWS itself keeps from changing anything: whatever is asked is asked with a session policy."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from reconciler.aws.session import ReadOnly
from reconciler.errors import NoCredentials, WrongAccount
from reconciler.model.config import Account
from reconciler.sandbox import LocalAws

from .support import ACCOUNT, OTHER, Answer, Request, ec2, requests, server, sessions

HERE, THERE = (
    json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": action, "Resource": "*"}})
    for action in ("ec2:DescribeVpcs", "ec2:DescribeSubnets")
)
ROLE = f"arn:aws:iam::{ACCOUNT}:role/reconciler"


def narrowed(role: str = "", **given: Any) -> Any:
    """Sessions that are read-only."""
    return sessions(read_only=ReadOnly(policies={ACCOUNT: HERE, OTHER.id: THERE}, role=role), **given)


def test_a_users_keys_are_narrowed_by_federation(aws: LocalAws) -> None:
    made = narrowed(stack="s" * 80)
    made.verify()
    made.client(ACCOUNT, "ec2").describe_vpcs()
    (asked,) = requests(aws, "GetFederationToken")
    assert asked.parameters["Policy"] == HERE
    assert asked.parameters["Name"] == "reconciler-" + "s" * 21  # 32 is the most that STS takes


class Sts:
    """Gives keys in turn, each with the minutes that it is good for, and lists no VPCs to anyone."""

    def __init__(self, **keys: float) -> None:
        self._left = iter(keys.items())

    def __call__(self, request: Request) -> Answer:
        action = request.form["Action"]
        if action == "DescribeVpcs":
            return ec2("DescribeVpcs", "<vpcSet/>")
        key, minutes = next(self._left)
        until = (datetime.now(UTC) + timedelta(minutes=minutes)).isoformat()
        return Answer(
            f'<{action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><{action}Result>'
            f"<Credentials><AccessKeyId>{key}</AccessKeyId><SecretAccessKey>s</SecretAccessKey>"
            f"<SessionToken>t</SessionToken><Expiration>{until}</Expiration></Credentials>"
            f"</{action}Result></{action}Response>"
        )


@pytest.mark.parametrize(("role", "action"), [("", "GetFederationToken"), (ROLE, "AssumeRole")])
def test_our_own_keys_are_used_for_nothing_but_that_and_renewed_in_time(
    keys: None, role: str, action: str
) -> None:
    with server(Sts(AKID1=14, AKID2=60)) as (url, sent):
        client = narrowed(role, endpoint_url=url).client(ACCOUNT, "ec2")
        assert sent == []  # not before it is needed
        for _ in range(3):
            client.describe_vpcs()
    assert [(request.form["Action"], request.key) for request in sent] == [
        (action, "AKIDEXAMPLE"),
        ("DescribeVpcs", "AKID1"),
        (action, "AKIDEXAMPLE"),
        ("DescribeVpcs", "AKID2"),
        ("DescribeVpcs", "AKID2"),
    ]
    assert sent[0].form["Policy"] == HERE


def test_each_role_gets_the_policy_of_its_account(aws: LocalAws) -> None:
    other = Account(name="other", id=OTHER.id, role=OTHER.role, external_id="ext-1")
    narrowed(ROLE, accounts={"other": other}).verify()
    asked = {call.parameters["RoleArn"]: call.parameters for call in requests(aws, "AssumeRole")}
    assert {role: given["Policy"] for role, given in asked.items()} == {ROLE: HERE, OTHER.role: THERE}
    assert asked[OTHER.role]["ExternalId"] == "ext-1"
    assert requests(aws, "GetFederationToken") == []


def test_without_it_nobody_gets_a_policy(aws: LocalAws) -> None:
    sessions(accounts={"other": OTHER}).verify()
    (asked,) = requests(aws, "AssumeRole")
    assert "Policy" not in asked.parameters


def test_temporary_credentials_cannot_be_narrowed_and_nothing_is_asked(
    aws: LocalAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", "temporary")
    with pytest.raises(NoCredentials, match=r"--read-only.*\(env\).*temporary.*--assume-role ARN"):
        narrowed().verify()
    assert aws.calls == []
    narrowed(ROLE).verify()


def test_who_may_not_narrow_is_told_what_to_allow(aws: LocalAws) -> None:
    aws.fail("sts", "GetFederationToken", code="AccessDenied", message="not authorized", status=403)
    with pytest.raises(NoCredentials, match=r"GetFederationToken: AccessDenied.*allow it.*--assume-role"):
        narrowed().verify()


def test_a_role_of_another_account_is_still_the_wrong_account(aws: LocalAws) -> None:
    with pytest.raises(WrongAccount):
        narrowed(OTHER.role).verify()
