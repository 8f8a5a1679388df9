"""IAM as far as roles and instance profiles go: moto's answers in pages, less what lists leave out.

Called by `pipeline`.  Facts: https://docs.aws.amazon.com/IAM/latest/APIReference/ (ListRoles: "does not return …
PermissionsBoundary, RoleLastUsed, Tags"; Marker, MaxItems and IsTruncated; UpdateRole) and, for how long EC2 does not
know a new profile, https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html ("eventually consistent").
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, NamedTuple

from . import paging
from .errors import AwsError
from .request import Answer, Request
from .world import World

_MOST = 1000
_KNOWN = "known to EC2 at"


class _List(NamedTuple):
    """One list: the member of its answer, what identifies an item ("": it does so itself), and what it leaves out."""

    many: str
    id: str
    hidden: tuple[str, ...] = ()


_LISTS: Mapping[str, _List] = {
    "ListRoles": _List("Roles", "RoleId", ("PermissionsBoundary", "RoleLastUsed", "Tags")),
    "ListInstanceProfiles": _List("InstanceProfiles", "InstanceProfileId", ("Tags",)),
    "ListAttachedRolePolicies": _List("AttachedPolicies", "PolicyArn"),
    "ListRolePolicies": _List("PolicyNames", ""),
    "ListRoleTags": _List("Tags", "Key"),
}


def answer(request: Request) -> Answer:
    """The answer to any operation of IAM; raises AwsError."""
    for name in ("PermissionsBoundary", "PolicyArn"):
        _know_policy(request, str(request.parameters.get(name, "")))
    if request.operation in _LISTS:
        return _page(request, _LISTS[request.operation])
    return _OTHERS.get(request.operation, _moto)(request)


def _moto(request: Request) -> Answer:
    return request.ask_moto(request.parameters)


def _page(request: Request, listed: _List) -> Answer:
    """One page of a list; IAM may answer fewer than asked for, and says so."""
    given = dict(request.parameters)
    marker, size = given.pop("Marker", None), int(given.pop("MaxItems", 100))
    if not 1 <= size <= _MOST:
        raise AwsError("ValidationError", f"MaxItems has to be from 1 to {_MOST}.", 400)
    every = request.ask_moto({**given, "MaxItems": 1_000_000}).get(listed.many) or []
    if request.operation == "ListInstanceProfiles":  # moto shows those of all paths
        every = [one for one in every if one["Path"].startswith(given.get("PathPrefix", "/"))]

    def identity(one: Any) -> str:
        return str(one[listed.id] if listed.id else one)

    world = request.world
    every = [
        one
        for one in every
        if not world.faults.hidden("iam", request.operation, identity(one), first_page=marker is None)
    ]
    parameters = {**given, "NextToken": marker}
    try:
        shown, token = paging.page(
            every, identity, min(size, world.settings.page_size), request.scope, parameters, world.order
        )
    except paging.BadTokenError as error:
        raise AwsError("ValidationError", "Invalid Marker.", 400) from error
    if listed.hidden:
        shown = [{name: one[name] for name in one if name not in listed.hidden} for one in shown]
    return {listed.many: shown, "IsTruncated": bool(token), **({"Marker": token} if token else {})}


@cache
def _policies_of_aws() -> Mapping[str, Any]:
    from moto.iam.aws_managed_policies import aws_managed_policies_data

    found: dict[str, Any] = json.loads(aws_managed_policies_data)
    return found


def _know_policy(request: Request, arn: str) -> None:
    """Gives an account a policy of AWS's own; to make all of them at once takes longer than all the rest."""
    from moto.iam.models import AWSManagedPolicy, iam_backends

    backend = iam_backends[request.account][request.partition]
    name = arn.rpartition("/")[2]
    if arn.startswith(f"arn:{request.partition}:iam::aws:") and arn not in backend.managed_policies:
        data = _policies_of_aws().get(name)
        if data is not None:
            policy = AWSManagedPolicy.from_data(name, request.account, request.region, data)
            backend.managed_policies[policy.arn] = policy


def _create_profile(request: Request) -> Answer:
    made = _moto(request)
    made["InstanceProfile"].setdefault("Roles", [])
    _spread(request, str(request.parameters["InstanceProfileName"]))
    return made


def _add_role(request: Request) -> Answer:
    made = _moto(request)
    _spread(request, str(request.parameters["InstanceProfileName"]))
    return made


def _remove_role(request: Request) -> Answer:
    """moto fails at a role that is not in the profile."""
    name, role = str(request.parameters["InstanceProfileName"]), str(request.parameters["RoleName"])
    profile = request.ask_moto({"InstanceProfileName": name}, "GetInstanceProfile")["InstanceProfile"]
    if role not in {one["RoleName"] for one in profile.get("Roles") or ()}:
        raise AwsError("NoSuchEntity", f"The role {role} is not in the instance profile {name}.", 404)
    return _moto(request)


def _update_role(request: Request) -> Answer:
    """What is not given stays, while moto takes its default."""
    there = request.ask_moto({"RoleName": request.parameters["RoleName"]}, "GetRole")["Role"]
    stays = {name: there[name] for name in ("Description", "MaxSessionDuration") if there.get(name)}
    return request.ask_moto({**stays, **request.parameters})


_OTHERS: Mapping[str, Callable[[Request], Answer]] = {
    "AddRoleToInstanceProfile": _add_role,
    "CreateInstanceProfile": _create_profile,
    "RemoveRoleFromInstanceProfile": _remove_role,
    "UpdateRole": _update_role,
}


# ---- what EC2 knows of it


def _spread(request: Request, profile: str) -> None:
    """It takes a while until EC2 knows of a profile, or of what is in it."""
    seconds = request.world.settings.delays.of("instance-profile", "new")
    request.world.facts[f"{request.account} instance-profile {profile}"] = {
        _KNOWN: request.world.timeline.now + seconds
    }


def check_profile(world: World, account: str, partition: str, wanted: Mapping[str, Any] | None) -> None:
    """Refuse a launch with a profile that EC2 does not know yet, or that hands out no role.

    The texts are those that terraform-provider-aws waits for.
    """
    from moto.iam.models import iam_backends

    if not wanted:
        return
    by, value = ("name", wanted.get("Name")) if wanted.get("Name") else ("arn", wanted.get("Arn"))
    name = str(value).rpartition("/")[2]
    profile = iam_backends[account][partition].instance_profiles.get(name)
    known = world.facts.get(f"{account} instance-profile {name}", {}).get(_KNOWN, 0.0)
    if profile is None or world.timeline.now < known or (by == "arn" and profile.arn != value):
        raise AwsError(
            "InvalidParameterValue",
            f"Value ({value}) for parameter iamInstanceProfile.{by} is invalid. Invalid IAM Instance Profile {by}",
        )
    if not profile.roles:
        raise AwsError(
            "InvalidParameterValue", f'IAM Instance Profile "{profile.arn}" has no associated IAM Roles'
        )
