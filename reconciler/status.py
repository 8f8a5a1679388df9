"""The status of a stack: what its last process says of itself, in a file of the state directory.

Written by the daemon and by one-shot runs as they go; read by `reconciler status` and `explain`, and made into metrics
by `metrics`.  It answers without AWS and without the daemon, and it may be lost.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from reconciler.model import address
from reconciler.moments import text
from reconciler.whole import write_whole

VERSION: Final = 1
NAME: Final = "status.json"
GOOD: Final = frozenset({"settled", "done", "waiting", "planned"})
"""Outcomes of a pass in which nothing went wrong."""


@dataclass(kw_only=True)
class Status:
    """What one process knows of one stack.  Times are seconds since the epoch, None for never.

    `state` is starting, standby, looking, idle, degraded, paused, stopping or stopped; `sentence` tells it to people.
    `addresses` are those that are not settled: status, reason, since, failures, retry.  `config` has path, hash,
    files, resources, loaded, and stale (since when a newer one is refused) with stale_reason.  `last_pass` is the line
    `pass.finished` with id, trigger and ended.
    """

    stack: str
    account: str
    what: str
    pid: int
    instance: str
    program: str
    started: float
    written: float = 0.0
    state: str = "starting"
    sentence: str = "loading the config"
    schedule: str = ""
    interval: float | None = None
    config: Mapping[str, Any] = field(default_factory=dict)
    endpoints: Mapping[str, str] = field(default_factory=dict)
    last_pass: Mapping[str, Any] | None = None
    last_success: float | None = None
    next_look: float | None = None
    passes: Counter[str] = field(default_factory=Counter)
    """How many passes had which outcome since the process began."""
    changes: Counter[str] = field(default_factory=Counter)
    """How many addresses were created, updated, replaced, deleted since the process began."""
    api_calls: int = 0
    throttled: int = 0
    addresses: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    unread: Mapping[str, str] = field(default_factory=dict)
    conflicts: tuple[str, ...] = ()
    guard: str = ""
    problem: str = ""
    """Why the last pass could not be done at all, "" when it could."""
    pauses: tuple[Mapping[str, Any], ...] = ()
    lease: Mapping[str, Any] = field(default_factory=dict)

    def as_data(self) -> dict[str, Any]:
        """As a versioned JSON document, with times as text."""
        found = {item.name: getattr(self, item.name) for item in dataclasses.fields(self)}
        return {"version": VERSION, **{name: _plain(name, value) for name, value in found.items()}}


_TIMES: Final = frozenset(
    {"started", "written", "last_success", "next_look", "loaded", "stale", "since", "retry", "ended", "until"}
)


def _plain(name: str, value: Any) -> Any:
    """A value as JSON has it; what `_TIMES` names is seconds since the epoch."""
    match value:
        case int() | float() if name in _TIMES:
            return text(value)
        case Mapping():
            return {key: _plain(key, inner) for key, inner in value.items()}
        case tuple():
            return [_plain("", inner) for inner in value]
    return value


def write(directory: Path, status: Status) -> None:
    """Put it in place, whole or not at all; OSError when that cannot be."""
    directory.mkdir(parents=True, exist_ok=True, mode=0o750)
    content = json.dumps(status.as_data(), separators=(",", ":")).encode()
    write_whole(directory / NAME, content, sync=False)


def read(directory: Path) -> dict[str, Any] | None:
    """The document of a stack's state directory; None where there is none that this version understands.

    What an earlier program did not write yet is there as if nothing were known of it.
    """
    try:
        found = json.loads((directory / NAME).read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or found.get("version") != VERSION or not found.keys() >= _NEEDED:
        return None
    return {**_UNKNOWN, **found}


_UNKNOWN: Final = Status(stack="", account="", what="", pid=0, instance="", program="", started=0.0).as_data()
_NEEDED: Final = frozenset({"stack", "what", "pid", "instance", "started", "written", "state", "sentence"})


def unknown(stack: str, why: str) -> dict[str, Any]:
    """The document of a stack that has left none that can be read."""
    return {**_UNKNOWN, "stack": stack, "state": "unknown", "sentence": why}


def stacks(state_dir: Path) -> list[str]:
    """The stacks that have left a status; OSError where that cannot be seen."""
    try:
        folders = os.listdir(state_dir)
    except FileNotFoundError:
        return []
    return sorted(name for name in folders if _has_status(state_dir / name))


def _has_status(directory: Path) -> bool:
    """Whether there is a status; one that may not be looked for is, since what else is known shall be shown."""
    try:
        (directory / NAME).stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return address.NAME.fullmatch(directory.name) is not None
    return True
