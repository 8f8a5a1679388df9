"""A config from its files: read, parse, merge, fill in, check.  Called by `cli` and `loop`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from reconciler.desired import source
from reconciler.desired.check import Checker
from reconciler.desired.expand import expand
from reconciler.desired.findings import Findings
from reconciler.desired.graph import Catalogue, Edge, circles
from reconciler.desired.header import Merged, merge, read_header, read_variables
from reconciler.desired.references import Filled, Names, Pointer
from reconciler.desired.resource import Made, Maker
from reconciler.desired.source import Entry, File, Scalar
from reconciler.errors import ConfigError
from reconciler.model.address import Address
from reconciler.model.config import Config
from reconciler.model.kind import Kind
from reconciler.model.place import Place, Problem
from reconciler.model.schema import Schema
from reconciler.model.things import Parameter


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
    files, problems = source.read(path)
    return build(
        files,
        str(path),
        kinds=kinds,
        schema=schema,
        variables=variables,
        environment=environment,
        default_region=default_region,
        problems=problems,
    )


def fingerprint(path: Path) -> str:
    """The digest of the files as they are now, as `Config.digest` has it; ConfigError when unreadable."""
    files, problems = source.read(path)
    if problems:
        raise ConfigError(problems)
    return source.digest(files)


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
) -> Config:
    """As `load`, from files that are read already; `name` is what the config as a whole is called."""
    findings = Findings()
    findings.extend(problems)
    documents = [source.parse(file) for file in files]
    for document in documents:
        findings.extend(document.problems)
    silent = not any(document.root or document.broken for document in documents)
    if silent and files:
        findings.add(
            Place(name), (), "is empty: no stack, no account, no resources", "was the file cut short?"
        )
    if silent:
        raise ConfigError(findings.problems)
    merged = merge(documents, Place(name), findings)
    merged = merged._replace(complete=merged.complete and not problems)
    names = Names(read_variables(merged, variables, environment, findings), complete=merged.complete)
    header = read_header(merged, names, schema.regions, default_region, findings)
    declarations = expand(merged.mappings["resources"], names, findings)
    catalogue = Catalogue(declarations, kinds, schema, merged.complete)
    region_expected = merged.complete and "region" not in merged.single and not default_region
    maker = Maker(kinds, schema, header, catalogue, findings, region_expected=region_expected)
    made = {
        address: resource
        for address, declaration in declarations.items()
        if (resource := maker.make(declaration)) is not None
    }
    _graph(made, findings)
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
        limits=header.limits,
        mode=header.mode,
        windows=header.windows,
        every=header.every,
        lease=header.lease,
        files=tuple(file.name for file in files),
        digest=source.digest(files),
    )


def _graph(made: Mapping[Address, Made], findings: Findings) -> None:
    """What is wrong between resources: circles, and two that claim one earlier address."""
    edges: dict[Address, Sequence[Edge]] = {address: resource.edges for address, resource in made.items()}
    for circle in circles(edges):
        where = made[circle[0]].desired.place
        findings.add(
            where, (str(circle[0]),), f"refers to itself in a circle: {' → '.join(map(str, circle))}"
        )
    claimed: dict[Address, Address] = {}
    for address, resource in made.items():
        for earlier in resource.desired.previously:
            other = claimed.setdefault(earlier, address)
            if other != address:
                path = (str(address), "previously")
                findings.add(
                    resource.desired.place,
                    path,
                    f"{earlier} became {other} already",
                    "one of the two is wrong",
                )


def _outputs(merged: Merged, names: Names, catalogue: Catalogue, findings: Findings) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, entry in merged.mappings["outputs"].items():
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
            reference = checker.reference(node, pointer, path, hard=False)
            return None if reference is None else reference[0]
    return checker.joined(node, pieces, path, hard=False)
