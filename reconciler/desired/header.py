"""The top-level keys of a config, all but `resources` and `outputs`.  Called by `load`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from reconciler.desired.findings import Findings, place, short
from reconciler.desired.guards import Guards, read_guards
from reconciler.desired.nodes import Entries, Entry, Scalar, is_null, united
from reconciler.desired.reader import NAME_RULE, ROLE, Path, Reader
from reconciler.desired.references import Names
from reconciler.desired.scalars import core
from reconciler.desired.source import Document
from reconciler.model.address import NAME
from reconciler.model.config import Account
from reconciler.model.place import Place

SINGLE = ("stack", "account", "region", "mode", "windows", "every", "lease")
REQUIRED = {
    "stack": "the owner tag of everything in this config",
    "account": "the 12 digits, in quotes",
    "resources": "a config without resources says so: resources: {}",
}
MERGED = ("accounts", "tags", "variables", "lists", "resources", "outputs", "limits")


class Merged(NamedTuple):
    """The files of a config as one: single values by key, and the entries of each mapping.

    `present` names the keys that some file has; `whole` is the place of the config as a whole.
    """

    single: Mapping[str, Entry]
    mappings: Mapping[str, Mapping[str, Entry]]
    present: frozenset[str]
    whole: Place
    complete: bool


class Header(NamedTuple):
    """The top-level values; "" or None where the config has none, or none that is good."""

    stack: str
    account: str
    region: str
    accounts: Mapping[str, Account]
    tags: Mapping[str, str]
    guards: Guards


def merge(documents: Sequence[Document], whole: Place, findings: Findings) -> Merged:
    """Put the files together: single-valued keys stand once, mappings merge and their keys stand once."""
    single: dict[str, Entry] = {}
    mappings: dict[str, dict[str, Entry]] = {key: {} for key in MERGED}
    present: set[str] = set()
    reader = Reader(findings, Names({}))
    complete = not any(document.broken for document in documents)
    for document in documents:
        if document.root is None:
            continue
        complete = complete and isinstance(document.root, Entries)
        for key, entry in _known(reader.entries(document.root, ()), reader):
            present.add(key)
            if key in SINGLE:
                _once(single, key, entry, (), findings)
            elif key == "resources" and is_null(entry.node):
                hint = "a config without resources says so: resources: {}"
                findings.add(entry.key.mark, (key,), "is empty; was the file cut short?", hint)
            else:
                for name, inner in reader.entries(entry.node, (key,), empty=True).items():
                    _once(mappings[key], name, inner, (key,), findings)
    return Merged(single, mappings, frozenset(present), whole, complete)


def _known(entries: Mapping[str, Entry], reader: Reader) -> Iterator[tuple[str, Entry]]:
    """The entries of a file by their keys; one that is misspelt is reported, and taken for what was meant."""
    for key, entry in entries.items():
        if key in SINGLE + MERGED:
            yield key, entry
        elif "/" in key:
            hint = "a resource stands below resources:, indented"
            reader.findings.add(entry.key.mark, (key,), "there is no such key", hint)
        else:
            meant = reader.unknown(entry, (), SINGLE + MERGED, "there is no such key")
            if meant is not None and meant not in entries:
                yield meant, entry


def _once(into: dict[str, Entry], name: str, entry: Entry, path: Path, findings: Findings) -> None:
    if name in into:
        first = place(into[name].key.mark)
        findings.add(entry.key.mark, (*path, name), f"{short(name)} stands twice", f"the first is at {first}")
        into[name] = united(into[name], entry)
    else:
        into[name] = entry


def read_variables(
    merged: Merged, given: Mapping[str, str], environment: Mapping[str, str], findings: Findings
) -> dict[str, Scalar | None]:
    """The variables and their values: from the command line, else from the environment, else the default."""
    reader = Reader(findings, Names({}))
    values: dict[str, Scalar | None] = {}
    for name, entry in merged.mappings["variables"].items():
        path = ("variables", name)
        values[name] = None
        if not NAME.fullmatch(name):
            findings.add(entry.key.mark, path, f"{short(name)!r} is not a name", NAME_RULE)
            continue
        if isinstance(entry.node, Scalar) and entry.node.value is not None:
            reader.wrong(
                entry.node, path, "a mapping", f"write {name}: {{default: {short(entry.node.text)}}}"
            )
            continue
        inner = reader.known(reader.entries(entry.node, path, empty=True), path, ("default",))
        default = _default(inner, path, reader)
        text = given.get(name, environment.get(environment_name(name)))
        if text is not None:
            values[name] = _typed(text, default, entry, path, findings)
        elif default is not None:
            values[name] = default
        elif isinstance(entry.node, Scalar) or (isinstance(entry.node, Entries) and not entry.node.entries):
            hint = f"give --var {name}=… or {environment_name(name)}, or write a default"
            findings.add(entry.key.mark, path, "this variable has no value", hint)
    for name in given:
        if name not in values and merged.complete:
            hint = findings.near(name, values) or f"write variables: {{{short(name)}: {{}}}}"
            findings.add(
                merged.whole, ("variables", short(name)), "is given with --var and not declared", hint
            )
    return values


def environment_name(variable: str) -> str:
    """RECONCILER_VAR_X, the environment variable that sets `${var.x}`."""
    return "RECONCILER_VAR_" + re.sub(r"[.-]", "_", variable).upper()


def _default(inner: Mapping[str, Entry], path: Path, reader: Reader) -> Scalar | None:
    if "default" not in inner:
        return None
    node, at = inner["default"].node, (*path, "default")
    if not isinstance(node, Scalar) or is_null(node):
        hint = "leave default out to require one" if is_null(node) else ""
        reader.wrong(node, at, "a string, a number, true or false", hint)
        return None
    if "${" in node.text:
        reader.findings.add(node.mark, at, "a default cannot hold ${…}")
        return None
    return node


def _typed(text: str, default: Scalar | None, entry: Entry, path: Path, findings: Findings) -> Scalar | None:
    """A value from outside, in the type of the default; without a default, in what it looks like."""
    if default is None or not isinstance(default.value, str):
        value = core(text)
        wanted = {bool: "true or false", int: "a whole number", float: "a number"}
        sort = bool if default is None else type(default.value)
        good = type(value) is sort or (sort is float and type(value) is int)
        if default is not None and not good:
            findings.add(
                entry.key.mark, path, f"expected {wanted[sort]}, as its default is, got {short(text)!r}"
            )
            return None
        return Scalar(entry.key.mark, text, value)
    return Scalar(entry.key.mark, text, text)


def read_header(
    merged: Merged, names: Names, regions: frozenset[str], default_region: str, findings: Findings
) -> Header:
    """Check every top-level value."""
    reader = Reader(findings, names)
    single = merged.single
    for key, hint in REQUIRED.items():
        if key not in merged.present and merged.complete:
            findings.add(merged.whole, (key,), "is required", hint)
    region: str | None = None
    if "region" in single:
        region = reader.region(single["region"].node, ("region",), regions) or ""
    elif default_region in regions:
        region = default_region
    elif default_region:
        what = f"no region is called {short(default_region)!r}"
        findings.add(merged.whole, ("region",), what, findings.near(default_region, regions))
        region = ""
    tags = reader.tags(merged.mappings["tags"], ("tags",), removable=False)
    unset = None if merged.complete and "region" not in merged.present else ""
    return Header(
        stack=(reader.name(single["stack"].node, ("stack",)) if "stack" in single else None) or "",
        account=(reader.account(single["account"].node, ("account",)) if "account" in single else None) or "",
        region=region or "",
        accounts=_accounts(merged.mappings["accounts"], reader),
        tags={key: value for key, value in tags.items() if value is not None},
        guards=read_guards(
            single, merged.mappings["limits"], unset if region is None else region, reader, regions
        ),
    )


def _accounts(entries: Mapping[str, Entry], reader: Reader) -> dict[str, Account]:
    found: dict[str, Account] = {}
    for name, entry in entries.items():
        path = ("accounts", name)
        if not NAME.fullmatch(name):
            reader.findings.add(entry.key.mark, path, f"{short(name)!r} is not a name", NAME_RULE)
        if isinstance(entry.node, Scalar):
            hint = f'write {short(name)}: {{id: "…", role: …}}'
            reader.wrong(entry.node, path, "a mapping", hint)
            continue
        inner = reader.record(entry.node, path, ("id", "role", "external-id"), required=("id", "role"))
        values: dict[str, str | None] = {}
        for key, value in inner.items():
            read = {"id": reader.account, "role": reader.role}.get(key, reader.word)
            values[key] = read(value.node, (*path, key))
        own = ROLE.fullmatch(values.get("role") or "")
        if own and values.get("id") not in {None, own[1]}:
            what = f"this role is of account {own[1]}, the id says {values['id']}"
            reader.findings.add(inner["role"].node.mark, (*path, "role"), what)
        found[name] = Account(
            name=name,
            id=values.get("id") or "",
            role=values.get("role") or "",
            external_id=values.get("external-id"),
        )
    return found
