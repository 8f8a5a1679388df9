"""Hosted zones of Route 53, with the records in them.

Facts: https://docs.aws.amazon.com/Route53/latest/APIReference/ (CreateHostedZone, ListHostedZones,
ListTagsForResources, ChangeTagsForResource, UpdateHostedZoneComment, ListResourceRecordSets, ChangeResourceRecordSets,
DeleteHostedZone) and https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DomainNameFormat.html

A zone cannot be tagged as it is made.  What it has from birth is its comment: that says whose it is until the tags are
there, and then what the config wants.  Records have no tags at all: they are a part of their zone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from reconciler.kinds.calls import dns
from reconciler.model.address import Address
from reconciler.model.calls import Call
from reconciler.model.kind import Item, Kind, Part, Remedy
from reconciler.model.reads import Completion, Detail, Read
from reconciler.model.service import Birthmark
from reconciler.model.things import ADDRESS_TAG, STACK_TAG, Desired, Observed, Spec
from reconciler.model.verdicts import Settled, Steps, Verdict

# ---- its comment, and whose it is

MARK = re.compile(rf"{STACK_TAG}=(\S+) {ADDRESS_TAG}=(\S+)")


def _comment(zone: Spec) -> str | None:
    return (zone.get("Config") or {}).get("Comment")


def _marked(stack: str, address: str) -> dict[str, Any]:
    return {"HostedZoneConfig": {"Comment": f"{STACK_TAG}={stack} {ADDRESS_TAG}={address}"}}


def _mark(zone: Spec) -> tuple[str, str] | None:
    found = MARK.fullmatch(_comment(zone) or "")
    return (found[1], found[2]) if found else None


def _say(zone: Observed, comment: Any) -> list[Call]:
    """Without a comment the one that is there goes."""
    return [dns("UpdateHostedZoneComment", Id=zone.id, **({"Comment": comment} if comment else {}))]


def _named(_: Desired, zone: Observed) -> Verdict:
    """The mark has served once the tags are there: whoever takes these off makes the zone his own."""
    if _mark(zone.raw) is None:
        return Settled()
    return Steps("update", tuple(_say(zone, None)), why="its tags say whose it is, and its comment need not")


# ---- records

MOST, LONGEST = 1000, 32_000
"""Values, and letters of values, in one batch; both count twice in an UPSERT."""
POLICIES = (
    "Weight",
    "Region",
    "GeoLocation",
    "GeoProximityLocation",
    "Failover",
    "MultiValueAnswer",
    "CidrRoutingConfig",
)
"""What says which of several records of a name is answered; all of a name and type have the same one of these."""
MEMBERS = ("SetIdentifier", *POLICIES, "TTL", "ResourceRecords", "AliasTarget", "HealthCheckId", "AZAffinity")
APEX = frozenset({"NS", "SOA"})
"""Types that AWS itself keeps at the top of each zone."""


def _name(name: Any) -> Any:
    """A name as Route 53 writes it: lower case, a dot at the end, an asterisk by its number."""
    if not isinstance(name, str):
        return name
    return f"{name.lower().removesuffix('.')}.".replace("*", "\\052")


def _record(item: Item) -> Item:
    """A record with all that can be said of one: what is not said is to be nothing, whatever it was."""
    found = {"Name": _name(item.get("Name")), "Type": item.get("Type")}
    found |= {member: item.get(member) for member in MEMBERS}
    if isinstance(values := item.get("ResourceRecords"), list):
        found["ResourceRecords"] = sorted(values, key=lambda one: str(one.get("Value")))
    if isinstance(alias := item.get("AliasTarget"), Mapping):
        found["AliasTarget"] = {**alias, "DNSName": _name(alias.get("DNSName"))}
    return found


def _key(item: Item) -> tuple[Any, ...]:
    return _name(item.get("Name")), item.get("Type"), item.get("SetIdentifier")


def _is_aws_own(zone: Mapping[str, Any], item: Item) -> bool:
    """The records at the top that come and go with the zone, and what a traffic policy makes."""
    top = _name(item.get("Name")) == _name(zone.get("Name")) and item.get("Type") in APEX
    return top or bool(item.get("TrafficPolicyInstanceId"))


def _there(zone: Spec) -> list[Item]:
    return [row for row in zone.get("ResourceRecordSets") or () if not _is_aws_own(zone, row)]


def _said(item: Item) -> Item:
    return {member: value for member, value in item.items() if value is not None}


def _exchange(
    zone: Observed, added: Sequence[Item], changed: Sequence[Item], removed: Sequence[Item]
) -> list[Call]:
    """All at once, so that no name is without an answer in between.  A deletion repeats what is there; a record that
    gets another policy is deleted and made."""
    there = {_key(row): row for row in zone.raw.get("ResourceRecordSets") or ()}
    anew = [one for one in changed if _policy(one) != _policy(there[_key(one)])]
    kept = [one for one in changed if one not in anew]
    gone = [{"Action": "DELETE", "ResourceRecordSet": _said(there[_key(one)])} for one in (*removed, *anew)]
    made = [{"Action": "UPSERT", "ResourceRecordSet": _said(one)} for one in (*anew, *added, *kept)]
    return [
        dns("ChangeResourceRecordSets", HostedZoneId=zone.id, ChangeBatch={"Changes": batch})
        for batch in _batches([*gone, *made])
    ]


def _policy(item: Item) -> set[str]:
    return {name for name in POLICIES if item.get(name) is not None}


def _batches(changes: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    many = long = 0
    for change in changes:
        times = 2 if change["Action"] == "UPSERT" else 1
        values = [str(one.get("Value")) for one in change["ResourceRecordSet"].get("ResourceRecords") or ()]
        count, size = times * max(len(values), 1), times * sum(map(len, values))
        if batch and (many + count > MOST or long + size > LONGEST):
            yield batch
            batch, many, long = [], 0, 0
        batch, many, long = [*batch, change], many + count, long + size
    if batch:
        yield batch


def _emptied(zone: Observed) -> list[Call]:
    """A zone goes with all of its records; AWS deletes none that has some."""
    return [*_exchange(zone, [], [], _there(zone.raw)), dns("DeleteHostedZone", Id=zone.id)]


def _fits(zone: Desired, _: Mapping[Address, Desired]) -> Iterable[tuple[str, str, str]]:
    """Records that Route 53 would refuse, or that are not the config's."""
    top, field = _name(zone.spec.get("Name")), "Records"
    for item in zone.spec.get(field) or ():
        name, policies = _name(item.get("Name")), sorted(_policy(item))
        if not isinstance(name, str) or not isinstance(top, str):
            continue
        if name != top and not name.endswith(f".{top}"):
            yield field, f"{name} is not in {top}", f"a record's Name is whole: www.{top}"
        if _is_aws_own(zone.spec, item):
            yield field, f"{item['Type']} of {name} is made by Route 53", "leave it out"
        if len(policies) > 1:
            yield field, f"{' and '.join(policies)} of {name} do not go together", "say one of them"
        if bool(policies) is not bool(item.get("SetIdentifier")):
            what = (
                f"{name} has a SetIdentifier and nothing for which"
                if not policies
                else f"{policies[0]} of {name}"
            )
            yield field, f"{what} needs a SetIdentifier" if policies else what, "the two go together"


