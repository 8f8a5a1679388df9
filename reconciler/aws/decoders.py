"""Functions that decode structures of EC2, made once from botocore's service model.  Used by `decoding` and `patterns`.

What a shape of EC2 can have that is not known here raises Unusual: it is left to botocore's own parser.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from xml.etree.ElementTree import Element, XMLParser

Decode = Callable[[Element], Any]
Value = Callable[[str], Any]
IGNORED = frozenset({"queryName"})
"""What of a member's serialization is about requests alone."""


class Unusual(Exception):
    """This is for botocore's own parser."""


def parsed(body: bytes) -> Element:
    """The root of a document; ParseError where it is not well-formed."""
    parser = XMLParser(encoding="utf-8")
    parser.feed(body)
    root: Element = parser.close()
    return root


def bare(tag: str) -> str:
    """The name of an element without its namespace."""
    return tag[tag.rfind("}") + 1 :]


def _boolean(text: str) -> bool:
    return text == "true"


VALUES: Mapping[str, Value] = {
    "string": str,
    "character": str,
    "timestamp": str,
    "boolean": _boolean,
    "integer": int,
    "long": int,
    "float": float,
    "double": float,
}
"""What a text means, by the type of its shape."""


def _text(element: Element) -> str:
    return element.text or ""


def _leaf(value: Value) -> Decode:
    return _text if value is str else lambda element: value(element.text or "")


class Decoders:
    """Functions for structures, by their shapes; `leaf` makes that of what has no members, from what its text means.

    Any thread may ask.  Others see a function only once it is whole; two threads may make one twice.
    """

    def __init__(self, leaf: Callable[[Value], Decode]) -> None:
        self._made: dict[str, Decode | Unusual] = {}
        self._leaves = {name: leaf(value) for name, value in VALUES.items()}

    def __call__(self, shape: Any) -> Decode:
        """The function for a structure of EC2; Unusual where it has something inside that is not known here."""
        if shape.name not in self._made:
            try:
                self._made[shape.name] = self._compiled(shape, {})
            except Unusual as why:
                self._made[shape.name] = why
        made = self._made[shape.name]
        if isinstance(made, Unusual):
            raise made
        return made

    def _compiled(self, shape: Any, made: dict[str, Decode]) -> Decode:
        if set(shape.serialization) - {"name"} - IGNORED or shape.metadata.get("exception"):
            raise Unusual(shape.name)
        match shape.type_name:
            case "structure":
                return made[shape.name] if shape.name in made else self._structure(shape, made)
            case "list":
                item = self._compiled(shape.member, made)
                return lambda element: [item(inner) for inner in element]
            case kind if kind in self._leaves:
                return self._leaves[kind]
        raise Unusual(shape.name)

    def _structure(self, shape: Any, made: dict[str, Decode]) -> Decode:
        if shape.is_tagged_union:
            raise Unusual(shape.name)
        members: dict[str, tuple[str, Decode]] = {}

        def decode(element: Element) -> dict[str, Any]:
            found: dict[str, Any] = {}
            for inner in element:
                member = members.get(inner.tag) or members.get(
                    bare(inner.tag)
                )  # in a row there is no namespace
                if member is not None:
                    name, value = member
                    if name in found:
                        raise Unusual(name)
                    found[name] = value(inner)
            return found

        made[shape.name] = decode  # shapes may contain themselves
        for name, member in shape.members.items():
            wire = member.serialization.get("name", name)
            if wire in members:
                raise Unusual(wire)
            members[wire] = name, self._compiled(member, made)
        return decode


decoder = Decoders(_leaf)
"""Decodes elements to values."""


_secretive: dict[str, bool] = {}


def holds_keys(shape: Any) -> bool:
    """Whether something in a structure is sensitive, as the model says: such rows are not kept."""
    if shape.name not in _secretive:
        _secretive[shape.name] = any(found.metadata.get("sensitive") for found in _all_in(shape, set()))
    return _secretive[shape.name]


def _all_in(shape: Any, met: set[str]) -> Iterator[Any]:
    yield shape
    if shape.name in met:
        return
    met.add(shape.name)
    inside = shape.members.values() if shape.type_name == "structure" else ()
    for inner in (shape.member,) if shape.type_name == "list" else inside:
        yield from _all_in(inner, met)
