"""Fields that AWS takes as JSON in a string, written in the config as YAML.  Called by `resource`."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from reconciler.desired.nodes import Entries, Entry, Items, Node, Scalar


def as_json(node: Node) -> Node:
    """A mapping or list as the one text that it stands for; references in it stay where they are."""
    if isinstance(node, Scalar):
        return node
    text = json.dumps(_value(node), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return Scalar(node.mark, text, text)


def with_json(name: str, node: Node, documents: Collection[str]) -> Node:
    """A field with what `Kind.documents` names in it as text: the field itself (`PolicyDocument`), or members of its
    items (`Policies[].PolicyDocument`)."""
    if name in documents:
        return as_json(node)
    members = {path.removeprefix(f"{name}[].") for path in documents if path.startswith(f"{name}[].")}
    if not members or not isinstance(node, Items):
        return node
    return Items(node.mark, [_with_members(item, members) for item in node.items])


def _with_members(item: Node, members: Collection[str]) -> Node:
    if not isinstance(item, Entries):
        return item
    entries = {
        name: Entry(entry.key, as_json(entry.node)) if name in members else entry
        for name, entry in item.entries.items()
    }
    return Entries(item.mark, entries)


def _value(node: Node) -> Any:
    match node:
        case Entries(entries=entries):
            return {name: _value(entry.node) for name, entry in entries.items()}
        case Items(items=items):
            return [_value(item) for item in items]
        case Scalar(value=value):
            return value
