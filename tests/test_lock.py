"""One process at a time holds a stack; the kernel takes the lock back when it dies; the loser learns who has it.

The other holder is a real process each time.
"""

from __future__ import annotations

import ast
import json
import logging
import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from reconciler.errors import BusyError
from reconciler.lock import Lock, held
from reconciler.lock import holder as lock_holder

HOLDER = """
import sys
from pathlib import Path
from reconciler.lock import held
with held(Path(sys.argv[1]), "ai", "daemon", 0.0):
    print("held", flush=True)
    sys.stdin.read()
"""
Start = Callable[[], "subprocess.Popen[str]"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Begins a process that holds the lock until it is told to end."""
    begun: list[subprocess.Popen[str]] = []

    def run() -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(tmp_path / "state")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        begun.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        return process

    yield run
    for process in begun:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            assert pipe is not None
            pipe.close()


def take(tmp_path: Path, wait: float = 0.0) -> None:
    with held(tmp_path / "state", "ai", "run --once", wait):
        pass


def holder(tmp_path: Path) -> str:
    return (tmp_path / "state" / "lock").read_text()


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [str(record.msg) for record in caplog.records if "state.unwritable" in str(record.msg)]


def test_the_loser_learns_who_holds_it_for_what_and_since_when(tmp_path: Path, start: Start) -> None:
    process = start()
    began = time.monotonic()
    with pytest.raises(BusyError) as caught:
        take(tmp_path)
    assert time.monotonic() - began < 0.2  # at once, unless it was told to wait
    text = rf"ai is held by process {process.pid} \(daemon\) since 20\d\d-\d\d-\d\dT[\d:]+Z; .*--lock-wait"
    assert re.fullmatch(text, str(caught.value))


def test_the_file_says_who_holds_it(tmp_path: Path) -> None:
    with held(tmp_path / "state", "ai", "run --once", 0.0):
        found = json.loads(holder(tmp_path))
        assert (found["pid"], found["what"]) == (os.getpid(), "run --once")
    assert holder(tmp_path) == ""  # a leftover file means nothing, and says nothing


def test_the_kernel_frees_the_lock_of_a_process_that_is_killed(tmp_path: Path, start: Start) -> None:
    process = start()
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert f'"pid": {process.pid}' in holder(tmp_path)  # what it wrote is still there
    take(tmp_path)


def test_an_error_frees_the_lock(tmp_path: Path, start: Start) -> None:
    with pytest.raises(ZeroDivisionError), held(tmp_path / "state", "ai", "run --once", 0.0):
        raise ZeroDivisionError
    start()


def test_waiting_gets_the_lock_when_it_is_free(tmp_path: Path, start: Start) -> None:
    process = start()
    assert process.stdin is not None
    with pytest.raises(BusyError):
        take(tmp_path, wait=0.05)
    end = threading.Timer(0.1, process.stdin.close)
    end.start()
    take(tmp_path, wait=20.0)
    end.join()


def test_a_child_does_not_keep_the_lock(tmp_path: Path, start: Start) -> None:
    with held(tmp_path / "state", "ai", "run --once", 0.0):
        child = subprocess.Popen(["sleep", "60"], close_fds=False)
    try:
        start()
    finally:
        child.kill()
        child.wait()


def test_another_stack_is_another_lock(tmp_path: Path, start: Start) -> None:
    start()
    with held(tmp_path / "other", "other", "run --once", 0.0):
        pass


def test_a_holder_that_has_not_signed_is_another_process(tmp_path: Path, start: Start) -> None:
    start()
    for text in ("", "{", "[]", '{"pid": 1}'):
        (tmp_path / "state" / "lock").write_text(text)
        with pytest.raises(BusyError, match="held by another process"):
            take(tmp_path)


# ---- directories that cannot be written, or go away


def test_where_nothing_can_be_written_the_work_goes_on_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "state").touch()
    done = []
    with caplog.at_level(logging.WARNING):
        with held(tmp_path / "state", "ai", "run --once", 0.0):
            done.append(True)
        with pytest.raises(ZeroDivisionError), held(tmp_path / "state", "ai", "run --once", 0.0):
            raise ZeroDivisionError
    assert done == [True]
    assert len(said(caplog)) == 2
    assert "goes on without a lock" in said(caplog)[0]


def test_a_full_disk_is_locked_namelessly(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "lock").symlink_to("/dev/full")
    with caplog.at_level(logging.WARNING):
        take(tmp_path)
    assert said(caplog) == []


def test_a_file_that_is_made_anew_while_waiting_is_the_one_that_is_locked(
    tmp_path: Path, start: Start
) -> None:
    """Waiting for the old one would be waiting for what keeps nobody out."""
    start()
    removal = threading.Timer(0.1, shutil.rmtree, [tmp_path / "state"])
    removal.start()
    with held(tmp_path / "state", "ai", "run --once", 20.0):
        assert json.loads(holder(tmp_path))["pid"] == os.getpid()
    removal.join()


# ---- while it is held


@pytest.fixture
def lock(tmp_path: Path) -> Iterator[Lock]:
    """The lock, held by this process."""
    with held(tmp_path / "state", "ai", "run --once", 0.0) as found:
        yield found


def lost(caplog: pytest.LogCaptureFixture) -> int:
    return sum("lock.lost" in str(record.msg) for record in caplog.records)


def test_a_lock_that_is_held_stays_as_it_is(
    tmp_path: Path, lock: Lock, start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    before = holder(tmp_path)
    for _ in range(3):
        lock.check()
    assert (holder(tmp_path), lost(caplog)) == (before, 0)


@pytest.mark.parametrize("how", ["the file", "the folder", "another file"])
def test_a_file_that_was_removed_or_replaced_is_locked_anew(
    tmp_path: Path, lock: Lock, caplog: pytest.LogCaptureFixture, how: str
) -> None:
    if how == "the folder":
        shutil.rmtree(tmp_path / "state")
    else:
        lock.path.unlink()
    if how == "another file":
        lock.path.write_text("left over")
    lock.check()
    assert lost(caplog) == 1
    assert who(tmp_path) == (os.getpid(), "run --once")
    lock.check()
    assert lost(caplog) == 1


def test_as_long_as_another_process_has_it_no_pass_may_begin(
    tmp_path: Path, lock: Lock, start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    lock.path.unlink()
    process = start()
    for _ in range(3):
        with pytest.raises(BusyError, match=rf"held by process {process.pid} \(daemon\)"):
            lock.check()
    assert lost(caplog) == 1
    assert who(tmp_path) == (process.pid, "daemon"), "it is not taken from it"
    process.kill()
    process.wait()
    lock.check()
    assert who(tmp_path) == (os.getpid(), "run --once")


def test_a_lock_that_could_not_be_made_is_made_as_soon_as_it_can_be(
    tmp_path: Path, start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "state").touch()
    with held(tmp_path / "state", "ai", "run --once", 0.0) as lock:
        for _ in range(3):
            lock.check()
        assert len(said(caplog)) == 1
        (tmp_path / "state").unlink()
        lock.check()
        assert who(tmp_path) == (os.getpid(), "run --once")


def test_what_cannot_be_seen_is_not_lost(
    tmp_path: Path, lock: Lock, caplog: pytest.LogCaptureFixture
) -> None:
    """The kernel's lock is there, whoever has closed the folder since."""
    with nobody(), pytest.raises(PermissionError):
        lock.path.stat()
    with nobody():
        lock.check()
    assert lost(caplog) == 0
    assert who(tmp_path) == (os.getpid(), "run --once")


def test_after_its_release_it_is_not_taken_again(tmp_path: Path, start: Start) -> None:
    with held(tmp_path / "state", "ai", "run --once", 0.0) as lock:
        pass
    lock.check()
    start()


# ---- who holds it


def who(tmp_path: Path) -> tuple[int, str] | None:
    """Who holds it, as another process sees it."""
    script = (
        "import sys; from pathlib import Path; from reconciler.lock import holder\n"
        "print(holder(Path(sys.argv[1])))"
    )
    words = [sys.executable, "-c", script, str(tmp_path / "state")]
    found = ast.literal_eval(subprocess.run(words, capture_output=True, text=True, check=True).stdout)
    return found and (found["pid"], found["what"])


@contextmanager
def nobody() -> Iterator[None]:
    """Without the right to see into the folders of others."""
    before = os.geteuid()
    if before:
        pytest.skip("only root can be somebody else")
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(before)


def test_the_holder_is_known_while_it_lives(tmp_path: Path, start: Start) -> None:
    state = tmp_path / "state"
    assert lock_holder(state) is None
    process = start()
    found = lock_holder(state)
    assert found is not None
    assert (found["pid"], found["what"], found["user"]) == (
        process.pid,
        "daemon",
        pwd.getpwuid(os.geteuid()).pw_name,
    )
    process.kill()
    process.wait()
    assert (state / "lock").read_text() != ""
    assert lock_holder(state) is None


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "\xff"])
def test_a_holder_that_has_not_said_who_it_is_is_one_all_the_same(
    tmp_path: Path, start: Start, text: str
) -> None:
    start()
    (tmp_path / "state" / "lock").write_bytes(text.encode("latin-1"))
    assert lock_holder(tmp_path / "state") == {}


