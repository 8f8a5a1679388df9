"""`every: {cron, tz}`: what is taken is what APScheduler takes, and means what cron(8) means."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from apscheduler.triggers.cron import CronTrigger
from hypothesis import assume, given
from hypothesis import strategies as st

from reconciler.desired.cron import DAYS, MONTHS, Times, Wrong, read_cron
from reconciler.model.config import Cron

from .support import HEAD, config, problem_here

# ---- the grammar, and what it means


@st.composite
def items(
    draw: st.DrawFn, least: int, most: int, names: tuple[str, ...] = (), digits: bool = True
) -> tuple[str, set[int]]:
    """One item of a field, and the numbers it names."""
    first, last = sorted(draw(st.tuples(st.integers(least, most), st.integers(least, most))))
    forms = [("*", range(least, most + 1))]
    if digits:
        step = draw(st.integers(1, most - least))
        forms += [
            (f"*/{step}", range(least, most + 1, step)),
            (f"{first}", range(first, first + 1)),
            (f"{first:02}-{last}", range(first, last + 1)),
        ]
        if first < last:
            step = draw(st.integers(1, last - first))
            forms += [
                (f"{first}-{last}/{step}", range(first, last + 1, step)),
                (f"{first}/{step}", range(first, most + 1, step)),
            ]
    if names:
        forms += [
            (names[first - least], range(first, first + 1)),
            (f"{names[first - least]}-{names[last - least]}", range(first, last + 1)),
        ]
    text, meant = draw(st.sampled_from(forms))
    return text, set(meant)


@st.composite
def expressions(draw: st.DrawFn) -> tuple[str, Times]:
    """An expression of the grammar and its meaning."""
    kinds = [items(0, 59), items(0, 23), items(1, 31), items(1, 12, MONTHS), items(0, 6, DAYS, digits=False)]
    if draw(st.booleans()):
        kinds[2] = st.just(("*", set(range(1, 32))))
    else:
        kinds[4] = st.just(("*", set(range(7))))
    words, numbers = [], []
    for kind in kinds:
        found = draw(st.lists(kind, min_size=1, max_size=3))
        words.append(",".join(text for text, _ in found))
        numbers.append(frozenset().union(*(meant for _, meant in found)))
    return " ".join(words), Times(*numbers)


def fires(times: Times, after: datetime) -> Iterator[datetime]:
    """When it comes, found by looking at every date, in UTC."""
    midnight = after.replace(hour=0, minute=0, second=0, microsecond=0)
    for number in range(30 * 366):
        date = midnight + timedelta(days=number)
        if date.month in times.months and date.day in times.days and date.weekday() in times.weekdays:
            for hour in sorted(times.hours):
                for minute in sorted(times.minutes):
                    if (found := date.replace(hour=hour, minute=minute)) > after:
                        yield found


def fired(text: str, after: datetime) -> Iterator[datetime]:
    """When APScheduler has it come."""
    trigger = CronTrigger.from_crontab(text, timezone="UTC")
    while True:
        after = trigger.get_next_fire_time(None, after + timedelta(microseconds=1))
        yield after


MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))


@given(expressions(), MOMENTS)
def test_it_means_what_it_says(expression: tuple[str, Times], now: datetime) -> None:
    text, meant = expression
    found = read_cron(text)
    assume(not isinstance(found, Wrong))  # a 30th of February
    assert found == meant
    assert list(islice(fired(text, now), 3)) == list(islice(fires(meant, now), 3))


TOKENS = [
    "*",
    "/",
    "-",
    ",",
    "0",
    "1",
    "05",
    "12",
    "31",
    "59",
    "60",
    "mon",
    "fri",
    "sun",
    "jan",
    "dec",
    "last",
    "L",
    "?",
    "#",
]


@given(
    st.lists(st.lists(st.sampled_from(TOKENS), min_size=1, max_size=4).map("".join), min_size=4, max_size=6),
    MOMENTS,
)
def test_nothing_is_taken_that_apscheduler_refuses_or_takes_otherwise(
    words: list[str], now: datetime
) -> None:
    found = read_cron(" ".join(words))
    if isinstance(found, Times):
        assert list(islice(fired(" ".join(words), now), 2)) == list(islice(fires(found, now), 2))


@given(st.text(max_size=30))
def test_no_text_is_an_error_of_ours(text: str) -> None:
    read_cron(text)


@given(expressions(), MOMENTS)
def test_two_looks_are_never_further_apart_than_the_longest_gap(
    expression: tuple[str, Times], now: datetime
) -> None:
    text, _ = expression
    found = read_cron(text)
    assume(not isinstance(found, Wrong))
    gap = timedelta(seconds=found.longest_gap)
    assert all(after - before <= gap for before, after in pairwise(islice(fires(found, now), 60)))


@pytest.mark.parametrize(
    ("text", "gap"),
    [
        ("* * * * *", timedelta(minutes=1)),
        ("*/5 * * * *", timedelta(minutes=5)),
        ("*/7 * * * *", timedelta(minutes=7)),
        ("0 3 * * *", timedelta(days=1)),
        ("0 3 * * mon-fri", timedelta(days=3)),
        ("*/10 8-17 * * mon-fri", timedelta(days=2, hours=14, minutes=10)),
        ("0 3 1 * *", timedelta(days=31)),
        ("0 3 1 1 *", timedelta(days=366)),
        ("0 0 29 2 *", timedelta(days=4 * 365 + 1)),
    ],
)
def test_the_longest_gap(text: str, gap: timedelta) -> None:
    found = read_cron(text)
    assert isinstance(found, Times)
    assert timedelta(seconds=found.longest_gap) == gap


# ---- in a config


def made(line: str) -> object:
    return config(f"{line}\n{HEAD}resources: {{}}\n").every


def test_in_a_config() -> None:
    assert made("every: {cron: '30 3 * * mon-fri', tz: Europe/Berlin}") == Cron(
        "30 3 * * mon-fri", "Europe/Berlin"
    )
    assert made('every: {cron: " 0  */6 * * *"}') == Cron("0 */6 * * *", "UTC")


def test_a_variable_may_give_it() -> None:
    text = (
        f"variables: {{at: {{default: 5 4 * * *}}}}\nevery: {{cron: '${{var.at}}'}}\n{HEAD}resources: {{}}\n"
    )
    assert config(text).every == Cron("5 4 * * *", "UTC")


NOT_BY_NUMBER = (
    "say it by name, mon, tue, wed, thu, fri, sat, sun: which day is 0 differs from program to program"
)
WRONG = [
    ("0 3 * * 0", "'0' is no day of the week", NOT_BY_NUMBER),
    ("0 3 * * 7", "'7' is no day of the week", NOT_BY_NUMBER),
    ("0 3 * * 1-5", "'1-5' is no day of the week", NOT_BY_NUMBER),
    ("0 3 * * mon-5", "'mon-5' is no day of the week", NOT_BY_NUMBER),
    ("0 3 * * */2", "'*/2' is no day of the week", "name the days, as in mon,wed,fri"),
    ("0 3 * * mon-fri/2", "'mon-fri/2' is no day of the week", "name the days, as in mon,wed,fri"),
    ("0 3 * * MON", "'MON' is no day of the week", "mon to sun; * for all"),
    ("0 3 * * monday", "'monday' is no day of the week", "mon to sun; * for all"),
    ("0 3 * * sat-mon", "'sat-mon' is no day of the week", "the week begins with mon"),
    ("0 3 1 * mon", "names days of the month and days of the week", "leave one of the two *"),
    ("60 * * * *", "'60' is no minute", "0 to 59; * for all"),
    ("* 24 * * *", "'24' is no hour", "0 to 23; * for all"),
    ("* * 0 * *", "'0' is no day of the month", "1 to 31; * for all"),
    ("* * 32 * *", "'32' is no day of the month", "1 to 31; * for all"),
    ("* * last * *", "'last' is no day of the month", "1 to 31; * for all"),
    ("* * * 13 *", "'13' is no month", "1 to 12 or jan to dec; * for all"),
    ("* * * jan-3 *", "'jan-3' is no month", "a range has two numbers, or two names"),
    ("* * * 1-mar *", "'1-mar' is no month", "a range has two numbers, or two names"),
    ("* * * jan-jun/2 *", "'jan-jun/2' is no month", "a step goes with numbers, not with names"),
    ("* * * dec-jan *", "'dec-jan' is no month", "a range goes from the smaller to the larger"),
    ("30-10 * * * *", "'30-10' is no minute", "a range goes from the smaller to the larger"),
    ("1,,2 * * * *", "'' is no minute", "0 to 59; * for all"),
    ("*/0 * * * *", "'*/0' is no minute", "after / comes a number from 1 to 59"),
    ("*/60 * * * *", "'*/60' is no minute", "after / comes a number from 1 to 59"),
    ("*/ * * * *", "'*/' is no minute", "after / comes a number from 1 to 59"),
    ("* * */31 * *", "'*/31' is no day of the month", "after / comes a number from 1 to 30"),
    ("10-12/5 * * * *", "'10-12/5' is no minute", "after / comes a number from 1 to 2"),
    ("7-7/1 * * * *", "'7-7/1' is no minute", "one number has no steps"),
    ("٣ * * * *", "'٣' is no minute", "0 to 59; * for all"),
    ("0 3 30 2 *", "this time never comes", "none of these months has a day 30"),
    ("0 3 31 apr,jun *", "this time never comes", "none of these months has a day 31"),
    ("* * * *", "expected five fields, got 4", "minute, hour, day of the month, month, day of the week"),
    ("0 0 3 * * mon", "expected five fields, got 6", "as in 30 3 * * mon-fri"),
    ("@daily", "expected five fields, got 1", "as in 30 3 * * mon-fri"),
    ("", "expected five fields, got 0", "as in 30 3 * * mon-fri"),
]


@pytest.mark.parametrize(("text", "what", "hint"), WRONG, ids=[ascii(text) for text, _, _ in WRONG])
def test_what_is_wrong_is_told_with_the_reason(text: str, what: str, hint: str) -> None:
    found = str(problem_here(f'every: {{cron: ▸"{text}"}}\n{HEAD}resources: {{}}\n'))
    assert f"every.cron: {what}" in found
    assert hint in found


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("every: ▸{tz: UTC}", "cron is required"),
        ("every: ▸{}", "cron is required"),
        ("every: {cron: ▸5}", 'expected five fields such as "30 3 * * mon-fri", got 5'),
        ("every: {cron: ▸}", "got nothing"),
        ("every: {cron: '* * * * *', tz: ▸Europe/berlin}", "did you mean Europe/Berlin?"),
        ("every: {cron: '* * * * *', tz: ▸Mars/Phobos}", "no time zone is called 'Mars/Phobos'"),
        ("every: {cron: '* * * * *', tz: ▸}", "expected a time zone such as Europe/Berlin, got nothing"),
        ("every: {cron: '* * * * *', ▸zone: UTC}", "there is no such key"),
        ("every: ▸['* * * * *']", "expected a duration such as 30s, 5m or 1h, got a list"),
    ],
)
def test_wrong_keys_and_zones(line: str, told: str) -> None:
    assert told in str(problem_here(f"{line}\n{HEAD}resources: {{}}\n"))


def test_zones_are_those_that_the_clock_knows() -> None:
    for name in ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata"):
        assert made(f"every: {{cron: '0 3 * * *', tz: {name}}}") == Cron("0 3 * * *", name)
        assert ZoneInfo(name)
