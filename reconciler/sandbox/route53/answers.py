"""Which function answers which operation of Route 53.  Called by `pipeline.py`."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping

from ..errors import AwsError
from ..request import Answer, Request
from . import records, zones
from .store import Store, store_of

ANSWERS: Mapping[str, Callable[[Request, Store], Answer]] = {
    "ChangeResourceRecordSets": records.change,
    "ChangeTagsForResource": zones.change_tags,
    "CreateHostedZone": zones.create,
    "DeleteHostedZone": zones.delete,
    "GetChange": zones.get_change,
    "ListHostedZones": zones.describe,
    "ListResourceRecordSets": records.describe,
    "ListTagsForResources": zones.describe_tags,
    "UpdateHostedZoneComment": zones.update_comment,
}


def answer(request: Request) -> Answer:
    """The answer to any operation of the service, as boto3 shows it; raises AwsError."""
    answerer = ANSWERS.get(request.operation)
    if answerer is None:
        raise AwsError("InvalidInput", f"The local AWS has no {request.operation} of route53.")
    return copy.deepcopy(answerer(request, store_of(request.world, request.account)))
