"""The threads that read and write, side by side.  Made by `program`, given to `observe`, `discover` and `apply`."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any
from weakref import WeakSet

from reconciler.log import in_context

_TASKS: WeakSet[Future[Any]] = WeakSet()


def workers(count: int) -> ThreadPoolExecutor:
    """A pool whose tasks bring the log context of the pass that began them."""
    return _ContextExecutor(max_workers=count, thread_name_prefix="worker")


def busy() -> int:
    """How many workers are at something, for which Python would wait before the process ends."""
    return sum(task.running() for task in _TASKS.copy())


class _ContextExecutor(ThreadPoolExecutor):
    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        task = super().submit(in_context(function), *args, **kwargs)
        _TASKS.add(task)
        return task
