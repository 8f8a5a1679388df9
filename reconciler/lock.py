"""One process at a time per stack on one host: a lock that the kernel takes back when the process dies.

Taken by `cli` for verbs that change something.  The file says who holds it; a leftover file means nothing.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
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
        directory.mkdir(parents=True, exist_ok=True, mode=0o750)
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    except OSError as error:
        get_logger().warning(
            "state.unwritable", path=str(directory), message=f"{error}; goes on without a lock"
        )
        yield
        return
    try:
        _take(file, stack, wait)
        holder = {"pid": os.getpid(), "what": what, "since": datetime.now(UTC).isoformat(timespec="seconds")}
        os.ftruncate(file, 0)
        os.pwrite(file, json.dumps(holder).encode(), 0)
        get_logger().debug("lock.acquired", path=str(path))
        yield
    finally:
        os.close(file)


def _take(file: int, stack: str, wait: float) -> None:
    end = time.monotonic() + wait
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() >= end:
                raise BusyError(
                    f"{stack} is held by {_holder(file)}; try later, or say --lock-wait"
                ) from None
            time.sleep(min(0.2, wait))


def _holder(file: int) -> str:
    try:
        found = json.loads(os.pread(file, 4096, 0))
        return f"process {found['pid']} ({found['what']}) since {found['since']}"
    except (ValueError, KeyError, TypeError):
        return "another process"
