"""What AWS's error codes mean to us, once and for all services.  Used by `gateway`.

Sources: the "API error codes" page of EC2 (https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html),
the common errors of Network Manager (https://docs.aws.amazon.com/networkmanager/latest/APIReference/CommonErrors.html)
and botocore's service models.
"""

from __future__ import annotations

from typing import Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
    ProfileNotFound,
    TokenRetrievalError,
)
from botocore.exceptions import (
    ConnectionError as BotoConnectionError,
)

from reconciler.errors import AwsError, Denied, Exhausted, Gone, Lost, NotYet, Refused, Throttled

THROTTLED = {
    "EC2ThrottledException",
    "PriorRequestNotComplete",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "Throttling",
    "ThrottledException",
    "ThrottlingException",
    "TooManyRequestsException",
}
DENIED = {
    "AccessDenied",
    "AccessDeniedException",
    "AuthFailure",
    "Blocked",
    "ExpiredToken",
    "ExpiredTokenException",
    "IncompleteSignature",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "MissingAuthenticationToken",
    "OptInRequired",
    "PendingVerification",
    "RequestExpired",
    "SignatureDoesNotMatch",
    "UnauthorizedOperation",
    "UnrecognizedClientException",
}
EXHAUSTED = {
    "InsufficientAddressCapacity",
    "InsufficientCapacity",
    "InsufficientFreeAddressesInSubnet",
    "InsufficientHostCapacity",
    "InsufficientInstanceCapacity",
    "InsufficientVolumeCapacity",
    "MaxSpotInstanceCountExceeded",
    "ReservationCapacityExceeded",
    "ServiceQuotaExceededException",
    "TagLimitExceeded",
    "UnfulfillableCapacity",
}
NOT_YET = {
    "ConcurrentModification",
    "ConflictException",
    "DependencyViolation",
    "IncorrectInstanceState",
    "IncorrectModificationState",
    "IncorrectState",
    "InvalidGroup.InUse",
    "InvalidIPAddress.InUse",
    "InvalidPermission.Duplicate",
    "InvalidPlacementGroup.InUse",
    "Resource.AlreadyAssociated",
    "ResourceInUse",
    "ResourceNotReady",
    "VolumeInUse",
}
GONE = {
    "InvalidPermission.NotFound",
    "InvalidPlacementGroup.Unknown",
    "InvalidSecurityGroupRuleId.NotFound",
    "NatGatewayNotFound",
    "ParameterNotFound",
    "ResourceNotFoundException",
}
REFUSED = {"InvalidAMIID.NotFound", "InvalidKeyPair.NotFound"}
"""Codes that look like "gone" and name something that the config spelt wrongly."""
LOST = {
    "InternalError",
    "InternalFailure",
    "InternalServerException",
    "RequestTimeout",
    "ServiceUnavailable",
    "Unavailable",
}

LATER = ("cannot be deleted due to existing", "state is invalid")
"""How Network Manager says, in a ValidationException, that something is still inside or not ready."""
NO_NETWORK = "Global network not found"
CREDENTIALS = (NoCredentialsError, PartialCredentialsError, ProfileNotFound, TokenRetrievalError)


def meaning(error: Exception, *, call: str, creates: bool = False) -> AwsError:
    """Any error of the SDK as one of ours.

    `call` is the operation for the message.  `creates`: a reference that AWS cannot find is then one that it cannot
    see yet, since what is created itself cannot be missing.
    """
    if isinstance(error, ClientError):
        return _of_answer(error, call, creates)
    if isinstance(error, CREDENTIALS):
        return Denied(f"{call}: {error}; set credentials as for the AWS CLI", call=call)
    if isinstance(error, ParamValidationError):
        return Refused(f"{call}: {error}", code="ParamValidation", call=call)
    if isinstance(error, HTTPClientError | BotoConnectionError | BotoCoreError):
        return Lost(
            f"{call}: no answer ({type(error).__name__}: {error})", code=type(error).__name__, call=call
        )
    raise error


def _of_answer(error: ClientError, call: str, creates: bool) -> AwsError:
    answer: dict[str, Any] = dict(error.response)
    code = str(answer.get("Error", {}).get("Code", ""))
    status = int(answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    request = str(answer.get("ResponseMetadata", {}).get("RequestId", ""))
    text = explanation(answer)
    sort = _sort(code, text, status)
    if creates and sort is Gone:
        sort = NotYet
    return sort(f"{call}: {code}: {text}", code=code, call=call, request_id=request)


def _sort(code: str, text: str, status: int) -> type[AwsError]:
    tables: list[tuple[set[str], type[AwsError]]] = [
        (REFUSED, Refused),
        (THROTTLED, Throttled),
        (DENIED, Denied),
        (EXHAUSTED, Exhausted),
        (NOT_YET, NotYet),
        (GONE, Gone),
        (LOST, Lost),
    ]
    for codes, sort in tables:
        if code in codes:
            return sort
    if code == "ValidationException" and NO_NETWORK in text:
        return Gone
    if code == "ValidationException" and any(sign in text for sign in LATER):
        return NotYet
    if code.endswith(".NotFound") or code.endswith(".NotFoundException"):
        return Gone
    if code.endswith("LimitExceeded"):
        return Exhausted
    return Lost if status >= 500 or not code else Refused


def explanation(answer: dict[str, Any]) -> str:
    """All that AWS says about an error: Network Manager's useful words are in Fields, beside the Error."""
    said = [str(answer.get("Error", {}).get("Message", ""))]
    said += [
        f"{name} {answer[name]}" for name in ("Reason", "ResourceType", "ResourceId") if answer.get(name)
    ]
    said += [f"{field.get('Name')}: {field.get('Message')}" for field in answer.get("Fields") or ()]
    return "; ".join(part for part in said if part)
