"""A plan as text with terraform's familiar signs, and as versioned JSON.  Called by `cli`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from reconciler.model.calls import Call
from reconciler.model.fields import Facts
from reconciler.model.plan import Entry, Plan
from reconciler.model.schema import Shape
from reconciler.model.things import ADDRESS_TAG, APPLIED_TAG, BATCH_TAG, DIGEST_TAG, STACK_TAG, Pending, Scope
from reconciler.model.verdicts import Blocked, Drift, Origin, Settled, Steps, Verdict, Wait

VERSION = 1
"""Of the JSON document; rises only when a member is removed or changes its meaning."""
SIGNS = {"create": "+", "update": "~", "replace": "-/+", "delete": "-"}
COLOURS = {"+": "32", "~": "33", "-/+": "35", "-": "31", "…": "36", "!": "31;1"}
HIDDEN = "(sensitive)"
ORIGINS: Mapping[Origin, str] = {
    "drift": "changed in AWS",
    "pending": "changed in the config",
    "both": "changed in AWS and in the config",
    "unknown": "unknown who has changed it",
}
"""Who has made a path differ, for people."""
OUR_TAGS = {STACK_TAG, ADDRESS_TAG, APPLIED_TAG, BATCH_TAG}
LONGEST = 120

Secrets = frozenset[str]
"""Names of fields and members, at any depth, whose values are not shown."""


def as_text(
    plan: Plan,
    facts: Mapping[str, Facts],
    *,
    colour: bool = False,
    conclusion: Callable[[Plan], str] | None = None,
) -> str:
    """The plan for people: what is settled is only counted, deletions come last, and the `conclusion` (`summary`)."""
    lines: list[str] = []
    hidden = _hidden(plan, facts)
    born = _born(plan)
    several = len({entry.scope.account for entry in plan.entries}) > 1
    for entry in plan.entries:
        kind = entry.scope.kind
        lines += _entry(entry, facts[kind], hidden[kind], colour, several)
        if _is_lost(entry) and (heirs := born.get(entry.scope)):
            lines.append(
                f"      rename? then say `previously: [{entry.label}]` at {_or(heirs)}, and it stays"
            )
    for where, why in plan.unseen.items():
        lines.append(clean(f"  ? {where} could not be read, so nothing of it is created or deleted: {why}"))
    lines += [clean(f"  ! {conflict}") for conflict in plan.conflicts]
    if lines:
        lines.append("")
    return "\n".join([*lines, (conclusion or summary)(plan)]) + "\n"


def _born(plan: Plan) -> dict[Scope, list[str]]:
    """What is to be created, by kind and place: the new names of things that seem to be lost may be among them."""
    found: dict[Scope, list[str]] = {}
    for entry in plan.entries:
        if isinstance(entry.verdict, Steps) and entry.verdict.verb == "create":
            found.setdefault(entry.scope, []).append(entry.label)
    return found


def _is_lost(entry: Entry) -> bool:
    """Whether a thing is to go because its address has left the config."""
    deleted = isinstance(entry.verdict, Steps) and entry.verdict.verb == "delete"
    return deleted and not entry.wanted and not entry.old


def _or(labels: list[str]) -> str:
    return " or ".join(labels[:3]) + (" or …" if len(labels) > 3 else "")


def summary(plan: Plan) -> str:
    """The last line: everything counted, deletions at the end."""
    if plan.settled:
        return f"No changes. {plan.stack} is as declared ({len(plan.entries)} settled)."
    verbs = [entry.verdict.verb for entry in plan.entries if isinstance(entry.verdict, Steps)]
    counts = [
        f"{verbs.count('create')} to create",
        f"{verbs.count('update')} to update",
        f"{verbs.count('replace')} to replace",
    ]
    counts += [f"{waiting} waiting"] if (waiting := plan.count(Wait)) else []
    counts += [f"{blocked} blocked"] if (blocked := plan.count(Blocked)) else []
    return f"Plan: {', '.join(counts)}, {plan.count(Settled)} settled, {verbs.count('delete')} to delete."


def drift_summary(plan: Plan) -> str:
    """The last line of `drift`: what has changed in AWS, apart from what has only changed in the config."""
    drifted = [entry.label for entry in plan.entries if entry.drifted and not entry.missing]
    missing = [entry.label for entry in plan.entries if entry.missing]
    pending = sum(not entry.drifted and isinstance(entry.verdict, Steps) for entry in plan.entries)
    told = [f"differs in AWS: {', '.join(drifted)}"] if drifted else []
    told += [f"not there: {', '.join(missing)}"] if missing else []
    told += [f"not clear whose: {len(plan.conflicts)}"] if plan.conflicts else []
    told = told or ["No drift in what could be read" if plan.unseen else "No drift"]
    told += [f"could not be read: {', '.join(plan.unseen)}"] if plan.unseen else []
    if pending:
        told.append(f"{pending} {'change' if pending == 1 else 'changes'} of the config pending")
    return f"{'; '.join(told)}."


def _entry(entry: Entry, facts: Facts, hidden: Secrets, colour: bool, several: bool) -> Iterator[str]:
    """What is said of an entry; `several` accounts are told apart."""
    sign, words = _head(entry.verdict)
    if not sign:
        yield from (clean(f"    {entry.label}: {note}") for note in getattr(entry.verdict, "notes", ()))
        return
    place = [entry.scope.region, f"of {entry.scope.account}" if several else ""]
    where = f" ({' '.join(filter(None, place))})" if any(place) else ""
    id = f" {entry.seen.id}" if entry.seen else ""
    yield _coloured(clean(f"  {sign} {entry.label}{where}{id}{words}"), sign, colour)
    if isinstance(entry.verdict, Steps) and entry.verdict.verb == "create":
        yield from map(clean, _creation(entry.verdict, facts, hidden))
    for found in getattr(entry.verdict, "drift", ()):
        yield clean(f"      {_change(found, hidden)}")


def _head(verdict: Verdict) -> tuple[str, str]:
    match verdict:
        case Steps(verb, _, _, why, disruptive):
            told = disruptive or verb in ("delete", "replace")
            return SIGNS[verb], f": {verb}" + (f" ({why})" if told else "")
        case Wait(why):
            return "…", f": waits, {why}"
        case Blocked(why):
            return "!", f": blocked, {why}"
    return "", ""


def _creation(steps: Steps, facts: Facts, hidden: Secrets) -> Iterator[str]:
    for call in steps.calls:
        for name, value in call.parameters.items():
            if name in facts.fields:
                yield f"      {name}: {shown(value, name, hidden)}"
        tags = birth_tags(call.parameters)
        for key in sorted(tags.keys() - OUR_TAGS):
            if not key.startswith(DIGEST_TAG):
                yield f"      Tags.{key}: {shown(tags[key], f'Tags.{key}', hidden)}"


def birth_tags(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The tags in the parameters of a create call, however the service takes them."""
    pairs = list(parameters.get("Tags", ()))
    pairs += [
        tag for specification in parameters.get("TagSpecifications", ()) for tag in specification["Tags"]
    ]
    return {tag["Key"]: tag["Value"] for tag in pairs} | dict(parameters.get("tags", {}))


