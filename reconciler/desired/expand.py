"""`for`: an entry of `resources` becomes a declaration for each combination of its lists.  Called by `load`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import product
from math import prod
from typing import NamedTuple

from reconciler.desired.findings import Findings, place, short
from reconciler.desired.nodes import Entries, Entry, Items, Node, Scalar
from reconciler.desired.reader import LETTERS, NAME_RULE, Path, Reader
from reconciler.desired.references import FillError, Hole, Names, parse
from reconciler.model.address import NAME, Address

MOST_REPEATS = 10_000
MOST_RESOURCES = 50_000
"""What all `for` of a config may add up to."""
ADDRESS_RULE = f"expected <kind>/<name>, such as site/berlin; a name has {NAME_RULE}"
IN_ADDRESS = re.compile(r"[a-z0-9._/-]*")
AWAY = re.compile(r"[$,\s]")
"""What no slip of the pen brings into an address."""
ODD = re.compile(r"[^a-z0-9._-]+")


class Declaration(NamedTuple):
    """One resource, its body not yet looked at; `names` knows the values of its repeat."""

    address: Address
    entry: Entry
    names: Names


@dataclass
class Expanded:
    """All resources of a config.

    `spoilt` are those whose address or `for` is no good: their bodies are checked like others.  `vague` are patterns
    of the addresses that they may have been meant to declare.
    """

    found: dict[Address, Declaration] = field(default_factory=dict)
    spoilt: list[Declaration] = field(default_factory=list)
    vague: list[str] = field(default_factory=list)


def expand(entries: Mapping[str, Entry], names: Names, findings: Findings) -> Expanded:
    """The resources in the order of the config; equal addresses are reported."""
    result = Expanded()
    left = MOST_RESOURCES
    for written, entry in entries.items():
        before = findings.told
        repeats = _Repeats(written, entry, names, findings).made(left)
        left -= len(repeats) if repeats and repeats[0].each else 0
        for repeat in repeats:
            address = _address(written, entry, repeat, findings)
            if address is not None and address not in result.found:
                result.found[address] = Declaration(address, entry, repeat)
                continue
            if address is None:
                kind, _, rest = written.partition("/")
                result.spoilt.append(Declaration(Address(kind, rest), entry, repeat))
                continue
            first = place(result.found[address].entry.key.mark)
            again = first == place(entry.key.mark)
            hint = "two combinations of its `for` give it; put a dash between their values" if again else ""
            hint = hint or f"the first is at {first}"
            findings.add(entry.key.mark, ("resources", str(address)), f"{address} stands twice", hint)
        if findings.told != before:
            result.vague.append(_pattern(written))
    return result


def _pattern(written: str) -> str:
    """What may come of an address as it is written, if its holes could be filled."""
    try:
        pieces = parse(written)
    except FillError:
        return re.escape(written)
    return "".join(re.escape(piece) if isinstance(piece, str) else ".*" for piece in pieces)


def _address(written: str, entry: Entry, names: Names, findings: Findings) -> Address | None:
    text = Reader(findings, names).text(entry.key, ("resources", written))
    if text is None:
        return None
    try:
        return Address.parse(text)
    except ValueError:
        what = f"{short(text)!r} is not an address"
        findings.add(entry.key.mark, ("resources",), what, address_hint(text))
        return None


def address_hint(text: str) -> str:
    """What an address is, for one who wrote `text`."""
    if AWAY.search(text.strip()):
        return ADDRESS_RULE
    if "/" not in text and text[:1].isupper():
        return "a field of a resource? it stands below its address, indented"
    kind, _, name = text.lower().partition("/")
    likely = f"{kind.strip()}/{ODD.sub('-', name).strip('-')}"
    try:
        return f"did you mean {Address.parse(likely)}?"
    except ValueError:
        return ADDRESS_RULE


class _Repeats:
    """The names under which an entry is read: once as they are, or once for each combination of its lists."""

    def __init__(self, written: str, entry: Entry, names: Names, findings: Findings) -> None:
        self.written, self.entry, self.names, self.findings = written, entry, names, findings
        self.reader = Reader(findings, names)

    def made(self, left: int) -> list[Names]:
        """At most `left` of them; with a list that is no good, one repeat that has no value of it."""
        if not isinstance(self.entry.node, Entries) or "for" not in self.entry.node.entries:
            return [self._without()]
        path: Path = ("resources", self.written, "for")
        body = self.entry.node.entries["for"]
        entries = self.reader.entries(body.node, path)
        if not entries:
            if isinstance(body.node, Entries):
                self.findings.add(
                    body.node.mark, path, "names no list", "remove it, or write for: {n: [a, b]}"
                )
            return [self.names._replace(vague=True)]
        lists = {name: self._list(name, inner, (*path, name)) for name, inner in entries.items()}
        for name in self._unused(lists):
            hint = f"or all its repeats have one address: {short(self.written)}-${{each.{name}}}"
            what = f"the address must hold ${{each.{name}}}"
            self.findings.add(self.entry.key.mark, path[:2], what, hint)
            lists[name] = [None]
        count = prod(map(len, lists.values()))
        if count > min(left, MOST_REPEATS):
            most = f"{MOST_REPEATS:,} resources"
            if count <= MOST_REPEATS:
                most = f"{MOST_RESOURCES:,} resources with all others"
            self.findings.add(self.entry.key.mark, path[:2], f"`for` gives more than {most}")
            return [self.names._replace(vague=True)]
        combinations = product(*lists.values())
        return [self.names._replace(each=dict(zip(lists, values, strict=True))) for values in combinations]

    def _without(self) -> Names:
        """The names of an entry that has no `for`; what of one stands in its address is reported once."""
        if "${each." not in self.written:
            return self.names
        self.findings.add(
            self.entry.key.mark,
            ("resources", self.written),
            "${each.…} stands outside a `for`",
            "write for: {n: [a, b]} below it",
        )
        return self.names._replace(vague=True)

    def _list(self, name: str, inner: Entry, path: Path) -> list[Scalar | None]:
        """The values of one list; [None] when there are none that are good."""
        if not NAME.fullmatch(name):
            self.findings.add(inner.key.mark, path, f"{short(name)!r} is not a name", NAME_RULE)
        if not isinstance(inner.node, Items):
            self.reader.wrong(inner.node, path, "a list")
            return [None]
        if not inner.node.items:
            hint = "no resource comes of it; remove the resource if that is meant"
            self.findings.add(inner.node.mark, path, "this list is empty", hint)
        found: dict[str, Scalar] = {}
        for at, item in self.reader.items(inner.node, path):
            value = self._value(item, at)
            if value is None:
                continue
            if value.text in found:
                self.findings.add(item.mark, at, f"{short(value.text)} stands twice in this list")
            found[value.text] = value
        return list(found.values()) or [None]

    def _value(self, item: Node, path: Path) -> Scalar | None:
        wanted = "a string or a whole number"
        value = self.reader.plain(item, path, wanted)
        if value is None:
            return None
        open_ = value.filled or isinstance(value.value, str)
        text = value.text if value.filled else str(value.value)
        if not open_ and (type(value.value) is not int or text != value.text):
            self.reader.wrong(value, path, wanted, "quote it" if value.value is not None else "")
        elif not IN_ADDRESS.fullmatch(text):
            what = f"{short(text)!r} cannot stand in an address"
            self.findings.add(item.mark, path, what, f"it has {LETTERS}")
        else:
            return Scalar(item.mark, text, value.value)
        return None

    def _unused(self, lists: Mapping[str, object]) -> list[str]:
        """The lists that the address should name and does not; none where it is misspelt."""
        if "$${" in self.written:
            return []
        try:
            holes = [piece for piece in parse(self.written) if isinstance(piece, Hole)]
        except FillError:
            return []
        texts = ["".join(piece for piece in hole.pieces if isinstance(piece, str)) for hole in holes]
        used = {text.removeprefix("each.") for text in texts if not text.startswith("var.")}
        return [] if used - lists.keys() else [name for name in lists if name not in used]
