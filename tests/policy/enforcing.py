"""The local AWS with IAM in front of it: a call that the policy does not allow is refused, as AWS refuses it.

Used by the tests of this folder.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from reconciler.sandbox import AwsError, LocalAws
from reconciler.sandbox.autoscaling.store import store_of as scaling
from reconciler.sandbox.calls import Call
from reconciler.sandbox.ec2.backend import placement_groups
from reconciler.sandbox.eks.store import store_of as kubernetes
from reconciler.sandbox.elbv2.store import store_of as balancing
from reconciler.sandbox.globalaccelerator.store import store_of as accelerators
from reconciler.sandbox.world import current

from .asking import ACCOUNT, Tags, asked
from .iam import Asked, allows


@dataclass
class Iam:
    """The policy in force, what was asked of it, and what it did not allow."""

    policy: Mapping[str, Any]
    questions: list[Asked] = field(default_factory=list)
    denied: list[Asked] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)

    def judge(self, moment: str, call: Call) -> None:
        """A hook of the local AWS."""
        if moment != "before":
            return
        self.calls.append(call)
        for question in asked(call, tags_of):
            self.questions.append(question)
            if not allows(self.policy, question):
                self.denied.append(question)
                code = "UnauthorizedOperation" if call.service == "ec2" else "AccessDeniedException"
                raise AwsError(code, f"no statement allows {question}")


def tags_of(region: str, id: str) -> Tags:
    """The tags that a thing has now, straight from the local AWS's memory."""
    from moto.ec2.models import ec2_backends
    from moto.iam.models import iam_backends
    from moto.networkmanager.models import networkmanager_backends

    if id.startswith("arn:aws:elasticloadbalancing:"):
        thing = balancing(current(), ACCOUNT, region).all.get(id)
        return dict(thing.tags) if thing else {}
    if id.startswith("arn:aws:eks:"):
        every = kubernetes(current(), ACCOUNT, region).all
        return next(
            (tags for arn, tags in every.items() if arn == id or (id.endswith("/") and arn.startswith(id))),
            {},
        )
    if id.startswith("arn:aws:globalaccelerator:"):
        accelerator = accelerators(current(), ACCOUNT).accelerators.get(id)
        return dict(accelerator.tags) if accelerator else {}
    if id.startswith("autoScalingGroup/"):
        group = scaling(current(), ACCOUNT, region).groups.get(id.partition("/")[2])
        return {key: value for key, (value, _) in group.tags.items()} if group else {}
    if region in {"iam", "path"}:
        sort, _, name = id.partition("/")
        iam = iam_backends[ACCOUNT]["aws"]
        things = iam.roles.values() if sort == "role" else iam.instance_profiles.values()
        one = next((one for one in things if one.name == name), None)
        if one is None:
            return {}
        return {"": one.path} if region == "path" else {tag["Key"]: tag["Value"] for tag in one.tags}
    if region:
        backend = ec2_backends[ACCOUNT][region]
        id = next((one.id for one in backend.enis.values() if one.attachment_id == id), id)
        id = placement_groups(backend)[id]["GroupId"] if id in placement_groups(backend) else id
        profiles = backend.iam_instance_profile_associations.values()
        id = next((one.instance_id for one in profiles if one.association_id == id), id)
        id = next((one.allocation_id for one in backend.addresses if one.association_id == id), id)
        id = next((one.id for one in backend.route_tables.values() if id in one.all_associations_ids), id)
        id = next((one.id for one in backend.network_acls.values() if id in one._associations), id)
        ranges = backend.vpcs.values()
        id = next((one.id for one in ranges if id in one._cidr_block_association_set), id)
        found: Tags = dict(backend.tags.get(id, {}))
        if found:
            return found
    for items in networkmanager_backends[ACCOUNT]["aws"].items.values():
        for item in items.values():
            if id in (item.id, item.arn):
                return dict(item.tags)
    return {}


@contextmanager
def enforced(aws: LocalAws, iam: Iam) -> Iterator[None]:
    """While inside, nothing happens that the policy does not allow."""
    aws.on_call.append(iam.judge)
    try:
        yield
    finally:
        aws.on_call.remove(iam.judge)
