"""The log: one JSON line per event with fixed first keys, no secret in it, and never too long."""

from __future__ import annotations

import io
import json
import logging
import os
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler import __version__, log
from reconciler.log import LONGEST_LINE, UnknownEvent, bind_pass, get_logger, in_context
from reconciler.redact import LONGEST_STRING

from .support import written


def line_of(**fields: Any) -> dict[str, Any]:
    (line,) = written(lambda: get_logger().info("config.loaded", **fields))
    return line


# --------------------------------------------------------------------------------------------------- a line's form


def test_the_first_keys_are_always_the_same_and_separators_are_compact() -> None:
    stream = io.StringIO()
    log.configure(stream=stream, environment={})
    with bind_pass(pass_id="01JD", stack="ai", trigger="interval"):
        get_logger().info("pass.finished", outcome="settled", settled=2)
    text = stream.getvalue()
    line = json.loads(text)
    assert list(line) == [
        *("ts", "level", "event", "schema", "service", "version", "instance", "pid"),
        *("pass_id", "trigger", "stack", "outcome", "settled"),
    ]
    assert (line["level"], line["event"], line["schema"]) == ("info", "pass.finished", 1)
    assert (line["service"], line["version"], line["pid"]) == ("reconciler", __version__, os.getpid())
    assert line["ts"].endswith("Z")
    assert len(line["ts"]) == len("2026-11-23T14:00:00.000000Z")
    assert '"event":"pass.finished","schema":1' in text
    assert text.endswith("}\n")


def test_stdout_stays_free(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure(environment={})
    get_logger().warning("lock.busy", holder={"pid": 1})
    captured = capsys.readouterr()
    assert captured.out == ""
    assert json.loads(captured.err)["holder"] == {"pid": 1}


def test_configuring_twice_writes_once() -> None:
    first, second = io.StringIO(), io.StringIO()
    log.configure(stream=first, environment={})
    log.configure(stream=second, environment={})
    get_logger().info("config.loaded")
    assert first.getvalue() == ""
    assert second.getvalue().count("\n") == 1


@pytest.mark.parametrize(("level", "seen"), [("debug", 4), ("info", 3), ("warning", 2), ("error", 1)])
def test_the_level_is_the_least_that_is_written(level: str, seen: int) -> None:
    def act() -> None:
        logger = get_logger()
        logger.debug("pass.started")
        logger.info("config.loaded")
        logger.warning("lock.busy")
        logger.error("config.refused")

    assert len(written(act, level=level)) == seen


def test_unknown_formats_and_levels_are_refused() -> None:
    with pytest.raises(ValueError, match="log format 'xml': one of auto, console, json"):
        log.configure(format="xml")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="log level 'loud': one of debug"):
        log.configure(level="loud")  # type: ignore[arg-type]


# ---------------------------------------------------------------------------------------------------- the catalogue


def test_an_event_that_the_catalogue_lacks_is_an_error_under_the_tests() -> None:
    with pytest.raises(UnknownEvent, match=r"no such event: 'made\.up'"):
        get_logger().debug("made.up")
    log.be_strict(False)
    get_logger().debug("made.up")


def test_a_field_that_the_log_itself_sets_is_an_error_under_the_tests() -> None:
    with pytest.raises(UnknownEvent, match=r"config\.loaded: the log itself sets pid, version"):
        get_logger().info("config.loaded", version="2", pid=1)


# --------------------------------------------------------------------------------------------- passes and threads


def test_the_pass_is_known_in_worker_threads() -> None:
    gate = threading.Barrier(2, timeout=5)

    def act(kind: str) -> None:
        gate.wait()  # both at once: one context cannot be entered twice
        get_logger().info("change.started", kind=kind)

    def run() -> None:
        with ThreadPoolExecutor(2) as pool:
            with bind_pass(pass_id="01JD", stack="ai", trigger="startup", config_hash="9f"):
                list(pool.map(in_context(act), ["vpc", "site"]))
            gate.reset()
            list(pool.map(act, ["old", "gone"]))

    lines = {line["kind"]: line for line in written(run)}
    for kind in ("vpc", "site"):
        assert (lines[kind]["pass_id"], lines[kind]["stack"], lines[kind]["config_hash"]) == (
            "01JD",
            "ai",
            "9f",
        )
        assert lines[kind]["trigger"] == "startup"
    assert "pass_id" not in lines["old"]
    assert "pass_id" not in lines["gone"]


