"""Somebody who was to read the daemon's log has stopped reading: it works on, and stops in time."""

from __future__ import annotations

import array
import fcntl
import os
import signal
import termios
import time
from collections.abc import Iterator

import pytest

from .support import Cli, vpcs, wait_until

MANY = "resources:\n" + "".join(
    f"  vpc/v{number}: {{CidrBlock: 10.{number}.0.0/16, protect: false}}\n" for number in range(12)
)
PIPE = 4096
"""Bytes: the least that a pipe holds, some ten lines."""


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """A pipe that nobody reads: the end to be read, and the end to write to."""
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, PIPE)
    yield reading, writing
    os.close(reading)


def unread(pipe: int) -> int:
    """How many bytes wait to be read."""
    found = array.array("i", [0])
    fcntl.ioctl(pipe, termios.FIONREAD, found)
    return found[0]


def test_a_daemon_whose_log_nobody_reads_works_on_and_stops_in_time(cli: Cli, pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    cli.write(MANY)
    with cli.process("run", "--log-level", "debug", stderr=writing) as process:
        os.close(writing)
        try:
            wait_until(lambda: len(vpcs(cli.url)) == 12, "all are made", process)
            assert PIPE - 1024 < unread(reading) <= PIPE, "the pipe is full, and that is some ten lines"
            process.send_signal(signal.SIGTERM)
            asked = time.monotonic()
            assert process.wait(10) == 0
            assert time.monotonic() - asked < 5
        finally:
            process.kill()
