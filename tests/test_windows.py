"""When a maintenance window is open, and when that changes."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.windows import DAYS, at

BERLIN = ZoneInfo("Europe/Berlin")


def window(begin: str, end: str, *days: str, tz: str = "Europe/Berlin") -> dict[str, Any]:
    return {"days": days or DAYS, "from": begin, "to": end, "tz": tz}


def moment(text: str, zone: ZoneInfo = BERLIN) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()


LATE = window("22:00", "24:00", "wed")


@pytest.mark.parametrize(
    ("windows", "now", "is_open", "changes"),
    [
        # 2026-11-25 is a Wednesday
        ([window("22:00", "23:00")], "2026-11-25 21:59", False, "2026-11-25 22:00"),
        ([window("22:00", "23:00")], "2026-11-25 22:00", True, "2026-11-25 23:00"),
        ([window("22:00", "23:00")], "2026-11-25 23:00", False, "2026-11-26 22:00"),
        ([window("22:00", "24:00", "wed")], "2026-11-25 23:59", True, "2026-11-26 00:00"),
        ([window("22:00", "02:00", "wed")], "2026-11-26 01:00", True, "2026-11-26 02:00"),
        ([window("22:00", "02:00", "wed")], "2026-11-26 22:30", False, "2026-12-02 22:00"),
        ([LATE, window("00:00", "03:00", "thu")], "2026-11-25 23:00", True, "2026-11-26 03:00"),
        ([window("10:00", "12:00", "tue"), window("11:00", "13:00", "wed")],
         "2026-11-25 11:30", True, "2026-11-25 13:00"),
        # summer time: 02:00 to 03:00 is left out on 2026-03-29 and comes twice on 2026-10-25
        ([window("02:30", "04:00", "sun")], "2026-03-29 03:45", True, "2026-03-29 04:00"),
        ([window("01:00", "04:00", "sun")], "2026-10-25 00:30", False, "2026-10-25 01:00"),
    ],
)  # fmt: skip
def test_open_and_closed(windows: list[dict[str, Any]], now: str, is_open: bool, changes: str) -> None:
    assert at(windows, moment(now)) == (is_open, moment(changes))


def test_a_night_with_an_hour_twice_is_an_hour_longer() -> None:
    begin, end = moment("2026-10-25 01:00"), moment("2026-10-25 04:00")
    assert end - begin == 4 * 3600
    assert at([window("01:00", "04:00", "sun")], begin) == (True, end)


def test_without_windows_it_is_always_open() -> None:
    assert at([], 0.0) == (True, None)


@given(
    st.floats(1.7e9, 1.9e9),
    st.lists(
        st.builds(
            lambda begin, end, days, tz: window(f"{begin:02}:15", f"{end:02}:45", *sorted(days), tz=tz),
            st.integers(0, 23),
            st.integers(0, 23),
            st.sets(st.sampled_from(DAYS), min_size=1),
            st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Pacific/Apia", "Asia/Kathmandu"]),
        ),
        min_size=1,
        max_size=3,
    ),
)
def test_it_changes_when_it_says(now: float, windows: list[dict[str, Any]]) -> None:
    is_open, changes = at(windows, now)
    if changes is None:
        assert all(at(windows, now + hours * 3600).open for hours in range(7 * 24))
        return
    assert changes > now
    for between in (now + (changes - now) * share for share in (0.25, 0.5, 0.99)):
        assert at(windows, between) == (is_open, changes)
    assert at(windows, changes).open is not is_open
