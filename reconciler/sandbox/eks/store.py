"""What EKS remembers in a region of an account.  Used by every module of this package.

Sources: Amazon EKS API reference (Cluster, Nodegroup, Update, TagResource) and its error codes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from moto.moto_api._internal import mock_random

from .. import paging
from ..errors import AwsError
from ..request import Answer, Request
from ..world import World


@dataclass
class Group:
    """A group of nodes: `row` as answers show it."""

    row: dict[str, Any]

    @property
    def name(self) -> str:
        return str(self.row["nodegroupName"])


@dataclass
class Cluster:
    """A cluster: `row` as answers show it, and its groups by their names."""

    row: dict[str, Any]
    groups: dict[str, Group] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return str(self.row["name"])


@dataclass
class Store:
    """All clusters of a region of an account by name, oldest first; what tokens have made."""

    world: World
    account: str
    region: str
    clusters: dict[str, Cluster] = field(default_factory=dict)
    tokens: dict[tuple[str, str], Answer] = field(default_factory=dict)

    def cluster(self, name: Any) -> Cluster:
        """A cluster; ResourceNotFoundException without it."""
        if name not in self.clusters:
            raise AwsError("ResourceNotFoundException", f"No cluster found for name: {name}.")
        return self.clusters[name]

    def group(self, cluster: Any, name: Any) -> tuple[Cluster, Group]:
        """A group and its cluster; ResourceNotFoundException without it."""
        found = self.cluster(cluster)
        if name not in found.groups:
            raise AwsError("ResourceNotFoundException", f"No node group found for name: {name}.")
        return found, found.groups[name]

    def row(self, arn: Any) -> dict[str, Any]:
        """What has this ARN; NotFoundException without it."""
        for cluster in self.clusters.values():
            for row in (cluster.row, *(group.row for group in cluster.groups.values())):
                if arn in (row.get("arn"), row.get("nodegroupArn")):
                    return row
        raise AwsError("NotFoundException", f"The resource {arn} was not found.")

    @property
    def all(self) -> dict[str, dict[str, str]]:
        """The tags of everything, by ARN."""
        clusters = list(self.clusters.values())
        groups = [group for cluster in clusters for group in cluster.groups.values()]
        return {str(one.row["arn"]): one.row["tags"] for one in clusters} | {
            str(one.row["nodegroupArn"]): one.row["tags"] for one in groups
        }

    def after(self, kind: str, state: str, effect: Callable[[], None]) -> None:
        """Has something happen when a state is over."""
        self.world.timeline.after(self.world.settings.delays.of(kind, state), effect)

    def update(
        self, kind: str, row: dict[str, Any], type: str, change: dict[str, Any], cluster: str
    ) -> Answer:
        """Works at a change: it is seen when it is done."""
        row["status"] = "UPDATING"

        def effect() -> None:
            row.update(change, status="ACTIVE")

        self.after(kind, "UPDATING", effect)
        now = self.world.settings.clock.now()
        id = str(mock_random.uuid4())
        return {"update": {"id": id, "status": "InProgress", "type": type, "createdAt": now, "params": []}}

    @property
    def ec2(self) -> Any:
        """moto's store of EC2's things of the region."""
        from moto.ec2.models import ec2_backends

        return ec2_backends[self.account][self.region]


def store_of(world: World, account: str, region: str) -> Store:
    """The store of a region of an account; made when first asked for."""
    found: Store = world.stores.setdefault(("eks", account, region), Store(world, account, region))
    return found


def invalid(message: str) -> AwsError:
    """What a parameter that cannot be is answered with."""
    return AwsError("InvalidParameterException", message)


def busy(message: str) -> AwsError:
    """What is answered while something else is under way, or in the way."""
    return AwsError("ResourceInUseException", message)


def has_role(store: Store, arn: Any) -> None:
    """InvalidParameterException for a role that is not there."""
    from moto.iam.models import iam_backends

    if all(role.arn != arn for role in iam_backends[store.account]["aws"].roles.values()):
        raise invalid(f"Role with arn: {arn}, could not be assumed because it does not exist.")


def listed(request: Request, many: str, arns: Mapping[str, str]) -> Answer:
    """One page of names, of 100 unless fewer are asked for; `arns` by name are of all that there are."""
    given, hidden = request.parameters, request.world.faults.hidden
    first = not given.get("nextToken")
    names = [name for name, arn in arns.items() if not hidden(request.service, request.operation, arn, first)]
    size = int(given.get("maxResults") or 100)
    asked = {name: value for name, value in given.items() if name not in ("maxResults", "nextToken")}
    token = {"NextToken": given["nextToken"]} if given.get("nextToken") else {}
    try:
        page, more = paging.page(
            names,
            str,
            min(size, request.world.settings.page_size),
            request.scope,
            {**asked, **token},
            request.world.order,
        )
    except paging.BadTokenError as error:
        raise invalid("The nextToken is not valid.") from error
    return {many: page} if more is None else {many: page, "nextToken": more}
