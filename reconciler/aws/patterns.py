"""Rows of EC2 that are alike in all but their texts, put together without being parsed.  Used by `decoding`.

Most rows of a look have the same elements in the same order.  Once two have had them, the second is parsed and decoded
as any other, but for its texts, of which is noted where each belongs: that is the pattern.  A further row is cut into
its elements and its texts, and where the elements are those of a pattern the texts are all there is to it.

Rows share the structures, lists and texts that are equal in them: most of what one has others have too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from itertools import count
from operator import itemgetter
from typing import Any, NamedTuple
from xml.etree.ElementTree import Element, ParseError
from xml.sax.saxutils import unescape

from reconciler.aws.decoders import Decode, Decoders, Unusual, Value, parsed

Row = dict[str, Any]
Make = Callable[[list[str]], Any]
"""A value from the texts of a row."""
TEXT = re.compile(">([^<]+)<")
STRANGE = re.compile("&(?!(?:amp|lt|gt|quot|apos);)")
QUOTES = {"&quot;": '"', "&apos;": "'"}
MOST_PARTS = 10_000
"""Parts and texts that are remembered at most, to be shared by rows: what they have in common comes soon again."""
MOST_MEMBERS, MOST_SHARED = 16, 40
"""Members of a structure, and texts of any part, that may be shared; larger ones are never alike."""
MOST_TEXTS = 50_000
"""Texts of all patterns together, of which each takes some 200 bytes."""


class _Mark(NamedTuple):
    """Where a value stands in a row: whose text it is of, and what that means."""

    element: Element
    value: Value


def _marking(value: Value) -> Decode:
    return lambda element: _Mark(element, value)


_marks = Decoders(_marking)


class Patterns:
    """The patterns of all shapes, and what rows share.  Used by one thread at a time."""

    def __init__(self) -> None:
        self._met: set[int] = set()
        self._made: dict[str, Make | None] = {}
        self._room = MOST_TEXTS
        self._texts: dict[str, str] = {}
        self._parts: dict[Any, Any] = {}
        self._numbers: dict[Any, int] = {}
        self._count = count()

    def turn(self) -> None:
        """A look begins: what rows had in common is forgotten."""
        self._texts.clear()
        self._parts.clear()

    def row(self, body: bytes, shape: Any) -> Row | None:
        """A row of a shape; None where there is no pattern for it, and where what it says is none's to say."""
        pieces = TEXT.split(body.decode())
        texts, elements = pieces[1::2], "\0".join([shape.name, *pieces[::2]])
        text = "".join(texts)
        if "]]>" in text or not text.replace("\n", "").isprintable():
            return None  # perhaps no XML at all
        if "&" in text:
            if STRANGE.search(text):
                return None
            texts = [unescape(text, QUOTES) for text in texts]
        make = self._made.get(elements)
        if make is None and elements not in self._made:
            make = self._pattern(body, shape, elements, texts)
        if make is None:
            return None
        if len(self._parts) > MOST_PARTS:
            self._parts.clear()
        if len(self._texts) > MOST_PARTS:
            self._texts.clear()
        alike = self._texts.setdefault
        row: Row = make([alike(text, text) for text in texts])
        return row

    def _pattern(self, body: bytes, shape: Any, elements: str, texts: list[str]) -> Make | None:
        """That of a row, if it is the second of its elements; what is the only one of its sort needs none."""
        if (met := hash(elements)) not in self._met:
            self._met.add(met)
            return None
        self._room -= len(texts)
        if self._room < 0:
            self._forget()
            return None
        try:
            element = parsed(body)
            make = self._maker(_marks(shape)(element), _places(element, texts))
        except (Unusual, ParseError, ValueError):  # as another row of it would
            make = None
        self._made[elements] = make
        return make

    def _forget(self) -> None:
        self._met.clear()
        self._made.clear()
        self._parts.clear()
        self._numbers.clear()
        self._room = MOST_TEXTS

    def _maker(self, part: Any, places: Mapping[int, int]) -> Make:
        """What makes a part of a row again, from other texts."""
        match part:
            case _Mark(element, value):
                return _of_text(element, value, places)
            case dict():
                members = [(name, self._maker(inner, places)) for name, inner in part.items()]

                def structure(texts: list[str]) -> Any:
                    return {name: make(texts) for name, make in members}

                return self._shared(part, structure, places) if len(part) <= MOST_MEMBERS else structure
        items = [self._maker(inner, places) for inner in part]
        return self._shared(part, lambda texts: [make(texts) for make in items], places)

    def _shared(self, part: Any, make: Make, places: Mapping[int, int]) -> Make:
        """One object for all that have the same texts in a part of the same form."""
        used = [places[id(mark.element)] for mark in _all_marks(part) if id(mark.element) in places]
        first, end = (min(used), max(used) + 1) if used else (0, 0)
        if end - first > MOST_SHARED:
            return make
        number = self._numbers.setdefault(_form(part, places, first), next(self._count))
        parts = self._parts

        def shared(texts: list[str]) -> Any:
            key = (number, *texts[first:end])
            found = parts.get(key)
            if found is None:
                found = parts[key] = make(texts)
            return found

        return shared


def _places(root: Element, texts: list[str]) -> dict[int, int]:
    """Which text is whose; Unusual where they are not those of the elements, one after the other."""
    found: dict[int, int] = {}
    left = iter(enumerate(texts))

    def take(text: str) -> int:
        number, expected = next(left, (0, None))
        if text != expected:
            raise Unusual
        return number

    def walk(element: Element) -> None:
        if element.text:
            found[id(element)] = take(element.text)
        for inner in element:
            walk(inner)
            if inner.tail:
                take(inner.tail)

    walk(root)
    if next(left, None) is not None:
        raise Unusual
    return found


def _of_text(element: Element, value: Value, places: Mapping[int, int]) -> Make:
    number = places.get(id(element))
    if number is None:
        always = value("")
        return lambda texts: always
    return itemgetter(number) if value is str else lambda texts: value(texts[number])


def _all_marks(part: Any) -> list[_Mark]:
    if isinstance(part, _Mark):
        return [part]
    return [
        mark for inner in (part.values() if isinstance(part, dict) else part) for mark in _all_marks(inner)
    ]


def _form(part: Any, places: Mapping[int, int], first: int) -> Any:
    """What a part is made of, and of which of its texts: two of one form and the same texts are equal."""
    if isinstance(part, _Mark):
        number = places.get(id(part.element))
        return part.value, None if number is None else number - first
    if isinstance(part, dict):
        return dict, tuple((name, _form(inner, places, first)) for name, inner in part.items())
    return list, tuple(_form(inner, places, first) for inner in part)
