"""Pauses, in a file beside the config: `.reconciler-pause.json`.  Written by `pause` and `resume`, read by every pass.

Beside the config, because a pause that is lost with the state directory would let everything go on; a file, so that it
works when the daemon hangs.  A file that cannot be understood pauses everything: somebody has meant something by it.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from reconciler.errors import ReconcilerError
from reconciler.model.address import Address
from reconciler.model.pause import Pause
from reconciler.moments import seconds, text
from reconciler.whole import FOR_ALL, write_whole

NAME: Final = ".reconciler-pause.json"
VERSION: Final = 1


def place(config: Path) -> Path:
    """Where the pauses of a config are: in its folder."""
    return (config if config.is_dir() else config.parent) / NAME


def read(path: Path, stack: str, now: float) -> tuple[Pause, ...]:
    """The pauses of a stack that are in force, that of the whole stack first.  Never an error."""
    try:
        found = [pause for pause in _all(path) if pause.stack == stack and pause.holds(now)]
    except ReconcilerError as error:
        return (Pause(stack=stack, reason=str(error), by="an unreadable file", since=now, unreadable=True),)
    return tuple(sorted(found, key=lambda pause: (pause.address, pause.since)))


def add(path: Path, pause: Pause) -> None:
    """Put a pause in force, in place of one of the same address."""
    with _alone(path):
        others = [
            other for other in _all(path) if (other.stack, other.address) != (pause.stack, pause.address)
        ]
        _write(path, [*(other for other in others if other.holds(pause.since)), pause])


def remove(path: Path, stack: str, address: str, now: float) -> tuple[Pause, ...]:
    """End the pause of an address, or with "" all pauses of the stack; gives those that have ended by it."""
    with _alone(path):
        found = [pause for pause in _all(path) if pause.holds(now)]
        ended = [pause for pause in found if pause.stack == stack and address in ("", pause.address)]
        if ended:
            _write(path, [pause for pause in found if pause not in ended])
        return tuple(ended)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Two people who pause at the same time do so one after the other, or the pause of one would be lost."""
    folder = None
    with suppress(OSError):  # no folder, or one of a file system without locks: writing says what is wrong
        folder = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
        fcntl.flock(folder, fcntl.LOCK_EX)
    try:
        yield
    finally:
        if folder is not None:
            os.close(folder)


def _all(path: Path) -> list[Pause]:
    try:
        document = json.loads(path.read_bytes())
        if document["version"] != VERSION:
            raise ValueError(f"version {document['version']!r} is not known to this reconciler")
        return [_pause(item) for item in document["pauses"]]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ReconcilerError(
            f"{path.absolute()} cannot be read as pauses ({_reason(error)}), so nothing is changed: "
            "mend it, or delete it to go on"
        ) from error


def _reason(error: Exception) -> str:
    match error:
        case OSError():
            return error.strerror or str(error)
        case ValueError():
            return str(error)
        case KeyError():
            return f"{error} is missing"
    return "it has another form"


def _pause(item: dict[str, Any]) -> Pause:
    words = {name: item[name] for name in ("stack", "address", "reason", "by")}
    for name, word in words.items():
        if not isinstance(word, str):
            raise ValueError(f"{name} is no text")
    if words["address"]:
        Address.parse(words["address"])  # one that is misspelt by hand would pause nothing
    return Pause(
        **words,
        since=seconds(item["since"]),
        until=None if item["until"] is None else seconds(item["until"]),
    )


def as_data(pause: Pause) -> dict[str, Any]:
    """A pause as JSON has it."""
    return {
        "stack": pause.stack,
        "address": pause.address,
        "reason": pause.reason,
        "by": pause.by,
        "since": text(pause.since),
        "until": None if pause.until is None else text(pause.until),
    }


def _write(path: Path, pauses: Iterable[Pause]) -> None:
    """Whole or not at all; without pauses there is no file."""
    items = [as_data(pause) for pause in pauses]
    try:
        if not items:
            path.unlink(missing_ok=True)
            return
        content = json.dumps({"version": VERSION, "pauses": items}, indent=2).encode() + b"\n"
        write_whole(path, content, mode=FOR_ALL)  # the daemon is another user than the person who pauses
    except OSError as error:
        mend = "; say `sudo reconciler …`" if isinstance(error, PermissionError) else ""
        raise ReconcilerError(f"{path} cannot be written: {error.strerror}{mend}") from error
