"""Volumes: their states, what may be attached where, and changes that take their time.

Sources: EC2 API reference, CreateVolume, AttachVolume, DetachVolume, DeleteVolume, ModifyVolume, VolumeModification;
EBS User Guide, "Modify a volume" (it only grows; the next change has to wait for the one before; the new size shows
once it is optimizing). Called by `answers.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..errors import AwsError
from ..request import Answer, Request
from . import tags
from .missing import INSTANCE, VOLUME, require

_GP3_THROUGHPUT = 125


def _facts(request: Request, volume: Any) -> dict[str, Any]:
    return request.world.facts.setdefault(volume.id, {})


def _after(request: Request, state: str, effect: Callable[[], None]) -> None:
    request.world.timeline.after(request.world.settings.delays.of("volume", state), effect)


def create(request: Request, backend: Any) -> Answer:
    """CreateVolume: creating, then available."""
    zone = request.parameters.get("AvailabilityZone")
    if zone and backend.get_zone_by_name(zone) is None:
        raise AwsError("InvalidZone.NotFound", f"The zone '{zone}' does not exist.")
    made = request.ask_moto(request.parameters)
    volume = backend.volumes[made["VolumeId"]]
    if volume.volume_type == "gp3" and not volume.throughput:
        volume.throughput = _GP3_THROUGHPUT
    _facts(request, volume)["state"] = "creating"
    _after(request, "creating", lambda: _facts(request, volume).pop("state", None))
    return _shown(request, backend, made)


def describe(request: Request, backend: Any) -> Answer:
    """DescribeVolumes, all of them."""
    return {"Volumes": [_shown(request, backend, one) for one in request.ask_moto({}).get("Volumes", [])]}


def _shown(request: Request, backend: Any, plain: Mapping[str, Any]) -> dict[str, Any]:
    volume = backend.volumes.get(plain["VolumeId"])
    facts = request.world.facts.get(plain["VolumeId"], {})
    shown = {k: v for k, v in plain.items() if v is not None}
    if volume is not None:
        shown |= {k: v for k, v in (("Throughput", volume.throughput), ("Iops", volume.iops)) if v}
        shown["MultiAttachEnabled"] = bool(volume.multi_attach_enabled)
    attachments = [
        {"VolumeId": plain["VolumeId"], **one, "State": facts.get("attachment", "attached")}
        for one in plain.get("Attachments") or []
    ]
    return {
        **shown,
        "State": facts.get("state") or ("in-use" if attachments else "available"),
        "Attachments": attachments,
        "Tags": tags.as_list(backend, plain["VolumeId"]),
    }


def attach(request: Request, backend: Any) -> Answer:
    """AttachVolume: within a zone, to a machine that runs or is stopped, under a name that is free."""
    volume = require(backend, VOLUME, str(request.parameters.get("VolumeId")))
    instance = require(backend, INSTANCE, str(request.parameters.get("InstanceId")))
    device = str(request.parameters.get("Device"))
    if volume.attachment is not None:
        raise AwsError("VolumeInUse", f"{volume.id} is already attached to an instance")
    if _facts(request, volume).get("state"):
        raise AwsError("IncorrectState", f"{volume.id} is not 'available'.")
    if instance.state not in ("running", "stopped"):
        raise AwsError("IncorrectState", f"Instance '{instance.id}' is not 'running'.")
    if volume.availability_zone != instance.availability_zone:
        raise AwsError(
            "InvalidVolume.ZoneMismatch",
            f"The volume '{volume.id}' is not in the same availability zone as instance '{instance.id}'",
        )
    if device in instance.block_device_mapping:
        raise AwsError(
            "InvalidParameterValue",
            f"Invalid value '{device}' for unixDevice. Attachment point {device} is already in use",
        )
    answer = request.ask_moto(request.parameters)
    facts = _facts(request, volume)
    facts["attachment"] = "attaching"
    made = volume.attachment

    def effect() -> None:
        if volume.attachment is made and facts.get("attachment") == "attaching":
            facts["attachment"] = "attached"

    _after(request, "attaching", effect)
    return answer


def detach(request: Request, backend: Any) -> Answer:
    """DetachVolume: a root volume only of a stopped machine; it is in use until it is off."""
    volume = require(backend, VOLUME, str(request.parameters.get("VolumeId")))
    there, wanted = volume.attachment, request.parameters.get("InstanceId")
    if there is None or (wanted and there.instance.id != wanted):
        raise AwsError("IncorrectState", f"Volume '{volume.id}' is in the 'available' state.")
    if there.device == there.instance.root_device_name and there.instance.state != "stopped":
        raise AwsError(
            "OperationNotPermitted",
            f"Unable to detach root volume '{volume.id}' from instance '{there.instance.id}'",
        )
    facts = _facts(request, volume)
    facts["attachment"] = "detaching"

    def effect() -> None:
        if volume.attachment is there:
            there.instance.block_device_mapping.pop(there.device, None)
            volume.attachment = None
        facts.pop("attachment", None)

    _after(request, "detaching", effect)
    return {
        "VolumeId": volume.id,
        "InstanceId": there.instance.id,
        "Device": there.device,
        "State": "detaching",
        "AttachTime": there.attach_time,
    }


def release(backend: Any, instance: Any) -> None:
    """What outlives a terminated instance is attached to nothing."""
    for volume in backend.volumes.values():
        if volume.attachment is not None and volume.attachment.instance is instance:
            volume.attachment = None


def modify(request: Request, backend: Any) -> Answer:
    """ModifyVolume: modifying, then optimizing with the new values in force, then completed."""
    volume = require(backend, VOLUME, str(request.parameters.get("VolumeId")))
    size = request.parameters.get("Size")
    if size is not None and size < volume.size:
        raise AwsError(
            "InvalidParameterValue", f"New size cannot be smaller than existing size ({volume.size} GiB)"
        )
    facts = _facts(request, volume)
    if facts.get("modification") in ("modifying", "optimizing"):
        raise AwsError(
            "IncorrectModificationState",
            f"Cannot modify volume {volume.id}: it is currently being modified ({facts['modification']}).",
        )
    wanted = {k: v for k, v in request.parameters.items() if k not in ("VolumeId", "DryRun")}
    facts["modification"] = "modifying"

    def in_force() -> None:
        facts["modification"] = "optimizing"
        for name, attribute in _ATTRIBUTES.items():
            if wanted.get(name) is not None:
                setattr(volume, attribute, wanted[name])
        _after(request, "optimizing", lambda: facts.update(modification="completed"))

    _after(request, "modifying", in_force)
    before = {name: getattr(volume, attribute) for name, attribute in _ATTRIBUTES.items()}
    shown = {f"Original{k}": v for k, v in before.items() if v is not None}
    shown |= {f"Target{k}": wanted.get(k, v) for k, v in before.items() if wanted.get(k, v) is not None}
    return {
        "VolumeModification": {
            "VolumeId": volume.id,
            "ModificationState": "modifying",
            "Progress": 0,
            "StartTime": request.world.settings.clock.now(),
            **shown,
        }
    }


_ATTRIBUTES: Mapping[str, str] = {
    "Size": "size",
    "VolumeType": "volume_type",
    "Iops": "iops",
    "Throughput": "throughput",
    "MultiAttachEnabled": "multi_attach_enabled",
}


def volume_is_used(backend: Any, parameters: Mapping[str, Any]) -> bool:
    """Whether a volume is attached, or not yet off."""
    volume = backend.volumes.get(parameters.get("VolumeId"))
    return volume is not None and volume.attachment is not None
