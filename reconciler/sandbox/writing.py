"""Results as XML in the envelopes of EC2 and of the query protocol, in one walk through what is there.

Called by `wire.render`.  What it writes is what moto's serialisers write (`tests/sandbox/test_writing.py`), in a
fraction of the time: they walk through all that an answer could hold.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from botocore.model import OperationModel
from botocore.utils import parse_to_aware_datetime

PROTOCOLS = frozenset({"ec2", "query"})
_HEAD = '<?xml version="1.0" encoding="utf-8"?>\n'


def written(model: OperationModel, answer: Mapping[str, Any], request_id: str) -> str:
    """The body of an answer."""
    service, shape = model.service_model, model.output_shape
    namespace = service.metadata.get("xmlNamespace")
    attribute = f" xmlns={quoteattr(namespace)}" if namespace else ""
    parts = [f"{_HEAD}<{model.name}Response{attribute}>"]
    is_ec2 = service.resolved_protocol == "ec2"
    if is_ec2:
        if shape is not None:
            _members(parts, shape, answer, zeroed=True)
        parts.append(f"<requestId>{request_id}</requestId>")
    else:
        if shape is not None:
            name = shape.serialization.get("resultWrapper", f"{shape.name}Result")
            parts.append(f"<{name}>")
            _members(parts, shape, answer, zeroed=False)
            parts.append(f"</{name}>")
        parts.append(f"<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata>")
    parts.append(f"</{model.name}Response>")
    return "".join(parts)


def _members(parts: list[str], shape: Any, value: Mapping[str, Any], zeroed: bool) -> None:
    members = shape.members
    for name, inner in value.items():
        if inner is not None and name in members:
            member = members[name]
            _add(parts, member, member.serialization.get("name", name), inner, zeroed)


def _add(parts: list[str], shape: Any, name: str, value: Any, zeroed: bool) -> None:
    kind = shape.type_name
    if kind == "structure":
        parts.append(f"<{name}>")
        _members(parts, shape, value, zeroed)
        parts.append(f"</{name}>")
    elif kind == "list":
        _add_list(parts, shape, name, value, zeroed)
    elif kind == "map":
        _add_map(parts, shape, name, value, zeroed)
    else:
        text = _spelt(shape, value, zeroed)
        parts.append(f"<{name}>{text}</{name}>" if text else f"<{name}/>")


def _add_list(parts: list[str], shape: Any, name: str, value: Any, zeroed: bool) -> None:
    member = shape.member
    items = [one for one in value if one is not None and one != {}]
    if shape.serialization.get("flattened"):
        for one in items:
            _add(parts, member, name, one, zeroed)
    elif not items:
        parts.append(f"<{name}/>")
    else:
        inner = member.serialization.get("name", "member")
        parts.append(f"<{name}>")
        for one in items:
            _add(parts, member, inner, one, zeroed)
        parts.append(f"</{name}>")


def _add_map(parts: list[str], shape: Any, name: str, value: Mapping[str, Any], zeroed: bool) -> None:
    parts.append(f"<{name}>")
    for key, inner in value.items():
        if inner is not None:
            parts.append("<entry>")
            _add(parts, shape.key, shape.key.serialization.get("name", "key"), key, zeroed)
            _add(parts, shape.value, shape.value.serialization.get("name", "value"), inner, zeroed)
            parts.append("</entry>")
    parts.append(f"</{name}>")


def _spelt(shape: Any, value: Any, zeroed: bool) -> str:
    kind = shape.type_name
    if kind == "string":
        return escape(str(value))
    if kind == "boolean":
        return "true" if value is True or str(value).lower() == "true" else "false"
    if kind in ("integer", "long"):
        return str(int(value))
    if kind == "timestamp":
        return _moment(value, zeroed)
    if kind == "blob":
        return base64.b64encode(value.encode() if isinstance(value, str) else value).decode()
    return str(float(value))


@lru_cache(4096)
def _moment(value: Any, zeroed: bool) -> str:
    moment: datetime = parse_to_aware_datetime(value)
    if zeroed:
        return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ" if moment.microsecond else "%Y-%m-%dT%H:%M:%SZ")
