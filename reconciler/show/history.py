"""What was changed, as a line a change and as versioned JSON.  Called by the verbs `history` and `explain`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from reconciler.aws.audit import NO_RECORD, Changed, Made
from reconciler.show.plan import COLOURS, clean

VERSION = 1
"""Of the JSON document; rises only when a member is removed or changes its meaning."""


@dataclass(frozen=True, kw_only=True)
class History:
    """Changes of a stack, the newest last.  `earlier` counts those that were left out before the first one shown;
    `nothing` says why there is none.  `stopped` has the addresses that the flap breaker has stopped, each with what is
    known of who else writes it."""

    stack: str
    changes: Sequence[Changed]
    earlier: int = 0
    nothing: str = ""
    stopped: Mapping[str, str] = field(default_factory=dict)


def as_text(history: History, *, colour: bool = False) -> str:
    """For people: time, verb, address, id, outcome, reason and AWS's request id, in columns."""
    if not history.changes:
        return f"{clean(history.nothing)}\n"
    rows = [[clean(cell) or "-" for cell in _cells(change)] for change in history.changes]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [f"({history.earlier} earlier; --last says how many are shown)"] if history.earlier else []
    for change, row in zip(history.changes, rows, strict=True):
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        lines.append(_coloured(line, change.outcome, colour))
    for address, others in history.stopped.items():
        lines.append(clean(f"! {address} is stopped by the flap breaker: {others}"))
    return "\n".join(lines) + "\n"


def as_data(history: History) -> dict[str, Any]:
    """For programs: every change with its calls."""
    return {
        "version": VERSION,
        "stack": history.stack,
        "earlier": history.earlier,
        "changes": [change_data(change) for change in history.changes],
        "stopped": [{"address": address, "others": others} for address, others in history.stopped.items()],
    }


def _cells(change: Changed) -> tuple[str, ...]:
    about, answer = change.about, change.last.answer
    outcome = change.outcome
    if outcome == "partial":
        outcome = f"{about.step} of {about.steps} steps"
    if answer and answer.aws_error_code:
        outcome += f" ({answer.aws_error_code})"
    return (
        f"{change.at[:19]}Z",
        about.verb,
        about.address,
        about.id,
        outcome,
        f"{about.reason}, agreed to by {about.by}" if about.by else about.reason,
        answer.aws_request_id if answer else "",
    )


def change_data(change: Changed) -> dict[str, Any]:
    """One change for programs."""
    about = change.about
    return {
        "change_id": about.change_id,
        "at": change.at,
        "pass_id": about.pass_id,
        "trigger": about.trigger,
        "address": about.address,
        "kind": about.kind,
        "id": about.id,
        "arn": about.arn,
        "region": about.region,
        "account": about.account,
        "verb": about.verb,
        "outcome": change.outcome,
        "reason": about.reason,
        "config_hash": about.config_hash,
        "by": about.by,
        "paths": list(about.paths),
        "steps": about.steps,
        "calls": [_call(made) for made in change.calls],
    }


def _call(made: Made) -> dict[str, Any]:
    answer = made.answer
    return {
        "call": made.sending.call,
        "step": made.sending.step,
        "api": made.sending.api,
        "reason": made.sending.reason,
        "begun": made.begun or None,
        "answered": made.answered or None,
        "before": made.sending.before,
        "after": made.sending.after,
        "outcome": answer.outcome if answer else NO_RECORD,
        "aws_error_code": answer.aws_error_code if answer else "",
        "aws_request_id": answer.aws_request_id if answer else "",
        "http_status": answer.http_status if answer else 0,
        "retry_attempts": answer.retry_attempts if answer else 0,
    }


def _coloured(line: str, outcome: str, colour: bool) -> str:
    code = {"done": "", "partial": COLOURS["…"]}.get(outcome, COLOURS["!"])
    return f"\x1b[{code}m{line}\x1b[0m" if colour and code else line
