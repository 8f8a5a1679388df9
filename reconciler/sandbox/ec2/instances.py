"""Instances: launching, stopping, starting and terminating them, and the states that follow.

Sources: EC2 User Guide, "Amazon EC2 instance state changes"; EC2 API reference, RunInstances, StartInstances,
StopInstances, TerminateInstances; EC2 developer guide, "Ensuring idempotency in Amazon EC2 API requests".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..errors import AwsError
from ..request import Answer, Request
from ..settings import TERMINATED_LISTED_SECONDS
from . import backend as moto
from . import images, tags
from .missing import SUBNET, require

CODES = {"pending": 0, "running": 16, "shutting-down": 32, "terminated": 48, "stopping": 64, "stopped": 80}


def state_of(instance: Any) -> dict[str, Any]:
    """The state of an instance as answers show it."""
    return {"Code": CODES[instance.state], "Name": instance.state}


def _set(instance: Any, state: str) -> None:
    from moto.ec2.models.instances import InstanceState

    instance._state = InstanceState(state, CODES[state])


def _move(request: Request, instance: Any, state: str, then: Callable[[], None]) -> None:
    """Puts an instance into a transitional state; `then` happens when its time has come, unless it was overtaken."""
    _set(instance, state)
    facts = request.world.facts.setdefault(instance.id, {})
    facts["changes"] = change = facts.get("changes", 0) + 1

    def effect() -> None:
        if facts["changes"] == change:
            then()

    request.world.timeline.after(request.world.settings.delays.of("instance", state), effect)


def described(request: Request, ids: list[str]) -> list[dict[str, Any]]:
    """Reservations with these instances as DescribeInstances shows them now."""
    answer = request.ask_moto({"InstanceIds": ids, "MaxResults": 1000}, "DescribeInstances")
    return [_shown(reservation) for reservation in answer.get("Reservations", [])]


def describe(request: Request, backend: Any) -> Answer:
    """DescribeInstances, all of them; ids, filters and pages are `listings.py`'s."""
    answer = request.ask_moto({"MaxResults": 1_000_000})
    return {"Reservations": [_shown(reservation) for reservation in answer.get("Reservations", [])]}


# What a terminated instance no longer shows; it has neither addresses nor a network any more.
_NOT_WHEN_TERMINATED = frozenset(
    {"SubnetId", "VpcId", "PrivateIpAddress", "PublicIpAddress", "IamInstanceProfile", "Ipv6Address"}
)
_EMPTY_WHEN_TERMINATED: Mapping[str, Any] = {
    "NetworkInterfaces": [],
    "SecurityGroups": [],
    "BlockDeviceMappings": [],
    "PrivateDnsName": "",
    "PublicDnsName": "",
}


def _shown(reservation: Mapping[str, Any]) -> dict[str, Any]:
    instances = []
    for instance in reservation.get("Instances", []):
        if instance["State"]["Name"] == "terminated":
            left = {k: v for k, v in instance.items() if k not in _NOT_WHEN_TERMINATED}
            instance = {**left, **_EMPTY_WHEN_TERMINATED}
        instances.append(instance)
    return {**reservation, "Instances": instances}


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
    AWS already refuses then is unverified."""
    ids = [instance["InstanceId"] for instance in first["Instances"]]
    alive = [moto.find_instance(backend, one) for one in ids]
    if any(one is None or one.state == "terminated" for one in alive):
        raise AwsError(
            "IdempotentInstanceTerminated",
            "The client token was used to launch an instance that has been terminated.",
        )
    return described(request, ids)[0]


def run(request: Request, backend: Any) -> Answer:
    """RunInstances: MaxCount instances, pending, in a subnet and in security groups, tagged as asked."""
    parameters = dict(request.parameters)
    parameters.pop("ClientToken", None)
    _check_counts(parameters)
    _check_type(parameters, request.region)
    if parameters.get("ImageId"):
        parameters["ImageId"] = images.resolve(request, backend, str(parameters["ImageId"]))
    elif not parameters.get("LaunchTemplate"):
        raise AwsError("MissingParameter", "The request must contain the parameter ImageId")
    key = parameters.get("KeyName")
    if key and key not in backend.key_pairs:
        raise AwsError("InvalidKeyPair.NotFound", f"The key pair '{key}' does not exist")
    if not parameters.get("NetworkInterfaces"):
        _place(parameters, backend, request.region)
    try:
        made = request.ask_moto(_for_moto(parameters))
    except AwsError as error:
        raise _of_profile(parameters, error) from error
    ids = [instance["InstanceId"] for instance in made["Instances"]]
    for one in ids:
        _finish(request, backend, moto.find_instance(backend, one))
    return described(request, ids)[0]


def _for_moto(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """moto launches MinCount instances where EC2 launches up to MaxCount, and knows no zones of newer regions; the
    subnet says the zone already."""
    changed = {**parameters, "MinCount": parameters["MaxCount"]}
    if parameters.get("SubnetId") and parameters.get("Placement"):
        changed["Placement"] = {k: v for k, v in parameters["Placement"].items() if k != "AvailabilityZone"}
    return changed


def _check_counts(parameters: Mapping[str, Any]) -> None:
    least, most = int(parameters.get("MinCount") or 0), int(parameters.get("MaxCount") or 0)
    if not 1 <= least <= most:
        raise AwsError("InvalidParameterValue", f"Value ({least}) for parameter minCount is invalid.")


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


def _place(parameters: dict[str, Any], backend: Any, region: str) -> None:
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


def _of_profile(parameters: Mapping[str, Any], error: AwsError) -> AwsError:
    """An unknown instance profile is InvalidParameterValue in EC2, while moto shows IAM's own error."""
    profile = parameters.get("IamInstanceProfile") or {}
    if not profile or not error.code.startswith("NoSuchEntity"):
        return error
    name = "name" if profile.get("Name") else "arn"
    value = profile.get("Name") or profile.get("Arn")
    return AwsError(
        "InvalidParameterValue",
        f"Value ({value}) for parameter iamInstanceProfile.{name} is invalid. Invalid IAM Instance Profile {name}",
    )


