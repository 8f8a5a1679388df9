"""What ties Network Manager's things together and has no tags of its own: associations and registrations, as parts.

Facts: https://docs.aws.amazon.com/networkmanager/latest/APIReference/ (AssociateLink, AssociateCustomerGateway,
AssociateTransitGatewayConnectPeer, AssociateConnectPeer, RegisterTransitGateway).  Each lies in one global network,
is listed for all of it at once, and cannot be changed: another device or link means to take it out, to wait until it is
gone, and to put it in.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

import jmespath

from reconciler.model.calls import Call
from reconciler.model.kind import Item, Part
from reconciler.model.reads import Companion
from reconciler.model.things import Observed, Spec
from reconciler.model.verdicts import Steps, Wait

GONE = frozenset({"DELETED"})
LEAVING = GONE | {"DELETING"}
"""States of an association that is as good as gone; it may be listed for a while."""
FAILED = "FAILED"


def _call(operation: str, **parameters: Any) -> Call:
    return Call(service="networkmanager", operation=operation, parameters=parameters)


def _rows(
    name: str, members: Sequence[str], state: str, less: frozenset[str] = LEAVING
) -> Callable[[Spec], list[Item]]:
    """The items that a list shows, but for those in some states."""
    find = jmespath.compile(state)

    def rows(raw: Spec) -> list[Item]:
        # not asked for where nothing of the config is about it
        return [
            {member: row[member] for member in members if row.get(member)}
            | ({"State": FAILED} if find.search(row) == FAILED else {})
            for row in raw.get(name, ())
            if find.search(row) not in less
        ]

    return rows


@dataclass(frozen=True)
class Tie:
    """A part that ties its owner to something, the list that shows it, and where in a row of it the state stands."""

    part: Part
    list: Companion
    find: Any


def association(
    *,
    field: str,
    listed: str,
    add: str,
    remove: str,
    key: str,
    more: Sequence[str] = (),
    state: str = "State",
    owner: str = "DeviceId",
    removed_by: Sequence[str] = (),
    needed_by: frozenset[str] | None = None,
) -> Tie:
    """A part that associates its owner with what `key` names, and the list that shows it.

    What is taken out by its key alone is in one thing alone.

    `field` is its name in the config, `listed` the list's in the answer of `Get<listed>`.  `more` are further members
    of an item, `removed_by` further members of the owner that the removing call takes; `needed_by`: see `Part`.
    """
    members = (key, *more)
    given = frozenset({"GlobalNetworkId", owner})

    def normal(item: Item) -> Item:
        return {member: item[member] for member in members if item.get(member)} | {"State": ""}

    def place(thing: Observed) -> dict[str, Any]:
        return {name: thing.raw[name] for name in sorted(given)}

    def put(thing: Observed, items: Sequence[Item]) -> list[Call]:
        return [
            _call(add, **place(thing), **{member: item[member] for member in members if item.get(member)})
            for item in items
        ]

    def take(thing: Observed, items: Sequence[Item]) -> list[Call]:
        who = {name: thing.raw[name] for name in ("GlobalNetworkId", *removed_by)}
        return [_call(remove, **who, **{key: item[key]}) for item in items]

    part = Part(
        field=field,
        shape=f"{add}Request",
        rows=_rows(listed, members, state),
        normal=normal,
        key=lambda item: item[key],
        add=put,
        remove=take,
        change=take,  # with its other link it is put in by the look that finds it gone
        operations=(add, remove),
        given=given,
        alone=not removed_by,
        holding=_rows(listed, members, state, less=GONE),
        needed_by=needed_by,
    )
    companion = Companion(
        name=listed,
        operation=f"Get{listed}",
        path=listed,
        key=owner,
        within="global-network",
        each=owner if removed_by else None,
        fields=frozenset({field}),
    )
    return Tie(part, companion, jmespath.compile(state))


LINKS = association(
    field="Links",
    listed="LinkAssociations",
    add="AssociateLink",
    remove="DisassociateLink",
    key="LinkId",
    state="LinkAssociationState",
    removed_by=("DeviceId",),
)
CUSTOMER_GATEWAYS = association(
    field="CustomerGateways",
    listed="CustomerGatewayAssociations",
    add="AssociateCustomerGateway",
    remove="DisassociateCustomerGateway",
    key="CustomerGatewayArn",
    more=("LinkId",),
)
TRANSIT_GATEWAY_CONNECT_PEERS = association(
    field="TransitGatewayConnectPeers",
    listed="TransitGatewayConnectPeerAssociations",
    add="AssociateTransitGatewayConnectPeer",
    remove="DisassociateTransitGatewayConnectPeer",
    key="TransitGatewayConnectPeerArn",
    more=("LinkId",),
)
CONNECT_PEERS = association(
    field="ConnectPeers",
    listed="ConnectPeerAssociations",
    add="AssociateConnectPeer",
    remove="DisassociateConnectPeer",
    key="ConnectPeerId",
    more=("LinkId",),
)
TRANSIT_GATEWAYS = association(
    field="TransitGateways",
    listed="TransitGatewayRegistrations",
    add="RegisterTransitGateway",
    remove="DeregisterTransitGateway",
    key="TransitGatewayArn",
    state="State.Code",
    owner="GlobalNetworkId",
    needed_by=frozenset({"device"}),  # its customer gateways and connect peers are known by the registration
)
DEVICE = (LINKS, CUSTOMER_GATEWAYS, TRANSIT_GATEWAY_CONNECT_PEERS, CONNECT_PEERS)
"""In the order in which they can be put in; they are taken out the other way round."""


def released(*ties: Tie) -> Callable[[Observed], Steps | Wait | None]:
    """Takes everything out of a thing before it is deleted: one sort after the other, the last one first.

    While one is being taken out, AWS refuses both what it rests on and the thing itself.
    """

    def release(thing: Observed) -> Steps | Wait | None:
        for tie in reversed(ties):
            if items := tie.part.rows(thing.raw):
                return Steps("update", tuple(tie.part.remove(thing, items)))
            if any(tie.find.search(row) in LEAVING - GONE for row in thing.raw.get(tie.list.name, ())):
                return Wait(f"its {tie.part.field} are being taken out")
        return None

    return release


def untied(*ties: Tie) -> Callable[[Collection[str], Observed], Steps | Wait | None]:
    """The same for a thing that stays, of those parts that a config speaks of: it takes the names of its fields."""

    def before(fields: Collection[str], thing: Observed) -> Steps | Wait | None:
        return released(*(tie for tie in ties if tie.part.field in fields))(thing)

    return before
