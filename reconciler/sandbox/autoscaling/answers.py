"""Which function answers which operation of Auto Scaling, its lists, and instance refreshes.  Called by `pipeline.py`.

Sources: Amazon EC2 Auto Scaling API reference (DescribeAutoScalingGroups: filters tag-key, tag-value and tag:KEY,
DescribeTags: key, value, auto-scaling-group; StartInstanceRefresh; DescribeInstanceRefreshes: the newest first).
"""

from __future__ import annotations

import copy
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from .. import paging
from ..errors import AwsError
from ..request import Answer, Request
from . import groups, instances
from .store import Group, Store, refused, store_of

_OPEN = ("Pending", "InProgress", "Cancelling", "RollbackInProgress", "Baking")


def _paged(request: Request, many: str, rows: list[dict[str, Any]], id: Callable[[Any], str]) -> Answer:
    given = request.parameters
    size = int(given.get("MaxRecords") or 50)
    if not 1 <= size <= 100:
        raise refused("MaxRecords must be between 1 and 100")
    plain = {name: value for name, value in given.items() if name != "MaxRecords"}
    try:
        page, token = paging.page(
            rows, id, min(size, request.world.settings.page_size), request.scope, plain, request.world.order
        )
    except paging.BadTokenError as error:
        raise AwsError("InvalidNextToken", "The NextToken value is not valid.") from error
    return {many: page} if token is None else {many: page, "NextToken": token}


def _hidden(request: Request, group: Group) -> bool:
    first = not request.parameters.get("NextToken")
    arn = group.row["AutoScalingGroupARN"]
    return request.world.faults.hidden(request.service, request.operation, arn, first)


def describe(request: Request, store: Store) -> Answer:
    """DescribeAutoScalingGroups, by name and by tags."""
    names = request.parameters.get("AutoScalingGroupNames") or []
    for group in list(store.groups.values()):
        instances.balance(store, group)
    rows = [
        groups.shown(store, group)
        for group in store.groups.values()
        if not _hidden(request, group) and (not names or group.name in names)
    ]
    for one in request.parameters.get("Filters") or ():
        rows = [row for row in rows if _has_tag(row["Tags"], one["Name"], one["Values"])]
    return _paged(request, "AutoScalingGroups", rows, lambda row: str(row["AutoScalingGroupARN"]))


def _has_tag(tags: Iterable[Mapping[str, Any]], name: str, values: list[str]) -> bool:
    if name == "tag-key":
        return any(tag["Key"] in values for tag in tags)
    if name == "tag-value":
        return any(tag["Value"] in values for tag in tags)
    if name.startswith("tag:"):
        return any(tag["Key"] == name.removeprefix("tag:") and tag["Value"] in values for tag in tags)
    raise refused(f"Filter type {name} is not correct.")


def describe_tags(request: Request, store: Store) -> Answer:
    """DescribeTags, of all groups."""
    rows = [
        row
        for group in store.groups.values()
        if not _hidden(request, group)
        for row in groups.tag_rows(group)
    ]
    members = {"key": "Key", "value": "Value", "auto-scaling-group": "ResourceId"}
    for one in request.parameters.get("Filters") or ():
        if one["Name"] not in members:
            raise refused(f"Filter type {one['Name']} is not correct.")
        rows = [row for row in rows if row[members[one["Name"]]] in one["Values"]]
    return _paged(request, "Tags", rows, lambda row: f"{row['ResourceId']}/{row['Key']}")


# ---- refreshes


def start_refresh(request: Request, store: Store) -> Answer:
    """StartInstanceRefresh: one at a time."""
    given = request.parameters
    group = store.group(given["AutoScalingGroupName"])
    if any(one["Status"] in _OPEN for one in group.refreshes):
        raise AwsError(
            "InstanceRefreshInProgress", "An Instance Refresh is already in progress and blocks it."
        )
    groups.configure(store, group, given.get("DesiredConfiguration") or {})
    made: dict[str, Any] = {
        "InstanceRefreshId": str(uuid.uuid4()),
        "AutoScalingGroupName": group.name,
        "Status": "Pending",
        "PercentageComplete": 0,
        "StartTime": request.world.settings.clock.now(),
        "Preferences": given.get("Preferences") or {},
        "DesiredConfiguration": given.get("DesiredConfiguration") or {},
    }
    group.refreshes.insert(0, made)

    def begin() -> None:
        made["Status"] = "InProgress"
        found = instances.launches(store, group)
        for id in list(group.kept) if found else ():
            instances.leave(store, group, id)
        instances.balance(store, group)
        store.after("refreshing", end)

    def end() -> None:
        made.update(Status="Successful", PercentageComplete=100)

    store.after("refresh-pending", begin)
    return {"InstanceRefreshId": made["InstanceRefreshId"]}


def describe_refreshes(request: Request, store: Store) -> Answer:
    """DescribeInstanceRefreshes of a group, the newest first."""
    group = store.group(request.parameters["AutoScalingGroupName"])
    return _paged(request, "InstanceRefreshes", group.refreshes, lambda row: str(row["InstanceRefreshId"]))


ANSWERS: Mapping[str, Callable[[Request, Store], Answer]] = {
    "AttachLoadBalancerTargetGroups": groups.attach_targets,
    "CreateAutoScalingGroup": groups.create,
    "CreateOrUpdateTags": groups.put_tags,
    "DeleteAutoScalingGroup": groups.delete,
    "DeleteTags": groups.take_tags,
    "DescribeAutoScalingGroups": describe,
    "DescribeInstanceRefreshes": describe_refreshes,
    "DescribeTags": describe_tags,
    "DetachLoadBalancerTargetGroups": groups.detach_targets,
    "SetInstanceProtection": instances.protect,
    "StartInstanceRefresh": start_refresh,
    "UpdateAutoScalingGroup": groups.update,
}


def answer(request: Request) -> Answer:
    """The answer to any operation of the service, as boto3 shows it; raises AwsError."""
    answerer = ANSWERS.get(request.operation)
    if answerer is None:
        raise AwsError("InvalidAction", f"The local AWS has no {request.operation} of autoscaling.")
    there = store_of(request.world, request.account, request.region)
    return copy.deepcopy(answerer(request, there))
