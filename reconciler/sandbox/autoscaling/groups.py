"""Auto Scaling groups: their settings, tags and target groups.

Sources: Amazon EC2 Auto Scaling API reference (CreateAutoScalingGroup, UpdateAutoScalingGroup, DeleteAutoScalingGroup,
CreateOrUpdateTags) and user guide ("delete your Auto Scaling infrastructure"); terraform-provider-aws for error texts:
what is not there is a ValidationError.  Called by `answers.py`.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from ..ec2 import backend as moto
from ..elbv2.store import store_of as balancing
from ..errors import AwsError
from ..request import Answer, Request
from .instances import balance
from .store import TYPE, Group, Store, refused

_OTHERWISE = ("AutoScalingGroupName", "LaunchTemplate", "MixedInstancesPolicy", "Tags", "TargetGroupARNs")
"""What is given and not kept as it is."""


def create(request: Request, store: Store) -> Answer:
    """CreateAutoScalingGroup: a name is taken once, and nothing is answered."""
    given = request.parameters
    name = str(given["AutoScalingGroupName"])
    if name in store.groups:
        raise AwsError(
            "AlreadyExists",
            f"AutoScalingGroup by this name already exists - A group with the name {name} already exists",
        )
    row: dict[str, Any] = {
        "AutoScalingGroupName": name,
        "AutoScalingGroupARN": (
            f"arn:{request.partition}:autoscaling:{request.region}:{request.account}:"
            f"autoScalingGroup:{uuid.uuid4()}:autoScalingGroupName/{name}"
        ),
        "CreatedTime": request.world.settings.clock.now(),
        "DefaultCooldown": 300,
        "HealthCheckType": "EC2",
        "HealthCheckGracePeriod": 0,
        "NewInstancesProtectedFromScaleIn": False,
        "TerminationPolicies": ["Default"],
        "TargetGroupARNs": list(given.get("TargetGroupARNs") or ()),
        "DesiredCapacity": given.get("MinSize"),
    }
    group = Group(_changed(store, row, given), _given_tags(given))
    _check_targets(store, group.row["TargetGroupARNs"])
    store.groups[name] = group
    request.world.faults.note_birth(request.operation, group.row)  # the answer says nothing of it
    balance(store, group)
    return {}


def _changed(store: Store, row: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """A group as it would be with what is given."""
    new = {**row, **{name: value for name, value in given.items() if name not in _OTHERWISE}}
    both = ("LaunchTemplate", "MixedInstancesPolicy")
    if sum(bool(given.get(name)) for name in both) > 1:
        raise refused("Valid requests must contain either LaunchTemplate or MixedInstancesPolicy")
    if given.get("LaunchTemplate"):
        new["LaunchTemplate"] = _template(store, given["LaunchTemplate"])
        new.pop("MixedInstancesPolicy", None)
    if given.get("MixedInstancesPolicy"):
        before = row.get("MixedInstancesPolicy") or {}
        new["MixedInstancesPolicy"] = _policy(store, given["MixedInstancesPolicy"], before)
        new.pop("LaunchTemplate", None)
    if not any(new.get(name) for name in both):
        raise refused("Valid requests must contain either LaunchTemplate or MixedInstancesPolicy")
    if "DesiredCapacity" not in given:
        new["DesiredCapacity"] = min(max(new["DesiredCapacity"], new["MinSize"]), new["MaxSize"])
    if not new["MinSize"] <= new["DesiredCapacity"] <= new["MaxSize"]:
        raise refused("Desired capacity must be between the specified min size and max size")
    subnets = [one.strip() for one in str(new.get("VPCZoneIdentifier") or "").split(",") if one.strip()]
    if not subnets and not new.get("AvailabilityZones"):
        raise refused("At least one Availability Zone or VPC Subnet is required.")
    for id in subnets:
        if moto.find_subnet(store.ec2, id) is None:
            raise refused(f"The subnet ID '{id}' does not exist")
    if subnets:
        zones = {moto.find_subnet(store.ec2, id).availability_zone for id in subnets}
        new |= {"AvailabilityZones": sorted(zones), "VPCZoneIdentifier": ",".join(subnets)}
    return new


def _template(store: Store, given: Mapping[str, Any]) -> dict[str, Any]:
    """A template by its id or its name, never both, as answers show it: with both."""
    id, name = given.get("LaunchTemplateId"), given.get("LaunchTemplateName")
    if bool(id) is bool(name):
        raise refused("Valid requests must contain either launchTemplateId or LaunchTemplateName")
    templates = store.ec2.launch_templates.values()
    found = next((one for one in templates if id in (one.id, None) and name in (one.name, None)), None)
    if found is None:
        raise refused(
            "You must use a valid fully-formed launch template. The specified launch template does not exist."
        )
    version = str(given.get("Version") or "$Default")
    if version.isdigit() and not 1 <= int(version) <= len(found.versions):
        raise refused(f"You must use a valid fully-formed launch template. Could not find version {version}.")
    return {"LaunchTemplateId": found.id, "LaunchTemplateName": found.name, "Version": version}


def _policy(store: Store, given: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """What is left out stays as it was."""
    template = {
        "Overrides": [],
        **(before.get("LaunchTemplate") or {}),
        **(given.get("LaunchTemplate") or {}),
    }
    spec = template.get("LaunchTemplateSpecification") or {}
    if spec is not (before.get("LaunchTemplate") or {}).get("LaunchTemplateSpecification"):
        template["LaunchTemplateSpecification"] = _template(store, spec)
    distribution = {
        "OnDemandAllocationStrategy": "prioritized",
        "OnDemandBaseCapacity": 0,
        "OnDemandPercentageAboveBaseCapacity": 100,
        "SpotAllocationStrategy": "lowest-price",
        **(before.get("InstancesDistribution") or {}),
        **(given.get("InstancesDistribution") or {}),
    }
    return {"LaunchTemplate": template, "InstancesDistribution": distribution}


def _check_targets(store: Store, arns: Any) -> None:
    there = balancing(store.world, store.account, store.region).groups
    for arn in arns:
        if arn not in there:
            raise refused(f"Provided Target Groups may not be valid. Target group '{arn}' not found")


def _given_tags(given: Mapping[str, Any]) -> dict[str, tuple[str, bool]]:
    found = {}
    for tag in given.get("Tags") or ():
        key = str(tag.get("Key") or "")
        if not 1 <= len(key) <= 128 or key.lower().startswith("aws:"):
            raise refused(f"The tag key '{key}' is not valid")
        found[key] = (str(tag.get("Value") or ""), bool(tag.get("PropagateAtLaunch")))
    return found


def update(request: Request, store: Store) -> Answer:
    """UpdateAutoScalingGroup: what is left out stays; the capacity stays within its bounds."""
    group = store.group(request.parameters["AutoScalingGroupName"])
    if group.row.get("Status"):
        raise AwsError("ScalingActivityInProgress", "The group is being deleted.")
    group.row = _changed(store, group.row, request.parameters)
    balance(store, group)
    return {}


def configure(store: Store, group: Group, wanted: Mapping[str, Any]) -> None:
    """What an instance refresh is for becomes what the group launches."""
    group.row = _changed(store, group.row, wanted)


def delete(request: Request, store: Store) -> Answer:
    """DeleteAutoScalingGroup: an empty one, unless it is forced; then its instances go along."""
    group, forced = (
        store.group(request.parameters["AutoScalingGroupName"]),
        request.parameters.get("ForceDelete"),
    )
    kept_for = {"prevent-all-deletion", *(["prevent-force-deletion"] if forced else [])}
    if group.row.get("DeletionProtection") in kept_for:
        raise refused("The group cannot be deleted because of its deletion protection.")
    if group.instances and not forced:
        raise AwsError(
            "ResourceInUse",
            "You cannot delete an AutoScalingGroup while there are instances or pending Spot instance request(s) "
            "still in the group.",
        )
    group.row |= {"Status": "Delete in progress", "MinSize": 0, "MaxSize": 0, "DesiredCapacity": 0}
    balance(store, group)

    def effect() -> None:
        if group.instances:
            store.after("deleting", effect)
        elif store.groups.get(group.name) is group:
            del store.groups[group.name]

    store.after("deleting", effect)
    return {}


def shown(store: Store, group: Group) -> dict[str, Any]:
    """A group as DescribeAutoScalingGroups shows it."""
    return {
        **group.row,
        "Instances": [dict(one) for one in group.instances.values()],
        "Tags": list(tag_rows(group)),
    }


def tag_rows(group: Group) -> Iterator[dict[str, Any]]:
    """Its tags as answers show them."""
    for key, (value, hand_down) in group.tags.items():
        yield {
            "ResourceId": group.name,
            "ResourceType": TYPE,
            "Key": key,
            "Value": value,
            "PropagateAtLaunch": hand_down,
        }


def put_tags(request: Request, store: Store) -> Answer:
    """CreateOrUpdateTags: each names its group; instances that are there get none."""
    for tag in request.parameters["Tags"]:
        store.group(tag.get("ResourceId"))
    for tag in request.parameters["Tags"]:
        store.group(tag["ResourceId"]).tags.update(_given_tags({"Tags": [tag]}))
    return {}


def take_tags(request: Request, store: Store) -> Answer:
    """DeleteTags."""
    for tag in request.parameters["Tags"]:
        store.group(tag.get("ResourceId")).tags.pop(str(tag["Key"]), None)
    return {}


def _targets_of(request: Request, store: Store) -> tuple[Group, list[str]]:
    arns = list(request.parameters["TargetGroupARNs"])
    if len(arns) > 10:
        raise refused("No more than 10 target groups can be given at once")
    return store.group(request.parameters["AutoScalingGroupName"]), arns


def attach_targets(request: Request, store: Store) -> Answer:
    """AttachLoadBalancerTargetGroups."""
    group, arns = _targets_of(request, store)
    _check_targets(store, arns)
    group.row["TargetGroupARNs"] = list(dict.fromkeys([*group.row["TargetGroupARNs"], *arns]))
    return {}


def detach_targets(request: Request, store: Store) -> Answer:
    """DetachLoadBalancerTargetGroups."""
    group, arns = _targets_of(request, store)
    if lost := [arn for arn in arns if arn not in group.row["TargetGroupARNs"]]:
        raise refused(f"Trying to remove Target Groups that are not part of the group: {lost[0]}")
    group.row["TargetGroupARNs"] = [arn for arn in group.row["TargetGroupARNs"] if arn not in arns]
    return {}
