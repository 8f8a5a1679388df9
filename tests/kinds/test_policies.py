"""IAM's documents are compared by what they say, and what is no policy is found before IAM is asked."""

from __future__ import annotations

import json
from typing import Any

import pytest

from reconciler.kinds.policies import meaning, mistake

ALLOW: dict[str, Any] = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"AWS": "arn:aws:iam::123456789012:root", "Service": ["ec2.amazonaws.com"]},
            "Action": ["s3:GetObject", "s3:PutObject"],
            "Resource": "*",
            "Condition": {"Bool": {"aws:SecureTransport": "true"}, "NumericLessThan": {"s3:max-keys": "10"}},
        },
        {"Effect": "Deny", "Action": "iam:*", "Resource": "*"},
    ],
}


def with_first(**changes: Any) -> dict[str, Any]:
    first, second = ALLOW["Statement"]
    return {**ALLOW, "Statement": [{**first, **changes}, second]}


@pytest.mark.parametrize(
    "same",
    [
        json.dumps(ALLOW, indent=4),
        {**ALLOW, "Statement": list(reversed(ALLOW["Statement"]))},
        with_first(Action=["S3:putobject", "s3:GetObject"]),
        with_first(Resource=["*"], Sid=""),
        with_first(Principal={"AWS": ["123456789012"], "Service": "ec2.amazonaws.com"}),
        with_first(
            Condition={"Bool": {"AWS:securetransport": True}, "NumericLessThan": {"s3:max-keys": [10]}}
        ),
    ],
)
def test_what_says_the_same_is_the_same(same: Any) -> None:
    assert meaning(same) == meaning(json.dumps(ALLOW))


@pytest.mark.parametrize(
    "other",
    [
        {**ALLOW, "Version": "2008-10-17"},
        {**ALLOW, "Statement": ALLOW["Statement"][:1]},
        with_first(Action="s3:GetObject"),
        with_first(Resource="arn:aws:s3:::A"),
        with_first(Effect="Deny"),
        with_first(Condition={}),
        with_first(Principal={"AWS": "arn:aws:iam::123456789012:role/root"}),
    ],
)
def test_what_says_something_else_is_another(other: Any) -> None:
    assert meaning(other) != meaning(ALLOW)


def test_the_version_that_counts_where_none_is_written() -> None:
    bare = {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
    assert meaning(bare) == meaning({**bare, "Version": "2008-10-17"})
    assert meaning(bare) != meaning({**bare, "Version": "2012-10-17"})


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ("{", "no policy"),
        ("[]", "no policy"),
        ("{}", "has a Statement"),
        ('{"Statement": []}', "has a Statement"),
        ('{"Statement": [{"Action": "*"}]}', "Allow or Deny"),
        ('{"Statement": {"Effect": "Allow"}}', "an Action"),
    ],
)
def test_what_is_no_policy_is_told(document: str, told: str) -> None:
    assert told in str(mistake(document))
    assert mistake(json.dumps(ALLOW)) is None
