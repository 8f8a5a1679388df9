"""Auto Scaling groups: instances that AWS makes and unmakes by itself.

Facts: https://docs.aws.amazon.com/autoscaling/ec2/APIReference/ (CreateAutoScalingGroup, UpdateAutoScalingGroup,
DescribeAutoScalingGroups, DeleteAutoScalingGroup, StartInstanceRefresh, DescribeInstanceRefreshes,
SetInstanceProtection)

A group is settled when it is as the config says; that AWS finds instances for it may take longer, or fail for want of
capacity, and is tried by AWS again and again.  A group's instances are its own: AWS marks them with
`aws:autoscaling:groupName`, and nothing of that mark is ever taken for ours, whatever tags the group hands down.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from reconciler.kinds.calls import scaling
from reconciler.model.address import Address
from reconciler.model.calls import Call
from reconciler.model.kind import Kind, Remedy
from reconciler.model.reads import Detail, Read
from reconciler.model.things import Desired, Observed, Spec
from reconciler.model.verdicts import Blocked, Settled, Steps, Verdict, Wait

AT_ONCE, TARGETS = 50, 10
"""Instances in one SetInstanceProtection, and target groups in one call that attaches or detaches them."""


def _name(group: Observed) -> str:
    return str(group.raw["AutoScalingGroupName"])


# ---- what changes in a way of its own


def _whole(field: str) -> Remedy:
    """A structure that is sent as it is wanted: AWS reports more than it takes back (a template's id and name)."""

    def make(group: Observed, wanted: Any) -> list[Call]:
        return [scaling("UpdateAutoScalingGroup", AutoScalingGroupName=_name(group), **{field: wanted})]

    return Remedy(operations=("UpdateAutoScalingGroup",), make=make, joins=True)


def _target_groups(group: Observed, wanted: Any) -> list[Call]:
    """Those that are added come first, so that somebody is always served."""
    there = list(group.spec.get("TargetGroupARNs") or ())
    more = [one for one in wanted or () if one not in there]
    less = [one for one in there if one not in (wanted or ())]
    return [
        scaling(operation, AutoScalingGroupName=_name(group), TargetGroupARNs=arns[start : start + TARGETS])
        for operation, arns in (
            ("AttachLoadBalancerTargetGroups", more),
            ("DetachLoadBalancerTargetGroups", less),
        )
        for start in range(0, len(arns), TARGETS)
    ]


def _subnets(value: Any) -> Any:
    """Subnets in a text, in any order."""
    return ",".join(sorted(one.strip() for one in str(value or "").split(",")))


# ---- instance refresh

UNDER_WAY = frozenset({"Pending", "InProgress", "Cancelling", "RollbackInProgress", "Baking"})
UNDONE = frozenset({"Failed", "Cancelled", "RollbackFailed", "RollbackSuccessful"})
ON_ITS_WAY_OUT = "Terminating"
"""What the states of an instance begin with that has its end before it."""
SOURCES = ("LaunchTemplate", "MixedInstancesPolicy")
"""What says of which template instances are; a group has one of the two."""


def _mixed(source: Mapping[str, Any]) -> Mapping[str, Any]:
    return (source.get("MixedInstancesPolicy") or {}).get("LaunchTemplate") or {}


def _version(template: Mapping[str, Any] | None) -> tuple[Any, Any]:
    """Id and version of a template."""
    found = template or {}
    return found.get("LaunchTemplateId"), found.get("Version")


def _template(source: Mapping[str, Any]) -> tuple[Any, Any]:
    """Id and version of the template of a group, or of what a refresh was started for."""
    return _version(source.get("LaunchTemplate") or _mixed(source).get("LaunchTemplateSpecification"))


def _is_stale(group: Spec, instance: Mapping[str, Any]) -> bool:
    """Whether an instance is not such as the group would launch now, and is to stay."""
    if str(instance.get("LifecycleState")).startswith(ON_ITS_WAY_OUT):
        return False
    types = {one.get("InstanceType"): one for one in _mixed(group).get("Overrides") or ()}
    override = types.get(instance.get("InstanceType"))
    if types and None not in types and override is None:  # None: any type that meets requirements
        return True
    own = (override or {}).get("LaunchTemplateSpecification")
    return _version(instance.get("LaunchTemplate")) != (_version(own) if own else _template(group))


def _stale(group: Spec) -> list[Mapping[str, Any]]:
    return [one for one in group.get("Instances") or () if _is_stale(group, one)]


def _plain(value: Any) -> Any:
    """The same with templates known by their id alone: AWS reports their names too, and takes one of the two."""
    if isinstance(value, Mapping):
        less = "LaunchTemplateName" if "LaunchTemplateId" in value else ""
        return {name: _plain(inner) for name, inner in value.items() if name != less}
    return [_plain(one) for one in value] if isinstance(value, list) else value


def _refresh(group: Observed, preferences: Any) -> list[Call]:
    """What instances shall be is said once more, so that a refresh tells what it was for."""
    given = {"Preferences": preferences} if preferences else {}
    wanted = {name: _plain(group.raw[name]) for name in SOURCES if group.raw.get(name)}
    (name, *_) = wanted  # one that has both is not reported
    given["DesiredConfiguration"] = {name: wanted[name]}
    return [scaling("StartInstanceRefresh", AutoScalingGroupName=_name(group), **given)]


def _refreshed(desired: Desired, group: Observed) -> Verdict:
    """Instances that the group would not launch any more are replaced, where the config says how."""
    stale = _stale(group.raw)
    if "InstanceRefresh" not in desired.spec or not stale:
        return Settled()
    refreshes = list(group.raw.get("Refreshes") or ())
    for one in refreshes:
        if one["Status"] in UNDER_WAY:
            done = one.get("PercentageComplete") or 0
            return Wait(f"instance refresh {one['InstanceRefreshId']} is {one['Status']}, {done} % done")
    last = refreshes[0] if refreshes else {}  # the newest comes first
    if last.get("Status") in UNDONE and _same(last.get("DesiredConfiguration") or {}, group.raw):
        why = last.get("StatusReason") or "AWS does not say why"
        return Blocked(
            f"instance refresh {last['InstanceRefreshId']} to this template is {last['Status']} ({why}); "
            "give the group another version, or start one by hand"
        )
    many = f"{len(stale)} instances are" if len(stale) > 1 else "an instance is"
    why = f"{many} not of the version or type that the group launches now"
    calls = _refresh(group, desired.spec["InstanceRefresh"])
    return Steps("update", tuple(calls), why=why, disruptive=True)


def _same(aim: Mapping[str, Any], group: Spec) -> bool:
    """Whether a refresh was for what the group launches now."""
    types = [
        {one.get("InstanceType") for one in _mixed(source).get("Overrides") or ()} for source in (aim, group)
    ]
    return _template(aim) == _template(group) and types[0] == types[1]


def _templates(spec: Spec) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """All templates that a group may launch, each with the field that says so."""
    if isinstance(plain := spec.get("LaunchTemplate"), Mapping):
        yield "LaunchTemplate", plain
    if isinstance(spec.get("MixedInstancesPolicy"), Mapping):
        yield "MixedInstancesPolicy", _mixed(spec).get("LaunchTemplateSpecification") or {}
        for one in _mixed(spec).get("Overrides") or ():
            if one.get("LaunchTemplateSpecification"):
                yield "MixedInstancesPolicy", one["LaunchTemplateSpecification"]


def _fits(group: Desired, _: Mapping[Address, Desired]) -> Iterable[tuple[str, str, str]]:
    """One source of instances; where they are to be refreshed, by a number: no instance says that it is of `$Latest`,
    or of a template's name."""
    if all(name in group.spec for name in SOURCES):
        yield SOURCES[0], f"{SOURCES[1]} is there too", "say one of the two"
    for field, template in _templates(group.spec) if "InstanceRefresh" in group.spec else ():
        version = template.get("Version")
        if version is None or version in {"$Latest", "$Default"}:
            what = "an InstanceRefresh can be told to be needed only with a Version that is a number"
            yield field, what, "say Version: ${launch-template/NAME.LatestVersionNumber}"
        if "LaunchTemplateId" not in template:
            what = "an InstanceRefresh can be told to be needed only with a LaunchTemplateId"
            yield field, what, "say LaunchTemplateId: ${launch-template/NAME}"


# ---- its end

FOR_GOOD = "prevent-all-deletion"


def _emptied(group: Observed) -> Steps | Wait | None:
    """Its instances go first, as a scaling in: hooks are run, and connections drained."""
    if group.raw.get("DeletionProtection") == FOR_GOOD:
        return Wait(f"AWS protects it (DeletionProtection: {FOR_GOOD}): take that away first", "person")
    if group.raw.get("WarmPoolConfiguration"):
        return Wait("it has a warm pool, which is not ours: delete that first", "person")
    instances = list(group.raw.get("Instances") or ())
    if not instances:
        return None
    kept = [one["InstanceId"] for one in instances if one.get("ProtectedFromScaleIn")]
    calls = [*_unprotected(group, kept)]
    if any(group.raw.get(name) for name in ("MinSize", "MaxSize", "DesiredCapacity")):
        none = {"MinSize": 0, "MaxSize": 0, "DesiredCapacity": 0}
        calls.append(scaling("UpdateAutoScalingGroup", AutoScalingGroupName=_name(group), **none))
    if calls:
        return Steps("delete", tuple(calls))
    return Wait(f"its {len(instances)} instances are being terminated")


def _unprotected(group: Observed, instances: list[str]) -> Iterator[Call]:
    for start in range(0, len(instances), AT_ONCE):
        yield scaling(
            "SetInstanceProtection",
            AutoScalingGroupName=_name(group),
            InstanceIds=instances[start : start + AT_ONCE],
            ProtectedFromScaleIn=False,
        )


POLICY = "MixedInstancesPolicy.LaunchTemplate"

AUTO_SCALING_GROUP = Kind(
    name="auto-scaling-group",
    about="Instances of a launch template, as many as AWS is told to keep; DesiredCapacity is kept only where it is "
    "said, and InstanceRefresh says that (and how) instances of an older version are replaced.",
    service="autoscaling",
    read=Read(
        operation="DescribeAutoScalingGroups",
        path="AutoScalingGroups",
        ids="AutoScalingGroupNames",
        page=100,
        details=[
            Detail(
                field="InstanceRefresh",
                operation="DescribeInstanceRefreshes",
                path="InstanceRefreshes",
                name="Refreshes",
                many=True,
                needed=lambda group: bool(_stale(group)),
            )
        ],
    ),
    create="CreateAutoScalingGroup",
    update="UpdateAutoScalingGroup",
    delete="DeleteAutoScalingGroup",
    id="AutoScalingGroupARN",
    handle="AutoScalingGroupName",
    arn="AutoScalingGroupARN",
    answered=False,
    answers_tags=False,
    state="Status",
    leaving=frozenset({"Delete in progress"}),
    refs={
        "LaunchTemplate.LaunchTemplateId": "launch-template",
        f"{POLICY}.LaunchTemplateSpecification.LaunchTemplateId": "launch-template",
        f"{POLICY}.Overrides[].LaunchTemplateSpecification.LaunchTemplateId": "launch-template",
        "PlacementGroup": "placement-group.GroupName",
        "TargetGroupARNs[]": "target-group.arn",
        "VPCZoneIdentifier": "subnet",
    },
    forbidden=frozenset(
        {
            "InstanceId",
            "LaunchConfigurationName",
            "LifecycleHookSpecificationList",
            "LoadBalancerNames",
            "Operator",
            "SkipZonalShiftValidation",
            "TrafficSources",
        }
    ),
    unique="AutoScalingGroupName",
    unordered=frozenset({"AvailabilityZones", "AvailabilityZoneIds", "TargetGroupARNs"}),
    normal={"VPCZoneIdentifier": _subnets},
    fits=_fits,
    remedies={
        "InstanceRefresh": Remedy(
            operations=("StartInstanceRefresh",), make=_refresh, shape="StartInstanceRefresh.Preferences"
        ),
        "LaunchTemplate": _whole("LaunchTemplate"),
        "MixedInstancesPolicy": _whole("MixedInstancesPolicy"),
        "TargetGroupARNs": Remedy(
            operations=("AttachLoadBalancerTargetGroups", "DetachLoadBalancerTargetGroups"),
            make=_target_groups,
        ),
    },
    release=_emptied,
    then=_refreshed,
    then_owns=frozenset({"InstanceRefresh"}),
    then_operations=("StartInstanceRefresh", "SetInstanceProtection"),
)
