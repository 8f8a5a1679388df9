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
from hashlib import blake2b
from typing import Any
from xml.etree.ElementTree import Element

from botocore.parsers import EC2QueryParser, ResponseParserFactory

from reconciler.aws.decoders import Unusual, bare, decoder, holds_keys, parsed
from reconciler.aws.patterns import Patterns

ITEM = re.compile(rb"<item>|</item>|<item/>")
HEAD = 200
"""Bytes within which an answer's declaration ends."""
Row = dict[str, Any]


class Rows:
    """Rows by their bytes, those of this look and of the one before it.  Any thread may use it.

    Nobody may change a row: the next look gives the same one out again.  `remembers`: whether there is a next look.
    """

    def __init__(self) -> None:
        self.remembers = True
        self.one_at_a_time = threading.Lock()
        """Held while an answer is decoded: two at once would be no faster, and take the memory of two."""
        self._now: dict[bytes, Row] = {}
        self._before: dict[bytes, Row] = {}
        self.patterns = Patterns()

    def turn(self) -> None:
        """A look begins: what the last one has not seen is forgotten."""
        self._now, self._before = {}, self._now
        self.patterns.turn()

    def get(self, key: bytes) -> Row | None:
        """The row, if it is known."""
        now = self._now
        row = now.get(key)
        if row is None and (row := self._before.get(key)) is not None:
            now[key] = row
        return row

    def put(self, key: bytes, row: Row) -> None:
        """A row was decoded."""
        self._now[key] = row


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
    root = parsed(skeleton)
    if not places:
        return _with_request_id(root, decoder(shape)(root))
    found: Row = {}
    taken = 0
    for element in root:
        member = lists.get(bare(element.tag))
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
        root = parsed(body)
        return _with_request_id(root, decoder(shape)(root))
    return _with_request_id(root, decoder(shape)(root) | found)


def _row(body: bytes, shape: Any, known: Rows) -> Row:
    if holds_keys(shape):
        return _decoded_row(body, shape)
    if not known.remembers:
        return known.patterns.row(body, shape) or _decoded_row(body, shape)
    key = blake2b(body, digest_size=16, person=shape.name[:16].encode()).digest()
    row = known.get(key)
    if row is None:
        row = known.patterns.row(body, shape) or _decoded_row(body, shape)
        known.put(key, row)
    return row


def _decoded_row(body: bytes, shape: Any) -> Row:
    row: Row = decoder(shape)(parsed(body))
    return row


def _cut(body: bytes) -> tuple[bytes, list[tuple[int, int]]]:
    """The answer with its outermost items by their numbers instead, and where these begin and end.

    Both together are well-formed exactly when the answer is.  What seems to be a tag may stand in a comment or an
    instruction, and nowhere else.
    """
    if _has(body, b"<!", 0) or _has(body, b"<?", body.find(b"?>", 0, HEAD) + 1):
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


def _has(body: bytes, mark: bytes, start: int) -> bool:
    """Whether a mark of two bytes is behind a place; to look for one byte takes a hundredth of the time."""
    return body.find(mark[1:], start) >= 0 and body.find(mark, start) >= 0


def _with_request_id(root: Element, found: Row) -> Row:
    ids = [element for element in root if bare(element.tag) == "requestId"]
    if len(ids) > 1:
        raise Unusual("requestId")
    if ids:
        found["ResponseMetadata"] = {"RequestId": ids[0].text}
    return found


def _lists_of_structures(shape: Any) -> dict[str, tuple[str, Any]]:
    """The lists of structures in an answer: the member and the shape of a row, by the name of the element."""
    return {
        member.serialization.get("name", name): (name, member.member)
        for name, member in shape.members.items()
        if member.type_name == "list" and member.member.type_name == "structure"
    }
