"""VPN connections: two tunnels each, changed one at a time, so that one of them stays up.

Facts: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/ (CreateVpnConnection, ModifyVpnConnection,
ModifyVpnConnectionOptions, ModifyVpnTunnelOptions, CreateVpnConnectionRoute) and
https://docs.aws.amazon.com/vpn/latest/s2svpn/VPNTunnels.html

AWS reports the keys of tunnels, so they are compared as they are, and no digest of them is kept anywhere; with
`PreSharedKeyStorage: SecretsManager` it does not, and keys count at creation alone.
"""

from __future__ import annotations

import ipaddress
import itertools
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from reconciler.kinds.calls import ec2
from reconciler.kinds.vpc import canonical
from reconciler.model.address import Address
from reconciler.model.calls import Call
from reconciler.model.kind import Item, Kind, Part, Remedy
from reconciler.model.reads import Companion, Read
from reconciler.model.things import Desired, Observed, Parameter, Spec, contains
from reconciler.model.verdicts import Drift, Settled, Steps, Verdict, Wait

TUNNELS = "Options.TunnelOptions"
KEY = "PreSharedKey"
SPELT = {
    "DpdTimeoutAction": "DPDTimeoutAction",
    "DpdTimeoutSeconds": "DPDTimeoutSeconds",
    "IkeVersions": "IKEVersions",
}
"""Members of a tunnel as AWS reports them, where it takes them in another spelling."""
HIDDEN = "(sensitive)"
"""Stands for a key wherever one is told of: short ones could be guessed from a digest."""
GOOD_KEY = re.compile(r"[A-Za-z1-9._][A-Za-z0-9._]{7,63}")
LINK_LOCAL = ipaddress.IPv4Network("169.254.0.0/16")
RESERVED = frozenset({*(f"169.254.{third}.0/30" for third in range(6)), "169.254.169.252/30"})
"""Inside ranges that AWS keeps for itself."""

# ---- how it reads


def _row(raw: Spec) -> Spec:
    """A row in CreateVpnConnection's words."""
    options = dict(raw.get("Options") or {})
    options["TunnelOptions"] = [
        {SPELT.get(name, name): value for name, value in tunnel.items()}
        for tunnel in options.get("TunnelOptions") or ()
    ]
    alive = (one for one in raw.get("Attachments", ()) if one.get("State") not in {"deleting", "deleted"})
    return {
        **raw,
        "Options": options,
        "PreSharedKeyStorage": "SecretsManager" if raw.get("PreSharedKeyArn") else "Standard",
        "TransitGatewayAttachmentId": next((one["TransitGatewayAttachmentId"] for one in alive), None),
    }


def _options(value: Any) -> Any:
    """Options as far as they are compared one by one; tunnels are matched first (`_tunnels`)."""
    if not isinstance(value, dict):
        return value
    return {
        name: canonical(inner) if name.endswith("NetworkCidr") else inner
        for name, inner in value.items()
        if name != "TunnelOptions"
    }


def _mistake(value: Any) -> str | None:
    """What of the options cannot work; keys are not repeated."""
    if contains(value, Parameter):
        return "cannot hold a parameter, for AWS reports what is there: use ${var.…}"
    tunnels = value.get("TunnelOptions") if isinstance(value, dict) else None
    if not isinstance(tunnels, list):
        return None
    if len(tunnels) > 2:
        return "has more than two TunnelOptions: a connection has two tunnels"
    return next(filter(None, map(_bad_tunnel, tunnels)), None)


def _bad_tunnel(tunnel: Any) -> str | None:
    key, inside = (
        tunnel.get(name) if isinstance(tunnel, dict) else None for name in (KEY, "TunnelInsideCidr")
    )
    if isinstance(key, str) and not GOOD_KEY.fullmatch(key):
        return f"has a {KEY} that AWS refuses: 8 to 64 letters, digits, `.` and `_`, not beginning with 0"
    if not isinstance(inside, str):
        return None
    with suppress(ValueError):
        network = ipaddress.IPv4Network(inside)
        if network.prefixlen == 30 and network.subnet_of(LINK_LOCAL) and inside not in RESERVED:
            return None
    return f"has the TunnelInsideCidr {inside}: expected a /30 of 169.254.0.0/16 that AWS does not reserve"


