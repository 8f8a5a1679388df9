"""What the memory of the process is managed by: Python's search for circles, and the C library.  Used by `__main__`."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager, suppress

COLLECTED_AFTER = 20_000, 20, 20
"""New objects after which Python looks for circles among them, and how often before it looks among older ones."""
M_ARENA_MAX, M_MMAP_THRESHOLD = -8, -3
"""https://man7.org/linux/man-pages/man3/mallopt.3.html"""

LARGE = 2**18
"""Bytes from which on a piece of memory is the system's again once it is free, as large answers are in each pass."""


def imported() -> None:
    """Begin to look for circles.  What was imported stays, and is not to be looked through again and again."""
    gc.freeze()
    gc.set_threshold(*COLLECTED_AFTER)
    gc.enable()


@contextmanager
def nothing_to_collect() -> Iterator[None]:
    """No search for circles meanwhile, since all that is made is kept."""
    searching = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if searching:
            gc.enable()


def one_for_all_threads() -> None:
    """Have the C library serve all threads from one heap, where it can be told to; to be called before there are any.

    By itself glibc makes a heap for each thread, up to eight for each processor, and each keeps what it has once had:
    with 20 threads that read a quarter of the memory of the process.  Threads of Python hardly ever allocate at once.
    """
    with suppress(ImportError, OSError, AttributeError):  # another C library
        import ctypes

        library = ctypes.CDLL(None)
        library.mallopt(M_ARENA_MAX, 1)
        library.mallopt(M_MMAP_THRESHOLD, LARGE)
