"""stderr as programs read it: every line one JSON object, the events of the catalogue, one line for a settled pass."""

from __future__ import annotations

from typing import Any

import pytest
import structlog
from jsonschema import Draft202012Validator

from reconciler.events import EVENTS
from reconciler.model.address import Address
from reconciler.model.plan import Entry, Outcome, Plan, Report
from reconciler.model.things import Scope
from reconciler.model.verdicts import Blocked, Drift, Settled, Steps, Verdict
from reconciler.narrate import Narrator
from reconciler.show.events import json_schema

from .support import ACCOUNT, REGION, VPCS, Cli

HEAD = ["ts", "level", "event", "schema", "service", "version", "instance", "pid"]
COUNTS = ("settled", "created", "updated", "replaced", "deleted", "failed", "waiting", "blocked", "unknown")
FIELDS = {
    *HEAD,
    *COUNTS,
    *("pass_id", "trigger", "stack", "account", "regions", "outcome", "api_calls", "api_writes"),
    *("discovery_calls", "throttled", "duration_ms", "config_hash", "next_pass_in_s"),
}
"""All fields of the one line of a pass."""
SCHEMA = Draft202012Validator(json_schema())


def in_catalogue(lines: list[dict[str, Any]]) -> None:
    for line in lines:
        assert list(line)[: len(HEAD)] == HEAD
        assert line["event"] in EVENTS
        SCHEMA.validate(line)


def test_a_settled_pass_is_one_line(cli: Cli) -> None:
    cli("run", "--once")
    settled = cli("run", "--once")
    warning, line = settled.log
    assert (warning["event"], warning["level"]) == ("endpoint.overridden", "warning")
    assert (line["event"], line["level"]) == ("pass.finished", "info")
    assert line.keys() == FIELDS
    assert line["outcome"] == "settled"
    assert {name: line[name] for name in COUNTS} == dict.fromkeys(COUNTS, 0) | {"settled": 2}
    assert (line["trigger"], line["stack"], line["regions"]) == ("once", "ai", [])
    assert (line["api_calls"], line["api_writes"], line["discovery_calls"]) == (2, 0, 0)
    assert len(line["config_hash"]) == 8
    assert line["duration_ms"] > 0


def test_every_pass_finishes_once_and_its_lines_belong_to_it(cli: Cli) -> None:
    found = cli("run", "--once", "--log-level", "debug")
    in_catalogue(found.log)
    assert {line.get("stack") for line in found.log} == {"ai"}, "outside of the passes too"
    started, finished = found.events("pass.started"), found.events("pass.finished")
    assert [line["pass_id"] for line in started] == [line["pass_id"] for line in finished]
    assert len({line["pass_id"] for line in finished}) == len(finished) > 1
    assert all(line.keys() == FIELDS for line in finished)
    assert finished[-1]["outcome"] == "settled"
    assert sum(line["created"] for line in finished) == 2
    changes = found.events("change.started")
    assert [line["address"] for line in changes] == ["global-network/main", "site/one"]
    assert all(line["pass_id"] in {one["pass_id"] for one in started} for line in changes)
    assert [line["address"] for line in found.events("change.succeeded")] == [
        "global-network/main",
        "site/one",
    ]


def test_a_plan_is_a_pass_without_writes(cli: Cli) -> None:
    planned = cli("plan").events("pass.finished")
    assert [(line["outcome"], line["trigger"], line["api_writes"]) for line in planned] == [
        ("planned", "plan", 0)
    ]
    assert planned[0].keys() == FIELDS
    cli("run", "--once")
    assert [line["outcome"] for line in cli("drift").events("pass.finished")] == ["settled"]
    cli.write("resources: {}\n")
    assert [line["outcome"] for line in cli("plan").events("pass.finished")] == ["guarded"]


def test_a_pass_that_comes_to_nothing_finishes_too(cli: Cli) -> None:
    cli.write("resources: {}\n")
    stopped = cli("run", "--once").log
    assert [line["event"] for line in stopped[1:]] == ["guard.stopped", "pass.finished"]
    assert stopped[-1]["outcome"] == "guarded"
    assert stopped[-1].keys() == FIELDS
    lost = cli("run", "--once", "--endpoint-url", "http://127.0.0.1:9").log
    assert [line["event"] for line in lost[1:]] == ["pass.finished", "pass.failed"]
    assert (lost[1]["outcome"], lost[1]["trigger"]) == ("failed", "once")


