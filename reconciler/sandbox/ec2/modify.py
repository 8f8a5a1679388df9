"""The attributes of an instance: one per call, and some only while it is stopped.

Source: EC2 API reference, ModifyInstanceAttribute ("You can specify only one attribute at a time", "to modify some
attributes, the instance must be stopped") and DescribeInstanceAttribute.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from ..errors import AwsError
from ..request import Answer, Request
from . import backend as moto
from .missing import GROUP, INSTANCE, require

# attribute as the request spells it -> attribute of moto's instance
_NAMES: Mapping[str, str] = {
    "SourceDestCheck": "source_dest_check",
    "DisableApiTermination": "disable_api_termination",
    "DisableApiStop": "disable_api_stop",
    "InstanceInitiatedShutdownBehavior": "instance_initiated_shutdown_behavior",
    "InstanceType": "instance_type",
    "Kernel": "kernel",
    "Ramdisk": "ramdisk",
    "UserData": "user_data",
    "EbsOptimized": "ebs_optimized",
    "EnaSupport": "ena_support",
    "SriovNetSupport": "sriov_net_support",
}
_WHILE_STOPPED = frozenset(
    {
        "InstanceType",
        "UserData",
        "Kernel",
        "Ramdisk",
        "EbsOptimized",
        "EnaSupport",
        "SriovNetSupport",
        "EnclaveOptions",
    }
)
_OF_AN_INTERFACE = frozenset({"Groups", "SourceDestCheck"})
_STRUCTURES = ("Groups", "BlockDeviceMappings", "EnclaveOptions")


def modify_attribute(request: Request, backend: Any) -> Answer:
    """ModifyInstanceAttribute."""
    parameters = dict(request.parameters)
    instance = require(backend, INSTANCE, str(parameters.get("InstanceId")))
    attribute = parameters.get("Attribute")
    if attribute and parameters.get("Value") is not None:  # the older form: a name and a text
        name = str(attribute)[:1].upper() + str(attribute)[1:]
        parameters[name] = {"Value": _typed(name, str(parameters["Value"]))}
    named = [name for name in (*_NAMES, *_STRUCTURES) if parameters.get(name) is not None]
    if len(named) > 1:
        raise AwsError("InvalidParameterCombination", "Fields for multiple attribute types specified.")
    if not named:
        raise AwsError("InvalidParameterCombination", "No attributes specified.")
    name = named[0]
    if instance.state in ("shutting-down", "terminated"):
        raise AwsError(
            "IncorrectInstanceState",
            f"The instance '{instance.id}' is not in a state in which it can be modified.",
        )
    if name in _WHILE_STOPPED and instance.state != "stopped":
        raise AwsError(
            "IncorrectInstanceState", f"The instance '{instance.id}' is not in the 'stopped' state."
        )
    if name in _OF_AN_INTERFACE and len(instance.nics) > 1:
        raise AwsError(  # API reference: "modify the network interface instead"; the code is unverified
            "InvalidInstanceID",
            f"There are multiple interfaces attached to instance '{instance.id}'. Please specify an interface ID for "
            "the operation instead.",
        )
    _apply(backend, instance, name, parameters[name])
    return {}


def _typed(name: str, text: str) -> Any:
    if name in ("SourceDestCheck", "DisableApiTermination", "DisableApiStop", "EbsOptimized", "EnaSupport"):
        return text.lower() == "true"
    return text


def _apply(backend: Any, instance: Any, name: str, value: Any) -> None:
    if name == "Groups":
        _set_groups(backend, instance, value)
    elif name == "BlockDeviceMappings":
        for mapping in value:
            device = instance.block_device_mapping.get(mapping.get("DeviceName"))
            if device is None:
                raise AwsError(
                    "InvalidInstanceAttributeValue",
                    f"No device is currently mapped at {mapping.get('DeviceName')}",
                )
            device.delete_on_termination = bool((mapping.get("Ebs") or {}).get("DeleteOnTermination"))
    elif name == "EnclaveOptions":
        instance.enclave_options = {"Enabled": bool(value.get("Enabled"))}
    else:
        plain = value.get("Value") if isinstance(value, Mapping) else value
        if name == "InstanceType":
            _check_type(str(plain))
        if name == "UserData":
            plain = _encoded(plain)
        setattr(instance, _NAMES[name], plain)
        if name == "SourceDestCheck" and 0 in instance.nics:
            instance.nics[0].source_dest_check = plain


def _check_type(wanted: str) -> None:
    from moto.ec2.models.instance_types import INSTANCE_TYPES

    if wanted not in INSTANCE_TYPES:
        raise AwsError("InvalidInstanceAttributeValue", f"Invalid value '{wanted}' for InstanceType.")


def _encoded(value: Any) -> Any:
    """User data as moto keeps it: base64 text. boto3 sends the caller's bytes in base64, moto's parser undoes that."""
    from moto.core.types import Base64EncodedString

    content = value if isinstance(value, bytes) else str(value or "").encode()
    return Base64EncodedString(base64.b64encode(content).decode())


def _set_groups(backend: Any, instance: Any, ids: list[str]) -> None:
    """The whole list is replaced; all groups are of the instance's network."""
    found = [require(backend, GROUP, str(one)) for one in ids]
    for group in found:
        if instance.vpc_id is not None and group.vpc_id != instance.vpc_id:
            raise AwsError(
                "InvalidGroup.NotFound",
                f"The security group '{group.id}' does not exist in VPC '{instance.vpc_id}'",
            )
    instance.security_groups = found
    if 0 in instance.nics:
        instance.nics[0]._group_set = list(found)


def describe_attribute(request: Request, backend: Any) -> Answer:
    """DescribeInstanceAttribute, with the two attributes that moto does not know."""
    attribute = request.parameters.get("Attribute")
    instance = moto.find_instance(backend, str(request.parameters.get("InstanceId")))
    if attribute == "enaSupport":
        return {
            "InstanceId": instance.id,
            "EnaSupport": {"Value": bool(getattr(instance, "ena_support", True))},
        }
    if attribute == "enclaveOptions":
        options = getattr(instance, "enclave_options", {"Enabled": False})
        return {"InstanceId": instance.id, "EnclaveOptions": options}
    return request.ask_moto(request.parameters)
