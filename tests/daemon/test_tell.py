"""The daemon in a word and in a sentence, for `systemctl status` and the status file."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.daemon.tell import ended, sentence, state_of
from reconciler.moments import seconds
from reconciler.status import Status

AT = seconds("2026-11-23T14:02:11Z")
PASS = {"outcome": "settled", "ended": AT, "failed": 0, "blocked": 0, "waiting": 0}
STALE = {
    "loaded": seconds("2026-11-20T08:00:00Z"),
    "stale": seconds("2026-11-22T09:30:00Z"),
    "stale_reason": "estate.yaml:7:3: site/one: there is no such key",
}
PAUSE = {"address": "", "by": "anna", "reason": "moving the Frankfurt links"}


def status(**more: Any) -> Status:
    found = Status(
        stack="ai", account="123456789012", what="daemon", pid=7, instance="ops1", program="1", started=AT
    )
    for name, value in more.items():
        setattr(found, name, value)
    return found


def state(found: Status | None = None, **more: Any) -> str:
    well = {"ready": True, "verified": True, "stopping": False, "busy": False, "paused": False}
    return state_of(found or status(), **{**well, **more})


def told(state: str = "idle", why_not: str = "", next_look: float | None = None, **more: Any) -> str:
    return sentence(status(**more), state, why_not, next_look)


@pytest.mark.parametrize(
    ("found", "more", "word"),
    [
        ({}, {}, "idle"),
        ({}, {"busy": True}, "looking"),
        ({}, {"busy": True, "paused": True}, "paused"),
        ({"problem": "no answer"}, {"paused": True, "busy": True}, "degraded"),
        ({"guard": "too many"}, {"paused": True}, "degraded"),
        ({"config": STALE}, {}, "degraded"),
        ({}, {"verified": False, "busy": True}, "degraded"),
        ({"problem": "no answer"}, {"ready": False}, "starting"),
        ({"lease": {"standby": True}, "problem": "x"}, {"ready": False}, "standby"),
        ({"lease": {"standby": True}}, {"stopping": True, "ready": False}, "stopping"),
    ],
)
def test_the_word_is_what_matters_most(found: dict[str, Any], more: dict[str, Any], word: str) -> None:
    assert state(status(**found), **more) == word


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ({}, "ai: ready"),
        ({"state": "looking"}, "ai: looking for the first time"),
        ({"state": "starting"}, "ai: starting"),
        ({"state": "stopping", "next_look": AT}, "ai: stopping"),
        ({"last_pass": PASS}, "ai: settled at 14:02:11Z"),
        ({"last_pass": PASS, "next_look": AT + 296}, "ai: settled at 14:02:11Z, next look at 14:07:07Z"),
        (
            {"last_pass": {**PASS, "outcome": "partial", "failed": 2, "waiting": 1}},
            "ai: partial (2 failed, 1 waiting) at 14:02:11Z",
        ),
        ({"state": "degraded", "why_not": "no answer of STS"}, "ai: degraded: no answer of STS"),
        (
            {"state": "degraded", "problem": "ec2:DescribeVpcs: no answer", "next_look": AT},
            "ai: degraded: ec2:DescribeVpcs: no answer, next look at 14:02:11Z",
        ),
        ({"state": "degraded", "guard": "2 would go"}, "ai: stopped by a guard: 2 would go"),
        ({"state": "paused", "pauses": (PAUSE,)}, "ai: paused by anna: moving the Frankfurt links"),
        (
            {"state": "paused", "pauses": ({**PAUSE, "address": "site/one"}, PAUSE)},
            "ai: paused by anna: moving the Frankfurt links",
        ),
        ({"state": "paused"}, "ai: paused"),
        (
            {"state": "standby", "lease": {"holder": "ops2"}, "next_look": AT},
            "ai: standby, ops2 has the lease",
        ),
        ({"state": "standby"}, "ai: standby, another host has the lease"),
        ({"state": "standby", "lease": {"holder": ""}}, "ai: standby, another host has the lease"),
    ],
)
def test_the_sentence(more: dict[str, Any], text: str) -> None:
    assert told(**more) == text


@pytest.mark.parametrize(
    ("more", "by", "why", "text"),
    [
        ({"last_pass": PASS}, "SIGTERM", "", "ai: stopped by SIGTERM, settled at 2026-11-23T14:02:11Z"),
        ({}, "SIGINT", "", "ai: stopped by SIGINT, before its first look was over"),
        ({"guard": "2 would go"}, "SIGTERM", "", "ai: stopped by SIGTERM, stopped by a guard: 2 would go"),
        ({"last_pass": PASS}, "", "another account", "ai: ended: another account"),
    ],
)
def test_the_last_sentence(more: dict[str, Any], by: str, why: str, text: str) -> None:
    assert ended(status(**more), by, why) == text


def test_a_look_on_another_day_has_its_date() -> None:
    assert told(last_pass=PASS, next_look=AT + 3 * 86400) == (
        "ai: settled at 2026-11-23T14:02:11Z, next look at 2026-11-26T14:02:11Z"
    )


def test_a_config_that_is_refused_is_told_beside_how_it_stands() -> None:
    assert told("degraded", last_pass=PASS, config=STALE) == (
        "ai: settled at 14:02:11Z, runs on the config of 2026-11-20T08:00:00Z, a newer one is refused since "
        "2026-11-22T09:30:00Z: estate.yaml:7:3: site/one: there is no such key"
    )


@pytest.mark.parametrize("where", ["why_not", "problem", "guard"])
def test_a_long_reason_is_cut(where: str) -> None:
    said = told("degraded", **{where: "x" * 5000})
    assert said.endswith("x…")
    assert len(said) < 300
