"""The status of a stack: what its process writes of itself, and what people are told of it."""

from __future__ import annotations

import errno
import json
import logging
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from reconciler import pauses, status
from reconciler.aws.gateway import Gateway
from reconciler.aws.memory import Memory
from reconciler.aws.session import Sessions
from reconciler.board import LONGEST, Board
from reconciler.loop import Loop
from reconciler.model.pause import Pause
from reconciler.model.plan import Ended, Outcome, Plan, Report
from reconciler.model.things import Scope
from reconciler.moments import seconds, text
from reconciler.show.status import as_text, span, standing
from reconciler.status import Status
from reconciler.wall import Wall
from reconciler.workers import workers
from tests.harness import ACCOUNT, FACTS, STACK, Host, read

NOW = seconds("2026-11-23T14:00:00Z")
CONFIG = "resources:\n  vpc/a: {CidrBlock: 10.0.0.0/16}\n"
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
CATALOGUE = {
    *("version", "stack", "account", "what", "pid", "instance", "program", "started", "written", "state"),
    *("sentence", "schedule", "interval", "config", "endpoints", "last_pass", "last_success", "next_look"),
    *("passes", "changes", "api_calls", "throttled", "addresses", "unread", "conflicts", "guard", "problem"),
    *("pauses", "lease"),
}
"""What programs may rely on; a name that goes away or changes its meaning raises the version."""


class Still(Wall):
    """A clock that stands still until it is set."""

    def __init__(self) -> None:
        self.at = NOW

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at - NOW + 1000.0


class Stack:
    """A process of a stack, without AWS, and its board."""

    def __init__(self, folder: Path) -> None:
        self.directory, self.clock = folder / "state" / STACK, Still()
        self.paused: tuple[Pause, ...] = ()
        self.loop = Loop(
            config=read(CONFIG),
            gateway=Gateway(Sessions(account=ACCOUNT, accounts={}, region="us-west-2", stack=STACK)),
            facts=FACTS,
            memory=Memory.open(folder / "memory", self.clock.now),
            executor=workers(1),
            new_id=lambda: "pass",
            clock=self.clock,
            pauses=lambda: self.paused,
        )
        self.loop.backoff.interval = 300.0
        found = Status(
            stack=STACK, account=ACCOUNT, what="daemon", pid=812, instance="ops1", program="1.0", started=NOW
        )
        self.board = Board(self.directory, self.loop, found)
        self.board.took(folder / "estate.yaml", self.loop.config, NOW)

    def passed(self, *outcomes: Outcome, at: float = NOW, plan: Plan | None = None, **more: Any) -> None:
        """A pass has come to its end."""
        self.clock.at = at
        report = Report(
            outcomes=outcomes, plan=plan or Plan(stack=STACK, entries=()), calls=7, discovery_calls=2
        )
        if not more:
            self.loop.backoff.note(outcomes, self.clock.monotonic(), lambda: 1.0)
        word = "guarded" if more.get("guard") else "failed" if more else report.outcome
        self.board.ended(Ended("pass-1", "interval", word, report, **more))

    @property
    def document(self) -> dict[str, Any]:
        """What is in the file, after a write."""
        self.board.write("idle", "ai: as it is", NOW + 300)
        found = status.read(self.directory)
        assert found is not None
        return found


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    return Stack(tmp_path)


def outcome(label: str, status: Any, why: str = "", **more: Any) -> Outcome:
    return Outcome(label=label, status=status, why=why, **more)


def times(value: Any, name: str = "") -> list[Any]:
    """All values of a document under a name of a time."""
    if isinstance(value, Mapping):
        return [found for key, inner in value.items() for found in times(inner, key)]
    if isinstance(value, list):
        return [found for inner in value for found in times(inner)]
    named = {
        "started",
        "written",
        "last_success",
        "next_look",
        "loaded",
        "stale",
        "since",
        "retry",
        "ended",
        "until",
    }
    return [value] if name in named and value is not None else []


# ---- the document


