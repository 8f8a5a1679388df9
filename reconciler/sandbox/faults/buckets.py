"""Token buckets: how many requests AWS takes before it refuses some.  Used by `faults`.

Source: EC2 developer guide, "Request throttling for the Amazon EC2 API": one bucket for each account, region and API
action, or group of actions; bucket size and refill a second.  RunInstances, StartInstances, StopInstances and
TerminateInstances take from a second bucket one token for each instance.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..calls import is_read


class Size(NamedTuple):
    """What a bucket holds when it is full, and what comes in each second."""

    burst: float
    refill: float


READ, SLOW_READ, WRITE = Size(100, 20), Size(50, 10), Size(50, 5)
HEAVY_READS = frozenset(
    f"Describe{name}"
    for name in (
        *("Instances", "InstanceStatus", "NetworkInterfaces", "SecurityGroups", "Snapshots"),
        *("SpotInstanceRequests", "Volumes"),
    )
)
"""They fall into a slower bucket when they name neither a page size nor a filter."""
OWN: Mapping[str, Size] = {
    **dict.fromkeys(("RunInstances", "StartInstances"), Size(5, 2)),
    "TerminateInstances": Size(100, 5),
    **dict.fromkeys(("CreateTags", "DeleteTags"), Size(100, 10)),
    **dict.fromkeys(
        (
            *("CreateVolume", "DeleteVolume", "CreateNetworkInterface", "DeleteNetworkInterface"),
            *("ModifyNetworkInterfaceAttribute", "AssignPrivateIpAddresses", "AssignIpv6Addresses"),
            *("AssociateIamInstanceProfile", "DisassociateIamInstanceProfile"),
            *("ModifyInstanceMetadataOptions", "CreateLaunchTemplateVersion", "ModifyLaunchTemplate"),
        ),
        Size(100, 5),
    ),
    **dict.fromkeys(("CreateNatGateway", "DeleteNatGateway"), Size(10, 1)),
    **dict.fromkeys(("CreateVpcEndpoint", "ModifyVpcEndpoint", "DeleteVpcEndpoints"), Size(4, 0.3)),
    "DescribeInstanceTopology": Size(1, 1),
    **dict.fromkeys(("DescribeStaleSecurityGroups", "DescribeSecurityGroupReferences"), Size(20, 5)),
    **dict.fromkeys(("DescribeCapacityBlockOfferings", "PurchaseCapacityBlock"), Size(10, 0.15)),
    **dict.fromkeys(("CreateDefaultVpc", "CreateDefaultSubnet"), Size(1, 1)),
}
INSTANCES: Mapping[str, Size] = {
    **dict.fromkeys(("RunInstances", "StartInstances"), Size(1000, 2)),
    **dict.fromkeys(("StopInstances", "TerminateInstances"), Size(1000, 20)),
}
UNPUBLISHED = Size(10, 5)
"""Network Manager: AWS publishes no rates for it; an assumption, and a careful one."""


def published(service: str, operation: str, parameters: Mapping[str, Any]) -> list[tuple[str, Size, float]]:
    """The buckets that a call takes from: name, size, and how many tokens.  None is known of other services."""
    if service == "networkmanager":
        return [(operation, UNPUBLISHED, 1.0)]
    if service != "ec2":
        return []
    size = OWN.get(operation) or (READ if is_read(operation) else WRITE)
    paged = any(parameters.get(name) for name in ("MaxResults", "Filters", "NextToken"))
    name = operation
    if operation in HEAVY_READS and not paged:
        name, size = f"{operation} of everything", SLOW_READ
    found = [(name, size, 1.0)]
    if operation in INSTANCES:
        count = parameters.get("MaxCount") or len(parameters.get("InstanceIds") or ())
        found.append((f"instances of {operation}", INSTANCES[operation], float(count)))
    return found


@dataclass
class Bucket:
    """A bucket on its way; `left` tokens at the moment `at`."""

    size: Size
    left: float
    at: float

    def fill(self, now: float) -> None:
        """Lets in what has come since it was last looked at."""
        self.left = min(self.size.burst, self.left + (now - self.at) * self.size.refill)
        self.at = now


class Buckets:
    """All buckets of one rule; they are full at first."""

    def __init__(self) -> None:
        self._all: dict[tuple[str, ...], Bucket] = {}

    def take(self, where: tuple[str, ...], wanted: list[tuple[str, Size, float]], now: float) -> bool:
        """Whether all buckets hold what is wanted of them, which is then taken out; a refusal takes nothing."""
        taken = []
        for name, size, tokens in wanted:
            bucket = self._all.setdefault((*where, name), Bucket(size, size.burst, now))
            bucket.fill(now)
            taken.append((bucket, tokens))
        if any(bucket.left + 1e-9 < tokens for bucket, tokens in taken):
            return False
        for bucket, tokens in taken:
            bucket.left -= tokens
        return True
