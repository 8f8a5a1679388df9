"""Pauses are kept in a file beside the config: never lost by halves, and never misunderstood as none."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler import pauses
from reconciler.desired.files import read as read_files
from reconciler.errors import ReconcilerError
from reconciler.model.pause import Pause
from reconciler.moments import seconds, text

NOW = seconds("2026-11-23T14:00:00Z")
PERSON = """
import sys
from pathlib import Path
from reconciler import pauses
from reconciler.model.pause import Pause
print("ready", flush=True)
sys.stdin.read()
for number in range(25):
    address = f"site/{sys.argv[2]}-{number}"
    pauses.add(Path(sys.argv[1]), Pause(stack="ai", address=address, reason="r", by="b", since=0))
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Where the pauses are of a config that is one file."""
    return pauses.place(tmp_path / "estate.yaml")


def pause(address: str = "", **more: Any) -> Pause:
    return Pause(**{"stack": "ai", "address": address, "reason": "tests", "by": "anna", "since": NOW, **more})


def written(place: Path, *items: Any, version: Any = 1) -> None:
    place.write_text(json.dumps({"version": version, "pauses": list(items)}))


# ---- where


def test_beside_a_file_and_in_a_folder(tmp_path: Path) -> None:
    (tmp_path / "conf.d").mkdir()
    assert pauses.place(tmp_path / "conf.d") == tmp_path / "conf.d" / ".reconciler-pause.json"
    assert pauses.place(tmp_path / "estate.yaml") == tmp_path / ".reconciler-pause.json"


def test_what_is_written_there_is_no_part_of_the_config(tmp_path: Path) -> None:
    (tmp_path / "estate.yaml").write_text("stack: ai\n")
    place = pauses.place(tmp_path)
    pauses.add(place, pause())
    place.with_suffix(".1").write_text("half of a fi")  # as of a process that was killed as it wrote
    files, problems = read_files(tmp_path)
    assert ([Path(file.name).name for file in files], problems) == (["estate.yaml"], ())


# ---- what counts


def test_without_a_file_nothing_is_paused(place: Path) -> None:
    assert pauses.read(place, "ai", NOW) == ()
    assert pauses.remove(place, "ai", "", NOW) == ()


def test_what_is_added_is_read_the_whole_stack_first(place: Path) -> None:
    some = [pause("vpc/b"), pause(until=NOW + 60), pause("site/a", reason="änderung ✓")]
    for one in some:
        pauses.add(place, one)
    assert pauses.read(place, "ai", NOW) == (some[1], some[2], some[0])


def test_a_pause_of_the_same_address_takes_the_place_of_the_first(place: Path) -> None:
    pauses.add(place, pause(reason="first"))
    pauses.add(place, pause(reason="second", by="bert"))
    assert [one.sentence for one in pauses.read(place, "ai", NOW)] == ["paused by bert: second"]


def test_a_pause_ends_by_itself(place: Path) -> None:
    pauses.add(place, pause(until=NOW + 60))
    pauses.add(place, pause("site/a"))
    assert [one.address for one in pauses.read(place, "ai", NOW + 59)] == ["", "site/a"]
    assert [one.address for one in pauses.read(place, "ai", NOW + 60)] == ["site/a"]


def test_one_that_has_ended_is_not_kept(place: Path) -> None:
    pauses.add(place, pause(until=NOW + 60))
    pauses.add(place, pause("site/a", since=NOW + 60))
    assert [item["address"] for item in json.loads(place.read_text())["pauses"]] == ["site/a"]


def test_several_stacks_are_paused_beside_one_config(place: Path) -> None:
    for stack in ("ai", "other"):
        pauses.add(place, pause(stack=stack))
        pauses.add(place, pause("site/a", stack=stack))
    assert len(pauses.remove(place, "ai", "", NOW)) == 2
    assert pauses.read(place, "ai", NOW) == ()
    assert [one.address for one in pauses.read(place, "other", NOW)] == ["", "site/a"]


def test_one_address_goes_on_and_the_rest_does_not(place: Path) -> None:
    for address in ("", "site/a", "site/b"):
        pauses.add(place, pause(address))
    assert [one.address for one in pauses.remove(place, "ai", "site/a", NOW)] == ["site/a"]
    assert pauses.remove(place, "ai", "site/a", NOW) == ()
    assert [one.address for one in pauses.read(place, "ai", NOW)] == ["", "site/b"]


def test_when_the_last_has_ended_there_is_no_file(place: Path) -> None:
    pauses.add(place, pause("site/a"))
    pauses.remove(place, "ai", "site/a", NOW)
    assert list(place.parent.iterdir()) == []


LETTERS = st.text(st.characters(), max_size=40)


@given(
    reason=LETTERS, by=LETTERS, since=st.integers(1, 4 * 10**9), length=st.none() | st.integers(1, 4 * 10**9)
)
def test_any_words_come_back(
    tmp_path_factory: pytest.TempPathFactory, reason: str, by: str, since: int, length: int | None
) -> None:
    place = pauses.place(tmp_path_factory.getbasetemp() / "words.yaml")
    given = pause(reason=reason, by=by, since=since, until=None if length is None else since + length)
    pauses.add(place, given)
    assert pauses.read(place, "ai", 0.0) == (given,)
    place.unlink()


# ---- a file that is not understood pauses everything

GOOD = {"stack": "ai", "address": "site/a", "reason": "r", "by": "b", "since": text(NOW), "until": None}
BAD_ITEMS = {
    "no end": {key: value for key, value in GOOD.items() if key != "until"},
    "no time zone": {**GOOD, "until": "2026-11-23T14:00:00"},
    "no time": {**GOOD, "until": "soon"},
    "seconds": {**GOOD, "since": NOW},
    "no year": {**GOOD, "until": "9999-12-31T23:59:59-12:00"},
    "no address": {**GOOD, "address": "site one"},
    "no name": {**GOOD, "address": None},
    "a number": {**GOOD, "stack": 5},
    "a text": "site/a",
    "nothing": None,
}


@pytest.mark.parametrize("item", BAD_ITEMS.values(), ids=BAD_ITEMS)
def test_a_pause_that_makes_no_sense_pauses_everything(place: Path, item: Any) -> None:
    written(place, GOOD, item)
    assert_all_is_paused(place)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"{}",
        b'{"version": 1}',
        b'{"version": 1, "pauses": 5}',
        b'{"version": 1, "pauses": [5]}',
        b"\xff\xfe",
        b"[" * 100_000,
    ],
    ids=ascii,
)
def test_garbage_pauses_everything(place: Path, content: bytes) -> None:
    place.write_bytes(content)
    assert_all_is_paused(place)


def test_an_unknown_version_pauses_everything(place: Path) -> None:
    written(place, GOOD, version=2)
    assert "version 2 is not known to this reconciler" in assert_all_is_paused(place)


def test_a_folder_of_that_name_pauses_everything(place: Path) -> None:
    place.mkdir()
    assert "Is a directory" in assert_all_is_paused(place)


def assert_all_is_paused(place: Path) -> str:
    """Everything of every stack is, the text says what to do, and nobody writes over what somebody has meant."""
    for stack in ("ai", "other"):
        (found,) = pauses.read(place, stack, NOW)
        assert (found.stack, found.address, found.until) == (stack, "", None)
        assert found.holds(NOW + 1e9)
        assert str(place) in found.reason
        assert "mend it, or delete it to go on" in found.reason
        assert "Traceback" not in found.reason
    before = place.read_bytes() if place.is_file() else b""
    for change in (lambda: pauses.add(place, pause()), lambda: pauses.remove(place, "ai", "", NOW)):
        with pytest.raises(ReconcilerError, match="mend it, or delete it"):
            change()
    assert (place.read_bytes() if place.is_file() else b"") == before
    return found.reason


def test_a_file_that_may_not_be_read_pauses_everything(place: Path) -> None:
    pauses.add(place, pause("site/a"))
    place.chmod(0)
    before = os.geteuid()
    os.seteuid(before or 65534)  # root may read everything
    try:
        (found,) = pauses.read(place, "ai", NOW)
    finally:
        os.seteuid(before)
    assert "Permission denied" in found.reason


# ---- writing


def test_the_daemon_may_read_it_whoever_has_written_it(place: Path) -> None:
    before = os.umask(0o077)
    try:
        pauses.add(place, pause())
    finally:
        os.umask(before)
    assert stat.S_IMODE(place.stat().st_mode) == 0o644


def test_a_full_disk_leaves_what_there_was(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses.add(place, pause("site/a"))
    before = place.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(ReconcilerError, match=r"pause\.json cannot be written: No space left on device"):
            pauses.add(place, pause("site/b"))
    assert place.read_bytes() == before
    assert [path.name for path in place.parent.iterdir()] == [place.name]


def test_where_nothing_can_be_written_it_is_said(tmp_path: Path) -> None:
    place = pauses.place(tmp_path / "gone" / "estate.yaml")
    with pytest.raises(ReconcilerError, match="cannot be written: No such file or directory"):
        pauses.add(place, pause())


def test_two_people_who_pause_at_once_both_do(place: Path) -> None:
    people = [
        subprocess.Popen(
            [sys.executable, "-c", PERSON, str(place), name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for name in ("left", "right")
    ]
    for person in people:
        assert person.stdout is not None
        assert person.stdout.readline() == b"ready\n"
    for person in people:
        assert person.stdin is not None
        person.stdin.close()
    for person in people:
        with person:
            assert person.wait(60) == 0
    found = {one.address for one in pauses.read(place, "ai", NOW)}
    assert found == {f"site/{name}-{number}" for name in ("left", "right") for number in range(25)}


# ---- moments


@given(st.floats(0, 2e11))
def test_a_moment_comes_back_to_the_second(moment: float) -> None:
    assert moment - 1 < seconds(text(moment)) <= moment + 1e-3


def test_moments_are_utc() -> None:
    assert text(0) == "1970-01-01T00:00:00Z"
    assert seconds("2026-11-23T15:00:00+01:00") == seconds("2026-11-23T14:00:00Z") == NOW


@pytest.mark.parametrize(
    "moment", ["", "soon", "2026-11-23", "2026-11-23T14:00:00", "0001-01-01T00:00:00+12:00"]
)
def test_what_is_no_moment(moment: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        seconds(moment)
