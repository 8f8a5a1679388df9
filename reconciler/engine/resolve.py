"""References become values.  Used by `planner`; `outputs` of a config go through it as well."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from operator import is_
from typing import Any

from reconciler.model.address import Address
from reconciler.model.things import PLAIN, Observed, Parameter, Pending, Ref, Text

Lookup = Callable[[Address], Observed | None]
"""Who holds an address and may be referred to now; None when nobody does."""


@dataclass
class Resolved:
    """A value with its references filled in; `missing` are the addresses that could not be, in order of appearance."""

    value: Any
    missing: list[Address] = field(default_factory=list)


def nobody(_: Address) -> None:
    """No address is held by anybody."""
    return None


def resolve(value: Any, lookup: Lookup, holder: Lookup = nobody) -> Resolved:
    """Fill in every reference in `value`; what cannot be filled in becomes Pending, and what has none stays itself.

    `holder` says who holds an address, whether or not it may be referred to.
    """
    result = Resolved(None)
    result.value = _fill(value, lookup, holder, result.missing)
    return result


def _fill(value: Any, lookup: Lookup, holder: Lookup, missing: list[Address]) -> Any:
    if isinstance(value, PLAIN):
        return value
    if isinstance(value, dict):
        known = {
            name: inner if isinstance(inner, PLAIN) else _fill(inner, lookup, holder, missing)
            for name, inner in value.items()
        }
        return value if all(map(is_, known.values(), value.values())) else known
    match value:
        case Ref(to, attribute):
            thing = lookup(to)
            found = None if thing is None else attribute_of(thing, attribute)
            if found is None:
                if to not in missing:
                    missing.append(to)
                there = holder(to)
                return Pending(to, None if there is None else there.id)
            return found
        case Text(parts):
            return join([_fill(part, lookup, holder, missing) for part in parts])
        case Mapping():
            return {name: _fill(inner, lookup, holder, missing) for name, inner in value.items()}
        case list() | tuple():
            filled = [_fill(inner, lookup, holder, missing) for inner in value]
            return value if isinstance(value, list) and all(map(is_, filled, value)) else filled
    return value


def join(parts: list[Any]) -> Any:
    """The parts of a longer string as one: a Text while one of them is Pending, or a parameter that is still unread."""
    if any(isinstance(part, Parameter | Pending) for part in parts):
        return Text(tuple(part if isinstance(part, Parameter | Pending) else str(part) for part in parts))
    return "".join(map(str, parts))


def attribute_of(thing: Observed, attribute: str) -> Any:
    """What `${kind/name}` (id or arn) or `${kind/name.Field}` gives; None when AWS does not report it."""
    match attribute:
        case "id":
            return thing.id
        case "name":
            return thing.raw.get("name", thing.id)
        case "arn":
            return thing.arn
    return thing.spec.get(attribute, thing.raw.get(attribute))
