"""What Network Manager remembers: one store per account and partition, whatever region a call is signed for.

Source: the service has one endpoint per partition (botocore's endpoints: networkmanager.us-west-2.amazonaws.com for
all commercial regions). moto makes one `NetworkManagerBackend` per account and partition and resets it with the rest.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from moto.core.base_backend import BaseBackend


@dataclass
class Item:
    """One thing: the members of its shape but State and Tags, which change by themselves.

    `id`: what it is found by; for what has no id of its own, the members that identify it, joined. `arn`: "" for what
    has none. `since`: when its state last changed, on the clock's monotonic scale. `notes`: what is
    remembered of it and not shown as a member.
    """

    resource: str
    id: str
    arn: str
    members: dict[str, Any]
    state: str
    created_at: datetime
    tags: dict[str, str] = field(default_factory=dict)
    changes: int = 0  # counts state changes, so that a transition that was overtaken does nothing
    since: float = 0.0
    notes: dict[str, Any] = field(default_factory=dict)

    @property
    def is_gone(self) -> bool:
        """Whether it is only listed still."""
        return self.state == "DELETED"

    def value(self, member: str) -> Any:
        """A member of it, or its id for the member that holds that."""
        return self.id if member == f"{self.resource}Id" else self.members.get(member)


class NetworkManagerBackend(BaseBackend):
    """All Network Manager things of one account and partition."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.items: dict[str, dict[str, Item]] = {}

    def of(self, resource: str) -> dict[str, Item]:
        """The things of one resource type by id, oldest first; those being deleted included."""
        return self.items.setdefault(resource, {})

    def by_arn(self, arn: str) -> Item | None:
        """The thing with this ARN, or None."""
        if not arn:
            return None
        for items in self.items.values():
            for item in items.values():
                if item.arn == arn:
                    return item
        return None


def store_of(account: str, partition: str) -> NetworkManagerBackend:
    """The store of an account in a partition; made when first asked for."""
    from moto.networkmanager.models import networkmanager_backends

    return cast(NetworkManagerBackend, networkmanager_backends[account][partition])
