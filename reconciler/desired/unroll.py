"""Items of lists that have a `for` become an item for each of its combinations.  Called by `resource`.

`- {for: {zone: region.zones}, SubnetId: "${subnet/${each.zone}}"}` repeats a mapping, and with `item:` beside `for` any
other value.  What is left are plain nodes; the names of these `for` are filled in, and everything else is spelt as
before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from reconciler.desired.findings import Findings
from reconciler.desired.nodes import Entries, Entry, Items, Node, Scalar
from reconciler.desired.reader import Path
from reconciler.desired.references import FillError, Names, settle
from reconciler.desired.repeats import MOST_REPEATS, combinations

MOST_ITEMS = 100_000
"""What all `for` in the lists of a config may add up to."""


class Unrolled(NamedTuple):
    """The entries of a resource without repeated items, the names for what is in them, and fields with mistakes.

    A name of a `for` that is no good means nothing, so that what uses it is not reported again; nor is it said of a
    field in `spoilt` how its items go together.
    """

    entries: Mapping[str, Entry]
    names: Names
    spoilt: frozenset[str] = frozenset()


class Unroller:
    """Unrolls the lists of one config, one resource after another; how many items come of it is counted."""

    def __init__(self, findings: Findings) -> None:
        self._findings, self._left = findings, MOST_ITEMS
        self._nothing: set[str] = set()
        self._vague = False

    def unrolled(self, entries: Mapping[str, Entry], path: Path, names: Names) -> Unrolled:
        """The fields of a resource; the same ones where nothing repeats."""
        work = [
            name
            for name, (_, node) in entries.items()
            if type(node) is not Scalar and name != "for" and _repeats(node)
        ]
        if not work:
            return Unrolled(entries, names)
        made, spoilt, nothing = dict(entries), set(), dict[str, None]()
        vague = names.vague
        for name in work:
            self._nothing, self._vague = set(), False
            node = self._node(entries[name].node, (*path, name), names, frozenset())
            made[name] = Entry(entries[name].key, node)
            if self._nothing or self._vague:
                spoilt.add(name)
            nothing |= dict.fromkeys(self._nothing)
            vague = vague or self._vague
        each = {**(names.each or {}), **nothing} if nothing else names.each
        return Unrolled(made, names._replace(each=each, vague=vague), frozenset(spoilt))

    def _node(self, node: Node, path: Path, names: Names, inner: frozenset[str]) -> Node:
        """A node without repeated items; `inner` are the names of the `for` around it."""
        match node:
            case Items(mark=mark, items=items):
                made = [
                    one
                    for index, item in enumerate(items)
                    for one in self._items(item, (*path, index), names, inner)
                ]
                return Items(mark, made)
            case Entries(mark=mark, entries=entries):
                return Entries(mark, self._entries(entries, path, names, inner))
        return self._settled(node, path, names, inner) if inner else node

    def _entries(
        self, entries: Mapping[str, Entry], path: Path, names: Names, inner: frozenset[str]
    ) -> dict[str, Entry]:
        return {
            name: Entry(entry.key, self._node(entry.node, (*path, name), names, inner))
            for name, entry in entries.items()
        }

    def _items(self, item: Node, path: Path, names: Names, inner: frozenset[str]) -> Iterator[Node]:
        """What stands for an item of a list: itself, or what its `for` makes of it."""
        if not isinstance(item, Entries) or "for" not in item.entries:
            yield self._node(item, path, names, inner)
            return
        body = item.entries["for"]
        rest = {name: entry for name, entry in item.entries.items() if name != "for"}
        if not rest or ("item" in rest and len(rest) > 1):
            what = "gives nothing" if not rest else "item stands beside other keys"
            hint = "write the fields of an item beside `for`, or item: and its value alone"
            self._findings.add(item.mark, path, what, hint)
        if isinstance(body.node, Entries):
            inner |= body.node.entries.keys()
        for repeat in self._combinations(item, body, path, names):
            if "item" in rest:
                yield self._node(rest["item"].node, path, repeat, inner)
            elif rest:
                yield Entries(item.mark, self._entries(rest, path, repeat, inner))
            else:
                yield self._spoil(item, inner)

    def _combinations(self, item: Entries, body: Entry, path: Path, names: Names) -> list[Names]:
        most = min(self._left, MOST_REPEATS)
        found = combinations(body, (*path, "for"), names, self._findings, most)
        if found is None:
            few = most < MOST_REPEATS
            more = f"{MOST_ITEMS:,} items with all others" if few else f"{MOST_REPEATS:,} items"
            self._findings.add(item.mark, path, f"`for` gives more than {more}")
            found = [names._replace(vague=True)]
        self._left -= len(found)
        for repeat in found:
            self._vague = self._vague or repeat.vague
            self._nothing |= {name for name, bound in (repeat.each or {}).items() if bound is None}
        return found

    def _settled(self, node: Scalar, path: Path, names: Names, inner: frozenset[str]) -> Scalar:
        if not isinstance(node.value, str) or "${" not in node.value:
            return node
        try:
            return settle(node, inner, names, self._findings.near)
        except FillError as error:
            if error.what:
                self._findings.add(node.mark, path, error.what, error.hint)
            return self._spoil(node, inner)

    def _spoil(self, node: Node, inner: frozenset[str]) -> Scalar:
        """What stands for a value of which all is said: one that names something that means nothing."""
        self._nothing |= inner
        text = f"${{each.{min(inner, default='n')}}}"
        return Scalar(node.mark, text, text)


def _repeats(node: Node) -> bool:
    """Whether an item within a node has a `for`."""
    if type(node) is Entries:
        return any(type(inner) is not Scalar and _repeats(inner) for _, inner in node.entries.values())
    if type(node) is Items:
        return any((type(item) is Entries and "for" in item.entries) or _repeats(item) for item in node.items)
    return False
