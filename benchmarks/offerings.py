"""Which instance types AWS offers in which zones, as `check` wants it: `python -m benchmarks.offerings DATE > FILE`.

FILE is reconciler/desired/offerings.txt and DATE that of the data, which is what moto ships: AWS's own answers to
DescribeInstanceTypeOfferings, by the ids and by the names of zones.  Names mean the same zone for all accounts only in
the regions that are younger than November 2012; there the id is the one that offers just what the name does.
https://docs.aws.amazon.com/global-infrastructure/latest/regions/az-ids.html
"""

from __future__ import annotations

import gzip
import importlib.resources
import json
import sys
from collections import defaultdict
from importlib.metadata import version

OLDEST = frozenset(
    {
        "ap-northeast-1",
        "ap-southeast-1",
        "ap-southeast-2",
        "eu-west-1",
        "sa-east-1",
        "us-east-1",
        "us-west-1",
        "us-west-2",
    }
)
"""Regions in which each account may have names of its own for the zones."""
WIDTH = 116

Offers = dict[str, frozenset[str]]


def offers(region: str, by: str) -> Offers:
    """The types that each zone of a region offers; `by` is the sort of its name."""
    folder = importlib.resources.files("moto.ec2") / "resources/instance_type_offerings" / by
    found: dict[str, set[str]] = defaultdict(set)
    for row in json.loads(gzip.decompress((folder / f"{region}.json.gz").read_bytes())):
        found[row["Location"]].add(row["InstanceType"])
    return {zone: frozenset(types) for zone, types in found.items()}


def regions() -> list[str]:
    """Those that there are answers of."""
    folder = importlib.resources.files("moto.ec2") / "resources/instance_type_offerings/availability-zone-id"
    return sorted(path.name.removesuffix(".json.gz") for path in folder.iterdir())


def named(region: str, zones: Offers) -> dict[str, str]:
    """The name of each zone that has one for all accounts and can be told by what it offers."""
    if region in OLDEST:
        return {}
    by_name = offers(region, "availability-zone")
    alike = {zone: [name for name, types in by_name.items() if types == zones[zone]] for zone in zones}
    return {zone: names[0] for zone, names in alike.items() if len(names) == 1}


def main(date: str) -> None:
    """Write it."""
    print("# Which instance types AWS offered in which availability zones; made by benchmarks/offerings.py.")
    print(f"# From the answers of DescribeInstanceTypeOfferings in moto {version('moto')}.")
    print(f"date {date}")
    every: list[frozenset[str]] = []
    for region in regions():
        zones = offers(region, "availability-zone-id")
        names = named(region, zones)
        for zone, types in sorted(zones.items()):
            print(f"zone {zone} {region} {names.get(zone, '-')}")
            every.append(types)
    alike: dict[int, list[str]] = defaultdict(list)
    for one in sorted(set().union(*every)):
        alike[sum(1 << number for number, types in enumerate(every) if one in types)].append(one)
    for where, types in sorted(alike.items(), key=lambda item: item[1]):
        line = f"{where:x}"
        for one in types:
            if len(line) + len(one) >= WIDTH:
                print(line)
                line = f"{where:x}"
            line += f" {one}"
        print(line)


if __name__ == "__main__":
    main(sys.argv[1])
