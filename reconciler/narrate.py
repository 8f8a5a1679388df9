"""What a pass says in the log: changes once, what stays as it is not again.  Used by `loop`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from reconciler.log import get_logger
from reconciler.model.config import Config
from reconciler.model.pause import Pause
from reconciler.model.plan import Ended, Entry, Plan, Report
from reconciler.model.verdicts import Blocked, Steps, Wait, together
from reconciler.moments import text
from reconciler.windows import Windows

SLOW = 30.0
"""Seconds between two lines about the same wait."""
NAMED = 5
"""How many of the addresses that wait for the same are named."""


class Narrator:
    """Remembers what it has said, so that a standing condition is one line and not one a pass."""

    def __init__(self) -> None:
        self._said: dict[str, str] = {}
        self._waits: dict[str, float] = {}
        self._pauses: dict[str, Pause] = {}
        self._open = True
        self.next_look: Callable[[], float | None] = lambda: None
        """Seconds from the end of a pass to the next one, None when there is none; set by who decides it."""

    def planned(self, plan: Plan, *, orphans: bool = True) -> None:
        """What was concluded: new drift, what is blocked, what could not be read, whose ownership is in doubt.

        Without `orphans` it is meant that things are not in the config: the stack is destroyed.
        """
        log = get_logger()
        standing = {entry.label: entry for entry in plan.entries}
        for label, entry in standing.items():
            self._entry(label, entry, orphans)
        for scope, why in plan.unread.items():
            if self._news(f"unread {scope}", why):
                log.warning("kind.unknown", scope=str(scope), reason=why)
        for conflict in plan.conflicts:
            if self._news(conflict, conflict):
                log.error("ownership.conflict", reason=conflict)
        self._forget(plan)
        log.debug(
            "plan.computed",
            steps=len(plan.steps),
            blocked=plan.count(Blocked),
            addresses=len(plan.entries),
        )

    def _forget(self, plan: Plan) -> None:
        """What is over is news when it comes again.  What could not be read has not ended for that."""
        stands = {f"unread {scope}" for scope in plan.unread} | set(plan.conflicts)
        for entry in plan.entries:
            stands |= {entry.label, f"orphan {entry.label}"}
        self._said = {
            about: what
            for about, what in self._said.items()
            if about in stands or (plan.unseen and not about.startswith("unread "))
        }

    def _entry(self, label: str, entry: Entry, orphans: bool) -> None:
        log, verdict = get_logger(), entry.verdict
        thing = None if entry.wanted or entry.old or not orphans else entry.seen
        if thing is not None and self._news(f"orphan {label}", thing.id):
            log.warning("resource.orphaned", address=label, kind=thing.kind, id=thing.id)
        if isinstance(verdict, Steps) and verdict.drift:
            paths = [found.path for found in verdict.drift]
            if self._news(label, f"drift {paths}"):
                origin = together(found.origin for found in verdict.drift)
                log.info("drift.detected", address=label, paths=paths, origin=origin)
        elif isinstance(verdict, Blocked):
            if self._news(label, verdict.why):
                log.warning("address.blocked", address=label, reason=verdict.why)
        elif not (
            isinstance(verdict, Wait) and verdict.on == "back-off"
        ):  # its drift is no news when it is tried again
            self._said.pop(label, None)

    def _news(self, about: str, what: str) -> bool:
        news = self._said.get(about) != what
        self._said[about] = what
        return news

    def waiting(self, report: Report, now: float) -> None:
        """What is waited for: at once when it begins, then every 30 s; what waits for the same is one line."""
        waits = {outcome.label: outcome.why for outcome in report.outcomes if outcome.status == "waiting"}
        self._waits = {label: said for label, said in self._waits.items() if label in waits}
        reasons: dict[str, list[str]] = {}
        for label, why in waits.items():
            if label not in self._waits or now - self._waits[label] >= SLOW:
                self._waits[label] = now
                reasons.setdefault(why, []).append(label)
        for why, labels in reasons.items():
            more = {"addresses": len(labels)} if len(labels) > 1 else {}
            get_logger().info("wait.slow", address=listed(labels), reason=why, **more)

    def held_back(self, pauses: Iterable[Pause], windows: Windows) -> None:
        """Which pauses have begun since the last pass, and which have ended; whether a window has."""
        was, self._open = self._open, windows.open
        if windows.open and not was:
            get_logger().info("window.opened", until=text(windows.changes) if windows.changes else "")
        elif was and not windows.open:
            get_logger().info("window.closed")
        before, self._pauses = self._pauses, {pause.address: pause for pause in pauses}
        for address, pause in self._pauses.items():
            if address not in before:
                until = "" if pause.until is None else text(pause.until)
                get_logger().warning(
                    "pause.started", reason=pause.reason, by=pause.by, until=until, **_about(address)
                )
        for address, pause in before.items():
            if address not in self._pauses:
                get_logger().info("pause.ended", reason=pause.reason, **_about(address))

    def finished(self, ended: Ended, config: Config) -> None:
        """The one line of a pass."""
        get_logger().info("pass.finished", **self.line(ended, config))

    def line(self, ended: Ended, config: Config) -> dict[str, Any]:
        """Its fields."""
        report = ended.report
        return {
            "account": config.account,
            "regions": sorted({entry.scope.region for entry in report.plan.entries} - {""}),
            "outcome": ended.outcome,
            "settled": report.count("settled"),
            "created": report.count("created"),
            "updated": report.count("updated"),
            "replaced": report.count("replaced"),
            "deleted": report.count("deleted"),
            "failed": report.count("failed"),
            "waiting": report.count("waiting"),
            "blocked": report.count("blocked"),
            "unknown": len(report.plan.unseen),
            "api_calls": report.calls,
            "api_writes": report.writes,
            "discovery_calls": report.discovery_calls,
            "throttled": report.throttled,
            "duration_ms": round(report.seconds * 1000),
            "config_hash": config.digest[:8],
            "next_pass_in_s": self.next_look(),
        }


def listed(labels: list[str]) -> str:
    """Some addresses in a few words."""
    more = len(labels) - NAMED
    return ", ".join(labels[:NAMED]) + (f" and {more} more" if more > 0 else "")


def _about(address: str) -> dict[str, str]:
    return {"address": address} if address else {}
