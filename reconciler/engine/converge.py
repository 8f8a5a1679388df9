"""The decision that all kinds share: from a resource as wanted and as seen to a verdict.  Called by `planner`.

Absent: create.  On its way out, failed or not ready: wait or say so.  Drift: mend what can be mended in place; what
cannot is Blocked, or replaced where the resource asks for it.  Then parts, then the kind's own `then`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import jmespath

from reconciler.engine import halting
from reconciler.engine.applied import applied_tag, is_stale, origins
from reconciler.engine.drift import field_drift, is_ignored
from reconciler.engine.leaving import identity, placed, releasing, removal, untying
from reconciler.engine.parts import Held, part_calls, part_drift, put_off, room
from reconciler.engine.tags import (
    OWNER_TAGS,
    birth_tags,
    make_way,
    tag_calls,
    tag_drift,
    wanted_tags,
)
from reconciler.model.batch import born_with
from reconciler.model.calls import Call
from reconciler.model.fields import Facts
from reconciler.model.kind import Kind
from reconciler.model.service import path_of
from reconciler.model.things import (
    APPLIED_TAG,
    DIGEST_TAG,
    Desired,
    Observed,
    Pending,
    contains,
)
from reconciler.model.verdicts import Blocked, Drift, Settled, Steps, Verdict, Wait


def converge(
    facts: Facts,
    *,
    desired: Desired,
    observed: Observed | None,
    stack: str,
    making_way: tuple[str, ...] = (),
    held: Held = lambda part, key: None,
) -> Verdict:
    """What to do about one address.

    `desired` is resolved: references are ids and ARNs, or Pending.  `observed` is the one thing that holds the
    address and is ours; None when there is none.  `making_way` are the ids of those that held it before (`@old`).
    """
    if observed is None:
        return Steps("create", (creation(facts, desired, stack, making_way),), why="it does not exist")
    if observed.scope != desired.scope:
        what = "region" if observed.account == desired.account else "account"
        moved = Drift(what, _whereabouts(desired), _whereabouts(observed))
        verdict: Verdict = _cannot_change(facts, desired, observed, stack, (moved,))
    elif observed.unnamed and observed.state in facts.kind.ready | facts.kind.usable:
        verdict = _naming(facts, desired, observed, stack)
    else:
        verdict = unready(facts.kind, observed) or _mend(facts, desired, observed, stack, held)
    if isinstance(verdict, Steps | Blocked) and verdict.drift:
        tags = wanted_tags(facts.kind, desired, stack)
        return replace(verdict, drift=origins(facts, desired, observed, tags, verdict.drift))
    return verdict


def unready(kind: Kind, observed: Observed) -> Verdict | None:
    """Why nothing can be done about a thing in the state it is in; None when it is ready."""
    state = observed.state or ""
    if state in kind.leaving:
        return Wait(f"{observed.id} is {state}; its address is free when it is gone")
    if state in kind.failed:
        said = "; ".join(jmespath.search(kind.errors, observed.raw) or ()) if kind.errors else ""
        why = f"{observed.id} is {state} in AWS" + (f" ({said})" if said else "")
        return Blocked(f"{why}; delete it there, or remove it from the config")
    if state in kind.asking:
        how = "; or say `accept: true`" if kind.accept else ""
        return Wait(f"{observed.id} is {state}: {kind.asking[state]}{how}", "person")
    if kind.ready and state not in kind.ready:
        return Wait(f"{observed.id} is {state}")
    return None


def accepting(kind: Kind, desired: Desired, observed: Observed, asked: str) -> Steps | None:
    """The steps that answer in the name of the person for whom a thing waits, where the config says so.

    `asked` is the account of that person, "" where that is not known: then it is none of ours."""
    if not desired.accept or not asked or kind.accept is None or observed.state not in kind.asking:
        return None
    why = f"it is {observed.state}, and the config accepts it"
    call = Call(
        service=kind.service, operation=kind.accept, parameters=kind.handle_of(observed), account=asked
    )
    return Steps("update", (placed(call, observed, why),), why=why)


def creation(facts: Facts, desired: Desired, stack: str, making_way: tuple[str, ...] = ()) -> Call:
    """The call that makes the thing, tagged as ours from birth.

    Its token differs from those of its predecessors that still exist, or AWS would answer with one of these.
    """
    kind = facts.kind
    spec = {
        name: _present(value)
        for name, value in desired.spec.items()
        if value is not None
        and facts.fields[name].at_birth
        and facts.fields[name].change not in {"part", "then"}
    }
    wanted = wanted_tags(kind, desired, stack)
    applied = {} if kind.tags_steer else {APPLIED_TAG: applied_tag(facts, desired, wanted, birth=True)}
    tags = birth_tags(kind, {**wanted, **applied})
    if kind.birthmark:
        tags = dict(kind.birthmark.put(stack, str(desired.address)))
    seed = (stack, str(desired.address), *making_way) if facts.takes_token else None
    where = {"Path": path_of(stack)} if kind.home.paths else {}
    return Call(
        service=kind.service,
        operation=kind.create,
        parameters={**kind.born(spec), **kind.always, **where, **tags},
        why="it does not exist",
        account=desired.account,
        region=desired.region,
        creates=True,
        seed=seed,
    )


def _naming(facts: Facts, desired: Desired, observed: Observed, stack: str) -> Steps:
    """The call that gives what was made with others what it could not have from birth; whatever else differs is put
    right once it has its address.

    What was last applied is only written down where nothing differs: the config may have changed since.
    """
    kind, others = facts.kind, len(born_with(facts.kind, observed, stack)) - 1
    wanted = wanted_tags(kind, desired, stack)
    if not any(True for name in desired.spec for _ in field_drift(facts, name, desired, observed)):
        wanted[APPLIED_TAG] = applied_tag(facts, desired, wanted, birth=True)
    drifts = [
        replace(found, origin="pending")
        for found in tag_drift(wanted, observed.tags)
        if found.wanted is not None and not contains(found.wanted, Pending)
    ]
    why = f"made by one call with {others} other{'s' * (others > 1)}, it gets its own tags"
    calls = tuple(placed(call, observed, why) for call in tag_calls(kind, observed, drifts, why))
    told = tuple(found for found in drifts if found.path != f"Tags.{APPLIED_TAG}")
    return Steps("update", calls, drift=told, why=why)


def _mend(facts: Facts, desired: Desired, observed: Observed, stack: str, held: Held) -> Verdict:
    """What is done about what differs; whatever it is, what we have stopped is started again."""
    verdict = halting.started(facts.kind, observed, _mended(facts, desired, observed, stack, held))
    if isinstance(verdict, Steps):
        return replace(
            verdict,
            calls=tuple(placed(call, observed, call.why or verdict.why) for call in verdict.calls),
            rescue=tuple(placed(call, observed, call.why) for call in verdict.rescue),
        )
    return verdict


def _mended(facts: Facts, desired: Desired, observed: Observed, stack: str, held: Held) -> Verdict:
    kind = facts.kind
    wanted = wanted_tags(kind, desired, stack)
    tags = tag_drift(wanted, observed.tags)
    owner = [found for found in tags if found.path.removeprefix("Tags.") in OWNER_TAGS]
    tags = [found for found in tags if found not in owner and not is_ignored(found.path, desired.ignore)]
    drifts = [found for name in desired.spec for found in field_drift(facts, name, desired, observed)]
    drifts = [found for found in drifts if not is_ignored(found.path, desired.ignore)]
    part_drifts = [found for part in kind.parts for found in part_drift(part, desired, observed)]
    if not (tags or owner or drifts or part_drifts):  # as nearly always
        return _at_rest(facts, desired, observed, wanted)
    if fixed := [found for found in drifts if _is_fixed(facts, found.path)]:
        stuck = _cannot_change(facts, desired, observed, stack, tuple(fixed))
        if owner and isinstance(stuck, Blocked):
            # whose it is, and whether it may go, is put right all the same
            why = f"{_why(owner)}; then: {stuck.why}"
            return Steps("update", tuple(tag_calls(kind, observed, owner, why)), drift=tuple(owner), why=why)
        return stuck
    later = [] if halting.stands_still(kind, observed) else halting.needing(kind, drifts)
    drifts = [found for found in drifts if found not in later]
    changed, halted = kind.in_order(_fields(drifts), desired.spec), _fields(later)
    updates = list(_updates(facts, desired, observed, changed))
    if first := untying(kind, changed, _less_ignored(desired), observed, tuple(drifts), updates):
        return first
    work = [*updates, *part_calls(kind, desired, observed, held)]
    last = [*part_calls(kind, desired, observed, held, last=True)]
    tags = [found for found in tags if found.path.removeprefix(f"Tags.{DIGEST_TAG}") not in halted]
    done = _applied(facts, desired, observed, wanted) if (work or tags) and not later else []
    if kind.sequential and updates and len(work) > 1:
        work, tags, done = [*room(kind, desired, observed)] or updates[:1], [], []  # the rest in later looks
    calls = [
        *tag_calls(kind, observed, owner, _why(owner)),
        *work,
        *tag_calls(kind, observed, [*tags, *done], _why(tags or done)),  # last: digests say what was done
    ]
    if calls:
        everything = (*drifts, *part_drifts, *owner, *tags)
        cut = any(
            found.seen is not None
            for part in kind.parts
            if part.disruptive
            for found in part_drift(part, desired, observed)
        )
        disruptive = cut or (kind.halt is None and bool(halting.needing(kind, drifts)))
        why = _why(everything)
        return Steps("update", tuple(calls), drift=everything, why=why, disruptive=disruptive)
    if later:
        return halting.stopping(kind, observed, later, halted)
    verdict = goes_on(kind, desired, observed)
    if isinstance(verdict, Settled) and last:
        return Steps("update", tuple(last), drift=tuple(part_drifts), why=_why(tuple(part_drifts)))
    if isinstance(verdict, Settled) and (waits := put_off(kind, desired, observed, held)):
        return replace(waits, drift=tuple(part_drifts))
    return _at_rest(facts, desired, observed, wanted)


def _at_rest(facts: Facts, desired: Desired, observed: Observed, wanted: dict[str, Any]) -> Verdict:
    """What is left to do where nothing differs, or nothing of it can be mended now."""
    verdict = goes_on(facts.kind, desired, observed)
    if isinstance(verdict, Settled) and is_stale(facts, desired, wanted, observed.tags):
        why = "what was last applied is written down anew"
        stale = tag_calls(facts.kind, observed, _applied(facts, desired, observed, wanted), why)
        return Steps("update", tuple(stale), why=why)
    return verdict


def goes_on(kind: Kind, desired: Desired, observed: Observed) -> Verdict:
    """What the kind's own small state machine has left to do; `desired` is resolved."""
    return kind.then(_less_ignored(desired), observed) if kind.then else Settled()


