"""Services: where their endpoints are, how their things are tagged, and how ours are known among others' names.

What is special about a sort of thing is in its record (`model.kind`); what all kinds of a service share is here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from reconciler.model.things import OURS, STACK_TAG, Observed, Spec

Parameters = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Tagging:
    """How tags are put on a thing and taken off again: the operations, and the parameters of each.

    `put` takes tags as AWS writes them (`{"Key": …, "Value": …}`), `take` takes keys.
    """

    operations: tuple[str, str]
    put: Callable[[Observed, Sequence[Mapping[str, str]]], Parameters]
    take: Callable[[Observed, Sequence[str]], Parameters]
    birth: Callable[[Sequence[Mapping[str, str]]], Any] = list
    """What the create call takes as `parameter`."""
    parameter: str = "Tags"


def _mapped(tags: Sequence[Mapping[str, str]]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in tags}


AS_MAPPING = Tagging(
    operations=("TagResource", "UntagResource"),
    put=lambda thing, tags: {"resourceArn": thing.arn, "tags": _mapped(tags)},
    take=lambda thing, keys: {"resourceArn": thing.arn, "tagKeys": keys},
    birth=_mapped,
    parameter="tags",
)


@dataclass(frozen=True, kw_only=True)
class Birthmark:
    """What says whose a thing is until it has its tags: `put` gives the parameters of a creation, of stack and address,
    `read` finds both in a row, or None.  Once the tags are there, the kind's `then` takes it away."""

    put: Callable[[str, str], Mapping[str, Any]]
    read: Callable[[Spec], tuple[str, str] | None]


BY_ID = Tagging(
    operations=("CreateTags", "DeleteTags"),
    put=lambda thing, tags: {"Resources": [thing.id], "Tags": tags},
    take=lambda thing, keys: {"Resources": [thing.id], "Tags": [{"Key": key} for key in keys]},
)
BY_ARN = Tagging(
    operations=("TagResource", "UntagResource"),
    put=lambda thing, tags: {"ResourceArn": thing.arn, "Tags": tags},
    take=lambda thing, keys: {"ResourceArn": thing.arn, "TagKeys": keys},
)
BY_ARNS = Tagging(
    operations=("AddTags", "RemoveTags"),
    put=lambda thing, tags: {"ResourceArns": [thing.arn], "Tags": tags},
    take=lambda thing, keys: {"ResourceArns": [thing.arn], "TagKeys": keys},
)


def _of_group(group: Observed, tags: Sequence[Mapping[str, str]]) -> Parameters:
    named = {"ResourceId": group.raw["AutoScalingGroupName"], "ResourceType": "auto-scaling-group"}
    return {"Tags": [{**named, **tag} for tag in handed_down(tags)]}


def handed_down(tags: Sequence[Mapping[str, str]]) -> list[dict[str, Any]]:
    """Tags of an Auto Scaling group: those of the config go on to its instances, and ours do not."""
    return [{**tag, "PropagateAtLaunch": not tag["Key"].startswith(OURS)} for tag in tags]


OF_GROUPS = Tagging(
    operations=("CreateOrUpdateTags", "DeleteTags"),
    put=_of_group,
    take=lambda group, keys: {
        "Tags": [
            {
                "ResourceId": group.raw["AutoScalingGroupName"],
                "ResourceType": "auto-scaling-group",
                "Key": key,
            }
            for key in keys
        ]
    },
    birth=handed_down,
)


OF_ZONES = Tagging(
    operations=("ChangeTagsForResource", "ChangeTagsForResource"),
    put=lambda zone, tags: {"ResourceType": "hostedzone", "ResourceId": zone.id, "AddTags": tags},
    take=lambda zone, keys: {"ResourceType": "hostedzone", "ResourceId": zone.id, "RemoveTagKeys": keys},
)


@dataclass(frozen=True, kw_only=True)
class Search:
    """How the things of a stack are found in a region, whatever their kind: one list for all kinds of a service, or of
    several.

    `action` is what IAM calls the operation.  `parameters` gives those that ask for a stack's things, `named` of a row
    AWS's word for its type, as `Kind.type` has it, and its id or ARN.
    """

    service: str
    operation: str
    action: str
    path: str
    page: int
    parameters: Callable[[str], Parameters]
    named: Callable[[Mapping[str, Any]], tuple[str, str]]


def escaped(value: str) -> str:
    """A value as an EC2 filter takes it literally: `*`, `?` and the backslash are wildcards there."""
    return "".join(f"\\{char}" if char in "\\*?" else char for char in value)


def _in_arn(row: Mapping[str, Any]) -> tuple[str, str]:
    """The type in `arn:aws:elasticloadbalancing:eu-west-1:1:loadbalancer/net/name/id`, and the whole."""
    arn = str(row["ResourceARN"])
    return arn.split(":", 5)[-1].partition("/")[0], arn


BY_TAG = Search(
    service="ec2",
    operation="DescribeTags",
    action="ec2:DescribeTags",
    path="Tags",
    page=1000,
    parameters=lambda stack: {
        "Filters": [
            {"Name": "key", "Values": [STACK_TAG]},
            {"Name": "value", "Values": [escaped(stack)]},
        ]
    },
    named=lambda row: (str(row["ResourceType"]), str(row.get("ResourceId") or "")),
)


