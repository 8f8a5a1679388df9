"""moto's EC2 store, and what every part of the corrections looks up in it.

moto's models have few types, so they are `Any` from here on.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..request import Request

# instance states in which it holds nothing any more
DEAD = ("terminated",)


def backend_of(request: Request) -> Any:
    """moto's store of the request's account and region."""
    from moto.ec2.models import ec2_backends

    return ec2_backends[request.account][request.region]


def instances(backend: Any) -> Iterator[Any]:
    """All instances that are still listed."""
    for reservation in backend.reservations.values():
        yield from reservation.instances


def find_instance(backend: Any, instance_id: str) -> Any:
    """An instance by id, or None."""
    return next((instance for instance in instances(backend) if instance.id == instance_id), None)


def subnets(backend: Any) -> Iterator[Any]:
    """All subnets."""
    for zone in backend.subnets.values():
        yield from zone.values()


def find_subnet(backend: Any, subnet_id: str) -> Any:
    """A subnet by id, or None."""
    return next((subnet for subnet in subnets(backend) if subnet.id == subnet_id), None)


def groups(backend: Any) -> Iterator[Any]:
    """All security groups."""
    for of_network in backend.groups.values():
        yield from of_network.values()


def find_group(backend: Any, group_id: str) -> Any:
    """A security group by id, or None."""
    return next((group for group in groups(backend) if group.id == group_id), None)


def default_group(backend: Any, vpc_id: str) -> Any:
    """The default security group of a network, or None."""
    return next(
        (group for group in groups(backend) if group.vpc_id == vpc_id and group.name == "default"), None
    )


def are_peered(backend: Any, one: str, other: str) -> bool:
    """Whether an active peering connects two networks."""
    return any(
        peering._status.code == "active" and {peering.vpc.id, peering.peer_vpc.id} == {one, other}
        for peering in backend.vpc_pcxs.values()
    )


def find_address(backend: Any, allocation_id: str) -> Any:
    """An elastic address by id, or None."""
    return next((one for one in backend.addresses if one.allocation_id == allocation_id), None)


def interfaces(backend: Any) -> Iterator[Any]:
    """All network interfaces that exist: those of terminated instances are gone with them."""
    yield from backend.enis.values()


def placement_groups(backend: Any) -> dict[str, dict[str, Any]]:
    """The placement groups of a region by name, as answers show them, less their tags; moto has none."""
    found: dict[str, dict[str, Any]] = backend.__dict__.setdefault("placement_groups", {})
    return found


def find_placement_group(backend: Any, id: str) -> Any:
    """A placement group by id, or None."""
    return next((one for one in placement_groups(backend).values() if one["GroupId"] == id), None)


def reservations_of_capacity(backend: Any) -> dict[str, dict[str, Any]]:
    """The capacity reservations of a region by id, as answers show them, less their tags; moto has none."""
    found: dict[str, dict[str, Any]] = backend.__dict__.setdefault("capacity_reservations", {})
    return found


def find_key_pair(backend: Any, id: str) -> Any:
    """A key pair by id, or None."""
    return next((one for one in backend.key_pairs.values() if one.id == id), None)


def find_rule(backend: Any, rule_id: str) -> Any:
    """A security group rule by id, or None."""
    for group in groups(backend):
        for rule in (*group.ingress_rules, *group.egress_rules):
            if rule.id == rule_id:
                return rule
    return None