def test_the_document_has_all_its_members_and_times_as_text(stack: Stack) -> None:
    stack.paused = (Pause(stack=STACK, reason="r", by="anna", since=NOW, until=NOW + 60),)
    stack.board.refused("estate.yaml:1:1: no", NOW - 60)
    stack.passed(outcome("vpc/a", "failed", "no"), outcome("vpc/b", "created"))
    found = stack.document
    assert found.keys() == CATALOGUE
    assert found["version"] == 1
    moments = times(found)
    assert (
        len(moments) == 10
    )  # started, written, last look and next, config twice, address twice, pause twice
    assert all(MOMENT.fullmatch(moment) for moment in moments), moments
    assert (found["started"], found["next_look"]) == ("2026-11-23T14:00:00Z", "2026-11-23T14:05:00Z")


def test_a_pass_of_the_program_is_told(ops: Host) -> None:
    loop = ops.loop(CONFIG)
    found = Status(
        stack=STACK, account=ACCOUNT, what="run --once", pid=1, instance="x", program="1", started=0
    )
    board = Board(ops.state, loop, found)
    assert board.last == "stopped before the first look was over"
    loop.until_settled(600)
    board.write("stopped", "test: settled")
    told = status.read(ops.state)
    assert told is not None
    assert told["last_pass"]["outcome"] == board.last == "settled"
    assert told["changes"] == {"created": 1}
    assert told["passes"]["settled"] == 1
    assert told["addresses"] == {}
    assert told["api_calls"] > 0
    assert told["last_success"] == told["last_pass"]["ended"]


