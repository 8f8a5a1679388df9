"""A reader that stops reading stops neither the work nor the end; what is lost is counted, where it is lost."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import termios
import threading
import time
from collections.abc import Iterator

import pytest

from reconciler.log.queue import Queue

from .support import PATIENCE, lines, program


class Reader:
    """Reads when it is let."""

    def __init__(self) -> None:
        self.may_read = threading.Event()
        self.read: list[bytes] = []
        self.broken = False

    def __call__(self, line: bytes) -> None:
        assert self.may_read.wait(PATIENCE)
        if self.broken:
            raise BrokenPipeError
        self.read.append(line)


@pytest.fixture
def reader() -> Iterator[Reader]:
    found = Reader()
    yield found
    found.may_read.set()


# ------------------------------------------------------------------------------------------------------ the queue


def test_beyond_the_bound_lines_are_counted_until_half_is_free(reader: Reader) -> None:
    queue = Queue(reader, lines=4)
    for number in range(7):
        queue.put(b"%d" % number, "kind.unknown" if number < 6 else "pass.finished")
    assert queue.dropped() == {}, "there is no room to tell it"
    reader.may_read.set()
    assert queue.flush(PATIENCE)
    queue.put(b"before it is told", "pass.finished")
    assert queue.dropped() == {"kind.unknown": 2, "pass.finished": 2}
    assert queue.dropped() == {}
    queue.put(b"after", "pass.finished")
    assert queue.flush(PATIENCE)
    assert reader.read == [b"0", b"1", b"2", b"3", b"after"]
    queue.close()


def test_long_lines_fill_it_too(reader: Reader) -> None:
    queue = Queue(reader, size=100)
    for _ in range(3):
        queue.put(b"x" * 60, "pass.finished")
    reader.may_read.set()
    assert queue.flush(PATIENCE)
    assert queue.dropped() == {"pass.finished": 1}
    queue.close()


def test_a_line_that_cannot_be_written_is_counted_and_the_next_is_tried(reader: Reader) -> None:
    queue = Queue(reader)
    reader.may_read.set()
    reader.broken = True
    queue.put(b"lost", "pass.finished")
    assert queue.flush(PATIENCE)
    reader.broken = False
    queue.put(b"found", "pass.finished")
    assert queue.flush(PATIENCE)
    assert reader.read == [b"found"]
    assert queue.dropped() == {"pass.finished": 1}
    queue.close()


def test_a_reader_that_was_waited_for_in_vain_is_not_waited_for_again(reader: Reader) -> None:
    queue, began = Queue(reader), time.monotonic()
    queue.put(b"first", "pass.finished")
    assert not queue.flush(0.01)
    assert not queue.flush(PATIENCE)
    assert time.monotonic() - began < PATIENCE / 2
    reader.may_read.set()
    while not queue.flush(PATIENCE):
        assert time.monotonic() - began < PATIENCE
    assert reader.read == [b"first"]
    queue.close()


# -------------------------------------------------------------------------------------------- processes of their own

LINES = 3000
TALKS = f"""
log.configure(queued=True)
for number in range({LINES}):
    logger.info("wait.slow", reason=f"{{number}} {"x" * 4000}")
