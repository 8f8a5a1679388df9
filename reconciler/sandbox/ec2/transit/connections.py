"""VPN connections: two tunnels each, changed one at a time, with their keys and their static routes.

Source: EC2 API reference, CreateVpnConnection ("This is an idempotent operation"), ModifyVpnConnection,
ModifyVpnConnectionOptions, ModifyVpnTunnelOptions, CreateVpnConnectionRoute, DeleteVpnConnection, TunnelOption;
Site-to-Site VPN guide, "Tunnel options".  What CreateVpnConnection takes for the same is not
documented: here it is the same parameters.
Called by `answers.py`.
"""

from __future__ import annotations

from typing import Any

from ...errors import AwsError
from ...request import Answer, Request
from . import routing, things, tunnels
from .things import CUSTOMER_GATEWAY, TRANSIT_GATEWAY, VPN_ATTACHMENT, VPN_CONNECTION, VPN_GATEWAY, Thing

_DEFAULTS: dict[str, Any] = {
    "EnableAcceleration": False,
    "LocalIpv4NetworkCidr": "0.0.0.0/0",
    "OutsideIpAddressType": "PublicIpv4",
    "RemoteIpv4NetworkCidr": "0.0.0.0/0",
    "StaticRoutesOnly": False,
    "TunnelBandwidth": "standard",
    "TunnelInsideIpVersion": "ipv4",
}
_TARGETS = {"VpnGatewayId": VPN_GATEWAY, "TransitGatewayId": TRANSIT_GATEWAY}


def _check_target(request: Request, backend: Any) -> dict[str, str]:
    """What the other end of a connection is; none means that Cloud WAN attaches it."""
    given = {name: str(request.parameters[name]) for name in _TARGETS if request.parameters.get(name)}
    if len(given) > 1:
        raise AwsError(
            "InvalidParameterCombination",
            "The request must not contain both parameter vpnGatewayId and transitGatewayId",
        )
    for name, id in given.items():
        thing = things.named(backend, _TARGETS[name], id)
        if thing.sort is TRANSIT_GATEWAY:
            things.check_available(thing)
    return given


def create(request: Request, backend: Any) -> Answer:
    """CreateVpnConnection: the same once more is the one that is there."""
    given = request.parameters
    things.named(backend, CUSTOMER_GATEWAY, given.get("CustomerGatewayId"))
    target = _check_target(request, backend)
    asked = {name: value for name, value in given.items() if name not in {"TagSpecifications", "DryRun"}}
    for one in things.all_of(backend, VPN_CONNECTION):
        if one.notes["asked"] == asked and one.state not in {"deleting", "deleted"}:
            return _answer(request, backend, one)
    options = dict(given.get("Options") or {})
    wanted = list(options.pop("TunnelOptions", None) or [])
    if target.get("VpnGatewayId") is None and options.get("StaticRoutesOnly") is None:
        options["StaticRoutesOnly"] = False
    thing = things.make(
        request,
        backend,
        VPN_CONNECTION,
        {
            "Category": "VPN",
            "Type": given["Type"],
            "CustomerGatewayId": given["CustomerGatewayId"],
            **target,
            "Options": {**_DEFAULTS, **options, "TunnelOptions": tunnels.born(backend, wanted)},
            "Routes": [],
        },
        asked=asked,
    )
    _attach(request, backend, thing)
    _busy(request, thing, "pending")
    return _answer(request, backend, thing)


def _attach(request: Request, backend: Any, thing: Thing) -> None:
    """AWS makes the attachment of a connection with a transit gateway; it has none of the connection's tags."""
    gateway = thing.members.get("TransitGatewayId")
    thing.notes["attachment"] = None
    if gateway is None:
        return
    attachment = things.make(
        request,
        backend,
        VPN_ATTACHMENT,
        {"TransitGatewayId": gateway, "CreationTime": request.world.settings.clock.now()},
        type="vpn",
        resource=thing.id,
    )
    thing.notes["attachment"] = attachment
    things.settle(
        request.world,
        attachment,
        "pending",
        lambda: routing.give_defaults(request.world, backend, attachment),
    )


def _detach(request: Request, backend: Any, thing: Thing) -> None:
    attachment = thing.notes["attachment"]
    if attachment is not None:
        things.vanish(request, backend, attachment, lambda: routing.leave(attachment))


def _busy(request: Request, thing: Thing, state: str) -> None:
    """For a while nothing else can be done about it, and its tunnels go down."""
    thing.notes["since"] = request.world.settings.clock.now()
    things.settle(request.world, thing, state)


