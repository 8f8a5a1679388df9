"""Whose a row or a thing is, by what AWS shows of it.  Used by `observe`, and by those who read a thing again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reconciler.model.kind import Kind
from reconciler.model.things import ADDRESS_TAG, Observed, Scope, Spec

MADE_BY_OTHERS = (
    "aws:autoscaling:groupName",
    "aws:ec2:fleet-id",
    "aws:cloudformation:stack-id",
    "aws:elasticmapreduce:job-flow-id",
    "aws:eks:cluster-name",
    "eks:nodegroup-name",
    "node.k8s.amazonaws.com/instance_id",
    "ebs.csi.aws.com/cluster",
    "elbv2.k8s.aws/cluster",
    "elasticbeanstalk:environment-id",
)
"""Tags that AWS's own controllers put on what they make; such a thing is theirs, whatever tags were copied onto it.

Those of Kubernetes: the security group of a cluster; what EKS makes for a group of nodes; interfaces, volumes and load
balancers that controllers in a cluster make."""

OWNERS = ("OwnerId", "OwnerAccountId", "VpcOwnerId")
"""Members of a row that say in which account it was made, one of which is there; of what has none, only its own
account is shown it."""


def is_anothers(kind: Kind, row: Mapping[str, Any], scope: Scope) -> bool:
    """Whether a row is shown here and belongs elsewhere: what is shared with an account, or attached to what is its,
    is listed in both, and a peering in both of its regions."""
    if kind.asked_from is None:
        return any(row[name] != scope.account for name in OWNERS if name in row)
    side = row.get(kind.asked_from) or {}
    here = {"Region": scope.region, "OwnerId": scope.account}
    return any(side.get(name, value) != value for name, value in here.items())


def owned(kinds: Mapping[str, Kind], things: Sequence[Observed]) -> Iterator[Observed]:
    """Things less those that are another account's, as what they are with tells (`Kind.owned_with`)."""
    accounts = {thing.id: thing.account for thing in things}
    for thing in things:
        member = kinds[thing.kind].owned_with
        if member is None or accounts.get(str(thing.raw.get(member)), thing.account) == thing.account:
            yield thing


def concerns(thing: Observed, stack: str) -> bool:
    """Whether a thing has an owner tag that concerns us: our stack's, or an address without any stack."""
    if any(tag in thing.tags for tag in MADE_BY_OTHERS) or _is_run_by_aws(thing.raw):
        return False
    return thing.stack == stack or (thing.stack is None and ADDRESS_TAG in thing.tags)


def _is_run_by_aws(row: Spec) -> bool:
    """Whether a service of AWS looks after a thing: nobody else can change it, whatever tags it has."""
    return bool(row.get("RequesterManaged") or (row.get("Operator") or {}).get("Managed"))
