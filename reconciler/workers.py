"""The threads that read and write, side by side.  Made by `program`, given to `observe`, `discover` and `apply`."""

from __future__ import annotations

from collections.abc import Callable, Collection
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any
from weakref import WeakSet

from reconciler.log import in_context

_TASKS: WeakSet[Future[Any]] = WeakSet()


def workers(count: int) -> Workers:
    """So many of them."""
    return Workers(max_workers=count, thread_name_prefix="worker")


def busy() -> int:
    """How many workers are at something, for which Python would wait before the process ends."""
    return sum(task.running() for task in _TASKS.copy())


class Workers(ThreadPoolExecutor):
    """A pool whose tasks bring the log context of the pass that began them."""

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        task = super().submit(in_context(function), *args, **kwargs)
        _TASKS.add(task)
        return task

    def first_done(self, tasks: Collection[Future[Any]], seconds: float) -> set[Future[Any]]:
        """Those of some tasks that are over, once one is; none of them after so many seconds."""
        return wait(tasks, seconds, FIRST_COMPLETED).done
