"""The audit log loses no line that was written, whenever it is killed, and reads what it can of any file."""

from __future__ import annotations

import json
import logging
import os
import re
import resource
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reconciler.aws.audit import NO_RECORD, Answer, Audit, Changed, Sending, changes
from reconciler.errors import ReconcilerError

from .remembering import Time

DONE = Answer(outcome="done", aws_request_id="request-1", http_status=200)


class Killed(BaseException):
    """The process is gone."""


def sending(name: object, call: int = 1, **more: Any) -> Sending:
    return Sending(change_id=str(name), call=call, address=f"vpc/{name}", verb="create", **more)


def names(found: list[Changed]) -> list[str]:
    return [change.about.change_id for change in found]


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def audit(state: Path, time: Time) -> Audit:
    return Audit(state, time)


def content(state: Path) -> bytes:
    """What `cat audit*.jsonl` gives."""
    return b"".join(path.read_bytes() for path in sorted(state.glob("audit*.jsonl")))


# ---- what is written is read


def test_a_call_is_two_lines_that_are_one_on_reading(audit: Audit, state: Path, time: Time) -> None:
    audit.begun(sending("a", reason="it does not exist"))
    time.now += 1.5
    audit.answered(sending("a", id="vpc-1"), DONE)
    begun, answered = map(json.loads, content(state).splitlines())
    assert (begun["v"], begun["what"], begun["at"]) == (1, "begun", "2027-01-15T08:00:00.000Z")
    assert (answered["what"], answered["at"], answered["id"]) == (
        "answered",
        "2027-01-15T08:00:01.500Z",
        "vpc-1",
    )
    [change] = changes(state)
    [made] = change.calls
    assert (change.at, change.outcome, change.about.id) == (begun["at"], "done", "vpc-1")
    assert (made.begun, made.answered, made.answer) == (begun["at"], answered["at"], DONE)


def test_a_call_that_was_never_answered_is_said_to_be_so(audit: Audit, state: Path) -> None:
    audit.begun(sending("a"))
    audit.begun(sending("b"))
    audit.answered(sending("b"), DONE)
    assert [(change.about.change_id, change.outcome) for change in changes(state)] == [
        ("a", NO_RECORD),
        ("b", "done"),
    ]


def test_a_change_of_several_calls_is_as_far_as_its_last_one(audit: Audit, state: Path) -> None:
    audit.begun(sending("a", call=1, step=1, steps=2))
    audit.answered(sending("a", call=1, step=1, steps=2), DONE)
    assert changes(state)[0].outcome == "partial"
    audit.begun(sending("a", call=2, step=2, steps=2))
    assert changes(state)[0].outcome == NO_RECORD
    audit.answered(sending("a", call=2, step=2, steps=2), replace(DONE, outcome="refused"))
    assert changes(state)[0].outcome == "refused"
    assert [made.sending.call for made in changes(state)[0].calls] == [1, 2]


def test_nothing_is_on_record_where_nothing_was_written(state: Path) -> None:
    assert changes(state) == []
    state.mkdir()
    assert changes(state) == []


def test_a_file_that_cannot_be_read_is_an_error_for_people(state: Path) -> None:
    (state / "audit.jsonl").mkdir(parents=True)
    with pytest.raises(ReconcilerError, match=r"audit\.jsonl: the audit log cannot be read"):
        changes(state)


