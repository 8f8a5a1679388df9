"""The five fields of a cron expression.  Called by `guards`; what is good here is what APScheduler's CronTrigger reads.

Days of the week are names only: 0 is Sunday for cron(8) and Monday for APScheduler, and a look on the wrong day is not
noticed by anyone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
ITEM = re.compile(r"(?P<all>\*)|(?P<first>[0-9]{1,2}|[a-z]{3})(?:-(?P<last>[0-9]{1,2}|[a-z]{3}))?")


class Field(NamedTuple):
    """One of the five: its name, its numbers from `least` to `most`, and names that stand for them."""

    name: str
    least: int
    most: int
    names: Sequence[str] = ()
    numbers: bool = True


FIELDS = (
    Field("minute", 0, 59),
    Field("hour", 0, 23),
    Field("day of the month", 1, 31),
    Field("month", 1, 12, MONTHS),
    Field("day of the week", 0, 6, DAYS, numbers=False),
)


def cron_problem(text: str) -> tuple[str, str] | None:
    """What is wrong with an expression, and a hint; None when it is good."""
    words = text.split()
    if len(words) != len(FIELDS):
        named = ", ".join(field.name for field in FIELDS)
        return f"{len(words)} fields instead of five", f"{named}, as in 30 3 * * mon-fri"
    for field, word in zip(FIELDS, words, strict=True):
        for item in word.split(","):
            if why := _item_problem(field, item):
                return f"{item!r} is no {field.name}", why
    return None


def _item_problem(field: Field, item: str) -> str | None:
    body, slash, step = item.partition("/")
    if slash and not (step.isascii() and step.isdigit() and 0 < int(step) <= field.most):
        return f"after / comes a number from 1 to {field.most}"
    parsed = ITEM.fullmatch(body)
    if parsed is None:
        return _allowed(field)
    if parsed["all"]:
        return None
    first = _number(field, parsed["first"])
    last = _number(field, parsed["last"] or parsed["first"])
    if first is None or last is None:
        if not field.numbers and parsed["first"].isdigit():
            return f"say it by name, {', '.join(field.names)}: which day is 0 differs from program to program"
        return _allowed(field)
    return None if first <= last else "a range goes from the smaller to the larger"


def _number(field: Field, word: str) -> int | None:
    if word.isdigit():
        return int(word) if field.numbers and field.least <= int(word) <= field.most else None
    return field.least + field.names.index(word) if word in field.names else None


def _allowed(field: Field) -> str:
    numbers = f"{field.least} to {field.most}" if field.numbers else ""
    names = f"{field.names[0]} to {field.names[-1]}" if field.names else ""
    return " or ".join(filter(None, (numbers, names))) + "; * for all"