def test_it_is_written_whole_or_not_at_all(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    before = stack.document
    stack.passed(outcome("vpc/a", "settled"))
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", half_written)
        stack.board.write("idle", "another")
    assert status.read(stack.directory) == before
    assert [path.name for path in stack.directory.iterdir()] == ["status.json"]


def test_who_reads_it_at_that_moment_reads_the_one_before(stack: Stack) -> None:
    stack.board.write("idle", "the one before")
    with (stack.directory / "status.json").open() as file:
        stack.board.write("idle", "the next one")
        assert json.load(file)["sentence"] == "the one before"


WRITE = os.write


def half_written(file: int, content: bytes) -> int:
    """What a full disk makes of a document."""
    WRITE(file, content[:10])
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def unwritable(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [str(record.msg) for record in caplog.records if "state.unwritable" in str(record.msg)]


def test_a_directory_that_cannot_be_written_is_said_once(
    stack: Stack, caplog: pytest.LogCaptureFixture
) -> None:
    stack.directory.parent.mkdir()
    with caplog.at_level(logging.WARNING):
        for expected in (1, 2):
            shutil.rmtree(stack.directory, ignore_errors=True)
            stack.directory.touch()
            for _ in range(3):
                stack.board.write("idle", "unseen")
            assert len(unwritable(caplog)) == expected
            stack.directory.unlink()
            assert stack.document["sentence"] == "ai: as it is", "it recovers by itself"
    assert "goes on without a status" in unwritable(caplog)[0]


# ---- addresses


def test_since_when_an_address_is_as_it_is(stack: Stack) -> None:
    def since(*outcomes: Outcome, at: float) -> str:
        stack.passed(*outcomes, at=at)
        found: str = stack.document["addresses"]["vpc/a"]["since"]
        return found

    failed, waits = outcome("vpc/a", "failed", "no"), outcome("vpc/a", "waiting", "for vpc/b")
    assert since(failed, at=NOW) == text(NOW)
    assert since(failed, at=NOW + 60) == text(NOW)
    assert since(waits, at=NOW + 120) == text(NOW + 120)
    assert since(outcome("vpc/a", "waiting", "for another"), at=NOW + 180) == text(NOW + 120)
    stack.passed(outcome("vpc/a", "settled"), at=NOW + 240)
    assert since(waits, at=NOW + 300) == text(NOW + 300)


def test_when_what_has_failed_is_tried_again(stack: Stack) -> None:
    for at in (NOW, NOW + 5):
        stack.passed(outcome("vpc/a", "failed", "no"), outcome("vpc/b", "waiting", "needs vpc/a"), at=at)
    assert stack.document["addresses"] == {
        "vpc/a": {
            "status": "failed",
            "reason": "no",
            "since": text(NOW),
            "failures": 2,
            "retry": text(NOW + 15),
        },
        "vpc/b": {
            "status": "waiting",
            "reason": "needs vpc/a",
            "since": text(NOW),
            "failures": 0,
            "retry": None,
        },
    }


def test_in_a_run_that_ends_what_is_refused_is_not_tried_again(stack: Stack) -> None:
    stack.loop.backoff.interval = None
    stack.passed(outcome("vpc/a", "failed", "no", final=True))
    assert stack.document["addresses"]["vpc/a"]["retry"] is None


def test_what_is_as_it_should_be_is_not_named(stack: Stack) -> None:
    good = [outcome(f"vpc/{word}", word) for word in ("settled", "created", "updated", "replaced", "deleted")]
    stack.passed(*good, outcome("vpc/x", "planned", "nothing is written, for mode is observe"))
    assert stack.document["addresses"].keys() == {"vpc/x"}
    assert stack.document["changes"] == {"created": 1, "updated": 1, "replaced": 1, "deleted": 1}


def test_of_very_many_those_that_fail_are_named(stack: Stack) -> None:
    waits = [outcome(f"vpc/{n}", "waiting", "for the last") for n in range(LONGEST + 500)]
    stack.passed(*waits, outcome("vpc/blocked", "blocked", "no"), outcome("vpc/last", "failed", "no"))
    found = stack.document["addresses"]
    assert len(found) == LONGEST
    assert list(found)[:3] == ["vpc/last", "vpc/blocked", "vpc/0"]


# ---- how passes end


def test_a_success_is_remembered_through_failures(stack: Stack) -> None:
    assert stack.document["last_success"] is None
    stack.passed(outcome("vpc/a", "waiting", "x"), at=NOW + 60)
    stack.passed(outcome("vpc/a", "failed", "no"), at=NOW + 120)
    stack.passed(problem="no answer", at=NOW + 180)
    found = stack.document
    assert found["last_success"] == text(NOW + 60)
    assert found["passes"] == {"waiting": 1, "failed": 2}
    assert found["api_calls"] == 3 * 9


def test_a_pass_that_could_not_be_done_leaves_what_was_known(stack: Stack) -> None:
    stack.passed(outcome("vpc/a", "blocked", "by hand"))
    stack.passed(problem="sts:GetCallerIdentity: no answer")
    found = stack.document
    assert (found["problem"], found["guard"]) == ("sts:GetCallerIdentity: no answer", "")
    assert found["addresses"].keys() == {"vpc/a"}
    assert stack.board.last == "sts:GetCallerIdentity: no answer"
    stack.passed(outcome("vpc/a", "settled"))
    found = stack.document
    assert (found["problem"], found["addresses"], stack.board.last) == ("", {}, "settled")


def test_a_guard_is_told_and_what_it_has_stopped(stack: Stack) -> None:
    planned = outcome("vpc/a", "planned", "nothing is written, for mode is observe")
    stack.passed(planned, guard="shrink", problem="the config has lost 2 of 3")
    found = stack.document
    assert (found["guard"], found["problem"]) == ("the config has lost 2 of 3", "")
    assert found["addresses"]["vpc/a"]["reason"] == "not done, for a guard has stopped the pass"
    assert stack.board.last == "the config has lost 2 of 3"


def test_what_could_not_be_read_and_conflicts_are_told(stack: Stack) -> None:
    plan = Plan(
        stack=STACK,
        entries=(),
        conflicts=("two things claim vpc/a",),
        unread={Scope("vpc", ACCOUNT, "us-west-2"): "no answer"},
    )
    stack.passed(plan=plan)
    found = stack.document
    assert found["conflicts"] == ["two things claim vpc/a"]
    assert list(found["unread"].values()) == ["no answer"]
    assert "vpc" in next(iter(found["unread"]))


# ---- config and pauses


def test_a_config_that_is_refused_is_stale_since_the_first_refusal(stack: Stack) -> None:
    assert stack.document["config"]["stale"] is None
    stack.board.refused("first", NOW + 60)
    stack.board.refused("second", NOW + 120)
    found = stack.document["config"]
    assert (found["stale"], found["stale_reason"]) == (text(NOW + 60), "second")
    assert found["hash"] == stack.loop.config.digest[:8]
    stack.board.took("estate.yaml", stack.loop.config, NOW + 180)
    found = stack.document["config"]
    assert (found["stale"], found["stale_reason"], found["loaded"]) == (None, "", text(NOW + 180))
    assert Path(found["path"]).is_absolute()


def test_pauses_are_those_of_the_moment(stack: Stack) -> None:
    assert stack.document["pauses"] == []
    stack.paused = (Pause(stack=STACK, reason="r", by="anna", since=NOW),)
    assert [one["by"] for one in stack.document["pauses"]] == ["anna"]
    stack.paused = ()
    assert stack.document["pauses"] == []


# ---- reading


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "null", '{"version": 1}', '{"version": 2, "stack": "ai"}', "[" * 100_000],
    ids=ascii,
)
def test_what_cannot_be_understood_is_no_status(tmp_path: Path, content: str) -> None:
    (tmp_path / "status.json").write_text(content)
    assert status.read(tmp_path) is None


