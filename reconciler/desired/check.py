"""Values of fields, held against AWS's service model on the way from nodes to values.  Called by `resource`.

Types, members, what is required, enums, lengths and ranges are checked; patterns are not.  A value that holds
a reference is known only later and is checked for its type alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, NamedTuple

from reconciler.desired.findings import Findings, named, short
from reconciler.desired.graph import Catalogue, Edge
from reconciler.desired.nodes import Entries, Items, Node, Scalar, is_null
from reconciler.desired.reader import LED_NOWHERE, Path, Reader, flag_hint, shown
from reconciler.desired.references import Filled, Names, Piece, Pointer
from reconciler.desired.scalars import core
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
SORTS = {**dict.fromkeys(WHOLE | NUMBER, "number"), "character": "string"}
"""Types between which a value goes as it is."""


Targets = Mapping[str, Mapping[str, str]]
"""Field path to the kinds that it may name, each with what stands there (`Kind.targets`)."""


class Found(NamedTuple):
    """What a reference leads to: the attribute as it is spelt (if it is), and its type (None: not known)."""

    ref: Ref
    spelt: str | None
    sort: str | None


class Slot:
    """What may stand at one path of a kind's fields: a shape, and what a reference there must lead to.

    Made once for each path that is met; `path` is spelt as in `Kind.refs` (`Ingress[].ReferencedGroupId`).
    """

    def __init__(self, shape: Shape, path: str, targets: Targets, *, sensitive: bool = False) -> None:
        self.shape, self.path, self._targets = shape, path, targets
        self.type = shape.type
        self.enum = frozenset(shape.enum)
        self.minimum, self.maximum = shape.minimum, shape.maximum
        self.required = shape.required
        self.sensitive = sensitive or shape.sensitive  # what holds it may be marked and it may not
        self.target = targets.get(path)
        self.in_part = False

    @cached_property
    def members(self) -> dict[str, Slot]:
        """The members of a structure."""
        return {
            name: Slot(shape, f"{self.path}.{name}", self._targets, sensitive=self.sensitive)
            for name, shape in self.shape.members.items()
        }

    @cached_property
    def item(self) -> Slot:
        """What a list or map holds."""
        assert self.shape.item is not None, f"{self.shape.name} holds nothing"
        return Slot(self.shape.item, f"{self.path}[]", self._targets, sensitive=self.sensitive)


class PartSlot(Slot):
    """A list whose items' shape the kind's record names (`Part.shape`); they are compared item by item."""

    def __init__(self, shape: Shape, path: str, targets: Targets) -> None:
        super().__init__(shape, path, targets)
        self.type, self.enum, self.required = "list", frozenset(), ()
        self.minimum = self.maximum = None

    @cached_property
    def item(self) -> Slot:
        slot = Slot(self.shape, f"{self.path}[]", self._targets)
        slot.in_part = True
        return slot


class Checker(Reader):
    """Makes the values of one resource's fields; `edges` gathers what it refers to."""

    def __init__(self, findings: Findings, names: Names, owner: Address, catalogue: Catalogue) -> None:
        super().__init__(findings, names)
        self.owner, self.catalogue = owner, catalogue
        self.edges: list[Edge] = []

    def member(self, node: Node, slot: Slot, path: Path, hard: bool, required: bool) -> Any:
        """The value of a field, or of a member of a structure: null says that it is to be cleared.

        Only a text can be: AWS takes the empty string for none, and has no such word for other types.
        """
        if type(node) is not Scalar or node.value is not None:
            value = self.value(node, slot, path, hard)
            if required and value == "" and not slot.target:
                self.findings.add(node.mark, path, "cannot be empty, it is required")
            return value
        if slot.type in TEXT and not required:
            return None
        hint = "it is required" if required else "leave it out to leave it alone"
        if slot.type == "list" and not required:
            hint = f"write [ ] for an empty one, or {hint}"
        self.wrong(node, path, WORDS.get(slot.type, slot.type), hint)
        return None

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
        if slot.type == "list" and not isinstance(node, Items) and not is_null(node):
            hint = "put it in a list: [ ]"
        if slot.sensitive and isinstance(node, Scalar) and not is_null(node):
            self.findings.add(node.mark, path, f"expected {wanted}", hint)
        else:
            self.wrong(node, path, wanted, hint)

    def _structure(self, node: Entries, slot: Slot, path: Path, hard: bool) -> dict[str, Any]:
        members, found = slot.members, {}
        meant: set[str | None] = set()
        for name, entry in node.entries.items():
            member = members.get(name)
            if member is None:
                meant.add(self.unknown(entry, path, members, "there is no such field"))
            else:
                value = self.member(entry.node, member, (*path, name), hard, name in slot.required)
                if value is not None or not slot.in_part:
                    found[name] = value
        for name in slot.required:
            if name not in node.entries and name not in meant:
                self.findings.add(node.mark, path, f"{name} is required")
        return found

    def _scalar(self, node: Scalar, slot: Slot, path: Path) -> Any:
        """A value without references, of the type that the slot wants."""
        if slot.type in TEXT:
            return self._text(node, slot, path)
        value, kind = node.value, slot.type
        if node.filled and isinstance(value, str):
            value = core(node.text)
        if kind == "boolean":
            good = isinstance(value, bool)
        else:
            good = isinstance(value, int) and not isinstance(value, bool) and kind in WHOLE | NUMBER
            good = good or (isinstance(value, float) and kind in NUMBER and abs(value) < float("inf"))
        if not good:
            number = kind in SORTS and isinstance(node.value, str) and type(core(node.text)) in (int, float)
            hint = flag_hint(node) if kind == "boolean" else "remove the quotes" if number else ""
            self._mismatch(node, slot, path, "" if node.filled else hint)
            return None
        if isinstance(value, int | float) and kind != "boolean":
            self._measured(node, slot, path, value, "")
        return value

    def _text(self, node: Scalar, slot: Slot, path: Path) -> str | None:
        value = node.text if node.filled else node.value
        if not isinstance(value, str):
            hint = "" if slot.target else 'write "" for an empty one'
            self._mismatch(node, slot, path, hint if is_null(node) else "quote it")
            return None
        if slot.enum and value not in slot.enum:
            what = "this value is not allowed" if slot.sensitive else f"{short(value)!r} is not allowed"
            self.findings.add(node.mark, path, what, self.findings.near(value, slot.enum))
        elif slot.minimum is not None or slot.maximum is not None:
            self._measured(node, slot, path, len(value), "characters")
        if slot.target:
            self._identifier(node, value, path)
        return value

    def _identifier(self, node: Scalar, value: str, path: Path) -> None:
        """Check what stands where a reference could: an address without its braces is one that was forgotten."""
        if not value:
            self.findings.add(node.mark, path, "cannot be empty", "${kind/name}, or an id")
        elif "/" in value and (meant := self.catalogue.meant(value)):
            what = f"{short(value)!r} is no id, it is the address of a resource"
            self.findings.add(node.mark, path, what, f"write ${{{meant}}}")

    def _measured(self, node: Node, slot: Slot, path: Path, size: float, unit: str) -> None:
        """Check a length or a number against the slot's bounds."""
        least, most = slot.minimum, slot.maximum
        if (least is None or size >= least) and (most is None or size <= most):
            return
        bounds = f"{least} to {most}" if least is not None and most is not None else ""
        bounds = bounds or (f"at least {least}" if least is not None else f"at most {most}")
        what = f"has {size} {unit}, allowed are {bounds}"
        if not unit:
            what = f"is {'out of bounds' if slot.sensitive else shown(node)}, allowed is {bounds}"
        self.findings.add(node.mark, path, what)

    def _filled(self, node: Scalar, slot: Slot, path: Path, hard: bool) -> Any:
        """A text with `${…}` in it."""
        pieces = self.pieces(node, path, slot.sensitive)
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
        return pieces[0] if len(pieces) == 1 else self.joined(node, pieces, path, hard, slot.sensitive)

    def _reference(
        self, node: Scalar, pointer: Pointer, slot: Slot, path: Path, hard: bool
    ) -> Ref | Text | None:
        """A reference that is the whole value: the slot says where it must lead, and by what that is known."""
        found = self.reference(node, pointer, path, hard, slot.sensitive)
        if found is None:
            return None
        ref, spelt, sort = found
        if spelt is None or spelt in {"id", "arn"}:
            if slot.type not in TEXT:
                self._mismatch(node, slot, path)
                return None
            targets = slot.target or {ref.to.kind: "id"}
            if ref.to.kind not in targets:
                what = f"needs {' or '.join(map(named, targets))}, {ref.to} is {named(ref.to.kind)}"
                self.findings.add(node.mark, path, what)
                return None
            return Ref(ref.to, spelt or targets[ref.to.kind])
        if slot.type in TEXT and sort in WHOLE:  # the number of a version, where AWS wants a text
            return Text((ref,))
        if sort is not None and SORTS.get(sort, sort) != SORTS.get(slot.type, slot.type):
            wanted, is_ = WORDS.get(slot.type, slot.type), WORDS.get(sort, sort)
            what = f"needs {wanted}, {spelt} of {named(ref.to.kind)} is {is_}"
            self.findings.add(node.mark, path, what)
            return None
        return ref

    def joined(
        self, node: Scalar, pieces: tuple[Piece, ...], path: Path, hard: bool, secret: bool = False
    ) -> Text | None:
        """A longer text with references in it."""
        parts: list[str | Ref | Parameter] = []
        good = True
        for piece in pieces:
            if isinstance(piece, Pointer):
                found = self.reference(node, piece, path, hard, secret)
                if found is None:
                    good = False
                elif self.fits_text(node, found, path):
                    parts.append(found.ref)
            elif not isinstance(piece, Filled):
                parts.append(piece)
        return Text(tuple(parts)) if good else None

    def fits_text(self, node: Scalar, found: Found, path: Path) -> bool:
        """Whether a field can be part of a text; reported if not."""
        if found.sort in {"structure", "map", "list"}:
            what = f"{found.spelt} of {named(found.ref.to.kind)} is {WORDS[found.sort]}"
            self.findings.add(node.mark, path, f"{what}, which has no place in a text")
            return False
        return True

    def reference(
        self, node: Scalar, pointer: Pointer, path: Path, hard: bool, secret: bool = False
    ) -> Found | None:
        """What a pointer leads to; None when it leads nowhere.  Nothing of a `secret` text is repeated."""
        address, attribute = self.catalogue.find(pointer.text)
        if address is None or address not in self.catalogue.addresses:
            if self.catalogue.lacks(pointer.text if address is None else str(address)):
                self.findings.add(node.mark, path, *self._lost(pointer.text, address, secret))
            return None
        sort: str | None = "string"
        if attribute is not None and attribute not in {"id", "arn"}:
            fields = self.catalogue.reported(address.kind)
            if fields is not None and attribute not in fields:
                hint = self.findings.near(attribute, fields)
                self.findings.add(node.mark, path, f"{named(address.kind)} has no field {attribute!r}", hint)
                return None
            sort = None if fields is None else fields[attribute]
        if hard and address == self.owner:
            self.findings.add(node.mark, path, "refers to the resource that it stands in")
            return None
        self.edges.append(Edge(address, node.mark, hard))
        return Found(Ref(address, attribute or "id"), attribute, sort)

    def _lost(self, text: str, address: Address | None, secret: bool) -> tuple[str, str]:
        """What is wrong with a reference that leads nowhere, and a hint."""
        if secret and (address is None or not self.catalogue.knows(address.kind)):
            return LED_NOWHERE
        if address is not None:
            hint = self.catalogue.near(address, self.findings)
            return f"refers to {address}, which is nowhere in the config", hint
        meant = self.catalogue.meant(text)
        hint = f"did you mean ${{{meant}}}?" if meant else "expected ${kind/name} or ${kind/name.Field}"
        return f"${{{short(text)}}} is not a reference", hint
