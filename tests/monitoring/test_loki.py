"""Loki's rules: they ask for what there is, and they fire when they should, over lines of the real log."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from reconciler.events import EVENTS
from tests.monitoring.logql import Range, Row, expression, ranges
from tests.monitoring.support import alerts, failed_unit, fields_of, line

RULES = alerts("loki/reconciler.rules.yml")
MINUTE, HOUR = 60.0, 3600.0
SPANS = {"m": MINUTE, "h": HOUR}


def firing(alert: str, rows: Iterable[Row], at: float) -> list[dict[str, str]]:
    """The labels with which an alert fires at a moment: as long as `for` says it has to have held each minute."""
    rule, rows = RULES[alert], list(rows)
    parsed, lasts = expression(rule["expr"]), rule.get("for", "0m")
    since = at - float(lasts[:-1]) * SPANS[lasts[-1]]
    held = set(parsed.value(rows, at))
    while (at := at - MINUTE) >= since and held:
        held &= set(parsed.value(rows, at))
    return sorted((dict(labels) for labels in held), key=str)


def every(seconds: float, until: float, made: Callable[[float], str], since: float = 0.0) -> list[Row]:
    """A line again and again; equal lines are made once."""
    return [(when, made(when)) for when in _steps(since, until, seconds)]


def _steps(since: float, until: float, step: float) -> list[float]:
    return [since + step * number for number in range(1, int((until - since) / step) + 1)]


def always(text: str) -> Callable[[float], str]:
    return lambda _: text


def heartbeats(until: float, since: float = 0.0, **fields: Any) -> list[Row]:
    return every(MINUTE, until, always(line("heartbeat", **{"interval_s": 300, **fields})), since)


def passes(until: float, step: float = 300.0, **fields: Any) -> list[Row]:
    return every(step, until, always(line("pass.finished", **fields)))


# --------------------------------------------------------------------------------------------- what they ask for


@pytest.mark.parametrize("alert", RULES)
def test_a_rule_asks_for_fields_that_the_event_has(alert: str) -> None:
    found = list(ranges(expression(RULES[alert]["expr"])))
    assert found
    for one, kept in found:
        _events_and_fields(one)
        made = one.query.made()
        assert {*(kept or ())} <= made.keys(), "what is summed by is taken from the line"
        for test in [test for tests in one.query.stage("label") for test in tests]:
            assert test.label in {*made, "__error__"}
        for label in one.query.stage("unwrap"):
            assert label in made


def _events_and_fields(one: Range) -> None:
    events = one.query.events()
    assert events, "the text is searched for an event before anything else"
    assert events == [event for event in events if event in EVENTS]
    assert {*one.query.made().values()} <= fields_of(events)


@pytest.mark.parametrize("alert", RULES)
def test_what_an_annotation_shows_is_a_label_of_the_rule(alert: str) -> None:
    kept = [set(by or ()) for _, by in ranges(expression(RULES[alert]["expr"])) if by is not None]
    for text in RULES[alert]["annotations"].values():
        assert set(re.findall(r"\$labels\.(\w+)", text)) <= set.union(*kept)


def test_a_stream_is_chosen_by_the_unit_alone() -> None:
    chosen = {one.query.selector for rule in RULES.values() for one, _ in ranges(expression(rule["expr"]))}
    assert len(chosen) == 1
    ((label, sign, pattern),) = chosen.pop()
    assert (label, sign, pattern) == ("unit", "=~", "reconciler.*")


# --------------------------------------------------------------------------------------------------- when they fire


def test_silence_of_one_host_is_told_while_the_others_speak() -> None:
    rows = sorted([*heartbeats(HOUR), *heartbeats(2 * HOUR, stack="other")])
    assert firing("ReconcilerSilent", rows, HOUR + 5 * MINUTE) == []
    (found,) = firing("ReconcilerSilent", rows, HOUR + 15 * MINUTE)
    assert found["stack"] == "prod"


def test_silence_of_one_host_is_still_told_in_the_morning() -> None:
    rows = sorted([*heartbeats(HOUR), *heartbeats(20 * HOUR, 19 * HOUR, stack="other")])
    (found,) = firing("ReconcilerSilent", rows, 20 * HOUR)
    assert found["stack"] == "prod"


def test_silence_of_all_is_told_however_long_it_lasts() -> None:
    assert firing("ReconcilerSilent", heartbeats(HOUR), 30 * HOUR) == [{}]


@pytest.mark.parametrize(
    ("interval", "age", "stale"),
    [(300, 1700, False), (300, 1900, True), (3600, 3600, False), (3600, 7300, True)],
)
def test_the_last_success_is_stale_after_half_an_hour_and_two_intervals(
    interval: int, age: int, stale: bool
) -> None:
    rows = heartbeats(20 * MINUTE, interval_s=interval, last_success_age_s=age)
    assert firing("ReconcilerStale", rows, 20 * MINUTE) == ([{"stack": "prod"}] if stale else [])


def test_who_waits_for_the_lease_is_not_stale() -> None:
    waiting = heartbeats(20 * MINUTE, state="standby", last_success_age_s=9000)
    holding = heartbeats(20 * MINUTE, state="idle", last_success_age_s=10)
    assert firing("ReconcilerStale", sorted([*waiting, *holding]), 20 * MINUTE) == []
    assert firing("ReconcilerStale", waiting, 20 * MINUTE) == []
    fresh = heartbeats(20 * MINUTE, state="standby", last_success_age_s=10)
    stuck = heartbeats(20 * MINUTE, -30, state="degraded", last_success_age_s=2000)
    assert firing("ReconcilerStale", sorted([*stuck, *fresh]), 20 * MINUTE) == [{"stack": "prod"}]


def test_staleness_ends_with_the_next_success() -> None:
    rows = [
        *heartbeats(HOUR, last_success_age_s=4000),
        *heartbeats(HOUR + MINUTE, HOUR, last_success_age_s=5),
    ]
    assert firing("ReconcilerStale", rows, HOUR) == [{"stack": "prod"}]
    assert firing("ReconcilerStale", rows, HOUR + MINUTE) == []


def test_a_guard_is_told_with_its_name_until_half_an_hour_after_it() -> None:
    rows = [(HOUR, line("guard.stopped", reason="6 deletions, 5 are allowed", guard="deletes"))]
    assert firing("ReconcilerGuardStopped", rows, HOUR + MINUTE) == [{"stack": "prod", "guard": "deletes"}]
    assert firing("ReconcilerGuardStopped", rows, HOUR + 31 * MINUTE) == []


@pytest.mark.parametrize(
    ("outcome", "numbers", "fails"),
    [
        ("partial", {"failed": 1, "settled": 9}, True),
        ("partial", {"unknown": 1}, True),
        ("partial", {"blocked": 2, "failed": 1}, True),
        ("partial", {"blocked": 2, "unknown": 1}, True),
        ("partial", {"blocked": 2}, False),
        ("partial", {}, True),  # whose ownership is in doubt
        ("failed", {"blocked": 2}, True),
        ("waiting", {"waiting": 3}, False),
        ("settled", {}, False),
        ("guarded", {}, False),
    ],
)
def test_failing_is_three_passes_in_half_an_hour_and_not_being_blocked(
    outcome: str, numbers: dict[str, int], fails: bool
) -> None:
    rows = passes(30 * MINUTE, outcome=outcome, **numbers)
    assert firing("ReconcilerFailing", rows, 30 * MINUTE) == ([{"stack": "prod"}] if fails else [])
    assert firing("ReconcilerFailing", rows[:2], 30 * MINUTE) == []


@pytest.mark.parametrize("event", ["credentials.failed", "identity.mismatch"])
def test_who_is_not_let_in_is_told_at_once(event: str) -> None:
    rows = [(0.0, line(event, reason="the security token included in the request is expired"))]
    assert firing("ReconcilerIdentity", rows, MINUTE) == [{"stack": "prod", "event": event}]


def test_a_text_that_looks_like_an_event_is_none() -> None:
    rows = [(0.0, line("library.log", message='he said "event":"credentials.failed" to me', logger="x"))]
    assert firing("ReconcilerIdentity", rows, MINUTE) == []


def test_an_old_config_is_told_as_long_as_it_is_in_use() -> None:
    rows = [*heartbeats(HOUR, config_stale_s=700), *heartbeats(2 * HOUR, HOUR, config_stale_s=0)]
    (found,) = firing("ReconcilerConfigStale", rows, HOUR)
    assert found["stack"] == "prod"
    assert firing("ReconcilerConfigStale", rows, HOUR + 2 * MINUTE) == []


def test_a_pause_is_told_after_eight_hours() -> None:
    rows = heartbeats(9 * HOUR, state="paused", reason="paused by ada: change freeze")
    assert firing("ReconcilerPausedLong", rows, 7 * HOUR) == []
    assert firing("ReconcilerPausedLong", rows, 8 * HOUR + 2 * MINUTE) == [{"stack": "prod"}]
    assert firing("ReconcilerPausedLong", heartbeats(9 * HOUR, state="idle"), 9 * HOUR) == []


def test_deletions_are_counted_over_passes() -> None:
    rows = [
        (HOUR, line("pass.finished", outcome="done", deleted=2)),
        (HOUR + 5, line("pass.finished", outcome="settled")),
    ]
    assert firing("ReconcilerDeletions", rows, HOUR + MINUTE) == [{"stack": "prod"}]
    (count,) = expression(RULES["ReconcilerDeletions"]["expr"]).value(rows, HOUR + MINUTE).values()
    assert count == 2
    assert firing("ReconcilerDeletions", rows[1:], HOUR + MINUTE) == []


def test_a_daemon_that_hangs_is_told() -> None:
    rows = [(0.0, line("watchdog.withheld", reason="the thread of the passes has ended"))]
    (found,) = firing("ReconcilerWatchdogWithheld", rows, MINUTE)
    assert found["stack"] == "prod"


def test_a_unit_that_has_failed_is_told_by_its_name() -> None:
    rows = [(0.0, failed_unit("reconciler@prod.service"))]
    assert firing("ReconcilerUnitFailed", rows, MINUTE) == [
        {"host": "ops1", "failed": "reconciler@prod.service"}
    ]
    (found,) = firing("ReconcilerUnitFailed", [(0.0, line("unit.failed", error="boom"))], MINUTE)
    assert "failed" not in found


def test_blocked_is_told_after_four_hours() -> None:
    rows = passes(5 * HOUR, outcome="partial", blocked=3)
    assert firing("ReconcilerBlockedLong", rows, 3 * HOUR) == []
    assert firing("ReconcilerBlockedLong", rows, 4 * HOUR + 6 * MINUTE) == [{"stack": "prod"}]
    assert firing("ReconcilerBlockedLong", passes(5 * HOUR, outcome="settled"), 5 * HOUR) == []


@pytest.mark.parametrize(("throttled", "told"), [(20, True), (5, False)])
def test_throttling_is_told_as_a_share_of_all_requests(throttled: int, told: bool) -> None:
    rows = passes(HOUR, outcome="settled", api_calls=100, throttled=throttled)
    assert firing("ReconcilerThrottled", rows, HOUR) == ([{"stack": "prod"}] if told else [])


def test_three_starts_in_half_an_hour_are_too_many() -> None:
    rows = every(8 * MINUTE, 24 * MINUTE, always(line("daemon.starting")))
    assert firing("ReconcilerRestarting", rows[:2], 24 * MINUTE) == []
    (found,) = firing("ReconcilerRestarting", rows, 24 * MINUTE)
    assert found["stack"] == "prod"