def test_to_ask_takes_no_right_to_write_and_keeps_nobody_out(tmp_path: Path, start: Start) -> None:
    """As a monitor that is in the group of the daemon."""
    process = start()
    (tmp_path / "state" / "lock").chmod(0o444)
    script = (
        "import os, sys; from pathlib import Path; from reconciler.lock import holder\n"
        "os.chdir(sys.argv[1])\n"
        "if os.geteuid() == 0: os.seteuid(65534)\n"
        "print(holder(Path('.'))['pid'])"
    )
    (tmp_path / "state").chmod(0o755)
    words = [sys.executable, "-c", script, str(tmp_path / "state")]
    found = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (found.stdout, found.stderr) == (f"{process.pid}\n", "")


def test_who_may_only_read_the_lock_is_kept_out_by_it(tmp_path: Path, start: Start) -> None:
    """As a person in the group of the daemon, who runs `run --once` beside it."""
    process = start()
    script = (
        "import os, sys; from pathlib import Path; from reconciler.errors import BusyError\n"
        "from reconciler.lock import held\n"
        "os.chdir(sys.argv[1])\n"
        "if os.geteuid() == 0: os.seteuid(65534)\n"
        "try:\n"
        "    with held(Path('.'), 'ai', 'run --once', 0.0): print('two at once')\n"
        "except BusyError as error: print(error)\n"
    )
    (tmp_path / "state").chmod(0o555)
    (tmp_path / "state" / "lock").chmod(0o444)
    words = [sys.executable, "-c", script, str(tmp_path / "state")]
    found = subprocess.run(words, capture_output=True, text=True, check=False)
    assert f"held by process {process.pid} (daemon)" in found.stdout


