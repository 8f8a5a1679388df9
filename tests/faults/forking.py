"""Work done in a copy of this process: a fork has all that its parent has, down to the local AWS, and changes nothing
of it.  Used by `killing`.

Nothing else may run in the process that forks: threads are not copied, and the locks that they hold stay held.
"""

from __future__ import annotations

import gc
import os
import pickle
import signal
import sys
import tempfile
import traceback
import warnings
from collections.abc import Callable
from typing import IO, Any, Generic, TypeVar

T = TypeVar("T")


class Copy(Generic[T]):
    """A piece of work that a copy of this process is at; given up after `patience` seconds (0: never)."""

    def __init__(self, work: Callable[[], T], patience: int = 0) -> None:
        self._answer: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `result`
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        with warnings.catch_warnings():  # that a thread of the test runner is not copied is well
            warnings.simplefilter("ignore", DeprecationWarning)
            self._process = os.fork()
        self._status: int | None = None
        if self._process == 0:
            _do(work, self._answer, patience)

    def wait(self) -> int:
        """Until it has ended; gives the status of the process."""
        if self._status is None:
            self._status = os.waitpid(self._process, 0)[1]
        return self._status

    def result(self) -> T:
        """Wait for what the work gives; RuntimeError with the traceback of what it raised."""
        status = self.wait()
        with self._answer as file:
            file.seek(0)
            written = file.read()
        if (ended := os.waitstatus_to_exitcode(status)) != 0 or not written:
            raise RuntimeError(f"a copy of the process ended with {ended}: it was killed, or took too long")
        good, found = pickle.loads(written)
        if not good:
            raise RuntimeError(found)
        answer: T = found
        return answer


def _do(work: Callable[[], Any], answer: IO[bytes], patience: int) -> None:
    """Never returns: nothing of the parent's stack is gone on with, no `finally` and no test runner."""
    status = 1
    try:
        gc.freeze()
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.alarm(patience)
        try:
            found = (True, work())
        except Exception:
            found = (False, traceback.format_exc())
        pickle.dump(found, answer)
        answer.flush()
        status = 0
    finally:
        os._exit(status)


def in_a_copy(work: Callable[[], T]) -> T:
    """What a piece of work gives, without anything that it does to this process."""
    return Copy(work).result()
