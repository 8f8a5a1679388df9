"""What is wrong with the addresses of a config's networks, before AWS is asked.  Called by `load`.

Only what the config says whole is compared: a range that AWS is to choose, or an id as it is, tells nothing here.
https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html and subnet-sizing.html there; where AWS wants one
subnet a zone: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html (DuplicateSubnetsInSameZone)
"""

from __future__ import annotations

import ipaddress
from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from reconciler.desired.findings import Findings, place
from reconciler.desired.offered import offers
from reconciler.desired.reader import Path
from reconciler.desired.resource import Made
from reconciler.model.address import Address
from reconciler.model.place import Place
from reconciler.model.things import Ref

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
WIDEST, NARROWEST = 16, 28
"""Bits of the IPv4 ranges that a VPC and a subnet may have."""
DESTINATIONS = (
    *("DestinationCidrBlock", "DestinationIpv6CidrBlock"),
    *("DestinationPrefixListId", "PrefixListId"),
)
ONE_A_ZONE = {
    "load-balancer": "Subnets",
    "transit-gateway-vpc-attachment": "SubnetIds",
    "vpc-endpoint": "SubnetIds",
}
"""Kinds that have an interface in each of their subnets, of which AWS allows one a zone, and the field with these."""


def check_addressing(made: Mapping[Address, Made], findings: Findings) -> None:
    """Report ranges that overlap or lie outside, zones of another region, routes and associations that cannot be."""
    for one in made.values():
        _zones(one, findings)
        match one.desired.address.kind:
            case "vpc":
                _apart(_ranges(one, findings), findings)
            case "subnet":
                _inside(one, made, findings)
            case "route-table" | "transit-gateway-route-table":
                _routes(one, findings)
            case "vpc-peering-connection":
                _peered(one, made, findings)
        if one.desired.address.kind in ONE_A_ZONE:
            _one_a_zone(one, made, findings)
    _subnets(made, findings)
    _second_interfaces(made, findings)
    for kind in ("route-table", "network-acl", "transit-gateway-route-table"):
        _associated_once([one for address, one in made.items() if address.kind == kind], findings)


# ---- ranges


class Range(NamedTuple):
    """A range of addresses, and where the config says it."""

    network: Network
    owner: Address
    field: str
    place: Place


def _range(one: Made, field: str, value: Any, findings: Findings, *, sized: bool = False) -> Iterator[Range]:
    """The range that a text names; what names none is reported."""
    if not isinstance(value, str):
        return
    where, path = place(one.places[field]), (str(one.desired.address), field)
    try:
        network = ipaddress.ip_network(value, strict=False)
    except ValueError:
        if "/" in value:  # what does not even look like one is AWS's to refuse
            findings.add(where, path, f"{value!r} is no range of addresses", "write it like 10.1.0.0/16")
        return
    if sized and network.version == 4 and not WIDEST <= network.prefixlen <= NARROWEST:
        what = f"{network} has {network.prefixlen} bits, allowed are {WIDEST} to {NARROWEST}"
        findings.add(where, path, what)
        return
    yield Range(network, one.desired.address, field, where)


def _ranges(vpc: Made, findings: Findings) -> list[Range]:
    """All ranges that the config gives a VPC; none where AWS chooses the first."""
    spec = vpc.desired.spec
    found = list(_range(vpc, "CidrBlock", spec.get("CidrBlock"), findings, sized=True))
    for item in spec.get("CidrBlockAssociationSet") or () if found else ():
        if isinstance(item, Mapping):
            found += _range(vpc, "CidrBlockAssociationSet", item.get("CidrBlock"), findings, sized=True)
    return found