def test_libraries_lines_say_which_pass_they_belong_to() -> None:
    def act() -> None:
        with bind_pass(pass_id="01JD", stack="ai", trigger="startup"):
            logging.getLogger("botocore.credentials").warning("Found %s", "them")

    (line,) = written(act)
    assert (line["event"], line["message"], line["logger"]) == (
        "library.log",
        "Found them",
        "botocore.credentials",
    )
    assert (line["level"], line["pass_id"]) == ("warning", "01JD")


def test_the_stack_is_on_every_line_as_soon_as_it_is_known() -> None:
    def act() -> None:
        get_logger().info("lock.acquired", path="before")
        log.of_stack("ai")
        log.of_stack("of a config that is refused")
        get_logger().info("lock.acquired", path="after")
        logging.getLogger("botocore.hooks").warning("of a library")
        thread = threading.Thread(target=lambda: get_logger().info("lock.acquired", path="in a thread"))
        thread.start()
        thread.join()
        with bind_pass(pass_id="01JD", stack="other", trigger="start"):
            get_logger().info("lock.acquired", path="in a pass")

    before, *later = written(act)
    assert "stack" not in before
    assert [line["stack"] for line in later] == ["ai", "ai", "ai", "other"]
    assert list(later[0])[7:] == ["pid", "stack", "path"]
    assert list(later[-1])[7:] == ["pid", "pass_id", "trigger", "stack", "path"]
    assert "stack" not in written(lambda: get_logger().info("lock.acquired"))[0], "another process, so to say"


# --------------------------------------------------------------------------------------------------- the libraries


@pytest.mark.parametrize(
    "name", ["botocore", "botocore.auth", "botocore.endpoint", "urllib3", "s3transfer", "boto3"]
)
def test_debug_of_libraries_is_out_of_reach(name: str) -> None:
    def act() -> None:
        logger, before = logging.getLogger(name), logging.getLogger(name).level
        try:
            logger.setLevel(logging.DEBUG)  # as boto3.set_stream_logger does
            logger.debug("x-amz-security-token:abc")
            logger.info("harmless")
        finally:
            logger.setLevel(before)

    assert [line["message"] for line in written(act, level="debug")] == ["harmless"]


@pytest.mark.parametrize(
    ("level", "heard"), [("debug", ["info", "warning"]), ("info", ["warning"]), ("error", [])]
)
def test_libraries_are_a_step_quieter_than_we_are(level: str, heard: list[str]) -> None:
    def act() -> None:
        logging.getLogger("botocore.hooks").info("one")
        logging.getLogger("botocore.hooks").warning("two")

    assert [line["level"] for line in written(act, level=level)] == heard


def test_a_line_per_tick_is_not_written() -> None:
    def act() -> None:
        logging.getLogger("apscheduler.executors.default").info("Running job")
        logging.getLogger("apscheduler.scheduler").warning("missed")

    assert [line["message"] for line in written(act, level="debug")] == ["missed"]


def test_warnings_are_lines() -> None:
    def act() -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            logging.captureWarnings(False)  # pytest's own catcher is in place; put ours over it
            logging.captureWarnings(True)
            warnings.warn("old thing", UserWarning, stacklevel=1)

    (line,) = written(act)
    assert line["event"] == "library.log"
    assert "old thing" in line["message"]


# ------------------------------------------------------------------------------------------------- secrets and size


@dataclass(frozen=True)
class Difference:
    path: str
    wanted: Any
    seen: Any


