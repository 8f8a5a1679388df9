"""Every error of AWS, and of the SDK itself, becomes one of seven meanings; the useful words and the request id stay.

The table follows EC2's error codes and what terraform-provider-aws has learnt of Network Manager's.
"""

from __future__ import annotations

from itertools import combinations
from typing import Any

import boto3
import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    HTTPClientError,
    IncompleteReadError,
    LoginRefreshRequired,
    NoCredentialsError,
    NoRegionError,
    ParamValidationError,
    PartialCredentialsError,
    ProxyConnectionError,
    ReadTimeoutError,
    SSLError,
    TokenRetrievalError,
    UnauthorizedSSOTokenError,
)
from botocore.parsers import ResponseParserError

from reconciler.aws.codes import TABLES, explanation, meaning
from reconciler.errors import AwsError, Denied, Exhausted, Gone, Lost, NotYet, Refused, Throttled, Unknown


def answered(
    code: str,
    status: int = 400,
    message: str = "",
    creates: bool = False,
    call: str = "some:Call",
    **more: Any,
) -> AwsError:
    """The meaning of an error answer; `more` are its further members."""
    answer = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": status, "RequestId": "req-1"},
        **more,
    }
    error = ClientError(answer, "Any")  # type: ignore[arg-type]  # botocore's type knows no further members
    return meaning(error, call=call, creates=creates)


def of(sort: type[AwsError], status: int, *codes: str) -> list[tuple[str, int, type[AwsError]]]:
    return [(code, status, sort) for code in codes]


EC2 = [
    *of(Throttled, 503, "RequestLimitExceeded", "EC2ThrottledException"),
    *of(Throttled, 400, "Throttling", "TooManyRequestsException", "PriorRequestNotComplete", "SlowDown"),
    *of(Throttled, 429, "ThrottlingException"),
    *of(Throttled, 400, "RequestLimitExceeded", "BandwidthLimitExceeded"),  # no quota, whatever its end says
    *of(Lost, 500, "InternalError", "InternalFailure"),
    *of(Lost, 503, "Unavailable", "ServiceUnavailable"),
    *of(Lost, 400, "RequestTimeout"),
    *of(NotYet, 400, "IncorrectState", "IncorrectInstanceState", "IncorrectModificationState"),
    *of(NotYet, 400, "ResourceNotReady", "OperationInProgress", "ConcurrentModification", "ResourceInUse"),
    *of(NotYet, 400, "ScalingActivityInProgress", "TransactionInProgressException"),
    *of(NotYet, 400, "DependencyViolation", "InvalidGroup.InUse", "InvalidIPAddress.InUse", "VolumeInUse"),
    *of(NotYet, 400, "InvalidPlacementGroup.InUse", "HostedZoneNotEmpty"),
    *of(NotYet, 409, "DeleteConflict"),
    *of(NotYet, 400, "InvalidPermission.Duplicate", "RouteAlreadyExists", "Resource.AlreadyAssociated"),
    *of(Refused, 400, "InvalidGroup.Duplicate", "InvalidKeyPair.Duplicate", "InvalidSubnet.Conflict"),
    *of(NotYet, 400, "DuplicateTransitGatewayAttachment"),
    *of(Refused, 400, "FlowLogAlreadyExists"),
    *of(Refused, 409, "EntityAlreadyExists"),
    *of(Exhausted, 500, "InsufficientInstanceCapacity"),  # AWS says 500, and trying again is no use
    *of(Exhausted, 400, "InsufficientHostCapacity", "InsufficientCapacity", "InsufficientAddressCapacity"),
    *of(Exhausted, 400, "InsufficientReservedInstanceCapacity", "InsufficientVolumeCapacity"),
    *of(Exhausted, 400, "InsufficientCapacityOnHost", "UnfulfillableCapacity", "ReservationCapacityExceeded"),
    *of(Exhausted, 400, "SpotMaxPriceTooLow", "Unsupported", "InsufficientFreeAddressesInSubnet"),
    *of(
        Exhausted,
        400,
        "VcpuLimitExceeded",
        "InstanceLimitExceeded",
        "VolumeLimitExceeded",
        "VpcLimitExceeded",
    ),
    *of(Exhausted, 400, "MaxIOPSLimitExceeded", "AddressLimitExceeded", "LimitExceeded", "TagLimitExceeded"),
    *of(Exhausted, 400, "MaxSpotInstanceCountExceeded", "MaxSpotFleetRequestCountExceeded"),
    *of(
        Exhausted,
        400,
        "MaxFleetCountExceeded",
        "LimitExceededException",
        "RulesPerSecurityGroupLimitExceeded",
    ),
    *of(Denied, 400, "PendingVerification", "OptInRequired", "Blocked", "AccountDisabled"),
    *of(Denied, 400, "AuthFailure.ServiceLinkedRoleCreationNotPermitted"),
    *of(Denied, 403, "UnauthorizedOperation", "AccessDenied", "AccessDeniedException", "AccessDeniedForVpc"),
    *of(Denied, 401, "AuthFailure"),
    *of(Denied, 400, "ExpiredToken", "RequestExpired", "InvalidClientTokenId", "SignatureDoesNotMatch"),
    *of(Refused, 400, "InvalidParameterValue", "InvalidParameterCombination", "MissingParameter"),
    *of(Refused, 400, "InvalidGroupId.Malformed", "InvalidAMIID.Malformed", "InvalidAMIID.NotFound"),
    *of(Refused, 400, "InvalidAMIID.Unavailable", "ValidationError", "UnknownParameter", "InvalidAction"),
    *of(Refused, 400, "IdempotentParameterMismatch", "IdempotentInstanceTerminated", "ParameterNotFound"),
    *of(Refused, 412, "DryRunOperation"),
]


