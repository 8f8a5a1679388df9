"""Whether a request fits botocore's input shape, as far as the service looks and boto3 does not.

boto3 checks types and required members before it sends; lengths, ranges, enums and patterns are the service's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape

from .refusals import Refusal, invalid_fields


def validate(model: OperationModel, parameters: Mapping[str, Any], maxima: Mapping[str, int]) -> None:
    """Raises ValidationException with one field entry for each thing that is wrong.

    In: the operation, its parameters, and lengths by top-level member where doc strings are stricter than the model.
    """
    if model.input_shape is None:
        return
    refusals = list(_structure(model.input_shape, parameters, ""))
    for member, maximum in maxima.items():
        value = parameters.get(member)
        if isinstance(value, str) and len(value) > maximum:
            refusals.append(Refusal(member, f"must be at most {maximum} characters long."))
    if refusals:
        unique = {refusal.member: refusal for refusal in refusals}
        raise invalid_fields(list(unique.values()))


def _structure(shape: StructureShape, value: Mapping[str, Any], path: str) -> Iterator[Refusal]:
    for member in shape.required_members:
        if value.get(member) is None:
            yield Refusal(f"{path}{member}", "is required.")
    for member, inner in value.items():
        if inner is not None and member in shape.members:
            yield from _walk(shape.members[member], inner, f"{path}{member}")


def _walk(shape: Shape, value: Any, path: str) -> Iterator[Refusal]:
    if isinstance(shape, StructureShape):
        yield from _structure(shape, value, f"{path}.")
    elif isinstance(shape, ListShape):
        yield from _size(shape, len(value), path, "entries")
        for number, inner in enumerate(value):
            yield from _walk(shape.member, inner, f"{path}.{number}")
    elif isinstance(shape, MapShape):
        for key, inner in value.items():
            yield from _walk(shape.value, inner, f"{path}.{key}")
    elif shape.type_name in ("integer", "long") and isinstance(value, int):
        yield from _size(shape, value, path, "")
    elif isinstance(value, str):
        yield from _text(shape, value, path)


def _size(shape: Shape, size: int, path: str, unit: str) -> Iterator[Refusal]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and size < least:
        yield Refusal(path, f"must be at least {least} {unit}".rstrip() + ".")
    if most is not None and size > most:
        yield Refusal(path, f"must be at most {most} {unit}".rstrip() + ".")


def _text(shape: Shape, value: str, path: str) -> Iterator[Refusal]:
    yield from _size(shape, len(value), path, "characters long")
    enum = shape.metadata.get("enum")
    if enum and value not in enum:
        yield Refusal(path, f"must be one of {', '.join(enum)}.")
    pattern = shape.metadata.get("pattern")
    # ids are not held against their patterns: an id that cannot exist is answered as one that does not
    if pattern and not shape.name.endswith(("Id", "Arn")) and not re.fullmatch(pattern, value):
        yield Refusal(path, f"must match {pattern}.")
