"""Resource policies of core networks: put, got, deleted.

Source: botocore's model, which names no "not found" for GetResourcePolicy: that a core network without a policy answers
nothing unless a switch says otherwise, and that the policy of an unknown one is a ValidationException, is unverified.
Accounts as principals come back as the ARNs of their roots, as in all policies of resources.
"""

from __future__ import annotations

import json
from typing import Any

from ...request import Answer, Request
from ..models import Item, NetworkManagerBackend
from ..refusals import invalid_field, not_found


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
    members = {"PolicyDocument": json.dumps(_with_roots(document))}
    store.of("ResourcePolicy")[arn] = Item("ResourcePolicy", arn, "", members, "", now)
    return {}


def _with_roots(value: Any) -> Any:
    """Each account that is named by its number, by the ARN of its root."""
    match value:
        case dict():
            return {name: _with_roots(inner) for name, inner in value.items()}
        case list():
            return [_with_roots(inner) for inner in value]
        case str() if len(value) == 12 and value.isdigit():
            return f"arn:aws:iam::{value}:root"
    return value


def get(store: NetworkManagerBackend, request: Request) -> Answer:
    """The policy of a core network; an empty answer if it has none, or what the settings say."""
    arn, code = _require_core(store, request), request.world.settings.no_resource_policy
    item = store.of("ResourcePolicy").get(arn)
    if item is None and code:
        raise (
            not_found("resource-policy", arn)
            if code.startswith("Resource")
            else invalid_field("ResourceArn", "has no resource policy.")
        )
    return {} if item is None else dict(item.members)


def delete(store: NetworkManagerBackend, request: Request) -> Answer:
    """Removes the policy, if there is one."""
    store.of("ResourcePolicy").pop(_require_core(store, request), None)
    return {}
