"""Metrics: what a status says in Prometheus' words, in a file that is there whole or not at all."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from reconciler import metrics
from reconciler.board import Board
from reconciler.events import FIELDS
from reconciler.metrics import METRICS
from reconciler.settings import Settings
from reconciler.status import Status
from tests.harness import ACCOUNT, STACK, Host
from tests.monitoring.support import ROOT, promtool

NOW = 1_795_442_400.0
_LINE = re.compile(r'(?P<name>\w+)\{(?P<labels>(?:\w+="(?:[^"\\\n]|\\["\\n])*",?)*)\} (?P<value>-?[0-9.e+]+)')
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


def status(**more: Any) -> Status:
    known = {
        "stack": "prod",
        "account": ACCOUNT,
        "what": "daemon",
        "pid": 7,
        "instance": "ops1",
        "program": "1.2.3",
    }
    return Status(**{**known, "started": NOW - 60, **more})


def read(text: str) -> dict[tuple[str, ...], float]:
    """The samples of a file by name and labels (`stack` left out), as the format has them: HELP, TYPE, then samples."""
    found: dict[tuple[str, ...], float] = {}
    told: list[str] = []
    *lines, end = text.split("\n")
    assert end == "", "the last line has an end too"
    for line in lines:
        if line.startswith("# "):
            told.append(line.split()[2])
            continue
        sample = _LINE.fullmatch(line)
        assert sample, line
        assert told[-2:] == [sample["name"]] * 2, "HELP and TYPE stand right before the samples"
        labels = dict(_LABEL.findall(sample["labels"]))
        assert labels.pop("stack")
        assert tuple(labels) == METRICS[sample["name"]].labels
        found[sample["name"].removeprefix("reconciler_"), *labels.values()] = float(sample["value"])
    assert len(told) == 2 * len(set(told)), "each metric is told of once"
    return found


def found(**more: Any) -> dict[tuple[str, ...], float]:
    return read(metrics.text(status(**more), NOW))


def test_what_a_pass_has_done_is_counted(ops: Host, tmp_path: Path) -> None:
    loop = ops.loop(
        "resources:\n  vpc/a: {CidrBlock: 10.0.0.0/16, protect: false}\n  vpc/b: {CidrBlock: 10.1.0.0/16}\n"
    )
    board = Board(tmp_path, loop, status(stack=STACK))
    board.took(tmp_path, loop.config, loop.clock.now())
    loop.until_settled(60)
    seen = read(metrics.text(board.status, loop.clock.now()))
    assert seen["changes_total", "create"] == 2
    assert seen["changes_total", "delete"] == 0
    assert seen["passes_total", "settled"] >= 1
    assert seen["addresses", "settled"] == 2
    assert seen["api_calls_total",] > 2
    assert seen["resources",] == 2
    assert seen["last_success_timestamp_seconds",] == seen["last_pass_timestamp_seconds",]
    assert 0 <= loop.clock.now() - seen["last_pass_timestamp_seconds",] < 60
    assert seen["info", ACCOUNT, "1.2.3", loop.config.digest[:8], "daemon"] == 1


def test_what_can_rise_is_there_from_the_start_and_what_has_not_been_is_not() -> None:
    seen = found()
    assert {value for (name, *_), value in seen.items() if name.endswith("_total")} == {0}
    outcomes = {labels[0] for name, *labels in seen if name == "passes_total"}
    assert outcomes == set(re.findall(r"\w+", FIELDS["outcome"].meaning)) - {"or"}
    names = {name for name, *_ in seen}
    assert not names & {
        "last_success_timestamp_seconds",
        "last_pass_timestamp_seconds",
        "next_pass_timestamp_seconds",
        "interval_seconds",
        "addresses",
    }
    assert (seen["start_time_seconds",], seen["heartbeat_timestamp_seconds",]) == (NOW - 60, NOW)


def test_a_process_is_in_one_state() -> None:
    seen = found(state="degraded")
    assert seen["state", "degraded"] == 1
    assert sum(value for (name, *_), value in seen.items() if name == "state") == 1
    states = set(re.findall(r"\w+", FIELDS["state"].meaning.partition(":")[2])) - {"or"}
    assert states <= {labels[0] for name, *labels in seen if name == "state"}


@pytest.mark.parametrize(
    ("more", "name"),
    [
        ({"guard": "6 deletions, 5 are allowed"}, "guard_stopped"),
        ({"problem": "the credentials have expired"}, "problem"),
        ({"config": {"hash": "9f2c1b7e", "resources": 2, "loaded": NOW, "stale": NOW - 5}}, "config_stale"),
        ({"state": "paused"}, "paused"),
    ],
)
def test_what_is_wrong_is_one_and_else_zero(more: dict[str, Any], name: str) -> None:
    assert (found()[name,], found(**more)[name,]) == (0, 1)


def test_pauses_count_while_they_last() -> None:
    def pause(address: str, until: str | None) -> dict[str, str | None]:
        return {"address": address, "until": until}

    later, before = "2026-11-23T16:00:00Z", "2026-11-23T13:59:59Z"
    seen = found(pauses=(pause("", later), pause("site/a", None), pause("site/b", before)))
    assert (seen["paused",], seen["paused_addresses",]) == (1, 1)
    assert found(pauses=(pause("", before),))["paused",] == 0


def test_an_estate_of_any_size_has_as_many_series() -> None:
    many = {
        "addresses": {f"site/{number}": {"status": "failed", "reason": "no"} for number in range(1000)},
        "unread": {f"site in region-{number}": "denied" for number in range(50)},
        "conflicts": tuple(f"two things claim site/{number}" for number in range(50)),
    }
    assert found(**many).keys() == found().keys()
    assert (found(**many)["unread",], found(**many)["conflicts",]) == (50, 50)


def test_no_value_of_a_label_breaks_the_line() -> None:
    text = metrics.text(status(what='run "once" \\\n--now'), NOW)
    assert r'what="run \"once\" \\\n--now"' in text
    read(text)


def test_a_number_is_written_as_it_is() -> None:
    seen = metrics.text(status(last_success=1_795_442_399.25, api_calls=123_456_789), NOW)
    assert 'reconciler_last_success_timestamp_seconds{stack="prod"} 1795442399.25\n' in seen
    assert 'reconciler_api_calls_total{stack="prod"} 123456789\n' in seen


def test_times_are_in_seconds() -> None:
    last = dict.fromkeys(metrics.STATUSES, 0) | {"ended": NOW, "duration_ms": 4182}
    seen = found(last_pass=last, interval=300.0, next_look=NOW + 287.5)
    assert seen["last_pass_duration_seconds",] == 4.182
    assert (seen["interval_seconds",], seen["next_pass_timestamp_seconds",]) == (300, NOW + 287.5)


def test_promtool_finds_nothing_to_say_against_the_format() -> None:
    last = dict.fromkeys(metrics.STATUSES, 1) | {"ended": NOW, "duration_ms": 4182}
    whole = metrics.text(
        status(
            last_pass=last,
            last_success=NOW,
            next_look=NOW,
            interval=300.0,
            config={"resources": 1, "loaded": NOW},
        ),
        NOW,
    )
    assert {line.split()[2] for line in whole.splitlines() if line[0] == "#"} == METRICS.keys()
    assert promtool(["check", "metrics"], whole) == ""


# ----------------------------------------------------------------------------------------------------------- the file


def test_others_may_read_the_file_whatever_the_umask(tmp_path: Path) -> None:
    path = tmp_path / "reconciler.prom"
    code = f"""
        import os
        from pathlib import Path
        from tests.test_metrics import NOW, metrics, status
        os.umask(0o077)
        metrics.write(Path({str(path)!r}), status(), NOW)
    """
    subprocess.run([sys.executable, "-c", dedent(code)], check=True, timeout=60, cwd=ROOT)
    assert path.stat().st_mode & 0o777 == 0o644
    assert [found.name for found in tmp_path.iterdir()] == ["reconciler.prom"]


def test_a_disk_that_is_full_leaves_the_file_that_was_there(tmp_path: Path) -> None:
    path = tmp_path / "reconciler.prom"
    metrics.write(path, status(), NOW)
    before = path.read_text()
    code = f"""
        import resource
        from pathlib import Path
        from tests.test_metrics import NOW, metrics, status
        resource.setrlimit(resource.RLIMIT_FSIZE, (500, 500))
        try:
            metrics.write(Path({str(path)!r}), status(state="idle"), NOW)
        except OSError as error:
            print(error.strerror)
    """
    done = subprocess.run(
        [sys.executable, "-c", dedent(code)], check=True, timeout=60, cwd=ROOT, capture_output=True, text=True
    )
    assert done.stdout == "File too large\n"
    assert path.read_text() == before
    assert [found.name for found in tmp_path.iterdir()] == ["reconciler.prom"]


def test_what_a_kill_has_left_behind_is_no_file_of_node_exporters_and_in_nobodys_way(tmp_path: Path) -> None:
    path = tmp_path / "reconciler.prom"
    metrics.write(path, status(), NOW)
    (tmp_path / "reconciler.tmp").write_text("# HELP half")
    assert [found.name for found in tmp_path.glob("*.prom")] == ["reconciler.prom"]
    metrics.write(path, status(state="idle"), NOW)
    assert read(path.read_text())["state", "idle"] == 1
    assert [found.name for found in tmp_path.iterdir()] == ["reconciler.prom"]


def test_who_reads_while_it_is_written_never_sees_a_part(tmp_path: Path) -> None:
    path = tmp_path / "reconciler.prom"
    short, long = status(), status(passes=Counter(done=10**12), last_success=NOW)
    whole = {metrics.text(short, NOW), metrics.text(long, NOW)}
    metrics.write(path, short, NOW)
    over, seen = threading.Event(), set[str]()

    def look() -> None:
        while not over.is_set():
            seen.add(path.read_text())

    reader = threading.Thread(target=look)
    reader.start()
    for number in range(500):
        metrics.write(path, long if number % 2 else short, NOW)
    over.set()
    reader.join()
    assert seen <= whole


def test_a_folder_that_is_not_there_is_an_error_and_makes_none(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        metrics.write(tmp_path / "none/reconciler.prom", status(), NOW)
    assert list(tmp_path.iterdir()) == []


# ---------------------------------------------------------------------------------------------------------- the setting


def test_the_file_is_a_setting_and_ends_as_node_exporter_wants_it() -> None:
    variable = {"HOME": "/", "RECONCILER_METRICS_FILE": "/var/lib/node_exporter/prod.prom"}
    assert Settings.gather({}, {"HOME": "/"}).metrics_file is None
    assert Settings.gather({}, variable).metrics_file == Path("/var/lib/node_exporter/prod.prom")
    with pytest.raises(ValueError, match=r"--metrics-file: '/tmp/prod\.txt' does not end with \.prom"):
        Settings.gather({"metrics_file": "/tmp/prod.txt"}, {"HOME": "/"})