HOSTED_ZONE = Kind(
    name="hosted-zone",
    about="A public zone of DNS.  `Records` are all of its records, less those that Route 53 makes itself.",
    service="route53",
    read=Read(
        operation="ListHostedZones",
        path="HostedZones",
        ids=None,
        page=100,
        completed=Completion(
            operation="ListTagsForResources",
            ids="ResourceIds",
            by="Id",
            path="ResourceTagSets[].{ResourceId: ResourceId, Tags: Tags}",
            most=10,
            key="ResourceId",
            arguments={"ResourceType": "hostedzone"},
        ),
        details=[
            Detail(
                field="Records",
                name="ResourceRecordSets",
                operation="ListResourceRecordSets",
                path="ResourceRecordSets",
                id="HostedZoneId",
                many=True,
                leaving=True,
            )
        ],
    ),
    create="CreateHostedZone",
    delete="DeleteHostedZone",
    destroy=_emptied,
    id="Id",
    id_prefix="/hostedzone/",
    arn_tail="arn:{partition}:route53:::hostedzone/{id}",
    resource_type="hostedzone",
    answers_tags=False,
    birthmark=Birthmark(put=_marked, read=_mark),
    forbidden=frozenset(
        {"VPC", "HostedZoneConfig", "DelegationSetId", "EnablePublicDNSFallback", "ChangeGuardrails"}
    ),
    normal={"Name": _name},
    project=lambda raw: {**raw, "Comment": _comment(raw)},
    fits=_fits,
    remedies={
        "Comment": Remedy(
            operations=("UpdateHostedZoneComment",), make=_say, shape="UpdateHostedZoneComment.Comment"
        )
    },
    parts=(
        Part(
            field="Records",
            shape="ResourceRecordSet",
            rows=lambda raw: [_record(row) for row in _there(raw)],
            normal=_record,
            key=_key,
            add=lambda zone, items: _exchange(zone, items, [], []),
            change=lambda zone, items: _exchange(zone, [], items, []),
            remove=lambda zone, items: _exchange(zone, [], [], items),
            at_once=_exchange,
            operations=("ChangeResourceRecordSets",),
            given=frozenset({"TrafficPolicyInstanceId"}),
        ),
    ),
    then=_named,
    then_operations=("UpdateHostedZoneComment",),
    protected=True,
)
