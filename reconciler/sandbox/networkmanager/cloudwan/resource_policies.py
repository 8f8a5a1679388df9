"""Resource policies of core networks: put, got, deleted.

Source: botocore's model, which names no "not found" for GetResourcePolicy: that a core network without a policy answers
nothing, and that the policy of an unknown one is a ValidationException, is unverified.
"""

from __future__ import annotations

import json

from ...request import Answer, Request
from ..models import Item, NetworkManagerBackend
from ..refusals import invalid_field


def _require_core(store: NetworkManagerBackend, request: Request) -> str:
    arn = str(request.parameters["ResourceArn"])
    item = store.by_arn(arn)
    if item is None or item.resource != "CoreNetwork":
        raise invalid_field("ResourceArn", "is not the ARN of a core network.")
    return arn


def put(store: NetworkManagerBackend, request: Request) -> Answer:
    """Sets the policy of a core network, in place of the one that is there."""
    arn = _require_core(store, request)
    try:
        document = json.loads(str(request.parameters["PolicyDocument"]))
    except ValueError as error:
        raise invalid_field("PolicyDocument", "is not valid JSON.") from error
    now = request.world.settings.clock.now()
    store.of("ResourcePolicy")[arn] = Item(
        "ResourcePolicy", arn, "", {"PolicyDocument": json.dumps(document)}, "", now
    )
    return {}


def get(store: NetworkManagerBackend, request: Request) -> Answer:
    """The policy of a core network; an empty answer if it has none."""
    item = store.of("ResourcePolicy").get(_require_core(store, request))
    return {} if item is None else dict(item.members)


def delete(store: NetworkManagerBackend, request: Request) -> Answer:
    """Removes the policy, if there is one."""
    store.of("ResourcePolicy").pop(_require_core(store, request), None)
    return {}
