"""What is remembered of a transit or VPN thing, and how it comes, shows and goes.

moto answers none of these operations: it knows no states over time, no dependencies, and loses tags.  The things lie in
moto's own collections, by id, for other parts of moto and of the sandbox look them up there.
Source: EC2 API reference, the Create, Describe and Delete operations of each row; a deleted thing stays listed for some
hours (here one).  Called by the other modules of this package.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ...errors import AwsError
from ...request import Answer, Request
from ...settings import TERMINATED_LISTED_SECONDS
from ...world import World
from .. import missing, tags

GONE = frozenset({"deleted", "failed", "rejected"})
"""States in which a thing is listed and holds nothing any more."""


@dataclass(frozen=True)
class Sort:
    """One type of thing: `name` is the key of its delays; `one` and `many` are the members of
    answers, `id` the member with its id; `store` is moto's collection, which may hold several sorts; `type` is its type
    in tags."""

    name: str
    one: str
    many: str
    id: str
    store: str
    kind: missing.Kind
    type: str

    def of(self, backend: Any) -> dict[str, Any]:
        """The collection, by id."""
        if not hasattr(backend, self.store):
            setattr(backend, self.store, {})
        found: dict[str, Any] = getattr(backend, self.store)
        return found


TRANSIT_GATEWAY = Sort(
    "transit-gateway",
    "TransitGateway",
    "TransitGateways",
    "TransitGatewayId",
    "transit_gateways",
    missing.TRANSIT_GATEWAY,
    "transit-gateway",
)
VPC_ATTACHMENT = Sort(
    "transit-gateway-vpc-attachment",
    "TransitGatewayVpcAttachment",
    "TransitGatewayVpcAttachments",
    "TransitGatewayAttachmentId",
    "transit_gateway_attachments",
    missing.TRANSIT_GATEWAY_ATTACHMENT,
    "transit-gateway-attachment",
)
CUSTOMER_GATEWAY = Sort(
    "customer-gateway",
    "CustomerGateway",
    "CustomerGateways",
    "CustomerGatewayId",
    "customer_gateways",
    missing.CUSTOMER_GATEWAY,
    "customer-gateway",
)
VPN_GATEWAY = Sort(
    "vpn-gateway",
    "VpnGateway",
    "VpnGateways",
    "VpnGatewayId",
    "vpn_gateways",
    missing.VPN_GATEWAY,
    "vpn-gateway",
)
ROUTE_TABLE = Sort(
    "transit-gateway-route-table",
    "TransitGatewayRouteTable",
    "TransitGatewayRouteTables",
    "TransitGatewayRouteTableId",
    "transit_gateways_route_tables",
    missing.TRANSIT_GATEWAY_ROUTE_TABLE,
    "transit-gateway-route-table",
)
VPN_CONNECTION = Sort(
    "vpn-connection",
    "VpnConnection",
    "VpnConnections",
    "VpnConnectionId",
    "vpn_connections",
    missing.VPN_CONNECTION,
    "vpn-connection",
)
VPN_ATTACHMENT = Sort(
    "transit-gateway-vpn-attachment",
    "TransitGatewayAttachment",
    "TransitGatewayAttachments",
    "TransitGatewayAttachmentId",
    "transit_gateway_attachments",
    missing.TRANSIT_GATEWAY_ATTACHMENT,
    "transit-gateway-attachment",
)
"""What AWS makes for a VPN connection; no operation is about these alone."""
PEERING = Sort(
    "transit-gateway-peering-attachment",
    "TransitGatewayPeeringAttachment",
    "TransitGatewayPeeringAttachments",
    "TransitGatewayAttachmentId",
    "transit_gateway_attachments",
    missing.TRANSIT_GATEWAY_ATTACHMENT,
    "transit-gateway-attachment",
)
CONNECT = Sort(
    "transit-gateway-connect",
    "TransitGatewayConnect",
    "TransitGatewayConnects",
    "TransitGatewayAttachmentId",
    "transit_gateway_attachments",
    missing.TRANSIT_GATEWAY_ATTACHMENT,
    "transit-gateway-attachment",
)
CONNECT_PEER = Sort(
    "transit-gateway-connect-peer",
    "TransitGatewayConnectPeer",
    "TransitGatewayConnectPeers",
    "TransitGatewayConnectPeerId",
    "transit_gateway_connect_peers",
    missing.TRANSIT_GATEWAY_CONNECT_PEER,
    "transit-gateway-connect-peer",
)


@dataclass
class Thing:
    """One thing: the members that boto3 shows, less id, state and tags, and `notes` of what is not shown there."""

    sort: Sort
    id: str
    members: dict[str, Any]
    state: str = "pending"
    notes: dict[str, Any] = field(default_factory=dict)
    changes: int = 0

    @property
    def transit_gateway_id(self) -> str | None:
        """Of an attachment, a table or a VPN connection; read off moto's things elsewhere too."""
        found: str | None = self.members.get("TransitGatewayId") or self.notes.get("gateway")
        return found

    @property
    def customer_gateway_id(self) -> str | None:
        """Of a VPN connection."""
        return self.members.get("CustomerGatewayId")

    @property
    def vpn_gateway_id(self) -> str | None:
        """Of a VPN connection."""
        return self.members.get("VpnGatewayId")

    @property
    def resource_id(self) -> str | None:
        """What an attachment attaches."""
        return self.notes.get("resource")

    @property
    def is_gone(self) -> bool:
        """Whether it is only listed still."""
        return self.state in GONE

    def get_filter_value(self, filter_name: str, method_name: str | None = None) -> list[str]:
        """What moto's own DeleteVpc asks of VPN gateways; `guards.py` looks after it."""
        return []


