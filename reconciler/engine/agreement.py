"""What a person agrees to: one plan, as it is, of a world as it was seen.  Used by `loop`, for `reconciler approve`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from reconciler.engine.guard import is_doomed
from reconciler.model.approval import Approval
from reconciler.model.calls import digest
from reconciler.model.config import Config
from reconciler.model.plan import Entry, Plan
from reconciler.model.verdicts import Steps, Wait

LENGTH = 16
"""Hex digits of a plan's hash: it is typed or pasted by people, and guards against mistakes, not against attackers."""


Doomed = frozenset[tuple[str, str]]
"""Label and id of things that would be deleted or replaced."""


@dataclass(frozen=True)
class Agreement:
    """What a person has agreed to, and until when (seconds since the epoch): what is left of it in later passes, as
    things go one after the other, is covered too."""

    doomed: Doomed = frozenset()
    until: float = 0.0
    by: str = ""

    @classmethod
    def to(cls, plan: Plan, approval: Approval) -> Agreement:
        """The agreement that the approval of a plan makes."""
        return cls(doomed(plan), approval.until, approval.by)

    def covers(self, plan: Plan, now: float) -> bool:
        """Whether nothing goes that was not agreed to."""
        return now < self.until and doomed(plan) <= self.doomed


NOTHING = Agreement()
"""Nobody has agreed to anything."""


def doomed(plan: Plan) -> Doomed:
    """What a plan would delete or replace."""
    return frozenset(
        (entry.label, entry.seen.id if entry.seen else "") for entry in plan.entries if is_doomed(entry)
    )


def plan_hash(plan: Plan, config: Config) -> str:
    """A digest of all that is to be done and of what it rests on: the config, and every thing that would be touched
    as it was seen.  Any drift makes another one."""
    touched = [_entry(entry) for entry in plan.entries if isinstance(entry.verdict, Steps | Wait)]
    return digest(config.stack, config.account, config.digest, *touched)[:LENGTH]


def _entry(entry: Entry) -> list[Any]:
    seen, verdict = entry.seen, entry.verdict
    steps = verdict if isinstance(verdict, Steps) else None
    return [
        entry.label,
        *entry.scope,
        type(verdict).__name__,
        steps.verb if steps else "",
        [[str(call), call.parameters] for call in steps.calls] if steps else [],
        [seen.id, seen.state, dict(seen.spec), dict(seen.tags)] if seen else None,
    ]
