"""The five fields of a cron expression.  `guards` checks them with it, `daemon.clock` asks how far apart the looks are.

What is good here is what APScheduler's CronTrigger takes and means the same as cron(8) does.  Left out is where the
three differ without a word, since nobody notices a look on the wrong day:

* days of the week by number: 0 is Sunday for cron(8) and Monday for APScheduler, so `*/2` differs too;
* a day of the month together with a day of the week: either will do for cron(8), APScheduler wants both;
* steps after names, which APScheduler reads over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from reconciler.desired.findings import short

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
LENGTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
"""Days of the months of a leap year."""
ITEM = re.compile(
    r"(?:(?P<all>\*)|(?P<first>[0-9]{1,2}|[a-z]+)(?:-(?P<last>[0-9]{1,2}|[a-z]+))?)(?:/(?P<step>.*))?"
)
DIFFERS = "which day is 0 differs from program to program"
STEP = re.compile(r"[0-9]{1,2}")
DAY = 1440
"""Minutes."""
YEARS = 28
"""After so many the days of the week fall on the same dates again."""


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


class Wrong(NamedTuple):
    """What is wrong with an expression, and a hint."""

    what: str
    hint: str


class Times(NamedTuple):
    """What an expression names; days of the week from 0, Monday."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]

    @property
    def longest_gap(self) -> float:
        """The most seconds from one of these times to the next, the changes of summer time left out."""
        clock = sorted(60 * hour + minute for hour in self.hours for minute in self.minutes)
        dates = [number for number, date in enumerate(_calendar()) if self._has(*date)]
        nights = max((after - before for before, after in pairwise(dates)), default=YEARS * 365)
        gaps = [after - before for before, after in pairwise(clock)]
        return 60.0 * max(*gaps, nights * DAY - clock[-1] + clock[0], 0)

    def _has(self, month: int, day: int, weekday: int) -> bool:
        return month in self.months and day in self.days and weekday in self.weekdays


def _calendar() -> Iterator[tuple[int, int, int]]:
    """Month, day and day of the week of each date, from a leap year on that begins with a Monday, as 2024 does."""
    number = 0
    for year in range(YEARS):
        for month, length in enumerate(LENGTHS, 1):
            for day in range(1, length + (0 if month == 2 and year % 4 else 1)):
                yield month, day, number % 7
                number += 1


def read_cron(text: str) -> Times | Wrong:
    """What an expression means, or the first thing that is wrong with it."""
    words = text.split()
    if len(words) != len(FIELDS):
        named = ", ".join(field.name for field in FIELDS)
        return Wrong(f"expected five fields, got {len(words)}", f"{named}, as in 30 3 * * mon-fri")
    found: list[frozenset[int]] = []
    for field, word in zip(FIELDS, words, strict=True):
        numbers: set[int] = set()
        for item in word.split(","):
            try:
                numbers.update(_numbers(field, item))
            except _NoItem as error:
                return Wrong(f"{short(item)!r} is no {field.name}", str(error))
        found.append(frozenset(numbers))
    times = Times(*found)
    if not (words[2].startswith("*") or words[4].startswith("*")):
        hint = "cron looks on either of them, others only on both at once; leave one of the two *"
        return Wrong("names days of the month and days of the week", hint)
    if min(times.days) > max(LENGTHS[month - 1] for month in times.months):
        return Wrong("this time never comes", f"none of these months has a day {min(times.days)}")
    return times


class _NoItem(Exception):
    """One item of a field is wrong; the text is the hint."""


def _numbers(field: Field, item: str) -> range:
    """The numbers that an item names."""
    parsed = ITEM.fullmatch(item)
    if parsed is None:
        raise _NoItem(_allowed(field))
    begin, end, step = parsed["first"], parsed["last"], parsed["step"]
    first = field.least if begin is None else _number(field, begin)
    last = field.most if begin is None or (step is not None and end is None) else _number(field, end or begin)
    if end is not None and begin.isdigit() != end.isdigit():
        raise _NoItem("a range has two numbers, or two names")
    if first > last:
        raise _NoItem(
            "a range goes from the smaller to the larger"
            if field.numbers
            else f"the week begins with {DAYS[0]}, and a range goes forward"
        )
    if step is None:
        return range(first, last + 1)
    if not field.numbers:
        raise _NoItem(f"name the days, as in mon,wed,fri: {DIFFERS}")
    if begin is not None and not begin.isdigit():
        raise _NoItem("a step goes with numbers, not with names")
    if not (STEP.fullmatch(step) and 0 < int(step) <= last - first):
        most = last - first
        raise _NoItem(f"after / comes a number from 1 to {most}" if most else "one number has no steps")
    return range(first, last + 1, int(step))


def _number(field: Field, word: str) -> int:
    if word.isdigit() and not field.numbers:
        raise _NoItem(f"say it by name, {', '.join(field.names)}: {DIFFERS}")
    if word.isdigit() and field.least <= int(word) <= field.most:
        return int(word)
    if word in field.names:
        return field.least + field.names.index(word)
    raise _NoItem(_allowed(field))


def _allowed(field: Field) -> str:
    numbers = f"{field.least} to {field.most}" if field.numbers else ""
    names = f"{field.names[0]} to {field.names[-1]}" if field.names else ""
    return " or ".join(filter(None, (numbers, names))) + "; * for all"
