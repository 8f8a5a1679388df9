"""How a thing goes: what is done before it can be deleted, and its deletion.  Used by `converge` and `planner`.

And what is taken out of one that stays, before AWS changes it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

from reconciler.engine.users import referring
from reconciler.model.calls import Call
from reconciler.model.kind import Kind
from reconciler.model.things import PROTECT_TAG, Desired, Observed
from reconciler.model.verdicts import Drift, Steps, Wait


def departure(kind: Kind, observed: Observed, why: str, asked: str) -> Steps | Wait:
    """The next steps on a thing's way out, or what they wait for.  `asked` is the account that was to accept it, ""
    where that is not known."""
    return (
        releasing(kind, observed, why)
        or _declining(kind, observed, asked, why)
        or removal(kind, observed, why)
    )


def is_protected(kind: Kind, thing: Observed) -> bool:
    """Whether a thing may not be deleted: by its tag, or else by its kind."""
    tag = thing.tags.get(PROTECT_TAG)
    return tag == "true" or (kind.protected and tag != "false")


def removal(kind: Kind, observed: Observed, why: str) -> Steps:
    """The steps that delete a thing."""
    calls = kind.destroy(observed) if kind.destroy else [_deletion(kind, observed)]
    return Steps("delete", tuple(placed(call, observed, why) for call in calls), why=why)


def releasing(kind: Kind, observed: Observed, why: str) -> Steps | Wait | None:
    """What is done, or waited for, before a thing can be deleted; None when nothing is in the way."""
    verdict = kind.release(observed) if kind.release else None
    if isinstance(verdict, Steps):
        calls = tuple(placed(call, observed, why) for call in verdict.calls)
        return replace(verdict, verb="delete", calls=calls, why=why)
    return verdict


def untying(
    kind: Kind,
    changed: Collection[str],
    desired: Desired,
    observed: Observed,
    drift: tuple[Drift, ...],
    updates: Sequence[Call],
) -> Steps | Wait | None:
    """What is done, or waited for, before these fields can change by these calls; None when nothing is in the way."""
    for name in changed:
        before = kind.before.get(name)
        match before(desired.spec.keys(), observed) if before else None:
            case Steps() as steps:
                why = f"differs: {name}, which can change once this is taken out"
                return replace(steps, drift=drift, why=why, preparing=True, afterwards=tuple(updates))
            case Wait() as waits:
                return replace(waits, drift=drift)
    return None


def _declining(kind: Kind, observed: Observed, asked: str, why: str) -> Steps | None:
    """The steps that take a leaving thing out of a state in which it waits for a person; None when it is in none."""
    if observed.state not in kind.asking or kind.decline is None or not asked:
        return None
    why = f"{why}, and it is {observed.state}"
    call = Call(
        service=kind.service, operation=kind.decline, parameters=kind.handle_of(observed), account=asked
    )
    return Steps("delete", (placed(call, observed, why),), why=why)


def loosening(kind: Kind, observed: Observed, circle: Collection[str], why: str) -> Steps | None:
    """The steps that take those items out of a leaving thing that refer to others of its circle, by id; None when
    it has none."""
    why = f"{why}, as are others, in a circle with it"
    calls = [
        placed(call, observed, why)
        for part in kind.parts
        if part.knots and (items := referring(kind, part, observed, circle))
        for call in part.remove(observed, items)
    ]
    return Steps("update", tuple(calls), why=why) if calls else None


def identity(kind: Kind, observed: Observed) -> dict[str, Any]:
    """The parameters that say which thing a call is about."""
    return {name: observed.raw[name] for name in kind.identity} | kind.handle_of(observed)


def _deletion(kind: Kind, observed: Observed) -> Call:
    return Call(service=kind.service, operation=kind.delete, parameters=identity(kind, observed))


def placed(call: Call, observed: Observed, why: str) -> Call:
    """A call goes where its thing is, unless it says another region or account."""
    account, region = call.account or observed.account, call.region or observed.region
    return replace(call, account=account, region=region, why=why)
