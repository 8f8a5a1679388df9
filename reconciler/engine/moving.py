"""What goes from one thing to another of its kind and is never to be without one (a subnet and its route table).

The thing that is to have it takes it from the one that has it in a single call; so that one leaves it alone until then.
Used by `planner`.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from functools import cached_property

from reconciler.engine.order import AllFacts
from reconciler.engine.resolve import resolve
from reconciler.model.address import Address
from reconciler.model.things import Desired, Observed, Pending, Spec, contains

Item = tuple[str, str, Hashable]
"""A kind, the field of a part that `moves`, and which item it is."""


class Moving:
    """Who is to have what."""

    def __init__(
        self,
        resources: Mapping[Address, Desired],
        facts: AllFacts,
        usable: Callable[[Address], Observed | None],
    ) -> None:
        self._resources, self._facts, self._usable = resources, facts, usable

    def kept(self, address: Address, spec: Spec, holder: Observed | None) -> Spec:
        """What an address wants, and beside it what its thing has and another is to take from it."""
        parts = self._facts[address.kind].kind.parts
        if holder is None or not parts:
            return spec
        found = dict(spec)
        for part in parts:
            if part.moves and part.field in spec:
                wanted = list(spec[part.field] or ())
                stays = [
                    part.normal(item)
                    for item in part.rows(holder.raw)
                    if self._takers.get((address.kind, part.field, part.key(item)), address) != address
                ]
                found[part.field] = wanted + stays
        return found

    @cached_property
    def _takers(self) -> dict[Item, Address]:
        found: dict[Item, Address] = {}
        for address, desired in self._resources.items():
            for part in self._facts[address.kind].kind.parts:
                if part.moves and desired.spec.get(part.field):
                    for item in resolve(desired.spec[part.field], self._usable).value:
                        if not contains(item, Pending):
                            found[(address.kind, part.field, part.key(part.normal(item)))] = address
        return found
