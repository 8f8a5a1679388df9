"""What came of a run: what was done and what is left, as text and as versioned JSON.  Called by `cli`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.model.plan import Report, Status
from reconciler.show.plan import COLOURS

VERSION = 1
"""Of the JSON document; rises only when a member is removed or changes its meaning."""
LEFT: Mapping[Status, str] = {
    "waiting": COLOURS["…"],
    "blocked": COLOURS["!"],
    "failed": COLOURS["!"],
    "planned": COLOURS["~"],
}
"""What is not as declared yet, and the colour it is shown in."""
MADE = frozenset[Status]({"created", "updated", "replaced", "deleted"})


@dataclass(frozen=True, kw_only=True)
class Run:
    """All passes of a run together: the last one's report, and how many addresses were changed in which way.

    `undiscovered` are regions and accounts that could not be asked for things that the config does not name, with
    the reason.  `interrupted` is the signal's name, "" when there was none.
    """

    report: Report
    changes: Mapping[str, int] = field(default_factory=dict)
    undiscovered: Mapping[str, str] = field(default_factory=dict)
    destroying: bool = False
    interrupted: str = ""

    @property
    def outcome(self) -> str:
        """The run in one word: the last pass's, unless it was interrupted."""
        return "interrupted" if self.interrupted else self.report.outcome


def as_text(run: Run, *, colour: bool = False) -> str:
    """For people: what is left, address by address, and a line that counts."""
    report = run.report
    lines = [
        _coloured(f"  {outcome.label}: {outcome.status}, {_clean(outcome.why)}", LEFT[outcome.status], colour)
        for outcome in report.outcomes
        if outcome.status in LEFT
    ]
    # only a run whose time is up ends with a pass that has changed something
    lines += [
        f"  {outcome.label}: {outcome.status}, and not looked at since"
        for outcome in report.outcomes
        if outcome.status in MADE and not run.interrupted
    ]
    unseen = report.plan.unseen
    lines += [f"  {where} could not be read: {_clean(why)}" for where, why in unseen.items()]
    lines += [f"  {_clean(conflict)}" for conflict in report.plan.conflicts]
    if run.destroying:
        more = {where: why for where, why in run.undiscovered.items() if where not in unseen}
        lines += [f"  {where} could not be asked: {_clean(why)}" for where, why in more.items()]
    return "\n".join([*lines, _summary(run)]) + "\n"


def _summary(run: Run) -> str:
    """`ai-global: interrupted by SIGINT; 2 created; 1 settled, 3 waiting.`"""
    report = run.report
    left = [f"{count} {status}" for status in LEFT if (count := report.count(status))]
    left += [f"{len(report.plan.unseen)} unread"] if report.plan.unseen else []
    made = ", ".join(f"{count} {status}" for status, count in run.changes.items())
    told = [f"interrupted by {run.interrupted}"] if run.interrupted else []
    told.append(made or ("nothing was changed" if left else "nothing to do"))
    if not run.destroying:
        told.append(", ".join([f"{report.count('settled')} settled", *left]))
    elif left:
        told.append(", ".join(left))
    elif not (run.undiscovered or run.interrupted):
        told.append("nothing of it is left")
    return f"{report.plan.stack}: {'; '.join(told)}."


def as_data(run: Run) -> dict[str, Any]:
    """For programs: every address with what became of it."""
    report = run.report
    return {
        "version": VERSION,
        "stack": report.plan.stack,
        "outcome": run.outcome,
        "changes": dict(run.changes),
        "addresses": [
            {"address": outcome.label, "status": outcome.status, "reason": outcome.why, "code": outcome.code}
            for outcome in report.outcomes
        ],
        "conflicts": list(report.plan.conflicts),
        "unread": [{"scope": scope._asdict(), "reason": why} for scope, why in report.plan.unread.items()],
        "closed": dict(report.plan.closed),
        "undiscovered": dict(run.undiscovered),
    }


def _clean(text: str) -> str:
    """A text of AWS on one line, without what a terminal would obey."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def _coloured(text: str, code: str, colour: bool) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if colour else text
