"""Roles, and the instance profiles that hand them to machines.

Their names are an account's, whoever has made them; the lists show no tags.  So ours stand in a path of their own,
/reconciler/STACK/, and others' are not looked at: who wants a name that another has is told so when IAM refuses it.

Facts: https://docs.aws.amazon.com/IAM/latest/APIReference/ (CreateRole, ListRoles, GetRole, UpdateRole,
PutRolePolicy, AttachRolePolicy, AddRoleToInstanceProfile, ListInstanceProfiles, DeleteRole)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from reconciler.kinds.calls import iam
from reconciler.kinds.policies import meaning, mistake
from reconciler.model.calls import Call
from reconciler.model.kind import Item, Kind, Part, Remedy
from reconciler.model.reads import Completion, Detail, Read
from reconciler.model.service import Tagging
from reconciler.model.things import Observed, Spec


def _tagging(sort: str, name: str) -> Tagging:
    """Each sort of thing has operations of its own, which know it by its name."""
    return Tagging(
        operations=(f"Tag{sort}", f"Untag{sort}"),
        put=lambda thing, tags: {name: thing.raw[name], "Tags": tags},
        take=lambda thing, keys: {name: thing.raw[name], "TagKeys": keys},
    )


# ---- roles


def _role(raw: Spec) -> Spec:
    """A row in CreateRole's words."""
    return {
        **raw,
        "PermissionsBoundary": (raw.get("PermissionsBoundary") or {}).get("PermissionsBoundaryArn"),
    }


def _trust(role: Observed, wanted: Any) -> list[Call]:
    return [iam("UpdateAssumeRolePolicy", RoleName=role.raw["RoleName"], PolicyDocument=wanted)]


def _boundary(role: Observed, wanted: Any) -> list[Call]:
    name = role.raw["RoleName"]
    if not wanted:
        return [iam("DeleteRolePermissionsBoundary", RoleName=name)]
    return [iam("PutRolePermissionsBoundary", RoleName=name, PermissionsBoundary=wanted)]


ATTACHED, NAMES, DOCUMENTS = "Attached", "PolicyNames", "PolicyDocuments"
"""Where details stand in `raw`: attached policies, the names of inline ones, and what these say."""


def _attached(raw: Spec) -> list[Item]:
    return [{"PolicyArn": row["PolicyArn"]} for row in raw.get(ATTACHED) or ()]


def _inline(raw: Spec) -> list[Item]:
    """The inline policies; of a role that has to go only the names are read."""
    return list(raw.get(DOCUMENTS) or [{"PolicyName": name} for name in raw.get(NAMES) or ()])


def _put(role: Observed, items: Sequence[Item]) -> list[Call]:
    """A policy is written whole, over one of its name."""
    return [
        iam(
            "PutRolePolicy",
            RoleName=role.raw["RoleName"],
            PolicyName=item["PolicyName"],
            PolicyDocument=item["PolicyDocument"],
        )
        for item in items
    ]


def _attach(operation: str, role: Observed, items: Sequence[Item]) -> list[Call]:
    return [iam(operation, RoleName=role.raw["RoleName"], PolicyArn=item["PolicyArn"]) for item in items]


def _take_out(role: Observed, items: Sequence[Item]) -> list[Call]:
    return [
        iam("DeleteRolePolicy", RoleName=role.raw["RoleName"], PolicyName=item["PolicyName"])
        for item in items
    ]


def _without_policies(role: Observed) -> list[Call]:
    """IAM deletes no role that has policies."""
    return [
        *_attach("DetachRolePolicy", role, _attached(role.raw)),
        *_take_out(role, _inline(role.raw)),
        iam("DeleteRole", RoleName=role.raw["RoleName"]),
    ]


def _bad_policies(items: Any) -> str | None:
    documents = [item.get("PolicyDocument") for item in items or () if isinstance(item, Mapping)]
    return next((why for document in documents if (why := mistake(document))), None)