def test_what_may_not_be_seen_is_not_called_free(tmp_path: Path, start: Start) -> None:
    start()
    with nobody(), pytest.raises(PermissionError):
        lock_holder(tmp_path / "state")


def test_who_may_not_write_the_lock_does_not_pass_by_who_holds_it(tmp_path: Path, start: Start) -> None:
    """A person without rights to the service's directory would else change things beside it, without a lock."""
    process = start()
    (tmp_path / "state" / "lock").chmod(0o444)
    script = (
        "import os, sys; from pathlib import Path; from reconciler.lock import Lock\n"
        "os.chdir(sys.argv[1])\n"
        "if os.geteuid() == 0: os.seteuid(65534)\n"
        "Lock(Path('.'), 'ai', 'run --once').take(0.0)"
    )
    (tmp_path / "state").chmod(0o755)
    words = [sys.executable, "-c", script, str(tmp_path / "state")]
    found = subprocess.run(words, capture_output=True, text=True, check=False)
    assert f"BusyError: ai is held by process {process.pid} (daemon) since 20" in found.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else for a while")
def test_a_lock_that_cannot_be_seen_may_be_held(tmp_path: Path) -> None:
    directory = tmp_path / "state"
    directory.mkdir(mode=0o700)
    os.seteuid(65534)
    try:
        with pytest.raises(BusyError, match="cannot be seen: Permission denied"):
            Lock(directory, "ai", "run --once").take(0.0)
    finally:
        os.seteuid(0)
