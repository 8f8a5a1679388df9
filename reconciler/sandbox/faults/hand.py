"""Somebody else's hand: calls that are made from inside of the local AWS, and the things that hold an address.

Called by `pipeline.py`.  The calls take the way of all others, so that they do what a person's would; they meet no rule
and are in no record of calls.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import boto3
from botocore import xform_name
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from moto.core.botocore_stubber import BotocoreStubber, MockRawResponse
from moto.core.models import botocore_stubber

from .rules import NAME, Find, OtherCall

ADDRESS_TAG = "reconciler:address"
_DEAD = ("terminated", "DELETED")


def finder(account: str, partition: str) -> Find:
    """What looks up the living things that hold an address, in all regions of an account, oldest first."""
    return lambda address: (
        _in_ec2(account, address)
        + _in_network_manager(account, partition, address)
        + _in_iam(account, partition, address)
        + _in_load_balancing(account, address)
    )


def _in_ec2(account: str, address: str) -> list[Mapping[str, str]]:
    from moto.ec2.models import ec2_backends

    from ..ec2.backend import find_instance

    found: list[Mapping[str, str]] = []
    for region, backend in list(ec2_backends[account].items()):
        for id, tags in backend.tags.items():
            if tags.get(ADDRESS_TAG) != address:
                continue
            instance = find_instance(backend, id)
            if instance is None or instance.state not in _DEAD:
                found.append(
                    {"id": id, "arn": f"arn:aws:ec2:{region}:{account}:{address.partition('/')[0]}/{id}"}
                )
    return found


def _in_network_manager(account: str, partition: str, address: str) -> list[Mapping[str, str]]:
    from ..networkmanager.models import store_of

    return [
        {"id": item.id, "arn": item.arn}
        for items in store_of(account, partition).items.values()
        for item in items.values()
        if item.tags.get(ADDRESS_TAG) == address and item.state not in _DEAD
    ]


def _in_iam(account: str, partition: str, address: str) -> list[Mapping[str, str]]:
    from moto.iam.models import iam_backends

    backend = iam_backends[account][partition]
    every: list[Any] = [*backend.roles.values(), *backend.instance_profiles.values()]
    return [
        {"id": one.id, "arn": one.arn, "name": one.name}
        for one in every
        if {"Key": ADDRESS_TAG, "Value": address} in one.tags
    ]


def _in_load_balancing(account: str, address: str) -> list[Mapping[str, str]]:
    from ..world import current

    return [
        {"id": arn, "arn": arn}
        for (service, owner, *_), store in current().stores.items()
        if (service, owner) == ("elbv2", account)
        for arn, thing in store.all.items()
        if thing.tags.get(ADDRESS_TAG) == address
    ]


def carry_out(call: OtherCall, region: str, find: Find) -> str:
    """Makes a call as somebody else; gives what became of it, for the log."""
    missing: list[str] = []

    def filled(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {name: filled(inner) for name, inner in value.items()}
        if isinstance(value, list | tuple):
            return [filled(inner) for inner in value]
        if not isinstance(value, str):
            return value
        return NAME.sub(lambda name: _one(name[1], name[2] or "id", find, missing), value)

    parameters = filled(call.parameters)
    where = call.region or region
    if missing:
        return f"{call} was not made: nothing holds {', '.join(missing)}"
    try:
        getattr(client(call.service, where), xform_name(call.operation))(**parameters)
    except (BotoCoreError, ClientError) as error:
        return f"{call} by another: {error}"
    return f"{call} by another"


def _one(address: str, member: str, find: Find, missing: list[str]) -> str:
    found = find(address)
    if not found:
        missing.append(address)
        return ""
    return found[-1][member]


@cache
def client(service: str, region: str) -> Any:
    """A client whose requests never leave the process."""
    make: Callable[..., Any] = boto3.session.Session().client
    configure: Callable[..., Config] = Config  # the stubs do not know all of its members
    config = configure(
        retries={"mode": "standard", "total_max_attempts": 1}, ignore_configured_endpoint_urls=True
    )
    client = make(
        service,
        region_name=region,
        config=config,
        aws_access_key_id="AKIDOFANOTHER",
        aws_secret_access_key="of-another",
    )
    client.meta.events.register("before-send", _answer_here)
    return client


def _answer_here(request: Any, **_: Any) -> AWSResponse | None:
    if botocore_stubber.enabled:
        return None  # in process it answers all clients by itself
    answer = BotocoreStubber().process_request(request)
    assert answer is not None, f"nothing here answers {request.url}"
    status, headers, body = answer
    return AWSResponse(request.url, status, headers, MockRawResponse(body))  # type: ignore[arg-type]
