"""Instance types that AWS does not offer where the config wants them, from data of a certain day.  Called by `load`.

offerings.txt says which types each zone offers, by the zone's id.  A zone's name is told by it only where it means the
same zone for every account; elsewhere, and where no zone is said, a type is reported that no zone of the region offers.
Types, zones and regions that the data does not have are not judged, and neither is a field whose drift is ignored.
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-discovery.html
"""

from __future__ import annotations

import importlib.resources
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from reconciler.desired.findings import Findings
from reconciler.desired.resource import Made
from reconciler.model.address import Address
from reconciler.model.things import Desired, Ref

KINDS = frozenset({"instance", "capacity-reservation"})
TYPE = "InstanceType"
UNKNOWN = "?"
"""The zone of a subnet that the config does not make."""


@dataclass
class Offers:
    """What AWS offers: the numbers of zones by id, by name and by region, and the zones of each type as bits."""

    date: str = ""
    zones: dict[str, int] = field(default_factory=dict)
    regions: dict[str, int] = field(default_factory=dict)
    types: dict[str, int] = field(default_factory=dict)
    shown: list[str] = field(default_factory=list)

    def elsewhere(self, zone: str, region: str) -> bool:
        """Whether a zone is known to be one of another region."""
        return (
            bool(self.zones.get(zone))
            and region in self.regions
            and not self.zones[zone] & self.regions[region]
        )

    def where(self, type_: str, region: str) -> list[str]:
        """The zones of a region that offer a type."""
        bits = self.types[type_] & self.regions[region]
        return [shown for number, shown in enumerate(self.shown) if bits >> number & 1]


@cache
def offers() -> Offers:
    """The data that is shipped, read once."""
    found = Offers()
    text = importlib.resources.files(__package__).joinpath("offerings.txt").read_text(encoding="utf-8")
    for line in text.splitlines():
        first, *words = line.split()
        match first:
            case "#":
                continue
            case "date":
                found.date = words[0]
            case "zone":
                id, region, name = words
                bit = 1 << len(found.shown)
                found.zones[id] = bit
                if name != "-":
                    found.zones[name] = bit
                found.regions[region] = found.regions.get(region, 0) | bit
                found.shown.append(id if name == "-" else name)
            case _:
                found.types |= dict.fromkeys(words, int(first, 16))
    return found


def check_offers(made: Mapping[Address, Made], findings: Findings) -> None:
    """Report each instance type that is not offered where it is wanted."""
    for address, one in made.items():
        wanted = one.desired.spec.get(TYPE)
        if address.kind not in KINDS or not isinstance(wanted, str) or TYPE in one.desired.ignore:
            continue
        data = offers()
        here, region = data.types.get(wanted), one.desired.region
        everywhere = data.regions.get(region, 0)
        if here is None or here & everywhere == everywhere:
            continue
        for zone in list(_zones(one.desired, made)) or [""]:
            place = _bits(zone, region, data)
            if place and not here & place:
                others = ", ".join(data.where(wanted, region))
                hint = f"{others} {'do' if ', ' in others else 'does'}" if others else "no zone of it does"
                what = f"{zone or region} did not offer {wanted} on {data.date}"
                hint += f"; should it by now, say `ignore: [{TYPE}]`"
                findings.add(one.places[TYPE], (str(address), TYPE), what, hint)
                break


def _bits(zone: str, region: str, data: Offers) -> int:
    """The zones that one may be, by its id or name: all of the region where that cannot be told; 0 for a zone that
    there is no data of, as a Local Zone."""
    if zone in data.zones:
        return data.zones[zone] & data.regions[region]
    return data.regions[region] if not zone or re.fullmatch(f"{region}[a-z]", zone) else 0


def _zones(desired: Desired, made: Mapping[Address, Made]) -> Iterator[str]:
    """The zones that a resource is to be in, as far as the config says: its own, or those of its subnet."""
    spec = desired.spec
    yield from _of(spec)
    yield from _of(spec.get("Placement"))
    interfaces = spec.get("NetworkInterfaces")
    for holder in (spec, *(interfaces if isinstance(interfaces, list) else ())):
        subnet = holder.get("SubnetId") if isinstance(holder, Mapping) else None
        if isinstance(subnet, Ref) and subnet.to in made:
            yield from _of(made[subnet.to].desired.spec)
        elif subnet is not None:
            yield UNKNOWN


def _of(holder: Any) -> Iterator[str]:
    for name in ("AvailabilityZone", "AvailabilityZoneId"):
        zone = holder.get(name) if isinstance(holder, Mapping) else None
        if isinstance(zone, str):
            yield zone
