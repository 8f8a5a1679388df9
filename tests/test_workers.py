"""The threads that read and write: whether one is still at something."""

from __future__ import annotations

from concurrent.futures import wait
from threading import Event

from reconciler.workers import busy, workers


def test_a_worker_that_waits_is_seen_until_it_is_done() -> None:
    begun, end = Event(), Event()

    def work() -> None:
        begun.set()
        assert end.wait(30)

    with workers(2) as executor:
        before = busy()
        task = executor.submit(work)
        assert begun.wait(30)
        assert busy() == before + 1
        end.set()
        wait([task])
        assert busy() == before
