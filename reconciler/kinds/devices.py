"""The disks that an instance is launched with: what of them can be told from AWS's lists, and changed later.

DescribeInstances shows what is attached as what, DescribeVolumes what the volumes are like.  Only devices and members
that the config names are compared.  A device cannot be added to an instance this way: that is a volume of its own.

Facts: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/ (EbsBlockDevice, ModifyInstanceAttribute, ModifyVolume)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from reconciler.kinds.calls import ec2
from reconciler.model.calls import Call
from reconciler.model.kind import Remedy
from reconciler.model.reads import Companion
from reconciler.model.things import Observed, Spec

FIELD, KEPT = "BlockDeviceMappings", "DeleteOnTermination"
SIZES = {"VolumeSize": "Size", "VolumeType": "VolumeType", "Iops": "Iops", "Throughput": "Throughput"}
"""Members that ModifyVolume takes, and how it calls them."""
FIXED = ("Encrypted", "KmsKeyId", "SnapshotId")

VOLUMES = Companion(
    name="Volumes",
    operation="DescribeVolumes",
    path="Volumes[?Attachments].{InstanceId: Attachments[0].InstanceId, VolumeId: VolumeId, Size: Size, "
    "VolumeType: VolumeType, Iops: Iops, Throughput: Throughput, Encrypted: Encrypted, KmsKeyId: KmsKeyId, "
    "SnapshotId: SnapshotId}",
    filter="attachment.instance-id",
    key="InstanceId",
    leaving=False,
    fields=frozenset({FIELD}),
)


def devices(raw: Spec) -> list[dict[str, Any]]:
    """What is attached, in RunInstances' words."""
    volumes = {volume["VolumeId"]: volume for volume in raw.get("Volumes") or ()}
    rows = raw.get(FIELD) or ()
    if not volumes:  # as where the config names no disks: most machines show the same then
        return _bare(tuple((row["DeviceName"], (row.get("Ebs") or {}).get(KEPT)) for row in rows))
    return [{"DeviceName": row["DeviceName"], "Ebs": _ebs(row.get("Ebs") or {}, volumes)} for row in rows]


@lru_cache(maxsize=1_000)
def _bare(disks: tuple[tuple[str, bool | None], ...]) -> list[dict[str, Any]]:
    """Disks of whose volumes nothing is known; nobody may change them."""
    return [{"DeviceName": name, "Ebs": _ebs({KEPT: kept}, {})} for name, kept in disks]


def _ebs(row: Mapping[str, Any], volumes: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    volume = volumes.get(str(row.get("VolumeId")), {})
    return {
        KEPT: row.get(KEPT),
        **{name: volume.get(theirs) for name, theirs in SIZES.items()},
        **{name: volume.get(name) for name in FIXED},
    }


def comparable(mappings: Any) -> dict[str, Any]:
    """Each member that can be compared, by device and name; a device is there, or it is not."""
    return dict(_members(mappings)) if isinstance(mappings, list) else {}


def _members(mappings: list[Any]) -> Iterator[tuple[str, Any]]:
    for mapping in mappings:
        device, ebs = mapping.get("DeviceName"), mapping.get("Ebs")
        if not device or not isinstance(ebs, Mapping):
            continue  # an instance's own store, or a device of the image that is left out
        yield f"{device}.DeviceName", device
        for name in (KEPT, *SIZES, *FIXED):
            value = ebs.get(name)
            if name == "KmsKeyId" and value is not None:
                value = None if "alias/" in value else str(value).rpartition("/")[2]
            if value is not None and not (
                name == "Encrypted" and value is False
            ):  # an account may encrypt all
                yield f"{device}.{name}", value


def _change(instance: Observed, wanted: Any) -> list[Call]:
    """Whether a volume goes with its instance is the instance's to say; the rest is the volume's."""
    want, seen = comparable(wanted), comparable(instance.spec.get(FIELD))
    attached = {
        row["DeviceName"]: (row.get("Ebs") or {}).get("VolumeId") for row in instance.raw.get(FIELD) or ()
    }
    kept, calls = [], []
    for device, volume in attached.items():
        differs = {
            name: want[key]
            for name in (KEPT, *SIZES)
            if (key := f"{device}.{name}") in want and want[key] != seen.get(key)
        }
        if KEPT in differs:
            kept.append({"DeviceName": device, "Ebs": {KEPT: differs[KEPT]}})
        sizes = {SIZES[name]: value for name, value in differs.items() if name in SIZES}
        if sizes and volume:
            calls.append(ec2("ModifyVolume", VolumeId=volume, **sizes))
    if kept:
        calls.insert(0, ec2("ModifyInstanceAttribute", InstanceId=instance.id, **{FIELD: kept}))
    return calls


CHANGE = Remedy(
    operations=("ModifyInstanceAttribute", "ModifyVolume"),
    make=_change,
    fixed=frozenset({"DeviceName", *FIXED}),
)
