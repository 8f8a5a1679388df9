"""Who may say how much: ours as asked, libraries less, and never their DEBUG.  Used by `log.configure`."""

from __future__ import annotations

import logging
from typing import Final

OURS: Final = "reconciler"
_CHATTY: Final = ("boto3", "botocore", "s3transfer", "urllib3")
"""At DEBUG botocore prints session tokens and user data; so its DEBUG is out of reach, whatever the level."""
_MUTED: Final = ("apscheduler", "werkzeug")
"""They write a line per tick and a line per request; from them only warnings are news."""


def set_levels(level: int) -> None:
    """Ours as asked.  Libraries speak from WARNING on, and from INFO on where ours is DEBUG."""
    others = logging.INFO if level <= logging.DEBUG else max(level, logging.WARNING)
    logging.getLogger().setLevel(others)
    logging.getLogger(OURS).setLevel(level)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(others)
    for name in _MUTED:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))


def quiet_libraries(record: logging.LogRecord) -> bool:
    """The caps again, for loggers below (`botocore.auth`) whose level someone has set by hand."""
    top = record.name.partition(".")[0]
    if top == OURS:
        return True
    return record.levelno >= (logging.WARNING if top in _MUTED else logging.INFO)