def _less_ignored(desired: Desired) -> Desired:
    """The same without the fields whose drift is left alone."""
    if not desired.ignore:
        return desired
    return replace(
        desired,
        spec={name: value for name, value in desired.spec.items() if not is_ignored(name, desired.ignore)},
    )


def _is_fixed(facts: Facts, path: str) -> bool:
    """Whether what is at a path cannot change after creation."""
    name, member = _field(path), path.rpartition(".")[2]
    remedy = facts.kind.remedies.get(name)
    return not facts.fields[name].mutable or (remedy is not None and member in remedy.fixed)


def _applied(facts: Facts, desired: Desired, observed: Observed, wanted: dict[str, Any]) -> list[Drift]:
    """How the tag that says what was applied has to change; nothing while a value of it is not known."""
    if facts.kind.tags_steer:
        return []
    tag = applied_tag(facts, desired, wanted)
    before = observed.tags.get(APPLIED_TAG)
    return [] if isinstance(tag, Pending) or tag == before else [Drift(f"Tags.{APPLIED_TAG}", tag, before)]


def _cannot_change(
    facts: Facts, desired: Desired, observed: Observed, stack: str, drifts: tuple[Drift, ...]
) -> Verdict:
    paths = ", ".join(found.path for found in drifts)
    if desired.replace is None:
        choice = "change it back, or say `replace: delete-first`"
        choice += "" if facts.kind.unique else " or `replace: create-first`"
        return Blocked(f"{paths} cannot change after creation: {choice}", drifts)
    if desired.protect or (facts.kind.protected and desired.protect is None):
        return Blocked(
            f"{paths} cannot change after creation, and it is protected: say `protect: false`", drifts
        )
    why = f"{paths} cannot change after creation"
    if desired.replace == "delete-first":
        steps = releasing(facts.kind, observed, why) or removal(facts.kind, observed, why)
        return replace(steps, verb="replace", drift=drifts) if isinstance(steps, Steps) else steps
    moving = [placed(call, observed, call.why) for call in make_way(facts.kind, observed, desired)]
    birth = replace(creation(facts, desired, stack, (observed.id,)), why=why)
    return Steps("replace", (*moving, birth), drift=drifts, why=why)


