"""The top-level keys of a config, all but `resources` and `outputs`.  Called by `load`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from reconciler.desired.findings import Findings, place, short
from reconciler.desired.reader import NAME_RULE, Path, Reader
from reconciler.desired.references import Names
from reconciler.desired.scalars import core
from reconciler.desired.source import Document, Entries, Entry, Scalar
from reconciler.model.address import NAME
from reconciler.model.config import Account
from reconciler.model.place import Place

SINGLE = ("stack", "account", "region", "mode", "windows", "every", "lease")
MERGED = ("accounts", "tags", "variables", "resources", "outputs", "limits")
MODES = ("apply", "plan")
WINDOW = ("cron", "from", "to", "days")
LIMITS = ("deletions", "deletions-percent")


class Merged(NamedTuple):
    """The files of a config as one: single values by key, and the entries of each mapping.

    `present` names the mappings that some file has; `whole` is the place of the config as a whole.
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
    limits: Mapping[str, Any]
    mode: str
    windows: tuple[Any, ...]
    every: float | None
    lease: Mapping[str, Any]


def merge(documents: Sequence[Document], whole: Place, findings: Findings) -> Merged:
    """Put the files together: single-valued keys stand once, mappings merge and their keys stand once."""
    single: dict[str, Entry] = {}
    mappings: dict[str, dict[str, Entry]] = {key: {} for key in MERGED}
    present: set[str] = set()
    reader = Reader(findings, Names({}))
    for document in documents:
        if document.root is None:
            continue
        entries = reader.known(reader.entries(document.root, ()), (), SINGLE + MERGED)
        for key, entry in entries.items():
            if key in SINGLE:
                _once(single, key, entry, (), findings)
                continue
            present.add(key)
            if key == "resources" and isinstance(entry.node, Scalar) and entry.node.value is None:
                hint = "a config without resources says so: resources: {}"
                findings.add(entry.key.mark, (key,), "is empty; was the file cut short?", hint)
                continue
            for name, inner in reader.entries(entry.node, (key,), empty=True).items():
                _once(mappings[key], name, inner, (key,), findings)
    complete = not any(document.broken for document in documents)
    return Merged(single, mappings, frozenset(present), whole, complete)


def _once(into: dict[str, Entry], name: str, entry: Entry, path: Path, findings: Findings) -> None:
    if name in into:
        first = place(into[name].key.mark)
        findings.add(entry.key.mark, (*path, name), f"{short(name)} stands twice", f"the first is at {first}")
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
    wanted = "a string, a number, true or false"
    if not isinstance(node, Scalar) or node.value is None:
        reader.wrong(
            node, at, wanted, "" if isinstance(node, Scalar) is False else "leave default out to require one"
        )
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
    for key in ("stack", "account"):
        if key not in single and merged.complete:
            hint = {
                "stack": "the owner tag of everything in this config",
                "account": "the 12 digits, in quotes",
            }[key]
            findings.add(merged.whole, (key,), "is required", hint)
    if "resources" not in merged.present and merged.complete:
        findings.add(
            merged.whole, ("resources",), "is required", "a config without resources says so: resources: {}"
        )
    region = ""
    if "region" in single:
        region = reader.region(single["region"].node, ("region",), regions) or ""
    elif default_region in regions:
        region = default_region
    elif default_region:
        what = f"no region is called {short(default_region)!r}"
        findings.add(merged.whole, ("region",), what, findings.near(default_region, regions))
    windows = tuple(
        reader.as_given(node, path, WINDOW)
        for path, node in (reader.items(single["windows"].node, ("windows",)) if "windows" in single else ())
    )
    tags = reader.tags(merged.mappings["tags"], ("tags",), removable=False)
    return Header(
        stack=(reader.name(single["stack"].node, ("stack",)) if "stack" in single else None) or "",
        account=(reader.account(single["account"].node, ("account",)) if "account" in single else None) or "",
        region=region,
        accounts=_accounts(merged.mappings["accounts"], reader),
        tags={key: value for key, value in tags.items() if value is not None},
        limits=_limits(merged.mappings["limits"], reader),
        mode=(reader.choice(single["mode"].node, ("mode",), MODES) if "mode" in single else None) or "apply",
        windows=windows,
        every=reader.seconds(single["every"].node, ("every",)) if "every" in single else None,
        lease=_lease(single["lease"], reader, regions) if "lease" in single else {},
    )


def _accounts(entries: Mapping[str, Entry], reader: Reader) -> dict[str, Account]:
    found: dict[str, Account] = {}
    for name, entry in entries.items():
        path = ("accounts", name)
        if not NAME.fullmatch(name):
            reader.findings.add(entry.key.mark, path, f"{short(name)!r} is not a name", NAME_RULE)
        inner = reader.known(reader.entries(entry.node, path), path, ("id", "role", "external-id"))
        values: dict[str, str | None] = {}
        for key, value in inner.items():
            read = reader.account if key == "id" else reader.text
            values[key] = read(value.node, (*path, key))
        for key in ("id", "role"):
            if isinstance(entry.node, Entries) and key not in inner:
                reader.findings.add(entry.key.mark, path, f"{key} is required")
        found[name] = Account(
            name=name,
            id=values.get("id") or "",
            role=values.get("role") or "",
            external_id=values.get("external-id"),
        )
    return found


def _limits(entries: Mapping[str, Entry], reader: Reader) -> dict[str, Any]:
    inner = reader.known(entries, ("limits",), LIMITS)
    values = {
        key: reader.number(entry.node, ("limits", key))
        if key == "deletions"
        else reader.number(entry.node, ("limits", key), most=100, whole=False)
        for key, entry in inner.items()
    }
    return {key: value for key, value in values.items() if value is not None}


def _lease(entry: Entry, reader: Reader, regions: frozenset[str]) -> dict[str, Any]:
    inner = reader.known(reader.entries(entry.node, ("lease",)), ("lease",), ("table", "region"))
    if isinstance(entry.node, Entries) and "table" not in inner:
        reader.findings.add(entry.key.mark, ("lease",), "table is required", "the name of a DynamoDB table")
    table = reader.text(inner["table"].node, ("lease", "table")) if "table" in inner else None
    region = reader.region(inner["region"].node, ("lease", "region"), regions) if "region" in inner else None
    return {key: value for key, value in (("table", table), ("region", region)) if value is not None}
