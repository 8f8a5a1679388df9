"""Values of fields, held against AWS's service model on the way from nodes to values.  Called by `resource`.

Types, members, what is required, enums, lengths and ranges are checked; patterns are not.  A value that holds
a reference is known only later and is checked for its type alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from reconciler.desired.findings import Findings, named, place, short
from reconciler.desired.graph import Catalogue, Edge
from reconciler.desired.reader import Path, Reader, shown
from reconciler.desired.references import Filled, Names, Piece, Pointer
from reconciler.desired.scalars import core
from reconciler.desired.source import Entries, Items, Node, Scalar
from reconciler.model.address import Address
from reconciler.model.schema import Shape
from reconciler.model.things import Parameter, Ref, Text

TEXT = frozenset({"string", "timestamp", "blob", "character"})
WHOLE = frozenset({"integer", "long"})
NUMBER = frozenset({"float", "double"})
WORDS = {
    **dict.fromkeys(TEXT, "a string"),
    **dict.fromkeys(WHOLE, "a whole number"),
    **dict.fromkeys(NUMBER, "a number"),
    "boolean": "true or false",
    "structure": "a mapping",
    "map": "a mapping",
    "list": "a list",
}


class Slot:
    """What may stand at one path of a kind's fields: a shape, and what a reference there must lead to.

    Made once for each path that is met; `path` is spelt as in `Kind.refs` (`Ingress[].ReferencedGroupId`).
    """

    def __init__(self, shape: Shape, path: str, targets: Mapping[str, tuple[str, str]]) -> None:
        self.shape, self.path, self._targets = shape, path, targets
        self.type = shape.type
        self.enum = frozenset(shape.enum)
        self.minimum, self.maximum = shape.minimum, shape.maximum
        self.required = shape.required
        self.sensitive = shape.sensitive
        self.target = targets.get(path)

    @cached_property
    def members(self) -> dict[str, Slot]:
        """The members of a structure."""
        return {
            name: Slot(shape, f"{self.path}.{name}", self._targets)
            for name, shape in self.shape.members.items()
        }

    @cached_property
    def item(self) -> Slot:
        """What a list or map holds."""
        assert self.shape.item is not None, f"{self.shape.name} holds nothing"
        return Slot(self.shape.item, f"{self.path}[]", self._targets)


class PartSlot(Slot):
    """A list whose items' shape the kind's record names (`Part.shape`)."""

    def __init__(self, shape: Shape, path: str, targets: Mapping[str, tuple[str, str]]) -> None:
        super().__init__(shape, path, targets)
        self.type, self.enum, self.required = "list", frozenset(), ()
        self.minimum = self.maximum = None

    @cached_property
    def item(self) -> Slot:
        return Slot(self.shape, f"{self.path}[]", self._targets)


class Checker(Reader):
    """Makes the values of one resource's fields; `edges` gathers what it refers to."""

    def __init__(self, findings: Findings, names: Names, owner: Address, catalogue: Catalogue) -> None:
        super().__init__(findings, names)
        self.owner, self.catalogue = owner, catalogue
        self.edges: list[Edge] = []

    def value(self, node: Node, slot: Slot, path: Path, hard: bool) -> Any:
        """The value of a node; `hard` says that its references must exist before the resource can be made."""
        if type(node) is Scalar:
            if type(node.value) is str and "${" in node.value:
                return self._filled(node, slot, path, hard)
            return self._scalar(node, slot, path)
        if type(node) is Entries and slot.type == "structure":
            return self._structure(node, slot, path, hard)
        if type(node) is Entries and slot.type == "map":
            return {
                key: self.value(entry.node, slot.item, (*path, key), hard)
                for key, entry in node.entries.items()
            }
        if type(node) is Items and slot.type == "list":
            self._measured(node, slot, path, len(node.items), "items")
            return [
                self.value(item, slot.item, (*path, index), hard) for index, item in enumerate(node.items)
            ]
        self._mismatch(node, slot, path)
        return None

    def _mismatch(self, node: Node, slot: Slot, path: Path, hint: str = "") -> None:
        """Report a value of another type than the slot's; what AWS marks as sensitive is not repeated."""
        wanted = WORDS.get(slot.type, slot.type)
        if slot.type == "list" and not isinstance(node, Items) and shown(node) != "nothing":
            hint = "put it in a list: [ ]"
        if slot.sensitive:
            self.findings.add(node.mark, path, f"expected {wanted}", hint)
        else:
            self.wrong(node, path, wanted, hint)

    def _structure(self, node: Entries, slot: Slot, path: Path, hard: bool) -> dict[str, Any]:
        members, found = slot.members, {}
        for name, entry in node.entries.items():
            member = members.get(name)
            if member is None:
                self.findings.add(
                    entry.key.mark, (*path, name), "there is no such field", self.findings.near(name, members)
                )
            else:
                found[name] = self.value(entry.node, member, (*path, name), hard)
        for name in slot.required:
            if name not in node.entries:
                self.findings.add(node.mark, path, f"{name} is required")
        return found

    def _scalar(self, node: Scalar, slot: Slot, path: Path) -> Any:
        """A value without references, of the type that the slot wants."""
        value, kind = node.value, slot.type
        if kind in TEXT:
            if node.filled:
                value = node.text
            elif not isinstance(value, str):
                self._mismatch(node, slot, path, "quote it" if node.text else 'write "" for an empty one')
                return None
            if slot.enum and value not in slot.enum:
                what = "this value is not allowed" if slot.sensitive else f"{short(value)!r} is not allowed"
                self.findings.add(node.mark, path, what, self.findings.near(value, slot.enum))
            elif slot.minimum is not None or slot.maximum is not None:
                self._measured(node, slot, path, len(value), "characters")
            return value
        if node.filled and isinstance(value, str):
            value = core(node.text)
        if kind == "boolean":
            good = isinstance(value, bool)
        else:
            good = isinstance(value, int) and not isinstance(value, bool) and kind in WHOLE | NUMBER
            good = good or (isinstance(value, float) and kind in NUMBER and abs(value) < float("inf"))
        if not good:
            quoted = (
                isinstance(node.value, str)
                and not node.filled
                and type(core(node.text)) in (int, float, bool)
            )
            single = kind not in {"list", "structure", "map"}
            self._mismatch(node, slot, path, "remove the quotes" if quoted and single else "")
            return None
        if isinstance(value, int | float) and kind != "boolean":
            self._measured(node, slot, path, value, "")
        return value

    def _measured(self, node: Node, slot: Slot, path: Path, size: float, unit: str) -> None:
        """Check a length or a number against the slot's bounds."""
        least, most = slot.minimum, slot.maximum
        if (least is None or size >= least) and (most is None or size <= most):
            return
        bounds = f"{least} to {most}" if least is not None and most is not None else ""
        bounds = bounds or (f"at least {least}" if least is not None else f"at most {most}")
        what = (
            f"has {size} {unit}, allowed are {bounds}" if unit else f"is {shown(node)}, allowed is {bounds}"
        )
        self.findings.add(node.mark, path, what)

    def _filled(self, node: Scalar, slot: Slot, path: Path, hard: bool) -> Any:
        """A text with `${…}` in it."""
        pieces = self.pieces(node, path)
        match pieces:
            case None:
                return None
            case (Filled(text=text, value=value),):
                return self._scalar(Scalar(node.mark, text, value, filled=True), slot, path)
            case (str(text),):
                return self._scalar(Scalar(node.mark, text, text), slot, path)
            case (Pointer() as pointer,):
                return self._reference(node, pointer, slot, path, hard)
        if slot.type not in TEXT:
            self._mismatch(node, slot, path)
            return None
        return pieces[0] if len(pieces) == 1 else self.joined(node, pieces, path, hard)

    def _reference(self, node: Scalar, pointer: Pointer, slot: Slot, path: Path, hard: bool) -> Ref | None:
        """A reference that is the whole value: the slot says where it must lead, and by what that is known."""
        found = self.reference(node, pointer, path, hard)
        if found is None:
            return None
        ref, spelt = found
        if spelt is None or spelt in {"id", "arn"}:
            if slot.type not in TEXT:
                self._mismatch(node, slot, path)
                return None
            wanted, attribute = slot.target or (ref.to.kind, "id")
            if wanted != ref.to.kind:
                what = f"needs {named(wanted)}, {ref.to} is {named(ref.to.kind)}"
                self.findings.add(node.mark, path, what)
                return None
            return Ref(ref.to, spelt or attribute)
        return ref

    def joined(self, node: Scalar, pieces: tuple[Piece, ...], path: Path, hard: bool) -> Text | None:
        """A longer text with references in it."""
        parts: list[str | Ref | Parameter] = []
        for piece in pieces:
            if isinstance(piece, Pointer):
                found = self.reference(node, piece, path, hard)
                if found is None:
                    return None
                parts.append(found[0])
            elif not isinstance(piece, Filled):
                parts.append(piece)
        return Text(tuple(parts))

    def reference(
        self, node: Scalar, pointer: Pointer, path: Path, hard: bool
    ) -> tuple[Ref, str | None] | None:
        """What a pointer leads to, and the attribute that it spells; None when it leads nowhere."""
        address, attribute = self.catalogue.find(pointer.text)
        if address is None:
            what = f"${{{short(pointer.text)}}} is not a reference"
            self.findings.add(node.mark, path, what, "expected ${kind/name} or ${kind/name.Field}")
            return None
        if address not in self.catalogue.addresses:
            if self.catalogue.complete:
                hint = self.catalogue.near(address, self.findings)
                self.findings.add(
                    node.mark, path, f"refers to {address}, which is nowhere in the config", hint
                )
            return None
        if attribute not in {None, "id", "arn"}:
            fields = self.catalogue.reported(address.kind)
            if fields is not None and attribute not in fields:
                hint = self.findings.near(str(attribute), fields)
                self.findings.add(node.mark, path, f"{named(address.kind)} has no field {attribute!r}", hint)
                return None
        if hard and address == self.owner:
            self.findings.add(node.mark, path, "refers to the resource that it stands in")
            return None
        self.edges.append(Edge(address, place(node.mark), hard))
        return Ref(address, attribute or "id"), attribute
