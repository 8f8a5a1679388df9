"""One resource: from its declaration to what the engine calls Desired.  Called by `load`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, NamedTuple

from reconciler.desired.check import Checker, PartSlot, Slot
from reconciler.desired.documents import Documents
from reconciler.desired.expand import Declaration, address_hint
from reconciler.desired.files import Beside
from reconciler.desired.findings import Findings, named, place, short
from reconciler.desired.graph import Catalogue, Edge
from reconciler.desired.header import Header
from reconciler.desired.nodes import Entries, Entry, Items, Node, Scalar, is_null, node_at
from reconciler.desired.paths import differ, whole_fields, wrong_path
from reconciler.desired.reader import Path, Reader
from reconciler.desired.references import Filled, Pointer
from reconciler.desired.unroll import Unroller
from reconciler.model.address import Address
from reconciler.model.fields import OURS, Field, fields
from reconciler.model.kind import Kind
from reconciler.model.place import Place
from reconciler.model.schema import Schema
from reconciler.model.things import Desired, Parameter, contains

KEYS = ("region", "account", "for", "protect", "accept", "replace", "ignore", "depends-on", "previously")
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
        self.parts = {part.field: part for part in kind.parts}
        self.whole = whole_fields(kind)
        self.required = tuple(name for name, field in self.fields.items() if field.required)
        self.hard = frozenset(
            name
            for name, field in self.fields.items()
            if field.at_birth and field.change != "part" and name not in kind.late
        )

    @cached_property
    def words(self) -> tuple[str, ...]:
        """Every key that an entry may have."""
        return (*self.fields, "Tags", *KEYS)


class Made(NamedTuple):
    """A resource, what it refers to, where it says what it was called before, and where its fields stand."""

    desired: Desired
    edges: tuple[Edge, ...]
    earlier: Mapping[Address, Place]
    places: Mapping[str, Any]
    """Marks of the YAML, as nodes have them."""


class Maker:
    """Makes resources against one config's header and catalogue; problems go to `findings`."""

    def __init__(
        self,
        kinds: Mapping[str, Kind],
        schema: Schema,
        header: Header,
        catalogue: Catalogue,
        findings: Findings,
        beside: Beside,
        *,
        region_expected: bool,
    ) -> None:
        self._kinds, self._schema, self._header = kinds, schema, header
        self._catalogue, self._findings = catalogue, findings
        self._documents, self._unroller = Documents(beside, findings), Unroller(findings)
        self._region_expected = region_expected
        self._facts: dict[str, Facts] = {}

    def make(self, declaration: Declaration) -> Made:
        """The resource, of a kind that is known."""
        address, entry, names = declaration
        facts = self._facts_of(address.kind)
        path: Path = (str(address),)
        entries = Reader(self._findings, names).entries(entry.node, path, empty=True)
        entries, names, spoilt = self._unroller.unrolled(entries, path, names)
        checker = Checker(self._findings, names, address, self._catalogue)
        spec: dict[str, Any] = {}
        meant: set[str | None] = set()
        for name, inner in entries.items():
            if name in facts.slots:
                spec[name] = self._field(name, inner.node, (*path, name), facts, checker, name in spoilt)
            elif name not in KEYS and name != "Tags":
                meant.add(self._unknown(name, inner, path, facts, checker))
        if isinstance(entry.node, Entries) or is_null(entry.node):
            for name in facts.required:
                if name not in entries and name not in meant:
                    self._findings.add(entry.key.mark, path, f"{name} is required")
        earlier = (
            self._previously(entries["previously"].node, path, checker) if "previously" in entries else {}
        )
        desired = self._desired(address, entry, entries, spec, tuple(earlier), facts, checker)
        places = {name: entries[name].node.mark for name in entries if name in spec or name == "Tags"}
        return Made(desired, tuple(checker.edges), earlier, places)

    def _field(self, name: str, node: Node, path: Path, facts: Facts, checker: Checker, spoilt: bool) -> Any:
        before, written = self._findings.told, node
        found = self._documents.field(name, node, facts.kind.documents, path)
        if found is None:
            return None
        node = found
        value = checker.member(node, facts.slots[name], path, name in facts.hard, name in facts.required)
        spoilt = spoilt or self._findings.told != before
        if name in facts.parts and isinstance(node, Items) and not spoilt:
            differ(facts.parts[name], value, node.items, path, self._findings)
        if name in facts.parts and contains(value, Parameter):
            what = "cannot hold a parameter: it is read at creation only, and these are compared"
            self._findings.add(node.mark, path, what, "write the value")
        elif why := facts.kind.refuses[name](value) if name in facts.kind.refuses else None:
            for at, what in [((), why)] if isinstance(why, str) else why:
                where = node_at(written, at) if isinstance(written, Entries) else node
                self._findings.add(where.mark, (*path, *at), what)
        return value

    def _facts_of(self, kind: str) -> Facts:
        if kind not in self._facts:
            self._facts[kind] = Facts(self._kinds[kind], self._schema)
        return self._facts[kind]

    def _unknown(self, name: str, entry: Entry, path: Path, facts: Facts, checker: Checker) -> str | None:
        """Report a key that is no field; gives the one that was probably meant."""
        kind = facts.kind
        what, hint = "is set by the reconciler itself", "leave it out"
        if name in kind.forbidden:
            what = "cannot be set here, it would work against the reconciler"
        elif name == "Name":
            what, hint = "there is no such field", "did you mean Tags: {Name: …}?"
        elif name not in OURS and name not in kind.always:
            return checker.unknown(entry, path, facts.words, "there is no such field")
        self._findings.add(entry.key.mark, (*path, name), what, hint)
        return None

    def _desired(
        self,
        address: Address,
        entry: Entry,
        entries: Mapping[str, Entry],
        spec: Mapping[str, Any],
        previously: tuple[Address, ...],
        facts: Facts,
        checker: Checker,
    ) -> Desired:
        path: Path = (str(address),)

        def node(key: str) -> Node:
            return entries[key].node

        protect = checker.flag(node("protect"), (*path, "protect")) if "protect" in entries else None
        tags: dict[str, str | None] = dict(self._header.tags)
        if "Tags" in entries:
            tags |= self._tags(node("Tags"), (*path, "Tags"), checker)
        ours = 3 + (protect is not None) + (facts.kind.together is not None)
        ours += sum(facts.fields[name].write_only for name in spec)
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
            accept="accept" in entries and self._accept(entries["accept"], path, facts.kind, checker),
            replace=self._replace(node("replace"), path, facts.kind, checker)
            if "replace" in entries
            else None,
            ignore=self._ignore(node("ignore"), path, facts, checker) if "ignore" in entries else (),
            depends_on=self._depends_on(node("depends-on"), path, checker) if "depends-on" in entries else (),
            previously=previously,
            place=place(entry.key.mark),
        )

    def _tags(self, node: Node, path: Path, reader: Reader) -> dict[str, str | None]:
        if isinstance(node, Items):
            reader.wrong(node, path, "a mapping", "write {Name: …} and not a list of Key and Value")
            return {}
        return reader.tags(reader.entries(node, path, empty=True), path, removable=True)

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

    def _accept(self, entry: Entry, path: Path, kind: Kind, reader: Reader) -> bool:
        at = (*path, "accept")
        if kind.accept is None:
            self._findings.add(entry.key.mark, at, f"nobody has to accept {named(kind.name)}", "remove it")
            return False
        return bool(reader.flag(entry.node, at))

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
            if wrong := wrong_path(text, facts.slots, facts.whole, self._findings):
                self._findings.add(item.mark, at, *wrong)
            found.append(text)
        return tuple(dict.fromkeys(found))

    def _depends_on(self, node: Node, path: Path, checker: Checker) -> tuple[Address, ...]:
        found = []
        for at, item in checker.items(node, (*path, "depends-on"), single=True):
            text = self._address(item, at, checker)
            if text is None or not isinstance(item, Scalar):
                continue
            if (target := checker.reference(item, Pointer(text), at, hard=True)) is not None:
                if target.spelt is not None:
                    what = "names a field; an address is enough"
                    self._findings.add(item.mark, at, what, str(target.ref.to))
                found.append(target.ref.to)
        return tuple(dict.fromkeys(found))

    def _address(self, item: Node, at: Path, checker: Checker) -> str | None:
        """The text of an address, spelt as `kind/name` or as `${kind/name}`."""
        if not (isinstance(item, Scalar) and isinstance(item.value, str) and "${" in item.value):
            text = checker.text(item, at, "an address")
        else:
            match checker.pieces(item, at):
                case None:
                    return None
                case (Pointer(text=text) | Filled(text=text) | (str() as text),):
                    pass
                case _:
                    checker.wrong(item, at, "an address")
                    return None
        if text is not None and self._catalogue.find(text)[0] is None:
            if self._catalogue.lacks(text):
                self._findings.add(item.mark, at, f"{short(text)!r} is not an address", address_hint(text))
            return None
        return text

    def _previously(self, node: Node, path: Path, checker: Checker) -> dict[Address, Place]:
        """The earlier addresses, each with the place that names it."""
        found: dict[Address, Place] = {}
        for at, item in checker.items(node, (*path, "previously"), single=True):
            text = self._address(item, at, checker)
            if text is None:
                continue
            try:
                address = Address.parse(text)
            except ValueError:
                self._findings.add(item.mark, at, f"{short(text)!r} is not an address", address_hint(text))
                continue
            if address.kind != checker.owner.kind:
                what = f"{address} is of another kind; this is {named(checker.owner.kind)}"
                self._findings.add(item.mark, at, what)
            elif address == checker.owner:
                self._findings.add(item.mark, at, f"{address} is what it is called now", "remove it")
            elif address in self._catalogue.addresses:
                what = f"{address} is still in the config"
                self._findings.add(item.mark, at, what, "an earlier address must be gone from it")
            found[address] = place(item.mark)
        return found
