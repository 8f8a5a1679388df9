"""Launches: what RunInstances must find, fills in and makes, and what it answers when it is asked again.

Sources: EC2 API reference, RunInstances; EC2 developer guide, "Ensuring idempotency in Amazon EC2 API requests".
Called by `answers.py`.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any

from .. import iam
from ..errors import AwsError
from ..request import Answer, Request
from . import appearance, images, instances, placement, tags
from . import backend as moto
from .missing import GROUP, SUBNET, require


def token_scope(request: Request, backend: Any) -> tuple[str, ...]:
    """What narrows a token: a launch that names a zone or a subnet is zonal, any other one regional."""
    if request.operation != "RunInstances":
        return ()
    zone = (request.parameters.get("Placement") or {}).get("AvailabilityZone")
    subnet = moto.find_subnet(backend, str(request.parameters.get("SubnetId")))
    return (str(subnet.availability_zone) if subnet is not None else str(zone or ""),)


def run_again(request: Request, backend: Any, first: Mapping[str, Any]) -> Answer:
    """A launch repeated with its token: the same instances in their present state, or
    IdempotentInstanceTerminated once they are gone. An instance that is only shutting down is still shown; whether
    AWS already refuses then is unverified, and so is that of several instances one is enough."""
    ids = [instance["InstanceId"] for instance in first["Instances"]]
    alive = [moto.find_instance(backend, one) for one in ids]
    if any(one is None or one.state == "terminated" for one in alive):
        raise AwsError(
            "IdempotentInstanceTerminated",
            "The client token you have provided is associated with a terminated instance. Please use a different "
            "client token.",
        )
    again = instances.described(request, ids)[0]
    if not request.world.settings.repeated_launch_shows_tags:
        for instance in again["Instances"]:
            instance.pop("Tags", None)
    return again


def run(request: Request, backend: Any) -> Answer:
    """RunInstances: MaxCount instances, pending, in a subnet and in security groups, tagged as asked."""
    parameters = dict(request.parameters)
    parameters.pop("ClientToken", None)
    _check_counts(parameters)
    _check_alike(parameters)
    _check_type(parameters, request.region)
    if parameters.get("ImageId"):
        parameters["ImageId"] = images.resolve(request, backend, str(parameters["ImageId"]))
        defaults = images.metadata_defaults(backend, parameters["ImageId"])
        parameters["MetadataOptions"] = {**defaults, **(parameters.get("MetadataOptions") or {})}
    elif not parameters.get("LaunchTemplate"):
        raise AwsError("MissingParameter", "The request must contain the parameter ImageId")
    if parameters.get("Placement"):
        parameters["Placement"] = placement.check(backend, parameters["Placement"])
    key = parameters.get("KeyName")
    if key and key not in backend.key_pairs:
        raise AwsError("InvalidKeyPair.NotFound", f"The key pair '{key}' does not exist")
    if parameters.get("NetworkInterfaces"):
        _check_interfaces(parameters, backend)
    else:
        _place(parameters, backend)
    iam.check_profile(request.world, request.account, request.partition, parameters.get("IamInstanceProfile"))
    made = request.ask_moto(_for_moto(parameters))
    ids = [instance["InstanceId"] for instance in made["Instances"]]
    for one in ids:
        _finish(request, backend, moto.find_instance(backend, one))
    return instances.described(request, ids)[0]


def _for_moto(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """moto launches MinCount instances where EC2 launches up to MaxCount, and knows no zones of newer regions; the
    subnet says the zone already."""
    changed = {**parameters, "MinCount": parameters["MaxCount"]}
    if parameters.get("Placement"):
        changed["Placement"] = {k: v for k, v in parameters["Placement"].items() if k != "AvailabilityZone"}
    return changed


def _check_interfaces(parameters: dict[str, Any], backend: Any) -> None:
    """What an interface says must not be said of the instance too; what it leaves out is filled in."""
    for name, spelt in (
        ("SubnetId", "subnet ID"),
        ("SecurityGroupIds", "security groups"),
        ("SecurityGroups", "security groups"),
        ("PrivateIpAddress", "private IP address"),
    ):
        if parameters.get(name):
            raise AwsError(
                "InvalidParameterCombination",
                f"Network interfaces and an instance-level {spelt} may not be specified on the same request",
            )
    interfaces = parameters["NetworkInterfaces"]
    if len(interfaces) > 1 and any(one.get("AssociatePublicIpAddress") for one in interfaces):
        raise AwsError(
            "InvalidParameterCombination",
            "The associatePublicIPAddress parameter cannot be specified when launching with multiple network "
            "interfaces.",
        )
    parameters["NetworkInterfaces"] = [
        one if one.get("NetworkInterfaceId") else _filled_in(one, parameters, backend) for one in interfaces
    ]


def _filled_in(interface: Mapping[str, Any], parameters: Mapping[str, Any], backend: Any) -> dict[str, Any]:
    """An interface like an instance without any: in a subnet and in groups of its network."""
    placed = {
        "MinCount": 1,
        "MaxCount": 1,
        "Placement": parameters.get("Placement"),
        "SubnetId": interface.get("SubnetId"),
        "SecurityGroupIds": [require(backend, GROUP, str(one)).id for one in interface.get("Groups") or []],
        "PrivateIpAddress": interface.get("PrivateIpAddress"),
    }
    _place(placed, backend)
    return {**interface, "SubnetId": placed["SubnetId"], "Groups": placed["SecurityGroupIds"]}


def _check_address(parameters: dict[str, Any], subnet: Any) -> None:
    """The address that is asked for must be free; without one there are as many instances as there are addresses."""
    address = parameters.get("PrivateIpAddress")
    if not address:
        free = int(subnet.available_ip_address_count)
        if free < int(parameters["MinCount"]):
            raise AwsError(
                "InsufficientFreeAddressesInSubnet",
                f"There are not enough free addresses in subnet '{subnet.id}' to satisfy the requested number of "
                "instances.",
            )
        parameters["MaxCount"] = min(int(parameters["MaxCount"]), free)
        return
    try:
        inside = ipaddress.ip_address(address) in ipaddress.ip_network(subnet.cidr_block)
    except ValueError as error:
        raise AwsError("InvalidParameterValue", f"invalid value for parameter address: {address}") from error
    if not inside:
        raise AwsError(
            "InvalidParameterValue", f"Address {address} does not fall within the subnet's address range"
        )
    if address in subnet._subnet_ips:
        raise AwsError("InvalidIPAddress.InUse", f"Address {address} is in use.")


def _check_counts(parameters: Mapping[str, Any]) -> None:
    least, most = int(parameters.get("MinCount") or 0), int(parameters.get("MaxCount") or 0)
    if not 1 <= least <= most:
        raise AwsError("InvalidParameterValue", f"Value ({least}) for parameter minCount is invalid.")


def _check_alike(parameters: Mapping[str, Any]) -> None:
    """What only one instance can have is not asked for by a launch of several. (API reference, RunInstances and
    InstanceNetworkInterfaceSpecification: "You cannot specify this option if you're launching more than one
    instance"; the code is unverified.)"""
    if int(parameters["MaxCount"]) < 2:
        return
    for given in (parameters, *(parameters.get("NetworkInterfaces") or [])):
        for name in ("PrivateIpAddress", "PrivateIpAddresses", "NetworkInterfaceId"):
            if given.get(name):
                raise AwsError(
                    "InvalidParameterCombination",
                    f"The parameter {name} cannot be specified when launching more than one instance.",
                )


def _check_type(parameters: Mapping[str, Any], region: str) -> None:
    """Instance types are those that moto's data has; regions that it has no data for take any of them."""
    from moto.ec2.models.instance_types import INSTANCE_TYPE_OFFERINGS, INSTANCE_TYPES

    wanted = parameters.get("InstanceType")
    offered = {one["InstanceType"] for one in INSTANCE_TYPE_OFFERINGS["region"].get(region, [])}
    if wanted and wanted not in (offered or INSTANCE_TYPES):
        if wanted in INSTANCE_TYPES:
            raise AwsError(
                "Unsupported",
                f"The requested configuration is currently not supported: {wanted} in {region}.",
            )
        raise AwsError("InvalidParameterValue", f"Invalid value '{wanted}' for InstanceType.")


def _place(parameters: dict[str, Any], backend: Any) -> None:
    """Fills in the default subnet and group where the caller names none."""
    zone = (parameters.get("Placement") or {}).get("AvailabilityZone")
    if zone:
        zones = {one.name for one in backend.describe_availability_zones()}
        if zone not in zones:
            raise AwsError("InvalidParameterValue", f"Invalid availability zone: [{zone}]")
    if parameters.get("SubnetId"):
        subnet = require(backend, SUBNET, str(parameters["SubnetId"]))
        if zone and subnet.availability_zone != zone:
            raise AwsError(
                "InvalidParameterValue",
                f"The availability zone '{zone}' does not match that of the subnet '{subnet.id}'.",
            )
    else:
        subnet = _default_subnet(backend, zone)
        parameters["SubnetId"] = subnet.id
    _check_address(parameters, subnet)
    groups = [moto.find_group(backend, one) for one in parameters.get("SecurityGroupIds") or []]
    for group in groups:
        if group.vpc_id != subnet.vpc_id:
            raise AwsError(
                "InvalidParameter",
                f"Security group {group.id} and subnet {subnet.id} belong to different networks.",
            )
    if not groups and not parameters.get("SecurityGroups"):
        default = moto.default_group(backend, subnet.vpc_id)
        parameters["SecurityGroupIds"] = [default.id] if default is not None else []


def _default_subnet(backend: Any, zone: str | None) -> Any:
    network = backend.get_default_vpc()
    if network is None:
        raise AwsError("VPCIdNotSpecified", "No default VPC for this user")
    found = sorted(
        (one for one in moto.subnets(backend) if one.vpc_id == network.id and one.default_for_az),
        key=lambda one: str(one.availability_zone),
    )
    for subnet in found:
        if zone in (None, subnet.availability_zone):
            return subnet
    where = f"availability zone: '{zone}'" if zone else "this user"
    raise AwsError("MissingInput" if zone is None else "InvalidInput", f"No default subnet for {where}.")


def _finish(request: Request, backend: Any, instance: Any) -> None:
    parameters = request.parameters
    appearance.remember_launch(request.world, instance.id, parameters)
    instance.client_token = str(parameters.get("ClientToken") or "")
    instance.launch_time = now = request.world.settings.clock.now()
    for device in instance.block_device_mapping.values():
        device.attach_time = now
    instance.disable_api_termination = bool(parameters.get("DisableApiTermination"))
    given = {one.get("DeviceIndex", 0): one for one in parameters.get("NetworkInterfaces") or []}
    for index, interface in instance.nics.items():
        interface.attach_time = now
        asked = given.get(index, {})
        if not asked.get("NetworkInterfaceId"):
            interface.delete_on_termination = asked.get("DeleteOnTermination", True) is not False
        for key, value in tags.specified(request, "network-interface").items():
            interface.add_tag(key, value)
    if given and 0 in instance.nics:  # an instance shows the groups of its primary interface
        instance.security_groups = list(instance.nics[0].group_set)
    instances.move(request, instance, "pending", lambda: instances.put(instance, "running"))
