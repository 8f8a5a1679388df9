"""Route tables: where the packets of subnets go.

Facts: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/ (Route, CreateRoute, ReplaceRoute, AssociateRouteTable,
ReplaceRouteTableAssociation) and https://docs.aws.amazon.com/vpc/latest/userguide/VPC_Route_Tables.html
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence

from reconciler.kinds.calls import ec2
from reconciler.kinds.vpc import canonical
from reconciler.model.calls import Call
from reconciler.model.kind import Item, Kind, Part
from reconciler.model.reads import Companion, Read
from reconciler.model.things import Observed, Spec

DESTINATIONS = ("DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId")
TARGETS = (
    "CarrierGatewayId",
    "CoreNetworkArn",
    "EgressOnlyInternetGatewayId",
    "GatewayId",
    "InstanceId",
    "LocalGatewayId",
    "NatGatewayId",
    "NetworkInterfaceId",
    "OdbNetworkArn",
    "TransitGatewayId",
    "VpcEndpointId",
    "VpcPeeringConnectionId",
)
LIVE = frozenset(
    {
        "CoreNetworkArn",
        "GatewayId",
        "InstanceId",
        "NetworkInterfaceId",
        "TransitGatewayId",
        "VpcPeeringConnectionId",
    }
)
"""Targets that lead somewhere by themselves once the other side is there, a machine runs or something is attached: to
write their route anew changes nothing."""
ASSOCIATED = ("SubnetId", "GatewayId")
OVER = frozenset({"disassociating", "disassociated", "failed"})
"""States of an association that routes nothing."""


# ---- routes


def _destination(item: Item) -> Item:
    return {name: canonical(item[name]) for name in DESTINATIONS if item.get(name)}


def route(item: Item) -> Item:
    """A route as destination and target, without host bits.  One whose target is gone is as good as none."""
    target = item.get("Target") or {name: item[name] for name in TARGETS if item.get(name)}
    return {**_destination(item), "Target": target, "State": "active"}


def _routes(raw: Spec) -> Iterator[Item]:
    """The routes that somebody has made: not AWS's own `local` ones, none that is propagated, or that an endpoint of a
    gateway type put in."""
    for row in raw["Routes"]:
        gateway = str(row.get("GatewayId") or "")
        if row.get("Origin") != "CreateRoute" or gateway == "local":
            continue
        if gateway.startswith("vpce-"):
            if row.get("DestinationPrefixListId"):
                continue
            row = {**row, "VpcEndpointId": gateway, "GatewayId": None}
        target = {name: row[name] for name in TARGETS if row.get(name)}
        state = "active" if target.keys() & LIVE else row.get("State")
        yield {**_destination(row), **target, "Target": target, "State": state}


def _by_destination(item: Item) -> Hashable:
    return tuple(item.get(name) for name in DESTINATIONS)


def _put(operation: str, table: Observed, items: Sequence[Item]) -> list[Call]:
    return [ec2(operation, RouteTableId=table.id, **_destination(item), **item["Target"]) for item in items]


ROUTES = Part(
    field="Routes",
    shape="CreateRouteRequest",
    rows=lambda raw: list(_routes(raw)),
    normal=route,
    key=_by_destination,
    add=lambda table, items: _put("CreateRoute", table, items),
    remove=lambda table, items: [
        ec2("DeleteRoute", RouteTableId=table.id, **_destination(item)) for item in items
    ],
    change=lambda table, items: _put("ReplaceRoute", table, items),
    operations=("CreateRoute", "DeleteRoute", "ReplaceRoute"),
    given=frozenset({"DryRun", "RouteTableId"}),
)


# ---- associations


def _associated(item: Item) -> Item:
    return {name: item[name] for name in ASSOCIATED if item.get(name)}


def _explicit(associations: Sequence[Item]) -> Iterator[Item]:
    """The associations that somebody has made: not the one that makes a table the main one of its VPC."""
    for row in associations:
        if not row.get("Main") and row.get("AssociationState", {}).get("State") not in OVER:
            yield _associated(row) | {"RouteTableAssociationId": row["RouteTableAssociationId"]}


def _associate(table: Observed, items: Sequence[Item]) -> list[Call]:
    """A subnet has one table: it is taken from another without being without one for a moment."""
    elsewhere = {
        _by_associated(row): row["RouteTableAssociationId"]
        for neighbour in table.raw.get("Neighbours", ())
        if neighbour["RouteTableId"] != table.id
        for row in _explicit(neighbour["Associations"])
    }
    return [
        ec2("ReplaceRouteTableAssociation", AssociationId=taken, RouteTableId=table.id)
        if (taken := elsewhere.get(_by_associated(item)))
        else ec2("AssociateRouteTable", RouteTableId=table.id, **_associated(item))
        for item in items
    ]


def _disassociate(_: Observed, items: Sequence[Item]) -> list[Call]:
    return [ec2("DisassociateRouteTable", AssociationId=item["RouteTableAssociationId"]) for item in items]


def _by_associated(item: Item) -> Hashable:
    return tuple(item.get(name) for name in ASSOCIATED)


ASSOCIATIONS = Part(
    field="Associations",
    shape="AssociateRouteTableRequest",
    rows=lambda raw: list(_explicit(raw["Associations"])),
    normal=_associated,
    key=_by_associated,
    add=_associate,
    remove=_disassociate,
    change=lambda table, items: [],  # which it is, is all that there is to it
    operations=("AssociateRouteTable", "DisassociateRouteTable", "ReplaceRouteTableAssociation"),
    moves=True,
    given=frozenset({"DryRun", "PublicIpv4Pool", "RouteTableId"}),
)

ROUTE_TABLE = Kind(
    name="route-table",
    about="Where the packets of subnets go: a list of Routes, and the subnets and gateways in Associations.",
    service="ec2",
    private=True,
    read=Read(
        operation="DescribeRouteTables",
        path="RouteTables",
        ids="RouteTableIds",
        page=100,
        companions=[
            Companion(
                name="Neighbours",
                operation="DescribeRouteTables",
                path="RouteTables",
                filter="vpc-id",
                key="VpcId",
                of="VpcId",
                fields=frozenset({"Associations"}),
            )
        ],
    ),
    create="CreateRouteTable",
    delete="DeleteRouteTable",
    destroy=lambda table: [
        *_disassociate(table, list(_explicit(table.raw["Associations"]))),
        ec2("DeleteRouteTable", RouteTableId=table.id),
    ],
    id="RouteTableId",
    arn_tail="route-table/{id}",
    refs={
        "VpcId": "vpc",
        "Associations[].SubnetId": "subnet",
        "Associations[].GatewayId": ("internet-gateway", "vpn-gateway"),
        "Routes[].DestinationPrefixListId": "prefix-list",
        "Routes[].CoreNetworkArn": "core-network.arn",
        "Routes[].EgressOnlyInternetGatewayId": "egress-only-internet-gateway",
        "Routes[].GatewayId": ("internet-gateway", "vpn-gateway"),
        "Routes[].InstanceId": "instance",
        "Routes[].NatGatewayId": "nat-gateway",
        "Routes[].NetworkInterfaceId": "network-interface",
        "Routes[].TransitGatewayId": "transit-gateway",
        "Routes[].VpcEndpointId": "vpc-endpoint",
        "Routes[].VpcPeeringConnectionId": "vpc-peering-connection",
    },
    alike={
        "Associations[].SubnetId": ("VpcId",),
        "Associations[].GatewayId": ("VpcId",),
        "Routes[].EgressOnlyInternetGatewayId": ("VpcId",),
        "Routes[].GatewayId": ("VpcId",),
    },
    finished=frozenset({"Routes[].GatewayId"}),  # attached
    lets_go=frozenset(
        {
            "Routes[].EgressOnlyInternetGatewayId",
            "Routes[].NatGatewayId",
            "Routes[].VpcPeeringConnectionId",
        }
    ),
    tag_type="route-table",
    parts=(ROUTES, ASSOCIATIONS),
)
