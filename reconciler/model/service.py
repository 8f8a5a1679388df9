"""Services: where their endpoints are, how their things are tagged, and how ours are known among others' names.

What is special about a sort of thing is in its record (`model.kind`); what all kinds of a service share is here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from reconciler.model.things import Observed

Parameters = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Tagging:
    """How tags are put on a thing and taken off again: the operations, and the parameters of each.

    `put` takes tags as AWS writes them (`{"Key": …, "Value": …}`), `take` takes keys.
    """

    operations: tuple[str, str]
    put: Callable[[Observed, Sequence[Mapping[str, str]]], Parameters]
    take: Callable[[Observed, Sequence[str]], Parameters]


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
    tagging: Tagging = BY_ARN
    """How its things are tagged, where their record does not say another way."""
    paths: bool = False
    """Whether names stand in paths: ours then stand in one of their own (`path_of`), and others' are not even listed.

    Its create calls take a Path and its lists a PathPrefix."""

    @property
    def regional(self) -> bool:
        """Whether each region has its own things."""
        return not self.homes

    @property
    def called(self) -> str:
        """What IAM, ARNs and CloudTrail call it."""
        return self.prefix or self.name


SERVICES: Mapping[str, Service] = {
    service.name: service
    for service in (
        Service(name="ec2", tagging=BY_ID),
        Service(name="networkmanager", homes={"aws": "us-west-2", "aws-us-gov": "us-gov-west-1"}),
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
