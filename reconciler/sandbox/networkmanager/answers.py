"""Which function answers which Network Manager operation. Called by `pipeline.py`."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping

from ..request import Answer, Request
from ..tokens import digest
from . import counts, tagging, unavailable, verbs
from .cloudwan.answers import ANSWERS as CLOUD_WAN
from .lending import store_for
from .models import NetworkManagerBackend, store_of
from .refusals import unverified
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
    **CLOUD_WAN,
    "TagResource": tagging.tag_resource,
    "UntagResource": tagging.untag_resource,
    "ListTagsForResource": tagging.list_tags_for_resource,
    "GetNetworkResourceCounts": counts.resource_counts,
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
    store = store_for(store_of(request.account, request.partition), request)
    answerer = ANSWERS.get(request.operation, unavailable.answer)
    token = request.parameters.get("ClientToken")
    if not token:
        return answerer(store, request)
    # one memory whatever region a call is signed for; a token stays known (AWS publishes no time), and which code the
    # same token with other parameters gets is unverified
    scope, memory = (request.account, request.partition, request.operation), request.world.tokens
    known = memory.find(scope, str(token))
    if known is None:
        made = answerer(store, request)
        memory.remember(scope, str(token), request.parameters, copy.deepcopy(made))
        return made
    if known.digest != digest(request.parameters):
        raise unverified(
            request, "The client token was used with other parameters.", "client-token", str(token)
        )
    return dict(copy.deepcopy(known.answer))