def test_without_a_file_there_is_no_status(tmp_path: Path) -> None:
    assert status.read(tmp_path) is None
    assert status.read(tmp_path / "nowhere") is None


def test_the_status_of_an_earlier_program_can_be_shown(stack: Stack) -> None:
    found = stack.document
    for name in ("lease", "unread", "conflicts", "endpoints", "schedule"):
        del found[name]
    (stack.directory / "status.json").write_text(json.dumps(found))
    told = status.read(stack.directory)
    assert told is not None
    assert told.keys() == CATALOGUE
    assert shown(told).startswith("ai: as it is\n")


def test_the_stacks_of_a_host(stack: Stack, tmp_path: Path) -> None:
    assert status.stacks(tmp_path / "nowhere") == []
    stack.board.write("idle", "x")
    for name in ("empty", "another"):
        (tmp_path / "state" / name).mkdir()
    (tmp_path / "state" / "another" / "status.json").write_text("{}")
    (tmp_path / "state" / "file").touch()
    assert status.stacks(tmp_path / "state") == ["another", STACK]


# ---- what people are told

HOLDER = {"pid": 812, "what": "daemon", "user": "reconciler", "since": text(NOW)}
SETTLED = {"outcome": "settled", "ended": text(NOW), "id": "pass-1", "trigger": "interval"}
PAUSE = Pause(stack="ai", reason="moving links", by="anna", since=NOW, until=NOW + 7200)


def document(running: bool = True, holder: Any = HOLDER, **more: Any) -> dict[str, Any]:
    """A daemon that is well, but for what is said."""
    found = Status(
        stack="ai", account=ACCOUNT, what="daemon", pid=812, instance="ops1", program="1.0", started=NOW - 600
    ).as_data()
    well = {
        "written": text(NOW),
        "state": "idle",
        "sentence": "ai: settled at 14:00:00Z",
        "schedule": "every 300 s",
        "interval": 300.0,
        "last_pass": SETTLED,
        "last_success": text(NOW),
        "config": {
            "path": "/etc/reconciler/conf.d",
            "hash": "9f2c1b7e",
            "resources": 214,
            "loaded": text(NOW - 600),
            "stale": None,
            "stale_reason": "",
        },
        "running": running,
        "holder": holder if running else None,
        "pauses": [],
    }
    return {**found, **well, **more}


def stale_config() -> dict[str, Any]:
    return {**document()["config"], "stale": text(NOW - 60), "stale_reason": "estate.yaml:7:3: no"}


def shown(found: Mapping[str, Any], now: float = NOW + 10, **more: Any) -> str:
    return as_text([{"running": True, "holder": HOLDER, "pauses": [], **found}], now, **more)


