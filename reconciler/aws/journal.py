"""Files of the state directory that grow by whole lines of JSON, each forced to the disk before work goes on.

Used by `memory` and `audit`.  A line that was cut, by a kill or a full disk, spoils no other: the next one begins on a
line of its own, and readers pass over what is no JSON object.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from reconciler.log import get_logger
from reconciler.whole import MODE, sync_names, write_all, write_whole


@dataclass
class Journal:
    """One file.  `without` ends the sentence of the log when it cannot be written: "goes on without …".

    Not for several threads at once: those who have some bring a lock.
    """

    path: Path
    without: str
    _failing: bool = False

    def append(self, *entries: Mapping[str, Any]) -> bool:
        """Add a line, or several at once; whether they are on the disk."""
        return self.attempt(lambda: _append(self.path, b"".join(map(_line, entries))))

    def rewrite(self, entries: Iterable[Mapping[str, Any]]) -> bool:
        """Write the file anew, whole or not at all; whether it is on the disk."""
        return self.attempt(lambda: write_whole(self.path, b"".join(map(_line, entries))))

    def attempt(self, write: Callable[[], None]) -> bool:
        """Whether something could be written into the directory; that it could not is said when it begins."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
            write()
        except OSError as error:
            if not self._failing:
                self._failing = True
                message = f"{error}; goes on without {self.without}"
                get_logger().warning("state.unwritable", path=str(self.path.parent), message=message)
            return False
        self._failing = False
        return True

    def entries(self) -> Iterator[dict[str, Any]]:
        """What the lines hold, in order; nothing where there is no file, or none that can be read."""
        with suppress(OSError), self.path.open("rb") as file:
            yield from entries(file)


def entries(file: IO[bytes]) -> Iterator[dict[str, Any]]:
    """What the lines of an open file hold, in order; others than JSON objects are passed over."""
    for line in file:
        try:
            found = json.loads(line.decode(errors="replace"))
        except (ValueError, RecursionError):
            continue  # cut, or not ours
        if isinstance(found, dict):
            yield found


def end_line(path: Path) -> None:
    """Make a file end with the end of a line, so that what is put behind it begins a line of its own."""
    file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
    try:
        if _is_torn(file, os.fstat(file).st_size):
            write_all(file, b"\n")
            os.fsync(file)
    finally:
        os.close(file)


def _append(path: Path, lines: bytes) -> None:
    file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, MODE)
    try:
        size = os.fstat(file).st_size
        try:
            write_all(file, b"\n" * _is_torn(file, size) + lines)
        except OSError:
            with suppress(OSError):  # the part that still had room
                os.ftruncate(file, size)
            raise
        os.fsync(file)
    finally:
        os.close(file)
    if not size:
        sync_names(path.parent)


def _is_torn(file: int, size: int) -> bool:
    return size > 0 and os.pread(file, 1, size - 1) != b"\n"


def _line(entry: Mapping[str, Any]) -> bytes:
    return json.dumps(entry, separators=(",", ":")).encode() + b"\n"
