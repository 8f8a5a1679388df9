"""Tags of Network Manager things: TagResource, UntagResource, ListTagsForResource, and tags given at creation.

Sources: botocore's model (TagList in the answer of ListTagsForResource; TagResource models
ServiceQuotaExceededException); AWS General Reference, "Tagging your AWS resources": 50 tags per resource, keys of at
most 128 characters, values of at most 256, keys that begin with aws: are reserved.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import AwsError
from ..request import Answer, Request
from .models import Item, NetworkManagerBackend
from .refusals import invalid_field, not_found, quota_exceeded

_MOST = 50


def merged(old: Mapping[str, str], tags: Sequence[Mapping[str, Any]], resource_type: str) -> dict[str, str]:
    """`old` with `tags` set over it; raises ValidationException for a bad key or value, 402 for too many.

    Which error the service uses for a reserved key and for the 51st tag is unverified.
    """
    new = dict(old)
    for number, tag in enumerate(tags):
        key, value = str(tag.get("Key") or ""), str(tag.get("Value") or "")
        _check(number, key, value)
        new[key] = value
    if len(new) > _MOST:
        raise _too_many(resource_type)
    return new


def _too_many(resource_type: str) -> AwsError:
    return quota_exceeded(f"A resource can have at most {_MOST} tags.", "tags-per-resource", resource_type)


def _check(number: int, key: str, value: str) -> None:
    if not 1 <= len(key) <= 128:
        raise invalid_field(f"Tags.{number}.Key", "must be 1 to 128 characters long.")
    if len(value) > 256:
        raise invalid_field(f"Tags.{number}.Value", "must be at most 256 characters long.")
    if key.lower().startswith("aws:"):
        raise invalid_field(
            f"Tags.{number}.Key", "aws: prefixed tag key names are not allowed for external use."
        )


def as_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Tags as answers show them."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _item(store: NetworkManagerBackend, request: Request) -> Item:
    arn = str(request.parameters["ResourceArn"])
    item = store.by_arn(arn)
    if item is None:
        parts = arn.split(":")
        if len(parts) < 6 or parts[0] != "arn" or parts[2] != "networkmanager":
            raise invalid_field("ResourceArn", "is not the ARN of a Network Manager resource.")
        raise not_found(parts[5].split("/")[0], arn)
    return item


def tag_resource(store: NetworkManagerBackend, request: Request) -> Answer:
    """Sets tags, replacing values of keys that are there."""
    item = _item(store, request)
    item.tags = merged(item.tags, request.parameters["Tags"], item.resource)
    _retagged(store, request, item)
    return {}


def untag_resource(store: NetworkManagerBackend, request: Request) -> Answer:
    """Removes keys; those that are not there do not matter."""
    item = _item(store, request)
    for key in request.parameters["TagKeys"]:
        item.tags.pop(key, None)
    _retagged(store, request, item)
    return {}


def _retagged(store: NetworkManagerBackend, request: Request, item: Item) -> None:
    """Tags of an attachment decide which segment it is in."""
    from .cloudwan.attachment_life import tags_changed

    if item.resource == "Attachment":
        tags_changed(store, request.world, item)


def list_tags_for_resource(store: NetworkManagerBackend, request: Request) -> Answer:
    """All tags of a thing, in `TagList`."""
    return {"TagList": as_list(_item(store, request).tags)}