def enter(world: World, thing: Thing, state: str, then: Callable[[], None] | None = None) -> None:
    """Puts a thing into a state, and has `then` happen when its time in it is over and nothing has changed it."""
    thing.state = state
    thing.changes += 1
    change = thing.changes

    def effect() -> None:
        if thing.changes == change and then is not None:
            then()

    if then is not None:
        world.timeline.after(world.settings.delays.of(thing.sort.name, state), effect)


def settle(world: World, thing: Thing, state: str, then: Callable[[], None] = lambda: None) -> None:
    """Puts a thing into a state that becomes `available`; `then` happens with that."""

    def available() -> None:
        enter(world, thing, "available")
        then()

    enter(world, thing, state, available)


def new_id(sort: Sort) -> str:
    """An id that nothing has."""
    return f"{sort.kind.prefix}-0{secrets.token_hex(8)}"


def make(request: Request, backend: Any, sort: Sort, members: dict[str, Any], **notes: Any) -> Thing:
    """A new thing, pending, with the tags that the request asks for."""
    thing = Thing(sort, new_id(sort), members, notes=notes)
    sort.of(backend)[thing.id] = thing
    if wanted := tags.specified(request, sort.type):
        backend.tags[thing.id].update(wanted)
    return thing


def vanish(request: Request, backend: Any, thing: Thing, then: Callable[[], None] = lambda: None) -> None:
    """Puts a thing into `deleting`, then into `deleted`, in which it stays listed for an hour."""

    def forget() -> None:
        thing.sort.of(backend).pop(thing.id, None)
        backend.tags.pop(thing.id, None)

    def deleted() -> None:
        enter(request.world, thing, "deleted")
        then()
        request.world.timeline.after(TERMINATED_LISTED_SECONDS, forget)

    enter(request.world, thing, "deleting", deleted)


def show(backend: Any, thing: Thing) -> dict[str, Any]:
    """A thing as answers show it."""
    return {
        thing.sort.id: thing.id,
        **thing.members,
        "State": thing.state,
        "Tags": tags.as_list(backend, thing.id),
    }


def answer(backend: Any, thing: Thing) -> Answer:
    """The answer of an operation that shows one thing."""
    return {thing.sort.one: show(backend, thing)}


def all_of(backend: Any, sort: Sort) -> list[Thing]:
    """All things of a sort, those that are only listed still included."""
    return [thing for thing in sort.of(backend).values() if isinstance(thing, Thing) and thing.sort is sort]


def describe(sort: Sort) -> Callable[[Request, Any], Answer]:
    """The Describe operation of a sort: all of them; ids, filters and pages are `listings.py`'s."""
    return lambda request, backend: {sort.many: [show(backend, thing) for thing in all_of(backend, sort)]}


def named(backend: Any, sort: Sort, id: Any) -> Thing:
    """The thing that a request names; the code of the type where there is none, or only its shadow."""
    found = sort.of(backend).get(str(id))
    if not isinstance(found, Thing) or found.sort is not sort or found.is_gone:
        raise AwsError(sort.kind.code, sort.kind.message.format(id))
    return found


def available(backend: Any, sort: Sort, id: Any) -> Thing:
    """The same, in the only state in which EC2 does something with it."""
    thing = named(backend, sort, id)
    check_available(thing)
    return thing


def check_available(thing: Thing) -> None:
    """IncorrectState for a thing in which something is under way."""
    if thing.state != "available":
        raise AwsError("IncorrectState", f"{thing.id} is in invalid state: {thing.state}")
