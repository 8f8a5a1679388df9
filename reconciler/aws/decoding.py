"""Answers of EC2, decoded by functions that are made once from botocore's service model.  Used by `session`.

botocore walks the model again for every element of every answer, which is most of what a look costs.  Here each shape
becomes a function when it is first met.  Lists are cut into their rows before that, and a row whose bytes were in the
last look too is the same object again.  What is unusual (a prefix, a comment, a member twice, a shape that EC2 has
none of today, bytes that are no number) is left to botocore's own parser, so that the answer, or the error, is always
botocore's.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from hashlib import blake2b
from typing import Any
from xml.etree.ElementTree import Element, XMLParser

from botocore.parsers import EC2QueryParser, ResponseParserFactory

Decode = Callable[[Element], Any]
ITEM = re.compile(rb"<item>|</item>|<item/>")
Row = dict[str, Any]
MOST_PARTS = 10_000
"""Parts that are remembered at most, to be shared by rows: what they have in common comes soon again."""
MOST_MEMBERS = 16
"""Members of a structure that may be shared; larger ones are never alike."""
NESTED = (dict, list)


class Unusual(Exception):
    """This is for botocore's own parser."""


class Rows:
    """Rows by their bytes, those of this look and of the one before it.  Any thread may use it.

    Nobody may change a row: the next look gives the same one out again.
    """

    def __init__(self) -> None:
        self.one_at_a_time = threading.Lock()
        """Held while an answer is decoded: two at once would be no faster, and take the memory of two."""
        self._now: dict[bytes, Row] = {}
        self._before: dict[bytes, Row] = {}
        self._parts: dict[Any, Any] = {}

    def turn(self) -> None:
        """A look begins: what the last one has not seen is forgotten."""
        self._now, self._before = {}, self._now
        self._parts = {}

    def get(self, key: bytes) -> Row | None:
        """The row, if it is known."""
        now = self._now
        row = now.get(key)
        if row is None and (row := self._before.get(key)) is not None:
            now[key] = row
        return row

    def put(self, key: bytes, row: Row) -> Row:
        """A row was decoded; gives it, sharing with others what is alike."""
        if len(self._parts) > MOST_PARTS:
            self._parts.clear()
        self._share(row)
        self._now[key] = row
        return row

    def _alike(self, part: Any) -> Any:
        """A list or a structure, or an equal one that another row of this look has: rows are alike in most."""
        parts = self._parts
        if type(part) is dict:
            self._share(part)
            if len(part) > MOST_MEMBERS:
                return part
            return parts.setdefault((*part, *map(id, part.values())), part)
        part[:] = [
            parts.setdefault(item, item)
            if type(item) is str
            else self._alike(item)
            if type(item) in NESTED
            else item
            for item in part
        ]
        return parts.setdefault((None, *map(id, part)), part)  # an empty list is no empty structure

    def _share(self, structure: Row) -> None:
        """Put what other rows have in the place of what is equal to it: the same texts, lists and structures."""
        parts = self._parts
        for name, part in structure.items():
            if type(part) is str:
                structure[name] = parts.setdefault(part, part)
            elif type(part) in NESTED:
                structure[name] = self._alike(part)


class ParserFactory(ResponseParserFactory):
    """botocore's, with another parser for EC2.  Timestamps stay as they are written: nothing here looks at one."""

    def __init__(self, rows: Rows) -> None:
        super().__init__()
        self._rows = rows
        self.set_parser_defaults(timestamp_parser=as_it_is)

    def create_parser(self, protocol_name: str) -> Any:
        """The parser of a protocol."""
        if protocol_name != "ec2":
            return super().create_parser(protocol_name)
        return _Parser(self._rows)


def as_it_is(value: Any) -> Any:
    """A timestamp as it is written."""
    return value


class _Parser(EC2QueryParser):
    def __init__(self, rows: Rows) -> None:
        super().__init__(timestamp_parser=as_it_is)
        self._rows = rows

    def _do_parse(self, response: Any, shape: Any) -> Any:
        try:
            with self._rows.one_at_a_time:
                return decoded(response["body"], shape, self._rows)
        except Exception:  # whatever it is: botocore's own parser says what it means
            return super()._do_parse(response, shape)  # type: ignore[misc] # the stubs lack it


def decoded(body: bytes, shape: Any, known: Rows) -> Row:
    """An answer; some exception where it is botocore's to say what it means."""
    if shape is None:
        raise Unusual
    lists = _lists_of_structures(shape)
    skeleton, places = _cut(body) if lists else (body, [])
    root = _parsed(skeleton)
    if not places:
        return _with_request_id(root, decoder(shape)(root))
    found: Row = {}
    taken = 0
    for element in root:
        member = lists.get(_bare(element.tag))
        if member is None:
            continue
        name, item = member
        numbers = [int(row.text or "") for row in element]
        if numbers != list(range(taken, taken + len(numbers))):
            raise Unusual(name)
        taken += len(numbers)
        found[name] = [_row(body[slice(*places[number])], item, known) for number in numbers]
        element.clear()
    if taken != len(places):  # some are elsewhere
        root = _parsed(body)
        return _with_request_id(root, decoder(shape)(root))
    return _with_request_id(root, decoder(shape)(root) | found)


