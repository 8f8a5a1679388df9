"""What AWS's error codes mean to us, once and for all services.  Used by whoever makes requests.

Sources: the "API error codes" page of EC2 (https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html),
the common errors of Network Manager (https://docs.aws.amazon.com/networkmanager/latest/APIReference/CommonErrors.html)
and botocore's service models.
"""

from __future__ import annotations

import re
from typing import Any

import botocore.exceptions
from botocore.exceptions import (
    BaseEndpointResolverError,
    BotoCoreError,
    ClientError,
    ConfigNotFound,
    CredentialRetrievalError,
    EndpointProviderError,
    InvalidConfigError,
    InvalidRegionError,
    NoAuthTokenError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
    ProfileNotFound,
    RefreshWithMFAUnsupportedError,
    SSOError,
    TokenRetrievalError,
    UnknownCredentialError,
    UnknownRegionError,
)
from botocore.parsers import ResponseParserError

from reconciler.errors import AwsError, Denied, Exhausted, Gone, Lost, NotYet, Refused, Throttled, Unknown

THROTTLED = {
    "BandwidthLimitExceeded",
    "EC2ThrottledException",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException",
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
    "AccountDisabled",
    "AuthFailure",
    "AuthFailure.ServiceLinkedRoleCreationNotPermitted",
    "Blocked",
    "ExpiredToken",
    "ExpiredTokenException",
    "IncompleteSignature",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "MissingAuthenticationToken",
    "NotAuthorized",
    "OptInRequired",
    "PendingVerification",
    "RequestExpired",
    "SignatureDoesNotMatch",
    "UnauthorizedOperation",
    "UnrecognizedClientException",
}
EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"})
"""Those that hold for every call: others of `DENIED` may be about one region, such as one that is not enabled."""
EXHAUSTED = {
    "InsufficientAddressCapacity",
    "InsufficientCapacity",
    "InsufficientCapacityOnHost",
    "InsufficientFreeAddressesInSubnet",
    "InsufficientHostCapacity",
    "InsufficientInstanceCapacity",
    "InsufficientReservedInstanceCapacity",
    "InsufficientVolumeCapacity",
    "LimitExceededException",
    "MaxFleetCountExceeded",
    "MaxSpotFleetRequestCountExceeded",
    "MaxSpotInstanceCountExceeded",
    "ReservationCapacityExceeded",
    "ServiceQuotaExceededException",
    "SpotMaxPriceTooLow",
    "TooManyListeners",
    "TooManyLoadBalancers",
    "TooManyRegistrationsForTargetId",
    "TooManyTargetGroups",
    "TooManyTargets",
    "TooManyUniqueTargetGroupsPerLoadBalancer",
    "UnfulfillableCapacity",
    "Unsupported",
    "VolumeModificationRateExceeded",
}
"""Capacity, which may exist elsewhere (`Unsupported`: the zone has no such instance type), and quotas."""
NOT_YET = {
    "AcceleratorNotDisabledException",
    "AssociatedEndpointGroupFoundException",
    "AssociatedListenerFoundException",
    "ConcurrentModification",
    "ConcurrentModificationException",
    "ConflictException",
    "DeleteConflict",
    "DependencyViolation",
    "DuplicateTransitGatewayAttachment",
    "EndpointGroupAlreadyExistsException",
    "EntityTemporarilyUnmodifiable",
    "Gateway.NotAttached",
    "HostedZoneNotEmpty",
    "IncorrectInstanceState",
    "IncorrectModificationState",
    "IncorrectSpotRequestState",
    "IncorrectState",
    "InstanceRefreshInProgress",
    "InvalidCidrBlock.InUse",
    "InvalidGroup.InUse",
    "InvalidIPAddress.InUse",
    "InvalidNetworkInterface.InUse",
    "InvalidPermission.Duplicate",
    "InvalidPlacementGroup.InUse",
    "InvalidStateTransition",
    "InvalidSubnet.Range",
    "InvalidVpcState",
    "NetworkAclEntryAlreadyExists",
    "OperationInProgress",
    "OperationInProgressException",
    "PrefixListVersionMismatch",
    "Resource.AlreadyAssociated",
    "ResourceContention",
    "ResourceInUse",
    "ResourceInUseException",
    "ResourceNotReady",
    "RouteAlreadyExists",
    "ScalingActivityInProgress",
    "TransactionInProgressException",
    "VolumeInUse",
    "VpcPeeringConnectionAlreadyExists",
    "VpnGatewayAttachmentLimitExceeded",
}
"""Busy, still in use, or there already although the list did not show it: a later look knows more.

`InvalidSubnet.Range`: the VPC may be about to get the range (`check` finds a subnet that lies in none)."""
TAKEN = frozenset(
    {
        "AlreadyExists",
        "EntityAlreadyExists",
        "FlowLogAlreadyExists",
        "InvalidGroup.Duplicate",
        "InvalidKeyPair.Duplicate",
        "InvalidLaunchTemplateName.AlreadyExistsException",
        "InvalidPlacementGroup.Duplicate",
    }
)
"""What only one thing may have is another's: ours would have been seen; a creation without an answer is waited
for."""
GONE = {
    "AcceleratorNotFoundException",
    "EndpointGroupNotFoundException",
    "InvalidLaunchTemplateId.VersionNotFound",
    "InvalidPermission.NotFound",
    "InvalidPlacementGroup.Unknown",
    "InvalidSecurityGroupRuleId.NotFound",
    "InvalidSubnet",
    "ListenerNotFound",
    "ListenerNotFoundException",
    "LoadBalancerNotFound",
    "NatGatewayNotFound",
    "NoSuchEntity",
    "ResourceNotFoundException",
    "SubnetNotFound",
    "TargetGroupNotFound",
}
REFUSED = {
    "InvalidAMIID.NotFound",
    "InvalidKeyPair.NotFound",
    "ParameterNotFound",
    "ParameterVersionNotFound",
}
"""Codes that look like "gone" and name something that the config spelt wrongly."""
LOST = {
    "InternalError",
    "InternalFailure",
    "InternalServerException",
    "InternalServiceErrorException",
    "RequestTimeout",
    "RequestTimeoutException",
    "ServiceUnavailable",
    "ServiceUnavailableException",
    "Unavailable",
}
TABLES: dict[type[AwsError], set[str]] = {
    Throttled: THROTTLED,
    Denied: DENIED,
    Exhausted: EXHAUSTED,
    NotYet: NOT_YET,
    Gone: GONE,
    Refused: REFUSED,
    Lost: LOST,
}

