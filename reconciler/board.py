"""Keeps the status of a stack up to date, in the state directory and as metrics.  Used by `daemon` and `run --once`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from reconciler import metrics, pauses, status
from reconciler.log import get_logger
from reconciler.loop import Loop
from reconciler.model.config import Config
from reconciler.model.plan import Ended, Outcome
from reconciler.status import GOOD, Status

CHANGED = frozenset({"created", "updated", "replaced", "deleted"})
LONGEST = 1000
"""How many addresses a status names at most: it is for people, and it is written after each pass."""
STOPPED = "not done, for a guard has stopped the pass"
FIRST = ("failed", "blocked", "waiting")
"""What people look for first."""


class Board:
    """One process's status.  Safe to use from several threads; a directory that cannot be written is said once."""

    def __init__(self, directory: Path, loop: Loop, found: Status, metrics_file: Path | None = None) -> None:
        self._directory, self._loop, self.status, self._metrics_file = directory, loop, found, metrics_file
        self._since: dict[str, tuple[str, float]] = {}
        self._lock = threading.Lock()
        self._unwritable: set[Path] = set()
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
            if is_success(ended):
                found.last_success = now
            found.passes[ended.outcome] += 1
            found.changes.update(
                outcome.status for outcome in ended.report.outcomes if outcome.status in CHANGED
            )
            found.api_calls += ended.report.calls + ended.report.discovery_calls
            found.throttled += ended.report.throttled
            found.guard, found.problem = ended.guard and ended.problem, "" if ended.guard else ended.problem
            if not ended.problem or ended.guard:
                found.addresses = self._addresses(ended, now)
                found.unread = ended.report.plan.unseen
                found.conflicts = ended.report.plan.conflicts
            self.heed_pauses()

    def heed_pauses(self) -> None:
        """Take up those of this moment."""
        self.status.pauses = tuple(pauses.as_data(pause) for pause in self._loop.pauses())

    def _addresses(self, ended: Ended, now: float) -> dict[str, Mapping[str, Any]]:
        """What is not settled, and since when; what has failed comes first."""
        outcomes = ended.report.outcomes
        left = sorted(
            (outcome for outcome in outcomes if outcome.status not in {"settled", *CHANGED}), key=_urgency
        )
        before, self._since = self._since, {}
        found: dict[str, Mapping[str, Any]] = {}
        for outcome in left[:LONGEST]:
            said, since = before.get(outcome.label, ("", now))
            self._since[outcome.label] = (outcome.status, since if said == outcome.status else now)
            failure = self._loop.backoff.failures.get(outcome.label)
            wait = None if failure is None else failure.until - self._loop.clock.monotonic()
            found[outcome.label] = {
                "status": outcome.status,
                "reason": outcome.why if not (ended.guard and outcome.status == "planned") else STOPPED,
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
            self.heed_pauses()  # they come and go between passes
            self._attempt(lambda: status.write(self._directory, self.status), self._directory, "a status")
            if self._metrics_file is not None:
                path, now = self._metrics_file, self.status.written
                self._attempt(lambda: metrics.write(path, self.status, now), path.parent, "metrics")

    def _attempt(self, write: Callable[[], None], folder: Path, what: str) -> None:
        """Write; that it cannot be is said when it begins."""
        try:
            write()
            self._unwritable.discard(folder)
        except OSError as error:
            if folder not in self._unwritable:
                self._unwritable.add(folder)
                message = f"{error}; goes on without {what}"
                get_logger().warning("state.unwritable", path=str(folder), message=message)


def is_success(ended: Ended) -> bool:
    """Whether nothing went wrong in a pass.  What is blocked waits for a person, and is an alert of its own."""
    report = ended.report
    only_blocked = not (
        report.count("failed") or report.plan.unseen or report.plan.conflicts or ended.problem
    )
    return ended.outcome in GOOD or (ended.outcome == "partial" and only_blocked)


def _urgency(outcome: Outcome) -> int:
    return FIRST.index(outcome.status) if outcome.status in FIRST else len(FIRST)
