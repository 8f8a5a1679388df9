"""The records of hosted zones.

Sources: Route 53 API reference (ChangeResourceRecordSets: a batch is made whole or not at all, a deletion repeats what
is there, limits; ListResourceRecordSets: 300 at most, in the order of reversed names) and the developer guide ("values
common for records with routing policies").  Called by `answers.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..errors import AwsError
from ..request import Answer, Request
from .store import Key, Store, Zone, refused, spelt

_POLICIES = (
    "Weight",
    "Region",
    "GeoLocation",
    "GeoProximityLocation",
    "Failover",
    "MultiValueAnswer",
    "CidrRoutingConfig",
)
_MOST, _LONGEST = 1000, 32_000


def change(request: Request, store: Store) -> Answer:
    """ChangeResourceRecordSets: all of the changes or none."""
    zone, changes = (
        store.zone(request.parameters["HostedZoneId"]),
        request.parameters["ChangeBatch"]["Changes"],
    )
    _count(changes)
    records = dict(zone.records)
    wrong = [
        why for one in changes if (why := _made(zone, records, str(one["Action"]), one["ResourceRecordSet"]))
    ]
    wrong += _together(records)
    if wrong:
        raise AwsError("InvalidChangeBatch", f"[{', '.join(wrong)}]")
    zone.records = records
    return {"ChangeInfo": store.change()}


def _count(changes: Iterable[Mapping[str, Any]]) -> None:
    values = letters = 0
    for one in changes:
        times = 2 if one["Action"] == "UPSERT" else 1
        found = one["ResourceRecordSet"].get("ResourceRecords") or ()
        values += times * len(found)
        letters += times * sum(len(str(each["Value"])) for each in found)
    if values > _MOST or letters > _LONGEST:
        raise AwsError("InvalidChangeBatch", "[Number of records limit of 1000 exceeded.]")


def _made(
    zone: Zone, records: dict[Key, dict[str, Any]], action: str, given: Mapping[str, Any]
) -> str | None:
    """Makes one change; gives what is wrong with it."""
    record = {name: value for name, value in given.items() if value is not None}
    record["Name"] = spelt(record["Name"])
    if alias := record.get("AliasTarget"):
        record["AliasTarget"] = {**alias, "DNSName": spelt(alias["DNSName"])}
    key = (str(record["Name"]), str(record["Type"]), str(record.get("SetIdentifier") or ""))
    what = (
        f"resource record set [name='{key[0]}', type='{key[1]}'"
        + (f", set identifier='{key[2]}'" if key[2] else "")
        + "]"
    )
    top = str(zone.row["Name"])
    if key[0] != top and not key[0].endswith(f".{top}"):
        return f"RRSet with DNS name {key[0]} is not permitted in zone {top}"
    if action == "DELETE":
        if key in zone.own:
            return f"A HostedZone must contain exactly one {key[1]} record"
        if key not in records:
            return f"Tried to delete {what} but it was not found"
        if _compared(records[key]) != _compared(record):
            return f"Tried to delete {what} but the values provided do not match the current values"
        del records[key]
        return None
    if action == "CREATE" and key in records:
        return f"Tried to create {what} but it already exists"
    if ("AliasTarget" in record) is ("ResourceRecords" in record) or ("TTL" in record) is (
        "AliasTarget" in record
    ):
        return f"Invalid request: {what} must have either an alias target, or a TTL and records"
    policies = [name for name in _POLICIES if name in record]
    if len(policies) > 1 or bool(policies) is not bool(key[2]):
        return f"Invalid request: Missing field 'SetIdentifier' or a routing policy in {what}"
    if key in records and [name for name in _POLICIES if name in records[key]] != policies:
        return f"{what} cannot get another routing policy"
    records[key] = record
    return None


def _compared(record: Mapping[str, Any]) -> dict[str, Any]:
    values = sorted(str(one["Value"]) for one in record.get("ResourceRecords") or ())
    return {**record, "ResourceRecords": values}


def _together(records: Mapping[Key, Mapping[str, Any]]) -> Iterable[str]:
    """What is wrong between the records of a name."""
    policies: dict[tuple[str, str], set[tuple[str, ...]]] = {}
    types: dict[str, set[str]] = {}
    for (name, type, _), record in records.items():
        policies.setdefault((name, type), set()).add(tuple(one for one in _POLICIES if one in record))
        types.setdefault(name, set()).add(type)
    for (name, type), found in policies.items():
        if len(found) > 1:
            yield f"RRSet with DNS name {name}, type {type} cannot be created as its routing policies differ"
    for name, kinds in types.items():
        if "CNAME" in kinds and len(kinds) > 1:
            yield f"RRSet of type CNAME with DNS name {name} is not permitted as other records exist with the same name"


def _order(key: Key) -> tuple[list[str], str, str]:
    return list(reversed(key[0].removesuffix(".").split("."))), key[1], key[2]


def describe(request: Request, store: Store) -> Answer:
    """ListResourceRecordSets: from a name, type and identifier on."""
    given = request.parameters
    zone, asked = store.zone(given["HostedZoneId"]), min(int(given.get("MaxItems") or 300), 300)
    keys = sorted(zone.records, key=_order)
    if name := given.get("StartRecordName"):
        start = (
            spelt(name),
            str(given.get("StartRecordType") or ""),
            str(given.get("StartRecordIdentifier") or ""),
        )
        keys = [key for key in keys if _order(key) >= _order(start)]
    elif given.get("StartRecordType"):
        raise refused("A StartRecordType needs a StartRecordName.")
    size = min(asked, request.world.settings.page_size)
    page, rest = keys[:size], keys[size:]
    answer = {
        "ResourceRecordSets": [zone.records[key] for key in page],
        "IsTruncated": bool(rest),
        "MaxItems": str(asked),
    }
    if rest:
        names = ("NextRecordName", "NextRecordType", "NextRecordIdentifier")
        answer |= {name: value for name, value in zip(names, rest[0], strict=True) if value}
    return answer
