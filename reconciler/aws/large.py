"""Large answers, of which a few are fetched at a time: each takes megabytes until it is decoded.  Used by `gateway`.

What is large is known once a page was: of a list of many pages from its second on, of all in later looks.
"""

from __future__ import annotations

import threading
from collections.abc import Hashable, Iterator
from contextlib import contextmanager

LARGE = 500
"""Rows of a page that is large: a thousand instances take some 4 MB, and as much again while they are read."""
AT_ONCE = 2
LONGEST = 1.0
"""Seconds that one waits for others at most: a region that says nothing must not keep others waiting."""


class LargeAnswers:
    """Which lists have large pages.  Any thread may use it."""

    def __init__(self, at_once: int = AT_ONCE, longest: float = LONGEST) -> None:
        self._room, self._longest = threading.Semaphore(at_once), longest
        self._large: set[Hashable] = set()

    def note(self, which: Hashable, rows: int) -> None:
        """A page of a list had so many rows."""
        if rows >= LARGE:
            self._large.add(which)

    @contextmanager
    def turn(self, which: Hashable) -> Iterator[None]:
        """To fetch a page of a list within, when it is its turn."""
        waited = which in self._large and self._room.acquire(timeout=self._longest)
        try:
            yield
        finally:
            if waited:
                self._room.release()
