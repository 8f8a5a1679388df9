"""The half that changes something."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from reconciler.model.kind import Kind
from reconciler.model.service import path_of
from reconciler.model.things import ADDRESS_TAG, STACK_TAG
from reconciler.policy.beside import beside, changes, own_type
from reconciler.policy.extent import Extent
from reconciler.policy.facts import (
    BY_TEMPLATE,
    FIRST_USE,
    HELD_TO,
    ON_BEHALF,
    PASSED,
    PROFILE_KIND,
    TEMPLATE_TYPES,
)
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
    yield from _untold(extent)
    yield from _tagging_at_birth(extent)
    yield from beside(extent)
    yield from _placed(extent, "ChangeOurs", _changed, _ours(extent))
    yield from _held(extent)
    if extent.mode == "full":
        yield from _placed(extent, "DeleteOurs", lambda kind: [kind.action(kind.delete)], _ours(extent))
    yield from _tagging(extent)
    if extent.accepted:
        yield _accepting(extent)
    if extent.asked:
        yield from _answering(extent)
    yield from _passing(extent)
    creates = {kind.action(kind.create) for kind in extent.kinds}
    removes = {kind.action(kind.delete) for kind in extent.kinds} if extent.mode == "full" else set()
    yield from (_on_behalf(extent, action) for action in in_order((creates | removes) & ON_BEHALF.keys()))
    if any(_by_template(extent, kind) for kind in extent.kinds):
        yield _launching(extent)
    yield from (_first_use(extent, *FIRST_USE[action]) for action in in_order(creates & FIRST_USE.keys()))


def _placed(
    extent: Extent, sid: str, actions: Callable[[Kind], Iterable[str]], condition: Condition
) -> Iterator[Statement]:
    """One statement about all kinds, and one about those whose names have paths: these reach no further than ours."""
    told = [kind for kind in extent.kinds if kind.home.held_by_tags]
    for kinds, what, resources in (
        ([kind for kind in told if not kind.home.paths], sid, ("*",)),
        ([kind for kind in told if kind.home.paths], f"{sid}InPath", _in_path(extent)),
    ):
        if found := in_order(action for kind in kinds for action in actions(kind)):
            yield Statement(sid=what, actions=found, resources=resources, condition=condition)


def _in_path(extent: Extent, *types: str) -> tuple[str, ...]:
    """All that can stand in the stack's path; of some types alone, where they are named."""
    chosen = types or [own_type(kind) for kind in extent.kinds if kind.home.paths]
    path = path_of(extent.stack)
    return in_order(f"arn:{extent.partition}:iam::{extent.account}:{type}{path}*" for type in chosen)


def _changed(kind: Kind) -> list[str]:
    return [action for action, _ in changes(kind) if action not in HELD_TO]


def _held(extent: Extent) -> Iterator[Statement]:
    """What may be done with the config's own values alone."""
    every = {action for kind in extent.kinds for action, _ in changes(kind)}
    for action in in_order(every & HELD_TO.keys()):
        key, values = HELD_TO[action][0], extent.held.get(action)
        if values is None or values:
            condition = {**_ours(extent), **({"ArnEquals": {key: one_or_list(values)}} if values else {})}
            sid = action.partition(":")[2]
            yield Statement(sid=sid, actions=(action,), resources=_in_path(extent), condition=condition)


def _creating(extent: Extent) -> Iterator[Statement]:
    """Things are ours from birth, or are not made."""
    for regional, sid in ((True, "CreateInRegions"), (False, "Create")):
        where = {"aws:RequestedRegion": one_or_list(extent.regions)} if regional and extent.regions else {}
        condition: Condition = {
            "StringEquals": {**_request(extent), **where},
            "Null": {f"aws:RequestTag/{ADDRESS_TAG}": "false"},
        }

        def births(kind: Kind, regional: bool = regional) -> list[str]:
            return [kind.action(kind.create)] if kind.regional is regional else []

        yield from _placed(extent, sid, births, condition)


def _untold(extent: Extent) -> Iterator[Statement]:
    """Services that show IAM no tags: ours and others' things are alike there, and docs/iam.md says so."""
    for service in sorted({kind.service for kind in extent.kinds if not kind.home.held_by_tags}):
        kinds = [kind for kind in extent.kinds if kind.service == service]
        births, rest = [kind.action(kind.create) for kind in kinds], set()
        for kind in kinds:
            rest |= {*_changed(kind), *_tag_calls(kind)}
            rest |= {kind.action(kind.delete)} if extent.mode == "full" else set()
        things = in_order(f"arn:{extent.partition}:{service}:::{own_type(kind)}/*" for kind in kinds)
        yield Statement(sid=f"Create{service.title()}", actions=in_order(births))
        yield Statement(sid=f"Change{service.title()}", actions=in_order(rest), resources=things)