BY_TEXT: tuple[tuple[str, str, type[AwsError]], ...] = (
    # Network Manager says with one code that a network is gone, that something is in the way, and what is wrong
    ("ValidationException", "global network not found", Gone),
    ("ValidationException", "cannot be deleted due to existing", NotYet),
    ("ValidationException", "state is invalid", NotYet),
    ("ValidationException", "change set state for policy is invalid", NotYet),
    ("ValidationException", "edge location .* not available", NotYet),
    # what is not there, or not any more, of Auto Scaling
    ("ValidationError", "autoscalinggroup name not found", Gone),
    # an address that was released, or is not visible yet, is said to be somebody else's
    ("AuthFailure", "does not belong to you", Gone),
    # what is attached to a role is named by the config alone
    ("NoSuchEntity", "policy .* does not exist or is not attachable", Refused),
    # an instance profile takes up to two minutes to get from IAM to EC2
    ("InvalidParameterValue", "invalid iam instance profile", Unknown),
    ("InvalidParameterValue", "has no associated iam roles", Unknown),
    # an interface that is attached, or not yet off
    ("InvalidParameterValue", "network interface .* is currently in use", NotYet),
    # it has just become of another type, and not everywhere yet
    ("InvalidParameterValue", "launchplan instance type does not match", NotYet),
    # an instance that is pending has no place for an address yet
    ("InvalidInstanceID", "not in a valid state", NotYet),
    # a role that was made just now
    ("InvalidParameter", "unable to assume given iam role", Unknown),
    # a gateway that is not attached yet; a route that somebody has just taken out
    ("InvalidParameterValue", "belong to different networks", NotYet),
    ("InvalidParameterValue", "no route (defined for|with destination)", NotYet),
    # the network gets these attributes when it is there
    ("InvalidParameter", "private dns requires both", NotYet),
    # not a quota: so many may change at one time
    ("VpnConnectionLimitExceeded", "mutating objects", NotYet),
    ("VpnGatewayLimitExceeded", "mutating objects", NotYet),
)
"""Codes whose meaning stands in the message alone: code, pattern in the lower-case text, meaning.

AWS documents none of these texts; they are what terraform-provider-aws matches, or what users have reported."""