@pytest.mark.parametrize("umask", [0o022, 0o027, 0o000])
def test_others_may_not_read_it(audit: Audit, state: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        audit.begun(sending("a"))
    finally:
        os.umask(before)
    assert (state / "audit.jsonl").stat().st_mode & 0o777 == 0o640
    assert state.stat().st_mode & 0o777 == 0o750


def test_every_member_of_a_line_is_documented(audit: Audit, state: Path) -> None:
    audit.answered(sending("a"), DONE)
    told = (Path(__file__).parents[2] / "docs/audit.md").read_text()
    rows = "".join(line.split("|")[1] for line in told.splitlines() if line.startswith("| `"))
    assert set(re.findall(r"`(\w+)`", rows)) == json.loads(content(state)).keys()


# ---- lines that are cut, or not ours


def test_a_file_that_ends_anywhere_spoils_no_other_line(audit: Audit, state: Path, time: Time) -> None:
    for name in "ab":
        audit.begun(sending(name))
    whole = content(state)
    first = whole.index(b"\n") + 1
    for length in range(first, len(whole)):
        (state / "audit.jsonl").write_bytes(whole[:length])
        Audit(state, time).begun(sending("c"))
        expected = ["a", "b", "c"] if length == len(whole) - 1 else ["a", "c"]
        assert names(changes(state)) == expected


def test_what_is_not_ours_is_passed_over(audit: Audit, state: Path) -> None:
    audit.begun(sending("a"))
    good = json.loads(content(state))
    strange: list[Any] = [
        [],
        None,
        "begun",
        {**good, "v": 2},
        {**good, "what": "dreamt"},
        {**good, "what": "answered"},
        {**good, "what": "answered", "outcome": "splendid"},
        {**good, "at": 5},
        {**good, "call": True},
        {**good, "call": "1"},
        {**good, "address": None},
        {**good, "paths": "Tags.x"},
        {name: value for name, value in good.items() if name != "change_id"},
    ]
    with (state / "audit.jsonl").open("ab") as file:
        file.write(b"\xff\xfe\x00\n" + b"[" * 100_000 + b"\n\n")
        file.writelines(json.dumps(line).encode() + b"\n" for line in strange)
    audit.begun(sending("b"))
    found = changes(state)
    assert names(found) == ["a", "b"]
    assert [change.outcome for change in found] == [NO_RECORD, NO_RECORD]


def test_lines_of_later_versions_may_have_more_members_and_of_earlier_ones_fewer(
    audit: Audit, state: Path
) -> None:
    audit.begun(sending("a"))
    good = json.loads(content(state))
    del good["paths"], good["by"]
    with (state / "audit.jsonl").open("a") as file:
        file.write(json.dumps({**good, "change_id": "b", "mood": "fine"}) + "\n")
    assert names(changes(state)) == ["a", "b"]


# ---- full files


def test_full_files_make_room_and_the_newest_lines_stay(state: Path, time: Time) -> None:
    audit = Audit(state, time, largest=2000, kept=3)
    for number in range(100):
        audit.begun(sending(number))
    files = sorted(state.iterdir())
    assert len(files) == 4
    assert [file.name for file in files][-1] == "audit.jsonl"
    assert all(file.stat().st_size < 2600 for file in files)
    numbers = [int(json.loads(line)["change_id"]) for line in content(state).splitlines()]
    assert numbers == list(range(numbers[0], 100)), "in order, without a gap, to the newest"
    assert len(numbers) > 12
    assert names(changes(state)) == [str(number) for number in numbers]


def test_answers_are_joined_with_what_is_in_an_earlier_file(state: Path, time: Time) -> None:
    audit = Audit(state, time, largest=1, kept=5)
    audit.begun(sending("a"))
    audit.begun(sending("b"))
    audit.answered(sending("a"), DONE)
    assert len(list(state.iterdir())) == 3
    assert [(change.about.change_id, change.outcome) for change in changes(state)] == [
        ("a", "done"),
        ("b", NO_RECORD),
    ]


def test_an_answer_whose_beginning_is_gone_is_a_change_all_the_same(state: Path, time: Time) -> None:
    audit = Audit(state, time, largest=1, kept=1)
    audit.begun(sending("a", id="vpc-1"))
    for name in "bc":
        audit.begun(sending(name))
    audit.answered(sending("a", id="vpc-1"), DONE)
    found = {change.about.change_id: change for change in changes(state)}
    assert found.keys() == {"c", "a"}
    assert (found["a"].outcome, found["a"].about.id) == ("done", "vpc-1")
    assert found["a"].at == found["a"].last.answered != ""


@contextmanager
def killed_at(number: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The process ends at the `number`th thing that it asks of the system; a write is then half done."""
    asked: list[str] = []

    def wrap(name: str) -> Callable[..., Any]:
        real = getattr(os, name)

        def ask(*args: Any, **more: Any) -> Any:
            asked.append(name)
            if len(asked) == number:
                if name == "write":
                    real(args[0], args[1][: len(args[1]) // 2])
                raise Killed
            return real(*args, **more)

        return ask

    with monkeypatch.context() as patch:
        for name in ("open", "write", "fsync", "rename", "unlink", "listdir"):
            patch.setattr(os, name, wrap(name))
        yield asked


def test_killed_between_any_two_steps_of_making_room_no_line_is_lost_or_cut(
    tmp_path: Path, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: set[str] = set()
    for number in range(1, 1000):
        state = tmp_path / str(number)
        for name in ("a", "b", "c"):  # one file each
            Audit(state, time, largest=1, kept=2).begun(sending(name))
        with (state / "audit.jsonl").open("ab") as file:
            file.write(b'{"half of a li')
        survived = False
        with killed_at(number, monkeypatch) as asked:
            try:
                Audit(state, time, largest=1, kept=2).begun(sending("d"))
                survived = True
            except Killed:
                steps.add(asked[-1])
        at_once = names(changes(state))
        assert at_once[-4:] in (["a", "b", "c"], ["b", "c"], ["a", "b", "c", "d"], ["b", "c", "d"]), asked
        Audit(state, time, largest=10**6, kept=2).begun(sending("e"))
        after = names(changes(state))
        assert after == [*at_once, "e"], asked
        for line in content(state).splitlines():
            assert line == b'{"half of a li' or line.startswith((b'{"v":1', b'{"v":1'[: len(line)]))
        if survived:
            assert at_once == ["b", "c", "d"]
            break
    assert {"open", "write", "fsync", "rename", "unlink", "listdir"} == steps


def test_what_a_kill_has_left_over_goes_with_the_next_full_file(state: Path, time: Time) -> None:
    for name in "abcdef":
        Audit(state, time, largest=1, kept=100).begun(sending(name))
    Audit(state, time, largest=1, kept=2).begun(sending("g"))
    assert names(changes(state)) == ["e", "f", "g"]


def test_a_reader_misses_nothing_while_files_become_full(state: Path, time: Time) -> None:
    audit, written, failed = Audit(state, time, largest=1500, kept=1000), 0, threading.Event()

    def write() -> None:
        nonlocal written
        for number in range(600):
            if failed.is_set():
                return
            audit.begun(sending(number))
            written = number + 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        while writer.is_alive():
            expected = written
            assert names(changes(state))[:expected] == [str(number) for number in range(expected)]
    finally:
        failed.set()
        writer.join()


def test_many_threads_lose_nothing(state: Path, time: Time) -> None:
    audit = Audit(state, time, largest=5000, kept=1000)

    def work(name: str) -> None:
        for number in range(20):
            audit.begun(sending(f"{name}-{number}"))
            audit.answered(sending(f"{name}-{number}"), DONE)

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcdefgh"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = changes(state)
    assert sorted(names(found)) == sorted(f"{name}-{number}" for name in "abcdefgh" for number in range(20))
    assert {change.outcome for change in found} == {"done"}


# ---- directories that cannot be written


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    lines = [record.msg for record in caplog.records if isinstance(record.msg, dict)]
    return [line["message"] for line in lines if line["event"] == "state.unwritable"]


def test_a_directory_that_cannot_be_made_is_said_once_and_work_goes_on(
    tmp_path: Path, time: Time, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    audit = Audit(tmp_path / "file" / "state", time)
    with caplog.at_level(logging.WARNING):
        for name in "abc":
            audit.begun(sending(name))
    [message] = said(caplog)
    assert message.endswith("goes on without an audit log")


@contextmanager
def room(size: int) -> Iterator[None]:
    """No file of this process can grow beyond `size` bytes: as on a disk that becomes full within a line."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_disk_that_becomes_full_within_a_line_keeps_no_half_of_it(
    audit: Audit, state: Path, caplog: pytest.LogCaptureFixture
) -> None:
    audit.begun(sending("a"))
    whole = content(state)
    with caplog.at_level(logging.WARNING):
        with room(len(whole) + 20):
            audit.begun(sending("b"))
            audit.begun(sending("c"))
        assert content(state) == whole
        assert len(said(caplog)) == 1
        audit.begun(sending("d"))
        assert names(changes(state)) == ["a", "d"]
        with room(len(content(state))):
            audit.begun(sending("e"))
    assert len(said(caplog)) == 2, "a second time is news"


def test_a_file_that_cannot_make_room_grows_on(
    state: Path, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise PermissionError

    audit = Audit(state, time, largest=1)
    monkeypatch.setattr(os, "rename", refuse)
    for name in "abc":
        audit.begun(sending(name))
    assert [path.name for path in state.iterdir()] == ["audit.jsonl"]
    assert names(changes(state)) == ["a", "b", "c"]