def test_discovery_is_counted_apart(cli: Cli) -> None:
    cli.write(VPCS, discovered=False)
    first, *later = cli("run", "--once").events("pass.finished")
    assert first["discovery_calls"] > 5
    assert 0 < first["api_calls"] < 10
    assert all(line["discovery_calls"] == 0 for line in later)


def waits(labels: list[str], why: str) -> Report:
    return Report(
        outcomes=tuple(Outcome(label=label, status="waiting", why=why) for label in labels),
        plan=Plan(stack="ai", entries=()),
    )


def test_what_waits_for_the_same_is_one_line_each_half_a_minute() -> None:
    narrator, vpcs = Narrator(), [f"vpc/{letter}" for letter in "abcdefg"]
    with structlog.testing.capture_logs() as said:
        narrator.waiting(waits(vpcs, "quiet, please"), now=0.0)
        narrator.waiting(waits(vpcs, "quiet, please"), now=29.0)
        narrator.waiting(waits(["vpc/a"], "it is pending"), now=30.0)
        narrator.waiting(waits(["vpc/a", "vpc/b"], "it is pending"), now=31.0)
    assert [(line["address"], line["reason"], line.get("addresses")) for line in said] == [
        ("vpc/a, vpc/b, vpc/c, vpc/d, vpc/e and 2 more", "quiet, please", 7),
        ("vpc/a", "it is pending", None),
        ("vpc/b", "it is pending", None),
    ]


def found(verdict: Verdict) -> Plan:
    scope = Scope("vpc", ACCOUNT, REGION)
    return Plan(stack="ai", entries=(Entry(address=Address("vpc", "a"), scope=scope, verdict=verdict),))


def test_what_stays_as_it_is_is_told_once() -> None:
    narrator = Narrator()
    by_hand, more = Drift("Tags.x", "y", None), Drift("Tags.z", "y", None)
    verdicts: list[Verdict] = [
        Steps("update", (), (by_hand,)),
        Steps("update", (), (by_hand,)),
        Steps("update", (), (by_hand, more)),
        Settled(),
        Steps("update", (), (by_hand,)),
        Blocked("it is protected"),
        Blocked("it is protected"),
    ]
    with structlog.testing.capture_logs() as said:
        for verdict in verdicts:
            narrator.planned(found(verdict))
    news = [line for line in said if line["event"] != "plan.computed"]
    assert [(line["event"], line["address"], line.get("paths")) for line in news] == [
        ("drift.detected", "vpc/a", ["Tags.x"]),
        ("drift.detected", "vpc/a", ["Tags.x", "Tags.z"]),
        ("drift.detected", "vpc/a", ["Tags.x"]),
        ("address.blocked", "vpc/a", None),
    ]


def test_drift_is_in_the_log_of_the_run_that_mends_it(cli: Cli) -> None:
    cli.write(VPCS)
    cli("run", "--once")
    cli.write(VPCS.replace("protect: false}", "protect: false, Tags: {x: y}}", 1))
    mended = cli("run", "--once")
    assert [(line["address"], line["paths"]) for line in mended.events("drift.detected")] == [
        ("vpc/a", ["Tags.x"])
    ]


@pytest.mark.parametrize("level", ["warning", "error"])
def test_the_level_is_the_least_that_is_written(cli: Cli, level: str) -> None:
    done = cli("run", "--once", "--log-level", level)
    assert done.out == "ai: 2 created; 2 settled.\n"
    assert {line["level"] for line in done.log} == ({"warning"} if level == "warning" else set())


def test_on_a_terminal_lines_are_for_eyes(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    done = cli.seen("run", "--once")
    assert done.out == "ai: 2 created; 2 settled.\n"
    shown = done.err.splitlines()
    assert any("change.succeeded" in line and "address=site/one" in line for line in shown)
    assert not any(line.startswith("{") for line in shown)
    planned = cli.seen("plan")
    assert planned.out == "No changes. ai is as declared (2 settled).\n"
    assert "pass.finished" not in planned.err, "the plan says it all"