# ---- changes

ENDS = ("VpnGatewayId", "TransitGatewayId")
"""Our end: a gateway of one sort or of the other."""


def _modify(name: str) -> Remedy:
    """Another end keeps addresses and keys; packets are lost for a moment."""

    def make(connection: Observed, wanted: Any) -> list[Call]:
        return [ec2("ModifyVpnConnection", VpnConnectionId=connection.id, **{name: wanted})]

    return Remedy(operations=("ModifyVpnConnection",), make=make, disruptive=True, joins=True)


def _move(name: str) -> Remedy:
    """A connection changes its gateway without static routes: while they leave, nothing is asked for."""

    def make(connection: Observed, wanted: Any) -> list[Call]:
        if _routes_leave(connection):
            return []
        return [ec2("ModifyVpnConnection", VpnConnectionId=connection.id, **{name: wanted})]

    return Remedy(operations=("ModifyVpnConnection",), make=make, disruptive=True, joins=True)


def _routes_leave(connection: Observed) -> bool:
    return any(row.get("State") == "deleting" for row in connection.raw.get("Routes") or ())


def _some_end(value: Any) -> str | None:
    return (
        "cannot be taken away: name the other end instead, or leave the field out" if value is None else None
    )


def _change_options(connection: Observed, wanted: Any) -> list[Call]:
    seen, options = _options(connection.spec.get("Options") or {}), _options(wanted)
    changes = {name: value for name, value in options.items() if value != seen.get(name)}
    changes = {name: value for name, value in changes.items() if name not in FIXED}
    return [ec2("ModifyVpnConnectionOptions", VpnConnectionId=connection.id, **changes)]


FIXED = frozenset({
    "EnableAcceleration", "OutsideIpAddressType", "StaticRoutesOnly", "TransportTransitGatewayAttachmentId",
    "TunnelInsideIpVersion",
})  # fmt: skip


def _as_compared(value: Any) -> Any:
    """A list of a tunnel's algorithms or numbers is a set."""
    if isinstance(value, list):
        return sorted(json.dumps(item, sort_keys=True, default=str) for item in value)
    return value


def _differs(wanted: Any, seen: Any) -> bool:
    if isinstance(wanted, Mapping) and isinstance(seen, Mapping):
        return any(_differs(value, seen.get(name)) for name, value in wanted.items())
    return bool(_as_compared(wanted) != _as_compared(seen))


def _differing(wanted: Item, tunnel: Item) -> list[str]:
    """The members that differ; a key that AWS does not report differs from none."""
    return [
        name
        for name, value in wanted.items()
        if value is not None and _differs(value, tunnel.get(name)) and (name != KEY or tunnel.get(KEY))
    ]


def matched(wanted: Sequence[Item], seen: Sequence[Item]) -> list[tuple[Item, Item]]:
    """Wanted tunnels with those that they are: AWS promises no order, so it is the one in which least differs."""
    orders = (list(zip(wanted, order, strict=False)) for order in itertools.permutations(seen, len(wanted)))
    return min(orders, key=lambda pairs: sum(len(_differing(*pair)) for pair in pairs), default=[])


def _drifts(index: int, wanted: Item, tunnel: Item, ignore: Sequence[str]) -> Iterator[Drift]:
    for name in _differing(wanted, tunnel):
        path = f"{TUNNELS}[{index}].{name}"
        if any(path == left or path.startswith((f"{left}.", f"{left}[")) for left in ignore):
            continue
        values = (HIDDEN, HIDDEN) if name == KEY else (wanted[name], tunnel.get(name))
        yield Drift(path, *values)


def _tunnels(desired: Desired, connection: Observed) -> Verdict:
    """The first tunnel that differs; the next one has its turn when the connection is available again."""
    if _routes_leave(connection) and any(
        desired.spec.get(name, there) != there
        for name, there in ((end, connection.spec.get(end)) for end in ENDS)
    ):
        return Wait(f"the static routes of {connection.id} are being taken out")
    wanted = (desired.spec.get("Options") or {}).get("TunnelOptions") or []
    seen = (connection.spec.get("Options") or {}).get("TunnelOptions") or []
    for index, (options, tunnel) in enumerate(matched(wanted, seen)):
        if drifts := tuple(_drifts(index, options, tunnel, desired.ignore)):
            call = ec2(
                "ModifyVpnTunnelOptions",
                VpnConnectionId=connection.id,
                VpnTunnelOutsideIpAddress=tunnel["OutsideIpAddress"],
                TunnelOptions={
                    name: options[name] for name in (one.path.rpartition(".")[2] for one in drifts)
                },
            )
            why = "differs: " + ", ".join(one.path for one in drifts)
            return Steps("update", (call,), drift=drifts, why=why, disruptive=True)
    return Settled()


