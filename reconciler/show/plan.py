"""A plan as text with terraform's familiar signs, and as versioned JSON.  Called by `cli`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.model.fields import Facts
from reconciler.model.plan import Entry, Plan
from reconciler.model.things import ADDRESS_TAG, STACK_TAG, Pending
from reconciler.model.verdicts import Blocked, Drift, Settled, Steps, Verdict, Wait

VERSION = 1
"""Of the JSON document; rises only when a member is removed or changes its meaning."""
SIGNS = {"create": "+", "update": "~", "replace": "-/+", "delete": "-"}
COLOURS = {"+": "32", "~": "33", "-/+": "35", "-": "31", "…": "36", "!": "31;1"}
HIDDEN = "(sensitive)"
OWNER_TAGS = {STACK_TAG, ADDRESS_TAG}
LONGEST = 120


def as_text(plan: Plan, facts: Mapping[str, Facts], *, colour: bool = False) -> str:
    """The plan for people: what is settled is only counted, deletions come last."""
    lines: list[str] = []
    for entry in plan.entries:
        lines += _entry(entry, facts[entry.scope.kind], colour)
    for scope, why in plan.unread.items():
        lines.append(f"  ? {scope} could not be read, so nothing of it is created or deleted: {why}")
    lines += [f"  ! {conflict}" for conflict in plan.conflicts]
    if lines:
        lines.append("")
    return "\n".join([*lines, summary(plan)]) + "\n"


def summary(plan: Plan) -> str:
    """The last line: everything counted, deletions at the end."""
    if plan.settled and not plan.conflicts:
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


def _entry(entry: Entry, facts: Facts, colour: bool) -> Iterator[str]:
    sign, words = _head(entry.verdict)
    if not sign:
        yield from (f"    {entry.label}: {note}" for note in getattr(entry.verdict, "notes", ()))
        return
    where = f" ({entry.scope.region})" if entry.scope.region else ""
    id = f" {entry.seen.id}" if entry.seen else ""
    yield _coloured(f"  {sign} {entry.label}{where}{id}{words}", sign, colour)
    if isinstance(entry.verdict, Steps) and entry.verdict.verb == "create":
        yield from _creation(entry.verdict, facts)
    for found in getattr(entry.verdict, "drift", ()):
        yield f"      {_change(found, facts)}"


def _head(verdict: Verdict) -> tuple[str, str]:
    match verdict:
        case Steps(verb, _, _, why):
            return SIGNS[verb], f": {verb}" + (f" ({why})" if verb in ("delete", "replace") else "")
        case Wait(why):
            return "…", f": waits, {why}"
        case Blocked(why):
            return "!", f": blocked, {why}"
    return "", ""


def _creation(steps: Steps, facts: Facts) -> Iterator[str]:
    for call in steps.calls:
        for name, value in call.parameters.items():
            if name in facts.fields:
                yield f"      {name}: {shown(value, hidden=is_hidden(name, facts))}"
        tags = {key: value for key, value in birth_tags(call.parameters).items() if key not in OWNER_TAGS}
        for key, value in sorted(tags.items()):
            yield f"      Tags.{key}: {shown(value)}"


def birth_tags(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The tags in the parameters of a create call, however the service takes them."""
    pairs = list(parameters.get("Tags", ()))
    pairs += [
        tag for specification in parameters.get("TagSpecifications", ()) for tag in specification["Tags"]
    ]
    return {tag["Key"]: tag["Value"] for tag in pairs}


def _change(found: Drift, facts: Facts) -> str:
    hidden = is_hidden(found.path, facts)
    if found.seen is None:
        return f"{found.path}: {shown(found.wanted, hidden=hidden)}"
    return f"{found.path}: {shown(found.seen, hidden=hidden)} -> {shown(found.wanted, hidden=hidden)}"


def is_hidden(path: str, facts: Facts) -> bool:
    """Whether the value at a path must not be shown: AWS marks it, or never reports it itself."""
    name, *rest = path.replace("[", ".").split(".")
    field = facts.fields.get(name)
    if field is None:
        return False
    shape = field.shape
    if field.write_only or shape.sensitive:
        return True
    for member in rest:
        shape = shape.members.get(member, shape)
        if shape.sensitive:
            return True
    return False


def shown(value: Any, *, hidden: bool = False) -> str:
    """A value in one line."""
    if isinstance(value, Pending):
        return str(value)
    if hidden:
        return HIDDEN
    if value is None:
        return "(none)"
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _coloured(text: str, sign: str, colour: bool) -> str:
    return f"\x1b[{COLOURS[sign]}m{text}\x1b[0m" if colour else text


def as_data(plan: Plan, facts: Mapping[str, Facts]) -> dict[str, Any]:
    """The plan for programs: every address with verdict, drift, calls and reason."""
    return {
        "version": VERSION,
        "stack": plan.stack,
        "settled": plan.settled,
        "addresses": [_data(entry, facts[entry.scope.kind]) for entry in plan.entries],
        "conflicts": list(plan.conflicts),
        "unread": [{"scope": scope._asdict(), "reason": why} for scope, why in plan.unread.items()],
        "summary": summary(plan),
    }


def _data(entry: Entry, facts: Facts) -> dict[str, Any]:
    verdict = entry.verdict
    found: dict[str, Any] = {
        "address": entry.label,
        "kind": entry.scope.kind,
        "account": entry.scope.account,
        "region": entry.scope.region,
        "id": entry.seen.id if entry.seen else None,
        "verdict": type(verdict).__name__.lower(),
        "verb": verdict.verb if isinstance(verdict, Steps) else None,
        "reason": getattr(verdict, "why", "") or "; ".join(getattr(verdict, "notes", ())),
        "drift": [_drift_data(drift, facts) for drift in getattr(verdict, "drift", ())],
        "calls": [],
    }
    if isinstance(verdict, Steps):
        found["calls"] = [
            {
                "service": call.service,
                "operation": call.operation,
                "region": call.region,
                "parameters": {
                    name: HIDDEN if is_hidden(name, facts) else _plain(value)
                    for name, value in call.parameters.items()
                },
                "reason": call.why,
            }
            for call in verdict.calls
        ]
    return found


def _drift_data(drift: Drift, facts: Facts) -> dict[str, Any]:
    hidden = is_hidden(drift.path, facts)
    return {
        "path": drift.path,
        "wanted": HIDDEN if hidden else _plain(drift.wanted),
        "seen": HIDDEN if hidden else _plain(drift.seen),
    }


def _plain(value: Any) -> Any:
    return json.loads(json.dumps(value, default=str))
