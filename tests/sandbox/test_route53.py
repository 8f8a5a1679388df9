"""Route 53 in the local AWS: what it refuses, and how it spells what it was given, as AWS does."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.sandbox import LocalAws

from .conftest import client, code


@pytest.fixture
def dns(aws: LocalAws) -> Any:
    return client("route53", "us-east-1")


@pytest.fixture
def zone(dns: Any) -> str:
    return str(dns.create_hosted_zone(Name="Example.com", CallerReference="one")["HostedZone"]["Id"])


def record(name: str = "a.example.com", **given: Any) -> dict[str, Any]:
    return {"Name": name, "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "192.0.2.1"}], **given}


def change(dns: Any, zone: str, *changes: tuple[str, dict[str, Any]]) -> Any:
    batch = [{"Action": action, "ResourceRecordSet": one} for action, one in changes]
    return dns.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": batch})


def refused(dns: Any, zone: str, *changes: tuple[str, dict[str, Any]]) -> bool:
    return code(lambda: change(dns, zone, *changes))[0] == "InvalidChangeBatch"


def names(dns: Any, zone: str) -> list[str]:
    pages = dns.get_paginator("list_resource_record_sets").paginate(HostedZoneId=zone)
    return [row["Name"] for page in pages for row in page["ResourceRecordSets"]]


def test_a_reference_is_used_once_also_when_its_zone_is_gone(dns: Any, zone: str) -> None:
    again = {"Name": "other.com", "CallerReference": "one"}
    assert code(dns.create_hosted_zone, **again) == ("HostedZoneAlreadyExists", 409)
    dns.delete_hosted_zone(Id=zone)
    assert code(dns.create_hosted_zone, **again)[0] == "HostedZoneAlreadyExists"


def test_a_batch_is_made_whole_or_not_at_all_and_in_time(aws: LocalAws, dns: Any, zone: str) -> None:
    made = change(dns, zone, ("CREATE", record("*.Example.com")))["ChangeInfo"]
    assert "\\052.example.com." in names(dns, zone)
    assert dns.get_change(Id=made["Id"])["ChangeInfo"]["Status"] == "PENDING"
    aws.clock.advance(1)
    assert dns.get_change(Id=made["Id"])["ChangeInfo"]["Status"] == "INSYNC"
    before = names(dns, zone)
    assert refused(dns, zone, ("CREATE", record()), ("CREATE", record("*.example.com")))
    assert refused(dns, zone, ("DELETE", record("*.example.com", TTL=61)))
    assert names(dns, zone) == before
    change(dns, zone, ("DELETE", record("*.example.com")), ("CREATE", record()))
    assert code(dns.delete_hosted_zone, Id=zone)[0] == "HostedZoneNotEmpty"


def test_what_does_not_go_together_is_refused(dns: Any, zone: str) -> None:
    change(dns, zone, ("CREATE", record(SetIdentifier="a", Weight=1)))
    for one in (
        record(),
        record(SetIdentifier="b", Region="us-west-2"),
        record(SetIdentifier="a", Region="us-west-2"),
        record("b.example.com", Weight=1),
        record("b.example.org"),
        {**record(), "Type": "CNAME"},
    ):
        assert refused(dns, zone, ("UPSERT", one)), one
    assert refused(dns, zone, ("DELETE", {"Name": "example.com", "Type": "SOA"}))


def test_lists_come_in_pages_and_tags_are_ten_at_most(aws: LocalAws, dns: Any, zone: str) -> None:
    change(dns, zone, *(("CREATE", record(f"n{n}.example.com")) for n in range(7)))
    assert len(names(dns, zone)) == 9
    for n in range(4):
        dns.create_hosted_zone(Name="example.com", CallerReference=f"more{n}")
    pages = dns.get_paginator("list_hosted_zones").paginate()
    assert len([one for page in pages for one in page["HostedZones"]]) == 5
    tags = [{"Key": str(n), "Value": "x"} for n in range(10)]
    named = {"ResourceType": "hostedzone", "ResourceId": zone}
    dns.change_tags_for_resource(**named, AddTags=tags)
    assert (
        code(dns.change_tags_for_resource, **named, AddTags=[{"Key": "x", "Value": "x"}])[0] == "InvalidInput"
    )
    ids = [zone.rpartition("/")[2]]
    (told,) = dns.list_tags_for_resources(ResourceType="hostedzone", ResourceIds=ids)["ResourceTagSets"]
    assert (told["ResourceId"], len(told["Tags"])) == (ids[0], 10)