def _apart(ranges: Iterable[Range], findings: Findings) -> None:
    """Report each range that shares addresses with one before it in the order of addresses."""
    before: Range | None = None
    for found in sorted(ranges, key=lambda one: (one.network.version, one.network, one.place)):
        if before is not None and found.network.overlaps(before.network):
            later, earlier = sorted((found, before), key=lambda one: one.place, reverse=True)
            whose = "" if earlier.owner == later.owner else f" of {earlier.owner}"
            what = f"{later.network} overlaps {earlier.network}{whose}"
            findings.add(later.place, (str(later.owner), later.field), what)
        if before is None or not _covers(before.network, found.network):
            before = found


def _covers(one: Network, other: Network) -> bool:
    """Whether nothing of `other` lies behind the end of `one`."""
    return one.version == other.version and int(one.broadcast_address) >= int(other.broadcast_address)


def _inside(subnet: Made, made: Mapping[Address, Made], findings: Findings) -> None:
    """Report a subnet that lies in no range of its VPC."""
    vpc = _made(subnet.desired.spec.get("VpcId"), made)
    for found in _range(subnet, "CidrBlock", subnet.desired.spec.get("CidrBlock"), findings, sized=True):
        ranges = [one.network for one in _ranges(vpc, Findings())] if vpc else []
        if ranges and not any(_holds(one, found.network) for one in ranges):
            what = f"{found.network} lies outside of {vpc.desired.address if vpc else ''}"
            hint = f"it has {', '.join(map(str, ranges))}; more go into its CidrBlockAssociationSet"
            findings.add(found.place, (str(found.owner), found.field), what, hint)


def _holds(whole: Network, part: Network) -> bool:
    return whole.overlaps(part) and whole.prefixlen <= part.prefixlen


def _subnets(made: Mapping[Address, Made], findings: Findings) -> None:
    """Report subnets of one VPC that share addresses."""
    groups: dict[Hashable, list[Range]] = {}
    for address, one in made.items():
        vpc = one.desired.spec.get("VpcId")
        if address.kind == "subnet" and isinstance(vpc, str | Ref):
            given = one.desired.spec.get("CidrBlock")
            groups.setdefault(vpc, []).extend(_range(one, "CidrBlock", given, Findings(), sized=True))
    for group in groups.values():
        _apart(group, findings)


def _peered(peering: Made, made: Mapping[Address, Made], findings: Findings) -> None:
    """Report two VPCs that share addresses: AWS lets such a peering fail."""
    sides = [_made(peering.desired.spec.get(name), made) for name in ("VpcId", "PeerVpcId")]
    ours, theirs = (_ranges(side, Findings()) if side else [] for side in sides)
    for one in ours:
        for other in theirs:
            if one.network.overlaps(other.network):
                what = f"{other.network} of {other.owner} overlaps {one.network} of {one.owner}"
                path = (str(peering.desired.address), "PeerVpcId")
                findings.add(peering.places["PeerVpcId"], path, what, "peered VPCs share no addresses")
                return


def _made(value: Any, made: Mapping[Address, Made]) -> Made | None:
    return made.get(value.to) if isinstance(value, Ref) else None


# ---- zones, routes, associations


def _zones(one: Made, findings: Findings) -> None:
    """Report an availability zone that is none of the resource's region."""
    region = one.desired.region
    placement = one.desired.spec.get("Placement")
    for field, holder in (("AvailabilityZone", one.desired.spec), ("Placement", placement)):
        zone = holder.get("AvailabilityZone") if isinstance(holder, Mapping) else None
        if isinstance(zone, str) and region and not zone.startswith(region):
            path = (str(one.desired.address), *dict.fromkeys((field, "AvailabilityZone")))
            findings.add(one.places[field], path, f"{zone!r} is no zone of {region}", f"like {region}a")
        id = holder.get("AvailabilityZoneId") if isinstance(holder, Mapping) else None
        field = "AvailabilityZoneId" if holder is one.desired.spec else field
        if isinstance(id, str) and offers().elsewhere(id, region):
            path = (str(one.desired.address), *dict.fromkeys((field, "AvailabilityZoneId")))
            findings.add(one.places[field], path, f"{id!r} is no zone of {region}")


