"""`${…}` in a text: variables and repeats are filled in, references stay.  Used by `reader` and `check`.

`${var.x}` and `${each.x}` become values, `${ssm:/path}` a Parameter, `${kind/name}` a Pointer, whose target is
looked up by `check`.  A variable or repeat may stand inside a reference: `${site/dock-${each.n}}`.  `$${` is a
literal `${`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple

from reconciler.desired.scalars import Value
from reconciler.desired.source import Scalar
from reconciler.model.things import Parameter

TOKEN = re.compile(r"\$\$\{|\$\{|\}")
PARAMETER_PATH = re.compile(r"/[A-Za-z0-9_.\-/]+")
DEEPEST = 5
FORMS = "expected ${kind/name}, ${kind/name.Field}, ${var.x}, ${each.x} or ${ssm:/path}; $${ is a literal ${"


class FillError(Exception):
    """A text that cannot be filled in.  An empty `what` means that the cause is reported elsewhere."""

    def __init__(self, what: str, hint: str = "") -> None:
        self.what, self.hint = what, hint
        super().__init__(what)


class Hole(NamedTuple):
    """`${…}` as it stands in a text, what is inside not yet understood."""

    pieces: tuple[str | Hole, ...]


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

    A variable that is None is declared and has no good value, which is reported where it is declared.  `complete`
    is False when a file could not be read, which may declare more.  `each` is None outside a `for`.
    """

    variables: Mapping[str, Scalar | None]
    each: Mapping[str, Scalar] | None = None
    complete: bool = True


def parse(text: str) -> tuple[str | Hole, ...]:
    """The pieces of a text in order; FillError when a `${` is not closed."""
    stack: list[list[str | Hole]] = [[]]
    end = 0
    for token in TOKEN.finditer(text):
        if token.start() > end:
            stack[-1].append(text[end : token.start()])
        end = token.end()
        if token[0] == "${":
            stack.append([])
            if len(stack) > DEEPEST:
                raise FillError("${…} nests too deeply")
        elif token[0] == "}" and len(stack) > 1:
            inside = stack.pop()
            stack[-1].append(Hole(tuple(inside)))
        else:
            stack[-1].append(token[0].removeprefix("$"))
    if len(stack) > 1:
        raise FillError("a ${ is not closed by }", "write $${ for a literal ${")
    if end < len(text):
        stack[0].append(text[end:])
    return tuple(stack[0])


def fill(text: str, names: Names, near: Callable[[str, Collection[str]], str]) -> tuple[Piece, ...]:
    """The pieces of a text with variables and repeats filled in; neighbouring texts are one.

    `near` suggests a name for one that is unknown.  FillError when a name is unknown or a form misspelt.
    """
    pieces: list[Piece] = []
    for piece in parse(text):
        found = piece if isinstance(piece, str) else _meaning(piece, names, near)
        if isinstance(found, str) and pieces and isinstance(pieces[-1], str):
            pieces[-1] += found
        else:
            pieces.append(found)
    if len(pieces) > 1:
        return _joined(pieces)
    return tuple(pieces)


def _joined(pieces: list[Piece]) -> tuple[Piece, ...]:
    """A longer text: values in it count by their spelling."""
    joined: list[Piece] = []
    for piece in pieces:
        text = piece.text if isinstance(piece, Filled) else piece
        if isinstance(text, str) and joined and isinstance(joined[-1], str):
            joined[-1] += text
        else:
            joined.append(text)
    return tuple(joined)


def _meaning(hole: Hole, names: Names, near: Callable[[str, Collection[str]], str]) -> Piece:
    body = "".join(_inner(piece, names, near) for piece in hole.pieces)
    if body.startswith("var."):
        return _variable(body.removeprefix("var."), names, near)
    if body.startswith("each."):
        return _each(body.removeprefix("each."), names, near)
    if body.startswith("ssm:"):
        path = body.removeprefix("ssm:")
        if not PARAMETER_PATH.fullmatch(path):
            raise FillError(f"${{{body}}} names no parameter", "expected ${ssm:/path}")
        return Parameter(path)
    if "/" in body:
        return Pointer(body)
    raise FillError(f"${{{body}}} is not a reference", FORMS)


def _inner(piece: str | Hole, names: Names, near: Callable[[str, Collection[str]], str]) -> str:
    if isinstance(piece, str):
        return piece
    found = _meaning(piece, names, near)
    if not isinstance(found, Filled):
        raise FillError("only ${var.x} and ${each.x} can stand inside ${…}")
    return found.text


def _variable(name: str, names: Names, near: Callable[[str, Collection[str]], str]) -> Filled:
    if name not in names.variables:
        what = f"no variable is called {name!r}" if names.complete else ""
        raise FillError(what, near(name, names.variables) or "declare it under variables:")
    value = names.variables[name]
    if value is None:
        raise FillError("")
    return Filled(value.text, value.value)


def _each(name: str, names: Names, near: Callable[[str, Collection[str]], str]) -> Filled:
    if names.each is None:
        raise FillError(f"${{each.{name}}} stands outside a `for`")
    if name not in names.each:
        raise FillError(f"`for` has no list called {name!r}", near(name, names.each))
    value = names.each[name]
    return Filled(value.text, value.value)
