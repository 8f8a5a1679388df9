"""What a launch refers to: keys, placement groups, templates, reserved capacity.

Facts: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/ (ImportKeyPair, DescribeKeyPairs, CreatePlacementGroup,
CreateLaunchTemplateVersion, ModifyLaunchTemplate, CreateCapacityReservation, ModifyCapacityReservation)
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.kinds.calls import ec2
from reconciler.model.address import Address
from reconciler.model.calls import Call
from reconciler.model.kind import Kind, Remedy
from reconciler.model.reads import Detail, Read
from reconciler.model.things import Desired, Observed, Spec


def _key(value: Any) -> str:
    """A public key without its comment, which EC2 replaces."""
    return " ".join(str(value or "").split()[:2])


KEY_PAIR = Kind(
    name="key-pair",
    about="A public key that new instances let in; the private one is never seen here.",
    service="ec2",
    private=True,
    read=Read(
        operation="DescribeKeyPairs",
        path="KeyPairs",
        ids="KeyPairIds",
        page=None,
        arguments={"IncludePublicKey": True},
    ),
    create="ImportKeyPair",
    delete="DeleteKeyPair",
    id="KeyPairId",
    arn_tail="key-pair/{id}",
    tag_type="key-pair",
    unique="KeyName",
    normal={"PublicKeyMaterial": _key},
    project=lambda raw: {**raw, "PublicKeyMaterial": raw.get("PublicKey")},
)

PLACEMENT_GROUP = Kind(
    name="placement-group",
    about="Where instances are placed relative to each other: close together, apart, or in partitions.",
    service="ec2",
    read=Read(operation="DescribePlacementGroups", path="PlacementGroups", ids="GroupIds", page=None),
    create="CreatePlacementGroup",
    delete="DeletePlacementGroup",
    destroy=lambda group: [ec2("DeletePlacementGroup", GroupName=group.raw["GroupName"])],
    id="GroupId",
    arn="GroupArn",
    state="State",
    ready=frozenset({"available"}),
    usable=frozenset({"pending"}),
    leaving=frozenset({"deleting"}),
    gone=frozenset({"deleted"}),
    refs={"ParentGroupId": "placement-group"},
    tag_type="placement-group",
    forbidden=frozenset({"Operator"}),
    unique="GroupName",
)


LATEST = "LatestVersion"
"""Where a template's row keeps its latest version, if that is not the one that is launched."""


def _has_another(row: Spec) -> bool:
    return bool(row["LatestVersionNumber"] != row["DefaultVersionNumber"])


def _new_version(template: Observed, wanted: Any) -> list[Call]:
    """A version cannot change: another one holds just what is wanted, and becomes the one that is launched.

    Who died between the two calls has left one that only has to become it.
    """
    latest, wanted = int(template.raw["LatestVersionNumber"]), wanted or {}
    left = template.raw.get(LATEST)
    if left and left["VersionNumber"] == latest and _dated(left["LaunchTemplateData"]) == _dated(wanted):
        made, number = [], latest
    else:
        call = ec2("CreateLaunchTemplateVersion", LaunchTemplateId=template.id, LaunchTemplateData=wanted)
        made, number = [call], latest + 1
    return [
        *made,
        ec2("ModifyLaunchTemplate", LaunchTemplateId=template.id, DefaultVersion=str(number)),
    ]


def _encoded(value: Any) -> str | None:
    """Only RunInstances has its user data encoded by the SDK."""
    given = value.get("UserData") if isinstance(value, Mapping) else None
    if not isinstance(given, str):
        return None
    try:
        base64.b64decode(given, validate=True)
    except ValueError:
        return "the UserData of a launch template has to be written in base64"
    return None


def _moment(value: Any) -> Any:
    """A time in one spelling, without fractions of a second; one without an offset is UTC, as AWS reports it."""
    if value is None:
        return None
    text = value.isoformat() if hasattr(value, "isoformat") else str(value)
    text = re.sub(r"\.\d+", "", text.strip().replace(" ", "T", 1))
    text = re.sub(r"(Z|[+-]00:?00)$", "", text)
    return text if re.search(r"[+-]\d\d:?\d\d$", text[10:]) else f"{text}+00:00"


