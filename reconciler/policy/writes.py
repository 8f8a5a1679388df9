"""The half that changes something."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.model.things import ADDRESS_TAG, STACK_TAG
from reconciler.policy.beside import beside, changes
from reconciler.policy.extent import Extent
from reconciler.policy.facts import FIRST_USE
from reconciler.policy.reads import of_lease
from reconciler.policy.statements import Condition, Statement, in_order, one_or_list


def write_half(extent: Extent) -> list[Statement]:
    """What changes something.  Things of others are not in its reach, but for what docs/iam.md names."""
    found = [] if extent.mode == "observe" else list(_changing(extent))
    if extent.lease:
        found.append(of_lease(extent, "HoldLease", "dynamodb:PutItem"))
    return found


def _changing(extent: Extent) -> Iterator[Statement]:
    yield from _creating(extent)
    yield from _tagging_at_birth(extent)
    yield from beside(extent)
    if changed := in_order(action for kind in extent.kinds for action, _ in changes(kind)):
        yield Statement(sid="ChangeOurs", actions=changed, condition=_ours(extent))
    deleted = in_order(f"{kind.service}:{kind.delete}" for kind in extent.kinds)
    if deleted and extent.mode == "full":
        yield Statement(sid="DeleteOurs", actions=deleted, condition=_ours(extent))
    yield from _tagging(extent)
    if extent.accepted:
        yield _accepting(extent)
    if extent.profiles:
        yield _passing(extent)
    creates = {f"{kind.service}:{kind.create}" for kind in extent.kinds}
    yield from (_first_use(extent, *FIRST_USE[action]) for action in in_order(creates & FIRST_USE.keys()))


def _creating(extent: Extent) -> Iterator[Statement]:
    """Things are ours from birth, or are not made."""
    for regional, sid in ((True, "CreateInRegions"), (False, "Create")):
        creates = {f"{kind.service}:{kind.create}" for kind in extent.kinds if kind.regional is regional}
        where = {"aws:RequestedRegion": one_or_list(extent.regions)} if regional and extent.regions else {}
        if creates:
            condition: Condition = {
                "StringEquals": {**_request(extent), **where},
                "Null": {f"aws:RequestTag/{ADDRESS_TAG}": "false"},
            }
            yield Statement(sid=sid, actions=in_order(creates), condition=condition)


def _tagging_at_birth(extent: Extent) -> Iterator[Statement]:
    """Network Manager does not tell whether a thing is new: one that has a stack already is none."""
    births = in_order(kind.create for kind in extent.kinds if kind.service == "ec2")
    if births:
        condition: Condition = {"StringEquals": {"ec2:CreateAction": one_or_list(births), **_request(extent)}}
        yield Statement(sid="TagAtBirth", actions=("ec2:CreateTags",), condition=condition)
    others = {kind.service for kind in extent.kinds} - {"ec2"}
    if others:
        condition = {
            "StringEquals": _request(extent),
            "StringEqualsIfExists": {f"aws:ResourceTag/{STACK_TAG}": extent.stack},
            "Null": {f"aws:RequestTag/{ADDRESS_TAG}": "false"},
        }
        actions = in_order(_tag_calls(service)[0] for service in others)
        yield Statement(sid="TagNetworkAtBirth", actions=actions, condition=condition)


def _tagging(extent: Extent) -> Iterator[Statement]:
    """Tags of what is ours; its owner tags stay."""
    calls = [_tag_calls(kind.service) for kind in extent.kinds]
    if not calls:
        return
    ours = _ours(extent)
    condition: Condition = {**ours, "StringEqualsIfExists": _request(extent)}
    yield Statement(sid="TagOurs", actions=in_order(put for put, _ in calls), condition=condition)
    condition = {
        **ours,
        "Null": {**ours["Null"], "aws:TagKeys": "false"},  # a call without keys would take all of them
        "ForAllValues:StringNotEquals": {"aws:TagKeys": [STACK_TAG, ADDRESS_TAG]},
    }
    yield Statement(sid="UntagOurs", actions=in_order(take for _, take in calls), condition=condition)


def _tag_calls(service: str) -> tuple[str, str]:
    """What puts tags on a thing, and what takes them off."""
    if service == "ec2":
        return "ec2:CreateTags", "ec2:DeleteTags"
    return f"{service}:TagResource", f"{service}:UntagResource"


def _request(extent: Extent) -> dict[str, str]:
    return {f"aws:RequestTag/{STACK_TAG}": extent.stack}


def _ours(extent: Extent) -> Condition:
    """Both owner tags, as the program itself wants to see them."""
    return {
        "StringEquals": {f"aws:ResourceTag/{STACK_TAG}": extent.stack},
        "Null": {f"aws:ResourceTag/{ADDRESS_TAG}": "false"},
    }


def _accepting(extent: Extent) -> Statement:
    """What others attach and the config names: these and no other."""
    arns = (f"arn:{extent.partition}:networkmanager::*:attachment/{id}" for id in extent.accepted)
    actions = ("networkmanager:AcceptAttachment",)
    return Statement(sid="AcceptAttachments", actions=actions, resources=in_order(arns))


def _passing(extent: Extent) -> Statement:
    """A role is named like its instance profile where the console made it; docs/iam.md says what else to do."""
    roles = [f"arn:{extent.partition}:iam::{extent.account}:role/{name}" for name in extent.profiles]
    condition = {"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}
    return Statement(
        sid="PassRole", actions=("iam:PassRole",), resources=in_order(roles), condition=condition
    )


def _first_use(extent: Extent, service: str, role: str) -> Statement:
    host = f"{service}.amazonaws.com"
    return Statement(
        sid=f"FirstUseOf{service.title()}",
        actions=("iam:CreateServiceLinkedRole",),
        resources=(f"arn:{extent.partition}:iam::*:role/aws-service-role/{host}/{role}",),
        condition={"StringEquals": {"iam:AWSServiceName": host}},
    )
