"""Answers as bytes: moto's serialisers for results, the services' own envelopes for errors, botocore's parsers to read.

Called by `pipeline.py` only.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from functools import cache
from typing import Any
from xml.sax.saxutils import escape

import botocore.parsers
from botocore.model import OperationModel, ServiceModel
from moto.core.serialize import SerializationContext, get_serializer_class

from . import writing
from .errors import AwsError

Wire = tuple[int, dict[str, str], str | bytes]

_XML = "text/xml;charset=UTF-8"

# what EC2 calls itself in its answers, by which `doctor` knows that it may trust a dry run
_SERVERS = {"ec2": {"Server": "AmazonEC2"}}


def render(model: OperationModel, answer: Mapping[str, Any]) -> Wire:
    """The bytes of a result: status, headers, body."""
    request_id = str(uuid.uuid4())
    service = model.service_model
    own = _SERVERS.get(service.service_name, {})
    if service.resolved_protocol in writing.PROTOCOLS:
        body = writing.written(model, answer, request_id)
        return 200, {"Content-Type": "text/xml", **own, "x-amzn-RequestId": request_id}, body
    serializer = _serializer(service.service_name, service.resolved_protocol)(
        operation_model=model, context=SerializationContext(request_id)
    )
    wire = serializer.serialize(dict(answer))
    headers = {name: str(value) for name, value in wire["headers"].items()}
    return int(wire["status_code"]), {**headers, **own, "x-amzn-RequestId": request_id}, wire["body"]


@cache
def _serializer(service: str, protocol: str) -> Any:
    """moto's serialiser of a service, for answers that are called as botocore calls them."""
    parent: Any = get_serializer_class(service, protocol)

    class Serializer(parent):  # type: ignore[misc]
        def get_value(self, value: Any, key: str, shape: Any) -> Any:
            return value.get(key) if isinstance(value, dict) else None

        def _serialize_type_structure(self, serialized: Any, value: Any, shape: Any, key: str) -> None:
            # what is there, not all that could be: shapes of EC2 have dozens of members
            if value is None or shape.is_document_type:
                super()._serialize_type_structure(serialized, value, shape, key)
                return
            inside = self.MAP_TYPE() if key else serialized
            for name in value.keys() & shape.members.keys():
                self._serialize_structure_member(inside, value, shape.members[name], name)
            if key:
                self._default_serialize(serialized, inside, shape, key)

    return Serializer


def _error_shape(service: ServiceModel, code: str) -> Any:
    for shape in service.error_shapes:
        if code in (shape.name, shape.metadata.get("error", {}).get("code")):
            return shape
    return None


def status_of(service: ServiceModel, error: AwsError) -> int:
    """The HTTP status of an error: its own, else what the model says of its code, else 400."""
    if error.status:
        return error.status
    shape = _error_shape(service, error.code)
    return int(shape.metadata.get("error", {}).get("httpStatusCode", 400)) if shape is not None else 400


def render_error(service: ServiceModel, error: AwsError) -> Wire:
    """The bytes of an error in the envelope of the service's protocol."""
    request_id = str(uuid.uuid4())
    status = status_of(service, error)
    protocol = service.resolved_protocol  # of several, the one that botocore's clients speak
    headers = {**_SERVERS.get(service.service_name, {}), "x-amzn-RequestId": request_id}
    if protocol == "ec2":
        body = (
            '<?xml version="1.0" encoding="UTF-8"?>\n<Response><Errors><Error>'
            f"<Code>{escape(error.code)}</Code><Message>{escape(error.message)}</Message>"
            f"</Error></Errors><RequestID>{request_id}</RequestID></Response>"
        )
        return status, {**headers, "Content-Type": _XML}, body
    if protocol in ("query", "rest-xml"):
        kind = "Receiver" if status >= 500 else "Sender"
        body = (
            f"<ErrorResponse><Error><Type>{kind}</Type><Code>{escape(error.code)}</Code>"
            f"<Message>{escape(error.message)}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>"
        )
        return status, {**headers, "Content-Type": _XML}, body
    shape = _error_shape(service, error.code)
    members: dict[str, Any] = {"Message": error.message}
    for name, value in error.members.items():
        member = shape.members.get(name) if shape is not None else None
        if member is not None and member.serialization.get("location") == "header":  # RetryAfterSeconds
            headers[member.serialization["name"]] = str(value)
        else:
            members[name] = value
    if protocol == "json":
        members = {"__type": error.code, "message": error.message, **members}
        del members["Message"]
    content_type = "application/x-amz-json-1.1" if protocol == "json" else "application/json"
    headers |= {"Content-Type": content_type, "x-amzn-ErrorType": error.code}
    return status, headers, json.dumps(members, default=str)


def read(model: OperationModel, wire: Wire) -> dict[str, Any]:
    """An answer as boto3 shows it, without ResponseMetadata; AwsError for an error answer."""
    status, headers, body = wire
    parser = botocore.parsers.create_parser(model.service_model.resolved_protocol)
    content = body.encode() if isinstance(body, str) else body
    parsed = dict(
        parser.parse(
            {"status_code": int(status), "headers": _Headers(headers), "body": content, "context": {}},
            model.output_shape,  # type: ignore[arg-type]  # None for operations without output; the parser takes it
        )
    )
    parsed.pop("ResponseMetadata", None)
    if int(status) >= 300:
        error = parsed.get("Error", {})
        raise AwsError(str(error.get("Code", "InternalError")), str(error.get("Message", "")), int(status))
    return parsed


class _Headers(dict[str, str]):
    """Headers that are found whatever their case, as botocore's parsers expect."""

    def __init__(self, headers: Mapping[str, Any]) -> None:
        super().__init__({name.lower(): str(value) for name, value in headers.items()})

    def get(self, name: str, default: Any = None) -> Any:
        return super().get(name.lower(), default)

    def __contains__(self, name: object) -> bool:
        return super().__contains__(str(name).lower())

    def __getitem__(self, name: str) -> str:
        return super().__getitem__(name.lower())
