"""Numbers of BGP that clash: AS numbers of two ends, and addresses inside of tunnels.  Called by `load`.

Two ends of a session with one AS number never exchange a route; peered transit gateways with one can exchange none
later.  The addresses inside of tunnels are unique at a gateway.
https://docs.aws.amazon.com/vpn/latest/s2svpn/VPNTunnels.html and
https://docs.aws.amazon.com/vpc/latest/tgw/tgw-peering.html
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

from reconciler.desired.findings import Findings
from reconciler.desired.resource import Made
from reconciler.model.address import Address
from reconciler.model.things import Ref

AMAZONS = 64512
"""The AS number of a transit or VPN gateway that is given none."""


def check_numbers(made: Mapping[Address, Made], findings: Findings) -> None:
    """Report AS numbers and tunnel addresses that clash."""
    inside: dict[Hashable, Address] = {}
    for address, one in made.items():
        if address.kind == "vpn-connection":
            _connection(one, made, inside, findings)
        elif address.kind == "transit-gateway-peering-attachment":
            _peering(one, made, findings)


def _connection(
    one: Made, made: Mapping[Address, Made], inside: dict[Hashable, Address], findings: Findings
) -> None:
    spec, address = one.desired.spec, one.desired.address
    options = _mapping(spec.get("Options"))
    gateway = next((name for name in ("TransitGatewayId", "VpnGatewayId") if spec.get(name)), "")
    theirs = _given(spec.get("CustomerGatewayId"), made)
    ours = _given(spec.get(gateway), made)
    if isinstance(spec.get(gateway), Ref) and not options.get("StaticRoutesOnly"):
        ours = ours or AMAZONS
        if ours == theirs:
            what = f"{spec['CustomerGatewayId'].to} and {spec[gateway].to} both have the AS number {ours}"
            path = (str(address), "CustomerGatewayId")
            findings.add(one.places["CustomerGatewayId"], path, what, "two ends of a session have two")
    for tunnel in options.get("TunnelOptions") or ():
        block = _mapping(tunnel).get("TunnelInsideCidr")
        at = spec.get(gateway)
        if not isinstance(block, str) or not isinstance(at, str | Ref):
            continue
        if (at, block) in inside:
            what = f"has the TunnelInsideCidr {block}, as a tunnel of {inside[at, block]} has at the same gateway"
            findings.add(one.places["Options"], (str(address), "Options"), what, "each tunnel has its own")
        inside.setdefault((at, block), address)


def _peering(one: Made, made: Mapping[Address, Made], findings: Findings) -> None:
    ours, theirs = one.desired.spec.get("TransitGatewayId"), one.desired.spec.get("PeerTransitGatewayId")
    said = [_given(side, made) for side in (ours, theirs)]
    if not any(said) or not isinstance(ours, Ref) or not isinstance(theirs, Ref) or ours == theirs:
        return
    first, second = (number or AMAZONS for number in said)
    if first == second and ours.to in made and theirs.to in made:
        what = f"{theirs.to} and {ours.to} both have the AS number {first}"
        path = (str(one.desired.address), "PeerTransitGatewayId")
        findings.add(one.places["PeerTransitGatewayId"], path, what, "give each its own AmazonSideAsn")


def _given(side: Any, made: Mapping[Address, Made]) -> int | None:
    """The AS number that the config gives a gateway; None where it gives none, or does not make it."""
    if not isinstance(side, Ref) or side.to not in made:
        return None
    spec = made[side.to].desired.spec
    for holder in (spec, _mapping(spec.get("Options"))):
        for name in ("AmazonSideAsn", "BgpAsn", "BgpAsnExtended"):
            if isinstance(number := holder.get(name), int):
                return number
    return None


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
