"""What a create made, by its id: lists that lag leave it out.  Used by `faults`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# operations whose new thing is not named after them
_ID_MEMBERS = {
    "CreateSecurityGroup": "GroupId",
    "RunInstances": "InstanceId",
    "AuthorizeSecurityGroupIngress": "SecurityGroupRuleId",
    "AuthorizeSecurityGroupEgress": "SecurityGroupRuleId",
    "AllocateAddress": "AllocationId",
    "CreateAccelerator": "AcceleratorArn",
    "CreateAutoScalingGroup": "AutoScalingGroupARN",
    "CreateCluster": "arn",
    "CreateHostedZone": "HostedZoneId",
    "CreateListener": "ListenerArn",
    "CreateLoadBalancer": "LoadBalancerArn",
    "CreateNodegroup": "nodegroupArn",
    "CreateTargetGroup": "TargetGroupArn",
}


def created_ids(operation: str, answer: Mapping[str, Any]) -> list[str]:
    """The ids of what a create made: `CreateSite` -> the `SiteId` in its answer; [] for other operations."""
    member = _ID_MEMBERS.get(operation)
    if member is None and operation.startswith("Create"):
        member = operation.removeprefix("Create") + "Id"
    return [] if member is None else _values(answer, member)


def _values(value: Any, member: str) -> list[str]:
    found: list[str] = []
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if name == member and isinstance(inner, str):
                found.append(inner)
            else:
                found += _values(inner, member)
    elif isinstance(value, list):
        for inner in value:
            found += _values(inner, member)
    return found
