"""What a kind's fields allow beyond the value of each alone: paths to ignore, and items that must differ.

Used by `resource`.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from reconciler.desired.check import Slot
from reconciler.desired.findings import Findings, place, short
from reconciler.desired.nodes import Node
from reconciler.desired.reader import RESERVED_TAGS, Path
from reconciler.model.kind import Kind, Part
from reconciler.model.things import Parameter, Ref, Text

STEP = re.compile(r"\.(?P<name>[^.\[\]]+)|\[(?P<index>[0-9]+)\]")
TAGS = "Tags"


def wrong_path(
    text: str, slots: Mapping[str, Slot], whole: frozenset[str], findings: Findings
) -> tuple[str, str] | None:
    """What is wrong with the path of a drift (`Placement.Tenancy`), and a hint; None when it leads to a field.

    `whole` are the fields that are compared in one piece, so that nothing below them ever drifts.
    """
    top = re.split(r"[.\[]", text, maxsplit=1)[0]
    rest = text[len(top) :]
    if top == TAGS:
        if rest and (not rest.startswith(".") or rest[1:].lower().startswith(RESERVED_TAGS) or len(rest) < 2):
            return f"{short(text)!r} is no tag of yours", "Tags, or Tags.<key>"
        return None
    if top not in slots:
        return f"there is no field called {short(top)!r}", findings.near(top, (*slots, TAGS))
    if rest and top in whole:
        return f"{top} is compared as a whole", f"write {top}"
    slot, end = slots[top], 0
    for step in STEP.finditer(rest):
        if step.start() != end:
            break
        here, end = top + rest[:end], step.end()
        inner = _below(slot, step)
        if inner is None:
            names = slot.members if slot.type == "structure" and step["name"] else ()
            hint = findings.near(step["name"], names) if names else _hint(slot, here)
            return f"there is nothing called {short(step[0])} below {here}", hint
        slot = inner
    if end != len(rest):
        return f"{short(text)!r} is not a path", "such as Placement.Tenancy or BlockDeviceMappings[0]"
    return None


def _below(slot: Slot, step: re.Match[str]) -> Slot | None:
    if step["index"] is not None:
        return slot.item if slot.type == "list" else None
    if slot.type == "structure":
        return slot.members.get(step["name"])
    return slot.item if slot.type == "map" else None


def _hint(slot: Slot, here: str) -> str:
    return f"it is a list: {here}[0]" if slot.type == "list" else ""


def whole_fields(kind: Kind) -> frozenset[str]:
    """The fields whose drift has no path below them."""
    return kind.write_only | kind.unordered | kind.then_owns | {part.field for part in kind.parts}


def differ(part: Part, items: Sequence[Any], nodes: Sequence[Node], path: Path, findings: Findings) -> None:
    """Report each item of a part that is the same as an earlier one: AWS would hold only one of the two."""
    first: dict[Hashable, int] = {}
    for index, item in enumerate(items):
        try:
            key = part.key(part.normal(_spelt(item)))
        except KeyError as missing:
            findings.add(nodes[index].mark, (*path, index), f"{missing.args[0]} is required")
            continue
        if first.setdefault(key, index) != index:
            hint = f"the first is at {place(nodes[first[key]].mark)}"
            what = f"is the same as {part.field}[{first[key]}], and only one of them can exist"
            findings.add(nodes[index].mark, (*path, index), what, hint)


def _spelt(value: Any) -> Any:
    """A value with its references as the config spells them: two that are spelt alike lead to the same."""
    match value:
        case Ref() | Text() | Parameter():
            return str(value)
        case dict():
            return {name: _spelt(inner) for name, inner in value.items()}
        case list():
            return [_spelt(inner) for inner in value]
    return value