# ---- static routes


def _route(item: Item) -> Item:
    return {"DestinationCidrBlock": canonical(item["DestinationCidrBlock"])}


def _each(operation: str, connection: Observed, items: Sequence[Item]) -> list[Call]:
    return [ec2(operation, VpnConnectionId=connection.id, **_route(item)) for item in items]


ROUTES = Part(
    field="Routes",
    shape="CreateVpnConnectionRouteRequest",
    rows=lambda raw: [
        _route(row) for row in raw.get("Routes") or () if row.get("State") not in {"deleting", "deleted"}
    ],
    normal=_route,
    key=lambda item: item["DestinationCidrBlock"],
    add=lambda connection, items: _each("CreateVpnConnectionRoute", connection, items),
    remove=lambda connection, items: _each("DeleteVpnConnectionRoute", connection, items),
    change=lambda connection, items: [],  # where it leads is all that there is to one
    makes_room=True,  # none goes along to another gateway
    operations=("CreateVpnConnectionRoute", "DeleteVpnConnectionRoute"),
    given=frozenset({"VpnConnectionId"}),
)


def _fits(connection: Desired, _: Mapping[Address, Desired]) -> Iterator[tuple[str, str, str]]:
    """With a transit gateway, its route tables say what the connection leads to; with BGP, the other end does."""
    if not connection.spec.get("Routes"):
        return
    if connection.spec.get("TransitGatewayId"):
        hint = "write them into the Routes of a transit-gateway-route-table"
        yield "Routes", "are of connections with a VPN gateway alone", hint
    elif (connection.spec.get("Options") or {}).get("StaticRoutesOnly") is not True:
        hint = "say `Options: {StaticRoutesOnly: true}`, or have the other end announce them"
        yield "Routes", "are of connections with static routing alone", hint


VPN_CONNECTION = Kind(
    name="vpn-connection",
    about="Two tunnels between a customer gateway and a transit gateway or a VPN gateway; Routes are its static ones.",
    service="ec2",
    private=True,
    read=Read(
        operation="DescribeVpnConnections",
        path="VpnConnections",
        ids="VpnConnectionIds",
        page=None,
        companions=[
            Companion(
                name="Attachments",
                operation="DescribeTransitGatewayAttachments",
                path="TransitGatewayAttachments",
                filter="resource-id",
                key="ResourceId",
                fields=frozenset({"TransitGatewayId"}),
            )
        ],
    ),
    create="CreateVpnConnection",
    update="ModifyVpnConnection",
    delete="DeleteVpnConnection",
    id="VpnConnectionId",
    arn_tail="vpn-connection/{id}",
    state="State",
    ready=frozenset({"available"}),
    leaving=frozenset({"deleting"}),
    gone=frozenset({"deleted"}),
    refs={
        "CustomerGatewayId": "customer-gateway",
        "VpnGatewayId": "vpn-gateway",
        "TransitGatewayId": "transit-gateway",
    },
    tag_type="vpn-connection",
    left_out=frozenset({"CustomerGatewayConfiguration", "VgwTelemetry"}),
    normal={"Options": _options},
    refuses={"Options": _mistake, "TransitGatewayId": _some_end, "VpnGatewayId": _some_end},
    project=_row,
    fits=_fits,
    remedies={
        "CustomerGatewayId": _modify("CustomerGatewayId"),
        **{name: _move(name) for name in ENDS},
        "Options": Remedy(
            operations=("ModifyVpnConnectionOptions",), make=_change_options, disruptive=True, fixed=FIXED
        ),
    },
    parts=(ROUTES,),
    then=_tunnels,
    then_operations=("ModifyVpnTunnelOptions",),
    sequential=True,
    protected=True,
)
