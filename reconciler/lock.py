"""One process at a time per stack on one host: a lock that the kernel takes back when the process dies.

Taken by `cli` for verbs that change something.  The file says who holds it; a leftover file means nothing.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from reconciler.errors import BusyError
from reconciler.log import get_logger


@contextmanager
def held(directory: Path, stack: str, what: str, wait: float) -> Iterator[None]:
    """Hold the stack; BusyError names the holder when it stays held for `wait` seconds.

    Where the directory cannot be written there is nothing to lock: that is said, and the work goes on.
    """
    path = directory / "lock"
    try:
        file = _take(path, stack, wait)
    except OSError as error:
        get_logger().warning(
            "state.unwritable", path=str(directory), message=f"{error}; goes on without a lock"
        )
        file = None
    try:
        if file is not None:
            _sign(file, what)
            get_logger().debug("lock.acquired", path=str(path))
        yield
    finally:
        if file is not None:
            with suppress(OSError):
                os.ftruncate(file, 0)  # the next holder is not taken for this one before it has signed
            os.close(file)


def _take(path: Path, stack: str, wait: float) -> int:
    """The open, locked file; OSError where there can be none, BusyError when another process keeps it."""
    end, told = time.monotonic() + wait, False
    while True:
        # opened anew each time, since it may have been removed and made again
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return file
        except OSError as error:
            holder = _holder(file)
            os.close(file)
            if not isinstance(error, BlockingIOError):
                raise
        if time.monotonic() >= end:
            raise BusyError(f"{stack} is held by {holder}; try later, or say --lock-wait")
        if not told:
            get_logger().warning("lock.busy", reason=f"{stack} is held by {holder}", wait_s=wait)
            told = True
        time.sleep(min(0.2, wait))


def _sign(file: int, what: str) -> None:
    """Say who holds the lock.  Where the disk is full, the lock is held namelessly."""
    holder = {"pid": os.getpid(), "what": what, "since": datetime.now(UTC).isoformat(timespec="seconds")}
    with suppress(OSError):
        os.ftruncate(file, 0)
        os.pwrite(file, json.dumps(holder).encode(), 0)


def _holder(file: int) -> str:
    try:
        found = json.loads(os.pread(file, 4096, 0))
        return f"process {found['pid']} ({found['what']}) since {found['since']}"
    except (ValueError, KeyError, TypeError):
        return "another process"
