"""`lists:`: lists of values that a `for` may run over, each value with a record of its own.  Called by `load`.

`repeats` reads the lists that are written in a `for` itself with it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from reconciler.desired.findings import Findings, short
from reconciler.desired.nodes import Entries, Entry, Items, Node, Scalar
from reconciler.desired.reader import LETTERS, Path, Reader
from reconciler.desired.references import Member, Names

IN_ADDRESS = re.compile(r"[a-z0-9._/-]*")
NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")
"""Of a list or field: without dots, for a dot leads to a field."""
NAME_RULE = "small letters, digits, dashes and underscores, a letter or digit first"
VALUE = "a string or a whole number"
FIELD = "a string, a number, true or false, or a list"


def read_lists(
    entries: Mapping[str, Entry], names: Names, findings: Findings
) -> dict[str, tuple[Member, ...] | None]:
    """The lists by their names; one with a mistake in it is None, so that nothing is said of what it lacks."""
    found: dict[str, tuple[Member, ...] | None] = {}
    reader = Reader(findings, names)
    for name, entry in entries.items():
        before, path = findings.told, ("lists", name)
        _named(entry, path, reader)
        members = _list(entry.node, path, reader)
        found[name] = members if findings.told == before else None
    return found


def _named(entry: Entry, path: Path, reader: Reader) -> None:
    name = str(entry.key.value)
    if not NAME.fullmatch(name):
        reader.findings.add(entry.key.mark, path, f"{short(name)!r} is not a name", NAME_RULE)


def _list(node: Node, path: Path, reader: Reader) -> tuple[Member, ...]:
    if isinstance(node, Entries):
        return tuple(_records(node, path, reader).values())
    if isinstance(node, Scalar):
        reader.wrong(node, path, "a list, or a mapping of values to their records")
        return ()
    return read_values(node, path, reader)


def _records(node: Entries, path: Path, reader: Reader) -> dict[str, Member]:
    """The members whose records stand in a mapping, by what the keys say."""
    found: dict[str, Member] = {}
    for key, entry in node.entries.items():
        at = (*path, key)
        if (value := read_value(entry.key, at, reader)) is None:
            continue
        if value.text in found:
            reader.findings.add(entry.key.mark, at, f"{short(value.text)} stands twice in this list")
        found[value.text] = _member(value, entry.node, at, reader)
    return found


def _member(value: Scalar, node: Node, path: Path, reader: Reader) -> Member:
    """A value and its record, which may be empty."""
    fields: dict[str, Scalar] = {}
    lists: dict[str, tuple[Member, ...]] = {}
    for name, entry in reader.entries(node, path, empty=True).items():
        at = (*path, name)
        _named(entry, at, reader)
        if not isinstance(entry.node, Scalar):
            lists[name] = _list(entry.node, at, reader)
        elif (field := reader.plain(entry.node, at, FIELD)) is not None:
            if field.value is None:
                reader.wrong(field, at, FIELD)
            fields[name] = field
    return Member(value, fields, lists)


def read_values(node: Items, path: Path, reader: Reader) -> tuple[Member, ...]:
    """The members of a plain list, those that are good."""
    found: dict[str, Member] = {}
    for at, item in reader.items(node, path):
        if (value := read_value(item, at, reader)) is None:
            continue
        if value.text in found:
            reader.findings.add(item.mark, at, f"{short(value.text)} stands twice in this list")
        found[value.text] = Member(value)
    return tuple(found.values())


def read_value(node: Node, path: Path, reader: Reader) -> Scalar | None:
    """A value that can stand in an address, spelt as it is there."""
    value = reader.plain(node, path, VALUE)
    if value is None:
        return None
    open_ = value.filled or isinstance(value.value, str)
    text = value.text if value.filled else str(value.value)
    if not open_ and (type(value.value) is not int or text != value.text):
        reader.wrong(value, path, VALUE, "quote it" if value.value is not None else "")
    elif not IN_ADDRESS.fullmatch(text):
        what = f"{short(text)!r} cannot stand in an address"
        reader.findings.add(node.mark, path, what, f"it has {LETTERS}")
    else:
        return Scalar(node.mark, text, value.value)
    return None
