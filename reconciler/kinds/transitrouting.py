"""Route tables of transit gateways: which attachments look into one, whose routes it learns, and what it says itself.

Facts: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/ (AssociateTransitGatewayRouteTable,
EnableTransitGatewayRouteTablePropagation, CreateTransitGatewayRoute, SearchTransitGatewayRoutes,
CreateTransitGatewayPrefixListReference) and https://docs.aws.amazon.com/vpc/latest/tgw/tgw-route-tables.html.  No table
shows any of these in its own row.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reconciler.kinds.calls import ec2
from reconciler.kinds.transit import GONE, LEAVING
from reconciler.kinds.vpc import canonical
from reconciler.model.address import Address
from reconciler.model.calls import Call
from reconciler.model.kind import Item, Kind, Part
from reconciler.model.reads import Detail, Read
from reconciler.model.things import Desired, Observed, Ref, Spec
from reconciler.model.verdicts import Steps, Wait

ID = "TransitGatewayAttachmentId"
ATTACHMENTS = ("transit-gateway-vpc-attachment", "transit-gateway-connect", f"vpn-connection.{ID}")
"""What is attached to a transit gateway; for a VPN connection AWS makes the attachment."""
PEERING = "transit-gateway-peering-attachment"
"""It tells no routes of its own."""
LIST, REFERENCES = "PrefixListId", "PrefixListReferences"
BLACKHOLE, BY_ITSELF = "blackhole", "DefaultRouteTableAssociation"

# ---- associations and propagations


def _attachments(field: str, over: frozenset[str], add: str, remove: str, *, once: bool) -> Part:
    """A part whose items are attachments and nothing more.  `over` are states of one that does not count any more,
    `once` says that an attachment is in one table alone."""

    def rows(raw: Spec) -> list[Item]:
        return [{ID: row[ID]} for row in raw.get(field) or () if row.get("State") not in over]

    def each(operation: str, table: Observed, items: Sequence[Item]) -> list[Call]:
        return [ec2(operation, TransitGatewayRouteTableId=table.id, **{ID: item[ID]}) for item in items]

    return Part(
        field=field,
        shape=f"{add}Request",
        rows=rows,
        normal=lambda item: {ID: item[ID]},
        key=lambda item: item[ID],
        add=lambda table, items: each(add, table, items),
        remove=lambda table, items: each(remove, table, items),
        change=lambda table, items: [],  # which it is, is all that there is to it
        operations=(add, remove),
        given=frozenset({"DryRun", "TransitGatewayRouteTableId", "TransitGatewayRouteTableAnnouncementId"}),
        makes_room=once,
        disruptive=once,  # nothing of it is routed until it is in another
    )


ASSOCIATIONS = _attachments(
    "Associations",
    frozenset({"disassociating", "disassociated"}),
    "AssociateTransitGatewayRouteTable",
    "DisassociateTransitGatewayRouteTable",
    once=True,
)
PROPAGATIONS = _attachments(
    "Propagations",
    frozenset({"disabling", "disabled"}),
    "EnableTransitGatewayRouteTablePropagation",
    "DisableTransitGatewayRouteTablePropagation",
    once=False,
)


def _left(table: Observed) -> Steps | Wait | None:
    """A table is deleted once nothing looks into it, and to leave it takes AWS a while."""
    if items := ASSOCIATIONS.rows(table.raw):
        return Steps("update", tuple(ASSOCIATIONS.remove(table, items)))
    if leaving := [
        row[ID] for row in table.raw.get("Associations") or () if row.get("State") == "disassociating"
    ]:
        return Wait(f"{' and '.join(leaving)} still has to leave {table.id}")
    return None


# ---- static routes


def route(item: Item) -> Item:
    """A route as destination and target: an attachment, or that it leads nowhere."""
    target = item.get("Target") or (BLACKHOLE if item.get("Blackhole") else item.get(ID))
    return {"DestinationCidrBlock": canonical(item["DestinationCidrBlock"]), "Target": target}


def _routes(raw: Spec) -> Iterator[Item]:
    """The static routes that somebody has made, less those of prefix lists, which AWS keeps apart.

    One whose attachment has gone leads nowhere as well, and AWS does not tell the two apart."""
    for row in raw.get("Routes") or ():
        if row.get("PrefixListId") or row.get("State") in {"deleting", "deleted"}:
            continue
        leads_to = [one[ID] for one in row.get("TransitGatewayAttachments") or ()]
        if row.get("State") == BLACKHOLE or not leads_to:
            yield route({**row, "Blackhole": True})
        else:
            yield {**route({**row, ID: leads_to[0]}), ID: leads_to[0]}


def _put(operation: str, table: Observed, items: Sequence[Item]) -> list[Call]:
    return [
        ec2(
            operation,
            TransitGatewayRouteTableId=table.id,
            DestinationCidrBlock=item["DestinationCidrBlock"],
            **({"Blackhole": True} if item["Target"] == BLACKHOLE else {ID: item["Target"]}),
        )
        for item in items
    ]


ROUTES = Part(
    field="Routes",
    shape="CreateTransitGatewayRouteRequest",
    rows=lambda raw: list(_routes(raw)),
    normal=route,
    key=lambda item: item["DestinationCidrBlock"],
    add=lambda table, items: _put("CreateTransitGatewayRoute", table, items),
    remove=lambda table, items: [
        ec2(
            "DeleteTransitGatewayRoute",
            TransitGatewayRouteTableId=table.id,
            DestinationCidrBlock=item["DestinationCidrBlock"],
        )
        for item in items
    ],
    change=lambda table, items: _put("ReplaceTransitGatewayRoute", table, items),
    operations=("CreateTransitGatewayRoute", "DeleteTransitGatewayRoute", "ReplaceTransitGatewayRoute"),
    given=frozenset({"DryRun", "TransitGatewayRouteTableId"}),
)


# ---- prefix lists


def _reference(item: Item) -> Item:
    """Where all ranges of a list lead: to an attachment, or nowhere."""
    target = item.get("Target") or (BLACKHOLE if item.get("Blackhole") else item.get(ID))
    return {LIST: item[LIST], "Target": target}


def _references(raw: Spec) -> Iterator[Item]:
    """One whose attachment has gone leads nowhere as well."""
    for row in raw.get(REFERENCES) or ():
        if row.get("State") != "deleting":
            target = (row.get("TransitGatewayAttachment") or {}).get(ID) or BLACKHOLE
            yield {LIST: row[LIST], "Target": target}


def _refer(operation: str, table: Observed, items: Sequence[Item]) -> list[Call]:
    return [
        ec2(
            operation,
            TransitGatewayRouteTableId=table.id,
            **{LIST: item[LIST]},
            **({"Blackhole": True} if item["Target"] == BLACKHOLE else {ID: item["Target"]}),
        )
        for item in items
    ]


PREFIX_LISTS = Part(
    field=REFERENCES,
    shape="CreateTransitGatewayPrefixListReferenceRequest",
    rows=lambda raw: list(_references(raw)),
    normal=_reference,
    key=lambda item: item[LIST],
    add=lambda table, items: _refer("CreateTransitGatewayPrefixListReference", table, items),
    remove=lambda table, items: [
        ec2(
            "DeleteTransitGatewayPrefixListReference",
            TransitGatewayRouteTableId=table.id,
            **{LIST: item[LIST]},
        )
        for item in items
    ],
    change=lambda table, items: _refer("ModifyTransitGatewayPrefixListReference", table, items),
    operations=(
        "CreateTransitGatewayPrefixListReference",
        "DeleteTransitGatewayPrefixListReference",
        "ModifyTransitGatewayPrefixListReference",
    ),
    given=frozenset({"DryRun", "TransitGatewayRouteTableId"}),
)


def _fits(table: Desired, every: Mapping[Address, Desired]) -> Iterator[tuple[str, str, str]]:
    """Each attachment is one of the table's own gateway, which associates nothing by itself."""
    gateway = table.spec.get("TransitGatewayId")
    if table.spec.get("Associations") and isinstance(gateway, Ref) and gateway.to in every:
        options = every[gateway.to].spec.get("Options") or {}
        if isinstance(options, Mapping) and options.get(BY_ITSELF, "enable") == "enable":
            what = f"{gateway.to} associates with its default table whatever is attached to it"
            yield "Associations", what, f"say there Options: {{{BY_ITSELF}: disable}}"
    for part in (ASSOCIATIONS, PROPAGATIONS, ROUTES, PREFIX_LISTS):
        for item in table.spec.get(part.field) or ():
            there = _gateways_of(item.get(ID) if isinstance(item, Mapping) else None, every)
            if there and isinstance(gateway, Ref) and gateway not in there:
                at = " and ".join(str(one.to) for one in there)
                yield (
                    part.field,
                    f"{item[ID].to} is attached to {at}, and this is a table of {gateway.to}",
                    "",
                )


