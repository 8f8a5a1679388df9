"""What is newer than what things were made with: values that are read only at creation (`${ssm:…}`) may change since.

That is told, and is no drift: what runs goes on with what it has.  Called by `loop` for the verbs that
only look, and never for a pass.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from reconciler.model.address import Address
from reconciler.model.fields import Facts
from reconciler.model.plan import Entry, Plan
from reconciler.model.things import PLAIN, Desired, Parameter, contains
from reconciler.model.verdicts import Settled

Where = tuple[str, str]
"""An account and a region: parameters are read where the thing is."""
Resources = Mapping[Address, Desired]
AllFacts = Mapping[str, Facts]


class Given(NamedTuple):
    """A parameter that something was made with: the path of the field, the parameter's, and what is there now."""

    field: str
    parameter: str
    seen: Any


Givens = Mapping[Address, list[Given]]


def given(plan: Plan, resources: Resources, facts: AllFacts) -> Givens:
    """What was given to things with which all is well; of others there is more to say than that."""
    found: dict[Address, list[Given]] = {}
    for entry in plan.entries:
        if not entry.wanted or entry.seen is None or not isinstance(entry.verdict, Settled):
            continue
        for name, wanted in resources[entry.address].spec.items():
            if isinstance(wanted, PLAIN) or not contains(wanted, Parameter):
                continue
            if not facts[entry.address.kind].fields[name].write_only:
                seen = entry.seen.spec.get(name)
                found.setdefault(entry.address, []).extend(_parameters(wanted, seen, name))
    return found


def asked(plan: Plan, givens: Givens) -> dict[Where, list[str]]:
    """The parameters that tell of something newer, each once, by where they are read."""
    found: dict[Where, dict[str, None]] = {}
    for entry in plan.entries if givens else ():
        for one in givens.get(entry.address, ()) if entry.wanted else ():
            found.setdefault((entry.scope.account, entry.scope.region), {})[one.parameter] = None
    return {where: list(paths) for where, paths in found.items()}


def noted(plan: Plan, givens: Givens, values: Mapping[Where, Mapping[str, str]]) -> Plan:
    """The plan with a note at each thing that was made with an older value than its parameter has now."""

    def note(entry: Entry) -> Entry:
        now = values.get((entry.scope.account, entry.scope.region), {})
        notes = tuple(
            f"{one.field}: update available, {one.seen} -> {now[one.parameter]}"
            for one in givens.get(entry.address, ())
            if one.parameter in now and now[one.parameter] != one.seen
        )
        settled = entry.verdict
        if not notes or not entry.wanted or not isinstance(settled, Settled):
            return entry
        return replace(entry, verdict=replace(settled, notes=(*settled.notes, *notes)))

    return replace(plan, entries=tuple(map(note, plan.entries))) if values else plan


def _parameters(wanted: Any, seen: Any, path: str) -> Iterator[Given]:
    match wanted:
        case Parameter() if seen is not None:
            yield Given(path, wanted.path, seen)
        case Mapping() if isinstance(seen, Mapping):
            for name, inner in wanted.items():
                yield from _parameters(inner, seen.get(name), f"{path}.{name}")
        case list() | tuple() if isinstance(seen, list) and len(wanted) == len(seen):
            for index, (one, other) in enumerate(zip(wanted, seen, strict=True)):
                yield from _parameters(one, other, f"{path}[{index}]")
