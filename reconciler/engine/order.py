"""What a resource needs before it can be made, and an order in which everything comes after what it needs.

Used by `planner`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reconciler.model.address import Address
from reconciler.model.fields import Facts
from reconciler.model.kind import Kind
from reconciler.model.things import Desired, Ref, within
from reconciler.model.verdicts import Steps, Verdict

AllFacts = Mapping[str, Facts]


def needs(desired: Desired, facts: Facts, resources: Mapping[Address, Desired]) -> list[Address]:
    """The addresses without which a resource cannot be created, in order: parts can follow later, and what is `late`.

    It may say its own id or ARN, in a field that is set once it is there.
    """
    hard = [value for name, value in desired.spec.items() if name not in facts.follows]
    found = [ref.to for ref in within([*hard, desired.tags], Ref) if ref.to != desired.address]
    behind = [
        inner.to
        for path, field in facts.kind.through.items()
        if isinstance(ref := desired.spec.get(path), Ref) and ref.to in resources
        if isinstance(inner := resources[ref.to].spec.get(field), Ref)
    ]
    return list(dict.fromkeys([*found, *behind, *desired.depends_on]))


def awaited_by(kind: Kind, verdict: Verdict) -> frozenset[str] | None:
    """The kinds whose things wait until a verdict on a thing of a kind is carried out, where they come after it; None
    for all.  That a part is put in is noted in a tag, for which nobody has to wait."""
    if not isinstance(verdict, Steps) or verdict.verb != "update":
        return None
    notes = () if kind.tags_steer else kind.tagged.operations
    found = list[frozenset[str]]()
    for call in verdict.calls:
        part = next((part for part in kind.parts if call.operation in part.operations), None)
        if part is not None and part.needed_by is not None:
            found.append(part.needed_by)
        elif call.operation not in notes:
            return None
    return frozenset().union(*found) if found else None


def refers(desired: Desired) -> tuple[Address, ...]:
    """All addresses that a resource refers to, in order."""
    return tuple(dict.fromkeys(ref.to for ref in within([desired.spec, desired.tags], Ref)))


def in_order(needed: Mapping[Address, Sequence[Address]]) -> list[Address]:
    """The wanted addresses, each after all that it needs, otherwise in the order of the config."""
    order: dict[Address, None] = {}
    for first in needed:
        path = [first]  # a stack of our own: chains may be longer than Python's
        while path:
            missing = next(
                (
                    other
                    for other in needed[path[-1]]
                    if other in needed and other not in order and other not in path
                ),
                None,
            )
            if missing is None:
                order[path.pop()] = None
            else:
                path.append(missing)
    return list(order)
