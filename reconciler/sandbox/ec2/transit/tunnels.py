"""The two tunnels of a VPN connection: what a request may say of them, and how they read back.

Source: EC2 API reference, VpnTunnelOptionsSpecification, ModifyVpnTunnelOptionsSpecification, TunnelOption;
Site-to-Site VPN guide, "Tunnel options for your Site-to-Site VPN connection" (defaults, allowed keys, reserved ranges).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape

from ...errors import AwsError
from .things import VPN_CONNECTION, Thing, all_of

_SPELT = {
    "DPDTimeoutSeconds": "DpdTimeoutSeconds",
    "DPDTimeoutAction": "DpdTimeoutAction",
    "IKEVersions": "IkeVersions",
}
"""What is asked -> how it reads back, where the two differ."""
_RESERVED = {f"169.254.{third}.{fourth}/30" for third, fourth in [*((n, 0) for n in range(6)), (169, 252)]}
_KEY = re.compile(r"[A-Za-z1-9._][A-Za-z0-9._]{7,63}")


def _values(*values: Any) -> list[dict[str, Any]]:
    return [{"Value": value} for value in values]


_DEFAULTS: Mapping[str, Any] = {
    "Phase1LifetimeSeconds": 28800,
    "Phase2LifetimeSeconds": 3600,
    "RekeyMarginTimeSeconds": 270,
    "RekeyFuzzPercentage": 100,
    "ReplayWindowSize": 1024,
    "DpdTimeoutSeconds": 30,
    "DpdTimeoutAction": "clear",
    "Phase1EncryptionAlgorithms": _values("AES128", "AES256", "AES128-GCM-16", "AES256-GCM-16"),
    "Phase2EncryptionAlgorithms": _values("AES128", "AES256", "AES128-GCM-16", "AES256-GCM-16"),
    "Phase1IntegrityAlgorithms": _values("SHA1", "SHA2-256", "SHA2-384", "SHA2-512"),
    "Phase2IntegrityAlgorithms": _values("SHA1", "SHA2-256", "SHA2-384", "SHA2-512"),
    "Phase1DHGroupNumbers": _values(2, *range(14, 25)),
    "Phase2DHGroupNumbers": _values(2, 5, *range(14, 25)),
    "IkeVersions": _values("ikev1", "ikev2"),
    "StartupAction": "add",
    "EnableTunnelLifecycleControl": False,
}


def born(backend: Any, wanted: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The two tunnels of a new connection, with addresses and keys of AWS's where none are asked for."""
    if len(wanted) > 2:
        raise AwsError("InvalidParameterValue", "A VPN connection has two tunnels.")
    made: list[dict[str, Any]] = []
    number = backend.__dict__.setdefault("sandbox_tunnels", 0)
    for index in range(2):
        number += 1
        tunnel = {
            **_DEFAULTS,
            "OutsideIpAddress": f"52.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}",
            "TunnelInsideCidr": f"169.254.{10 + (number >> 6) % 150}.{number % 64 * 4}/30",
            "PreSharedKey": f"made.by.AWS.{number:08}",
        }
        asked = dict(wanted[index]) if index < len(wanted) else {}
        made.append(tunnel | changed(backend, tunnel, asked, made))
    backend.sandbox_tunnels = number
    return made


def changed(
    backend: Any,
    tunnel: Mapping[str, Any],
    asked: Mapping[str, Any],
    beside: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """What a request changes about a tunnel; an AwsError where it asks for what cannot be."""
    if "PreSharedKey" in asked and not _KEY.fullmatch(str(asked["PreSharedKey"])):
        raise AwsError("InvalidParameterValue", "Value for parameter preSharedKey is invalid.")
    if inside := asked.get("TunnelInsideCidr"):
        _check_inside(backend, tunnel, str(inside), beside)
    return {_SPELT.get(name, name): value for name, value in asked.items() if value is not None}


def _check_inside(
    backend: Any, tunnel: Mapping[str, Any], inside: str, beside: Sequence[Mapping[str, Any]]
) -> None:
    try:
        network = ipaddress.ip_network(inside)
    except ValueError:
        network = ipaddress.ip_network("0.0.0.0/0")
    link_local = ipaddress.ip_network("169.254.0.0/16")
    if network.prefixlen != 30 or network.network_address not in link_local or inside in _RESERVED:
        raise AwsError(
            "InvalidParameterValue", f"Value ({inside}) for parameter tunnelInsideCidr is invalid."
        )
    others = [
        one
        for connection in all_of(backend, VPN_CONNECTION)
        if not connection.is_gone
        for one in connection.members["Options"]["TunnelOptions"]
        if one["OutsideIpAddress"] != tunnel["OutsideIpAddress"]
    ]
    if any(one["TunnelInsideCidr"] == inside for one in [*others, *beside]):
        raise AwsError("InvalidParameterValue", f"The tunnel inside CIDR {inside} is in use.")


def configuration(thing: Thing) -> str:
    """The configuration for the device at the other end; the keys are in it."""
    tunnels = "".join(
        f"<ipsec_tunnel><vpn_gateway><tunnel_outside_address><ip_address>{one['OutsideIpAddress']}</ip_address>"
        "</tunnel_outside_address></vpn_gateway><ike>"
        f"<pre_shared_key>{escape(one['PreSharedKey'])}</pre_shared_key></ike></ipsec_tunnel>"
        for one in thing.members["Options"]["TunnelOptions"]
    )
    return f'<?xml version="1.0" encoding="UTF-8"?><vpn_connection id="{thing.id}">{tunnels}</vpn_connection>'
