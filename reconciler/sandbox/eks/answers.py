"""Which function answers which operation of EKS.  Called by `pipeline.py`."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping

from ..errors import AwsError
from ..request import Answer, Request
from . import clusters, groups
from .store import Store, store_of

_MOST_TAGS = 50


def put_tags(request: Request, store: Store) -> Answer:
    """TagResource."""
    row = store.row(request.parameters["resourceArn"])
    tags = {**row["tags"], **request.parameters["tags"]}
    if len(tags) > _MOST_TAGS or any(key.lower().startswith("aws:") for key in request.parameters["tags"]):
        raise AwsError("BadRequestException", "The tags are not valid.")
    row["tags"] = tags
    return {}


def take_tags(request: Request, store: Store) -> Answer:
    """UntagResource: keys that are not there do not matter."""
    row = store.row(request.parameters["resourceArn"])
    keys = request.parameters["tagKeys"]
    row["tags"] = {key: value for key, value in row["tags"].items() if key not in keys}
    return {}


ANSWERS: Mapping[str, Callable[[Request, Store], Answer]] = {
    "CreateCluster": clusters.create,
    "CreateNodegroup": groups.create,
    "DeleteCluster": clusters.delete,
    "DeleteNodegroup": groups.delete,
    "DescribeCluster": clusters.describe,
    "DescribeNodegroup": groups.describe,
    "ListClusters": clusters.describe_all,
    "ListNodegroups": groups.describe_all,
    "TagResource": put_tags,
    "UntagResource": take_tags,
    "UpdateClusterConfig": clusters.configure,
    "UpdateClusterVersion": clusters.upgrade,
    "UpdateNodegroupConfig": groups.configure,
    "UpdateNodegroupVersion": groups.roll,
}


def answer(request: Request) -> Answer:
    """The answer to any operation of the service, as boto3 shows it; raises AwsError."""
    answerer = ANSWERS.get(request.operation)
    if answerer is None:
        raise AwsError("InvalidRequestException", f"The local AWS has no {request.operation} of eks.")
    store = store_of(request.world, request.account, request.region)
    return copy.deepcopy(answerer(request, store))
