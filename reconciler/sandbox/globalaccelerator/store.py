"""What Global Accelerator remembers in an account, and how long it works at a change.  Used by every module here.

Sources: Global Accelerator API reference: the shapes of accelerator, listener and endpoint group with their ARNs, and
developer guide: changes take some minutes until they are DEPLOYED everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .. import paging
from ..errors import AwsError
from ..request import Answer, Request
from ..world import World

HOME = "us-west-2"
"""https://docs.aws.amazon.com/global-accelerator/latest/api/Welcome.html: the one region that answers."""


@dataclass
class Listener:
    """A listener as answers show it, and its groups by their ARNs."""

    row: dict[str, Any]
    groups: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass
class Accelerator:
    """An accelerator: `row` as answers show it, and what they show only when asked."""

    row: dict[str, Any]
    tags: dict[str, str] = field(default_factory=dict)
    attributes: dict[str, Any] = field(default_factory=lambda: {"FlowLogsEnabled": False})
    listeners: dict[str, Listener] = field(default_factory=dict)
    changes: int = 0

    @property
    def arn(self) -> str:
        return str(self.row["AcceleratorArn"])


@dataclass
class Store:
    """All accelerators of an account by ARN, oldest first; what tokens have made."""

    world: World
    accelerators: dict[str, Accelerator] = field(default_factory=dict)
    tokens: dict[tuple[str, str], Answer] = field(default_factory=dict)

    def accelerator(self, arn: Any) -> Accelerator:
        """An accelerator; AcceleratorNotFoundException without it."""
        if arn not in self.accelerators:
            raise AwsError("AcceleratorNotFoundException", f"The accelerator {arn} doesn't exist.")
        return self.accelerators[arn]

    def listener(self, arn: Any) -> tuple[Accelerator, Listener]:
        """A listener and whose it is; ListenerNotFoundException without it."""
        for accelerator in self.accelerators.values():
            if arn in accelerator.listeners:
                return accelerator, accelerator.listeners[arn]
        raise AwsError("ListenerNotFoundException", f"The listener {arn} doesn't exist.")

    def group(self, arn: Any) -> tuple[Accelerator, Listener, dict[str, Any]]:
        """A group of endpoints and whose it is; EndpointGroupNotFoundException without it."""
        for accelerator in self.accelerators.values():
            for listener in accelerator.listeners.values():
                if arn in listener.groups:
                    return accelerator, listener, listener.groups[arn]
        raise AwsError("EndpointGroupNotFoundException", f"The endpoint group {arn} doesn't exist.")

    def work(self, accelerator: Accelerator) -> None:
        """A change has been made, and is not everywhere yet."""
        accelerator.row |= {"Status": "IN_PROGRESS", "LastModifiedTime": self.world.settings.clock.now()}
        accelerator.changes += 1
        change = accelerator.changes

        def effect() -> None:
            if accelerator.changes == change:
                accelerator.row["Status"] = "DEPLOYED"

        seconds = self.world.settings.delays.of("accelerator", "IN_PROGRESS")
        self.world.timeline.after(seconds, effect)


def store_of(world: World, account: str) -> Store:
    """The store of an account; made when first asked for."""
    found: Store = world.stores.setdefault(("globalaccelerator", account), Store(world))
    return found


def refused(message: str) -> AwsError:
    """What a parameter that cannot be is answered with."""
    return AwsError("InvalidArgumentException", message)


def idle(accelerator: Accelerator) -> None:
    """TransactionInProgressException while a change is on its way: of the operations whose errors have it in the model.

    Whether AWS refuses all of them every time is not documented."""
    if accelerator.row["Status"] != "DEPLOYED":
        raise AwsError(
            "TransactionInProgressException",
            "There's already a transaction in progress. Another transaction can't be processed.",
        )


def paged(request: Request, many: str, rows: Iterable[Mapping[str, Any]], id: str) -> Answer:
    """One page of rows, of 10 unless more are asked for."""
    given = request.parameters
    size = int(given.get("MaxResults") or 10)
    if not 1 <= size <= 100:
        raise refused("MaxResults must be between 1 and 100.")
    try:
        page, token = paging.page(
            list(rows),
            lambda row: str(row[id]),
            min(size, request.world.settings.page_size),
            request.scope,
            given,
            request.world.order,
        )
    except paging.BadTokenError as error:
        raise AwsError("InvalidNextTokenException", "There isn't another item to return.") from error
    return {many: page} if token is None else {many: page, "NextToken": token}
