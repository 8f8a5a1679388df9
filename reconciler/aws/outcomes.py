"""What becomes of an entry of a plan, and how it is told.  Used by `apply` and `turns`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from reconciler.aws.batches import APART
from reconciler.aws.changing import Change
from reconciler.errors import AwsError, Denied, Exhausted, Gone, NotYet, ReconcilerError, Refused, Unknown
from reconciler.model.address import Address
from reconciler.model.calls import Call, digest
from reconciler.model.plan import Entry, Outcome, Status
from reconciler.model.things import Observed, Pending, within
from reconciler.model.verdicts import Blocked, Settled, Steps, Verb, Wait

DONE: dict[Verb, Status] = {
    "create": "created",
    "update": "updated",
    "replace": "replaced",
    "delete": "deleted",
}
STOPPED = "stopped before its turn"


@dataclass(frozen=True)
class Result:
    """What became of one entry, and the thing that a create call answered.  `ends`: why no other entry may begin."""

    entry: Entry
    outcome: Outcome
    made: Observed | None = None
    ends: str = ""


def left(entry: Entry, change: Change, call: Call, why: str) -> Outcome:
    """The outcome of an entry that was left before `call`; what was begun gets its last line in the log."""
    if change.begun:
        change.deferred(call, why)
    return Outcome(label=entry.label, status="waiting", why=why)


def apart(entry: Entry, change: Change, call: Call, error: AwsError) -> Outcome:
    """The outcome of an entry of which the call that was to make it with others did not succeed.

    Where AWS makes none since it does not make all, or not so, each of them hears from the next pass what is said of
    it alone.
    """
    if not isinstance(error, APART):
        return replace(failed(entry, change, call, error), together=digest(call.seed))
    why = f"{error}; it is tried alone next"
    change.deferred(call, why, error)
    return Outcome(label=entry.label, status="waiting", why=why, code=error.code)


def rescue(change: Change, steps: Steps, call: Call) -> None:
    """Make the calls that help a thing out of what it was put into for `call`, which AWS has refused for good."""
    for help in steps.rescue if call not in steps.rescue else ():
        try:
            change.send(help)
        except AwsError:
            continue  # it is on record, and the next look finds the thing as it is
        except ReconcilerError:
            return


def failed(entry: Entry, change: Change, call: Call, error: AwsError) -> Outcome:
    """The outcome of an entry whose `call`, or a read that it needs, did not succeed."""
    last = isinstance(entry.verdict, Steps) and call == entry.verdict.calls[-1]
    if isinstance(error, Gone) and not entry.wanted and (last or not change.begun):
        why = "it was gone already"
        if change.begun:
            change.succeeded(call, why)
        return Outcome(label=entry.label, status="deleted", why=why)
    if isinstance(error, NotYet | Gone):
        change.deferred(call, str(error), error)
        unknown = isinstance(error, Unknown)
        return Outcome(label=entry.label, status="waiting", why=str(error), code=error.code, unknown=unknown)
    change.failed(call, error)
    final = isinstance(error, Refused | Denied | Exhausted)
    return Outcome(label=entry.label, status="failed", why=str(error), code=error.code, final=final)


def takes_away(entry: Entry) -> bool:
    """Whether the steps of an entry delete a thing, or prepare its deletion."""
    return not entry.wanted or (
        isinstance(entry.verdict, Steps) and entry.verdict.verb in {"delete", "replace"}
    )


def without_steps(entry: Entry) -> Outcome:
    """The outcome of an entry that has no calls to make."""
    match entry.verdict:
        case Settled(notes):
            return Outcome(label=entry.label, status="settled", why="; ".join(notes))
        case Blocked(why):
            return Outcome(label=entry.label, status="blocked", why=why)
        case Wait(why, on):
            status: Status = "failed" if on == "back-off" else "waiting"
            return Outcome(label=entry.label, status=status, why=why, on=on)
    return Outcome(label=entry.label, status="planned", why="nothing is written, for mode is observe")


def pending_in(steps: Steps) -> Iterator[Address]:
    """The addresses whose values the calls still lack, or those that have to follow."""
    calls = (*steps.calls, *steps.afterwards)
    return (pending.of for call in calls for pending in within(call.parameters, Pending))
