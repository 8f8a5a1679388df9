"""Changes that a thing has to stand still for: it is stopped, changed, and started again.  Used by `converge`.

AWS takes its time to stop a thing, so that each of the three is of another look, or of another life of the program.  A
tag says that it was us who stopped it, and for what: whoever finds it stopped and so marked goes on, and starts it in
the end, even when there is nothing left to change.  What somebody else has stopped is changed as it stands, and is
not started.  What AWS refuses to change is started again, and is not stopped for the same once more.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from reconciler.engine.tags import tag_calls
from reconciler.model.calls import Call, digest
from reconciler.model.kind import Kind
from reconciler.model.things import HALTED_TAG, Observed, Pending, within
from reconciler.model.verdicts import Blocked, Drift, Settled, Steps, Verdict

STOPPED, REFUSED = "stopped for", "refused"
STARTED = "it was stopped for a change, and is started again"
DONE = "it was stopped for a change, and runs again"
DIGITS = 8


def stands_still(kind: Kind, thing: Observed) -> bool:
    """Whether a thing can be changed as it is: it stands still, whoever has stopped it, or it need not."""
    return kind.halt is None or thing.state in kind.halt.still


def needing(kind: Kind, drifts: Iterable[Drift]) -> list[Drift]:
    """What of that which differs is changed only while the thing stands still."""
    found = [(drift.path.split(".", 1)[0].split("[", 1)[0], drift) for drift in drifts]
    fields = {name for name, drift in found if name in kind.remedies and kind.remedies[name].disrupts(drift)}
    return [drift for name, drift in found if name in fields]


def stopping(kind: Kind, thing: Observed, drifts: Sequence[Drift], names: Sequence[str]) -> Steps | Blocked:
    """What is done about fields that a thing has to be stopped for."""
    assert kind.halt is not None, "only what can be stopped is stopped for a change"
    if thing.tags.get(HALTED_TAG) == f"{REFUSED} {_what(drifts)}":
        return Blocked(
            f"{', '.join(names)}: it was stopped for this, AWS refused it, and it was started again; change the "
            f"config, or remove the tag {HALTED_TAG} to have it tried once more",
            tuple(drifts),
        )
    unknown = next((found for drift in drifts for found in within(drift.wanted, Pending)), None)
    mark = unknown or f"{STOPPED} {_what(drifts)}"  # it is not stopped before all is known
    why = f"differs: {', '.join(names)}, for which it is stopped and started again"
    calls = (*_mark(kind, thing, mark, why), kind.halt.stop(thing))
    return Steps("update", calls, drift=tuple(drifts), why=why, disruptive=True, preparing=True)


def started(kind: Kind, thing: Observed, verdict: Verdict) -> Verdict:
    """The same verdict, with what starts a thing that we have stopped, and takes the mark off it."""
    if kind.halt is None or HALTED_TAG not in thing.tags:
        return verdict
    unmark = _mark(kind, thing, None, DONE)
    if thing.state not in kind.halt.still:
        return Steps("update", tuple(unmark), why=DONE) if isinstance(verdict, Settled) else verdict
    start = kind.halt.start(thing)
    if not isinstance(verdict, Steps) or verdict.verb != "update":
        return Steps("update", (start, *unmark), why=STARTED)
    refused = f"{REFUSED} {_what(needing(kind, verdict.drift))}"
    rescue = (*_mark(kind, thing, refused, "AWS has refused what it was stopped for"), start)
    return Steps(
        "update", (*verdict.calls, start, *unmark), drift=verdict.drift, why=verdict.why, rescue=rescue
    )


def _mark(kind: Kind, thing: Observed, value: object, why: str) -> list[Call]:
    return tag_calls(kind, thing, [Drift(f"Tags.{HALTED_TAG}", value, thing.tags.get(HALTED_TAG))], why)


def _what(drifts: Sequence[Drift]) -> str:
    """Which change it is about."""
    return digest(*((drift.path, drift.wanted) for drift in drifts))[:DIGITS]
