"""Whether two answers are alike: the same members, states and values, ids and ARNs of one form."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

_ARN = re.compile(r"arn:(aws[a-z-]*):([a-z0-9-]+):([a-z0-9-]*):([0-9]{12}):(.+)")
# AWS's documentation writes EXAMPLE into made-up ids; AWS's own ids have 8 or 17 hexadecimal digits
_ID = re.compile(r"([a-z][a-z-]*)-(?:[0-9a-f]{17}|[0-9a-f]{8}|[0-9a-f]{4}-EXAMPLE[0-9]{5})")


def form(text: str) -> str:
    """A text with its ids, accounts and the digits of its ARNs made equal."""
    arn = _ARN.fullmatch(text)
    if arn is not None:
        path = "/".join(form(part) for part in arn[5].split("/"))
        return f"arn:{arn[1]}:{arn[2]}:{arn[3]}:ACCOUNT:{path}"
    found = _ID.fullmatch(text)
    if found is not None:
        return f"{found[1]}-ID"
    return "ACCOUNT" if re.fullmatch(r"[0-9]{12}", text) else text


def differences(expected: Any, got: Any, path: str = "") -> Iterator[str]:
    """What is not alike, each with the path to it."""
    if isinstance(expected, Mapping) and isinstance(got, Mapping):
        for name in sorted(expected.keys() | got.keys()):
            where = f"{path}.{name}".lstrip(".")
            if name not in got:
                yield f"{where}: missing"
            elif name not in expected:
                yield f"{where}: not in the sample"
            else:
                yield from differences(expected[name], got[name], where)
    elif isinstance(expected, list) and isinstance(got, list):
        if len(expected) != len(got):
            yield f"{path}: {len(got)} instead of {len(expected)}"
        for number, (one, other) in enumerate(zip(expected, got, strict=False)):
            yield from differences(one, other, f"{path}[{number}]")
    elif isinstance(got, datetime):
        if not isinstance(expected, float | int) and not re.match(r"\d{4}-\d\d-\d\dT", str(expected)):
            yield f"{path}: a time instead of {expected!r}"
    elif isinstance(expected, str) and isinstance(got, str):
        if form(expected) != form(got):
            yield f"{path}: {form(got)} instead of {form(expected)}"
    elif expected != got:
        yield f"{path}: {got!r} instead of {expected!r}"
