"""Large answers are fetched a few at a time, and nobody waits for long."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from reconciler.aws.large import LARGE, LargeAnswers


def most_at_once(large: LargeAnswers, lists: list[str], together: int) -> int:
    """How many lists are fetched at once, each of which waits until `together` are."""
    inside, most, lock, enough = 0, 0, threading.Lock(), threading.Event()

    def fetch(which: str) -> None:
        nonlocal inside, most
        with large.turn(which):
            with lock:
                inside += 1
                most = max(most, inside)
                if inside >= together:
                    enough.set()
            enough.wait(5.0)
            with lock:
                inside -= 1

    with ThreadPoolExecutor(len(lists)) as pool:
        list(pool.map(fetch, lists))
    return most


def test_of_large_ones_a_few_are_fetched_at_once_and_of_others_all() -> None:
    large = LargeAnswers(at_once=2, longest=5.0)
    lists = [f"list-{number}" for number in range(6)]
    assert most_at_once(large, lists, together=6) == 6
    for which in lists:
        large.note(which, LARGE)
    assert most_at_once(large, lists, together=2) == 2


def test_one_that_never_ends_keeps_the_others_waiting_for_a_moment_only() -> None:
    large = LargeAnswers(at_once=1, longest=0.01)
    for which in "ab":
        large.note(which, LARGE)
    assert most_at_once(large, ["a", "b"], together=2) == 2