def _one_a_zone(one: Made, made: Mapping[Address, Made], findings: Findings) -> None:
    """Report two subnets of one zone where there can be one."""
    field, before = ONE_A_ZONE[one.desired.address.kind], dict[str, Address]()
    for number, item in enumerate(one.desired.spec.get(field) or ()):
        subnet = _made(item, made)
        zones = [subnet.desired.spec.get(f"AvailabilityZone{end}") for end in ("", "Id")] if subnet else []
        for zone in zones:
            if not isinstance(zone, str) or subnet is None:
                continue
            address = subnet.desired.address
            if (other := before.setdefault(zone, address)) != address:
                path = (str(one.desired.address), field, number)
                what = f"{address} is in {zone}, as {other} is"
                findings.add(one.places[field], path, what, "it can have one subnet in each zone")


def _routes(table: Made, findings: Findings) -> None:
    """Report routes that lead nowhere, or to two places; one of which something is wrong already is told of once."""
    routes = [
        (field, number, item)
        for field in ("Routes", "PrefixListReferences")
        for number, item in enumerate(table.desired.spec.get(field) or ())
    ]
    for field, number, item in routes:
        path = (str(table.desired.address), field, number)
        if not isinstance(item, Mapping) or findings.about(path):
            continue
        destinations = [name for name in DESTINATIONS if item.get(name)]
        targets = [name for name, value in item.items() if value and name not in DESTINATIONS]
        for what, names in (("destination", destinations), ("target", targets)):
            if len(names) != 1:
                has = f"{' and '.join(names)} are two" if names else "it has none"
                findings.add(table.places[field], path, f"needs one {what}, and {has}")
        for name in DESTINATIONS[:2]:
            list(_range(table, field, item.get(name), findings))


def _second_interfaces(made: Mapping[Address, Made], findings: Findings) -> None:
    """Report what names an instance that is given another interface: AWS wants to know which of them is meant."""
    further: dict[Address, Address] = {}
    for address, one in made.items():
        for item in one.desired.spec.get("Attachment") or () if address.kind == "network-interface" else ():
            at = _made(item.get("InstanceId"), made) if isinstance(item, Mapping) else None
            if at is not None and item.get("DeviceIndex") != 0:
                further.setdefault(at.desired.address, address)
    for address, one in made.items() if further else ():
        spec, holders = one.desired.spec, list[tuple[str, Path, Any]]()
        if address.kind == "elastic-ip":
            holders = [("InstanceId", ("InstanceId",), spec)]
        elif address.kind == "route-table":
            routes = enumerate(spec.get("Routes") or ())
            holders = [("Routes", ("Routes", number), item) for number, item in routes]
        for field, path, holder in holders:
            at = _made(holder.get("InstanceId"), made) if isinstance(holder, Mapping) else None
            if at is not None and at.desired.address in further:
                what = f"{at.desired.address} has a second interface, {further[at.desired.address]}"
                where, hint = one.places[field], "say which is meant: NetworkInterfaceId"
                findings.add(where, (str(address), *path), what, hint)


def _associated_once(owners: Iterable[Made], findings: Findings) -> None:
    """Report a subnet or gateway that more than one table, or ACL, is to have."""
    before: dict[Hashable, Address] = {}
    for one in owners:
        for number, item in enumerate(one.desired.spec.get("Associations") or ()):
            for name, value in item.items() if isinstance(item, Mapping) else ():
                if not isinstance(value, str | Ref):
                    continue
                address = one.desired.address
                # a peering of two transit gateways has a table at each
                other = before.setdefault(
                    (name, value, str(one.desired.spec.get("TransitGatewayId"))), address
                )
                if other != address:
                    what = f"{value} is associated with {other} already, and can have one {address.kind}"
                    path = (str(address), "Associations", number, name)
                    findings.add(one.places["Associations"], path, what)
