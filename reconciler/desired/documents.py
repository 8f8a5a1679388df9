"""Fields that AWS takes as JSON in a string, written in the config as YAML.  Called by `resource`."""

from __future__ import annotations

import json
from typing import Any

from reconciler.desired.nodes import Entries, Items, Node, Scalar


def as_json(node: Node) -> Node:
    """A mapping or list as the one text that it stands for; references in it stay where they are."""
    if isinstance(node, Scalar):
        return node
    text = json.dumps(_value(node), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return Scalar(node.mark, text, text)


def _value(node: Node) -> Any:
    match node:
        case Entries(entries=entries):
            return {name: _value(entry.node) for name, entry in entries.items()}
        case Items(items=items):
            return [_value(item) for item in items]
        case Scalar(value=value):
            return value