ROLE = Kind(
    name="iam-role",
    about="Rights that services and people can take on.  Its path is /reconciler/STACK/.",
    service="iam",
    private=True,
    read=Read(
        operation="ListRoles",
        path="Roles",
        ids=None,
        page=1000,
        completed=Completion(operation="GetRole", ids="RoleName", by="RoleName", path="Role"),
        details=[
            Detail(
                field="AttachedPolicies",
                name=ATTACHED,
                operation="ListAttachedRolePolicies",
                path="AttachedPolicies",
                many=True,
                leaving=True,
            ),
            Detail(
                field="Policies",
                name=NAMES,
                operation="ListRolePolicies",
                path="PolicyNames",
                many=True,
                leaving=True,
            ),
            Detail(
                field="Policies",
                name=DOCUMENTS,
                operation="GetRolePolicy",
                path="PolicyDocument && {PolicyName: PolicyName, PolicyDocument: PolicyDocument}",
                given={"PolicyName": NAMES},
                each="PolicyName",
            ),
        ],
    ),
    create="CreateRole",
    update="UpdateRole",
    delete="DeleteRole",
    destroy=_without_policies,
    id="RoleId",
    handle="RoleName",
    arn="Arn",
    tagging=_tagging("Role", "RoleName"),
    documents=frozenset({"AssumeRolePolicyDocument", "Policies[].PolicyDocument"}),
    normal={"AssumeRolePolicyDocument": meaning},
    refuses={"AssumeRolePolicyDocument": mistake, "Policies": _bad_policies},
    unique="RoleName",
    project=_role,
    remedies={
        "AssumeRolePolicyDocument": Remedy(operations=("UpdateAssumeRolePolicy",), make=_trust),
        "PermissionsBoundary": Remedy(
            operations=("PutRolePermissionsBoundary", "DeleteRolePermissionsBoundary"), make=_boundary
        ),
    },
    parts=(
        Part(
            field="AttachedPolicies",
            shape="AttachedPolicy",
            rows=_attached,
            normal=lambda item: {"PolicyArn": item["PolicyArn"]},
            key=lambda item: item["PolicyArn"],
            add=lambda role, items: _attach("AttachRolePolicy", role, items),
            remove=lambda role, items: _attach("DetachRolePolicy", role, items),
            change=lambda role, items: [],  # which it is, is all that there is to it
            operations=("AttachRolePolicy", "DetachRolePolicy"),
            given=frozenset({"PolicyName"}),
        ),
        Part(
            field="Policies",
            shape="PolicyDetail",
            rows=_inline,
            normal=dict,
            key=lambda item: item["PolicyName"],
            add=_put,
            change=_put,
            remove=_take_out,
            operations=("PutRolePolicy", "DeleteRolePolicy"),
            meaning={"PolicyDocument": meaning},
        ),
    ),
)


# ---- instance profiles


def _roles(raw: Spec) -> list[Item]:
    return [{"RoleName": role["RoleName"]} for role in raw.get("Roles") or ()]


def _add(profile: Observed, items: Sequence[Item]) -> list[Call]:
    name = profile.raw["InstanceProfileName"]
    return [
        iam("AddRoleToInstanceProfile", InstanceProfileName=name, RoleName=item["RoleName"]) for item in items
    ]


def _empty(profile: Observed) -> list[Call]:
    """What is in it now is taken out."""
    name = profile.raw["InstanceProfileName"]
    return [
        iam("RemoveRoleFromInstanceProfile", InstanceProfileName=name, RoleName=role["RoleName"])
        for role in _roles(profile.raw)
    ]


INSTANCE_PROFILE = Kind(
    name="instance-profile",
    about="What hands a role to an instance.  Its path is /reconciler/STACK/.",
    service="iam",
    private=True,
    read=Read(
        operation="ListInstanceProfiles",
        path="InstanceProfiles",
        ids=None,
        page=1000,
        completed=Completion(
            operation="GetInstanceProfile",
            ids="InstanceProfileName",
            by="InstanceProfileName",
            path="InstanceProfile",
        ),
    ),
    create="CreateInstanceProfile",
    delete="DeleteInstanceProfile",
    destroy=lambda profile: [
        *_empty(profile),
        iam("DeleteInstanceProfile", InstanceProfileName=profile.raw["InstanceProfileName"]),
    ],
    id="InstanceProfileId",
    handle="InstanceProfileName",
    arn="Arn",
    refs={"Roles[].RoleName": "iam-role.RoleName"},
    tagging=_tagging("InstanceProfile", "InstanceProfileName"),
    unique="InstanceProfileName",
    parts=(
        Part(
            field="Roles",
            shape="AddRoleToInstanceProfileRequest",
            rows=_roles,
            normal=lambda item: {"RoleName": item["RoleName"]},
            key=lambda item: "the only one",  # another takes its place, and there is never a second
            add=_add,
            change=lambda profile, items: [*_empty(profile), *_add(profile, items)],
            remove=lambda profile, items: _empty(profile),
            operations=("AddRoleToInstanceProfile", "RemoveRoleFromInstanceProfile"),
            given=frozenset({"InstanceProfileName"}),
        ),
    ),
)
