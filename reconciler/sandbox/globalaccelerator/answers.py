"""Which function answers which operation of Global Accelerator.  Called by `pipeline.py`."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping

from ..errors import AwsError, ConnectionLostError
from ..request import Answer, Request
from . import accelerators, listeners
from .store import HOME, Store, store_of

ANSWERS: Mapping[str, Callable[[Request, Store], Answer]] = {
    "CreateAccelerator": accelerators.create,
    "CreateEndpointGroup": listeners.create_group,
    "CreateListener": listeners.create,
    "DeleteAccelerator": accelerators.delete,
    "DeleteEndpointGroup": listeners.delete_group,
    "DeleteListener": listeners.delete,
    "DescribeAcceleratorAttributes": accelerators.describe_attributes,
    "ListAccelerators": accelerators.describe,
    "ListEndpointGroups": listeners.describe_groups,
    "ListListeners": listeners.describe,
    "ListTagsForResource": accelerators.describe_tags,
    "TagResource": accelerators.put_tags,
    "UntagResource": accelerators.take_tags,
    "UpdateAccelerator": accelerators.update,
    "UpdateAcceleratorAttributes": accelerators.update_attributes,
    "UpdateEndpointGroup": listeners.update_group,
    "UpdateListener": listeners.update,
}


def answer(request: Request) -> Answer:
    """The answer to any operation of the service, as boto3 shows it; raises AwsError."""
    if request.region != HOME:
        raise ConnectionLostError(f"globalaccelerator.{request.region}.amazonaws.com does not exist")
    answerer = ANSWERS.get(request.operation)
    if answerer is None:
        raise AwsError(
            "UnknownOperationException", f"The local AWS has no {request.operation} of globalaccelerator."
        )
    return copy.deepcopy(answerer(request, store_of(request.world, request.account)))
