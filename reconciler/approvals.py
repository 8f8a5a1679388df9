"""Agreements to plans, in the state directory: `approvals.json`.  Written by `approve`, used up by the pass they allow.

Losing them is harmless: the guard asks again.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from reconciler.errors import ReconcilerError
from reconciler.log import get_logger
from reconciler.model.approval import Approval
from reconciler.whole import FOR_ALL, write_whole

NAME: Final = "approvals.json"
VERSION: Final = 1


def add(directory: Path, approval: Approval) -> None:
    """Agree to a plan; ReconcilerError when that cannot be written down."""
    kept = [other for other in _read(directory) if other.until > approval.at and other.plan != approval.plan]
    try:
        _write(directory, [*kept, approval])
    except OSError as error:
        raise ReconcilerError(
            f"{directory / NAME} cannot be written ({error.strerror}): agree as the user whose state directory it is"
        ) from error


def take(directory: Path, plan: str, now: float) -> Approval | None:
    """The agreement to a plan that has not expired, used up by this; None when there is none.

    One that cannot be struck out could be used again and again, so it does not count.
    """
    found = _read(directory)
    taken = next((one for one in found if one.plan == plan and one.at <= now < one.until), None)
    if taken is None:
        return None
    try:
        _write(directory, [one for one in found if one is not taken])
    except OSError as error:
        message = f"{error}; the agreement of {taken.by} does not count, for it cannot be struck out"
        get_logger().warning("state.unwritable", path=str(directory), message=message)
        return None
    return taken


def _read(directory: Path) -> list[Approval]:
    try:
        document = json.loads((directory / NAME).read_bytes())
        if document["version"] != VERSION:
            return []
        return [Approval(**item) for item in document["approvals"]]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return []


def _write(directory: Path, approvals: Iterable[Approval]) -> None:
    """Whole or not at all.  The daemon is another user than the person who agrees: all may read."""
    items = [dataclasses.asdict(approval) for approval in approvals]
    directory.mkdir(parents=True, exist_ok=True, mode=0o750)
    content = json.dumps({"version": VERSION, "approvals": items}).encode() + b"\n"
    write_whole(directory / NAME, content, mode=FOR_ALL)
