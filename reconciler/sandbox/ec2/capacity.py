"""Capacity reservations, which moto does not have.

Sources: EC2 API reference, CreateCapacityReservation, ModifyCapacityReservation, CancelCapacityReservation,
CapacityReservation; EC2 User Guide, "Capacity Reservation states". One that was cancelled, or has expired, stays
listed. Called by `answers.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ..errors import AwsError
from ..request import Answer, Request
from . import backend as moto
from . import tags
from .missing import CAPACITY, require

_OVER = ("cancelled", "expired", "failed")


def _shown(backend: Any, one: dict[str, Any]) -> dict[str, Any]:
    shown = {k: v for k, v in one.items() if v is not None}
    return {**shown, "Tags": tags.as_list(backend, one["CapacityReservationId"])}


def _moment(value: Any) -> datetime | None:
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    return value.replace(tzinfo=value.tzinfo or UTC) if isinstance(value, datetime) else None


def create(request: Request, backend: Any) -> Answer:
    """CreateCapacityReservation: pending, then active."""
    from moto.moto_api._internal import mock_random

    given = request.parameters
    zone = backend.get_zone_by_name(str(given.get("AvailabilityZone")))
    if zone is None:
        raise AwsError(
            "InvalidParameterValue", f"Invalid availability zone: [{given.get('AvailabilityZone')}]"
        )
    limited, end = given.get("EndDateType") == "limited", _moment(given.get("EndDate"))
    _check_end(request, limited, end)
    id = f"cr-{mock_random.get_random_hex(17)}"
    one: dict[str, Any] = {
        "CapacityReservationId": id,
        "OwnerId": request.account,
        "CapacityReservationArn": (
            f"arn:{request.partition}:ec2:{request.region}:{request.account}:capacity-reservation/{id}"
        ),
        "AvailabilityZoneId": zone.zone_id,
        "InstanceType": given["InstanceType"],
        "InstancePlatform": given["InstancePlatform"],
        "AvailabilityZone": zone.name,
        "Tenancy": given.get("Tenancy") or "default",
        "TotalInstanceCount": given["InstanceCount"],
        "AvailableInstanceCount": given["InstanceCount"],
        "EbsOptimized": bool(given.get("EbsOptimized")),
        "EphemeralStorage": bool(given.get("EphemeralStorage")),
        "State": "pending",
        "StartDate": request.world.settings.clock.now(),
        "EndDate": end,
        "EndDateType": given.get("EndDateType") or "unlimited",
        "InstanceMatchCriteria": given.get("InstanceMatchCriteria") or "open",
        "CreateDate": request.world.settings.clock.now(),
        "PlacementGroupArn": given.get("PlacementGroupArn"),
        "ReservationType": "default",
    }
    moto.reservations_of_capacity(backend)[id] = one
    for key, value in tags.specified(request, "capacity-reservation").items():
        backend.tags[id][key] = value

    def effect() -> None:
        one["State"] = "active" if one["State"] == "pending" else one["State"]

    request.world.timeline.after(request.world.settings.delays.of("capacity-reservation", "pending"), effect)
    _expire(request, one)
    return {"CapacityReservation": _shown(backend, one)}


def create_again(request: Request, backend: Any, first: Mapping[str, Any]) -> Answer:
    """A repeated creation is answered with the reservation as it is now; whether AWS does that is unverified."""
    id = first["CapacityReservation"]["CapacityReservationId"]
    return {"CapacityReservation": _shown(backend, moto.reservations_of_capacity(backend)[id])}


def _check_end(request: Request, limited: bool, end: datetime | None) -> None:
    if limited is not (end is not None):
        raise AwsError("InvalidParameterCombination", "An end date goes with the end date type 'limited'.")
    if end is not None and end <= request.world.settings.clock.now():
        raise AwsError("InvalidParameterValue", "The end date has to lie in the future.")


def _expire(request: Request, one: dict[str, Any]) -> None:
    end = one["EndDate"]

    def effect() -> None:
        if one["EndDate"] == end and one["State"] == "active":
            one["State"] = "expired"

    if end is not None:
        left = (end - request.world.settings.clock.now()).total_seconds()
        request.world.timeline.after(left, effect)


def describe(request: Request, backend: Any) -> Answer:
    """DescribeCapacityReservations, all of them."""
    there = moto.reservations_of_capacity(backend).values()
    return {"CapacityReservations": [_shown(backend, one) for one in there]}


def _alive(request: Request, backend: Any) -> dict[str, Any]:
    found = require(backend, CAPACITY, str(request.parameters.get("CapacityReservationId")))
    if found["State"] in _OVER:
        raise AwsError(  # the code is unverified
            "InvalidCapacityReservationState",
            f"The capacity reservation '{found['CapacityReservationId']}' is {found['State']}.",
        )
    result: dict[str, Any] = found
    return result


def modify(request: Request, backend: Any) -> Answer:
    """ModifyCapacityReservation: how many, until when, and for whom."""
    one, given = _alive(request, backend), request.parameters
    if given.get("EndDate") and not given.get("EndDateType"):  # how it ends is not said: unverified
        raise AwsError("MissingParameter", "The request must contain the parameter EndDateType.")
    end_type = given.get("EndDateType") or one["EndDateType"]
    end = _moment(given.get("EndDate")) or (one["EndDate"] if end_type == "limited" else None)
    _check_end(request, end_type == "limited", end)
    used = one["TotalInstanceCount"] - one["AvailableInstanceCount"]
    count = given.get("InstanceCount") or one["TotalInstanceCount"]
    one |= {"TotalInstanceCount": count, "AvailableInstanceCount": count - used}
    one |= {"EndDateType": end_type, "EndDate": end}
    one["InstanceMatchCriteria"] = given.get("InstanceMatchCriteria") or one["InstanceMatchCriteria"]
    _expire(request, one)
    return {"Return": True}


def cancel(request: Request, backend: Any) -> Answer:
    """CancelCapacityReservation: instances in it run on."""
    _alive(request, backend)["State"] = "cancelled"
    return {"Return": True}
