"""`for`: an entry of `resources` becomes a declaration for each combination of its lists.  Called by `load`."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from math import prod
from typing import NamedTuple

from reconciler.desired.findings import Findings, place, short
from reconciler.desired.reader import Reader
from reconciler.desired.references import FillError, Hole, Names, parse
from reconciler.desired.source import Entries, Entry, Items, Scalar
from reconciler.model.address import NAME, Address

MOST_REPEATS = 10_000
ADDRESS_RULE = (
    "an address is <kind>/<name>, such as site/berlin; a name has small letters, digits, dots and dashes"
)


class Declaration(NamedTuple):
    """One resource, its body not yet looked at; `names` knows the values of its repeat."""

    address: Address
    entry: Entry
    names: Names


def expand(entries: Mapping[str, Entry], names: Names, findings: Findings) -> dict[Address, Declaration]:
    """All resources by address, in the order of the config; equal addresses are reported."""
    found: dict[Address, Declaration] = {}
    for written, entry in entries.items():
        for repeat in _repeats(written, entry, names, findings):
            address = _address(written, entry, repeat, findings)
            if address is None:
                continue
            if address in found:
                first = place(found[address].entry.key.mark)
                again = first == place(entry.key.mark)
                hint = "a list of its `for` names one value twice" if again else f"the first is at {first}"
                findings.add(entry.key.mark, ("resources", str(address)), f"{address} stands twice", hint)
            else:
                found[address] = Declaration(address, entry, repeat)
    return found


def _address(written: str, entry: Entry, names: Names, findings: Findings) -> Address | None:
    text = Reader(findings, names).text(entry.key, ("resources", written))
    if text is None:
        return None
    try:
        return Address.parse(text)
    except ValueError:
        findings.add(entry.key.mark, ("resources",), f"{short(text)!r} is not an address", ADDRESS_RULE)
        return None


def _repeats(written: str, entry: Entry, names: Names, findings: Findings) -> list[Names]:
    """The names under which an entry is read: once as they are, or once for each combination of its lists."""
    if not isinstance(entry.node, Entries) or "for" not in entry.node.entries:
        return [names]
    path = ("resources", written, "for")
    reader = Reader(findings, names)
    lists: dict[str, list[Scalar]] = {}
    for name, inner in reader.entries(entry.node.entries["for"].node, path).items():
        if not NAME.fullmatch(name):
            findings.add(inner.key.mark, (*path, name), f"{short(name)!r} is not a name")
        if not isinstance(inner.node, Items):
            reader.wrong(inner.node, (*path, name), "a list")
            return []
        lists[name] = []
        for at, item in reader.items(inner.node, (*path, name)):
            value = reader.plain(item, at, "a string or a whole number")
            if value is not None and type(value.value) in (str, int):
                text = value.text if value.filled else str(value.value)
                lists[name].append(Scalar(item.mark, text, value.value))
            elif value is not None:
                reader.wrong(value, at, "a string or a whole number", "quote it" if value.text else "")
    for name in lists.keys() - _used(written):
        hint = f"or all its repeats have one address: {short(written)}-${{each.{name}}}"
        findings.add(entry.key.mark, ("resources", written), f"the address must hold ${{each.{name}}}", hint)
        lists[name] = lists[name][:1]
    if prod(map(len, lists.values())) > MOST_REPEATS:
        findings.add(
            entry.key.mark, ("resources", written), f"`for` gives more than {MOST_REPEATS:,} resources"
        )
        return []
    return [names._replace(each=dict(zip(lists, values, strict=True))) for values in product(*lists.values())]


def _used(written: str) -> set[str]:
    """The lists that an address names."""
    try:
        holes = [piece for piece in parse(written) if isinstance(piece, Hole)]
    except FillError:
        return set()
    texts = ["".join(piece for piece in hole.pieces if isinstance(piece, str)) for hole in holes]
    return {text.removeprefix("each.") for text in texts if text.startswith("each.")}
