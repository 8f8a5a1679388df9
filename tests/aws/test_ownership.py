"""What AWS and its controllers have made is never ours, whatever tags were copied onto it."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.aws.ownership import MADE_BY_OTHERS, concerns
from reconciler.aws.rows import as_observed
from reconciler.kinds import BY_NAME
from reconciler.model.things import Scope

OURS = [
    {"Key": "reconciler:stack", "Value": "test"},
    {"Key": "reconciler:address", "Value": "network-interface/one"},
]


def is_ours(**more: Any) -> bool:
    row = {"NetworkInterfaceId": "eni-1", "Status": "available", "TagSet": OURS, **more}
    kind = BY_NAME["network-interface"]
    scope = Scope(kind.name, "123456789012", "us-west-2")
    return concerns(as_observed(kind, row, scope, "aws"), "test")


def test_one_that_nobody_else_looks_after_is_ours() -> None:
    assert is_ours()
    assert is_ours(RequesterManaged=False, Operator={"Managed": False})


@pytest.mark.parametrize(
    "mark", [{"RequesterManaged": True}, {"Operator": {"Managed": True, "Principal": "eks.amazonaws.com"}}]
)
def test_one_that_a_service_of_aws_looks_after_is_not(mark: dict[str, Any]) -> None:
    assert not is_ours(**mark)


@pytest.mark.parametrize("tag", MADE_BY_OTHERS)
def test_one_that_a_controller_has_made_is_not(tag: str) -> None:
    assert not is_ours(TagSet=[*OURS, {"Key": tag, "Value": "theirs"}])