OTHER = {"pid": 9, "what": "run --once", "since": text(NOW)}
BEGUN = {"last_pass": None, "last_success": None, "started": text(NOW)}
STANDINGS: dict[str, tuple[dict[str, Any], str]] = {
    "settled": (document(), "good"),
    "changed": (document(last_pass={**SETTLED, "outcome": "done"}), "good"),
    "not signed yet": (document(holder={}), "good"),
    "standby": (document(state="standby", **{**BEGUN, "started": text(NOW - 86400)}), "good"),
    "a run that ended well": (document(running=False, state="stopped", interval=None), "good"),
    "a daemon just stopped": (document(running=False, state="stopped"), "good"),
    "stopped, and another works": (document(holder=OTHER, state="stopped"), "good"),
    "waits": (document(last_pass={**SETTLED, "outcome": "waiting"}), "pending"),
    "observes": (document(last_pass={**SETTLED, "outcome": "planned"}), "pending"),
    "paused": (document(pauses=[pauses.as_data(PAUSE)]), "pending"),
    "first look": (document(state="looking", **BEGUN), "pending"),
    "starting": (document(state="starting", **BEGUN), "pending"),
    "a guard": (document(guard="2 would go", last_pass={**SETTLED, "outcome": "guarded"}), "guarded"),
    "a guard, for long": (document(guard="2 would go", last_success=text(NOW - 86400)), "guarded"),
    "failed": (document(last_pass={**SETTLED, "outcome": "failed"}), "failing"),
    "partial": (document(last_pass={**SETTLED, "outcome": "partial"}), "failing"),
    "interrupted": (
        document(running=False, state="stopped", last_pass={**SETTLED, "outcome": "interrupted"}),
        "failing",
    ),
    "no pass possible": (document(problem="no answer"), "failing"),
    "never a pass possible": (document(state="degraded", **BEGUN), "failing"),
    "no success for long": (document(last_success=text(NOW - 700)), "failing"),
    "never a success": (document(last_success=None, started=text(NOW - 700)), "failing"),
    "stopped and forgotten": (
        document(running=False, state="stopped", last_success=text(NOW - 700)),
        "failing",
    ),
    "a stale config": (document(config=stale_config()), "failing"),
    "a stale config, paused": (document(config=stale_config(), pauses=[pauses.as_data(PAUSE)]), "failing"),
    "not running": (document(running=False), "failing"),
    "not running, with a guard": (document(running=False, guard="2 would go"), "failing"),
    "dead, and another works": (document(holder=OTHER), "failing"),
    "silent and overdue": (
        document(written=text(NOW - 600), next_look=text(NOW - 300), interval=3600.0),
        "failing",
    ),
    "silent, for nothing is due": (document(written=text(NOW - 600), next_look=text(NOW + 300)), "good"),
    "unreadable": ({**status.unknown("ai", "no"), "running": False, "holder": None}, "failing"),
    "unreadable, running": ({**status.unknown("ai", "no"), "running": True, "holder": HOLDER}, "failing"),
}


@pytest.mark.parametrize(("found", "word"), STANDINGS.values(), ids=STANDINGS)
def test_how_it_stands(found: dict[str, Any], word: str) -> None:
    assert standing(found, NOW + 10) == word
    assert as_text([found], NOW + 10)


def test_all_is_well() -> None:
    assert shown(document()) == (
        "ai: settled at 14:00:00Z\n"
        "  daemon, process 812 on ops1, running for 10m 10s\n"
        "  config /etc/reconciler/conf.d (9f2c1b7e, 214 resources), loaded 2026-11-23T13:50:00Z\n"
        "  last success 2026-11-23T14:00:00Z, 10s ago\n"
    )


