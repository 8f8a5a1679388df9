"""`for`: the combinations of the values that its names run over.

Called by `expand`, for resources, and by `unroll`, for items of lists.  A name runs over a list that is written there,
one that is declared under `lists:`, one in the record of an earlier name's value (`region.zones`), what an earlier name
has before, after or beside its own value, or whole numbers.  Each name may use the values of those before it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import islice

from reconciler.desired.findings import Findings, short
from reconciler.desired.lists import read_values
from reconciler.desired.nodes import Entries, Entry, Items, Node, Scalar
from reconciler.desired.reader import NAME_RULE, Path, Reader
from reconciler.desired.references import Bound, Member, Names, lacking
from reconciler.model.address import NAME

MOST_REPEATS = 10_000
BESIDE = ("after", "before", "except")
NUMBERS = ("from", "to")
WANTED = "a list, or the name of one"


def combinations(
    body: Entry, path: Path, names: Names, findings: Findings, most: int, unused: Collection[str] = ()
) -> list[Names] | None:
    """The names under each combination of a `for`, in order; None when there are more than `most`.

    A name that is no good, or `unused`, means nothing, once.
    """
    entries = Reader(findings, names).entries(body.node, path)
    if not entries:
        if isinstance(body.node, Entries):
            findings.add(body.node.mark, path, "names no list", "remove it, or write for: {n: [a, b]}")
        return [names._replace(vague=True)]
    outer, found = names.each or {}, [names]
    for name, entry in entries.items():
        at = (*path, name)
        if not NAME.fullmatch(name):
            findings.add(entry.key.mark, at, f"{short(name)!r} is not a name", NAME_RULE)
        if name in outer:
            what = f"{short(name)} is a name of the `for` around it"
            findings.add(entry.key.mark, at, what, "use another")
        means_nothing = name in unused or name in outer
        found = list(islice(_bound(name, entry.node, at, found, means_nothing, findings), most + 1))
        if len(found) > most:
            return None
    return found


def _bound(
    name: str, node: Node, path: Path, before: Sequence[Names], nothing: bool, findings: Findings
) -> Iterator[Names]:
    """Each of the combinations so far with each value of one more name."""
    for names in before:
        members = _Source(findings, names).members(node, path)
        values = [None] if nothing or members is None else [Bound(members, at) for at in range(len(members))]
        each = names.each or {}
        yield from (names._replace(each={**each, name: value}) for value in values)


Members = Sequence[Member] | None
"""None: no good, which is reported."""


class _Source(Reader):
    """Reads what a name runs over, where the names before it mean this and that."""

    def members(self, node: Node, path: Path) -> Members:
        match node:
            case Items():
                return self._written(node, path)
            case Scalar(value=str(text)) if "${" not in text and text.strip():
                return self._named(node, text, path)
            case Entries():
                return self._computed(node, path)
        self.wrong(node, path, WANTED)
        return None

    def _written(self, node: Items, path: Path) -> Members:
        if not node.items:
            hint = "nothing comes of it; remove what it repeats if that is meant"
            self.findings.add(node.mark, path, "this list is empty", hint)
        return read_values(node, path, self) or None

    def _named(self, node: Scalar, text: str, path: Path) -> Members:
        """A list by its name, or by an earlier name and a field of its record."""
        owner, dot, field = text.rpartition(".")
        if dot:
            bound = self._earlier(node, owner, path)
            return self._list_of(node, owner, field, bound, path) if bound else None
        if text in self.names.lists:
            return self.names.lists[text]
        if self.names.complete:
            hint = self.findings.near(text, self.names.lists) or "declare it under lists:"
            self.findings.add(node.mark, path, f"no list is called {short(text)!r}", hint)
        return None

    def _earlier(self, node: Scalar, name: str, path: Path) -> Bound | None:
        each = self.names.each or {}
        if name not in each and not self.names.vague:
            what = f"no name before this one is {short(name)!r}"
            self.findings.add(node.mark, path, what, self.findings.near(name, each))
        return each.get(name)

    def _list_of(self, node: Scalar, name: str, field: str, bound: Bound, path: Path) -> Members:
        """A list in the record of what an earlier name means now."""
        member = bound.member
        if field in member.lists:
            return member.lists[field]
        others = {known for one in bound.among for known in one.lists}
        told = lacking(
            name, f"list called {short(field)!r}", bound, field in others, self.findings.near(field, others)
        )
        if field in member.fields:
            told = f"{short(field)} of {short(name)} is a value, not a list", told[1]
        self.findings.add(node.mark, path, *told)
        return None

    def _computed(self, node: Entries, path: Path) -> Members:
        keys, words = node.entries.keys(), (*BESIDE, *NUMBERS)
        if keys - set(words) or not keys:
            self.known(node.entries, path, words)
            if not keys:
                self.wrong(node, path, WANTED, "{after: …}, {before: …}, {except: …} or {from: …, to: …}")
            return None
        if keys == set(NUMBERS):
            return self._numbers(node, path)
        if len(keys) == 1 and keys <= set(BESIDE):
            ((key, entry),) = node.entries.items()
            return self._beside(key, entry.node, (*path, key))
        hint = "after, before and except stand alone, from and to together"
        self.findings.add(node.mark, path, f"{' and '.join(keys)} says not what it runs over", hint)
        return None

    def _beside(self, key: str, node: Node, path: Path) -> Members:
        """What an earlier name has beside its own value, in the list that it runs over."""
        name = self.text(node, path, "the name of an earlier list of this `for`")
        bound = self._earlier(node, name, path) if name is not None and isinstance(node, Scalar) else None
        if bound is None:
            return None
        before, after = bound.among[: bound.at], bound.among[bound.at + 1 :]
        return {"before": before, "after": after, "except": [*before, *after]}[key]

    def _numbers(self, node: Entries, path: Path) -> Members:
        """Whole numbers, both ends included: none when the last is less, which is wrong only where it is written so."""
        read = {name: self.number(entry.node, (*path, name)) for name, entry in node.entries.items()}
        first, last = read["from"], read["to"]
        if first is None or last is None:
            return None
        computed = any(
            isinstance(one.node, Scalar) and "${" in one.node.text for one in node.entries.values()
        )
        if last < first and not computed:
            self.findings.add(node.mark, path, f"there is no number from {first} to {last}")
            return None
        numbers = islice(range(int(first), int(last) + 1), MOST_REPEATS + 1)
        return [Member(Scalar(node.mark, str(number), number)) for number in numbers]
