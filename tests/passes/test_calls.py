"""A settled pass makes as many requests as there are pages of the largest size, and none for a single thing."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from time import time

import pytest

from benchmarks.answers import Answers, serving
from benchmarks.speed import pages
from benchmarks.world import ACCOUNT, REGIONS, STACK, Row, Where, config, resources, shown
from reconciler.aws.discover import Discovered
from reconciler.aws.gateway import Gateway
from reconciler.aws.memory import Memory
from reconciler.aws.session import Sessions
from reconciler.loop import Loop
from reconciler.model.address import Address
from reconciler.model.config import Config
from reconciler.model.things import Desired
from reconciler.workers import workers
from tests.harness import FACTS, SCHEMA, read

TWENTY = tuple(
    sorted(
        region for region in SCHEMA.regions if region[:3] in {"us-", "eu-", "ap-"} and region[3:6] != "gov"
    )
)[:20]


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials of nobody."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")


def process(found: Config, aws: Answers, folder: Path) -> Loop:
    """A process of the program for a config, which has discovered already what the config does not name: nothing."""
    memory = Memory.open(folder, time)
    memory.keep(found.digest, Discovered(accounts=frozenset({found.account})))
    return Loop(
        config=found,
        gateway=Gateway(
            Sessions(
                account=found.account,
                accounts={},
                region=found.region,
                stack=found.stack,
                endpoint_url=aws.url,
            )
        ),
        facts=FACTS,
        memory=memory,
        executor=workers(8),
        new_id=lambda: "pass",
    )


def test_a_settled_pass_asks_for_pages_and_once_who_we_are(tmp_path: Path) -> None:
    estate = resources(10)
    rows = shown(estate)
    with serving(rows, REGIONS) as aws:
        loop = process(read(config(estate)), aws, tmp_path)
        for who_we_are in ({"sts:GetCallerIdentity": 1}, {}):
            aws.asked.clear()
            report = loop.one_pass("test")
            assert (report.outcome, report.writes, report.discovery_calls) == ("settled", 0, 0)
            assert report.calls == pages(rows).total()
            assert aws.asked == pages(rows) + Counter(who_we_are)


def test_a_thousand_resources_are_as_many_requests_as_they_have_pages(tmp_path: Path) -> None:
    estate = resources(1_000)
    rows = shown(estate)
    with serving(rows, REGIONS) as aws:
        assert len(process(read(config(estate)), aws, tmp_path).look().things) == 1_000
        assert aws.asked == pages(rows) + Counter({"sts:GetCallerIdentity": 1})


def test_ten_thousand_instances_in_twenty_regions_are_twenty_pages(tmp_path: Path) -> None:
    rows: dict[Where, list[Row]] = {}
    wanted: dict[Address, Desired] = {}
    for number in range(10_000):
        address, region = Address("instance", f"i{number}"), TWENTY[number % 20]
        wanted[address] = Desired(address=address, account=ACCOUNT, region=region, spec={})
        tags = {"reconciler:stack": STACK, "reconciler:address": str(address)}
        row = {
            "InstanceId": f"i-{number:017x}",
            "State": {"Name": "running"},
            "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
        }
        rows.setdefault(("ec2", region, "DescribeInstances"), []).append(row)
    with serving(rows, TWENTY) as aws:
        found = replace(read(config([])), resources=wanted)
        assert len(process(found, aws, tmp_path).look().things) == 10_000
        assert aws.asked == Counter({"ec2:DescribeInstances": 20, "sts:GetCallerIdentity": 1})