TOLD: dict[str, tuple[dict[str, Any], list[str]]] = {
    "not running": (
        document(running=False),
        ["! daemon, process 812 on ops1, is not running; its last word is of 2026-11-23T14:00:00Z"],
    ),
    "stopped": (
        document(running=False, state="stopped"),
        ["daemon, process 812 on ops1, ended 2026-11-23T14:00:00Z"],
    ),
    "another holds it": (
        document(holder=OTHER, state="stopped"),
        ["ended 2026-11-23T14:00:00Z; held now by process 9 (run --once) since 2026-11-23T14:00:00Z"],
    ),
    "dead, and another holds it": (
        document(holder=OTHER),
        ["is not running; ", "; held now by process 9 (run --once)"],
    ),
    "stale": (
        document(last_success=text(NOW - 7200)),
        ["! no pass has succeeded for 2h 10s; two are at most 5m apart when all is well"],
    ),
    "a stale config": (
        document(config=stale_config()),
        ["! a newer config is refused since 2026-11-23T13:59:00Z: estate.yaml:7:3: no"],
    ),
    "paused": (
        document(pauses=[pauses.as_data(PAUSE)]),
        ["! everything is paused until 2026-11-23T16:00:00Z, by anna: moving links"],
    ),
    "an address paused": (
        document(pauses=[{**pauses.as_data(PAUSE), "address": "site/a", "until": None}]),
        ["! site/a is paused until `reconciler resume`, by anna: moving links"],
    ),
    "a guard": (document(guard="2 would go"), ["! a guard has stopped it: 2 would go"]),
    "a problem": (document(problem="no answer"), ["! the last pass could not be done: no answer"]),
    "unread": (document(unread={"vpc in us-west-2": "no"}), ["! vpc in us-west-2 could not be read: no"]),
    "a conflict": (document(conflicts=["two things claim vpc/a"]), ["! two things claim vpc/a"]),
    "another endpoint": (
        document(endpoints={"AWS_ENDPOINT_URL": "http://127.0.0.1:5000"}),
        ["! AWS_ENDPOINT_URL: calls go to http://127.0.0.1:5000"],
    ),
    "no status": (
        {**status.unknown("ai", "cannot be read"), "running": False, "holder": None},
        ["ai: cannot be read"],
    ),
}


@pytest.mark.parametrize(("found", "parts"), TOLD.values(), ids=TOLD)
def test_what_is_wrong_is_told(found: dict[str, Any], parts: list[str]) -> None:
    told = as_text([found], NOW + 10)
    assert all(part in told for part in parts), told


def address(status: str, **more: Any) -> dict[str, Any]:
    return {"status": status, "reason": "no", "since": text(NOW), "failures": 0, "retry": None, **more}


def test_addresses_are_told_with_since_and_next_attempt_and_not_all_of_many() -> None:
    left = {
        "vpc/a": address("failed", failures=3, retry=text(NOW + 20)),
        "vpc/b": address("waiting", reason=""),
        **{f"vpc/{n}": address("waiting") for n in range(40)},
    }
    told = shown(document(addresses=left)).splitlines()
    assert told[4] == (
        "  vpc/a failed since 2026-11-23T14:00:00Z, 3 times in a row, next attempt 2026-11-23T14:00:20Z: no"
    )
    assert told[5] == "  vpc/b waiting since 2026-11-23T14:00:00Z"
    assert told[-1] == "  … and 22 more; all of them with --json"
    assert len(told) == 4 + 20 + 1


EVIL = "\x1b]0;owned\x07\x1b[2J\r\n  vpc/a settled\u202e"


def test_what_others_have_written_does_nothing_to_a_terminal() -> None:
    found = document(
        sentence=f"ai: {EVIL}",
        guard=EVIL,
        problem=EVIL,
        conflicts=[EVIL],
        unread={"vpc": EVIL},
        endpoints={"X": EVIL},
        config={**stale_config(), "path": EVIL, "stale_reason": EVIL},
        addresses={"vpc/a": address("failed", reason=EVIL)},
        pauses=[{**pauses.as_data(PAUSE), "reason": EVIL, "by": EVIL}],
    )
    told = shown(found, colour=True)
    assert told.startswith("\x1b[31;1mai: ")
    assert all(line.isprintable() for line in re.sub(r"\x1b\[[0-9;]*m", "", told).split("\n"))
    assert "\n  vpc/a settled" not in told


@pytest.mark.parametrize(
    ("found", "sign"),
    [(document(), "32"), (document(pauses=[pauses.as_data(PAUSE)]), "33"), (document(guard="x"), "31;1")],
)
def test_the_first_line_has_the_colour_of_how_it_stands(found: dict[str, Any], sign: str) -> None:
    assert shown(found, colour=True).startswith(f"\x1b[{sign}mai: settled at 14:00:00Z\x1b[0m\n")
    assert "\x1b" not in shown(found)


@pytest.mark.parametrize(
    ("length", "told"),
    [
        (0, "0s"),
        (-5, "0s"),
        (59.6, "1m"),
        (61, "1m 1s"),
        (7500, "2h 5m"),
        (86400 * 3 + 3600 * 4 + 59, "3d 4h"),
    ],
)
def test_a_length_of_time(length: float, told: str) -> None:
    assert span(length) == told