def _tagging_at_birth(extent: Extent) -> Iterator[Statement]:
    """Network Manager does not tell whether a thing is new: one that has a stack already is none."""
    births: dict[str, list[Kind]] = {}
    for kind in extent.kinds:
        if kind.home.create_action:
            births.setdefault(kind.home.called, []).append(kind)
    for prefix, kinds in sorted(births.items()):
        creates = one_or_list(in_order(kind.create for kind in kinds))
        condition: Condition = {"StringEquals": {f"{prefix}:CreateAction": creates, **_request(extent)}}
        sid = "TagAtBirth" if prefix == "ec2" else f"Tag{prefix.title()}AtBirth"
        actions = in_order(_tag_calls(kind)[0] for kind in kinds)
        yield Statement(sid=sid, actions=actions, condition=condition)
    condition = {
        "StringEquals": _request(extent),
        "StringEqualsIfExists": {f"aws:ResourceTag/{STACK_TAG}": extent.stack},
        "Null": {f"aws:RequestTag/{ADDRESS_TAG}": "false"},
    }

    def tags(kind: Kind) -> list[str]:
        return [] if kind.home.create_action else [_tag_calls(kind)[0]]

    yield from _placed(extent, "TagNetworkAtBirth", tags, condition)


def _tagging(extent: Extent) -> Iterator[Statement]:
    """Tags of what is ours; its owner tags stay."""
    ours = _ours(extent)
    condition: Condition = {**ours, "StringEqualsIfExists": _request(extent)}
    yield from _placed(extent, "TagOurs", lambda kind: _tag_calls(kind)[:1], condition)
    condition = {
        **ours,
        "Null": {**ours["Null"], "aws:TagKeys": "false"},  # a call without keys would take all of them
        "ForAllValues:StringNotEquals": {"aws:TagKeys": [STACK_TAG, ADDRESS_TAG]},
    }
    yield from _placed(extent, "UntagOurs", lambda kind: _tag_calls(kind)[1:], condition)


def _tag_calls(kind: Kind) -> tuple[str, str]:
    """What puts tags on a thing, and what takes them off."""
    put, take = kind.tagged.operations
    return kind.action(put), kind.action(take)


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


def _answering(extent: Extent) -> Iterator[Statement]:
    """What things of the config's other accounts ask of this one: here they have no tags of ours."""
    for service in dict.fromkeys(kind.service for kind in extent.asked):
        kinds = [kind for kind in extent.asked if kind.service == service]
        actions = in_order(
            kind.action(one)
            for kind in kinds
            for one in (kind.then_operations if kind.asked_from else kind.answers)
        )
        targets = {name for kind in kinds for found in kind.targets().values() for name in found}
        others = [extent.records[name] for name in targets if extent.records[name].service == service]
        types = {own_type(kind) for kind in (*kinds, *others)}
        arns = in_order(f"arn:{extent.partition}:{service}:*:*:{type}/*" for type in types)
        yield Statement(sid=f"Answer{service.title()}", actions=actions, resources=arns)


def _passing(extent: Extent) -> Iterator[Statement]:
    """Our own roles, which tags do not tell apart here, and those that others have made: such a one is named like its
    instance profile where the console made it; docs/iam.md says what else to do.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html"""
    roles = [f"arn:{extent.partition}:iam::{extent.account}:role/{name}" for name in extent.profiles]
    if any(kind.name == PROFILE_KIND for kind in extent.kinds):
        roles += _in_path(extent, "role")
    handed = {"ec2.amazonaws.com": roles}
    for kind in extent.kinds:
        if kind.name in PASSED:
            given = handed.setdefault(PASSED[kind.name][1], [])
            given += [*extent.passed[kind.name], *_in_path(extent, "role")]
    for service, arns in handed.items():
        if arns:
            host = service.partition(".")[0].replace("-", " ").title().replace(" ", "")
            sid = "PassRole" if host == "Ec2" else f"PassRoleTo{host}"
            yield Statement(
                sid=sid,
                actions=("iam:PassRole",),
                resources=in_order(arns),
                condition={"StringEquals": {"iam:PassedToService": service}},
            )


def _on_behalf(extent: Extent, action: str) -> Statement:
    actions, types = ON_BEHALF[action]
    resources = in_order(f"arn:{extent.partition}:ec2:*:*:{type}/*" for type in types)
    return Statement(sid=f"For{action.partition(':')[2]}", actions=in_order(actions), resources=resources)


def _by_template(extent: Extent, kind: Kind) -> bool:
    field = BY_TEMPLATE.get(kind.name)
    return field is not None and (not field or field in extent.fields.get(kind.name, {field}))


def _launching(extent: Extent) -> Statement:
    """What a launch template says, and nothing without one."""
    template = f"arn:{extent.partition}:ec2:*:{extent.account}:launch-template/*"
    return Statement(
        sid="LaunchByTemplate",
        actions=("ec2:RunInstances",),
        resources=in_order(f"arn:{extent.partition}:ec2:*:*:{type}/*" for type in TEMPLATE_TYPES),
        condition={"ArnEquals": {"ec2:LaunchTemplate": template}},
    )


def _first_use(extent: Extent, service: str, role: str) -> Statement:
    host = f"{service}.amazonaws.com"
    return Statement(
        sid=f"FirstUseOf{service.title().replace('-', '')}",
        actions=("iam:CreateServiceLinkedRole",),
        resources=(f"arn:{extent.partition}:iam::*:role/aws-service-role/{host}/{role}",),
        condition={"StringEquals": {"iam:AWSServiceName": host}},
    )