def _dated(data: Any) -> Any:
    """A launch template's data with the end of a spot request in one spelling."""
    if not isinstance(data, Mapping) or not isinstance(market := data.get("InstanceMarketOptions"), Mapping):
        return data
    if not isinstance(spot := market.get("SpotOptions"), Mapping) or "ValidUntil" not in spot:
        return data
    until = {"ValidUntil": _moment(spot["ValidUntil"])}
    return {**data, "InstanceMarketOptions": {**market, "SpotOptions": {**spot, **until}}}


LAUNCH_TEMPLATE = Kind(
    name="launch-template",
    about="What instances are launched with; a changed LaunchTemplateData becomes a new version, and the default one.",
    service="ec2",
    private=True,
    read=Read(
        operation="DescribeLaunchTemplates",
        path="LaunchTemplates",
        ids="LaunchTemplateIds",
        page=200,
        details=[
            Detail(
                field="LaunchTemplateData",
                operation="DescribeLaunchTemplateVersions",
                path="LaunchTemplateVersions[].LaunchTemplateData",
                arguments={"Versions": ["$Default"]},
            ),
            Detail(
                field="LaunchTemplateData",
                name=LATEST,
                operation="DescribeLaunchTemplateVersions",
                path="LaunchTemplateVersions[]",
                arguments={"Versions": ["$Latest"]},
                needed=_has_another,
            ),
        ],
    ),
    create="CreateLaunchTemplate",
    delete="DeleteLaunchTemplate",
    id="LaunchTemplateId",
    arn_tail="launch-template/{id}",
    refs={
        "LaunchTemplateData.KeyName": "key-pair.KeyName",
        "LaunchTemplateData.NetworkInterfaces[].Groups[]": "security-group",
        "LaunchTemplateData.NetworkInterfaces[].SubnetId": "subnet",
        "LaunchTemplateData.Placement.GroupId": "placement-group",
        "LaunchTemplateData.SecurityGroupIds[]": "security-group",
    },
    tag_type="launch-template",
    forbidden=frozenset({"Operator", "VersionDescription"}),
    normal={"LaunchTemplateData": _dated},
    refuses={"LaunchTemplateData": _encoded},
    unique="LaunchTemplateName",
    remedies={
        "LaunchTemplateData": Remedy(
            operations=("CreateLaunchTemplateVersion", "ModifyLaunchTemplate"), make=_new_version
        )
    },
)


def _reservation(raw: Spec) -> Spec:
    """A row in CreateCapacityReservation's words."""
    commitment = raw.get("CommitmentInfo") or {}
    return {
        **raw,
        "InstanceCount": raw.get("TotalInstanceCount"),
        "CommitmentDuration": commitment.get("CommitmentDuration"),
    }


def _end(reservation: Observed, wanted: Any) -> list[Call]:
    """How it ends and when are said together: a date counts for one that is `limited`, and has none else."""
    given = {"EndDateType": "limited", "EndDate": wanted} if wanted else {"EndDateType": "unlimited"}
    return [ec2("ModifyCapacityReservation", CapacityReservationId=reservation.id, **given)]


def _fits(reservation: Desired, _: Mapping[Address, Desired]) -> Iterator[tuple[str, str, str]]:
    """A date and that there is one go together."""
    end, dated = reservation.spec.get("EndDate"), reservation.spec.get("EndDateType") == "limited"
    if end and not dated:
        yield "EndDate", "counts only for a reservation that is limited", "say EndDateType: limited"
    if dated and not end:
        yield "EndDateType", "limited needs an EndDate", ""


CAPACITY_RESERVATION = Kind(
    name="capacity-reservation",
    about="Room for instances of one type in one zone, paid for whether it is used or not.",
    service="ec2",
    read=Read(
        operation="DescribeCapacityReservations",
        path="CapacityReservations",
        ids="CapacityReservationIds",
        page=1000,
        filters=None,
    ),
    create="CreateCapacityReservation",
    update="ModifyCapacityReservation",
    delete="CancelCapacityReservation",
    id="CapacityReservationId",
    arn="CapacityReservationArn",
    state="State",
    ready=frozenset({"active", "scheduled"}),
    failed=frozenset({"failed", "payment-failed", "unsupported"}),
    leaving=frozenset({"cancelling"}),
    gone=frozenset({"cancelled", "expired"}),
    refs={"PlacementGroupArn": "placement-group.arn"},
    tag_type="capacity-reservation",
    normal={"EndDate": _moment, "StartDate": _moment},
    project=_reservation,
    fits=_fits,
    remedies={"EndDate": Remedy(operations=("ModifyCapacityReservation",), make=_end, joins=True)},
    protected=True,
)
