"""What faults make of a good answer, before it is written.  Called by `pipeline.py`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.model import ListShape, OperationModel, StructureShape

from .faults import TOKENS, Faults, Met
from .rules import Blank, Empty

_CONTINUED = (*TOKENS, "IsTruncated")


def edited(faults: Faults, met: Met, model: OperationModel, answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """The answer that the client gets: an earlier one, one without things or without members, or the true one."""
    told = faults.outdated(met, answer)
    answer = answer if told is None else told
    if met.first(Blank):
        return {}
    if met.first(Empty):
        answer = _emptied(model, answer)
    faults.note_page(met, answer)
    return answer


def _emptied(model: OperationModel, answer: Mapping[str, Any]) -> dict[str, Any]:
    shape = model.output_shape
    members = shape.members if isinstance(shape, StructureShape) else {}
    lists = {name for name, member in members.items() if isinstance(member, ListShape)}
    left = {name: value for name, value in answer.items() if name not in _CONTINUED}
    return {name: [] if name in lists else value for name, value in left.items()}
