"""moto's results as boto3 would show them, without the XML that moto would write and botocore read between.

Called by `pipeline.py` for answers that the sandbox amends before it writes them; what is taken is what
`wire.read` would have read (`tests/sandbox/test_taking.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from botocore.utils import parse_to_aware_datetime
from moto.core.responses import ActionContext, ActionResult
from moto.core.serialize import AttributePickerContext, XFormedAttributePicker
from moto.core.utils import get_value

SERVICES = frozenset({"autoscaling", "ec2", "elbv2", "iam"})
"""Those whose answers are XML in an envelope, and amended."""
_NOTHING: Any = object()
_MISSING: Any = object()
_moto_execute: Any = ActionResult.execute_result


class Taken:
    """What stands for the body of an answer that nobody has written: a result as boto3 shows it."""

    def __init__(self, result: dict[str, Any]) -> None:
        self.result = result


def execute(self: ActionResult, context: ActionContext) -> Any:
    """moto's way from a result to an answer; of a response that is marked by `ask`, the result itself."""
    asked = context.response.__dict__.get("_asked_for_result", False)
    if not asked or isinstance(self.result, Exception):
        return _moto_execute(self, context)
    return 200, {}, Taken(result_of(self, context))


def ask(response: Any) -> None:
    """Mark a response, so that its result is taken, if its service is one of `SERVICES`."""
    response.__dict__["_asked_for_result"] = response.boto3_service_name in SERVICES


def result_of(action: ActionResult, context: ActionContext) -> dict[str, Any]:
    """A result of moto as boto3 shows it."""
    shape = context.operation_model.output_shape
    if shape is None or action.result is None:
        return {}
    transformers = getattr(context.response, "RESPONSE_KEY_PATH_TO_TRANSFORMER", None) or {}
    place = _whole(context.operation_model, tuple(transformers))
    return _structure(place, action.result, transformers)  # type: ignore[no-any-return]


class _Place:
    """A place in the answer of an operation: its shape, what is taken there, and what stands below it."""

    def __init__(self, shape: Any, path: str, paths: tuple[str, ...], zeroed: bool) -> None:
        self.shape, self.path, self.paths, self.zeroed = shape, path, paths, zeroed
        self.take: Callable[[_Place, Any, Mapping[str, Any]], Any] = _TAKEN.get(shape.type_name, _text)
        self._keys: dict[type, list[tuple[str, tuple[str, ...], str, _Place]]] = {}
        self._below: dict[str, _Place] = {}

    def below(self, key: str, shape: Any) -> _Place:
        """The place of a member, or of a list's items."""
        if key not in self._below:
            self._below[key] = _Place(shape, f"{self.path}.{key}", self.paths, self.zeroed)
        return self._below[key]

    def members(self, value: Any) -> list[tuple[str, tuple[str, ...], str, _Place]]:
        """Of what is in a value of this class: its name, what moto may call it, how it is transformed, its place."""
        found = self._keys.get(type(value))
        if found is None:
            found = self._keys[type(value)] = [
                self._member(value, *one) for one in self.shape.members.items()
            ]
        return found

    def _member(self, value: Any, name: str, shape: Any) -> tuple[str, tuple[str, ...], str, _Place]:
        shape.parent = self.shape  # where moto's picker looks for it
        keys = tuple(XFormedAttributePicker().get_possible_keys(AttributePickerContext(value, name, shape)))
        path = f"{self.path}.{name}"
        transformed = next((end for end in self.paths if path.endswith(end)), "")
        return name, keys, transformed, self.below(name, shape)


@lru_cache(1024)
def _whole(model: Any, paths: tuple[str, ...]) -> _Place:
    zeroed = model.service_model.protocol == "ec2"
    return _Place(model.output_shape, f"{model.name}.{model.output_shape.name}", paths, zeroed)


def _structure(place: _Place, value: Any, transformers: Mapping[str, Any]) -> Any:
    if value is None:
        return _NOTHING
    found = {}
    plain, is_dict = not hasattr(value, "__getitem__"), type(value) is dict
    inner: Any
    for name, keys, transformed, below in place.members(value):
        inner = _MISSING
        for key in keys:
            if "." in key or not (plain or is_dict):
                inner = get_value(value, key, _MISSING)
            else:
                inner = getattr(value, key, _MISSING) if plain else value.get(key, _MISSING)
            if inner is not _MISSING:
                break
        if inner is _MISSING:
            inner = None
        if transformed:
            inner = transformers[transformed](inner)
        if inner is not None and (taken := below.take(below, inner, transformers)) is not _NOTHING:
            found[name] = taken
    return found


def _list(place: _Place, value: Any, transformers: Mapping[str, Any]) -> Any:
    member = place.shape.member
    below = place.below(member.name, member)
    taken = [below.take(below, one, transformers) for one in value]
    found = [one for one in taken if one is not _NOTHING and one != {}]
    return _NOTHING if place.shape.is_flattened and not found else found


def _map(place: _Place, value: Any, transformers: Mapping[str, Any]) -> Any:
    below = place.below("value", place.shape.value)
    return {str(key): below.take(below, one, transformers) for key, one in value.items() if one is not None}


def _text(place: _Place, value: Any, transformers: Mapping[str, Any]) -> Any:
    return str(value)


def _flag(place: _Place, value: Any, transformers: Mapping[str, Any]) -> Any:
    return value is True or str(value).lower() == "true"


def _whole_number(place: _Place, value: Any, transformers: Mapping[str, Any]) -> Any:
    return int(value)


def _number(place: _Place, value: Any, transformers: Mapping[str, Any]) -> Any:
    return float(value)


def _moment(place: _Place, value: Any, transformers: Mapping[str, Any]) -> datetime:
    moment: datetime = parse_to_aware_datetime(value)
    return moment.replace(microsecond=0 if place.zeroed else moment.microsecond, tzinfo=UTC)


def _bytes(place: _Place, value: Any, transformers: Mapping[str, Any]) -> bytes:
    return value.encode() if isinstance(value, str) else bytes(value)


_TAKEN: Mapping[str, Callable[[_Place, Any, Mapping[str, Any]], Any]] = {
    "structure": _structure,
    "list": _list,
    "map": _map,
    "string": _text,
    "boolean": _flag,
    "integer": _whole_number,
    "long": _whole_number,
    "float": _number,
    "double": _number,
    "timestamp": _moment,
    "blob": _bytes,
}
