"""What is shipped in monitoring/, and lines as the real log writes them.  Used by the tests of this folder."""

from __future__ import annotations

import io
import json
import logging
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from reconciler import log
from reconciler.events import ANYWHERE, EVENTS, FIELDS, HEAD
from tests import documents

ROOT = Path(__file__).parents[2]
MONITORING = ROOT / "monitoring"
_DEFAULTS = {"string": "x", "integer": 0, "number": 0, "boolean": False, "list": [], "object": {}}


def line(event: str, stack: str = "prod", **fields: Any) -> str:
    """A line of the real log: an event with all the fields that it always has, and with `fields`."""
    told = EVENTS[event]
    always = {name: _DEFAULTS[FIELDS[name].type] for name in told.fields}
    named = {"stack": stack} if stack else {}
    (found,) = logged(
        lambda: getattr(log.get_logger(), told.level)(event, **named, **always | fields), "debug"
    )
    return found


def logged(act: Callable[[], object], level: log.Level = "info") -> list[str]:
    """The lines that `act` logs."""
    stream = io.StringIO()
    with _put_back():
        log.configure(format="json", level=level, stream=stream, environment={})
        act()
    return stream.getvalue().splitlines()


@contextmanager
def _put_back() -> Iterator[None]:
    """The log is about the whole process: it is left as it was."""
    hooks = sys.excepthook, threading.excepthook, sys.unraisablehook
    loggers = [logging.getLogger(), *map(logging.getLogger, list(logging.root.manager.loggerDict))]
    levels = {logger: logger.level for logger in loggers}
    handlers = list(logging.getLogger().handlers)
    try:
        yield
    finally:
        sys.excepthook, threading.excepthook, sys.unraisablehook = hooks
        for logger, level in levels.items():
            logger.setLevel(level)
        logging.getLogger().handlers[:] = handlers
        logging.captureWarnings(False)


def failed_unit(unit: str) -> str:
    """The line that the failure hook writes, by a shell script; it knows no stack."""
    head = '{"ts":"2026-11-23T14:00:00.000000Z","level":"critical","event":"unit.failed","schema":1,'
    return f'{head}"service":"reconciler","version":"1","instance":"ops1","pid":7,"unit":{json.dumps(unit)}}}'


def fields_of(events: Iterable[str]) -> frozenset[str]:
    """The fields that lines of these events may all have."""
    found = [{*EVENTS[event].fields, *EVENTS[event].optional, *HEAD, *ANYWHERE} for event in events]
    return frozenset(set.intersection(*found))


def document(name: str) -> Any:
    """A YAML or JSON file of monitoring/."""
    return documents.load((MONITORING / name).read_text())


def rules(name: str) -> Iterator[dict[str, Any]]:
    """The rules of a file of Prometheus or Loki."""
    for group in document(name)["groups"]:
        yield from group["rules"]


def alerts(name: str) -> dict[str, dict[str, Any]]:
    """Its alerts by name."""
    return {rule["alert"]: rule for rule in rules(name) if "alert" in rule}


def alarms() -> dict[str, dict[str, Any]]:
    """CloudWatch's alarms by name, from both templates."""
    return {
        name: resource
        for file in ("cloudwatch/filters.yaml", "cloudwatch/alarms.yaml")
        for name, resource in document(file)["Resources"].items()
        if resource["Type"] == "AWS::CloudWatch::Alarm"
    }


def promtool(arguments: Sequence[str], text: str = "") -> str:
    """What promtool says; the test is skipped where it is not installed."""
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("promtool is not installed (Debian: prometheus)")
    done = subprocess.run(
        [program, *arguments],
        input=text,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=MONITORING,
        env={},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr
