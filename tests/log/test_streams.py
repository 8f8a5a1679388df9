"""What nobody caught, terminals and the journal."""

from __future__ import annotations

import io
import json
import logging
import os
import sys
import threading
from typing import Any

import pytest

from reconciler import log
from reconciler.log import LONGEST_LINE, bind_pass, get_logger

from .support import PATIENCE, Terminal, lines, program, written

# -------------------------------------------------------------------------------------------------------- failures


def fail() -> None:
    secret = "hush"
    raise ValueError(f"broken, {len(secret)} letters")


@pytest.mark.parametrize("format", ["json", "console"])
def test_an_exception_is_shown_without_the_values_of_local_variables(format: Any) -> None:
    stream = io.StringIO()
    log.configure(stream=stream, environment={}, format=format)
    try:
        fail()
    except ValueError:
        get_logger().exception("change.failed", address="site/one")
    text = stream.getvalue()
    assert "broken, 4 letters" in text
    assert "ValueError" in text
    assert "hush" not in text.replace('secret = "hush"', "")  # a line of the program's own text may be quoted
    if format == "json":
        (trace,) = json.loads(text)["exception"]
        assert trace["frames"][-1]["name"] == "fail"
        assert "locals" not in trace["frames"][-1]


def test_what_nobody_caught_in_a_thread_is_a_line() -> None:
    def act() -> None:
        thread = threading.Thread(target=fail, name="reader-1")
        thread.start()
        thread.join()

    (line,) = written(act)
    assert (line["event"], line["level"], line["thread"]) == ("unit.failed", "critical", "reader-1")
    assert line["error"] == "broken, 4 letters"


def test_what_nobody_caught_at_all_is_the_last_line_of_the_process() -> None:
    process = program("log.configure(); raise LookupError('lost')")
    out, err = process.communicate(timeout=PATIENCE)
    (line,) = lines(err)
    assert (process.returncode, out) == (1, "")
    assert (line["event"], line["error"]) == ("unit.failed", "lost")
    assert line["exception"][0]["exc_type"] == "LookupError"


def test_an_interrupt_is_left_to_python(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure(environment={})
    sys.excepthook(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert "unit.failed" not in capsys.readouterr().err


def test_a_log_that_cannot_be_written_stops_nothing() -> None:
    stream = io.StringIO()
    log.configure(stream=stream, environment={})
    stream.close()
    log.be_strict(False)
    get_logger().info("config.loaded")


# ------------------------------------------------------------------------------------------- terminals and the journal


@pytest.mark.parametrize(
    ("environment", "colored"),
    [
        ({}, True),
        ({"NO_COLOR": "1"}, False),
        ({"TERM": "dumb"}, False),
        ({"NO_COLOR": "", "TERM": "xterm"}, True),
    ],
)
def test_on_a_terminal_lines_are_for_eyes(environment: dict[str, str], colored: bool) -> None:
    stream = Terminal()
    log.configure(stream=stream, environment=environment)
    with bind_pass(pass_id="01JD", stack="ai", trigger="startup"):
        get_logger().info("config.loaded", files=3)
    text = stream.getvalue()
    assert ("\x1b[" in text) is colored
    assert "config.loaded" in text
    assert "{" not in text
    assert text.count("\n") == 1


def test_the_format_can_be_said() -> None:
    stream = Terminal()
    log.configure(stream=stream, environment={}, format="json")
    get_logger().info("config.loaded")
    assert json.loads(stream.getvalue())["event"] == "config.loaded"


@pytest.mark.parametrize(
    ("level", "event", "prefix"),
    [
        ("debug", "pass.started", "<7>"),
        ("info", "config.loaded", "<6>"),
        ("warning", "lock.busy", "<4>"),
        ("error", "config.refused", "<3>"),
        ("critical", "unit.failed", "<2>"),
    ],
)
def test_the_journal_gets_priorities(tmp_path: Any, level: str, event: str, prefix: str) -> None:
    with (tmp_path / "journal").open("w+") as stream:
        there = os.fstat(stream.fileno())
        log.configure(
            stream=stream, level="debug", environment={"JOURNAL_STREAM": f"{there.st_dev}:{there.st_ino}"}
        )
        getattr(get_logger(), level)(event)
        stream.seek(0)
        text = stream.read()
    assert text.startswith(prefix + "{")
    assert json.loads(text[len(prefix) :])["event"] == event


def test_every_line_of_the_journal_has_its_priority_and_fits(tmp_path: Any) -> None:
    with (tmp_path / "journal").open("w+") as stream:
        there = os.fstat(stream.fileno())
        environment = {"JOURNAL_STREAM": f"{there.st_dev}:{there.st_ino}", "NO_COLOR": "1"}
        log.configure(stream=stream, environment=environment)
        logging.getLogger("botocore.hooks").error("broken")
        get_logger().info("plan.computed", big=["x" * 1000] * 30)
        log.configure(stream=stream, environment=environment, format="console")
        try:
            fail()
        except ValueError:
            get_logger().exception("change.failed", address="site/one")
        stream.seek(0)
        library, long, *shown = stream.read().splitlines()
    assert library.startswith('<3>{"ts":')
    assert long.startswith('<6>{"ts":')
    assert len(f"{long}\n".encode()) <= LONGEST_LINE
    assert len(shown) > 3, "a traceback has many lines"
    assert all(line.startswith("<3>") for line in shown)


def test_a_journal_elsewhere_is_no_reason_for_priorities(tmp_path: Any) -> None:
    with (tmp_path / "file").open("w+") as stream:
        log.configure(stream=stream, environment={"JOURNAL_STREAM": "8:12345"})
        get_logger().info("config.loaded")
        stream.seek(0)
        assert stream.read().startswith("{")