def _change(found: Drift, hidden: Secrets) -> str:
    wanted = shown(found.wanted, found.path, hidden)
    change = wanted if found.seen is None else f"{shown(found.seen, found.path, hidden)} -> {wanted}"
    return f"{found.path}: {change}  ({ORIGINS[found.origin]})"


# ---- what must not be shown


def _hidden(plan: Plan, facts: Mapping[str, Facts]) -> dict[str, Secrets]:
    """The secrets of every kind of a plan."""
    return {kind: secrets(facts[kind]) for kind in {entry.scope.kind for entry in plan.entries}}


def secrets(facts: Facts) -> Secrets:
    """What a kind keeps to itself: fields that AWS never reports, and all that AWS marks as sensitive."""
    found = {name for name, field in facts.fields.items() if field.write_only}
    for name, field in facts.fields.items():
        found |= _marked(name, field.shape, set())
    return frozenset(found)


def _marked(name: str, shape: Shape, seen: set[str]) -> set[str]:
    if shape.sensitive or (shape.item is not None and shape.item.sensitive):
        return {name}
    if shape.name in seen:
        return set()
    seen.add(shape.name)
    found = _marked(name, shape.item, seen) if shape.item is not None else set()
    return found.union(*(_marked(member, inner, seen) for member, inner in shape.members.items()))


