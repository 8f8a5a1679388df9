"""IAM's policy documents by what they say, however they are written.  Used by the records of what has one.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html and reference_policies_grammar.html
there: a single value stands for a list of one, lists are sets, and the names of actions and of conditions' keys have
no case.  IAM keeps a document as it was written, but for the principals: an account's number becomes its ARN.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from reconciler.model.things import Parameter, contains

OLDEST = "2008-10-17"
"""The version of a document that names none."""
ROOT = re.compile(r"arn:[\w-]+:iam::(\d{12}):root")


def meaning(document: Any) -> Any:
    """What a document says, in one spelling; what is none stays as it is."""
    data = _data(document)
    if not isinstance(data, Mapping):
        return document
    statements = [_statement(one) for one in _listed(data.get("Statement"))]
    more = {name: value for name, value in data.items() if name not in {"Statement", "Version"}}
    return {
        **more,
        "Version": data.get("Version") or OLDEST,
        "Statement": sorted(statements, key=lambda one: json.dumps(one, sort_keys=True)),
    }


def mistake(document: Any) -> str | None:
    """What is plainly wrong with a document; None where nothing is, or what it says is not known yet."""
    if contains(document, Parameter):
        return "cannot hold a parameter: it is read at creation only, and this is compared"
    if not isinstance(document, str):
        return None
    data = _data(document)
    if not isinstance(data, Mapping):
        return "is no policy: it has to be a mapping with Version and Statement, in YAML or as JSON"
    statements = _listed(data.get("Statement"))
    if not statements or not all(isinstance(one, Mapping) for one in statements):
        return "a policy has a Statement: a mapping, or a list of them"
    for one in statements:
        if one.get("Effect") not in {"Allow", "Deny"}:
            return "each Statement has an Effect, Allow or Deny"
        if "Action" not in one and "NotAction" not in one:
            return "each Statement has an Action, or a NotAction"
    return None


def _data(document: Any) -> Any:
    if not isinstance(document, str):
        return document
    try:
        return json.loads(document)
    except ValueError:
        return None


def _statement(statement: Any) -> Any:
    if not isinstance(statement, Mapping):
        return statement
    spelt: dict[str, Callable[[Any], Any]] = {
        "Action": lambda value: _set(value, str.lower),
        "NotAction": lambda value: _set(value, str.lower),
        "Resource": _set,
        "NotResource": _set,
        "Principal": _principal,
        "NotPrincipal": _principal,
        "Condition": _condition,
    }
    return {
        name: spelt[name](value) if name in spelt else value
        for name, value in statement.items()
        if not (name == "Sid" and value == "")
    }


def _principal(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return {"AWS": ["*"]} if value == "*" else value
    return {sort: _set(one, lambda text: ROOT.sub(r"\1", text)) for sort, one in value.items()}


def _condition(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    return {
        operator: {key.lower(): _set(one) for key, one in keys.items()}
        for operator, keys in value.items()
        if isinstance(keys, Mapping)
    }


def _set(value: Any, spelt: Callable[[str], str] = str) -> list[str]:
    """The values of an element in order; a flag or a number is a text in JSON's spelling."""
    texts = (one if isinstance(one, str) else json.dumps(one, sort_keys=True) for one in _listed(value))
    return sorted({spelt(text) for text in texts})


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]
