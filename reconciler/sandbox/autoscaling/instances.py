"""The instances of Auto Scaling groups, which come and go as the groups want them.

Sources: Amazon EC2 Auto Scaling user guide: tags that propagate at launch, the tag `aws:autoscaling:groupName`, the
life cycle of an instance, scale-in protection.  Called by `groups.py` and `answers.py`.
"""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from ..ec2 import backend as moto
from ..faults import hand
from ..request import Answer, Request
from .store import Group, Store, refused

MARK = "aws:autoscaling:groupName"


def balance(store: Store, group: Group) -> None:
    """Has instances come or go until there are as many as are wanted."""
    for id in [one for one in group.instances if _is_dead(store, one)]:
        del group.instances[id]
    more = group.row["DesiredCapacity"] - len(group.kept)
    if more > 0 and not group.launching:
        group.launching = True
        store.after("launching", lambda: _launched(store, group))
    for id, one in list(group.kept.items()):
        if more < 0 and not one["ProtectedFromScaleIn"]:
            leave(store, group, id)
            more += 1


def _is_dead(store: Store, id: str) -> bool:
    instance = moto.find_instance(store.ec2, id)
    return instance is None or instance.state in ("terminated", "shutting-down")


def launches(store: Store, group: Group) -> tuple[dict[str, Any], str] | None:
    """The template of a group and the number of the version that it launches now; None without such a template."""
    mixed = (group.row.get("MixedInstancesPolicy") or {}).get("LaunchTemplate") or {}
    given = group.row.get("LaunchTemplate") or mixed["LaunchTemplateSpecification"]
    template = store.ec2.launch_templates.get(given["LaunchTemplateId"])
    if template is None:
        return None
    words = {"$Default": template.default_version_number, "$Latest": len(template.versions)}
    return given, str(words.get(given["Version"], given["Version"]))


def _launched(store: Store, group: Group) -> None:
    _launch(store, group)
    group.launching = False  # only now: whatever else is due has happened while EC2 was asked


def _launch(store: Store, group: Group) -> None:
    """As many as are missing; an activity that fails is tried again when somebody looks."""
    count, found = group.row["DesiredCapacity"] - len(group.kept), launches(store, group)
    if count <= 0 or store.groups.get(group.name) is not group or found is None:
        return
    given, version = found
    subnets = str(group.row.get("VPCZoneIdentifier") or "").split(",")
    tags = [{"Key": key, "Value": value} for key, (value, hand_down) in group.tags.items() if hand_down]
    mixed = (group.row.get("MixedInstancesPolicy") or {}).get("LaunchTemplate") or {}
    types = [one["InstanceType"] for one in mixed.get("Overrides") or () if one.get("InstanceType")]
    for place in range(count):
        asked: dict[str, Any] = {
            "MinCount": 1,
            "MaxCount": 1,
            "LaunchTemplate": {"LaunchTemplateId": given["LaunchTemplateId"], "Version": version},
        }
        if types:
            asked["InstanceType"] = types[0]
        if subnets[0]:
            asked["SubnetId"] = subnets[place % len(subnets)]
        if tags:
            asked["TagSpecifications"] = [{"ResourceType": "instance", "Tags": tags}]
        try:
            with store.world.faults.rest():
                made = hand.client("ec2", store.region).run_instances(**asked)["Instances"][0]
        except ClientError:
            return
        store.ec2.tags[made["InstanceId"]][MARK] = group.name
        group.instances[made["InstanceId"]] = {
            "InstanceId": made["InstanceId"],
            "InstanceType": made["InstanceType"],
            "AvailabilityZone": made["Placement"]["AvailabilityZone"],
            "LifecycleState": "Pending",
            "HealthStatus": "Healthy",
            "ProtectedFromScaleIn": bool(group.row["NewInstancesProtectedFromScaleIn"]),
            "LaunchTemplate": {**given, "Version": version},
        }
        store.after("pending", lambda one=group.instances[made["InstanceId"]]: _serve(one))


def _serve(instance: dict[str, Any]) -> None:
    if instance["LifecycleState"] == "Pending":
        instance["LifecycleState"] = "InService"


def leave(store: Store, group: Group, id: str) -> None:
    """An instance is terminated, and out of the group when it is gone."""
    group.instances[id]["LifecycleState"] = "Terminating"

    def effect() -> None:
        if not _is_dead(store, id):
            with store.world.faults.rest():
                hand.client("ec2", store.region).terminate_instances(InstanceIds=[id])
        group.instances.pop(id, None)

    store.after("terminating", effect)


def protect(request: Request, store: Store) -> Answer:
    """SetInstanceProtection, of 50 instances at most."""
    group, ids = store.group(request.parameters["AutoScalingGroupName"]), request.parameters["InstanceIds"]
    if len(ids) > 50:
        raise refused("No more than 50 instances can be protected at once")
    for id in ids:
        if id not in group.instances:
            raise refused(f"The instance {id} is not part of Auto Scaling group {group.name}.")
        group.instances[id]["ProtectedFromScaleIn"] = bool(request.parameters["ProtectedFromScaleIn"])
    balance(store, group)
    return {}
