"""Keeps the status of a stack up to date, in the state directory and as metrics.  Used by `daemon` and `run --once`."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reconciler import pauses, status
from reconciler.log import get_logger
from reconciler.loop import Loop
from reconciler.model.config import Config
from reconciler.model.plan import Ended, Outcome
from reconciler.status import GOOD, Status

CHANGED = frozenset({"created", "updated", "replaced", "deleted"})
LONGEST = 1000
"""How many addresses a status names at most: it is for people, and it is written after each pass."""


class Board:
    """One process's status.  Safe to use from several threads; a directory that cannot be written is said once."""

    def __init__(self, directory: Path, loop: Loop, found: Status) -> None:
        self._directory, self._loop, self.status = directory, loop, found
        self._since: dict[str, tuple[str, float]] = {}
        self._lock = threading.Lock()
        self._writable = True
        loop.ended.append(self.ended)

    def took(self, path: Path | str, config: Config, now: float) -> None:
        """A config is in use from here on."""
        self.status.config = {
            "path": str(Path(path).absolute()),
            "hash": config.digest[:8],
            "files": list(config.files),
            "resources": len(config.resources),
            "loaded": now,
            "stale": None,
            "stale_reason": "",
        }

    def refused(self, why: str, now: float) -> None:
        """A newer config was refused; the one in use is stale since the first of them."""
        since = self.status.config.get("stale") or now
        self.status.config = {**self.status.config, "stale": since, "stale_reason": why}

    def ended(self, ended: Ended) -> None:
        """A pass is over."""
        found, now = self.status, self._loop.clock.now()
        with self._lock:
            line = self._loop.narrator.line(ended, self._loop.config)
            found.last_pass = {"id": ended.pass_id, "trigger": ended.trigger, "ended": now, **line}
            if ended.outcome in GOOD:
                found.last_success = now
            found.passes[ended.outcome] += 1
            found.changes.update(
                outcome.status for outcome in ended.report.outcomes if outcome.status in CHANGED
            )
            found.api_calls += ended.report.calls + ended.report.discovery_calls
            found.throttled += ended.report.throttled
            found.guard, found.problem = ended.guard and ended.problem, "" if ended.guard else ended.problem
            if not ended.problem or ended.guard:
                found.addresses = self._addresses(ended.report.outcomes, now)
                found.unread = {str(scope): why for scope, why in ended.report.plan.unread.items()}
                found.conflicts = ended.report.plan.conflicts
            found.pauses = tuple(pauses.as_data(pause) for pause in self._loop.pauses())

    def _addresses(self, outcomes: tuple[Outcome, ...], now: float) -> dict[str, Mapping[str, Any]]:
        """What is not settled, and since when."""
        left = [outcome for outcome in outcomes if outcome.status not in {"settled", *CHANGED}]
        before, self._since = self._since, {}
        found: dict[str, Mapping[str, Any]] = {}
        for outcome in left[:LONGEST]:
            said, since = before.get(outcome.label, ("", now))
            self._since[outcome.label] = (outcome.status, since if said == outcome.status else now)
            failure = self._loop.backoff.failures.get(outcome.label)
            wait = None if failure is None else failure.until - self._loop.clock.monotonic()
            found[outcome.label] = {
                "status": outcome.status,
                "reason": outcome.why,
                "since": self._since[outcome.label][1],
                "failures": failure.times if failure else 0,
                "retry": now + wait if wait is not None and 0 < wait < float("inf") else None,
            }
        return found

    @property
    def last(self) -> str:
        """What became of the last pass."""
        found = self.status
        if found.last_pass is None:
            return "stopped before the first look was over"
        return str(found.guard or found.problem or found.last_pass["outcome"])

    def write(self, state: str, sentence: str, next_look: float | None = None) -> None:
        """Put the status in place.  `next_look` is in seconds since the epoch."""
        with self._lock:
            self.status.state, self.status.sentence, self.status.next_look = state, sentence, next_look
            self.status.written = self._loop.clock.now()
            try:
                status.write(self._directory, self.status)
                self._writable = True
            except OSError as error:
                if self._writable:
                    self._writable = False
                    get_logger().warning(
                        "state.unwritable",
                        path=str(self._directory),
                        message=f"{error}; goes on without a status",
                    )
