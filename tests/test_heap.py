"""The memory of the process: one heap for all threads, and no search for circles where all is kept."""

from __future__ import annotations

import gc
import platform
import subprocess
import sys

import pytest

from reconciler import heap

HEAPS = """
import sys, threading
from reconciler import heap
if sys.argv[1:] == ["one"]:
    heap.one_for_all_threads()
kept, begun = [], threading.Barrier(9)
def work():
    begun.wait()
    kept.append([bytes(1000) for _ in range(1000)])
threads = [threading.Thread(target=work) for _ in range(8)]
for thread in threads: thread.start()
begun.wait()
for thread in threads: thread.join()
heaps = 0
for line in open("/proc/self/maps"):
    first, last = (int(end, 16) for end in line.split()[0].split("-"))
    heaps += first % 2**26 == 0 and line.split()[1] == "rw-p"  # glibc's own are aligned to 64 MiB
print(heaps)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
def test_threads_share_one_heap() -> None:
    def heaps(*words: str) -> int:
        done = subprocess.run(
            [sys.executable, "-c", HEAPS, *words], capture_output=True, text=True, check=True
        )
        return int(done.stdout)

    assert heaps() > 1
    assert heaps("one") == 0


def test_nothing_is_collected_while_all_is_kept() -> None:
    with heap.nothing_to_collect():
        assert not gc.isenabled()
    assert gc.isenabled()
