"""`log.configure` is about the whole process; each test leaves it as it was."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Iterator

import pytest

from reconciler import log
from reconciler.log.handlers import Handler
from reconciler.log.lines import forget_stack

LIBRARIES = (
    *("boto3", "botocore", "botocore.auth", "s3transfer", "urllib3"),
    *("apscheduler", "werkzeug", "reconciler"),
)


@pytest.fixture(autouse=True)
def _put_back() -> Iterator[None]:
    """Fields are not what is tested here, so that events may be logged without all of them."""
    log.be_strict(fields=False)
    hooks = sys.excepthook, threading.excepthook, sys.unraisablehook
    names: list[str | None] = [None, *LIBRARIES]
    levels = {name: logging.getLogger(name).level for name in names}
    handlers = list(logging.getLogger().handlers)
    yield
    sys.excepthook, threading.excepthook, sys.unraisablehook = hooks
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)
    for handler in logging.getLogger().handlers:
        if isinstance(handler, Handler) and handler not in handlers:
            handler.close()
    logging.getLogger().handlers[:] = handlers
    logging.captureWarnings(False)
    forget_stack()
    log.be_strict()