def _updates(facts: Facts, desired: Desired, observed: Observed, changed: list[str]) -> Iterator[Call]:
    """The calls of single fields; then one of the update operation, and one of each other that is joined."""
    kind = facts.kind
    joined: dict[str, dict[str, Any]] = {}
    names: dict[str, list[str]] = {}
    alone: list[Call] = []
    for name in changed:
        wanted = _minded(desired.spec[name], name, desired.ignore)
        remedy = kind.remedies.get(name)
        if remedy is None:
            assert kind.update is not None, "only an update call makes a field updatable"
            seen = None if name in kind.whole else observed.spec.get(name)
            joined.setdefault(kind.update, {})[name] = _cleared(_merged(wanted, seen))
            names.setdefault(kind.update, []).append(name)
        elif remedy.joins:
            for call in remedy.make(observed, _present(wanted)):
                joined.setdefault(call.operation, {}).update(call.parameters)
                names.setdefault(call.operation, []).append(name)
        else:
            alone += remedy.make(observed, _present(wanted))
    yield from alone
    for operation, together in joined.items():
        parameters = identity(kind, observed) | together
        why = "differs: " + ", ".join(dict.fromkeys(names[operation]))
        yield Call(service=kind.service, operation=operation, parameters=parameters, why=why)


def _minded(wanted: Any, path: str, ignore: tuple[str, ...]) -> Any:
    """What is wanted, less the members whose paths are ignored."""
    if not isinstance(wanted, dict):
        return wanted
    return {
        name: _minded(value, f"{path}.{name}", ignore)
        for name, value in wanted.items()
        if not is_ignored(f"{path}.{name}", ignore)
    }


def _merged(wanted: Any, seen: Any) -> Any:
    """A structure is sent whole: whether AWS merges one that is sent in part is not documented."""
    return {**seen, **wanted} if isinstance(wanted, dict) and isinstance(seen, dict) else wanted


def _cleared(value: Any) -> Any:
    """The empty string is how Network Manager's PATCH updates remove a value; null is how a config says it."""
    if isinstance(value, dict):
        return {name: _cleared(inner) for name, inner in value.items()}
    return "" if value is None else value


def _present(value: Any) -> Any:
    """A value without the members that are null: what is not there yet need not be cleared."""
    if isinstance(value, dict):
        return {name: _present(inner) for name, inner in value.items() if inner is not None}
    return value


def _whereabouts(thing: Desired | Observed) -> str:
    return f"{thing.region} of {thing.account}"


def _fields(drifts: list[Drift]) -> list[str]:
    return list(dict.fromkeys(_field(found.path) for found in drifts))


def _field(path: str) -> str:
    return path.split(".", 1)[0].split("[", 1)[0]


def _why(drifts: Any) -> str:
    return "differs: " + ", ".join(dict.fromkeys(found.path for found in drifts))
