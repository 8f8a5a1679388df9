"""A sample as a request and its answer: the command line read by botocore's model, the output as JSON."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore import xform_name
from botocore.model import ListShape, ServiceModel, Shape, StructureShape


@dataclass(frozen=True)
class Sample:
    """One sample: the operation, its parameters as boto3 spells them, and what the service answered ({}: nothing).

    `unread`: why it cannot be tried, or None.
    """

    operation: str
    parameters: dict[str, Any]
    output: dict[str, Any]
    unread: str | None = None


def read(folder: Path, model: ServiceModel) -> Iterator[Sample]:
    """The samples of the service in a folder, by name; those of other services that lie there are left out."""
    operations = {xform_name(name, "-"): name for name in model.operation_names}
    for path in sorted(folder.glob("*.rst")):
        if path.stem in operations:
            yield _sample(path.read_text(), operations[path.stem], model)


def _sample(text: str, operation: str, model: ServiceModel) -> Sample:
    command, _, rest = text.partition("Output::")
    shape = model.operation_model(operation).input_shape
    assert shape is not None
    parameters = _parameters(_block(command), shape)
    try:
        output = json.loads(_block("::\n" + rest)) if rest else {}
    except ValueError as error:
        return Sample(operation, parameters, {}, f"its output is not JSON ({error})")
    return Sample(operation, parameters, output)


def _block(text: str) -> str:
    """The first indented block after a line that ends in two colons."""
    lines: list[str] = []
    for line in text.partition("::\n")[2].splitlines():
        if line.startswith("    "):
            lines.append(line)
        elif lines and line.strip():
            break
    return "\n".join(lines)


def _parameters(command: str, shape: StructureShape) -> dict[str, Any]:
    words = shlex.split(re.sub(r"\s*\\?\n", " ", command))
    given: dict[str, list[str]] = {}
    option = ""
    for word in words[3:]:  # aws networkmanager OPERATION
        if word.startswith("--"):
            option, _, value = word[2:].partition("=")
            given[option] = [value] if value else []
        elif option:
            given[option].append(word)
    parameters: dict[str, Any] = {}
    for name, member in shape.members.items():
        if xform_name(name, "-") in given:
            parameters[name] = _value(member, given[xform_name(name, "-")])
        elif isinstance(
            member, StructureShape
        ):  # a sample may give a member of a structure like an option of its own
            inner = {one: _value(member.members[one], given[one]) for one in member.members if one in given}
            parameters |= {name: inner} if inner else {}
    return parameters


def _value(shape: Shape, words: list[str]) -> Any:
    if isinstance(shape, ListShape):
        return [_value(shape.member, [word]) for word in words]
    if isinstance(shape, StructureShape):
        pairs = (pair.partition("=") for pair in words[0].split(","))
        return {name: _value(shape.members[name], [value]) for name, _, value in pairs}
    if shape.type_name in ("integer", "long"):
        return int(words[0])
    if shape.type_name == "boolean":
        return words in ([], ["true"])
    return words[0]