print("worked on", flush=True)
sys.stdin.readline()
logger.info("wait.slow", reason="last words")
"""
"""Says more than the queue and any pipe hold, twelve megabytes."""


def test_a_pipe_that_nobody_reads_stops_neither_the_work_nor_the_end() -> None:
    with program(TALKS) as process:
        assert said(process) == "worked on\n"
        process.stdin.close()  # type: ignore[union-attr]
        assert process.wait(PATIENCE) == 0, "it waits 2 s for its reader, then it ends"


def test_a_terminal_that_is_stopped_stops_neither() -> None:
    master, slave = pty.openpty()
    termios.tcflow(slave, termios.TCOOFF)  # as Ctrl-S does
    with program(TALKS, stderr=slave) as process:
        assert said(process) == "worked on\n"
        process.stdin.close()  # type: ignore[union-attr]
        assert process.wait(PATIENCE) == 0
    os.close(slave)
    os.close(master)


def test_when_it_is_read_again_the_lines_are_in_order_and_the_gap_is_told_where_it_is() -> None:
    with program(TALKS) as process:
        said(process)
        read = [json.loads(process.stderr.readline()) for _ in range(700)]  # type: ignore[union-attr]
        process.stdin.close()  # type: ignore[union-attr]
        read += lines(process.stderr.read())  # type: ignore[union-attr]
    (gap,) = (number for number, line in enumerate(read) if line["event"] == "log.suppressed")
    told = [line["reason"].split()[0] for line in read if line["event"] == "wait.slow"]
    assert told == [*(str(number) for number in range(gap)), "last"]
    assert (read[gap]["level"], read[gap]["about"]) == ("warning", "wait.slow")
    assert read[gap]["count"] == LINES - gap > 0


def test_at_its_end_a_process_tells_everything() -> None:
    process = program("""
        log.configure(queued=True)
        for number in range(3000):
            logger.warning("kind.unknown", scope=f"{number}", reason="?")
            logger.warning("lock.busy", reason="held")
        """)
    _, err = process.communicate(timeout=PATIENCE)
    found = lines(err)
    scopes = [line["scope"] for line in found if line["event"] == "kind.unknown"]
    assert scopes == [str(number) for number in range(3000)]
    assert (found[-1]["event"], found[-1]["about"], found[-1]["count"]) == (
        "log.suppressed",
        "lock.busy",
        3000 - 12,
    )


def test_an_end_without_ceremony_tells_everything_after_a_flush() -> None:
    process = program("""
        log.configure(queued=True)
        for number in range(3000):
            logger.info("wait.slow", reason=f"{number}")
        os._exit(7 if log.flush(2.0) else 1)
        """)
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 7
    assert [line["reason"] for line in lines(err)] == [str(number) for number in range(3000)]


def test_a_child_tells_its_own_lines_and_none_of_its_parents() -> None:
    process = program("""
        log.configure(queued=True)
        logger.info("wait.slow", reason="parent")
        for _ in range(20):
            child = os.fork()
            if not child:
                logger.info("wait.slow", reason="child")
                os._exit(0 if log.flush(2.0) else 1)
            assert os.waitpid(child, 0)[1] == 0
        logger.info("wait.slow", reason="parent")
        """)
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, err
    found = lines(err)
    assert sorted(line["reason"] for line in found) == ["child"] * 20 + ["parent"] * 2
    assert {line["pid"] == process.pid for line in found if line["reason"] == "child"} == {False}


def test_a_signal_may_log_whatever_it_interrupts() -> None:
    process = program("""
        import signal
        log.configure(queued=True)
        signals = 0
        def note(*_):
            global signals
            signals += 1
            logger.info("wait.slow", reason="signal")
            logger.warning("lock.busy", reason="signal")
        signal.signal(signal.SIGALRM, note)
        signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
        while signals < 1000:
            logger.info("wait.slow", reason="work")
            for _ in range(5):
                logger.warning("kind.unknown", scope="vpc", reason="?")
        signal.setitimer(signal.ITIMER_REAL, 0)
        """)
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, "nothing waits for itself"
    assert {line["reason"] for line in lines(err) if line["event"] == "wait.slow"} == {"signal", "work"}


def test_a_command_writes_before_it_goes_on() -> None:
    process = program("""
        log.configure()
        logger.info("wait.slow", reason="the last")
        os.kill(os.getpid(), 9)
        """)
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == -signal.SIGKILL
    assert [line["reason"] for line in lines(err)] == ["the last"]


def said(process: subprocess.Popen[str]) -> str:
    """What the process says on stdout."""
    assert process.stdout is not None
    return process.stdout.readline()
