"""Hosted zones: whose they are before they have tags, and the records in them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.errors import ConfigError
from reconciler.kinds.dns import HOSTED_ZONE
from reconciler.model.things import Observed
from reconciler.sandbox.calls import Call
from tests.harness import ACCOUNT, STACK, Host, host

CONFIG = """
resources:
  hosted-zone/a:
    Name: example.com
    protect: false
    Records:
      - {Name: www.example.com, Type: A, TTL: 60, ResourceRecords: [{Value: 192.0.2.1}]}
"""
PLAIN = CONFIG.partition("    Records")[0]
ZONE = "hosted-zone/a"


@pytest.fixture
def ops(tmp_path: Path) -> Iterator[Host]:
    with host(tmp_path, 10.0, regions=("us-west-2",), page_size=50) as made:
        yield made


class Died(BaseException):
    """The process is gone."""


def dies_after(ops: Host, text: str, operation: str) -> None:
    def hook(moment: str, call: Call) -> None:
        if moment == "after" and call.operation == operation:
            raise Died

    ops.aws.on_call.append(hook)
    with pytest.raises(Died):
        ops.run(text)
    ops.aws.on_call.remove(hook)


def names(ops: Host) -> set[tuple[str, str]]:
    """Name and type of all records but those that Route 53 has made."""
    (zone,) = ops.rows("hosted-zone")
    found = ops.by_hand("route53", "ListResourceRecordSets", HostedZoneId=zone["Id"])["ResourceRecordSets"]
    return {(row["Name"], row["Type"]) for row in found} - {("example.com.", "NS"), ("example.com.", "SOA")}


# ---- whose it is


@pytest.mark.parametrize("operation", ["CreateHostedZone", "ChangeTagsForResource"])
def test_killed_before_it_is_whole_it_is_finished_by_the_next_run_without_its_memory(
    ops: Host, operation: str
) -> None:
    dies_after(ops, CONFIG, operation)
    ops.forget()
    assert ops.run(CONFIG).outcome == "settled"
    (zone,) = ops.rows("hosted-zone")
    assert "Comment" not in zone["Config"]
    assert names(ops) == {("www.example.com.", "A")}


def test_what_was_only_begun_is_found_and_taken_down_when_its_config_is_gone(ops: Host) -> None:
    dies_after(ops, CONFIG, "CreateHostedZone")
    ops.forget()
    assert len(ops.rows("hosted-zone")) == 1
    assert ops.destroy("resources: {}").outcome == "settled"
    assert ops.rows("hosted-zone") == []


def test_a_zone_that_another_stack_has_begun_is_not_ours(ops: Host) -> None:
    mark = f"reconciler:stack=theirs reconciler:address={ZONE}"
    config = {"Comment": mark}
    ops.by_hand(
        "route53", "CreateHostedZone", Name="example.com", CallerReference="x", HostedZoneConfig=config
    )
    assert ops.run(PLAIN).outcome == "settled"
    assert sorted(zone["Config"].get("Comment", "") for zone in ops.rows("hosted-zone")) == ["", mark]


def test_a_comment_of_the_config_takes_the_place_of_the_mark(ops: Host) -> None:
    assert ops.run(PLAIN + "    Comment: ours\n").outcome == "settled"
    (zone,) = ops.rows("hosted-zone")
    assert zone["Config"]["Comment"] == "ours"
    assert ops.run(PLAIN).outcome == "settled"
    assert ops.rows("hosted-zone")[0]["Config"]["Comment"] == "ours", "what is not mentioned stays"


# ---- records


def theirs(ops: Host) -> None:
    """Somebody adds a record."""
    (zone,) = ops.rows("hosted-zone")
    record = {"Name": "x.example.com", "Type": "TXT", "TTL": 5, "ResourceRecords": [{"Value": '"x"'}]}
    changes = [{"Action": "CREATE", "ResourceRecordSet": record}]
    ops.by_hand(
        "route53", "ChangeResourceRecordSets", HostedZoneId=zone["Id"], ChangeBatch={"Changes": changes}
    )


@pytest.mark.parametrize(
    ("records", "left"),
    [
        ("", {("www.example.com.", "A"), ("x.example.com.", "TXT")}),
        ("    Records: []\n", set()),
        (CONFIG.removeprefix(PLAIN), {("www.example.com.", "A")}),
    ],
)
def test_records_are_the_configs_where_it_names_them(ops: Host, records: str, left: set[Any]) -> None:
    assert ops.run(CONFIG).outcome == "settled"
    theirs(ops)
    assert ops.run(PLAIN + records).outcome == "settled"
    assert names(ops) == left


def test_a_zone_goes_with_all_of_its_records(ops: Host) -> None:
    assert ops.run(CONFIG).outcome == "settled"
    theirs(ops)
    assert ops.destroy(CONFIG).count("failed", "blocked", "waiting") == 0
    assert ops.rows("hosted-zone") == []


def record(name: str = "a.example.com", values: int = 1, **given: Any) -> dict[str, Any]:
    found = [{"Value": f"192.0.2.{n}"} for n in range(values)]
    return {"Name": name, "Type": "A", "TTL": 60, "ResourceRecords": found, **given}


def zone(*rows: dict[str, Any]) -> Observed:
    raw = {"Id": "Z1", "Name": "example.com.", "ResourceRecordSets": list(rows)}
    where = {"account": ACCOUNT, "region": "", "arn": "", "state": None, "stack": STACK}
    return Observed(kind="hosted-zone", id="Z1", spec={}, tags={}, raw=raw, **where)


def exchanged(there: Observed, **given: Any) -> list[list[tuple[str, Any]]]:
    """The batches that an exchange takes, each as its actions and what they are about."""
    (part,) = HOSTED_ZONE.parts
    assert part.at_once is not None
    items = {
        name: [part.normal(one) for one in given.get(name, ())] for name in ("added", "changed", "removed")
    }
    calls = part.at_once(there, items["added"], items["changed"], items["removed"])
    batches = [call.parameters["ChangeBatch"]["Changes"] for call in calls]
    return [[(one["Action"], one["ResourceRecordSet"]) for one in batch] for batch in batches]


def test_a_record_that_gets_another_policy_is_exchanged_in_one_batch_with_what_goes() -> None:
    before = record("a.example.com.", SetIdentifier="a", Weight=1)
    goes = record("b.example.com.")
    after = record("a.example.com.", SetIdentifier="a", Region="us-west-2")
    (batch,) = exchanged(zone(before, goes), changed=[after], removed=[goes])
    assert batch == [("DELETE", goes), ("DELETE", before), ("UPSERT", after)]


def test_batches_hold_no_more_than_route_53_takes() -> None:
    many = [record(f"n{n}.example.com", values=100) for n in range(12)]
    batches = exchanged(zone(), added=many)
    assert [len(batch) for batch in batches] == [
        5,
        5,
        2,
    ]  # an UPSERT counts twice, and 1,000 may be changed at once


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (record(), record("A.Example.com.")),
        (record("*.example.com"), record("\\052.example.com.")),
        (
            record(values=2),
            {**record(values=2), "ResourceRecords": [{"Value": "192.0.2.1"}, {"Value": "192.0.2.0"}]},
        ),
    ],
)
def test_one_record_in_two_spellings_is_one(one: dict[str, Any], other: dict[str, Any]) -> None:
    (part,) = HOSTED_ZONE.parts
    assert part.normal(one) == part.normal(other)


@pytest.mark.parametrize(
    ("item", "told"),
    [
        ("{Name: www.example.org, Type: A}", "www.example.org. is not in example.com."),
        ("{Name: example.com, Type: SOA}", "SOA of example.com. is made by Route 53"),
        ("{Name: a.example.com, Type: A, Weight: 1}", "Weight of a.example.com. needs a SetIdentifier"),
        ("{Name: a.example.com, Type: A, SetIdentifier: a}", "a SetIdentifier and nothing for which"),
        (
            "{Name: a.example.com, Type: A, SetIdentifier: a, Weight: 1, Region: us-west-2}",
            "do not go together",
        ),
    ],
)
def test_a_record_that_cannot_be_is_told_before_anything_is_asked(ops: Host, item: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        ops.plan(f"{PLAIN}    Records: [{item}]\n")
