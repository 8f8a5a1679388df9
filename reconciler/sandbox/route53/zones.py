"""Hosted zones and their tags.

Sources: Route 53 API reference (CreateHostedZone: a CallerReference that was used is refused, HostedZoneAlreadyExists;
UpdateHostedZoneComment: without a comment the one that is there goes; DeleteHostedZone: HostedZoneNotEmpty;
ListTagsForResources: up to 10).  Called by `answers.py`.
"""

from __future__ import annotations

import secrets
from typing import Any

from .. import paging
from ..errors import AwsError
from ..request import Answer, Request
from .store import Store, Zone, bare, pairs, refused, spelt

_MOST_TAGS, _MOST_ASKED = 10, 10


def create(request: Request, store: Store) -> Answer:
    """CreateHostedZone, of a public one."""
    given = request.parameters
    reference, name = str(given["CallerReference"]), spelt(given["Name"])
    if reference in store.references:
        raise AwsError(
            "HostedZoneAlreadyExists",
            f"A hosted zone has already been created with the specified caller reference: {reference}",
        )
    if given.get("VPC"):
        raise refused("The local AWS has no private zones.")
    if "." not in name.removesuffix("."):
        raise AwsError("InvalidDomainName", f"{name} is reserved by AWS!")
    config = {name: value for name, value in (given.get("HostedZoneConfig") or {}).items() if value}
    row = {
        "Id": f"/hostedzone/Z{secrets.token_hex(10).upper()}",
        "Name": name,
        "CallerReference": reference,
        "Config": {"PrivateZone": False, **config},
    }
    zone = Zone(row)
    servers = [
        f"ns-{n}.awsdns-{n % 64:02}.{end}"
        for n, end in ((2048, "com"), (2049, "net"), (2050, "org"), (2051, "co.uk"))
    ]
    soa = f"{servers[0]}. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400"
    for type, ttl, values in (("NS", 172800, [f"{one}." for one in servers]), ("SOA", 900, [soa])):
        record = {
            "Name": name,
            "Type": type,
            "TTL": ttl,
            "ResourceRecords": [{"Value": one} for one in values],
        }
        zone.records[name, type, ""] = record
    store.references.add(reference)
    store.zones[zone.id] = zone
    request.world.faults.note_birth(request.operation, {"HostedZoneId": zone.id})
    return {
        "HostedZone": shown(zone),
        "ChangeInfo": store.change(),
        "DelegationSet": {"NameServers": servers},
        "Location": f"https://route53.amazonaws.com/2013-04-01{row['Id']}",
    }


def shown(zone: Zone) -> dict[str, Any]:
    """A zone as answers show it."""
    return {**zone.row, "ResourceRecordSetCount": len(zone.records)}


def describe(request: Request, store: Store) -> Answer:
    """ListHostedZones, in pages."""
    given = request.parameters
    marker, asked = given.get("Marker"), min(int(given.get("MaxItems") or 100), 100)
    hidden = request.world.faults.hidden
    zones = [
        zone
        for zone in store.zones.values()
        if not hidden(request.service, request.operation, zone.id, not marker)
    ]
    try:
        page, more = paging.page(
            zones,
            lambda zone: zone.id,
            min(asked, request.world.settings.page_size),
            request.scope,
            {"NextToken": marker} if marker else {},
            request.world.order,
        )
    except paging.BadTokenError as error:
        raise refused("The marker is not valid.") from error
    answer = {"HostedZones": [shown(zone) for zone in page], "IsTruncated": more is not None}
    return {
        **answer,
        "MaxItems": str(asked),
        "Marker": marker or "",
        **({"NextMarker": more} if more else {}),
    }


def update_comment(request: Request, store: Store) -> Answer:
    """UpdateHostedZoneComment."""
    zone = store.zone(request.parameters["Id"])
    zone.row["Config"] = {"PrivateZone": False}
    if comment := request.parameters.get("Comment"):
        zone.row["Config"]["Comment"] = str(comment)
    return {"HostedZone": shown(zone)}


def delete(request: Request, store: Store) -> Answer:
    """DeleteHostedZone, of an empty one."""
    zone = store.zone(request.parameters["Id"])
    if zone.records.keys() - zone.own:
        message = (
            "The specified hosted zone contains non-required resource record sets and so cannot be deleted."
        )
        raise AwsError("HostedZoneNotEmpty", message)
    del store.zones[zone.id]
    return {"ChangeInfo": store.change()}


def get_change(request: Request, store: Store) -> Answer:
    """GetChange: in sync some time after it was made."""
    id = bare(request.parameters["Id"])
    if id not in store.changes:
        raise AwsError("NoSuchChange", f"Could not find resource with ID: {id}")
    made, settings = store.changes[id], request.world.settings
    is_done = (settings.clock.now() - made).total_seconds() >= settings.delays.of("hosted-zone", "change")
    status = "INSYNC" if is_done else "PENDING"
    return {"ChangeInfo": {"Id": f"/change/{id}", "Status": status, "SubmittedAt": made}}


def describe_tags(request: Request, store: Store) -> Answer:
    """ListTagsForResources: of 10 zones at most, all of which have to be there, by bare ids."""
    ids = [str(id) for id in request.parameters["ResourceIds"]]
    if len(ids) > _MOST_ASKED or any("/" in id for id in ids):
        raise refused("The resource IDs are not valid.")
    sets = [
        {"ResourceType": "hostedzone", "ResourceId": id, "Tags": pairs(store.zone(id).tags)} for id in ids
    ]
    return {"ResourceTagSets": sets}


def change_tags(request: Request, store: Store) -> Answer:
    """ChangeTagsForResource: puts some on and takes some off."""
    given = request.parameters
    zone = store.zone(given["ResourceId"])
    if not given.get("AddTags") and not given.get("RemoveTagKeys"):
        raise refused("AddTags or RemoveTagKeys must be given.")
    tags = {key: value for key, value in zone.tags.items() if key not in (given.get("RemoveTagKeys") or ())}
    for tag in given.get("AddTags") or ():
        key = str(tag.get("Key") or "")
        if not 1 <= len(key) <= 128 or key.lower().startswith("aws:"):
            raise refused(f"The tag key {key} is not valid.")
        tags[key] = str(tag.get("Value") or "")
    if len(tags) > _MOST_TAGS:
        raise refused(f"A resource can have at most {_MOST_TAGS} tags.")
    zone.tags = tags
    return {}
