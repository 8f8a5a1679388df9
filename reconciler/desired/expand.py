"""Resources: an entry becomes a declaration for each combination of its `for`.  Called by `load`."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from reconciler.desired.findings import Findings, place, short
from reconciler.desired.nodes import Entries, Entry
from reconciler.desired.reader import NAME_RULE, Path, Reader
from reconciler.desired.references import FillError, Hole, Names, each_name, parse
from reconciler.desired.repeats import MOST_REPEATS, combinations
from reconciler.model.address import Address

MOST_RESOURCES = 50_000
"""What all `for` of a config may add up to."""
ADDRESS_RULE = f"expected <kind>/<name>, such as site/berlin; a name has {NAME_RULE}"
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
        repeats = _repeats(written, entry, names, findings, left)
        left -= len(repeats) if repeats and repeats[0].each else 0
        made = [_address(written, entry, repeat, findings) for repeat in repeats]
        for repeat, address in zip(repeats, made, strict=True):
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


def _repeats(written: str, entry: Entry, names: Names, findings: Findings, left: int) -> list[Names]:
    """The names under which an entry is read: as they are, or one for each combination of its `for`, at most `left`.

    With a list that is no good there is one that has no value of it.
    """
    path: Path = ("resources", written)
    if not isinstance(entry.node, Entries) or "for" not in entry.node.entries:
        return [_without(written, entry, names, findings)]
    body = entry.node.entries["for"]
    lists = body.node.entries.keys() if isinstance(body.node, Entries) else ()
    unused = _unused(written, lists)
    most = min(left, MOST_REPEATS)
    found = combinations(body, (*path, "for"), names, findings, most, unused)
    for name in unused:
        hint = f"or all its repeats have one address: {short(written)}-${{each.{name}}}"
        findings.add(entry.key.mark, path, f"the address must hold ${{each.{name}}}", hint)
    if found is None:
        few = most < MOST_REPEATS
        more = f"{MOST_RESOURCES:,} resources with all others" if few else f"{MOST_REPEATS:,} resources"
        findings.add(entry.key.mark, path, f"`for` gives more than {more}")
        return [names._replace(vague=True)]
    return found


def _without(written: str, entry: Entry, names: Names, findings: Findings) -> Names:
    """The names of an entry that has no `for`; what of one stands in its address is reported once."""
    if "${each." not in written:
        return names
    what, hint = "${each.…} stands outside a `for`", "write for: {n: [a, b]} below it"
    findings.add(entry.key.mark, ("resources", written), what, hint)
    return names._replace(vague=True)


def _unused(written: str, lists: Collection[str]) -> list[str]:
    """The lists that the address should name and does not; none where it is misspelt."""
    if "$${" in written:
        return []
    try:
        holes = [piece for piece in parse(written) if isinstance(piece, Hole)]
    except FillError:
        return []
    texts = ["".join(piece for piece in hole.pieces if isinstance(piece, str)) for hole in holes]
    used = {each_name(text.removeprefix("each."), lists) for text in texts if not text.startswith("var.")}
    return [] if used - set(lists) else [name for name in lists if name not in used]