@pytest.mark.parametrize(
    "fields",
    [
        {"password": "hush"},
        {"pre_shared_key": "hush"},
        {"UserData": "hush"},
        {"spec": {"Location": {"Address": "hush", "Latitude": "hush"}}},
        {"spec": {"Address": "hush"}},
        {"calls": [{"parameters": {"Options": {"TunnelOptions": [{"PreSharedKey": "hush"}]}}}]},
        {"raw": {"CustomerGatewayConfiguration": "<hush/>"}},
        {"credentials": {"SecretAccessKey": "hush", "SessionToken": "hush"}},
        {"headers": {"Authorization": "hush", "X-Token": "-", "token": "hush"}},
        {"drift": [Difference("Location.Address", "hush", "hush")]},
        {"drift": [{"path": "Options.TunnelOptions[0].PreSharedKey", "wanted": "hush", "seen": None}]},
        {"UserData": b"hush"},
        {"blob": b"hush"},
        {"things": ({"location": ["hush"]},)},
    ],
)
def test_sensitive_fields_are_blanked_however_deep(fields: dict[str, Any]) -> None:
    stream = io.StringIO()
    formats: tuple[Any, ...] = ("json", "console")
    for format in formats:
        log.configure(stream=stream, environment={}, format=format)
        get_logger().info("config.loaded", **fields)
    assert "hush" not in stream.getvalue()
    assert "(sensitive)" in stream.getvalue() or "bytes)" in stream.getvalue()


def test_what_is_not_sensitive_is_shown() -> None:
    line = line_of(
        address="site/one",
        unknown=[{"address": "site/two"}],
        token=None,
        NextToken="page",
        drift=[Difference("Description", "a", None)],
        regions={"b", "a"},
    )
    assert line["address"] == "site/one"
    assert line["unknown"] == [{"address": "site/two"}]
    assert line["token"] is None
    assert line["NextToken"] == "page"
    assert line["drift"] == [{"path": "Description", "wanted": "a", "seen": None}]
    assert line["regions"] == ["a", "b"]


def test_a_long_string_is_cut_at_a_character() -> None:
    line = line_of(message="ä" * LONGEST_STRING, short="x" * LONGEST_STRING)
    assert len(line["message"].encode()) <= LONGEST_STRING
    assert line["message"].endswith("ä…")
    assert line["short"] == "x" * LONGEST_STRING
    assert list(line)[-1] == "truncated"
    assert line["truncated"] is True


def test_a_long_line_loses_its_longest_fields_and_keeps_its_head() -> None:
    stream = io.StringIO()
    log.configure(stream=stream, environment={})
    with bind_pass(pass_id="01JD", stack="ai", trigger="startup"):
        get_logger().info("plan.computed", small=1, big=["x" * 1000] * 30, bigger=[{"y": "z" * 1000}] * 40)
    text = stream.getvalue()
    line = json.loads(text)
    assert len(text.encode()) <= LONGEST_LINE
    assert (line["small"], line["truncated"], line["pass_id"]) == (1, True, "01JD")
    assert not {"big", "bigger"} & line.keys()


PLAIN = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner),
)


@given(
    st.dictionaries(st.text().map("f_".__add__), PLAIN | st.text(max_size=3).map(lambda text: text * 2000))
)
def test_whatever_is_logged_is_one_valid_line(fields: dict[str, Any]) -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="utf-8", newline="\n")
    log.configure(stream=stream, environment={}, format="json")
    get_logger().info("config.loaded", **fields)
    text = raw.getvalue()
    assert text.count(b"\n") == 1
    assert len(text) <= LONGEST_LINE
    assert json.loads(text, parse_constant=pytest.fail)["event"] == "config.loaded"


def test_odd_values_do_not_stop_the_log() -> None:
    loop: dict[str, Any] = {}
    loop["self"] = loop
    line = line_of(loop=loop, nan=float("nan"), half="\udc80", error=ValueError("no"), many={3: "x"})
    assert line["nan"] == "nan"
    assert line["half"] == "\\udc80"
    assert line["error"] == "no"
    assert line["many"] == {"3": "x"}
    assert line["truncated"] is True
