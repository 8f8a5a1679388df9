"""Refusals in a word, as each service spells them.  Called by `pipeline.py` and `file`.

Sources: EC2 API reference, "Error codes for the Amazon EC2 API"; the services' "Common Errors" (Query: STS, IAM; JSON:
SSM, DynamoDB; REST: Network Manager); botocore's models for the codes and statuses that they name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from botocore.model import ServiceModel

from ..calls import Call
from ..errors import AwsError


class _Spelt(NamedTuple):
    code: str
    status: int
    message: str


_EC2: Mapping[str, _Spelt] = {
    "denied": _Spelt("UnauthorizedOperation", 403, "You are not authorized to perform this operation."),
    "expired": _Spelt("RequestExpired", 400, "Request has expired."),
    "internal": _Spelt("InternalError", 500, "An internal error has occurred"),
    "throttled": _Spelt("RequestLimitExceeded", 503, "Request limit exceeded."),
    "unavailable": _Spelt("Unavailable", 503, "The service is unavailable. Please try again shortly."),
}
_QUERY: Mapping[str, _Spelt] = {
    "denied": _Spelt("AccessDenied", 403, "User is not authorized to perform this operation."),
    "expired": _Spelt("ExpiredToken", 403, "The security token included in the request is expired"),
    "internal": _Spelt("InternalFailure", 500, "The request processing has failed."),
    "not-found": _Spelt("NoSuchEntity", 404, "It cannot be found."),
    "throttled": _Spelt("Throttling", 400, "Rate exceeded"),
    "unavailable": _Spelt("ServiceUnavailable", 503, "Service is unavailable."),
}
_JSON: Mapping[str, _Spelt] = {
    "denied": _Spelt("AccessDeniedException", 400, "User is not authorized to perform this operation."),
    "expired": _Spelt("ExpiredTokenException", 400, "The security token included in the request is expired"),
    "internal": _Spelt("InternalServerError", 500, "The request processing has failed."),
    "not-found": _Spelt("ResourceNotFoundException", 400, "Requested resource not found"),
    "throttled": _Spelt("ThrottlingException", 400, "Rate exceeded"),
    "unavailable": _Spelt("ServiceUnavailable", 503, "Service is unavailable."),
}
_REST: Mapping[str, _Spelt] = {
    "denied": _Spelt("AccessDeniedException", 403, "User is not authorized to perform this operation."),
    "expired": _Spelt("ExpiredTokenException", 403, "The security token included in the request is expired"),
    "internal": _Spelt("InternalServerException", 500, "An internal error has occurred."),
    "not-found": _Spelt("ResourceNotFoundException", 404, "Resource not found."),
    "throttled": _Spelt("ThrottlingException", 429, "Rate exceeded"),
    "unavailable": _Spelt("ServiceUnavailable", 503, "Service is unavailable."),
}
_BY_PROTOCOL = {"ec2": _EC2, "query": _QUERY, "json": _JSON}

WORDS = tuple(sorted({*_EC2, *_QUERY, *_JSON, *_REST}))


def refusal(word: str, service: ServiceModel, call: Call) -> AwsError:
    """The error of one of WORDS, as the service says it of this call."""
    if word == "not-found":
        if service.resolved_protocol == "ec2":
            return _missing_in_ec2(call)
        if service.service_name == "networkmanager":
            return _missing_in_network_manager(call)
        if service.service_name == "ssm":
            return AwsError("ParameterNotFound", "", 400)
    found = _BY_PROTOCOL.get(service.resolved_protocol, _REST)[word]
    return AwsError(found.code, found.message, found.status)


def _missing_in_ec2(call: Call) -> AwsError:
    """Of the first id that the call names, in the words for its type."""
    from ..ec2.missing import BY_PREFIX  # which imports what imports this package

    for text in _texts(call.parameters):
        if kind := BY_PREFIX.get(text.rpartition("-")[0]):
            return AwsError(kind.code, kind.message.format(text), 400)
    return AwsError("InvalidParameterValue", "The value does not name anything that exists.", 400)


def _missing_in_network_manager(call: Call) -> AwsError:
    """A list of what lies in a network says it of the network, and any other call of the thing itself."""
    ids = {name: str(value) for name, value in call.parameters.items() if name.endswith(("Id", "Arn"))}
    inner = {name: value for name, value in ids.items() if name != "GlobalNetworkId"}
    if "GlobalNetworkId" in ids and not inner:
        return AwsError(
            "ValidationException",
            "Incorrect input.",
            400,
            Reason="FieldValidationFailed",
            Fields=[{"Name": "globalNetworkId", "Message": "Global network not found."}],
        )
    resource = next(iter(inner.values()), "")
    return AwsError("ResourceNotFoundException", "Resource not found.", 404, ResourceId=resource)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner)
