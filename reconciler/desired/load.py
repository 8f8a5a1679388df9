"""A config from its files: read, parse, merge, fill in, check.  Called by `cli` and `loop`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from reconciler.desired import files as disk
from reconciler.desired.addressing import check_addressing
from reconciler.desired.agreement import check_agreement
from reconciler.desired.check import Checker
from reconciler.desired.expand import Expanded, expand
from reconciler.desired.files import Beside, File
from reconciler.desired.findings import Findings, short
from reconciler.desired.graph import Catalogue, Edge, circles
from reconciler.desired.header import Merged, merge, read_header, read_variables
from reconciler.desired.lists import read_lists
from reconciler.desired.nodes import Entry, Scalar
from reconciler.desired.numbering import check_numbers
from reconciler.desired.offered import check_offers
from reconciler.desired.references import Filled, Names, Pointer
from reconciler.desired.resource import Made, Maker
from reconciler.desired.source import parse
from reconciler.errors import ConfigError
from reconciler.model.address import Address
from reconciler.model.config import Config
from reconciler.model.kind import Kind
from reconciler.model.place import Place, Problem
from reconciler.model.schema import Schema
from reconciler.model.things import Parameter

NOTHING: Beside = {}


def load(
    path: Path,
    *,
    kinds: Mapping[str, Kind],
    schema: Schema,
    variables: Mapping[str, str],
    environment: Mapping[str, str],
    default_region: str = "",
) -> Config:
    """The config in a file or folder, checked.

    `variables` are those of --var; `environment` may set others (RECONCILER_VAR_X); `default_region` counts where
    the config names none.  Raises ConfigError with every problem, sorted by position.
    """
    files, problems = disk.read(path)
    return build(
        files,
        str(path),
        kinds=kinds,
        schema=schema,
        variables=variables,
        environment=environment,
        default_region=default_region,
        problems=problems,
        beside=disk.beside(files),
    )


def fingerprint(path: Path) -> str:
    """The digest of the files as they are now, as `Config.digest` has it; ConfigError when unreadable."""
    files, problems = disk.read(path)
    if problems:
        raise ConfigError(problems)
    return disk.digest(files, disk.beside(files))


def build(
    files: Sequence[File],
    name: str,
    *,
    kinds: Mapping[str, Kind],
    schema: Schema,
    variables: Mapping[str, str],
    environment: Mapping[str, str],
    default_region: str = "",
    problems: Sequence[Problem] = (),
    beside: Beside = NOTHING,
) -> Config:
    """As `load`, from files that are read already; `name` is what the config as a whole is called.

    `beside` are the files that they name.
    """
    findings = Findings()
    findings.extend(problems)
    documents = [parse(file) for file in files]
    for document in documents:
        findings.extend(document.problems)
    blank = [file for file in files if not file.data.strip()] if len(files) > 1 else []
    findings.extend(
        Problem(Place(file.name), "", "is empty", "was it cut short? remove it if nothing belongs there")
        for file in blank
    )
    silent = not any(document.root or document.broken for document in documents)
    if silent and files:
        findings.add(
            Place(name), (), "is empty: no stack, no account, no resources", "was the file cut short?"
        )
    if silent:
        raise ConfigError(findings.problems)
    merged = merge(documents, Place(name), findings)
    merged = merged._replace(complete=merged.complete and not problems and not blank)
    names = Names(read_variables(merged, variables, environment, findings), complete=merged.complete)
    names = names._replace(lists=read_lists(merged.mappings["lists"], names, findings))
    header = read_header(merged, names, schema.regions, default_region, findings)
    expanded = expand(merged.mappings["resources"], names, findings)
    _unknown_kinds(expanded, kinds, findings)
    catalogue = Catalogue(expanded.found, kinds, schema, merged.complete, expanded.vague)
    region_expected = merged.complete and "region" not in merged.present and not default_region
    maker = Maker(kinds, schema, header, catalogue, findings, beside, region_expected=region_expected)
    made = {address: maker.make(declaration) for address, declaration in expanded.found.items()}
    for declaration in expanded.spoilt:
        if declaration.address.kind in kinds:
            maker.make(declaration)
    _graph(made, findings)
    check_agreement(made, kinds, findings)
    check_addressing(made, findings)
    check_offers(made, findings)
    check_numbers(made, findings)
    outputs = _outputs(merged, names, catalogue, findings)
    if findings.problems:
        raise ConfigError(findings.problems)
    return Config(
        stack=header.stack,
        account=header.account,
        region=header.region,
        resources={address: resource.desired for address, resource in made.items()},
        outputs=outputs,
        accounts=header.accounts,
        tags=header.tags,
        mode=header.guards.mode,
        limits=header.guards.limits,
        windows=header.guards.windows,
        every=header.guards.every,
        lease=header.guards.lease,
        files=tuple(file.name for file in (*files, *beside.values()) if isinstance(file, File)),
        digest=disk.digest(files, beside),
    )


def _unknown_kinds(expanded: Expanded, kinds: Mapping[str, Kind], findings: Findings) -> None:
    """Report the resources of unknown kinds, and take them out; who refers to one is not told that it is missing."""
    for address in [address for address in expanded.found if address.kind not in kinds]:
        entry = expanded.found.pop(address).entry
        meant = findings.closest(address.kind, kinds)
        hint = f"did you mean {meant}?" if meant else findings.choice(kinds)
        what = f"there is no kind called {short(address.kind)!r}"
        findings.add(entry.key.mark, (str(address),), what, hint)
        expanded.vague += [re.escape(f"{kind}/{address.name}") for kind in (address.kind, meant) if kind]


def _graph(made: Mapping[Address, Made], findings: Findings) -> None:
    """What is wrong between resources: circles, and two that claim one earlier address."""
    edges: dict[Address, Sequence[Edge]] = {address: resource.edges for address, resource in made.items()}
    for circle in circles(edges):
        where = next(edge.place for edge in edges[circle[0]] if edge.hard and edge.to == circle[1])
        findings.add(
            where, (str(circle[0]),), f"refers to itself in a circle: {' → '.join(map(str, circle))}"
        )
    claimed: dict[Address, Address] = {}
    for address, resource in made.items():
        for earlier, where in resource.earlier.items():
            other = claimed.setdefault(earlier, address)
            if other != address:
                what = f"{earlier} became {other} already"
                findings.add(where, (str(address), "previously"), what, "one of the two is wrong")


def _outputs(merged: Merged, names: Names, catalogue: Catalogue, findings: Findings) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, entry in merged.mappings["outputs"].items():
        if not name.strip() or "${" in name:
            findings.add(entry.key.mark, ("outputs", name), f"{short(name)!r} is not the name of an output")
        found[name] = _output(name, entry, names, catalogue, findings)
    return found


def _output(name: str, entry: Entry, names: Names, catalogue: Catalogue, findings: Findings) -> Any:
    """One output: a string, a Ref or a Text."""
    path = ("outputs", name)
    checker = Checker(findings, names, Address("", ""), catalogue)
    node = entry.node
    if not (isinstance(node, Scalar) and isinstance(node.value, str) and "${" in node.value):
        return checker.text(node, path)
    pieces = checker.pieces(node, path)
    if pieces is None:
        return None
    if any(isinstance(piece, Parameter) for piece in pieces):
        findings.add(node.mark, path, "an output cannot hold a parameter", "it is read only at creation")
        return None
    match pieces:
        case (Filled(text=text),):
            return text
        case (str(text),):
            return text
        case (Pointer() as pointer,):
            found = checker.reference(node, pointer, path, hard=False)
            return found.ref if found is not None and checker.fits_text(node, found, path) else None
    return checker.joined(node, pieces, path, hard=False)
