"""Target groups and the targets in them.

Sources: Elastic Load Balancing API reference (CreateTargetGroup and its defaults by protocol, RegisterTargets: "an
instance must be in the running state when you register it", DeregisterTargets, DescribeTargetHealth, TargetHealth);
its user guides ("deregistration delay": a target that was taken out is draining, then gone).
"""

from __future__ import annotations

from typing import Any

from moto.moto_api._internal import mock_random

from ..ec2 import backend as moto
from ..errors import AwsError
from ..request import Answer, Request
from .balancers import NAME
from .store import Store, Thing, given_tags, listed, refused

_WEB = ("HTTP", "HTTPS")
_CHECKED = (
    "HealthCheckProtocol",
    "HealthCheckPort",
    "HealthCheckEnabled",
    "HealthCheckPath",
    "HealthCheckIntervalSeconds",
    "HealthCheckTimeoutSeconds",
    "HealthyThresholdCount",
    "UnhealthyThresholdCount",
    "Matcher",
)
_ATTRIBUTES = {
    "deregistration_delay.timeout_seconds": "300",
    "stickiness.enabled": "false",
    "load_balancing.cross_zone.enabled": "use_load_balancer_configuration",
}
_OF_WEB = {"load_balancing.algorithm.type": "round_robin", "slow_start.duration_seconds": "0"}
_OF_PACKETS = {
    "preserve_client_ip.enabled": "true",
    "deregistration_delay.connection_termination.enabled": "false",
}


def create(request: Request, store: Store) -> Answer:
    """CreateTargetGroup: the same once more is the same group."""
    given, tags = request.parameters, given_tags(request)
    name, type = str(given["Name"]), str(given.get("TargetType") or "instance")
    if not NAME.fullmatch(name):
        raise refused(f"Target group name '{name}' is not valid")
    row: dict[str, Any] = {"TargetGroupName": name, "TargetType": type}
    protocol = given.get("Protocol")
    if type != "lambda":
        for member in ("Protocol", "Port", "VpcId"):
            if given.get(member) is None:
                raise refused(f"A {member} must be specified")
        if str(given["VpcId"]) not in moto.backend_of(request).vpcs:
            raise refused(f"The VPC ID '{given['VpcId']}' is not found")
        row |= {member: given[member] for member in ("Protocol", "Port", "VpcId")}
        row["IpAddressType"] = given.get("IpAddressType") or "ipv4"
    web = protocol in _WEB
    if web:
        row["ProtocolVersion"] = given.get("ProtocolVersion") or "HTTP1"
    if given.get("TargetControlPort"):
        row["TargetControlPort"] = given["TargetControlPort"]
    check = str(given.get("HealthCheckProtocol") or (protocol if web else "TCP"))
    defaults: dict[str, Any] = {
        "HealthCheckProtocol": check,
        "HealthCheckPort": "traffic-port",
        "HealthCheckEnabled": True,
        "HealthCheckIntervalSeconds": 30,
        "HealthCheckTimeoutSeconds": 5 if web else 6 if check in _WEB else 10,
        "HealthyThresholdCount": 5,
        "UnhealthyThresholdCount": 2,
    }
    if check in _WEB:
        defaults |= {"HealthCheckPath": "/", "Matcher": {"HttpCode": "200" if web else "200-399"}}
    row |= defaults | {member: given[member] for member in _CHECKED if given.get(member) is not None}
    for arn, other in store.groups.items():
        if other.row["TargetGroupName"] == name:
            if any(other.row.get(member) != value for member, value in row.items()):
                raise AwsError(
                    "DuplicateTargetGroupName",
                    f"A target group with the same name '{name}' exists, but with different settings",
                )
            return {"TargetGroups": [_shown(store, arn)]}
    arn = (
        f"arn:{request.partition}:elasticloadbalancing:{request.region}:{request.account}:"
        f"targetgroup/{name}/{mock_random.get_random_hex(16)}"
    )
    attributes = {**_ATTRIBUTES, **(_OF_WEB if web else _OF_PACKETS)}
    store.groups[arn] = Thing({"TargetGroupArn": arn, **row}, tags, attributes, {"targets": {}})
    return {"TargetGroups": [_shown(store, arn)]}


def users(store: Store, arn: str) -> list[str]:
    """The load balancers that send something to a group."""
    found = [
        listener.row["LoadBalancerArn"]
        for listener in store.listeners.values()
        if arn in targets_of(listener.row["DefaultActions"])
    ]
    return list(dict.fromkeys(found))


def targets_of(actions: Any) -> list[str]:
    """The groups that actions forward to."""
    return [
        str(group["TargetGroupArn"])
        for action in actions
        if action["Type"] == "forward"
        for group in action["ForwardConfig"]["TargetGroups"]
    ]


def _shown(store: Store, arn: str) -> dict[str, Any]:
    return {**store.groups[arn].row, "LoadBalancerArns": users(store, arn)}


