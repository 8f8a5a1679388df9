"""The flap breaker of one stack: what it remembers, what it stops, and whom AWS names as the other writer.

Used by `loop`: `instead` as it plans, `heed` once it has planned, `note` when the pass is over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from reconciler.aws.gateway import Gateway
from reconciler.aws.memory import Memory
from reconciler.aws.trail import who_else
from reconciler.engine import flaps
from reconciler.kinds import BY_NAME
from reconciler.log import get_logger
from reconciler.model.flap import Flap
from reconciler.model.plan import Entry, Outcome, Plan
from reconciler.model.verdicts import Blocked, Steps

Resumed = Callable[[], Mapping[str, float]]


@dataclass(frozen=True)
class Breaker:
    """`resumed` gives when a person has let an address go on ("": all of them), in seconds since the epoch; `options`
    are what the command line needs to mean this config."""

    memory: Memory
    resumed: Resumed = dict
    options: str = ""

    def instead(self, label: str, steps: Steps) -> Blocked | None:
        """The verdict in place of steps that would go on with a fight; None for others."""
        return flaps.instead(self._known(label), label, steps, self.options)

    def _known(self, label: str) -> Flap | None:
        """What is remembered of an address, unless a person has let it go on since."""
        flap = self.memory.flaps.get(label)
        if flap is None:
            return None
        resumed = self.resumed()
        since = max(resumed.get("", 0.0), resumed.get(label, 0.0))
        return flap if since < flap.last else None

    def stopped(self) -> dict[str, str]:
        """Who else writes the addresses that are stopped, by label."""
        found = {label: self._known(label) for label in self.memory.flaps}
        return {label: flap.others for label, flap in found.items() if flap is not None and flap.differed}

    def heed(self, plan: Plan, gateway: Gateway, now: float) -> bool:
        """Take up what a plan says of the addresses that are watched; whether it would say more of one now."""
        entries = {entry.label: entry for entry in plan.entries} if self.memory.flaps else {}
        news = False
        for label, before in list(self.memory.flaps.items()):
            flap, entry = self._known(label), entries.get(label)
            flap = flaps.looked(flap, entry.verdict if entry else None, now) if flap else None
            if flap is not None and entry is not None and entry.seen is not None and flaps.asks(flap, now):
                flap = self._asked(flap, entry, gateway, now)
            if flap is not None and entry is not None and flap.differed and not before.differed:
                self._tell(entry, flap)
            if flap != before:
                self.memory.keep_flap(label, flap)
                news = news or (flap is not None and flap.others != before.others)
        return news

    def _asked(self, flap: Flap, entry: Entry, gateway: Gateway, now: float) -> Flap:
        assert entry.seen is not None, "what was put right is there"
        kind = BY_NAME[entry.scope.kind]
        found = who_else(gateway, kind, entry.seen, self.memory.directory, flap.first, now)
        return replace(flap, others=found.sentence, known=found.final, asked=now)

    def _tell(self, entry: Entry, flap: Flap) -> None:
        assert isinstance(entry.verdict, Blocked), "that is how it is stopped"
        paths = flaps.fought(flap, entry.verdict.drift)
        reason = f"put right {flaps.TIMES} times within an hour; {flap.others}"
        get_logger().warning("flap.stopped", address=entry.label, paths=paths, reason=reason)

    def note(self, plan: Plan, outcomes: Iterable[Outcome], now: float) -> None:
        """A pass is over: remember what it has put right; of what it has made, nobody has written anything yet."""
        for entry, outcome in zip(plan.entries, outcomes, strict=True):
            steps = entry.verdict
            if outcome.status == "created" and entry.label in self.memory.flaps:
                self.memory.keep_flap(entry.label, None)
            if (
                outcome.status == "updated"
                and isinstance(steps, Steps)
                and steps.drift
                and not steps.preparing
            ):
                flap = flaps.mended(self._known(entry.label), steps.drift, now)
                if flap.fields:
                    self.memory.keep_flap(entry.label, flap)
