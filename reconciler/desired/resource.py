"""One resource: from its declaration to what the engine calls Desired.  Called by `load`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, NamedTuple

from reconciler.desired.check import Checker, PartSlot, Slot
from reconciler.desired.expand import ADDRESS_RULE, Declaration
from reconciler.desired.findings import Findings, named, place, short
from reconciler.desired.graph import Catalogue, Edge
from reconciler.desired.header import Header
from reconciler.desired.reader import Path, Reader
from reconciler.desired.references import Pointer
from reconciler.desired.source import Entry, Node, Scalar
from reconciler.model.address import Address
from reconciler.model.fields import OURS, Field, fields
from reconciler.model.kind import Kind
from reconciler.model.schema import Schema
from reconciler.model.things import Desired

KEYS = ("region", "account", "for", "protect", "replace", "ignore", "depends-on", "previously")
"""The lower-case keys of a resource: ours."""
REPLACEMENTS = ("create-first", "delete-first")
MOST_TAGS = 50


class Facts:
    """What a kind's record and the service model say about a config's entry of that kind; made once a kind."""

    def __init__(self, kind: Kind, schema: Schema) -> None:
        self.kind = kind
        self.fields: dict[str, Field] = dict(fields(kind, schema))
        targets = kind.targets()
        self.slots: dict[str, Slot] = {
            name: (PartSlot if field.change == "part" else Slot)(field.shape, name, targets)
            for name, field in self.fields.items()
        }
        self.required = tuple(name for name, field in self.fields.items() if field.required)
        self.hard = frozenset(
            name for name, field in self.fields.items() if field.at_birth and field.change != "part"
        )

    @cached_property
    def words(self) -> tuple[str, ...]:
        """Every key that an entry may have."""
        return (*self.fields, "Tags", *KEYS)


class Made(NamedTuple):
    """A resource and what it refers to."""

    desired: Desired
    edges: tuple[Edge, ...]


class Maker:
    """Makes resources against one config's header and catalogue; problems go to `findings`."""

    def __init__(
        self,
        kinds: Mapping[str, Kind],
        schema: Schema,
        header: Header,
        catalogue: Catalogue,
        findings: Findings,
        *,
        region_expected: bool,
    ) -> None:
        self._kinds, self._schema, self._header = kinds, schema, header
        self._catalogue, self._findings = catalogue, findings
        self._region_expected = region_expected
        self._facts: dict[str, Facts] = {}

    def make(self, declaration: Declaration) -> Made | None:
        """The resource; None when its kind is unknown or its body is no mapping."""
        address, entry, names = declaration
        facts = self._facts_of(address.kind)
        if facts is None:
            hint = self._findings.near(address.kind, tuple(self._kinds))
            self._findings.add(
                entry.key.mark, (str(address),), f"there is no kind called {short(address.kind)!r}", hint
            )
            return None
        checker = Checker(self._findings, names, address, self._catalogue)
        path: Path = (str(address),)
        entries = checker.entries(entry.node, path, empty=True)
        spec: dict[str, Any] = {}
        for name, inner in entries.items():
            slot = facts.slots.get(name)
            if slot is not None:
                spec[name] = checker.value(inner.node, slot, (*path, name), name in facts.hard)
            elif name not in KEYS and name != "Tags":
                self._findings.add(inner.key.mark, (*path, name), *self._unknown(name, facts))
        for name in facts.required:
            if name not in entries:
                self._findings.add(entry.key.mark, path, f"{name} is required")
        desired = self._desired(address, entry, entries, spec, facts, checker)
        return Made(desired, tuple(checker.edges))

    def _facts_of(self, kind: str) -> Facts | None:
        if kind not in self._facts and kind in self._kinds:
            self._facts[kind] = Facts(self._kinds[kind], self._schema)
        return self._facts.get(kind)

    def _unknown(self, name: str, facts: Facts) -> tuple[str, str]:
        kind = facts.kind
        if name in OURS or name in kind.always:
            return "is set by the reconciler itself", "leave it out"
        if name in kind.forbidden:
            return "cannot be set here, it would work against the reconciler", "leave it out"
        return "there is no such field", self._findings.near(name, facts.words)

    def _desired(
        self,
        address: Address,
        entry: Entry,
        entries: Mapping[str, Entry],
        spec: Mapping[str, Any],
        facts: Facts,
        checker: Checker,
    ) -> Desired:
        path: Path = (str(address),)

        def node(key: str) -> Node:
            return entries[key].node

        protect = checker.flag(node("protect"), (*path, "protect")) if "protect" in entries else None
        tags: dict[str, str | None] = dict(self._header.tags)
        if "Tags" in entries:
            at = (*path, "Tags")
            tags |= checker.tags(checker.entries(node("Tags"), at, empty=True), at, removable=True)
        ours = 2 + (protect is True) + sum(facts.fields[name].write_only for name in spec)
        count = sum(value is not None for value in tags.values()) + ours
        if count > MOST_TAGS:
            mark = entries["Tags"].key.mark if "Tags" in entries else entry.key.mark
            what = f"{count} tags with the {ours} of the reconciler, AWS allows {MOST_TAGS}"
            self._findings.add(mark, (*path, "Tags"), what)
        return Desired(
            address=address,
            account=self._account(entries, path, checker),
            region=self._region(entry, entries, path, facts.kind, checker),
            spec=spec,
            tags=tags,
            protect=protect,
            replace=self._replace(node("replace"), path, facts.kind, checker)
            if "replace" in entries
            else None,
            ignore=self._ignore(node("ignore"), path, facts, checker) if "ignore" in entries else (),
            depends_on=self._depends_on(node("depends-on"), path, checker) if "depends-on" in entries else (),
            previously=self._previously(node("previously"), path, checker) if "previously" in entries else (),
            place=place(entry.key.mark),
        )

    def _account(self, entries: Mapping[str, Entry], path: Path, reader: Reader) -> str:
        if "account" not in entries:
            return self._header.account
        node, at = entries["account"].node, (*path, "account")
        name = reader.text(node, at, "the name of an account")
        if name is None:
            return ""
        if name in self._header.accounts:
            return self._header.accounts[name].id
        if self._catalogue.complete:
            hint = self._findings.near(name, self._header.accounts.keys()) or "declare it under accounts:"
            self._findings.add(node.mark, at, f"no account is called {short(name)!r}", hint)
        return ""

    def _region(
        self, entry: Entry, entries: Mapping[str, Entry], path: Path, kind: Kind, reader: Reader
    ) -> str:
        if "region" in entries and not kind.regional:
            self._findings.add(
                entries["region"].key.mark,
                (*path, "region"),
                f"{named(kind.name)} has no region",
                "remove it",
            )
        elif "region" in entries:
            return reader.region(entries["region"].node, (*path, "region"), self._schema.regions) or ""
        elif kind.regional:
            if not self._header.region and self._region_expected:
                hint = "write region: here, or at the top of the config"
                self._findings.add(entry.key.mark, path, "region is required", hint)
            return self._header.region
        return ""

    def _replace(self, node: Node, path: Path, kind: Kind, reader: Reader) -> str | None:
        at = (*path, "replace")
        found = reader.choice(node, at, REPLACEMENTS)
        if found == "create-first" and kind.unique:
            what = f"create-first cannot work: only one {kind.name} may have a {kind.unique}"
            self._findings.add(node.mark, at, what, "write delete-first")
            return None
        return found

    def _ignore(self, node: Node, path: Path, facts: Facts, reader: Reader) -> tuple[str, ...]:
        found = []
        for at, item in reader.items(node, (*path, "ignore"), single=True):
            text = reader.text(item, at, "the path of a field")
            if text is None:
                continue
            top = text.partition(".")[0].partition("[")[0]
            if top not in facts.fields and top != "Tags":
                hint = self._findings.near(top, tuple(facts.fields))
                self._findings.add(item.mark, at, f"there is no field called {short(top)!r}", hint)
            found.append(text)
        return tuple(found)

    def _depends_on(self, node: Node, path: Path, checker: Checker) -> tuple[Address, ...]:
        found = []
        for at, item in checker.items(node, (*path, "depends-on"), single=True):
            pointer = self._pointer(item, at, checker)
            if pointer is None or not isinstance(item, Scalar):
                continue
            if (target := checker.reference(item, pointer, at, hard=True)) is not None:
                if target[1] is not None:
                    self._findings.add(
                        item.mark, at, "names a field; an address is enough", str(target[0].to)
                    )
                found.append(target[0].to)
        return tuple(dict.fromkeys(found))

    def _pointer(self, item: Node, at: Path, checker: Checker) -> Pointer | None:
        """An address as `kind/name` or as `${kind/name}`."""
        if isinstance(item, Scalar) and isinstance(item.value, str) and "${" in item.value:
            match checker.pieces(item, at):
                case None:
                    return None
                case (Pointer() as pointer,):
                    return pointer
        text = checker.text(item, at, "an address")
        return None if text is None else Pointer(text)

    def _previously(self, node: Node, path: Path, checker: Checker) -> tuple[Address, ...]:
        kind = checker.owner.kind
        found = []
        for at, item in checker.items(node, (*path, "previously"), single=True):
            text = checker.text(item, at, "an address")
            if text is None:
                continue
            try:
                address = Address.parse(text)
            except ValueError:
                self._findings.add(item.mark, at, f"{short(text)!r} is not an address", ADDRESS_RULE)
                continue
            if address.kind != kind:
                self._findings.add(item.mark, at, f"{address} is of another kind; this is {named(kind)}")
            elif address in self._catalogue.addresses:
                what = f"{address} is still in the config"
                self._findings.add(item.mark, at, what, "an earlier address must be gone from it")
            found.append(address)
        return tuple(dict.fromkeys(found))