CREDENTIALS = (
    ConfigNotFound,
    CredentialRetrievalError,
    InvalidConfigError,
    NoAuthTokenError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    RefreshWithMFAUnsupportedError,
    SSOError,
    TokenRetrievalError,
    UnknownCredentialError,
    *(getattr(botocore.exceptions, name) for name in ("LoginError",) if hasattr(botocore.exceptions, name)),
)
"""What botocore (`LoginError`: since 1.41) raises before it sends anything, when it finds no good credentials."""
NOWHERE = (BaseEndpointResolverError, EndpointProviderError, InvalidRegionError, UnknownRegionError)
"""What botocore raises before it sends anything, when it does not know where to."""
SDK_ERRORS = (BotoCoreError, ClientError, ResponseParserError, RuntimeError, UnicodeDecodeError, OSError)
"""All that `meaning` takes: what a call through the SDK raises for reasons that lie outside of this program.

RuntimeError: credentials that are expired although they were just renewed.
UnicodeDecodeError: an answer in another encoding.
OSError: a file or program that credentials come from and that is not there."""
RETRIES = "reconciler_retries"
"""The attribute in which `traffic` leaves, on what the SDK raises for want of an answer, how often it tried again."""
STILL_EXPIRED = "refreshed credentials are still expired"
VALUE = re.compile(r"value: .*, type: ")


class Stopped(BotoCoreError):
    """The program is stopping, so that an attempt after the first was not sent.  `status` 0: there was no answer.

    One of botocore's own sort, since that passes through all of botocore; `traffic` raises it.
    """

    fmt = "stopped while AWS was {what}"

    def __init__(self, *, status: int, attempts: int) -> None:
        self.status, self.retry_attempts = status, attempts - 1
        super().__init__(what=f"answering {status}" if status else "giving no answer")


def meaning(error: Exception, *, call: str, creates: bool = False) -> AwsError:
    """Any error of the SDK as one of ours.

    `call` is the operation for the message.  `creates`: a reference that AWS cannot find is then one that it cannot
    see yet, since what is created itself cannot be missing.
    """
    if isinstance(error, FileNotFoundError | PermissionError):
        return Denied(f"{call}: credentials cannot be had: {error}", call=call)
    if isinstance(error, ClientError):
        return _of_answer(error, call, creates)
    if isinstance(error, Stopped):
        return Lost(
            f"{call}: {error}",
            code="Stopped",
            call=call,
            http_status=error.status,
            retry_attempts=error.retry_attempts,
        )
    if isinstance(error, CREDENTIALS) or STILL_EXPIRED in str(error):
        return Denied(f"{call}: {str(error).strip()}; set credentials as for the AWS CLI", call=call)
    if isinstance(error, ParamValidationError):
        # the value may be a secret
        return Refused(f"{call}: {VALUE.sub('type: ', str(error))}", code="ParamValidation", call=call)
    if isinstance(error, NOWHERE):
        return Refused(f"{call}: {error}", code=type(error).__name__, call=call)
    if isinstance(error, BotoCoreError | ResponseParserError | UnicodeDecodeError | OSError):
        name = type(error).__name__
        tried = getattr(error, RETRIES, 0)
        return Lost(f"{call}: no answer ({name}: {error})", code=name, call=call, retry_attempts=tried)
    raise error


