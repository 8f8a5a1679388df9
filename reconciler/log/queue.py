"""Lines on their way to a reader that may not read: kept for a while, then counted.  Used by `log.handlers`."""

from __future__ import annotations

import os
import select
import threading
from collections import Counter
from collections.abc import Callable
from queue import SimpleQueue
from typing import Final, TextIO

LINES: Final = 10_000
BYTES: Final = 4 * 1024 * 1024

Item = tuple[bytes, str] | threading.Event | None
"""A line and its event; or what is set when its turn comes; or the end."""


class Queue:
    """Writes lines by a thread of its own, in the order in which they were put: who puts never waits for the reader.

    What finds it full is dropped and counted until half of it is free again, so that there are few gaps and each is
    told where it is.  `put` may be called by any thread, and by a signal's handler while its thread is in `put`:
    the lock and the queue are reentrant, and nobody waits while holding the lock.
    """

    def __init__(self, write: Callable[[bytes], None], *, lines: int = LINES, size: int = BYTES) -> None:
        self._write, self._most, self._largest = write, lines, size
        self._begin()

    def _begin(self) -> None:
        self._pid = os.getpid()
        self._lock = threading.RLock()
        self._items: SimpleQueue[Item] = SimpleQueue()
        self._lines = self._bytes = 0
        self._overflowed = False
        self._dropped: Counter[str] = Counter()
        self._reached = threading.Event()
        self._reached.set()
        threading.Thread(target=self._run, args=(self._items,), name="log", daemon=True).start()

    def put(self, line: bytes, event: str) -> None:
        """Have a line written, soon; or have it counted."""
        if self._pid != os.getpid():  # a fork has left the thread, and maybe a held lock, with the parent
            self._begin()
        with self._lock:
            if self._overflowed or self._lines >= self._most or self._bytes >= self._largest:
                self._overflowed = True
                self._dropped[event] += 1
                return
            self._lines += 1
            self._bytes += len(line)
            self._items.put((line, event))

    def dropped(self) -> dict[str, int]:
        """How many lines are missing, by event, as soon as half of the queue is free; from then on `put` takes more.

        Each is given once: whoever asks tells it, and then puts what comes next.
        """
        if self._pid != os.getpid():
            return {}
        with self._lock:
            if self._lines > self._most // 2 or self._bytes > self._largest // 2:
                return {}
            self._overflowed = False
            found, self._dropped = self._dropped, Counter()
            return dict(sorted(found.items()))

    def flush(self, seconds: float) -> bool:
        """Wait, but not for ever, until all that was put is written; gives whether it is.

        A reader that was waited for in vain is not waited for again until it has read that far.
        """
        if self._pid != os.getpid():
            return True
        if not self._reached.is_set():
            return False
        self._reached = reached = threading.Event()
        self._items.put(reached)
        return reached.wait(seconds)

    def close(self) -> None:
        """End the thread when it has written what was put."""
        if self._pid == os.getpid():
            self._items.put(None)

    def _run(self, items: SimpleQueue[Item]) -> None:
        while (item := items.get()) is not None:
            if isinstance(item, threading.Event):
                item.set()
                continue
            line, event = item
            try:
                self._write(line)
            except Exception:  # the disk is full, the reader has gone; the next line may get through
                with self._lock:
                    self._dropped[event] += 1
            with self._lock:
                self._lines -= 1
                self._bytes -= len(line)


def writer(stream: TextIO) -> Callable[[bytes], None]:
    """What writes all of a line to a stream.

    By its descriptor where it has one: a thread that is stuck in the stream's own buffer would hold the buffer's lock,
    which the interpreter needs to end.
    """
    try:
        file = stream.fileno()
    except (OSError, ValueError):

        def to_stream(line: bytes) -> None:
            stream.write(line.decode())
            stream.flush()

        return to_stream

    def to_file(line: bytes) -> None:
        while line:
            try:
                line = line[os.write(file, line) :]
            except BlockingIOError:  # somebody who shares the terminal has set O_NONBLOCK
                waiting = select.poll()
                waiting.register(file, select.POLLOUT)
                waiting.poll()

    return to_file
