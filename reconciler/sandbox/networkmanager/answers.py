"""Which function answers which Network Manager operation. Called by `pipeline.py`."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ..request import Answer, Request
from . import tagging, unavailable, verbs
from .models import NetworkManagerBackend, store_of
from .rows import ALL, Resource
from .validation import validate

_Answerer = Callable[[NetworkManagerBackend, Request], Answer]


def _of(verb: Callable[[NetworkManagerBackend, Resource, Request], Answer], resource: Resource) -> _Answerer:
    return lambda store, request: verb(store, resource, request)


ANSWERS: Mapping[str, _Answerer] = {
    **{resource.create: _of(verbs.create, resource) for resource in ALL},
    **{resource.read: _of(verbs.read, resource) for resource in ALL},
    **{resource.update: _of(verbs.update, resource) for resource in ALL if resource.update is not None},
    **{resource.delete: _of(verbs.delete, resource) for resource in ALL},
    "TagResource": tagging.tag_resource,
    "UntagResource": tagging.untag_resource,
    "ListTagsForResource": tagging.list_tags_for_resource,
    "GetNetworkResourceCounts": unavailable.resource_counts,
}

_MAXIMA = {
    operation: resource.maxima
    for resource in ALL
    for operation in (resource.create, resource.update)
    if operation
}


def answer(request: Request) -> Answer:
    """The answer to any operation of the service, as boto3 shows it; raises AwsError."""
    validate(request.model, request.parameters, _MAXIMA.get(request.operation, {}))
    store = store_of(request.account, request.partition)
    return ANSWERS.get(request.operation, unavailable.answer)(store, request)
