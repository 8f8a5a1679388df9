"""Volumes of EBS, and which instances they are attached to.

Facts: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/ (CreateVolume, ModifyVolume, AttachVolume, DetachVolume)
and https://docs.aws.amazon.com/ebs/latest/userguide/ebs-modify-volume.html
"""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.kinds.calls import ec2
from reconciler.model.calls import Call
from reconciler.model.kind import Item, Kind, Part
from reconciler.model.reads import Read
from reconciler.model.things import Observed, Spec
from reconciler.model.verdicts import Steps, Wait


def _attachments(raw: Spec) -> list[Item]:
    """Where it is attached, or about to be; what is on its way off does not count."""
    return [
        _normal(row)
        for row in raw.get("Attachments") or ()
        if row.get("State") not in {"detaching", "detached"}
    ]


def _normal(item: Item) -> Item:
    return {name: item[name] for name in ("InstanceId", "Device") if item.get(name) is not None}


def _attach(volume: Observed, items: Sequence[Item]) -> list[Call]:
    return [ec2("AttachVolume", VolumeId=volume.id, **item) for item in items]


def _detach(volume: Observed, items: Sequence[Item]) -> list[Call]:
    """Never by force: what a machine still writes would be lost."""
    return [ec2("DetachVolume", VolumeId=volume.id, InstanceId=item["InstanceId"]) for item in items]


def _off(volume: Observed) -> Steps | Wait | None:
    """It is taken off its instances before it is deleted, which takes them a while."""
    if items := _attachments(volume.raw):
        return Steps("update", tuple(_detach(volume, items)))
    leaving = [row for row in volume.raw.get("Attachments") or () if row.get("State") == "detaching"]
    return Wait(f"{volume.id} is being taken off {leaving[0]['InstanceId']}") if leaving else None


VOLUME = Kind(
    name="volume",
    about="A disk of its own; Attachments says which instances have it, and as what device.",
    service="ec2",
    private=True,
    read=Read(operation="DescribeVolumes", path="Volumes", ids="VolumeIds", page=1000),
    create="CreateVolume",
    update="ModifyVolume",
    delete="DeleteVolume",
    release=_off,
    id="VolumeId",
    arn_tail="volume/{id}",
    state="State",
    ready=frozenset({"available", "in-use"}),
    usable=frozenset({"creating"}),
    failed=frozenset({"error"}),
    leaving=frozenset({"deleting"}),
    gone=frozenset({"deleted"}),
    refs={"Attachments[].InstanceId": "instance"},
    tag_type="volume",
    forbidden=frozenset({"Operator"}),
    parts=(
        Part(
            field="Attachments",
            shape="AttachVolumeRequest",
            given=frozenset({"VolumeId", "DryRun", "EbsCardIndex"}),
            rows=_attachments,
            normal=_normal,
            key=lambda item: item["InstanceId"],
            add=_attach,
            remove=_detach,
            change=_detach,  # under another name it comes back in a later look
            disruptive=True,
            makes_room=True,  # but for io1 and io2 it is on one instance alone
            operations=("AttachVolume", "DetachVolume"),
        ),
    ),
    protected=True,
)
