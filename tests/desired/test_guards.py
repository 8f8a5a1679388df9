"""The keys that bound what a pass does, and when: mode, limits, windows, every, lease."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.model.config import Config

from .support import HEAD, config, problem, problem_here, problems

WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def made(line: str, head: str = HEAD) -> Config:
    return config(f"{line}\n{head}resources: {{}}\n")


def test_without_any() -> None:
    found = made("")
    assert (found.mode, found.limits, found.windows, found.every, found.lease) == ("full", {}, (), None, {})


@pytest.mark.parametrize("mode", ["observe", "upsert", "full"])
def test_modes(mode: str) -> None:
    assert made(f"mode: {mode}").mode == mode


@pytest.mark.parametrize(
    ("limits", "meant"),
    [
        ("{deletes: 3, percent: 12.5, per-hour: 10}", {"deletes": 3, "percent": 12.5, "per-hour": 10}),
        ("{deletes: 0, percent: 0, per-hour: 0}", {"deletes": 0, "percent": 0, "per-hour": 0}),
        ("{percent: 100}", {"percent": 100}),
        ("{}", {}),
        ("", {}),
    ],
)
def test_limits(limits: str, meant: dict[str, float]) -> None:
    assert made(f"limits: {limits}").limits == meant


@pytest.mark.parametrize(
    ("window", "meant"),
    [
        (
            "{from: 08:00, to: '17:00', tz: Europe/Berlin}",
            {"days": WEEK, "from": "08:00", "to": "17:00", "tz": "Europe/Berlin"},
        ),
        (
            "{days: [fri, mon], from: '22:00', to: '06:00', tz: UTC}",
            {"days": ("mon", "fri"), "from": "22:00", "to": "06:00", "tz": "UTC"},
        ),
        (
            "{days: [sun], from: '00:00', to: '24:00', tz: America/New_York}",
            {"days": ("sun",), "from": "00:00", "to": "24:00", "tz": "America/New_York"},
        ),
    ],
)
def test_windows(window: str, meant: dict[str, Any]) -> None:
    assert made(f"windows: [{window}]").windows == (meant,)


@pytest.mark.parametrize(
    ("text", "seconds"), [("30s", 30.0), ("5m", 300.0), ("1h", 3600.0), ("45", 45.0), ("1d", 86400.0)]
)
def test_every(text: str, seconds: float) -> None:
    assert made(f"every: {text}").every == seconds


def test_a_lease_lies_in_the_region_of_the_config() -> None:
    assert made("lease: {table: t, region: eu-central-1}").lease == {"table": "t", "region": "eu-central-1"}
    assert made("lease: {table: t}").lease == {"table": "t", "region": "us-west-2"}
    bare = 'stack: ai\naccount: "123456789012"\nresources: {}\n'
    assert "region is required" in str(problem(f"lease: {{table: t}}\n{bare}"))
    assert config(f"lease: {{table: t}}\n{bare}", default_region="us-east-1").lease["region"] == "us-east-1"


OPEN = "from: '08:00', to: '17:00', tz: UTC"
WRONG = [
    ("mode:▸", "expected observe, upsert or full, got nothing"),
    ("mode: ▸Full", "did you mean full?"),
    ("mode: ▸plan", "'plan' is not allowed (one of: full, observe, upsert)"),
    ("limits: ▸5", "expected a mapping, got 5"),
    ("limits: {deletes: ▸-1}", "expected a whole number, 0 or more, got -1"),
    ("limits: {deletes: ▸1.5}", "expected a whole number"),
    ("limits: {deletes: ▸true}", "expected a whole number"),
    ("limits: {deletes: ▸'3'}", "expected a whole number, 0 or more, got 3 (remove the quotes)"),
    ("limits: {deletes: ▸}", "got nothing"),
    ("limits: {percent: ▸101}", "expected a number from 0 to 100, got 101"),
    ("limits: {percent: ▸.nan}", "expected a number from 0 to 100, got .nan"),
    ("limits: {▸per_hour: 3}", "did you mean per-hour?"),
    ("limits: {▸deletions: 3}", "did you mean deletes?"),
    ("windows:▸", "expected a list, got nothing"),
    ("windows: ▸[]", "this list is empty (leave windows out for always, or say mode: observe)"),
    ("windows: ▸{from: x}", "expected a list, got a mapping"),
    ("windows: [▸x]", "expected a mapping, got x"),
    ("windows: [▸{from: '08:00', to: '17:00'}]", "tz is required"),
    ("windows: [{▸form: '08:00', to: '17:00', tz: UTC}]", "did you mean from?"),
    (f"windows: [{{{OPEN}, ▸cron: x}}]", "there is no such key"),
    (f"windows: [{{{OPEN}, days: ▸mon}}]", "expected a list, got mon"),
    (f"windows: [{{{OPEN}, days: ▸[]}}]", "a window without days never opens"),
    (f"windows: [{{{OPEN}, days: [▸Monday]}}]", "'Monday' is not a day (did you mean mon?)"),
    (f"windows: [{{{OPEN}, days: [▸mon-fri]}}]", "one of: mon, tue, wed, thu, fri, sat, sun"),
    (f"windows: [{{{OPEN}, days: [mon, ▸1]}}]", "expected a day, got 1"),
    (f"windows: [{{{OPEN}, days: [mon, ▸mon]}}]", "mon stands twice"),
    ("windows: [{from: ▸8:00, to: '17:00', tz: UTC}]", "'8:00' is not a time of day"),
    ("windows: [{from: ▸8, to: '17:00', tz: UTC}]", 'expected a time of day such as "08:30", got 8'),
    ("windows: [{from: ▸'24:00', to: '17:00', tz: UTC}]", "00:00 to 23:59"),
    ("windows: [{from: '08:00', to: ▸'08:00', tz: UTC}]", "this window ends when it begins"),
    ("windows: [{from: '08:00', to: '17:00', tz: ▸Europe/berlin}]", "did you mean Europe/Berlin?"),
    ("windows: [{from: '08:00', to: '17:00', tz: ▸../../etc/passwd}]", "no time zone is called"),
    ("every: ▸5 minutes", "expected a duration such as 30s, 5m or 1h, got 5 minutes"),
    ("every: ▸0", "expected a duration"),
    ("every: ▸-5", "expected a duration"),
    ("every:▸", "expected a duration such as 30s, 5m or 1h, got nothing"),
    ("lease: ▸{region: us-west-2}", "table is required"),
    ("lease: {table: ▸'', region: us-west-2}", "expected the name of a DynamoDB table, got an empty text"),
    ("lease: {table: t, region: ▸us-west-9}", "no region is called 'us-west-9'"),
]


@pytest.mark.parametrize(("line", "told"), WRONG)
def test_wrong(line: str, told: str) -> None:
    assert told in str(problem_here(f"{line}\n{HEAD}resources: {{}}\n"))


def test_several_at_once() -> None:
    window = "windows: [{days: [x], from: x, to: x, tz: x}]"
    text = f"mode: x\nlimits: {{deletes: x}}\n{window}\nevery: x\n"
    assert [found.path for found in problems(f"{text}{HEAD}resources: {{}}\n")] == [
        "mode",
        "limits.deletes",
        "windows[0].days[0]",
        "windows[0].from",
        "windows[0].to",
        "windows[0].tz",
        "every",
    ]
