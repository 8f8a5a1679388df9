"""How the tests of the log read what was logged, here and in processes of their own."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from typing import Any

from reconciler import log

ROOT = Path(__file__).parents[2]
PATIENCE = 30.0
"""Seconds until a process that does not get on is given up."""


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def written(act: Callable[[], object], **options: Any) -> list[dict[str, Any]]:
    """The lines that `act` logs, as JSON."""
    stream = io.StringIO()
    log.configure(stream=stream, environment={}, **options)
    act()
    return lines(stream.getvalue())


def lines(text: str) -> list[dict[str, Any]]:
    """Lines of a log as data."""
    return [json.loads(line) for line in text.splitlines()]


def program(text: str, **more: Any) -> subprocess.Popen[str]:
    """A process that runs a program, which may say `log` and `logger`; killed when it does not get on."""
    start = "import os, sys\nfrom reconciler import log\nlogger = log.get_logger()\n"
    pipe = subprocess.PIPE
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    process = subprocess.Popen(
        [sys.executable, "-c", start + dedent(text)],
        **{
            "cwd": ROOT,
            "stdin": pipe,
            "stdout": pipe,
            "stderr": pipe,
            "text": True,
            "env": environment,
            **more,
        },
    )
    guard = threading.Timer(PATIENCE, process.kill)
    guard.daemon = True
    guard.start()
    return process
