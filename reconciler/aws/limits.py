"""The rates that AWS publishes, kept on our side: a pass slows itself before AWS does.  Used by `traffic` and `apply`.

A token bucket for each account, region and API, as AWS has them, so that what is slow in one place slows nothing else.
Others in the account draw from AWS's buckets too: when AWS refuses a call all the same, ours is taken for empty.

Source: EC2 developer guide, "Request throttling for the Amazon EC2 API"; Route 53 developer guide, "Quotas" (five
requests per second and account).  Network Manager has no published rates: ours is an assumption, and a careful one.
Of the other services nothing is known, and their calls are not held back.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from reconciler.aws.patience import Place


class Rate(NamedTuple):
    """How many calls (or things) at once, and how many more each second."""

    burst: float
    second: float


READS = ("Describe", "Get", "List", "Lookup", "Search")
"""What operations that change nothing begin with."""
READING, CHANGING = Rate(100, 20), Rate(50, 5)
UNPAGED = Rate(50, 10)
PAGED = ("MaxResults", "NextToken", "Filter")
"""What the parameters of a list begin with, one of which makes it cheap for AWS."""
HEAVY = frozenset(
    f"Describe{name}"
    for name in (
        *("Instances", "InstanceStatus", "NetworkInterfaces", "SecurityGroups", "Snapshots"),
        *("SpotInstanceRequests", "Volumes"),
    )
)
"""Lists that are dear without it: those of things by their ids."""
ROUTE_53, NETWORK_MANAGER = Rate(5, 5), Rate(10, 5)
BETWEEN = 0.5
"""Seconds that a call takes on its way, about."""
SLACK = 0.1
"""Seconds that are waited longer: one call may be faster on its way than the one before it."""


def _each(rate: Rate, *operations: str) -> dict[str, Rate]:
    return dict.fromkeys(operations, rate)


OPERATIONS: Mapping[str, Rate] = {
    **_each(Rate(5, 2), "RunInstances", "StartInstances"),
    **_each(Rate(100, 5), "TerminateInstances", "CreateVolume", "DeleteVolume"),
    **_each(Rate(100, 10), "CreateTags", "DeleteTags"),
    **_each(Rate(10, 1), "CreateNatGateway", "DeleteNatGateway"),
    **_each(Rate(4, 0.3), "CreateVpcEndpoint", "ModifyVpcEndpoint", "DeleteVpcEndpoints"),
    **_each(
        Rate(100, 5), "CreateNetworkInterface", "DeleteNetworkInterface", "ModifyNetworkInterfaceAttribute"
    ),
    **_each(Rate(100, 5), "AssociateIamInstanceProfile", "DisassociateIamInstanceProfile"),
    **_each(
        Rate(100, 5),
        "ModifyInstanceMetadataOptions",
        "CreateLaunchTemplateVersion",
        "ModifyLaunchTemplate",
    ),
    **_each(Rate(20, 5), "DescribeSecurityGroupReferences"),
}
"""Those of EC2 that have a rate of their own."""
INSTANCES: Mapping[str, Rate] = {
    **_each(Rate(1000, 2), "RunInstances", "StartInstances"),
    **_each(Rate(1000, 20), "TerminateInstances", "StopInstances"),
}
"""How many instances such calls may be about."""


def rates(service: str, operation: str, parameters: Mapping[str, Any]) -> list[tuple[str, Rate, float]]:
    """The buckets that a call draws from, each with its name, its rate, and how much is drawn."""
    if service == "route53":
        return [("", ROUTE_53, 1.0)]
    if service == "networkmanager":
        return [(operation, NETWORK_MANAGER, 1.0)]
    if service != "ec2":
        return []
    if operation in HEAVY and not any(name.startswith(PAGED) for name in parameters):
        return [(f"{operation} by ids", UNPAGED, 1.0)]
    usual = READING if operation.startswith(READS) else CHANGING
    found = [(operation, OPERATIONS.get(operation, usual), 1.0)]
    if operation in INSTANCES:
        count = parameters.get("MaxCount") or len(parameters.get("InstanceIds", ())) or 1
        found.append((f"instances of {operation}", INSTANCES[operation], float(count)))
    return found


@dataclass
class _Bucket:
    """What is left, as of a moment; less than nothing is what others have been promised.

    `drained`: it was empty since it was last full, so that AWS's may be behind ours by the time that calls take.
    """

    left: float
    at: float
    drained: bool = False

    def lacks(self, rate: Rate, count: float = 0.0) -> float:
        """Seconds until it has what it should, once so much more is drawn from it."""
        kept = SLACK * rate.second if self.drained else 0.0
        return max(0.0, (kept + count - self.left) / rate.second)


class Limits:
    """All buckets of a process.

    `now` is a monotonic clock in seconds, `wait` lets so many seconds pass, or less where the program is to stop.
    """

    def __init__(self, now: Callable[[], float], wait: Callable[[float], None]) -> None:
        self._now, self._wait = now, wait
        self._lock = threading.Lock()
        self._buckets: dict[tuple[Place, str, str], _Bucket] = {}

    def take(self, place: Place, service: str, operation: str, parameters: Mapping[str, Any]) -> float:
        """Wait until AWS should take a call; gives for how many seconds.  Who came first goes first."""
        needed = 0.0
        with self._lock:
            for name, rate, count in rates(service, operation, parameters):
                bucket = self._filled(place, service, name, rate)
                bucket.left -= count
                bucket.drained = bucket.drained or bucket.left < 0
                needed = max(needed, bucket.lacks(rate))
                bucket.drained = bucket.drained or bucket.left < SLACK * rate.second
        if needed > 0:
            self._wait(needed)
        return needed

    def has_room(
        self, place: Place, service: str, operation: str, parameters: Mapping[str, Any], flying: int
    ) -> bool:
        """Whether one call more should be begun now, while `flying` of its sort are.

        Who waits for a bucket holds a worker: of those that wait, as many are enough as keep it empty.
        """
        with self._lock:
            for name, rate, count in rates(service, operation, parameters):
                enough = flying >= 1 + int(rate.second * BETWEEN)
                if enough and self._filled(place, service, name, rate).left < (flying + 1) * count:
                    return False
        return True

    def at_once(
        self, place: Place, service: str, operation: str, parameters: Mapping[str, Any], flying: int
    ) -> bool:
        """Whether AWS should take a call now, and those of its sort that are on their way."""
        with self._lock:
            for name, rate, count in rates(service, operation, parameters):
                if self._filled(place, service, name, rate).lacks(rate, (flying + 1) * count):
                    return False
        return True

    def refused(self, place: Place, service: str, operation: str) -> None:
        """AWS has refused a call for its rate: others have taken what we thought was left."""
        with self._lock:
            for name, rate, _ in (*rates(service, operation, {}), *rates(service, operation, {PAGED[0]: 1})):
                if rate is INSTANCES.get(operation):
                    continue  # AWS does not say which it was, and that of calls is far sooner empty
                bucket = self._filled(place, service, name, rate)
                bucket.left = min(bucket.left, 0.0)

    def _filled(self, place: Place, service: str, name: str, rate: Rate) -> _Bucket:
        now = self._now()
        bucket = self._buckets.setdefault((place, service, name), _Bucket(rate.burst, now))
        bucket.left = min(rate.burst, bucket.left + (now - bucket.at) * rate.second)
        bucket.at, bucket.drained = now, bucket.drained and bucket.left < rate.burst
        return bucket
