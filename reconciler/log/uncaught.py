"""What nobody caught becomes a line like all others, instead of a traceback of many.  Used by `log.configure`."""

from __future__ import annotations

import logging
import sys
import threading
from types import TracebackType

import structlog


def catch_the_uncaught() -> None:
    """From now on, for the process and all its threads."""
    sys.excepthook = _log_uncaught
    threading.excepthook = _log_thread
    sys.unraisablehook = _log_unraisable


def _log_uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    structlog.get_logger().critical("unit.failed", error=str(error), exc_info=(kind, error, trace))


def _log_thread(args: threading.ExceptHookArgs) -> None:
    if args.exc_value is None or issubclass(args.exc_type, SystemExit):
        return
    name = args.thread.name if args.thread else "?"
    exc_info = (args.exc_type, args.exc_value, args.exc_traceback)
    structlog.get_logger().critical("unit.failed", error=str(args.exc_value), thread=name, exc_info=exc_info)


def _log_unraisable(args: sys.UnraisableHookArgs) -> None:
    error = args.exc_value
    exc_info = (args.exc_type, error, args.exc_traceback) if error is not None else None
    logging.getLogger("python").warning(
        "%s: %s", args.err_msg or "Exception ignored", error, exc_info=exc_info
    )