BY_CALL = {("InvalidKeyPair.NotFound", "ec2:DescribeKeyPairs"): Gone}
"""Codes that mean something else where the thing itself is asked for."""

FREED_SOON = "ec2:CreateTransitGatewayPeeringAttachment"
"""The call whose quota is not what there may be, but what may wait to be accepted at one time: ten of a gateway.

AWS documents no code of it, nor of the other quota that such a call can reach (fifty): either is waited for."""
LETTING_GO = re.compile("networkmanager:(Delete|Deregister|Disassociate|Reject)")
"""Calls that name what AWS has listed: a ValidationException says that something is in the way, whatever its words."""


def _of_answer(error: ClientError, call: str, creates: bool) -> AwsError:
    answer: dict[str, Any] = dict(error.response)
    code, text = str(answer.get("Error", {}).get("Code", "")), explanation(answer)
    about = answer.get("ResponseMetadata", {})
    status = int(about.get("HTTPStatusCode", 0))
    sort = BY_CALL.get((code, call)) or _sort(code, text, status)
    if sort is Refused and code == "ValidationException" and LETTING_GO.match(call):
        sort = NotYet
    if sort is Exhausted and call == FREED_SOON:
        sort = NotYet
    if creates and sort is Gone:
        sort = Unknown  # its parent, say
    return sort(
        f"{call}: {code}: {text}",
        code=code,
        call=call,
        request_id=str(about.get("RequestId", "")),
        http_status=status,
        retry_attempts=int(about.get("RetryAttempts", 0)),
    )


def partial_refusal(answer: dict[str, Any], call: str) -> AwsError | None:
    """The first error of an answer that is good as a whole and tells of what could not be done; None for others.

    EC2 has such lists in the answers of some calls that take many things (ModifyInstanceCreditSpecification).
    """
    for name, rows in answer.items():
        for row in rows if name.startswith("Unsuccessful") and isinstance(rows, list) else ():
            error = {"Error": row.get("Error") or {}, "ResponseMetadata": answer.get("ResponseMetadata", {})}
            return _of_answer(ClientError(error, call), call, creates=False)  # type: ignore[arg-type]
    return None


def is_throttled(answer: dict[str, Any], status: int) -> bool:
    """Whether an answer, as the SDK has parsed it, says that there were too many requests."""
    code = str(answer.get("Error", {}).get("Code", ""))
    return status >= 400 and _sort(code, explanation(answer), status) is Throttled


def _sort(code: str, text: str, status: int) -> type[AwsError]:
    for wanted, pattern, sort in BY_TEXT:
        if code == wanted and re.search(pattern, text.lower()):
            return sort
    for sort, codes in TABLES.items():
        if code in codes:
            return sort
    if code.endswith((".NotFound", ".NotFoundException")):
        return Gone
    if code.endswith(("LimitExceeded", "QuotaExceeded")):
        return Exhausted
    if code.startswith("AccessDenied"):
        return Denied
    return _by_status(status) if code else Lost


def _by_status(status: int) -> type[AwsError]:
    """The meaning of a code that no table has.  Whatever it is, it does not say that something is gone."""
    if status in {401, 403, 407}:
        return Denied
    if status == 429:
        return Throttled
    return Lost if status >= 500 or status == 408 else Refused


def explanation(answer: dict[str, Any]) -> str:
    """All that AWS says about an error: Network Manager's words are in Fields, and in Errors those about a policy."""
    said = [str(answer.get("Error", {}).get("Message", ""))]
    said += [
        f"{name} {answer[name]}"
        for name in ("Reason", "ResourceType", "ResourceId", "LimitCode")
        if answer.get(name)
    ]
    said += [f"{field.get('Name')}: {field.get('Message')}" for field in answer.get("Fields") or ()]
    errors = [(str(found.get("Path")), str(found.get("Message"))) for found in answer.get("Errors") or ()]
    said += [why if why.startswith(where) else f"{where}: {why}" for where, why in errors]
    return "; ".join(part for part in said if part)
