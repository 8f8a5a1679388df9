"""The real program as a process, killed with SIGKILL at a point of the wire, and started again.

Used by `test_real_kills` and `benchmarks.kills --real`.  It has all of its threads: what else is on its way to AWS when
it is killed arrives.  Waiting is real too: who was killed before a creation reached AWS waits a minute for it to show.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from botocore.parsers import create_parser
from moto.core.utils import get_service_model

from reconciler.aws.creating import find_row
from reconciler.kinds import ALL
from reconciler.model.kind import Kind
from reconciler.sandbox import HeldClock
from tests.cli.support import COMMAND, KEYS, ROOT
from tests.cli.wire import Cut, Wire, wire
from tests.faults.killing import Course, Damage, Memory, Moment
from tests.faults.runs import Run
from tests.faults.shown import differences, shown
from tests.harness import STACK, Host, complete


def create_call(kind: Kind) -> str:
    """What a kind's create call is called on a wire."""
    model = get_service_model(kind.service)
    if model.protocol != "rest-json":
        return kind.create
    http = model.operation_model(kind.create).http
    return f"{http['method']} {re.sub('{[^}]+}', '*', http['requestUri'])}"


PATIENCE = 120.0
"""Seconds until a local AWS that does not get ready is given up."""


CREATES: dict[str, list[Kind]] = {}
for each in ALL:
    CREATES.setdefault(create_call(each), []).append(each)


def answers_json(kind: Kind) -> bool:
    """Or XML."""
    return "json" in get_service_model(kind.service).protocol


def made(call: str, content: bytes) -> str | None:
    """The id in the answer to a create call; no two are alike where there is none to tell things by.

    None where no kind is made: two services have a CreateListener, and that which answers in JSON makes a part.
    """
    for kind in CREATES.get(call, ()):
        if answers_json(kind) == content.startswith(b"{"):
            model = get_service_model(kind.service)
            told = {"status_code": 200, "headers": {}, "body": content}
            shape = model.operation_model(kind.create).output_shape
            row = find_row(kind, create_parser(model.protocol).parse(told, shape))
            return f"{kind.name} {row[kind.id] if row else uuid4().hex}"
    return None


@dataclass(frozen=True)
class Kill:
    """At the `number`th changing call of a process, counted from 1."""

    number: int
    moment: Moment


class Killer(Wire):
    """A wire on which the program is killed; `born` is what was made over it.

    AWS answers a creation that it has done before with what it made then, so that things count, and not answers.
    """

    def __init__(self, aws: str) -> None:
        super().__init__(aws)
        self.born: set[str] = set()
        self._lock = threading.Lock()
        self._kill: Kill | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._seen, self._thread = 0, 0

    def arm(self, kill: Kill | None, process: subprocess.Popen[bytes]) -> None:
        """From now on calls are those of a process, to be killed or not."""
        with self._lock:
            self._kill, self._process, self._seen, self._thread = kill, process, 0, 0

    def passing(self, call: str) -> None:
        with self._lock:
            before = len(self.writes)
            super().passing(call)
            if len(self.writes) > before:
                self._seen += 1
                if self._kill and self._seen == self._kill.number:
                    self._thread = threading.get_ident()
        self._perhaps("before")

    def answering(self, call: str, status: int, content: bytes) -> None:
        if status < 300 and (thing := made(call, content)):
            with self._lock:
                self.born.add(thing)
        self._perhaps("after")

    def answered(self, call: str) -> None:
        self._perhaps("answered")

    def _perhaps(self, moment: Moment) -> None:
        kill, process = self._kill, self._process
        if not (kill and process and self._thread == threading.get_ident() and kill.moment == moment):
            return
        self._kill = None  # before the next process can be armed
        process.kill()
        process.wait()
        if moment != "answered":
            raise Cut


class Program:
    """The command, with one state directory, over a wire."""

    def __init__(self, line: Killer, folder: Path) -> None:
        self._line, self._folder = line, folder
        self.state = folder / "state"

    def run(self, run: Run, kill: Kill | None = None, *options: str) -> int:
        """`run --once` or `destroy`, to its end or its death; its status."""
        config = self._folder / "estate.yaml"
        config.write_text(complete(run.text))
        verb = ["destroy", "--yes", "--protected"] if run.choices.get("destroy") else ["run", "--once"]
        words = [*COMMAND, *verb, "--config", str(config), "--state-dir", str(self.state), "--grace", "1s"]
        words += ["--endpoint-url", self._line.url, "--log-format", "json", *options]
        with (self._folder / "log").open("ab") as log:
            process = subprocess.Popen(words, cwd=ROOT, stdout=log, stderr=log, env={**os.environ, **KEYS})
        self._line.arm(kill, process)
        return process.wait()


class Hurried(HeldClock):
    """A clock for those who set the stage: they wait a moment where they would wait for long."""

    def advance(self, seconds: float) -> None:
        super().advance(seconds)
        time.sleep(min(seconds, 0.3))


class Remote:
    """What a Host needs of an AWS that is elsewhere."""

    def __init__(self) -> None:
        self.clock = Hurried(datetime.now(UTC))


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """A local AWS as a process; its URL."""
    folder.mkdir(parents=True, exist_ok=True)
    ready = folder / "ready"
    words = [*COMMAND, "sandbox", "--ready-file", str(ready)]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.DEVNULL) as process:
        try:
            end = time.monotonic() + PATIENCE
            while not ready.exists():
                assert process.poll() is None, "the local AWS has ended"
                assert time.monotonic() < end, f"the local AWS is not ready after {PATIENCE:.0f} s"
                time.sleep(0.02)
            yield ready.read_text().strip()
        finally:
            process.terminate()


def killed_for_real(run: Run, kill: Kill, memory: Memory, course: Course, folder: Path) -> Damage | None:
    """Set the stage, run, kill, start again: what came of it; None if it never made so many calls."""
    unsettled: list[str] = []
    with served(folder) as url, wire(url, line := Killer(url)):
        remote: Any = Remote()
        host = Host(remote, folder / "state" / STACK, endpoint_url=url)
        run.stage(host)
        program = Program(line, folder)
        if (status := program.run(run, kill)) == 0:
            return None
        if status != -signal.SIGKILL:
            unsettled.append(f"it was not killed, and ended with {status}")
        if memory == "lost":
            shutil.rmtree(program.state, ignore_errors=True)
        if status := program.run(run):
            unsettled.append(f"started again it ends with {status}")
        line.calls.clear()
        if status := program.run(run):
            unsettled.append(f"once all is done it ends with {status}")
        unsettled += [f"a settled estate is changed: {call}" for call in line.writes]
        differs = differences(expected=course.shown, found=shown(host, run.text))
    more = len(line.born) - course.births.total()
    if unsettled:
        print((folder / "log").read_text(), file=sys.stderr)
    return Damage([f"{more} in all"] if more > 0 else [], differs, unsettled)
