"""Whether an answer fits botocore's output shape: the check that keeps this imitation from drifting.

Serialisers drop members that the model does not know, so a misspelt member would vanish without a trace; this looks at
the answer before it is serialised. Called by `pipeline.py` for each answer when the settings ask for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape

_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "character": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "timestamp": (datetime,),
    "blob": (bytes, str),
}


@dataclass(frozen=True)
class Finding:
    """What does not fit: where, what, and whether it is only a value that an enum does not list."""

    path: str
    text: str
    is_warning: bool = False

    def __str__(self) -> str:
        return f"{self.path}: {self.text}"


def check(model: OperationModel, answer: Mapping[str, Any]) -> list[Finding]:
    """All that does not fit the operation's output shape: unknown members, wrong types, missing required members;
    values outside an enum are warnings, because AWS itself answers values that the model does not list."""
    shape = model.output_shape
    if shape is None:
        return [Finding(model.name, "has no output, but an answer was given")] if answer else []
    return list(_walk(shape, answer, model.name))


def _walk(shape: Shape, value: Any, path: str) -> Iterator[Finding]:
    if isinstance(shape, StructureShape):
        yield from _structure(shape, value, path)
    elif isinstance(shape, ListShape):
        if not isinstance(value, list):
            yield Finding(path, f"is {type(value).__name__}, not a list")
            return
        for number, inner in enumerate(value):
            yield from _walk(shape.member, inner, f"{path}[{number}]")
    elif isinstance(shape, MapShape):
        if not isinstance(value, Mapping):
            yield Finding(path, f"is {type(value).__name__}, not a map")
            return
        for key, inner in value.items():
            yield from _walk(shape.value, inner, f"{path}.{key}")
    else:
        yield from _scalar(shape, value, path)


def _structure(shape: StructureShape, value: Any, path: str) -> Iterator[Finding]:
    if not isinstance(value, Mapping):
        yield Finding(path, f"is {type(value).__name__}, not a structure")
        return
    for name, inner in value.items():
        if name not in shape.members:
            yield Finding(f"{path}.{name}", f"is no member of {shape.name}")
        else:
            yield from _walk(shape.members[name], inner, f"{path}.{name}")
    for name in shape.required_members:
        if value.get(name) is None:
            yield Finding(f"{path}.{name}", f"is required in {shape.name} and missing")


def _scalar(shape: Shape, value: Any, path: str) -> Iterator[Finding]:
    allowed = _TYPES.get(shape.type_name, ())
    wrong = not isinstance(value, allowed) or (isinstance(value, bool) and bool not in allowed)
    if wrong:
        yield Finding(path, f"is {type(value).__name__} {value!r}, not a {shape.type_name}")
        return
    enum = getattr(shape, "enum", None)
    if enum and value not in enum:
        yield Finding(path, f"{value!r} is not one of {', '.join(enum)}", is_warning=True)
