"""The evidence on which systemd's watchdog is fed: each sort of standstill is seen, and nothing else is."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.daemon.watch import Evidence, standstill

NOW = 10_000.0


def why(now: float = NOW, **seen: Any) -> str | None:
    """What stands still, where all is well but for what is `seen`."""
    well = {"stamped": NOW, "passes_alive": True, "busy_since": None, "request_at": 0.0}
    found = standstill(Evidence(**{**well, **seen}), now)
    return found.why if found else None


@pytest.mark.parametrize(
    "seen",
    [
        {},
        {"stamped": NOW - 59},
        {"busy_since": NOW},
        {"busy_since": NOW - 5000, "request_at": NOW - 299},
        {"busy_since": NOW - 299, "request_at": NOW - 5000},
        {"busy_since": None, "request_at": NOW - 5000},
    ],
    ids=["idle", "stamped a while ago", "just begun", "long and busy", "no request yet", "idle for long"],
)
def test_progress(seen: dict[str, Any]) -> None:
    assert why(**seen) is None


@pytest.mark.parametrize(
    ("seen", "told"),
    [
        ({"passes_alive": False}, "the thread of the passes has ended"),
        ({"stamped": NOW - 61}, "the scheduler has given no sign of life for 61 s"),
        ({"busy_since": NOW - 301, "request_at": NOW - 5000}, "a pass has made no request for 301 s"),
        ({"busy_since": NOW - 5000, "request_at": NOW - 301}, "a pass has made no request for 301 s"),
    ],
    ids=["dead passes", "dead scheduler", "never a request", "no request any more"],
)
def test_standstill(seen: dict[str, Any], told: str) -> None:
    assert why(**seen) == told


def test_a_dead_scheduler_is_seen_during_a_pass_that_works() -> None:
    told = why(stamped=NOW - 100, busy_since=NOW - 200, request_at=NOW)
    assert told is not None
    assert "scheduler" in told


@pytest.mark.parametrize(
    ("seen", "dead"),
    [({"passes_alive": False}, True), ({"stamped": NOW - 61}, True), ({"busy_since": NOW - 301}, False)],
    ids=["dead passes", "dead scheduler", "a pass that hangs"],
)
def test_what_never_comes_back_is_told_apart(seen: dict[str, Any], dead: bool) -> None:
    well = {"stamped": NOW, "passes_alive": True, "busy_since": None, "request_at": 0.0}
    found = standstill(Evidence(**{**well, **seen}), NOW)
    assert found is not None
    assert found.dead is dead