AMONG_GROUPS = Search(
    service="autoscaling",
    operation="DescribeTags",
    action="autoscaling:DescribeTags",
    path="Tags",
    page=100,
    parameters=lambda stack: {
        "Filters": [{"Name": "key", "Values": [STACK_TAG]}, {"Name": "value", "Values": [stack]}]
    },
    named=lambda row: (str(row["ResourceType"]), str(row.get("ResourceId") or "")),
)


def _among_all(*types: str) -> Search:
    """What the Resource Groups Tagging API shows of a service.

    https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_GetResources.html: pages of 100; it also
    shows things for a while that are gone, which only costs a look."""
    return Search(
        service="resourcegroupstaggingapi",
        operation="GetResources",
        action="tag:GetResources",
        path="ResourceTagMappingList",
        page=100,
        parameters=lambda stack: {
            "TagFilters": [{"Key": STACK_TAG, "Values": [stack]}],
            "ResourceTypeFilters": list(types),
        },
        named=_in_arn,
    )


AMONG_ALL = _among_all("eks", "elasticloadbalancing")
"""One question in each region for all services that have no list of their own that shows tags of many things."""


@dataclass(frozen=True, kw_only=True)
class Service:
    """One service, by the name that boto3 has for it."""

    name: str
    prefix: str = ""
    """What IAM, ARNs and CloudTrail call it, where that is another name (`elasticloadbalancing` of elbv2)."""
    homes: Mapping[str, str] = field(default_factory=dict)
    """Where its one endpoint is, by partition; empty for a service that each region has for itself.

    In a partition that is not named it is in each region, and the default one of the config counts.
    https://docs.aws.amazon.com/general/latest/gr/aws-service-information.html"""
    elsewhere: bool = True
    """Whether a partition that is not named has it at all."""
    lacking: frozenset[str] = frozenset()
    """Partitions that do not have it."""
    tagging: Tagging = BY_ARN
    """How its things are tagged, where their record does not say another way."""
    search: Search | None = None
    """How its things are found in a region; None for those that are listed whole, since it has one endpoint."""
    filters: bool = False
    """Whether its lists can be narrowed by the keys of tags."""
    token: str = "ClientToken"
    """The parameter of its create calls that keeps them from happening twice."""
    knows_tokens: bool = False
    """Whether it says when a token of a creation belongs to something that is gone.

    Network Manager documents neither that nor for how long it knows a token, and its lists show no dead things with
    theirs: a thing that was deleted by hand could not be made again.  Its creations are remembered instead, as those
    without token."""
    held_by_tags: bool = True
    """Whether IAM can hold what may be done with its things to their tags."""
    create_action: bool = False
    """Whether IAM tells in `<prefix>:CreateAction` with which creation tags come."""
    busying: frozenset[str] = frozenset()
    """Operations that set AWS to work at the thing that `busied` names; until it is done AWS refuses other changes that
    name it, so that no second call of a look does."""
    busied: str = ""
    paths: bool = False
    """Whether names stand in paths: ours then stand in one of their own (`path_of`), and others' are not even listed.

    Its create calls take a Path and its lists a PathPrefix."""

    @property
    def regional(self) -> bool:
        """Whether each region has its own things."""
        return not self.homes

    def is_in(self, partition: str) -> bool:
        """Whether a partition has it."""
        return partition not in self.lacking and (self.regional or self.elsewhere or partition in self.homes)

    @property
    def called(self) -> str:
        """What IAM, ARNs and CloudTrail call it."""
        return self.prefix or self.name


SERVICES: Mapping[str, Service] = {
    service.name: service
    for service in (
        Service(
            name="ec2", tagging=BY_ID, search=BY_TAG, filters=True, create_action=True, knows_tokens=True
        ),
        Service(name="autoscaling", tagging=OF_GROUPS, search=AMONG_GROUPS, filters=True),
        Service(
            name="elbv2",
            prefix="elasticloadbalancing",
            tagging=BY_ARNS,
            search=AMONG_ALL,
            create_action=True,
        ),
        Service(name="eks", tagging=AS_MAPPING, search=AMONG_ALL, token="clientRequestToken"),
        Service(
            name="networkmanager",
            homes={"aws": "us-west-2", "aws-us-gov": "us-gov-west-1"},
            lacking=frozenset(
                {"aws-cn"}
            ),  # https://docs.amazonaws.cn/aws/latest/userguide/transit-gateway.html
            # https://docs.aws.amazon.com/networkmanager/latest/APIReference/API_CoreNetwork.html: UPDATING
            busying=frozenset(
                {
                    "UpdateCoreNetwork",
                    "ExecuteCoreNetworkChangeSet",
                    "CreateCoreNetworkPrefixListAssociation",
                    "DeleteCoreNetworkPrefixListAssociation",
                    "PutAttachmentRoutingPolicyLabel",
                    "RemoveAttachmentRoutingPolicyLabel",
                }
            ),
            busied="CoreNetworkId",
        ),
        Service(
            name="route53",
            homes={"aws": "us-east-1", "aws-cn": "cn-northwest-1", "aws-us-gov": "us-gov-west-1"},
            tagging=OF_ZONES,
            token="CallerReference",
            knows_tokens=True,
            held_by_tags=False,
        ),
        Service(
            name="globalaccelerator",
            homes={"aws": "us-west-2"},
            elsewhere=False,
            token="IdempotencyToken",
        ),
        Service(
            name="iam",
            homes={"aws": "us-east-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"},
            paths=True,
        ),
    )
}
"""All services that have kinds."""


def path_of(stack: str) -> str:
    """The path in which a stack's things stand, where a service has paths."""
    return f"/reconciler/{stack}/"
