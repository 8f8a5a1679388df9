"""What Elastic Load Balancing remembers in one region of an account, and what all of its operations say alike.

Sources: Elastic Load Balancing API reference, version 2015-12-01: its error codes, and the lists' PageSize and Marker.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .. import paging
from ..errors import AwsError
from ..request import Answer, Request
from ..world import World

_MOST_TAGS = 50
_MOST_ASKED = 20
"""ARNs in one request."""


@dataclass
class Thing:
    """A load balancer, target group or listener: `row` as answers show it, and what they show only when asked."""

    row: dict[str, Any]
    tags: dict[str, str] = field(default_factory=dict)
    attributes: dict[str, str] = field(default_factory=dict)
    notes: dict[str, Any] = field(default_factory=dict)


@dataclass
class Store:
    """Everything of one region of an account, by ARN, oldest first."""

    balancers: dict[str, Thing] = field(default_factory=dict)
    groups: dict[str, Thing] = field(default_factory=dict)
    listeners: dict[str, Thing] = field(default_factory=dict)

    def balancer(self, arn: Any) -> Thing:
        """A load balancer; LoadBalancerNotFound without it."""
        if arn not in self.balancers:
            raise AwsError("LoadBalancerNotFound", f"Load balancer '{arn}' not found")
        return self.balancers[arn]

    def group(self, arn: Any) -> Thing:
        """A target group; TargetGroupNotFound without it."""
        if arn not in self.groups:
            raise AwsError("TargetGroupNotFound", f"Target groups '{arn}' not found")
        return self.groups[arn]

    def listener(self, arn: Any) -> Thing:
        """A listener; ListenerNotFound without it."""
        if arn not in self.listeners:
            raise AwsError("ListenerNotFound", f"One or more listeners not found: '{arn}'")
        return self.listeners[arn]

    def any(self, arn: str) -> Thing:
        """Whatever has this ARN; the error of its type without it."""
        kind = arn.split(":", 5)[-1].partition("/")[0]
        find = {"loadbalancer": self.balancer, "targetgroup": self.group, "listener": self.listener}.get(kind)
        if find is None:
            raise AwsError(
                "ValidationError", f"'{arn}' is not a valid load balancer, target group or listener ARN"
            )
        return find(arn)

    @property
    def all(self) -> Mapping[str, Thing]:
        """Everything by ARN."""
        return {**self.balancers, **self.groups, **self.listeners}


def store_of(world: World, account: str, region: str) -> Store:
    """The store of a region of an account; made when first asked for."""
    found: Store = world.stores.setdefault(("elbv2", account, region), Store())
    return found


def refused(message: str) -> AwsError:
    """What every parameter that cannot be is answered with."""
    return AwsError("ValidationError", message)


def given_tags(request: Request) -> dict[str, str]:
    """The tags of a request; DuplicateTagKeys, TooManyTags or ValidationError for bad ones."""
    tags = request.parameters.get("Tags") or []
    keys = [str(tag.get("Key") or "") for tag in tags]
    if len(set(keys)) < len(keys):
        raise AwsError("DuplicateTagKeys", "Tag keys must be unique")
    for tag in tags:
        key, value = str(tag.get("Key") or ""), str(tag.get("Value") or "")
        if not 1 <= len(key) <= 128 or len(value) > 256 or key.lower().startswith("aws:"):
            raise refused(f"The tag '{key}' is not valid")
    return counted({str(tag["Key"]): str(tag.get("Value") or "") for tag in tags})


def counted(tags: dict[str, str]) -> dict[str, str]:
    """The same; TooManyTags if a thing cannot have so many."""
    if len(tags) > _MOST_TAGS:
        raise AwsError("TooManyTags", f"A resource can have at most {_MOST_TAGS} tags")
    return tags


def listed(
    request: Request,
    things: Iterable[Mapping[str, Any]],
    *,
    many: str,
    id: str,
    wanted: Sequence[str],
    missing: Callable[[str], AwsError],
) -> Answer:
    """One page of rows: all, or those with the ARNs that are asked for."""
    given = request.parameters
    if len(wanted) > _MOST_ASKED:
        raise refused(f"No more than {_MOST_ASKED} ARNs can be asked for at once")
    first = not given.get("Marker")
    rows = [
        row
        for row in things
        if not request.world.faults.hidden(request.service, request.operation, row[id], first)
    ]
    if wanted:
        there = {row[id] for row in rows}
        if lost := [arn for arn in wanted if arn not in there]:
            raise missing(lost[0])
        rows = [row for row in rows if row[id] in wanted]
    size = int(given.get("PageSize") or 400)
    if not 1 <= size <= 400:
        raise refused("PageSize must be between 1 and 400")
    plain = {name: value for name, value in given.items() if name not in ("Marker", "PageSize")}
    try:
        page, marker = paging.page(
            rows,
            lambda row: str(row[id]),
            min(size, request.world.settings.page_size),
            request.scope,
            {**plain, **({"NextToken": given["Marker"]} if given.get("Marker") else {})},
            request.world.order,
        )
    except paging.BadTokenError as error:
        raise refused("The marker is not valid") from error
    return {many: page} if marker is None else {many: page, "NextMarker": marker}


def describe_tags(request: Request, store: Store) -> Answer:
    """DescribeTags: of 20 ARNs at most, all of which have to be there."""
    arns = [str(arn) for arn in request.parameters["ResourceArns"]]
    if len(arns) > _MOST_ASKED:
        raise refused(f"No more than {_MOST_ASKED} ARNs can be asked for at once")
    return {
        "TagDescriptions": [
            {
                "ResourceArn": arn,
                "Tags": [{"Key": key, "Value": value} for key, value in store.any(arn).tags.items()],
            }
            for arn in arns
        ]
    }


def add_tags(request: Request, store: Store) -> Answer:
    """AddTags: on all things or none; values of keys that are there are replaced."""
    things = [store.any(str(arn)) for arn in request.parameters["ResourceArns"]]
    tags = given_tags(request)
    for thing in things:
        counted({**thing.tags, **tags})
    for thing in things:
        thing.tags.update(tags)
    return {}


def remove_tags(request: Request, store: Store) -> Answer:
    """RemoveTags: keys that are not there do not matter."""
    things = [store.any(str(arn)) for arn in request.parameters["ResourceArns"]]
    for thing in things:
        for key in request.parameters["TagKeys"]:
            thing.tags.pop(key, None)
    return {}


def describe_attributes(thing: Thing) -> Answer:
    """All attributes of a thing."""
    return {"Attributes": [{"Key": key, "Value": value} for key, value in thing.attributes.items()]}


def modify_attributes(request: Request, thing: Thing) -> Answer:
    """Sets some attributes; one that things of its type do not have refuses all of them."""
    given = {str(one.get("Key")): str(one.get("Value") or "") for one in request.parameters["Attributes"]}
    for key in given:
        if key not in thing.attributes:
            raise refused(f"Attribute key '{key}' is not recognized")
    thing.attributes.update(given)
    return describe_attributes(thing)
