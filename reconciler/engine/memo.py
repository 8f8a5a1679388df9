"""What has been concluded already of things and wishes that are still the same.  Kept by `loop`, used by `planner`.

All of it is what pure functions gave for the same arguments: with an empty memory every plan is the same, and later.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from reconciler.engine.batches import batches
from reconciler.engine.converge import converge
from reconciler.engine.order import AllFacts, in_order, needs
from reconciler.engine.parts import Held
from reconciler.model.address import Address
from reconciler.model.fields import Facts
from reconciler.model.things import Desired, Observed
from reconciler.model.verdicts import Settled, Verdict


class _Settled(NamedTuple):
    desired: Desired
    observed: Observed
    stack: str
    making_way: tuple[str, ...]
    verdict: Verdict


@dataclass
class Memo:
    """Conclusions about one config at a time."""

    _resources: Mapping[Address, Desired] = field(default_factory=dict)
    _order: tuple[Address, ...] = ()
    _needs: dict[Address, tuple[Address, ...]] = field(default_factory=dict)
    _settled: dict[Address, _Settled] = field(default_factory=dict)
    _facts: AllFacts = field(default_factory=dict)
    _batches: Mapping[Address, tuple[Address, ...]] | None = None

    def of(self, resources: Mapping[Address, Desired], facts: AllFacts) -> Memo:
        """This one, for these resources; what was concluded of others is forgotten."""
        if resources is not self._resources:
            self._resources, self._settled = resources, {}
            self._facts, self._batches = facts, None
            self._needs = {
                address: tuple(needs(desired, facts[address.kind], resources))
                for address, desired in resources.items()
            }
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

    def converge(
        self,
        facts: Facts,
        desired: Desired,
        observed: Observed | None,
        stack: str,
        making_way: tuple[str, ...],
        held: Held = lambda part, key: None,
    ) -> Verdict:
        """As `converge.converge`; of what is settled it is remembered: nothing is put in that could be `held`."""
        found = self._settled.get(desired.address)
        same = (
            found is not None
            and found.observed is observed
            and (found.stack, found.making_way) == (stack, making_way)
            and found.desired == desired
        )
        if found is not None and same:
            return found.verdict
        verdict = converge(
            facts, desired=desired, observed=observed, stack=stack, making_way=making_way, held=held
        )
        self._settled.pop(desired.address, None)
        if isinstance(verdict, Settled) and observed is not None:
            self._settled[desired.address] = _Settled(desired, observed, stack, making_way, verdict)
        return verdict
