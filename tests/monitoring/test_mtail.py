"""The mtail program: what it counts in lines that the real log has written; by mtail itself where that is installed."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from reconciler.events import EVENTS, FIELDS
from tests.harness import STACK, Host
from tests.monitoring.mtail import Program
from tests.monitoring.support import MONITORING, failed_unit, line, logged

FILE = MONITORING / "mtail/reconciler.mtail"
PROGRAM = Program(FILE.read_text())
SETTLED = line("pass.finished", outcome="settled", regions=["eu-central-1", "us-west-2"], settled=3)
LINES = [
    SETTLED,
    line(
        "pass.finished", outcome="done", regions=["eu-central-1"], created=3, deleted=2, updated=1, replaced=4
    ),
    line("pass.finished", stack="other", outcome="failed", regions=[]),
    line("heartbeat", state="idle"),
    line("credentials.failed", reason="expired"),
    line("watchdog.withheld", reason='he said "event":"unit.failed" and "stack":"wrong"'),
    line("guard.stopped", reason="6 deletions", guard="deletes"),
    failed_unit("reconciler@prod.service"),
    line("change.failed", verb="delete"),
    "Fatal Python error: Aborted",
]
COUNTED = {
    "reconciler_log_passes_total": {
        ("prod", "settled"): 1,
        ("prod", "done"): 1,
        ("other", "failed"): 1,
    },
    "reconciler_log_changes_total": {
        ("prod", "create"): 3,
        ("prod", "update"): 1,
        ("prod", "replace"): 4,
        ("prod", "delete"): 2,
        **{("other", verb): 0 for verb in ("create", "update", "replace", "delete")},
    },
    "reconciler_log_events_total": {
        ("prod", "credentials.failed"): 1,
        ("prod", "watchdog.withheld"): 1,
        ("prod", "guard.stopped"): 1,
        ("unknown", "unit.failed"): 1,
    },
}  # fmt: skip


def test_it_counts_what_the_log_says() -> None:
    found = PROGRAM.run(LINES)
    assert {name: found[name] for name in COUNTED} == COUNTED


def test_the_last_success_is_when_the_line_was_written() -> None:
    old = re.sub(r'"ts":"[^"]+"', '"ts":"2026-11-23T14:00:00.123456Z"', SETTLED)
    newer = re.sub(r'"ts":"[^"]+"', '"ts":"2026-11-23T15:00:00.123456Z"', LINES[2])
    found = PROGRAM.run([old, newer])
    assert found["reconciler_log_last_success_timestamp_seconds"] == {("prod",): 1795442400}


def test_it_counts_a_run_as_it_was(ops: Host) -> None:
    two = "resources:\n  vpc/a: {CidrBlock: 10.0.0.0/16, protect: false}\n  vpc/b: {CidrBlock: 10.1.0.0/16}\n"
    one = two.replace("vpc/a: {CidrBlock: 10.0.0.0/16, protect: false}\n", "")
    found = PROGRAM.run([*logged(lambda: ops.run(two)), *logged(lambda: ops.run(one))])
    changes = found["reconciler_log_changes_total"]
    assert (changes[STACK, "create"], changes[STACK, "delete"]) == (2, 1)
    assert found["reconciler_log_passes_total"][STACK, "settled"] >= 2
    assert found["reconciler_log_events_total"] == {}
    assert list(found["reconciler_log_last_success_timestamp_seconds"]) == [(STACK,)]


def test_every_event_and_field_that_it_looks_for_is_there() -> None:
    for pattern in PROGRAM.patterns:
        keys = re.findall(r'"(\w+)":', pattern)
        assert set(keys) <= FIELDS.keys()
        for events in re.findall(r'"event":"(\(\?:[^)]+\)|[a-z_.\\]+)"', pattern):
            assert set(events.strip("(?:)").replace("\\", "").split("|")) <= EVENTS.keys()


def test_mtail_itself_counts_the_same(tmp_path: Path) -> None:
    mtail = shutil.which("mtail")
    if mtail is None:
        pytest.skip("mtail is not installed; its program was carried out by a reading of it in Python")
    programs, log = tmp_path / "programs", tmp_path / "log"
    programs.mkdir()
    shutil.copy(FILE, programs)
    log.write_text("".join(f"{line}\n" for line in LINES))
    command = [mtail, "--one_shot", "--address", "127.0.0.1", "--progs", str(programs), "--logs", str(log)]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=True, env={"TMPDIR": str(tmp_path)}
    )
    found = {
        name: {tuple(value["Labels"]): value["Value"]["Value"] for value in one.get("LabelValues") or []}
        for name, (one,) in json.loads(done.stdout).items()
    }
    assert {name: found[name] for name in COUNTED} == COUNTED
    assert found.keys() == PROGRAM.labels.keys()
