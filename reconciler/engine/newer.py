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


def asked(plan: Plan, resources: Resources, facts: AllFacts) -> dict[Where, list[str]]:
    """The parameters that tell of something newer, each once, by where they are read."""
    found: dict[Where, dict[str, None]] = {}
    for entry in plan.entries:
        for given in _given(entry, resources, facts):
            found.setdefault((entry.scope.account, entry.scope.region), {})[given.parameter] = None
    return {where: list(paths) for where, paths in found.items()}


def noted(
    plan: Plan, resources: Resources, facts: AllFacts, values: Mapping[Where, Mapping[str, str]]
) -> Plan:
    """The plan with a note at each thing that was made with an older value than its parameter has now."""

    def note(entry: Entry) -> Entry:
        now = values.get((entry.scope.account, entry.scope.region), {})
        notes = tuple(
            f"{given.field}: update available, {given.seen} -> {now[given.parameter]}"
            for given in _given(entry, resources, facts)
            if given.parameter in now and now[given.parameter] != given.seen
        )
        settled = entry.verdict
        if not notes or not isinstance(settled, Settled):
            return entry
        return replace(entry, verdict=replace(settled, notes=(*settled.notes, *notes)))

    return replace(plan, entries=tuple(map(note, plan.entries)))


def _given(entry: Entry, resources: Resources, facts: AllFacts) -> Iterator[Given]:
    """The parameters of a thing with which all is well; of another there is more to say than that."""
    if not entry.wanted or entry.seen is None or not isinstance(entry.verdict, Settled):
        return
    fields = facts[entry.scope.kind].fields
    for name, wanted in resources[entry.address].spec.items():
        if not isinstance(wanted, PLAIN) and not fields[name].write_only and contains(wanted, Parameter):
            yield from _parameters(wanted, entry.seen.spec.get(name), name)


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
