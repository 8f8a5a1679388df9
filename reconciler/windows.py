"""Maintenance windows: when deletions and replacements may be made.  Asked by `loop` once a pass.

A window is `days`, `from`, `to` and `tz` as `Config.windows` has them.  Times of day are those of its zone, so that
a window moves with summer time.  A time in the hour that summer time leaves out counts an hour later, and one in the
hour that comes twice counts the first time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WEEK = 7 * 86400.0
AHEAD = 9
"""Days that are looked ahead: a week, the day that has begun, and the night after it."""


class Windows(NamedTuple):
    """Whether a window is open, and when that changes, in seconds since the epoch (None: not within a week)."""

    open: bool
    changes: float | None


ALWAYS = Windows(True, None)


def at(windows: Sequence[Mapping[str, Any]], now: float) -> Windows:
    """How it stands at a moment, in seconds since the epoch.  Without windows it is always open."""
    if not windows:
        return ALWAYS
    spans = sorted(span for window in windows for span in _spans(window, now))
    closes = None
    for begin, end in spans:
        if begin <= (now if closes is None else closes) and end > now:  # windows that touch are one
            closes = max(closes or end, end)
    if closes is not None:
        return Windows(True, closes if closes <= now + WEEK else None)
    return Windows(False, min((begin for begin, _ in spans if begin > now), default=None))


def _spans(window: Mapping[str, Any], now: float) -> Iterator[tuple[float, float]]:
    """From when to when it is open, from yesterday to a week ahead."""
    zone = ZoneInfo(window["tz"])
    today = datetime.fromtimestamp(now, zone).date()
    for offset in range(-1, AHEAD):
        day = today + timedelta(days=offset)
        if DAYS[day.weekday()] in window["days"]:
            over_midnight = window["to"] <= window["from"]
            end = day + timedelta(days=1) if over_midnight else day
            yield _moment(day, window["from"], zone), _moment(end, window["to"], zone)


def _moment(day: date, time: str, zone: ZoneInfo) -> float:
    hour, minute = map(int, time.split(":"))
    if hour == 24:
        day, hour = day + timedelta(days=1), 0
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone).astimezone(UTC).timestamp()
