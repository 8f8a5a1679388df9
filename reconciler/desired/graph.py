"""What refers to what: the addresses of a config, what AWS reports of each kind, and circles.

Used by `check` (where a reference leads) and `load` (circles).
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import reduce
from typing import Any, NamedTuple

from reconciler.desired.findings import Findings
from reconciler.knots import knots
from reconciler.model.address import Address
from reconciler.model.fields import fields
from reconciler.model.kind import Kind
from reconciler.model.schema import Schema, Shape

FIELD = re.compile(r"(?P<address>[^/]+/.+?)\.(?P<attribute>id|arn|[A-Z][A-Za-z0-9.]*)")
BEHIND = re.compile(r"(?P<address>[^/]+/.+)\.(?P<attribute>[A-Za-z0-9]+)")
"""What may have been meant for an attribute."""
MOST_COMPARED = 1000
"""Addresses among which one that was meant is looked for."""
SIMPLE_PATH = re.compile(r"[A-Za-z0-9]+(\[\])?(\.[A-Za-z0-9]+(\[\])?)*")


class Edge(NamedTuple):
    """A reference to `to`; `hard` ones must exist first.  `place` is a mark of the YAML."""

    to: Address
    place: Any
    hard: bool


class Catalogue:
    """What can be referred to.

    `complete` is False when a file that may hold more could not be read; `vague` matches the addresses that may be
    declared by an entry whose own address or `for` is no good, whatever its capitals.
    """

    def __init__(
        self,
        addresses: Collection[Address],
        kinds: Mapping[str, Kind],
        schema: Schema,
        complete: bool,
        vague: Sequence[str] = (),
    ) -> None:
        self.addresses, self.complete = frozenset(addresses), complete
        self._kinds, self._schema = kinds, schema
        self._vague = re.compile("|".join(vague), re.IGNORECASE) if vague else None
        self._reported: dict[str, Mapping[str, str] | None] = {}
        self._texts: dict[str, list[str]] = {}

    def lacks(self, text: str) -> bool:
        """Whether it is certain that no resource has an address that is spelt so."""
        if self._vague is not None and self._vague.fullmatch(text):
            return False
        return self.complete and _address(text) not in self.addresses

    def knows(self, kind: str) -> bool:
        """Whether there is such a kind."""
        return kind in self._kinds

    def find(self, text: str) -> tuple[Address | None, str | None]:
        """The address and the attribute of `kind/name.Attribute`; no address when the text spells none.

        Names may hold dots, so a resource of that whole name goes before an attribute.  A word behind an address
        that exists is an attribute, although no attribute may be spelt so.
        """
        whole = _address(text)
        if whole in self.addresses:
            return whole, None
        if parsed := FIELD.fullmatch(text):
            return _address(parsed["address"]), parsed["attribute"]
        parsed = BEHIND.fullmatch(text)
        if parsed and (owner := _address(parsed["address"])) in self.addresses:
            return owner, parsed["attribute"]
        return whole, None

    def reported(self, kind: str) -> Mapping[str, str] | None:
        """The fields of a kind that a reference may name, with their types; None when that cannot be told."""
        if kind not in self._reported:
            self._reported[kind] = reported(self._kinds[kind], self._schema) if kind in self._kinds else None
        return self._reported[kind]

    def meant(self, text: str) -> Address | None:
        """The resource that a text spells, but for braces, dollars, blanks and capitals."""
        address = _address(text.strip("${} ").lower())
        return address if address in self.addresses else None

    def near(self, address: Address, findings: Findings) -> str:
        """A suggestion for an address that leads nowhere: of its own kind, if there are any."""
        if not self._texts:
            for known in sorted(self.addresses):
                for kind in (known.kind, ""):
                    texts = self._texts.setdefault(kind, [])
                    if len(texts) < MOST_COMPARED:
                        texts.append(str(known))
        if address.kind in self._texts:
            return findings.near(str(address), self._texts[address.kind])
        found = findings.closest(str(address), self._texts.get("", ()))
        return f"did you mean {found}?" if found else ""


def _address(text: str) -> Address | None:
    try:
        return Address.parse(text)
    except ValueError:
        return None


def reported(kind: Kind, schema: Schema) -> Mapping[str, str] | None:
    """The type of each member of a row of the kind's list, and of each field; None when the path is no simple one."""
    if not SIMPLE_PATH.fullmatch(kind.read.path):
        return None
    try:
        rows = row_shape(schema.operation(kind.service, kind.read.operation).output, kind.read.path)
    except KeyError:
        return None
    types = {name: shape.type for name, shape in rows.members.items()}
    types |= {name: field.shape.type for name, field in fields(kind, schema).items()}
    return types | {part.field: "list" for part in kind.parts}


def row_shape(answer: Shape, path: str) -> Shape:
    """The shape of one row at `A` or `A[].B[]` of an answer; KeyError when the path leads nowhere."""

    def step(shape: Shape, name: str) -> Shape:
        member = shape.members[name.removesuffix("[]")]
        return member.item or member

    return reduce(step, path.split("."), answer)


def circles(edges: Mapping[Address, Sequence[Edge]]) -> Iterator[list[Address]]:
    """Each group of resources that wait for each other, as one shortest way round from its first address."""
    order = {address: number for number, address in enumerate(edges)}
    ahead = {
        address: [edge.to for edge in out if edge.hard and edge.to in edges and edge.to != address]
        for address, out in edges.items()
    }
    for group in knots(ahead):
        first = min(group, key=order.__getitem__)
        yield _round(first, group, ahead)


def _round(
    first: Address, group: Collection[Address], ahead: Mapping[Address, Sequence[Address]]
) -> list[Address]:
    """The shortest way from an address back to itself."""
    before: dict[Address, Address] = {}
    queue = deque([first])
    while queue:
        here = queue.popleft()
        for target in ahead[here]:
            if target == first:
                way = [first, here]
                while way[-1] != first:
                    way.append(before[way[-1]])
                return way[::-1] if here != first else [first, first]
            if target in group and target not in before:
                before[target] = here
                queue.append(target)
    raise AssertionError("a knot has a way round")
