"""What a random world stands in: its clock, its log, and how a process dies.  Used by `world`."""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from unittest.mock import patch

from reconciler import log
from tests.harness import Host, Time


class Died(BaseException):
    """The process is gone: nothing catches this."""


class SteppedTime(Time):
    """The host's clock, which may be behind AWS's."""

    behind = 0.0

    def now(self) -> float:
        return super().now() - self.behind


@contextmanager
def logged() -> Iterator[io.StringIO]:
    """All lines of the log, which is put back as it was."""
    stream, root = io.StringIO(), logging.getLogger()
    handlers, level = list(root.handlers), root.level
    hooks = sys.excepthook, sys.unraisablehook
    log.configure(format="json", stream=stream, environment={})
    try:
        yield stream
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        sys.excepthook, sys.unraisablehook = hooks


@contextmanager
def waiting_moves(ops: Host) -> Iterator[None]:
    """The SDK's waits between attempts move the held clock."""
    with patch("botocore.endpoint.time", SimpleNamespace(sleep=ops.aws.clock.advance)):
        yield
