"""Daemons that end with their test, and what they have logged."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.daemon.support import Running
from tests.harness import Host


@pytest.fixture
def running(ops: Host) -> Iterator[Callable[..., Running]]:
    """Daemons that end with the test."""
    found: list[Running] = []

    def make(*arguments: Any, **more: Any) -> Running:
        found.append(Running(ops, *arguments, **more))
        return found[-1]

    yield make
    for one in found:
        if one.thread.is_alive():
            one.stop()


@pytest.fixture
def events(caplog: pytest.LogCaptureFixture) -> Callable[[str], list[dict[str, Any]]]:
    """The lines of the log with an event."""
    caplog.set_level("INFO", logger="reconciler")

    def named(name: str) -> list[dict[str, Any]]:
        lines = [record.msg for record in list(caplog.records) if isinstance(record.msg, dict)]
        return [dict(line) for line in lines if line["event"] == name]

    return named