def describe(request: Request, store: Store) -> Answer:
    """DescribeTargetGroups, by ARN or all."""
    if request.parameters.get("Names") or request.parameters.get("LoadBalancerArn"):
        raise refused("The local AWS looks target groups up by ARN only")
    return listed(
        request,
        [_shown(store, arn) for arn in store.groups],
        many="TargetGroups",
        id="TargetGroupArn",
        wanted=request.parameters.get("TargetGroupArns") or [],
        missing=lambda arn: AwsError("TargetGroupNotFound", f"Target groups '[{arn}]' not found"),
    )


def modify(request: Request, store: Store) -> Answer:
    """ModifyTargetGroup: how health is checked."""
    arn = str(request.parameters["TargetGroupArn"])
    group = store.group(arn)
    given = {name: request.parameters[name] for name in _CHECKED if request.parameters.get(name) is not None}
    row = {**group.row, **given}
    if row["HealthCheckTimeoutSeconds"] >= row["HealthCheckIntervalSeconds"]:
        raise refused("Health check timeout must be smaller than the interval")
    group.row.update(given)
    return {"TargetGroups": [_shown(store, arn)]}


def delete(request: Request, store: Store) -> Answer:
    """DeleteTargetGroup: not while a listener leads there; one that is gone is no error."""
    arn = str(request.parameters["TargetGroupArn"])
    if users(store, arn):
        raise AwsError("ResourceInUse", f"Target group '{arn}' is currently in use by a listener or a rule")
    store.groups.pop(arn, None)
    return {}


# ---- targets


def _key(group: Thing, target: Any) -> tuple[str, int]:
    return str(target["Id"]), int(target.get("Port") or group.row.get("Port") or 0)


def register(request: Request, store: Store) -> Answer:
    """RegisterTargets: instances have to be running; what is there already stays."""
    group, backend = store.group(request.parameters["TargetGroupArn"]), moto.backend_of(request)
    for target in request.parameters["Targets"]:
        if group.row["TargetType"] == "instance":
            instance = moto.find_instance(backend, str(target["Id"]))
            if instance is None:
                raise AwsError("InvalidTarget", f"The instance ID '{target['Id']}' is not valid")
            if instance.state != "running":
                raise AwsError(
                    "InvalidTarget",
                    "The following targets are not in a running state and cannot be registered: "
                    f"'{target['Id']}'",
                )
            if instance.vpc_id != group.row["VpcId"]:
                raise AwsError(
                    "InvalidTarget",
                    "The following targets are not in the target group VPC "
                    f"'{group.row['VpcId']}': '{target['Id']}'",
                )
    for target in request.parameters["Targets"]:
        there = group.notes["targets"].get(_key(group, target))
        if there is None or there["state"] == "draining":
            _change(request, group, target, "initial", "healthy")
    return {}


def deregister(request: Request, store: Store) -> Answer:
    """DeregisterTargets: draining, then gone."""
    group = store.group(request.parameters["TargetGroupArn"])
    wanted = list(request.parameters["Targets"])
    for target in wanted:
        if _key(group, target) not in group.notes["targets"]:
            raise AwsError("InvalidTarget", f"The target '{target['Id']}' is not registered")
    for target in wanted:
        _change(request, group, target, "draining", "")
    return {}


def _change(request: Request, group: Thing, target: Any, state: str, then: str) -> None:
    """A target's state, and the one that follows; "": it is gone."""
    key, world = _key(group, target), request.world
    entry = {"state": state, "zone": target.get("AvailabilityZone")}
    group.notes["targets"][key] = entry

    def effect() -> None:
        if group.notes["targets"].get(key) is entry and then:
            entry["state"] = then
        elif group.notes["targets"].get(key) is entry:
            del group.notes["targets"][key]

    world.timeline.after(world.settings.delays.of("target", state), effect)


def describe_health(request: Request, store: Store) -> Answer:
    """DescribeTargetHealth, of all targets; those that are terminated are out."""
    arn, backend = str(request.parameters["TargetGroupArn"]), moto.backend_of(request)
    group = store.group(arn)
    used = bool(users(store, arn))
    rows = []
    for (id, port), entry in list(group.notes["targets"].items()):
        instance = moto.find_instance(backend, id) if group.row["TargetType"] == "instance" else None
        if group.row["TargetType"] == "instance" and (instance is None or instance.state in moto.DEAD):
            del group.notes["targets"][id, port]
            continue
        state = entry["state"] if used or entry["state"] == "draining" else "unused"
        target: dict[str, Any] = {"Id": id, **({"Port": port} if port else {})}
        if entry["zone"]:
            target["AvailabilityZone"] = entry["zone"]
        rows.append({"Target": target, "TargetHealth": {"State": state}})
    return {"TargetHealthDescriptions": rows}
