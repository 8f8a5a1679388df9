"""IAM's side: whether a policy allows what AWS asks.  The part of IAM's language that our policies use, and no more.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html and
reference_policies_elements_condition_operators.html there.  Used by the tests of this folder.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

Values = str | tuple[str, ...]


@dataclass(frozen=True)
class Asked:
    """One question: may this action be done to this resource?  `context` has the keys of conditions in lower case."""

    action: str
    resource: str = "*"
    context: Mapping[str, Values] = field(default_factory=dict)


def allows(policy: Mapping[str, Any], asked: Asked) -> bool:
    """Whether some statement allows it.  A statement that denies is not known here."""
    return any(_allows(statement, asked) for statement in policy["Statement"])


def _allows(statement: Mapping[str, Any], asked: Asked) -> bool:
    assert statement["Effect"] == "Allow"
    assert statement.keys() <= {"Sid", "Effect", "Action", "Resource", "Condition"}
    return (
        any(_matches(one, asked.action) for one in _list(statement["Action"]))
        and any(_matches(one, asked.resource) for one in _list(statement["Resource"]))
        and all(
            _holds(operator, key, _list(wanted), asked.context)
            for operator, keys in statement.get("Condition", {}).items()
            for key, wanted in keys.items()
        )
    )


def _matches(pattern: str, value: str) -> bool:
    return _compiled(pattern).fullmatch(value) is not None


@cache  # a policy has more patterns than `re` remembers
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, pattern.split("*"))))


def _holds(operator: str, key: str, wanted: list[str], context: Mapping[str, Values]) -> bool:
    found = context.get(key.lower())
    match operator:
        case "Null":
            return (not found) is (wanted == ["true"])
        case "StringEquals":
            return isinstance(found, str) and found in wanted
        case "ArnEquals":
            return isinstance(found, str) and any(_matches(one, found) for one in wanted)
        case "StringEqualsIfExists":
            return found is None or found in wanted
        case "ForAllValues:StringEquals":  # a key that is missing or empty fulfils it
            return all(value in wanted for value in _list(found or ()))
        case "ForAllValues:StringNotEquals":
            return all(value not in wanted for value in _list(found or ()))
    raise AssertionError(f"a policy uses {operator}, which these tests do not know")


def _list(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)
