"""The threads that read and write, side by side.  Made by `program`, given to `observe`, `discover` and `apply`."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from reconciler.log import in_context


def workers(count: int) -> ThreadPoolExecutor:
    """A pool whose tasks bring the log context of the pass that began them."""
    return _ContextExecutor(max_workers=count, thread_name_prefix="worker")


class _ContextExecutor(ThreadPoolExecutor):
    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        return super().submit(in_context(function), *args, **kwargs)
