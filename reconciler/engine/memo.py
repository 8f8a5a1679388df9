"""What has been concluded already of things and wishes that are still the same.  Kept by `loop`, used by `planner`.

All of it is what pure functions gave for the same arguments: with an empty memory every plan is the same, and later.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from reconciler.engine.batches import batches
from reconciler.engine.order import AllFacts, in_order, needs, refers
from reconciler.engine.resolve import Lookup
from reconciler.model.address import Address
from reconciler.model.things import Desired, Observed
from reconciler.model.verdicts import Settled, Verdict


class _Settled(NamedTuple):
    """`named` are those that hold what the wish refers to."""

    observed: Observed
    named: tuple[Observed | None, ...]
    making_way: tuple[str, ...]
    verdict: Settled


@dataclass
class Memo:
    """Conclusions about one config at a time; `remembers`: whether there is another look that they are of use for."""

    remembers: bool = True
    _resources: Mapping[Address, Desired] = field(default_factory=dict)
    _order: tuple[Address, ...] = ()
    _stack: str = ""
    _needs: dict[Address, tuple[Address, ...]] = field(default_factory=dict)
    _refers: dict[Address, tuple[Address, ...]] = field(default_factory=dict)
    _settled: dict[Address, _Settled] = field(default_factory=dict)
    _facts: AllFacts = field(default_factory=dict)
    _batches: Mapping[Address, tuple[Address, ...]] | None = None

    def of(self, resources: Mapping[Address, Desired], facts: AllFacts, stack: str) -> Memo:
        """This one, for these resources; what was concluded of others is forgotten."""
        if resources is not self._resources or stack != self._stack:
            self._resources, self._stack, self._settled = resources, stack, {}
            self._facts, self._batches = facts, None
            self._needs = {
                address: tuple(needs(desired, facts[address.kind], resources))
                for address, desired in resources.items()
            }
            self._refers = {}
            self._order = tuple(in_order(self._needs))
        return self

    @property
    def order(self) -> tuple[Address, ...]:
        """As `order.in_order`."""
        return self._order

    @property
    def batches(self) -> Mapping[Address, tuple[Address, ...]]:
        """As `batches.batches`."""
        if self._batches is None:
            self._batches = batches(self._resources, self._facts)
        return self._batches

    def needs(self, address: Address) -> tuple[Address, ...]:
        """As `order.needs`."""
        return self._needs[address]

    def recall(
        self, address: Address, observed: Observed | None, making_way: tuple[str, ...], usable: Lookup
    ) -> Settled | None:
        """That a thing is as it is wanted, if that was so when it, and all that its wish refers to, was the same."""
        found = self._settled.get(address)
        if found is None or found.observed is not observed or found.making_way != making_way:
            return None
        if any(usable(to) is not thing for to, thing in zip(self._refers[address], found.named, strict=True)):
            return None
        return found.verdict

    def note(
        self,
        address: Address,
        observed: Observed | None,
        making_way: tuple[str, ...],
        usable: Lookup,
        verdict: Verdict,
    ) -> None:
        """What was concluded, to be recalled if it is that.

        Of what takes something from others (`Part.moves`) nothing is remembered: it hangs on their wishes too.
        """
        self._settled.pop(address, None)
        if not self.remembers:
            return
        moves = any(part.moves for part in self._facts[address.kind].kind.parts)
        if isinstance(verdict, Settled) and observed is not None and not moves:
            if address not in self._refers:
                self._refers[address] = refers(self._resources[address])
            named = tuple(map(usable, self._refers[address]))
            self._settled[address] = _Settled(observed, named, making_way, verdict)