def show(request: Request, backend: Any, thing: Thing) -> dict[str, Any]:
    """A connection with what is made up as it is looked at: its configuration, keys included, and its telemetry."""
    shown = things.show(backend, thing)
    ends = [one["OutsideIpAddress"] for one in thing.members["Options"]["TunnelOptions"]]
    bound = thing.members.get("VpnGatewayId") or thing.members.get("TransitGatewayId")
    if thing.notes["asked"].get("PreSharedKeyStorage") == "SecretsManager":
        shown["PreSharedKeyArn"] = (
            f"arn:{request.partition}:secretsmanager:{request.region}:{request.account}:secret:{thing.id}"
        )
        shown["Options"] = {
            **shown["Options"],
            "TunnelOptions": [
                {name: value for name, value in one.items() if name != "PreSharedKey"}
                for one in shown["Options"]["TunnelOptions"]
            ],
        }
    return {
        **shown,
        "CustomerGatewayConfiguration": tunnels.configuration(thing),
        "GatewayAssociationState": "associated" if bound else "not-associated",
        "VgwTelemetry": [
            {
                "AcceptedRouteCount": 0,
                "LastStatusChange": thing.notes["since"],
                "OutsideIpAddress": end,
                "Status": "UP" if thing.state == "available" else "DOWN",
                "StatusMessage": "",
            }
            for end in ends
        ],
    }


def _answer(request: Request, backend: Any, thing: Thing) -> Answer:
    return {"VpnConnection": show(request, backend, thing)}


def describe(request: Request, backend: Any) -> Answer:
    """DescribeVpnConnections."""
    found = things.all_of(backend, VPN_CONNECTION)
    return {"VpnConnections": [show(request, backend, one) for one in found]}


def _named(request: Request, backend: Any) -> Thing:
    return things.named(backend, VPN_CONNECTION, request.parameters.get("VpnConnectionId"))


def _available(request: Request, backend: Any) -> Thing:
    return things.available(backend, VPN_CONNECTION, request.parameters.get("VpnConnectionId"))


def delete(request: Request, backend: Any) -> Answer:
    """DeleteVpnConnection; its attachment goes with it."""
    thing = _named(request, backend)
    if thing.state != "deleting":
        _detach(request, backend, thing)
        things.vanish(request, backend, thing)
    return {}


# ---- changes


def modify(request: Request, backend: Any) -> Answer:
    """ModifyVpnConnection: another customer gateway, or another end; addresses and tunnel options stay."""
    thing = _available(request, backend)
    if request.parameters.get("CustomerGatewayId"):
        things.named(backend, CUSTOMER_GATEWAY, request.parameters["CustomerGatewayId"])
        thing.members["CustomerGatewayId"] = request.parameters["CustomerGatewayId"]
    if target := _check_target(request, backend):
        if thing.members["Routes"]:
            raise AwsError(
                "InvalidParameterCombination",
                "Static routes must be deleted before the target gateway is changed.",
            )
        _detach(request, backend, thing)
        for name in _TARGETS:
            thing.members.pop(name, None)
        thing.members |= target
        _attach(request, backend, thing)
    _busy(request, thing, "modifying")
    return _answer(request, backend, thing)


def modify_options(request: Request, backend: Any) -> Answer:
    """ModifyVpnConnectionOptions."""
    thing = _available(request, backend)
    changes = {
        name: value
        for name, value in request.parameters.items()
        if name not in {"VpnConnectionId", "DryRun"} and value is not None
    }
    thing.members["Options"] = {**thing.members["Options"], **changes}
    _busy(request, thing, "modifying")
    return _answer(request, backend, thing)


def modify_tunnel(request: Request, backend: Any) -> Answer:
    """ModifyVpnTunnelOptions: one tunnel, while nothing else is under way."""
    thing = _available(request, backend)
    end = request.parameters.get("VpnTunnelOutsideIpAddress")
    found = next(
        (one for one in thing.members["Options"]["TunnelOptions"] if one["OutsideIpAddress"] == end), None
    )
    if found is None:
        raise AwsError("InvalidParameterValue", f"The VPN connection has no tunnel {end}.")
    changed = tunnels.changed(backend, found, request.parameters.get("TunnelOptions") or {})
    found.update(changed)
    _busy(request, thing, "modifying")
    return _answer(request, backend, thing)


# ---- static routes


def create_route(request: Request, backend: Any) -> Answer:
    """CreateVpnConnectionRoute: of connections with a virtual private gateway that have static routes only."""
    thing = _named(request, backend)
    if not (thing.members.get("VpnGatewayId") and thing.members["Options"]["StaticRoutesOnly"]):
        raise AwsError(
            "InvalidParameterCombination",
            "The VPN connection does not use static routing with a VPN gateway.",
        )
    cidr = request.parameters["DestinationCidrBlock"]
    routes = thing.members["Routes"]
    if all(one["DestinationCidrBlock"] != cidr for one in routes):
        route = {"DestinationCidrBlock": cidr, "Source": "Static", "State": "pending"}
        routes.append(route)
        _later(request, route, "pending", lambda: route.update(State="available"))
    return {}


def delete_route(request: Request, backend: Any) -> Answer:
    """DeleteVpnConnectionRoute."""
    thing = _named(request, backend)
    cidr, routes = request.parameters["DestinationCidrBlock"], thing.members["Routes"]
    route = next((one for one in routes if one["DestinationCidrBlock"] == cidr), None)
    if route is None:
        raise AwsError("InvalidRoute.NotFound", f"The route {cidr} does not exist.")
    route["State"] = "deleting"
    _later(request, route, "deleting", lambda: routes.remove(route))
    return {}


def _later(request: Request, route: dict[str, Any], state: str, then: Any) -> None:
    def effect() -> None:
        if route["State"] == state:
            then()

    request.world.timeline.after(request.world.settings.delays.of("vpn-connection-route", state), effect)
