"""`${…}` in a text: variables and repeats are filled in, references stay.  Used by `reader` and `check`.

`${var.x}` and `${each.x}` become values, `${ssm:/path}` a Parameter, `${kind/name}` a Pointer, whose target is
looked up by `check`.  A variable or repeat may stand inside a reference: `${site/dock-${each.n}}`.  `$${` is a
literal `${`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from itertools import groupby
from typing import NamedTuple

from reconciler.desired.findings import short
from reconciler.desired.nodes import Scalar
from reconciler.desired.scalars import Value
from reconciler.model.things import Parameter

TOKEN = re.compile(r"\$\$\{|\$\{|\}")
PARAMETER_PATH = re.compile(r"(/[A-Za-z0-9_.-]+)+")
DEEPEST = 5
LONGEST = 1_000_000
"""Characters of a text that is filled in: a long value that is named often must not fill the memory."""
FORMS = "expected ${kind/name}, ${kind/name.Field}, ${var.x}, ${each.x} or ${ssm:/path}; $${ is a literal ${"


Near = Callable[[str, Collection[str]], str]
"""Suggests one of some words for one that is unknown."""


class FillError(Exception):
    """A text that cannot be filled in.  An empty `what` means that the cause is reported elsewhere.

    `at` is where in the text it goes wrong; `quotes` says that `what` repeats some of it.
    """

    def __init__(self, what: str, hint: str = "", at: int = 0, quotes: bool = False) -> None:
        self.what, self.hint, self.at, self.quotes = what, hint, at, quotes
        super().__init__(what)


class Hole(NamedTuple):
    """`${…}` as it stands in a text, what is inside not yet understood; `at` is its place in the text."""

    pieces: tuple[str | Hole, ...]
    at: int


class Filled(NamedTuple):
    """A value that came from a variable or a `for`."""

    text: str
    value: Value


class Pointer(NamedTuple):
    """`${kind/name.Field}` without its braces."""

    text: str


Piece = str | Filled | Pointer | Parameter


class Names(NamedTuple):
    """What `${var.x}` and `${each.x}` mean.

    A variable or repeat that is None is declared and has no good value, which is reported where it is declared.
    `complete` is False when a file could not be read, which may declare more.  `each` is None outside a `for`;
    `vague` says that the `for` itself is no good.
    """

    variables: Mapping[str, Scalar | None]
    each: Mapping[str, Scalar | None] | None = None
    complete: bool = True
    vague: bool = False


def parse(text: str) -> tuple[str | Hole, ...]:
    """The pieces of a text in order; FillError when a `${` is not closed."""
    stack: list[list[str | Hole]] = [[]]
    starts: list[int] = []
    end = 0
    for token in TOKEN.finditer(text):
        if token.start() > end:
            stack[-1].append(text[end : token.start()])
        end = token.end()
        if token[0] == "${":
            stack.append([])
            starts.append(token.start())
            if len(stack) > DEEPEST:
                raise FillError("${…} nests too deeply", at=starts[0])
        elif token[0] == "}" and starts:
            inside = stack.pop()
            stack[-1].append(Hole(tuple(inside), starts.pop()))
        else:
            stack[-1].append(token[0].removeprefix("$"))
    if starts:
        raise FillError("a ${ is not closed by }", "write $${ for a literal ${", starts[0])
    if end < len(text):
        stack[0].append(text[end:])
    return tuple(stack[0])


def fill(text: str, names: Names, near: Near, errors: list[FillError]) -> tuple[Piece, ...] | None:
    """The pieces of a text with variables and repeats filled in; neighbouring texts are one.

    None when a name is unknown or a form misspelt: `errors` then holds one for each of them.
    """
    before = len(errors)
    pieces: list[Piece] = []
    length = 0
    try:
        for part in parse(text):
            found = part if isinstance(part, str) else _meant(part, names, near, errors)
            length += len(
                found.text if isinstance(found, Filled) else found if isinstance(found, str) else ""
            )
            if length > LONGEST:
                raise FillError(f"becomes longer than {LONGEST:,} characters")
            if found is not None:
                pieces.append(found)
    except FillError as error:
        errors.append(error)
    if len(errors) > before:
        return None
    return tuple(pieces) if len(pieces) == 1 else tuple(_joined(pieces))


def _joined(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """A longer text: values in it count by their spelling."""
    spelt = (piece.text if isinstance(piece, Filled) else piece for piece in pieces)
    for plain, group in groupby(spelt, lambda piece: isinstance(piece, str)):
        if plain:
            yield "".join(str(piece) for piece in group)
        else:
            yield from group


def _meant(hole: Hole, names: Names, near: Near, errors: list[FillError]) -> Piece | None:
    try:
        return _meaning(hole, names, near)
    except FillError as error:
        errors.append(FillError(error.what, error.hint, hole.at, error.quotes))
        return None


def _meaning(hole: Hole, names: Names, near: Near) -> Piece:
    body = "".join(_inner(piece, names, near) for piece in hole.pieces)
    if body.startswith("var."):
        return _variable(body.removeprefix("var."), names, near)
    if body.startswith("each."):
        return _each(body.removeprefix("each."), names, near)
    if body.startswith("ssm:"):
        path = body.removeprefix("ssm:")
        if not PARAMETER_PATH.fullmatch(path):
            raise FillError(f"${{{short(body)}}} names no parameter", "expected ${ssm:/path}", quotes=True)
        return Parameter(path)
    if body.startswith("file:"):
        what = f"${{{short(body)}}} cannot stand here"
        raise FillError(what, "a file is the whole of a field that AWS takes as a JSON document", quotes=True)
    if "/" in body and ":" not in body:
        return Pointer(body)
    hint, (prefix, _, name) = FORMS, body.partition(".")
    if prefix.lower() in {"var", "each"}:
        hint = f"did you mean ${{{prefix.lower()}.{short(name)}}}?"
    elif body in names.variables:
        hint = f"did you mean ${{var.{body}}}?"
    elif body in (names.each or {}):
        hint = f"did you mean ${{each.{body}}}?"
    raise FillError(f"${{{short(body)}}} is not a reference", hint, quotes=True)


def _inner(piece: str | Hole, names: Names, near: Near) -> str:
    if isinstance(piece, str):
        return piece
    found = _meaning(piece, names, near)
    if not isinstance(found, Filled):
        raise FillError("only ${var.x} and ${each.x} can stand inside ${…}")
    return found.text


def _variable(name: str, names: Names, near: Near) -> Filled:
    if name not in names.variables:
        what = f"no variable is called {short(name)!r}" if names.complete else ""
        raise FillError(what, near(name, names.variables) or "declare it under variables:")
    value = names.variables[name]
    if value is None:
        raise FillError("")
    return Filled(value.text, value.value)


def _each(name: str, names: Names, near: Near) -> Filled:
    if names.vague:
        raise FillError("")
    if names.each is None:
        what = f"${{each.{short(name)}}} stands outside a `for`"
        raise FillError(what, "only a resource with a `for` of its own has it")
    if name not in names.each:
        raise FillError(f"`for` has no list called {short(name)!r}", near(name, names.each))
    value = names.each[name]
    if value is None:
        raise FillError("")
    return Filled(value.text, value.value)
