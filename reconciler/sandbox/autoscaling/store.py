"""What Auto Scaling remembers in one region of an account.  Used by every module of this package."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..errors import AwsError
from ..world import World

TYPE = "auto-scaling-group"


@dataclass
class Group:
    """A group: `row` as answers show it, less its instances; each of these by its id, as answers show it."""

    row: dict[str, Any]
    tags: dict[str, tuple[str, bool]] = field(default_factory=dict)
    instances: dict[str, dict[str, Any]] = field(default_factory=dict)
    refreshes: list[dict[str, Any]] = field(default_factory=list)
    launching: bool = False

    @property
    def name(self) -> str:
        return str(self.row["AutoScalingGroupName"])

    @property
    def kept(self) -> dict[str, dict[str, Any]]:
        """Its instances, less those on their way out."""
        return {id: one for id, one in self.instances.items() if one["LifecycleState"] != "Terminating"}


@dataclass
class Store:
    """All groups of a region of an account, by name, oldest first."""

    world: World
    account: str
    region: str
    groups: dict[str, Group] = field(default_factory=dict)

    def group(self, name: Any) -> Group:
        """A group; a ValidationError without it."""
        if name not in self.groups:
            raise refused(f"AutoScalingGroup name not found - no such group: {name}")
        return self.groups[str(name)]

    @property
    def ec2(self) -> Any:
        """moto's store of EC2's things of the region."""
        from moto.ec2.models import ec2_backends

        return ec2_backends[self.account][self.region]

    def after(self, state: str, effect: Any) -> None:
        """Has something happen when a state is over."""
        self.world.timeline.after(self.world.settings.delays.of(TYPE, state), effect)


def store_of(world: World, account: str, region: str) -> Store:
    """The store of a region of an account; made when first asked for."""
    found: Store = world.stores.setdefault(("autoscaling", account, region), Store(world, account, region))
    return found


def refused(message: str) -> AwsError:
    """What a parameter that cannot be is answered with, and what is not there."""
    return AwsError("ValidationError", message)