def is_hidden(path: str, hidden: Secrets) -> bool:
    """Whether the value at a path must not be shown.  Digests tell something of short secrets."""
    top, *below = re.split(r"[.\[\]]+", path)
    if top == "Tags":
        return path.startswith(f"Tags.{DIGEST_TAG}")
    return any(name in hidden for name in (top, *below))


def veiled(value: Any, hidden: Secrets) -> Any:
    """A value as JSON has it, without what must not be shown inside it."""
    match value:
        case Mapping():
            tag = str(value.get("Key", "")).startswith(DIGEST_TAG)
            return {
                str(name): HIDDEN if name in hidden or (tag and name == "Value") else veiled(inner, hidden)
                for name, inner in value.items()
            }
        case list() | tuple() | set() | frozenset():
            return [veiled(inner, hidden) for inner in value]
        case None | bool() | int() | float() | str():
            return value
    return str(value)


def shown(value: Any, path: str, hidden: Secrets) -> str:
    """A value in one line."""
    if isinstance(value, Pending):
        return str(value)
    if is_hidden(path, hidden):
        return HIDDEN
    if value is None:
        return "(none)"
    text = json.dumps(veiled(value, hidden), ensure_ascii=False)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def clean(line: str) -> str:
    """A line of text without what a terminal would obey: AWS's words hold what others have written."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in line)


def _coloured(text: str, sign: str, colour: bool) -> str:
    return f"\x1b[{COLOURS[sign]}m{text}\x1b[0m" if colour else text


def as_data(plan: Plan, facts: Mapping[str, Facts]) -> dict[str, Any]:
    """The plan for programs: every address with verdict, drift, calls and reason."""
    hidden = _hidden(plan, facts)
    return {
        "version": VERSION,
        "stack": plan.stack,
        "settled": plan.settled,
        "addresses": [entry_data(entry, hidden[entry.scope.kind]) for entry in plan.entries],
        "conflicts": list(plan.conflicts),
        "unread": [{"scope": scope._asdict(), "reason": why} for scope, why in plan.unread.items()],
        "closed": dict(plan.closed),
        "summary": summary(plan),
    }


def entry_data(entry: Entry, hidden: Secrets) -> dict[str, Any]:
    """One entry for programs."""
    verdict = entry.verdict
    return {
        "address": entry.label,
        "kind": entry.scope.kind,
        "account": entry.scope.account,
        "region": entry.scope.region,
        "id": entry.seen.id if entry.seen else None,
        "verdict": type(verdict).__name__.lower(),
        "verb": verdict.verb if isinstance(verdict, Steps) else None,
        "disruptive": isinstance(verdict, Steps) and verdict.disruptive,
        "reason": getattr(verdict, "why", "") or "; ".join(getattr(verdict, "notes", ())),
        "drifted": entry.drifted,
        "drift": [_drift_data(drift, hidden) for drift in getattr(verdict, "drift", ())],
        "calls": [_call_data(call, hidden) for call in getattr(verdict, "calls", ())],
    }


def _call_data(call: Call, hidden: Secrets) -> dict[str, Any]:
    return {
        "service": call.service,
        "operation": call.operation,
        "account": call.account,
        "region": call.region,
        "parameters": veiled(call.parameters, hidden),
        "reason": call.why,
    }


def _drift_data(drift: Drift, hidden: Secrets) -> dict[str, Any]:
    secret = is_hidden(drift.path, hidden)
    return {
        "path": drift.path,
        "wanted": HIDDEN if secret else veiled(drift.wanted, hidden),
        "seen": HIDDEN if secret else veiled(drift.seen, hidden),
        "origin": drift.origin,
    }
