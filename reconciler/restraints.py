"""What holds changes back for a while: people, and the time of day.  Made anew by `loop` when they may be others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from reconciler import windows
from reconciler.engine.pacing import waits_for
from reconciler.model.address import REPLACED
from reconciler.model.pause import Pause
from reconciler.model.plan import Report
from reconciler.model.verdicts import Steps, Wait
from reconciler.moments import text
from reconciler.windows import ALWAYS, Windows

WORDS = {"delete": "deletion", "replace": "replacement"}
"""What always waits for a window; an update does when it is disruptive."""


@dataclass(frozen=True)
class Restraints:
    """The pauses that are in force, by address ("": of the whole stack), and how it stands with the windows."""

    pauses: Mapping[str, Pause] = field(default_factory=dict)
    windows: Windows = ALWAYS

    @classmethod
    def at(cls, pauses: Sequence[Pause], spans: Sequence[Mapping[str, Any]], now: float) -> Restraints:
        """Those of a moment, in seconds since the epoch; `spans` are the config's windows."""
        return cls({pause.address: pause for pause in pauses}, windows.at(spans, now))

    def wait(self, label: str, steps: Steps, *, at_any_time: bool = False) -> Wait | None:
        """What steps wait for, None when they may be made; `at_any_time`: whether a window is open or not."""
        if pause := self.pauses.get("") or self.pauses.get(label.removesuffix(REPLACED)):
            return Wait(pause.sentence, "person")
        held = steps.verb in WORDS or steps.disruptive
        if not self.windows.open and held and not at_any_time:
            begins = self.windows.changes
            when = f"begins {text(begins)}" if begins else "does not come"
            what = WORDS.get(steps.verb, "change, which interrupts it,")
            return Wait(f"the maintenance window for its {what} {when}", "window")
        return None

    def left(self, report: Report, now: float) -> float | None:
        """Seconds until a window opens, or a pause ends, that something waits for; None when nothing does."""
        until = [pause.until for pause in self.pauses.values()] if waits_for(report, "person") else []
        if waits_for(report, "window") and not self.windows.open:
            until.append(self.windows.changes)
        return min((max(0.0, at - now) for at in until if at is not None), default=None)
