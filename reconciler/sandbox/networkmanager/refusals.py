"""The errors of Network Manager, each made in one place.

Sources: botocore's service model for codes, HTTP statuses and members; terraform-provider-aws,
internal/service/networkmanager, for which of them the service uses when.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import AwsError
from ..request import Request


@dataclass(frozen=True)
class Refusal:
    """What is wrong with one member of a request: its path as boto3 spells it, and why."""

    member: str
    why: str


def wire_name(member: str) -> str:
    """A member as the service's errors spell it: `GlobalNetworkId` -> `globalNetworkId`."""
    return member[:1].lower() + member[1:]


def invalid_fields(refusals: list[Refusal]) -> AwsError:
    """ValidationException with Reason FieldValidationFailed: "Incorrect input.", the useful text is in Fields."""
    fields = [{"Name": wire_name(refusal.member), "Message": refusal.why} for refusal in refusals]
    return AwsError(
        "ValidationException", "Incorrect input.", 400, Reason="FieldValidationFailed", Fields=fields
    )


def invalid_field(member: str, why: str) -> AwsError:
    """ValidationException for one member."""
    return invalid_fields([Refusal(member, why)])


def refused(message: str) -> AwsError:
    """ValidationException with Reason Other: the request is well formed and cannot be done."""
    return AwsError("ValidationException", message, 400, Reason="Other")


def no_global_network() -> AwsError:
    """What every call within a global network gets when that is unknown or gone."""
    return invalid_field("GlobalNetworkId", "Global network not found.")


def not_found(resource_type: str, resource_id: str) -> AwsError:
    """ResourceNotFoundException, 404."""
    return AwsError(
        "ResourceNotFoundException",
        "Resource not found.",
        404,
        ResourceId=resource_id,
        ResourceType=resource_type,
    )


def conflict(message: str, resource_type: str, resource_id: str) -> AwsError:
    """ConflictException, 409."""
    return AwsError("ConflictException", message, 409, ResourceId=resource_id, ResourceType=resource_type)


def unverified(request: Request, message: str, resource_type: str, resource_id: str) -> AwsError:
    """A refusal of which no public reference shows the code: `Settings.unverified_block` says which it is."""
    if request.world.settings.unverified_block == "ConflictException":
        return conflict(message, resource_type, resource_id)
    return refused(message)


def quota_exceeded(
    message: str, limit_code: str, resource_type: str, resource_id: str | None = None
) -> AwsError:
    """ServiceQuotaExceededException, 402."""
    members = {"LimitCode": limit_code, "ServiceCode": "networkmanager", "ResourceType": resource_type}
    if resource_id is not None:
        members["ResourceId"] = resource_id
    return AwsError("ServiceQuotaExceededException", message, 402, **members)


def not_emulated(operation: str) -> AwsError:
    """What a write gets that the sandbox does not have: a modelled error that says so."""
    return AwsError(
        "ValidationException",
        f"{operation} is not emulated by the local AWS.",
        400,
        Reason="UnknownOperation",
    )
