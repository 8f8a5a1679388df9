"""Listeners and groups of endpoints.

Sources: Global Accelerator API reference (CreateListener: InvalidPortRangeException; CreateEndpointGroup: one of a
listener in a region, its defaults, "a resource must be valid and active when you add it as an endpoint";
UpdateEndpointGroup: endpoints that are left out go; DeleteListener: AssociatedEndpointGroupFoundException).  By the
model, none of these is refused while another change is on its way.  Called by `answers.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from moto.moto_api._internal import mock_random

from ..ec2 import backend as ec2
from ..elbv2.store import store_of as balancing
from ..errors import AwsError
from ..request import Answer, Request
from .store import Accelerator, Listener, Store, paged, refused

_MOST = 10
"""Listeners of an accelerator, groups of a listener, endpoints of a group: developer guide, "Quotas"."""
_DEFAULTS: Mapping[str, Any] = {
    "TrafficDialPercentage": 100.0,
    "HealthCheckProtocol": "TCP",
    "HealthCheckIntervalSeconds": 30,
    "ThresholdCount": 3,
}
_MEMBERS = (*_DEFAULTS, "HealthCheckPort", "HealthCheckPath", "PortOverrides")


def _again(
    make: Callable[[Request, Store], tuple[Accelerator, Answer]],
) -> Callable[[Request, Store], Answer]:
    """The same once more where a token comes again."""

    def answer(request: Request, store: Store) -> Answer:
        token = (request.operation, str(request.parameters["IdempotencyToken"]))
        if token not in store.tokens:
            accelerator, store.tokens[token] = make(request, store)
            store.work(accelerator)
        return store.tokens[token]

    return answer


# ---- listeners


def _ports(accelerator: Accelerator, row: Mapping[str, Any], but: str = "") -> None:
    ranges = row["PortRanges"]
    for one in ranges:
        if not 1 <= one["FromPort"] <= one["ToPort"] <= 65535:
            raise AwsError("InvalidPortRangeException", f"{one} is no range of ports.")
    for arn, other in accelerator.listeners.items():
        if arn == but or other.row["Protocol"] != row["Protocol"]:
            continue
        for one in ranges:
            for theirs in other.row["PortRanges"]:
                if one["FromPort"] <= theirs["ToPort"] and theirs["FromPort"] <= one["ToPort"]:
                    message = f"The port range overlaps with that of {arn}."
                    raise AwsError("InvalidPortRangeException", message)


def _create(request: Request, store: Store) -> tuple[Accelerator, Answer]:
    given = request.parameters
    accelerator = store.accelerator(given["AcceleratorArn"])
    if len(accelerator.listeners) >= _MOST:
        raise AwsError("LimitExceededException", f"An accelerator can have {_MOST} listeners.")
    row = {
        "ListenerArn": f"{accelerator.arn}/listener/{mock_random.get_random_hex(8)}",
        "PortRanges": list(given["PortRanges"]),
        "Protocol": given["Protocol"],
        "ClientAffinity": given.get("ClientAffinity") or "NONE",
    }
    _ports(accelerator, row)
    accelerator.listeners[row["ListenerArn"]] = Listener(row)
    return accelerator, {"Listener": row}


create = _again(_create)


def describe(request: Request, store: Store) -> Answer:
    """ListListeners."""
    accelerator = store.accelerator(request.parameters["AcceleratorArn"])
    return paged(request, "Listeners", [one.row for one in accelerator.listeners.values()], "ListenerArn")


def update(request: Request, store: Store) -> Answer:
    """UpdateListener: what is left out stays."""
    given = request.parameters
    accelerator, listener = store.listener(given["ListenerArn"])
    row = {**listener.row, **given}
    _ports(accelerator, row, but=given["ListenerArn"])
    listener.row = row
    store.work(accelerator)
    return {"Listener": row}


def delete(request: Request, store: Store) -> Answer:
    """DeleteListener, of one without groups."""
    arn = request.parameters["ListenerArn"]
    accelerator, listener = store.listener(arn)
    if listener.groups:
        raise AwsError(
            "AssociatedEndpointGroupFoundException",
            "The listener that you specified has an endpoint group associated with it.",
        )
    del accelerator.listeners[arn]
    store.work(accelerator)
    return {}


# ---- groups


def _endpoints(request: Request, region: str, given: Any) -> list[dict[str, Any]]:
    if len(given) > _MOST:
        raise AwsError("LimitExceededException", f"An endpoint group can have {_MOST} endpoints.")
    found = []
    for one in given:
        id = str(one.get("EndpointId") or "")
        if not _is_there(request, region, id):
            raise refused(f"The endpoint {id} is not valid and active in {region}.")
        kept = _keeps_addresses(request, region, id)
        found.append(
            {
                "EndpointId": id,
                "Weight": one.get("Weight", 128),
                "HealthState": "HEALTHY",
                "ClientIPPreservationEnabled": one.get("ClientIPPreservationEnabled", kept),
            }
        )
    return found


def _is_there(request: Request, region: str, id: str) -> bool:
    if id.startswith("arn:"):
        balancer = balancing(request.world, request.account, region).balancers.get(id)
        return balancer is not None and balancer.row["State"]["Code"] == "active"
    from moto.ec2.models import ec2_backends

    store = ec2_backends[request.account][region]
    if id.startswith("eipalloc-"):
        return ec2.find_address(store, id) is not None
    instance = ec2.find_instance(store, id)
    return instance is not None and instance.state == "running"


def _keeps_addresses(request: Request, region: str, id: str) -> bool:
    """Application load balancers and instances are told the client's address unless it is said otherwise."""
    return id.startswith("i-") or ":loadbalancer/app/" in id


