"""The tree that a file of YAML holds, each value with its place.  Made by `source`, read by all in this package."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from reconciler.desired.scalars import Value


class Scalar(NamedTuple):
    """One value.  `text` is how the file spells it.

    `filled` says that its type is open, whatever it looks like: it came from a variable or a `for`.
    """

    mark: Any
    text: str
    value: Value
    filled: bool = False


class Items(NamedTuple):
    """A list."""

    mark: Any
    items: Sequence[Node]


class Entries(NamedTuple):
    """A mapping; keys are strings and stand once."""

    mark: Any
    entries: Mapping[str, Entry]


class Entry(NamedTuple):
    """A key, with its own mark, and what stands under it."""

    key: Scalar
    node: Node


Node = Scalar | Items | Entries


def node_at(node: Node, path: Iterable[str | int]) -> Node:
    """The node at a path, or the last one on the way there."""
    for step in path:
        if isinstance(node, Entries) and isinstance(step, str) and step in node.entries:
            node = node.entries[step].node
        elif isinstance(node, Items) and isinstance(step, int) and step < len(node.items):
            node = node.items[step]
        else:
            break
    return node


def is_null(node: Node) -> bool:
    """Whether a node is `null`, or nothing at all."""
    return isinstance(node, Scalar) and node.value is None


def united(first: Entry, second: Entry) -> Entry:
    """Two entries of one key as one, so that a mistake does not hide what else is wrong in either."""
    if not isinstance(first.node, Entries) or not isinstance(second.node, Entries):
        return first
    entries = dict(first.node.entries)
    for key, entry in second.node.entries.items():
        entries[key] = united(entries[key], entry) if key in entries else entry
    return Entry(first.key, Entries(first.node.mark, entries))
