"""What goes from one thing to another of its kind and is never to be without one (a subnet and its route table).

The thing that is to have it takes it from the one that has it in a single call; so that one leaves it alone until then.
Used by `planner`.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping

from reconciler.engine.order import AllFacts
from reconciler.engine.resolve import Lookup, resolve
from reconciler.model.address import Address
from reconciler.model.things import Desired, Observed, Pending, Spec, contains

Item = tuple[str, str, Hashable]
"""A kind, the field of a part that `moves`, and which item it is."""


class Moving:
    """Who is to have what."""

    def __init__(self, resources: Mapping[Address, Desired], facts: AllFacts) -> None:
        self._resources, self._facts = resources, facts
        self._takers: dict[Item, Address] | None = None

    def kept(self, address: Address, spec: Spec, holder: Observed | None, usable: Lookup) -> Spec:
        """What an address wants, and beside it what its thing has and another is to take from it; `usable` gives what
        may be referred to."""
        parts = [part for part in self._facts[address.kind].kind.parts if part.moves and part.field in spec]
        if holder is None or not parts:
            return spec
        if self._takers is None:
            self._takers = self._who_takes(usable)
        found = dict(spec)
        for part in parts:
            wanted = list(spec[part.field] or ())
            stays = [
                part.normal(item)
                for item in part.rows(holder.raw)
                if self._takers.get((address.kind, part.field, part.key(item)), address) != address
            ]
            found[part.field] = wanted + stays
        return found

    def _who_takes(self, usable: Lookup) -> dict[Item, Address]:
        found: dict[Item, Address] = {}
        for address, desired in self._resources.items():
            for part in self._facts[address.kind].kind.parts:
                if part.moves and desired.spec.get(part.field):
                    for item in resolve(desired.spec[part.field], usable).value:
                        if not contains(item, Pending):
                            found[(address.kind, part.field, part.key(part.normal(item)))] = address
        return found
