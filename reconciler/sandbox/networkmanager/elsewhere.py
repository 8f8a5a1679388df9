"""What Network Manager knows of other services' things: it looks ARNs up in moto's stores.

moto's models have few types, so they are `Any` from here on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

# states in which EC2 still lists a thing that is no more
_GONE = ("deleted", "deleting", "failed", "terminated")


@dataclass(frozen=True)
class Arn:
    """The parts of an ARN; `type` and `id` are the two sides of the slash in its last part."""

    partition: str
    service: str
    region: str
    account: str
    type: str
    id: str

    @classmethod
    def parse(cls, text: str) -> Arn | None:
        """The parts, or None for what is no ARN of a "type/id"."""
        parts = text.split(":", 5)
        if len(parts) != 6 or parts[0] != "arn" or "/" not in parts[5]:
            return None
        kind, _, identity = parts[5].partition("/")
        return cls(parts[1], parts[2], parts[3], parts[4], kind, identity)


# type in the ARN -> where moto's EC2 store keeps such things
_COLLECTIONS = {
    "vpc": "vpcs",
    "transit-gateway": "transit_gateways",
    "transit-gateway-route-table": "transit_gateways_route_tables",
    "customer-gateway": "customer_gateways",
    "vpn-connection": "vpn_connections",
    "prefix-list": "managed_prefix_lists",
}


def _ec2(arn: Arn) -> Any:
    from moto.ec2.models import ec2_backends

    return ec2_backends[arn.account][arn.region]


def find(text: str, kind: str) -> Any:
    """The EC2 thing of this type that an ARN names, or None: no such ARN, no such thing, or it was deleted."""
    arn = Arn.parse(text)
    if arn is None or arn.service != "ec2" or arn.type != kind or not arn.region:
        return None
    if kind == "subnet":
        found = next((zone[arn.id] for zone in _ec2(arn).subnets.values() if arn.id in zone), None)
    else:
        found = getattr(_ec2(arn), _COLLECTIONS[kind], {}).get(arn.id)
    return None if found is None or _state(found) in _GONE else found


def region_of(text: str) -> str:
    """The region in an ARN; "" if it has none."""
    arn = Arn.parse(text)
    return arn.region if arn is not None else ""


def _state(thing: Any) -> str:
    return str(getattr(thing, "state", "") or "")


def vpn_connections(customer_gateway: str) -> Iterator[Any]:
    """The VPN connections of a customer gateway, by its ARN."""
    arn = Arn.parse(customer_gateway)
    if arn is None:
        return
    for connection in _ec2(arn).vpn_connections.values():
        if connection.customer_gateway_id == arn.id and _state(connection) not in _GONE:
            yield connection


def transit_gateways_behind(customer_gateway: str) -> set[str]:
    """The ARNs of the transit gateways that a customer gateway has a VPN connection on."""
    arn = Arn.parse(customer_gateway)
    if arn is None:
        return set()
    prefix = f"arn:{arn.partition}:ec2:{arn.region}:{arn.account}:transit-gateway/"
    return {
        prefix + connection.transit_gateway_id
        for connection in vpn_connections(customer_gateway)
        if connection.transit_gateway_id
    }


def vpns_behind(customer_gateway: str) -> set[str]:
    """The ARNs of a customer gateway's VPN connections."""
    arn = Arn.parse(customer_gateway)
    if arn is None:
        return set()
    prefix = f"arn:{arn.partition}:ec2:{arn.region}:{arn.account}:vpn-connection/"
    return {prefix + connection.id for connection in vpn_connections(customer_gateway)}


def gateway_of_connect_peer(text: str) -> str | None:
    """The ARN of the transit gateway that a transit gateway Connect peer is on; None: EC2 has no such peer."""
    arn = Arn.parse(text)
    if arn is None or arn.service != "ec2" or arn.type != "transit-gateway-connect-peer":
        return None
    peer = getattr(_ec2(arn), "transit_gateway_connect_peers", {}).get(arn.id)
    gateway = getattr(peer, "transit_gateway_id", None)
    return (
        f"arn:{arn.partition}:ec2:{arn.region}:{arn.account}:transit-gateway/{gateway}" if gateway else None
    )


def plug(subnet: str, attachment: str) -> str | None:
    """Puts a network interface of an attachment into a subnet: the ARN of the interface, or None without a subnet."""
    arn, found = Arn.parse(subnet), find(subnet, "subnet")
    if arn is None or found is None:
        return None
    made = _ec2(arn).create_network_interface(
        found, private_ip_address=None, description=f"Cloud WAN Attachment {attachment}"
    )
    return f"arn:{arn.partition}:ec2:{arn.region}:{arn.account}:network-interface/{made.id}"


def unplug(interface: str) -> None:
    """Takes away what `plug` made."""
    arn = Arn.parse(interface)
    if arn is not None:
        _ec2(arn).enis.pop(arn.id, None)


def account_of(text: str) -> str:
    """The account in an ARN; "" if it has none."""
    arn = Arn.parse(text)
    return arn.account if arn is not None else ""


def peer(transit_gateway: str, core_network: str, owner: str) -> str | None:
    """Makes the attachment that EC2 shows of a peering with an account's core network: its id, or None without the
    gateway."""
    from ..ec2.transit.peerings import of_core_network

    arn, found = Arn.parse(transit_gateway), find(transit_gateway, "transit-gateway")
    if arn is None or found is None:
        return None
    return of_core_network(_ec2(arn), found, core_network, owner, arn.region, arn.account).id


def part(transit_gateway: str, attachment: str | None) -> None:
    """Takes away what `peer` made."""
    arn = Arn.parse(transit_gateway)
    if arn is not None and attachment is not None:
        _ec2(arn).transit_gateway_attachments.pop(attachment, None)