def _finish(request: Request, backend: Any, instance: Any) -> None:
    parameters = request.parameters
    instance.client_token = str(parameters.get("ClientToken") or "")
    instance.launch_time = request.world.settings.clock.now()
    instance.disable_api_termination = bool(parameters.get("DisableApiTermination"))
    given = {one.get("DeviceIndex", 0): one for one in parameters.get("NetworkInterfaces") or []}
    for index, interface in instance.nics.items():
        asked = given.get(index, {})
        if not asked.get("NetworkInterfaceId"):
            interface.delete_on_termination = asked.get("DeleteOnTermination", True) is not False
        for key, value in tags.specified(request, "network-interface").items():
            interface.add_tag(key, value)
    _move(request, instance, "pending", lambda: _set(instance, "running"))


def _all(request: Request, backend: Any) -> list[Any]:
    ids = request.parameters.get("InstanceIds") or []
    if not ids:
        raise AwsError("MissingParameter", "The request must contain the parameter InstanceId")
    return [moto.find_instance(backend, one) for one in dict.fromkeys(ids)]


def _changes(many: str, pairs: list[tuple[Any, dict[str, Any]]]) -> Answer:
    return {
        many: [
            {"InstanceId": one.id, "CurrentState": state_of(one), "PreviousState": previous}
            for one, previous in pairs
        ]
    }


def _refuse(instance: Any, verb: str) -> AwsError:
    return AwsError(
        "IncorrectInstanceState",
        f"The instance '{instance.id}' is not in a state from which it can be {verb}.",
    )


def start(request: Request, backend: Any) -> Answer:
    """StartInstances: from stopped only; one that runs or is about to is left alone."""
    found = _all(request, backend)
    for one in found:
        if one.state not in ("stopped", "pending", "running"):
            raise _refuse(one, "started")
    pairs = [(one, state_of(one)) for one in found]
    for one in found:
        if one.state == "stopped":
            _move(request, one, "pending", lambda one=one: _started(one))  # type: ignore[misc]  # bound per turn
    return _changes("StartingInstances", pairs)


def _started(instance: Any) -> None:
    instance.start()
    _set(instance, "running")


def stop(request: Request, backend: Any) -> Answer:
    """StopInstances: from running only; one that is stopped or about to be is left alone."""
    found = _all(request, backend)
    for one in found:
        if one.state not in ("running", "stopping", "stopped"):
            raise _refuse(one, "stopped")
        if one.disable_api_stop:
            raise AwsError(
                "OperationNotPermitted",
                f"The instance '{one.id}' may not be stopped. Modify its 'disableApiStop' instance attribute and try "
                "again.",
            )
    pairs = [(one, state_of(one)) for one in found]
    for one in found:
        if one.state == "running":
            _move(request, one, "stopping", lambda one=one: _stopped(one))  # type: ignore[misc]  # bound per turn
    return _changes("StoppingInstances", pairs)


def _stopped(instance: Any) -> None:
    instance.stop()
    _set(instance, "stopped")


def terminate(request: Request, backend: Any) -> Answer:
    """TerminateInstances: all or none; a protected one refuses, one that is gone already does not matter."""
    found = _all(request, backend)
    for one in found:
        if one.disable_api_termination and one.state not in ("shutting-down", "terminated"):
            raise AwsError(
                "OperationNotPermitted",
                f"The instance '{one.id}' may not be terminated. Modify its 'disableApiTermination' instance attribute "
                "and try again.",
            )
    pairs = [(one, state_of(one)) for one in found]
    for one in found:
        if one.state not in ("shutting-down", "terminated"):
            _move(
                request,
                one,
                "shutting-down",
                lambda one=one: _terminated(request, backend, one),  # type: ignore[misc]  # bound per turn
            )
    return _changes("TerminatingInstances", pairs)


def _terminated(request: Request, backend: Any, instance: Any) -> None:
    """Takes an instance's interfaces and volumes away, and leaves it listed for about an hour."""
    instance.terminate()
    for interface in list(backend.enis.values()):
        if interface.instance is not None and interface.instance.id == instance.id:
            interface.instance = None
    _set(instance, "terminated")

    def forget() -> None:
        for reservation in list(backend.reservations.values()):
            reservation.instances = [one for one in reservation.instances if one.id != instance.id]
            if not reservation.instances:
                del backend.reservations[reservation.id]
        backend.tags.pop(instance.id, None)

    request.world.timeline.after(TERMINATED_LISTED_SECONDS, forget)
