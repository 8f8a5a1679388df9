"""Accelerators, their attributes and their tags.

Sources: Global Accelerator API reference (CreateAccelerator: two addresses for good, enabled unless it is said
otherwise; DeleteAccelerator: disabled, and without listeners; TagResource: of accelerators).  What a token does once
its accelerator is gone, or with other parameters, is not documented: here it answers what it has made.
Called by `answers.py`.
"""

from __future__ import annotations

from typing import Any

from moto.moto_api._internal import mock_random

from ..errors import AwsError
from ..request import Answer, Request
from .store import Accelerator, Store, idle, paged, refused

_MOST, _MOST_TAGS = 20, 50
"""Accelerators in an account: developer guide, "Quotas"."""


def create(request: Request, store: Store) -> Answer:
    """CreateAccelerator."""
    given = request.parameters
    token = ("CreateAccelerator", str(given["IdempotencyToken"]))
    if token in store.tokens:
        return store.tokens[token]
    if len(store.accelerators) >= _MOST:
        raise AwsError("LimitExceededException", f"An account can have {_MOST} accelerators.")
    own = [str(one) for one in given.get("IpAddresses") or ()]
    if not 1 <= len(str(given["Name"])) <= 255:
        raise refused("The name is not valid.")
    arn = f"arn:{request.partition}:globalaccelerator::{request.account}:accelerator/{mock_random.uuid4()}"
    row: dict[str, Any] = {
        "AcceleratorArn": arn,
        "Name": given["Name"],
        "IpAddressType": given.get("IpAddressType") or "IPV4",
        "Enabled": given.get("Enabled") is not False,
        "DnsName": f"a{mock_random.get_random_hex(16)}.awsglobalaccelerator.com",
        "CreatedTime": request.world.settings.clock.now(),
    }
    drawn = [f"{block}.{mock_random.randint(1, 254)}" for block in ("198.51.100", "203.0.113")]
    thing = Accelerator(row, _tags({}, given.get("Tags") or []))
    _address(thing, [*own, *drawn][:2])
    store.accelerators[arn] = thing
    store.work(thing)
    store.tokens[token] = {"Accelerator": dict(row)}
    return store.tokens[token]


def _address(thing: Accelerator, addresses: list[str]) -> None:
    sets = [{"IpFamily": "IPv4", "IpAddressFamily": "IPv4", "IpAddresses": addresses}]
    if thing.row["IpAddressType"] == "DUAL_STACK":
        six = [f"2600:9000:{one:x}::1" for one in range(2)]
        sets.append({"IpFamily": "IPv6", "IpAddressFamily": "IPv6", "IpAddresses": six})
        thing.row["DualStackDnsName"] = thing.row["DnsName"].replace(".", ".dualstack.", 1)
    thing.row["IpSets"] = sets


def describe(request: Request, store: Store) -> Answer:
    """ListAccelerators."""
    first = not request.parameters.get("NextToken")
    rows = [
        thing.row
        for thing in store.accelerators.values()
        if not request.world.faults.hidden(request.service, request.operation, thing.arn, first)
    ]
    return paged(request, "Accelerators", rows, "AcceleratorArn")


def update(request: Request, store: Store) -> Answer:
    """UpdateAccelerator: what is left out stays."""
    given = request.parameters
    thing = store.accelerator(given["AcceleratorArn"])
    idle(thing)
    thing.row |= {name: given[name] for name in ("Name", "IpAddressType", "Enabled") if name in given}
    _address(thing, list(given.get("IpAddresses") or thing.row["IpSets"][0]["IpAddresses"]))
    store.work(thing)
    return {"Accelerator": thing.row}


def delete(request: Request, store: Store) -> Answer:
    """DeleteAccelerator, of a disabled one without listeners."""
    thing = store.accelerator(request.parameters["AcceleratorArn"])
    if thing.row["Enabled"]:
        raise AwsError(
            "AcceleratorNotDisabledException",
            "The accelerator that you specified could not be disabled.",
        )
    idle(thing)
    if thing.listeners:
        raise AwsError(
            "AssociatedListenerFoundException",
            "The accelerator that you specified has a listener associated with it.",
        )
    del store.accelerators[thing.arn]
    return {}


def describe_attributes(request: Request, store: Store) -> Answer:
    """DescribeAcceleratorAttributes."""
    return {"AcceleratorAttributes": store.accelerator(request.parameters["AcceleratorArn"]).attributes}


def update_attributes(request: Request, store: Store) -> Answer:
    """UpdateAcceleratorAttributes: flow logs need a bucket, and keep theirs while they are written."""
    given = {name: value for name, value in request.parameters.items() if name != "AcceleratorArn"}
    thing = store.accelerator(request.parameters["AcceleratorArn"])
    idle(thing)
    new = {**thing.attributes, **given}
    if new["FlowLogsEnabled"] and not new.get("FlowLogsS3Bucket"):
        raise refused("FlowLogsS3Bucket is required if flow logs are enabled.")
    moved = any(given.get(name, old) != old for name, old in thing.attributes.items() if "S3" in name)
    if moved and thing.attributes["FlowLogsEnabled"] and new["FlowLogsEnabled"]:
        raise refused("Flow logs have to be disabled before their destination changes.")
    thing.attributes = new
    store.work(thing)
    return {"AcceleratorAttributes": new}


def _tags(before: dict[str, str], given: Any) -> dict[str, str]:
    found = dict(before)
    for tag in given:
        if tag["Key"].lower().startswith("aws:"):
            raise refused(f"The tag key {tag['Key']} is not valid.")
        found[str(tag["Key"])] = str(tag["Value"])
    if len(found) > _MOST_TAGS:
        raise refused(f"A resource can have at most {_MOST_TAGS} tags.")
    return found


def describe_tags(request: Request, store: Store) -> Answer:
    """ListTagsForResource, of one accelerator."""
    tags = store.accelerator(request.parameters["ResourceArn"]).tags
    return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}


def put_tags(request: Request, store: Store) -> Answer:
    """TagResource."""
    thing = store.accelerator(request.parameters["ResourceArn"])
    thing.tags = _tags(thing.tags, request.parameters["Tags"])
    return {}


def take_tags(request: Request, store: Store) -> Answer:
    """UntagResource: keys that are not there do not matter."""
    thing = store.accelerator(request.parameters["ResourceArn"])
    for key in request.parameters["TagKeys"]:
        thing.tags.pop(key, None)
    return {}
