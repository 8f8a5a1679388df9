"""`${…}` in a text: variables and repeats are filled in, references stay.  Used by `reader`, `check` and `unroll`.

`${var.x}`, `${each.x}` and `${each.x.field}` become values, `${ssm:/path}` a Parameter, `${kind/name}` a Pointer,
whose target is looked up by `check`.  A variable or repeat may stand inside a reference: `${site/dock-${each.n}}`.
`$${` is a literal `${`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
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


class Member(NamedTuple):
    """One value of a list, with what its record holds beside it: values, and further lists."""

    value: Scalar
    fields: Mapping[str, Scalar] = {}
    lists: Mapping[str, Sequence[Member]] = {}


class Bound(NamedTuple):
    """What a name of a `for` means in one of its combinations: the member at a place of the list that it runs over."""

    among: Sequence[Member]
    at: int

    @property
    def member(self) -> Member:
        return self.among[self.at]


class Names(NamedTuple):
    """What `${var.x}` and `${each.x}` mean, and what a `for` may name.

    A variable, list or repeat that is None is declared and has no good value, which is reported where it is declared.
    `complete` is False when a file could not be read, which may declare more.  `each` is None outside a `for`;
    `vague` says that the `for` itself is no good.
    """

    variables: Mapping[str, Scalar | None]
    each: Mapping[str, Bound | None] | None = None
    complete: bool = True
    vague: bool = False
    lists: Mapping[str, Sequence[Member] | None] = {}


@lru_cache(maxsize=1_000)
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


def each_name(text: str, names: Collection[str]) -> str:
    """The name of a `for` in what follows `each.`: all of it, or what stands before the name of a field."""
    return text if text in names else text.rpartition(".")[0] or text


def _each(text: str, names: Names, near: Near) -> Filled:
    if names.vague:
        raise FillError("")
    if names.each is None:
        what = f"${{each.{short(text)}}} stands outside a `for`"
        raise FillError(what, "only what has a `for` of its own, or stands in it, has it")
    name = each_name(text, names.each)
    if name not in names.each:
        raise FillError(f"`for` has no list called {short(name)!r}", near(name, names.each))
    bound = names.each[name]
    if bound is None:
        raise FillError("")
    value = bound.member.value if name == text else _field(name, text.removeprefix(f"{name}."), bound, near)
    return Filled(value.text, value.value)


def _field(name: str, field: str, bound: Bound, near: Near) -> Scalar:
    """A field of the record of what `name` means now."""
    member = bound.member
    if field in member.fields:
        return member.fields[field]
    if field in member.lists:
        what = f"{short(field)} of {short(name)} is a list, not a value"
        raise FillError(what, "another name of a `for` may run over it")
    others = {known for one in bound.among for known in one.fields}
    hint = near(field, others) if others else "only a mapping under lists: gives values fields"
    raise FillError(*lacking(name, f"field called {short(field)!r}", bound, field in others, hint))


def lacking(name: str, noun: str, bound: Bound, others: bool, hint: str) -> tuple[str, str]:
    """What is said of a record that lacks something: of all of the list at once, unless `others` have it."""
    if others:
        return (
            f"{short(bound.member.value.text)} has no {noun}",
            f"others that {short(name)} runs over have it",
        )
    return f"{short(name)} has no {noun}", hint


# ---- an item of a list, which knows names of its own


def settle(node: Scalar, inner: Collection[str], names: Names, near: Near) -> Scalar:
    """A scalar in which the names `inner` are filled in, and what else is known is spelt as it was.

    FillError when one cannot be, or is unknown; a text that is misspelt stays, for whoever fills in the rest.
    """
    text = str(node.value)
    try:
        pieces = parse(text)
    except FillError:
        return node
    made = tuple(_settled(piece, inner, names, near) for piece in pieces)
    match made:
        case (Filled(text=text, value=value),) if "${" not in text:
            return Scalar(node.mark, text, value, filled=True)
    spelt = _spelt(shape := _shape(made))
    if _shape(parse(spelt)) != shape:
        raise FillError("a value with $, { or } cannot stand so near to another ${…}")
    return Scalar(node.mark, spelt, spelt)


Settled = str | Filled | Hole


def _settled(piece: str | Hole, inner: Collection[str], names: Names, near: Near) -> Settled:
    if isinstance(piece, str):
        return piece
    match piece.pieces:
        case (str(body),) if body.startswith("each."):
            text = body.removeprefix("each.")
            outer = (names.each or {}).keys() - set(inner)
            return piece if each_name(text, outer) in outer else _each(text, names, near)
    pieces = (_settled(one, inner, names, near) for one in piece.pieces)
    return Hole(tuple(one.text if isinstance(one, Filled) else one for one in pieces), piece.at)


Shape = tuple["str | Shape", ...]


def _shape(pieces: Iterable[Settled]) -> Shape:
    """Pieces without their places, neighbouring texts as one."""
    plain = (piece.text if isinstance(piece, Filled) else piece for piece in pieces)
    found: list[str | Shape] = []
    for is_text, group in groupby(plain, lambda piece: isinstance(piece, str)):
        if is_text:
            found += [text] if (text := "".join(map(str, group))) else []
        else:
            found += [_shape(hole.pieces) for hole in group if isinstance(hole, Hole)]
    return tuple(found)


def _spelt(shape: Shape) -> str:
    """The text that `parse` takes apart into pieces of this shape, unless a value in it spoils that."""
    return "".join(
        "${" + _spelt(piece) + "}" if isinstance(piece, tuple) else piece.replace("${", "$${")
        for piece in shape
    )
