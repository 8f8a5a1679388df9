"""Statements, and documents made of them.  Used by every module of this package."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

LOOKS = re.compile(r"[a-z0-9-]+:(Describe|Get|List|Search)(?=[A-Z])")
Condition = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One statement that allows something; none denies, so that a policy may be cut between any two."""

    sid: str
    actions: tuple[str, ...]
    resources: tuple[str, ...] = ("*",)
    condition: Condition = field(default_factory=dict)

    def as_data(self) -> dict[str, Any]:
        """As IAM writes it."""
        found = {"Sid": self.sid, "Effect": "Allow", "Action": one_or_list(self.actions)}
        found["Resource"] = one_or_list(self.resources)
        return {**found, "Condition": self.condition} if self.condition else found


def document(statements: Sequence[Statement]) -> dict[str, Any]:
    """A policy as IAM takes it."""
    return {"Version": "2012-10-17", "Statement": [statement.as_data() for statement in statements]}


def compact(data: Mapping[str, Any]) -> str:
    """A policy in as few letters as it has without white space."""
    return json.dumps(data, separators=(",", ":"))


def session_policy(statements: Sequence[Statement]) -> str:
    """The same actions as a session policy, which takes rights away and gives none: so resources need no repeating,
    and looks no telling apart, for which it has no room.

    Other roles are not for the session: what it is kept from doing they might do.
    """
    actions = {action for statement in statements for action in statement.actions}
    left = in_order(map(_gathered, actions - {"sts:AssumeRole"}))
    statement = {"Effect": "Allow", "Action": left, "Resource": "*"}
    return compact({"Version": "2012-10-17", "Statement": statement})


def _gathered(action: str) -> str:
    """All looks of a service that begin with one word: `ec2:Describe*`."""
    look = LOOKS.match(action)
    return f"{look[0]}*" if look else action


def parts(statements: Sequence[Statement], most: int) -> list[list[Statement]]:
    """The statements in as many policies as it takes for none to be longer than `most` letters."""
    found: list[list[Statement]] = [[]]
    for statement in statements:
        for piece in _pieces(statement, most):
            if found[-1] and _size([*found[-1], piece]) > most:
                found.append([])
            found[-1].append(piece)
    return found


def _pieces(statement: Statement, most: int) -> Iterator[Statement]:
    """A statement that is too long by itself, with half of its actions each."""
    middle = len(statement.actions) // 2
    if not middle or _size([statement]) <= most:
        yield statement
        return
    for actions in (statement.actions[:middle], statement.actions[middle:]):
        yield from _pieces(replace(statement, actions=actions), most)


def _size(statements: Sequence[Statement]) -> int:
    return len(compact(document(statements)))


def in_order(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(values)))


def one_or_list(values: Sequence[str]) -> str | list[str]:
    """A single value needs no list."""
    return values[0] if len(values) == 1 else list(values)