@pytest.mark.parametrize(("code", "status", "sort"), EC2)
def test_a_code_means_the_same_whether_something_is_created_or_not(
    code: str, status: int, sort: type[AwsError]
) -> None:
    assert type(answered(code, status, "what AWS says")) is sort
    assert type(answered(code, status, "what AWS says", creates=True)) is sort


MISSING = [
    "InvalidVpcID.NotFound",
    "InvalidSubnetID.NotFound",
    "InvalidSubnet",
    "InvalidInternetGatewayID.NotFound",
    "InvalidGatewayID.NotFound",
    "NatGatewayNotFound",
    "InvalidNatGatewayID.NotFound",
    "InvalidAllocationID.NotFound",
    "InvalidAssociationID.NotFound",
    "InvalidAddress.NotFound",
    "InvalidRouteTableID.NotFound",
    "InvalidRouteTableId.NotFound",
    "InvalidRoute.NotFound",
    "InvalidGroup.NotFound",
    "InvalidSecurityGroupID.NotFound",
    "InvalidSecurityGroupRuleId.NotFound",
    "InvalidPermission.NotFound",
    "InvalidLaunchTemplateId.NotFound",
    "InvalidLaunchTemplateName.NotFoundException",
    "InvalidLaunchTemplateId.VersionNotFound",
    "InvalidInstanceID.NotFound",
    "InvalidVolume.NotFound",
    "InvalidNetworkInterfaceID.NotFound",
    "InvalidAttachmentID.NotFound",
    "InvalidPlacementGroup.Unknown",
    "InvalidCapacityReservationId.NotFound",
    "InvalidVpcPeeringConnectionID.NotFound",
    "InvalidVpcEndpointId.NotFound",
    "InvalidFlowLogId.NotFound",
    "InvalidTransitGatewayID.NotFound",
    "InvalidTransitGatewayAttachmentID.NotFound",
    "InvalidTransitGatewayConnectPeerID.NotFound",
    "TransitGatewayRouteTablePropagation.NotFound",
    "InvalidCustomerGatewayID.NotFound",
    "InvalidVpnGatewayID.NotFound",
    "InvalidVpnGatewayAttachment.NotFound",
    "InvalidVpnConnectionID.NotFound",
    "InvalidPrefixListID.NotFound",
    "InvalidPrefixListId.NotFound",
    "InvalidDhcpOptionID.NotFound",
    "InvalidDhcpOptionsID.NotFound",
    "InvalidFleetId.NotFound",
    "ResourceNotFoundException",
    "NoSuchEntity",
]


@pytest.mark.parametrize("code", MISSING)
def test_what_cannot_be_found_is_gone_or_for_a_creation_not_visible_yet(code: str) -> None:
    assert type(answered(code)) is Gone
    assert type(answered(code, creates=True)) is Unknown


