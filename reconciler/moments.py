"""Moments as text, as JSON documents have them.  Used by `pauses`, `status` and whoever shows a time."""

from __future__ import annotations

from datetime import UTC, datetime


def text(seconds: float) -> str:
    """Seconds since the epoch as `2026-11-23T14:00:00Z`; ValueError or OverflowError where a calendar has none."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def seconds(moment: str) -> float:
    """The reverse; ValueError for a text that is no moment, or that has no time zone."""
    found = datetime.fromisoformat(moment)
    if found.tzinfo is None:
        raise ValueError(f"{moment} has no time zone")
    if not 1 < found.year < 9999:  # in UTC, it may be in the next year
        raise ValueError(f"{moment} is too far away")
    return found.timestamp()
