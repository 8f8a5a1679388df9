"""The script of the failure unit: one line in the schema of the log, whatever the unit is called, then the hook."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from reconciler.events import EVENTS

from .support import ROOT

SCRIPT = ROOT / "systemd/reconciler-failure"


def run(hook: Path, *, unit: str = "reconciler.service", journal: bool = False, **monitor: str) -> Any:
    """The script as systemd starts it; `monitor`: SERVICE_RESULT and others."""
    told = {f"MONITOR_{name}": value for name, value in monitor.items()}
    told |= {"JOURNAL_STREAM": "8:1"} if journal else {}
    environment = {"PATH": os.environ["PATH"], "RECONCILER_ON_FAILURE": str(hook), **told}
    return subprocess.run(
        ["sh", str(SCRIPT), unit], env=environment, capture_output=True, text=True, timeout=30
    )


@pytest.fixture
def hook(tmp_path: Path) -> Path:
    """Where a hook could be, and is not yet."""
    return tmp_path / "on-failure"


def test_the_line_is_one_of_the_log(hook: Path) -> None:
    done = run(
        hook, UNIT="reconciler.service", SERVICE_RESULT="exit-code", EXIT_CODE="exited", EXIT_STATUS="78"
    )
    assert (done.returncode, done.stderr, done.stdout.count("\n")) == (0, "", 1)
    told = json.loads(done.stdout)
    program = "from reconciler.log import *; configure(format='json'); get_logger().critical('unit.failed', error='')"
    ours = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=30
    )
    line = json.loads(ours.stderr)
    assert list(told)[: len(line)] == list(line)
    known = EVENTS["unit.failed"]
    assert set(known.fields) <= told.keys()
    assert told.keys() - line.keys() <= set(known.optional)
    assert {type(told[name]) for name in told.keys() - line.keys()} == {str}
    same = ("level", "event", "schema", "service", "instance")
    assert {name: told[name] for name in same} == {name: line[name] for name in same}
    assert told["level"] == EVENTS["unit.failed"].level
    assert len(told["ts"]) == len(line["ts"])
    assert (told["unit"], told["result"], told["exit_status"]) == ("reconciler.service", "exit-code", "78")


def test_on_the_journal_the_line_has_its_priority(hook: Path) -> None:
    assert run(hook, journal=True).stdout.startswith('<2>{"ts":"')


@pytest.mark.parametrize(
    ("result", "status", "word"),
    [
        ("exit-code", "64", "systemctl cat reconciler.service"),
        ("exit-code", "77", "wrong account"),
        ("exit-code", "78", "config"),
        ("exit-code", "75", "held by another process"),
        ("exit-code", "1", "exit status 1"),
        ("exit-code", "203", "make install"),
        ("watchdog", "ABRT", "no progress"),
        ("oom-kill", "KILL", "memory"),
        ("signal", "SEGV", "signal SEGV"),
        ("timeout", "TERM", "longer"),
        ("resources", "", "systemctl status reconciler.service"),
    ],
)
def test_the_error_is_a_sentence_that_helps(hook: Path, result: str, status: str, word: str) -> None:
    done = run(hook, UNIT="reconciler.service", SERVICE_RESULT=result, EXIT_STATUS=status)
    assert word in json.loads(done.stdout)["error"]


@pytest.mark.parametrize("unit", [r"reconciler@a\x2db.service", 'reconciler@"x".service', "a\tb\nc.service"])
def test_any_name_of_a_unit_makes_a_whole_line(hook: Path, unit: str) -> None:
    """Without systemd's variables too, which it leaves out when two units fail at once."""
    done = run(hook, unit=unit)
    assert done.stdout.count("\n") == 1
    assert json.loads(done.stdout)["unit"] == unit.replace("\t", " ").replace("\n", " ")


def test_the_hook_gets_the_unit_and_what_systemd_knows(hook: Path, tmp_path: Path) -> None:
    hook.write_text(f'#!/bin/sh\necho "$1 $MONITOR_EXIT_STATUS" > {tmp_path}/told\nexit 7\n')
    hook.chmod(0o755)
    done = run(hook, UNIT="reconciler@prod.service", SERVICE_RESULT="exit-code", EXIT_STATUS="77")
    assert (tmp_path / "told").read_text() == "reconciler@prod.service 77\n"
    assert done.returncode == 7
    assert json.loads(done.stdout)["unit"] == "reconciler@prod.service"


def test_a_hook_that_cannot_be_executed_does_not_cost_the_line(hook: Path) -> None:
    hook.write_text("#!/bin/sh\n")
    hook.chmod(0o644)
    done = run(hook)
    assert json.loads(done.stdout)["event"] == "unit.failed"
    assert done.returncode == 126
    assert "ermission denied" in done.stderr