NETWORK_MANAGER = [
    ("ConflictException", 409, "", {"ResourceId": "site-1"}, NotYet),
    ("AccessDeniedException", 403, "no", {}, Denied),
    ("ThrottlingException", 429, "", {"RetryAfterSeconds": 3}, Throttled),
    ("InternalServerException", 500, "", {"RetryAfterSeconds": 3}, Lost),
    ("ServiceQuotaExceededException", 402, "", {"LimitCode": "Sites"}, Exhausted),
    ("CoreNetworkPolicyException", 400, "", {}, Refused),
    ("ValidationException", 400, "Incorrect input.", {"Reason": "Other"}, Refused),
    ("ValidationException", 400, "… cannot be deleted due to existing devices, sites, or links", {}, NotYet),
    ("ValidationException", 400, "… cannot be deleted due to existing association", {}, NotYet),
    ("ValidationException", 400, "… cannot be deleted due to existing Connect attachment", {}, NotYet),
    ("ValidationException", 400, "Connect attachment state is invalid. attachment id: a-1", {}, NotYet),
    ("ValidationException", 400, "Core network state is invalid. core network id: c-1", {}, NotYet),
    ("ValidationException", 400, "Core Network edge location (us-east-1) not available.", {}, NotYet),
    ("ValidationException", 400, "Change set state for policy is invalid", {}, NotYet),
    (
        "ValidationException",
        400,
        "Incorrect input.",
        {"Fields": [{"Name": "transportAttachmentId", "Message": "Transport attachment state is invalid"}]},
        NotYet,
    ),
]


@pytest.mark.parametrize(("code", "status", "message", "members", "sort"), NETWORK_MANAGER)
def test_network_manager_says_much_with_few_codes(
    code: str, status: int, message: str, members: dict[str, Any], sort: type[AwsError]
) -> None:
    assert type(answered(code, status, message, **members)) is sort
    assert type(answered(code, status, message, creates=True, **members)) is sort


def test_what_network_manager_does_not_let_go_yet_is_tried_again_in_whatever_words_it_says_so() -> None:
    """No reference shows what it says of a device or a link that is in use, or of a network with gateways."""
    for operation in ("DeleteDevice", "DisassociateLink", "DeregisterTransitGateway", "DeleteCoreNetwork"):
        call = f"networkmanager:{operation}"
        assert type(answered("ValidationException", 400, "Incorrect input.", call=call)) is NotYet
    created = answered("ValidationException", 400, "Incorrect input.", call="networkmanager:CreateDevice")
    assert type(created) is Refused


def test_a_missing_global_network_is_told_in_the_fields_of_a_validation_error() -> None:
    """One of the three faces of "not found"; the other two are ResourceNotFoundException and an empty list."""
    fields = [{"Name": "globalNetworkId", "Message": "Global network not found."}]
    more: dict[str, Any] = {"Reason": "FieldValidationFailed", "Fields": fields}
    assert type(answered("ValidationException", 400, "Incorrect input.", **more)) is Gone
    assert type(answered("ValidationException", 400, "Incorrect input.", creates=True, **more)) is Unknown
    # other services' words with another code are something else
    assert type(answered("InvalidParameterValue", 400, "Global network not found.")) is Refused


@pytest.mark.parametrize(
    ("code", "message", "sort"),
    [
        ("AuthFailure", "AWS was not able to validate the provided access credentials", Denied),
        ("AuthFailure", "The address '192.0.2.1' does not belong to you.", Gone),
        ("InvalidParameterValue", "Value (web) for parameter iamInstanceProfile.name is invalid. "
         "Invalid IAM Instance Profile name", Unknown),
        ("InvalidParameterValue", "IAM Instance Profile \"arn:…/web\" has no associated IAM Roles", Unknown),
        ("InvalidParameterValue", "Value (10.0.0.0/99) for parameter cidrBlock is invalid", Refused),
        ("VpnConnectionLimitExceeded", "The maximum number of mutating objects has been reached.", NotYet),
        ("VpnConnectionLimitExceeded", "The maximum number of VPN connections has been reached.", Exhausted),
        ("VpnGatewayLimitExceeded", "The maximum number of mutating objects has been reached.", NotYet),
    ],
)  # fmt: skip
def test_some_codes_mean_what_their_message_says(code: str, message: str, sort: type[AwsError]) -> None:
    assert type(answered(code, message=message)) is sort


@pytest.mark.parametrize(
    ("code", "status", "sort"),
    [
        ("BrandNewProblem", 400, Refused),
        ("BrandNewProblem", 409, Refused),
        ("BrandNewProblem", 403, Denied),
        ("BrandNewProblem", 429, Throttled),
        ("BrandNewProblem", 500, Lost),
        ("BrandNewProblem", 503, Lost),
        (
            "404",
            404,
            Refused,
        ),  # a page of something between us and AWS: it says nothing of things that are gone
        ("403", 403, Denied),
        ("408", 408, Lost),
        ("502", 502, Lost),
        ("", 400, Lost),
        ("", 0, Lost),
    ],
)
def test_unknown_codes_go_by_the_status_and_never_say_gone(
    code: str, status: int, sort: type[AwsError]
) -> None:
    assert type(answered(code, status)) is sort
    assert type(answered(code, status, creates=True)) is sort