def _gateways_of(attachment: Any, every: Mapping[Address, Desired]) -> list[Ref]:
    """The gateways that an attachment of the config is attached to, where it names them: a peering to two."""
    there = every.get(attachment.to) if isinstance(attachment, Ref) else None
    if there is None:
        return []
    if carrier := there.spec.get("TransportTransitGatewayAttachmentId"):
        return _gateways_of(carrier, every)
    named = (there.spec.get(name) for name in ("TransitGatewayId", "PeerTransitGatewayId"))
    return [gateway for gateway in named if isinstance(gateway, Ref)]


TRANSIT_GATEWAY_ROUTE_TABLE = Kind(
    name="transit-gateway-route-table",
    about="A route table of a transit gateway: the attachments that look into it, those whose routes it learns, and "
    "its static Routes, also by PrefixListReferences.",
    service="ec2",
    read=Read(
        operation="DescribeTransitGatewayRouteTables",
        path="TransitGatewayRouteTables",
        ids="TransitGatewayRouteTableIds",
        page=1000,
        filters=None,
        details=[
            Detail(
                field="Associations",
                operation="GetTransitGatewayRouteTableAssociations",
                path="Associations",
                many=True,
                leaving=True,
            ),
            Detail(
                field="Propagations",
                operation="GetTransitGatewayRouteTablePropagations",
                path="TransitGatewayRouteTablePropagations",
                many=True,
            ),
            Detail(
                field="Routes",
                operation="SearchTransitGatewayRoutes",
                path="Routes",
                arguments={"Filters": [{"Name": "type", "Values": ["static"]}]},
                many=True,
            ),
            Detail(
                field=REFERENCES,
                operation="GetTransitGatewayPrefixListReferences",
                path="TransitGatewayPrefixListReferences",
                many=True,
                leaving=True,  # they keep their lists until it is gone
            ),
        ],
    ),
    create="CreateTransitGatewayRouteTable",
    delete="DeleteTransitGatewayRouteTable",
    release=_left,
    id="TransitGatewayRouteTableId",
    arn_tail="transit-gateway-route-table/{id}",
    state="State",
    ready=frozenset({"available"}),
    leaving=LEAVING,
    gone=GONE,
    refs={
        "TransitGatewayId": "transit-gateway",
        f"Propagations[].{ID}": ATTACHMENTS,
        f"{REFERENCES}[].{LIST}": "prefix-list",
        **{f"{field}[].{ID}": (*ATTACHMENTS, PEERING) for field in ("Associations", "Routes", REFERENCES)},
    },
    finished=frozenset({f"{field}[].{ID}" for field in ("Associations", "Routes", REFERENCES)}),  # accepted
    across=True,  # a peering is one thing in two regions
    fits=_fits,
    tag_type="transit-gateway-route-table",
    parts=(ASSOCIATIONS, PROPAGATIONS, ROUTES, PREFIX_LISTS),
)