def _row(body: bytes, shape: Any, known: Rows) -> Row:
    if _holds_keys(shape):
        return _decoded_row(body, shape)
    key = blake2b(body, digest_size=16, person=shape.name[:16].encode()).digest()
    row = known.get(key)
    if row is None:
        row = known.put(key, _decoded_row(body, shape))
    return row


def _decoded_row(body: bytes, shape: Any) -> Row:
    row: Row = decoder(shape)(_parsed(body))
    return row


def _cut(body: bytes) -> tuple[bytes, list[tuple[int, int]]]:
    """The answer with its outermost items by their numbers instead, and where these begin and end.

    Both together are well-formed exactly when the answer is.  What seems to be a tag may stand in a comment or an
    instruction, and nowhere else.
    """
    if b"<!" in body or body.find(b"<?", 1) > 0:
        raise Unusual
    kept: list[bytes] = []
    places: list[tuple[int, int]] = []
    depth = end = start = 0
    for found in ITEM.finditer(body):
        tag = found[0]
        if tag == b"<item>":
            if not depth:
                start = found.start()
            depth += 1
        elif tag == b"</item>":
            depth -= 1
            if depth < 0:
                raise Unusual
        if not depth:
            first = found.start() if tag == b"<item/>" else start
            kept += (body[end:first], b"<item>%d</item>" % len(places))
            end = found.end()
            places.append((first, end))
    if depth:
        raise Unusual
    kept.append(body[end:])
    return b"".join(kept), places


def _parsed(body: bytes) -> Element:
    parser = XMLParser(encoding="utf-8")
    parser.feed(body)
    root: Element = parser.close()
    return root


def _with_request_id(root: Element, found: Row) -> Row:
    ids = [element for element in root if _bare(element.tag) == "requestId"]
    if len(ids) > 1:
        raise Unusual("requestId")
    if ids:
        found["ResponseMetadata"] = {"RequestId": ids[0].text}
    return found


def _bare(tag: str) -> str:
    return tag[tag.rfind("}") + 1 :]


# ---- from the service model


def _lists_of_structures(shape: Any) -> dict[str, tuple[str, Any]]:
    """The lists of structures in an answer: the member and the shape of a row, by the name of the element."""
    return {
        member.serialization.get("name", name): (name, member.member)
        for name, member in shape.members.items()
        if member.type_name == "list" and member.member.type_name == "structure"
    }


_made: dict[str, Decode | Unusual] = {}


def decoder(shape: Any) -> Decode:
    """The function for a structure of EC2; Unusual where it has something inside that is not known here.

    Others see it only once it is whole; two threads may make one twice.
    """
    if shape.name not in _made:
        try:
            _made[shape.name] = _compiled(shape, {})
        except Unusual as why:
            _made[shape.name] = why
    made = _made[shape.name]
    if isinstance(made, Unusual):
        raise made
    return made


_secretive: dict[str, bool] = {}


def _holds_keys(shape: Any) -> bool:
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


def _compiled(shape: Any, made: dict[str, Decode]) -> Decode:
    if set(shape.serialization) - {"name"} - IGNORED or shape.metadata.get("exception"):
        raise Unusual(shape.name)
    match shape.type_name:
        case "structure":
            return made[shape.name] if shape.name in made else _structure(shape, made)
        case "list":
            item = _compiled(shape.member, made)
            return lambda element: [item(inner) for inner in element]
        case kind if kind in LEAVES:
            return LEAVES[kind]
    raise Unusual(shape.name)


def _structure(shape: Any, made: dict[str, Decode]) -> Decode:
    if shape.is_tagged_union:
        raise Unusual(shape.name)
    members: dict[str, tuple[str, Decode]] = {}

    def decode(element: Element) -> Row:
        found: Row = {}
        for inner in element:
            member = members.get(inner.tag) or members.get(_bare(inner.tag))  # in a row there is no namespace
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
        members[wire] = name, _compiled(member, made)
    return decode


IGNORED = frozenset({"queryName"})
"""What of a member's serialization is about requests alone."""


def _text(element: Element) -> str:
    return element.text or ""


def _boolean(element: Element) -> bool:
    return element.text == "true"


def _integer(element: Element) -> int:
    return int(element.text or "")


def _float(element: Element) -> float:
    return float(element.text or "")


LEAVES: dict[str, Decode] = {
    "string": _text,
    "character": _text,
    "timestamp": _text,
    "boolean": _boolean,
    "integer": _integer,
    "long": _integer,
    "float": _float,
    "double": _float,
}