UNANSWERED: list[Exception] = [
    ConnectionClosedError(endpoint_url="https://x"),
    ConnectTimeoutError(endpoint_url="https://x"),
    ReadTimeoutError(endpoint_url="https://x"),
    EndpointConnectionError(endpoint_url="https://x"),
    ProxyConnectionError(proxy_url="http://p"),
    SSLError(endpoint_url="https://x", error=OSError("certificate")),
    HTTPClientError(error="something"),
    IncompleteReadError(actual_bytes=1, expected_bytes=2),
    ResponseParserError("cut"),
    UnicodeDecodeError("utf-8", b"\xc3", 0, 1, "unexpected end of data"),
]


@pytest.mark.parametrize("error", UNANSWERED, ids=lambda error: type(error).__name__)
def test_no_answer_means_that_it_may_have_happened(error: Exception) -> None:
    found = meaning(error, call="ec2:CreateVpc", creates=True)
    assert type(found) is Lost
    assert (found.code, found.call, found.request_id) == (type(error).__name__, "ec2:CreateVpc", "")
    assert str(error) in str(found)


@pytest.mark.parametrize(
    "error",
    [
        NoCredentialsError(),
        PartialCredentialsError(provider="env", cred_var="AWS_SECRET_ACCESS_KEY"),
        CredentialRetrievalError(provider="custom-process", error_msg="exit 1"),
        TokenRetrievalError(provider="sso", error_msg="expired"),
        UnauthorizedSSOTokenError(),
        LoginRefreshRequired(),
        RuntimeError("Credentials were refreshed, but the refreshed credentials are still expired."),
    ],
    ids=lambda error: type(error).__name__,
)
def test_without_credentials_nothing_happened_and_the_words_say_what_to_do(error: Exception) -> None:
    found = meaning(error, call="ec2:CreateVpc", creates=True)
    assert type(found) is Denied
    assert "credentials" in str(found).lower()


def test_what_was_never_sent_is_refused() -> None:
    assert type(meaning(NoRegionError(), call="ec2:CreateVpc")) is Refused
    found = meaning(ParamValidationError(report="Missing parameter"), call="ec2:CreateVpc")
    assert (type(found), found.code) == (Refused, "ParamValidation")


def test_a_value_that_the_sdk_does_not_accept_is_not_repeated(keys: None) -> None:
    client = boto3.client("ec2", region_name="us-west-2")
    with pytest.raises(ParamValidationError) as caught:
        client.run_instances(KeyName=["secret, type: secret"], MinCount=1, MaxCount=1)
    assert "secret" in str(caught.value)
    found = meaning(caught.value, call="ec2:RunInstances")
    assert "secret" not in str(found)
    assert "Invalid type for parameter KeyName" in str(found)


def test_an_error_of_our_own_stays_what_it_is() -> None:
    with pytest.raises(ZeroDivisionError):
        meaning(ZeroDivisionError(), call="x")


def test_the_useful_words_and_the_request_id_are_kept() -> None:
    error = answered(
        "ValidationException",
        400,
        "Incorrect input.",
        Reason="FieldValidationFailed",
        ResourceType="site",
        ResourceId="site-1",
        Fields=[{"Name": "latitude", "Message": "is no number"}, {"Name": "id", "Message": "too long"}],
    )
    assert str(error) == (
        "some:Call: ValidationException: Incorrect input.; Reason FieldValidationFailed; ResourceType site; "
        "ResourceId site-1; latitude: is no number; id: too long"
    )
    assert (error.code, error.call, error.request_id) == ("ValidationException", "some:Call", "req-1")


def test_a_refused_policy_says_where() -> None:
    errors = [{"ErrorCode": "X", "Message": "unknown segment", "Path": "$.attachment-policies[0]"}]
    error = answered("CoreNetworkPolicyException", 400, "Incorrect policy.", Errors=errors)
    assert "$.attachment-policies[0]: unknown segment" in str(error)


def test_an_answer_without_anything_can_be_explained() -> None:
    assert explanation({}) == ""


def test_each_code_is_in_one_table_only() -> None:
    for one, other in combinations(TABLES.values(), 2):
        assert one & other == set()
    assert TABLES.keys() == {Throttled, Denied, Exhausted, NotYet, Gone, Refused, Lost}
