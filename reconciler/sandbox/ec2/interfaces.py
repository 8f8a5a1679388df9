"""Network interfaces: attaching and detaching take their time, one attribute changes at a call.

Sources: EC2 API reference, CreateNetworkInterface, AttachNetworkInterface, DetachNetworkInterface,
ModifyNetworkInterfaceAttribute ("you can specify only one attribute at a time"), NetworkInterface (RequesterManaged).
Called by `answers.py`; what keeps one from being deleted is in `guards.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import AwsError
from ..request import Answer, Request
from . import tags
from .missing import GROUP, INSTANCE, INTERFACE, require

_ATTRIBUTES = (
    "Description",
    "Groups",
    "SourceDestCheck",
    "Attachment",
    "EnaSrdSpecification",
    "ConnectionTrackingSpecification",
    "AssociatePublicIpAddress",
    "AssociatedSubnetIds",
    "EnablePrimaryIpv6",
)
_MANAGED = "nat_gateway"


def create(request: Request, backend: Any) -> Answer:
    """CreateNetworkInterface: in groups of the subnet's network."""
    for one in request.parameters.get("Groups") or []:
        require(backend, GROUP, str(one))
    made = request.ask_moto(request.parameters)
    return {**made, "NetworkInterface": _shown(request, backend, made["NetworkInterface"])}


def describe(request: Request, backend: Any) -> Answer:
    """DescribeNetworkInterfaces, all of them."""
    rows = request.ask_moto({}).get("NetworkInterfaces", [])
    return {"NetworkInterfaces": [_shown(request, backend, one) for one in rows]}


def _shown(request: Request, backend: Any, plain: Mapping[str, Any]) -> dict[str, Any]:
    id = plain["NetworkInterfaceId"]
    interface = backend.enis[id]
    shown = {k: v for k, v in plain.items() if v is not None and (k, v) != ("Association", {})}
    shown["TagSet"] = tags.as_list(backend, id)
    # moto adds those of the instance, which shows those of its primary interface
    shown["Groups"] = [{"GroupId": one.id, "GroupName": one.name} for one in interface._group_set]
    if status := request.world.facts.get(id, {}).get("attachment"):
        shown["Attachment"] = {**shown["Attachment"], "Status": status}
        shown["Status"] = "in-use" if status == "attaching" else "detaching"
    if any(one._eni is interface for one in backend.nat_gateways.values()):
        shown |= {"RequesterManaged": True, "InterfaceType": _MANAGED}
    if managed := request.world.facts.get(id, {}).get("managed"):
        shown |= {"RequesterManaged": True, "InterfaceType": managed}
    return shown


def attach(request: Request, backend: Any) -> Answer:
    """AttachNetworkInterface: within a zone, at an index that is free."""
    interface = require(backend, INTERFACE, str(request.parameters.get("NetworkInterfaceId")))
    instance = require(backend, INSTANCE, str(request.parameters.get("InstanceId")))
    index = int(request.parameters.get("DeviceIndex") or 0)
    if interface.attachment_id:
        raise AwsError("InvalidNetworkInterface.InUse", f"Interface: [{interface.id}] in use.")
    if instance.state not in ("running", "stopped"):
        raise AwsError(
            "IncorrectState", f"The instance '{instance.id}' is not in a valid state for this operation."
        )
    if interface.subnet.availability_zone != instance.availability_zone:
        raise AwsError(
            "InvalidParameterCombination",
            "You may not attach a network interface to an instance if they are not in the same availability zone",
        )
    if index in instance.nics:
        raise AwsError(
            "InvalidParameterValue",
            f"Instance '{instance.id}' already has an interface attached at device index '{index}'.",
        )
    answer = request.ask_moto(request.parameters)
    interface.delete_on_termination = False
    _for_a_while(request, interface, "attaching")
    return answer


def _for_a_while(request: Request, interface: Any, status: str, off: Any = None) -> None:
    facts = request.world.facts.setdefault(interface.id, {})
    facts["attachment"] = status
    attachment = interface.attachment_id

    def effect() -> None:
        if facts.get("attachment") == status and interface.attachment_id == attachment:
            facts.pop("attachment")
            if off is not None:
                off.detach_eni(interface)

    request.world.timeline.after(request.world.settings.delays.of("network-interface", status), effect)


def detach(request: Request, backend: Any) -> Answer:
    """DetachNetworkInterface: never the primary one; it is in use until it is off."""
    wanted = request.parameters.get("AttachmentId")
    interface = next((one for one in backend.enis.values() if one.attachment_id == wanted), None)
    if interface is None or interface.instance is None:
        raise AwsError("InvalidAttachmentID.NotFound", f"The attachment '{wanted}' does not exist.")
    if interface.device_index == 0:
        raise AwsError("OperationNotPermitted", "The network interface at device index 0 cannot be detached.")
    _for_a_while(request, interface, "detaching", off=interface.instance)
    return {}


def modify(request: Request, backend: Any) -> Answer:
    """ModifyNetworkInterfaceAttribute."""
    given = request.parameters
    interface = require(backend, INTERFACE, str(given.get("NetworkInterfaceId")))
    named = [name for name in _ATTRIBUTES if given.get(name) is not None]
    if len(named) != 1:
        text = "Fields for multiple attribute types specified." if named else "No attributes specified."
        raise AwsError("InvalidParameterCombination", text)
    value = given[named[0]]
    if named == ["Groups"]:
        interface._group_set = [require(backend, GROUP, str(one)) for one in value]
        if interface.device_index == 0 and interface.instance is not None:
            interface.instance.security_groups = list(interface._group_set)
    elif named == ["Description"]:
        interface.description = value.get("Value") or ""
    elif named == ["SourceDestCheck"]:
        interface.source_dest_check = bool(value.get("Value"))
        if interface.device_index == 0 and interface.instance is not None:
            interface.instance.source_dest_check = interface.source_dest_check
    elif named == ["Attachment"]:
        if value.get("AttachmentId") != interface.attachment_id:
            raise AwsError("InvalidAttachmentID.NotFound", "The attachment does not exist.")
        interface.delete_on_termination = bool(value.get("DeleteOnTermination"))
    return {}
