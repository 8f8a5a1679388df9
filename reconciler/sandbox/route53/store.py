"""What Route 53 remembers in an account.  Used by every module of this package.

Sources: Route 53 API reference: CreateHostedZone (CallerReference), quotas (10 tags), and the developer guide, "DNS
domain name format".
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import AwsError
from ..world import World

Key = tuple[str, str, str]


@dataclass
class Zone:
    """A hosted zone: `row` as lists show it, and its records by name, type and SetIdentifier."""

    row: dict[str, Any]
    tags: dict[str, str] = field(default_factory=dict)
    records: dict[Key, dict[str, Any]] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return bare(self.row["Id"])

    @property
    def own(self) -> set[Key]:
        """The records that come and go with it."""
        return {(str(self.row["Name"]), type, "") for type in ("NS", "SOA")}


@dataclass
class Store:
    """All zones of an account by id, oldest first; every CallerReference that was ever used; when changes were made."""

    world: World
    zones: dict[str, Zone] = field(default_factory=dict)
    references: set[str] = field(default_factory=set)
    changes: dict[str, Any] = field(default_factory=dict)

    def zone(self, id: Any) -> Zone:
        """A zone; NoSuchHostedZone without it."""
        if bare(id) not in self.zones:
            raise AwsError("NoSuchHostedZone", f"No hosted zone found with ID: {bare(id)}")
        return self.zones[bare(id)]

    def change(self) -> dict[str, Any]:
        """What a change answers: it is made, and not yet everywhere."""
        id, now = f"/change/C{secrets.token_hex(10).upper()}", self.world.settings.clock.now()
        self.changes[bare(id)] = now
        return {"Id": id, "Status": "PENDING", "SubmittedAt": now}


def store_of(world: World, account: str) -> Store:
    """The store of an account; made when first asked for."""
    found: Store = world.stores.setdefault(("route53", account), Store(world))
    return found


def bare(id: Any) -> str:
    """An id without what answers put before it."""
    return str(id).rpartition("/")[2]


def refused(message: str) -> AwsError:
    """What a parameter that cannot be is answered with."""
    return AwsError("InvalidInput", message)


def spelt(name: Any) -> str:
    """A name as Route 53 shows it."""
    return f"{str(name).lower().removesuffix('.')}.".replace("*", "\\052")


def pairs(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Tags as answers show them."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]