def _create_group(request: Request, store: Store) -> tuple[Accelerator, Answer]:
    given = request.parameters
    accelerator, listener = store.listener(given["ListenerArn"])
    region = str(given["EndpointGroupRegion"])
    if any(one["EndpointGroupRegion"] == region for one in listener.groups.values()):
        raise AwsError("EndpointGroupAlreadyExistsException", f"There is a group in {region} already.")
    if len(listener.groups) >= _MOST:
        raise AwsError("LimitExceededException", f"A listener can have {_MOST} endpoint groups.")
    row = {
        "EndpointGroupArn": f"{given['ListenerArn']}/endpoint-group/{mock_random.get_random_hex(12)}",
        "EndpointGroupRegion": region,
        **_DEFAULTS,
        "HealthCheckPort": listener.row["PortRanges"][0]["FromPort"],
        "PortOverrides": [],
        **{name: given[name] for name in _MEMBERS if name in given},
        "EndpointDescriptions": _endpoints(request, region, given.get("EndpointConfigurations") or ()),
    }
    _health(row)
    listener.groups[row["EndpointGroupArn"]] = row
    return accelerator, {"EndpointGroup": row}


create_group = _again(_create_group)


def _health(row: dict[str, Any]) -> None:
    if row["HealthCheckIntervalSeconds"] not in (10, 30):
        raise refused("HealthCheckIntervalSeconds must be 10 or 30.")
    if row["HealthCheckProtocol"] != "TCP":
        row.setdefault("HealthCheckPath", "/")


def describe_groups(request: Request, store: Store) -> Answer:
    """ListEndpointGroups."""
    _, listener = store.listener(request.parameters["ListenerArn"])
    return paged(request, "EndpointGroups", list(listener.groups.values()), "EndpointGroupArn")


def update_group(request: Request, store: Store) -> Answer:
    """UpdateEndpointGroup: what is left out stays, but endpoints come whole."""
    given = request.parameters
    accelerator, listener, row = store.group(given["EndpointGroupArn"])
    new = {**row, **{name: given[name] for name in _MEMBERS if name in given}}
    if "EndpointConfigurations" in given:
        region = row["EndpointGroupRegion"]
        new["EndpointDescriptions"] = _endpoints(request, region, given["EndpointConfigurations"])
    _health(new)
    listener.groups[given["EndpointGroupArn"]] = new
    store.work(accelerator)
    return {"EndpointGroup": new}


def delete_group(request: Request, store: Store) -> Answer:
    """DeleteEndpointGroup."""
    arn = request.parameters["EndpointGroupArn"]
    accelerator, listener, _ = store.group(arn)
    del listener.groups[arn]
    store.work(accelerator)
    return {}
