"""A config that is to take the place of the one in use: checked as a whole, or refused.  Used by `process`."""

from __future__ import annotations

from collections.abc import Callable

from reconciler.aws.gateway import Gateway
from reconciler.errors import ConfigError, ReconcilerError
from reconciler.log import get_logger
from reconciler.model.config import Config

SAME = ("stack", "account", "lease")
"""What makes an estate, and who works on it: another one is another process."""


def checked(read: Callable[[], Config], in_use: Config) -> Config:
    """The new config; ReconcilerError when it is wrong, or when it is not of the same estate."""
    config = read()
    for key in SAME:
        before, now = getattr(in_use, key), getattr(config, key)
        if now != before:
            raise ReconcilerError(
                f"`{key}` has changed from {before or 'nothing'} to {now or 'nothing'}: another estate is another "
                "process; restart the service if that is meant"
            )
    return config


def connected(connect: Callable[[Config], Gateway] | None, in_use: Config, config: Config) -> Gateway | None:
    """Another way to AWS where the new config needs one, None where it does not; ReconcilerError when there is none."""
    if connect is None or (in_use.accounts, in_use.region) == (config.accounts, config.region):
        return None
    return connect(config)


def refused(error: ReconcilerError, in_use: Config) -> str:
    """Log why it is refused; gives the reason, which is the first of its mistakes."""
    problems = error.problems if isinstance(error, ConfigError) else ()
    place = problems[0].place if problems else None
    where = {"file": place.file, "line": place.line, "column": place.column} if place else {}
    reason = str(problems[0] if problems else error)
    get_logger().error(
        "config.reload.refused", reason=reason, problems=len(problems), config_hash=in_use.digest[:8], **where
    )
    return reason
