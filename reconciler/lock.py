"""One process at a time per stack on one host: a lock that the kernel takes back when the process dies.

Taken by `cli` for verbs that change something.  The file says who holds it; a leftover file means nothing.
"""

from __future__ import annotations

import fcntl
import json
import os
import pwd
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from reconciler.errors import BusyError
from reconciler.log import get_logger
from reconciler.moments import text

A_MOMENT = 0.1
"""Seconds that a lock is always waited for: those who only ask who holds it touch it, for microseconds."""


class Lock:
    """The stack is ours on this host.  `check` before each pass: whoever may write the directory can remove the file,
    and then another process can lock a new one of the same name."""

    def __init__(self, directory: Path, stack: str, what: str) -> None:
        self.path = directory / "lock"
        self._stack, self._what = stack, what
        self._file: int | None = None
        self._wanted, self._told = False, False

    def take(self, wait: float, stopped: Callable[[], bool] = lambda: False) -> None:
        """Hold the stack; BusyError names the holder when it stays held for `wait` seconds, or until `stopped`.

        Where the directory cannot be written there is nothing to lock: that is said, and the work goes on.
        """
        self._wanted = True
        try:
            self._file = _take(self.path, self._stack, wait, stopped)
        except OSError as error:
            if isinstance(error, PermissionError) and _may_be_there(self.path):
                raise BusyError(
                    f"whether {self._stack} is held by another process cannot be seen: {error.strerror}: {self.path}; "
                    "say it as the user of the service, or with another --state-dir where no service runs"
                ) from error
            if not self._told:
                self._told = True
                get_logger().warning(
                    "state.unwritable", path=str(self.path.parent), message=f"{error}; goes on without a lock"
                )
            return
        self._told = False
        _sign(self._file, self._what)
        get_logger().debug("lock.acquired", path=str(self.path))

    def check(self) -> None:
        """Make sure that it is still held, and take it again where it is not; BusyError while another has it."""
        if not self._wanted or (self._file is not None and _is_at(self._file, self.path)):
            return
        if self._file is not None:
            reason = f"{self.path} was removed or replaced while it was held"
            get_logger().error("lock.lost", reason=reason, path=str(self.path))
            self._let_go()
        self.take(0.0)

    def release(self) -> None:
        """Let another process have it."""
        self._wanted = False
        self._let_go()

    def _let_go(self) -> None:
        if self._file is not None:
            with suppress(OSError):
                os.ftruncate(self._file, 0)  # the next holder is not taken for this one before it has signed
            os.close(self._file)
            self._file = None


@contextmanager
def held(
    directory: Path, stack: str, what: str, wait: float, stopped: Callable[[], bool] = lambda: False
) -> Iterator[Lock]:
    """Hold the stack for as long as the context lasts."""
    lock = Lock(directory, stack, what)
    lock.take(wait, stopped)
    try:
        yield lock
    finally:
        lock.release()


def _may_be_there(path: Path) -> bool:
    """Whether there may be a file at a path that cannot be opened."""
    try:
        os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True


def _is_at(file: int, path: Path) -> bool:
    """Whether an open file is the one that a path leads to; yes where that cannot be seen, for the lock still holds."""
    try:
        there, ours = os.stat(path), os.fstat(file)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino)


def holder(directory: Path) -> dict[str, Any] | None:
    """Who holds a stack (`pid`, `what`, `user`, `since`), None when nobody does; {} when it has not said who it is.

    OSError where that cannot be seen.  Who may read the directory need not be able to write it.
    """
    try:
        file = os.open(directory / "lock", os.O_RDONLY | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return None
    except BlockingIOError:
        try:
            found = json.loads(os.pread(file, 4096, 0))
            return found if isinstance(found, dict) else {}
        except ValueError:
            return {}
    finally:
        os.close(file)


def _take(path: Path, stack: str, wait: float, stopped: Callable[[], bool]) -> int:
    """The open, locked file; OSError where there can be none, BusyError when another process keeps it."""
    end, told = time.monotonic() + max(wait, A_MOMENT), False
    while True:
        # opened anew each time, since it may have been removed and made again
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
        file = _open(path)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_at(file, path):
                return file
            os.close(file)
            continue  # it was removed since it was opened, and another process may make it anew
        except OSError as error:
            holder = _holder(file)
            os.close(file)
            if not isinstance(error, BlockingIOError):
                raise
        if time.monotonic() >= end or stopped():
            raise BusyError(f"{stack} is held by {holder}; try later, or say --lock-wait")
        if not told and wait:
            get_logger().warning("lock.busy", reason=f"{stack} is held by {holder}", wait_s=wait)
            told = True
        time.sleep(min(0.2, max(wait, A_MOMENT / 2)))


def _open(path: Path) -> int:
    """The file, to be locked.  What can only be read can be locked as well, and may be held by who can write it."""
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    except OSError as error:
        with suppress(OSError):
            return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        raise error


def _sign(file: int, what: str) -> None:
    """Say who holds the lock.  Where the disk is full, the lock is held namelessly."""
    since = text(time.time())
    holder = {"pid": os.getpid(), "what": what, "user": _user(), "since": since}
    with suppress(OSError):
        os.ftruncate(file, 0)
        os.pwrite(file, json.dumps(holder).encode(), 0)


def _user() -> str:
    """As whom this process runs, for those who want to send it a signal."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return f"#{os.geteuid()}"  # as sudo -u has it


def _holder(file: int) -> str:
    try:
        return _named(json.loads(os.pread(file, 4096, 0)))
    except ValueError:
        return "another process"


def _named(found: Any) -> str:
    try:
        return f"process {found['pid']} ({found['what']}) since {found['since']}"
    except (KeyError, TypeError):
        return "another process"
