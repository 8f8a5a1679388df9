"""Faults over HTTP: what differs there, that a file sets them, and that whoever tries it sees each."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError
from botocore.parsers import ResponseParserError

from .conftest import session
from .serving import Server, command, ready, starting

RULES = """
faults:
- {call: CreateSite, nth: 1, do: drop}
- {call: CreateSite, nth: 3, do: lose-answer}
- {call: GetSites, nth: 1, do: cut}
- {call: DescribeSubnets, nth: 1, do: cut}
- {call: DescribeRegions, do: {slow: 0.7}}
- {call: GetDevices, do: {fail: throttled}}
- call: DescribeSecurityGroups
  nth: 1
  do: {before: [{call: CreateVpc, with: {CidrBlock: 10.9.0.0/16}}]}
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("faults")
    (folder / "rules.yaml").write_text(RULES)
    whole = command("--ready-file", str(folder / "ready"), "--faults", str(folder / "rules.yaml"))
    with starting(folder, whole) as process:
        yield ready(process, folder)


def lines(server: Server) -> list[str]:
    """What it has told so far, without the path of the file."""
    return [
        line.replace(f"{server.folder}/", "").rpartition(", at ")[0] for line in server.said().splitlines()
    ]


def test_connections_close_before_and_after_the_effect(server: Server) -> None:
    nm = server.client("networkmanager")
    network = nm.create_global_network()["GlobalNetwork"]["GlobalNetworkId"]
    for number in (1, 2, 3):
        if number == 2:
            nm.create_site(GlobalNetworkId=network)
        else:
            with pytest.raises(ConnectionClosedError):
                nm.create_site(GlobalNetworkId=network)
    cut = nm.get_sites(GlobalNetworkId=network)
    assert "Sites" not in cut  # botocore takes half of a JSON text for an answer without members
    assert len(nm.get_sites(GlobalNetworkId=network)["Sites"]) == 2
    assert lines(server)[:3] == [
        "sandbox: fault rules.yaml:3 (drop) struck networkmanager:CreateSite, match 1",
        "sandbox: fault rules.yaml:4 (lose-answer) struck networkmanager:CreateSite, match 3",
        "sandbox: fault rules.yaml:5 (cut) struck networkmanager:GetSites, match 1",
    ]


def test_half_of_a_body_comes_with_the_length_of_the_whole(server: Server) -> None:
    lengths: list[tuple[int, int]] = []

    def note(response_dict: dict[str, Any], **_: Any) -> None:
        lengths.append((int(response_dict["headers"]["Content-Length"]), len(response_dict["body"])))

    ec2 = server.client("ec2")
    ec2.meta.events.register("before-parse.*.DescribeSubnets", note)
    with pytest.raises(ResponseParserError):
        ec2.describe_subnets()
    ec2.describe_subnets()
    (told, came), (whole, all_of_it) = lengths
    assert told - 9 <= whole <= told + 9
    assert (came, whole) == (told // 2, all_of_it)


def test_a_slow_answer_is_waited_for_and_holds_nobody_else(server: Server) -> None:
    hasty = Config(retries={"total_max_attempts": 1, "mode": "standard"}, read_timeout=0.3)
    keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b", "region_name": "us-west-2"}
    ec2 = session().client("ec2", endpoint_url=server.url, config=hasty, **keys)
    begun = time.monotonic()
    with pytest.raises(ReadTimeoutError):
        ec2.describe_regions()
    ec2.describe_vpcs()  # while the other is still being answered
    assert time.monotonic() - begun < 0.7
    server.client("ec2").describe_regions()
    assert time.monotonic() - begun >= 0.9


def test_somebody_else_works_from_inside(server: Server) -> None:
    ec2 = server.client("ec2")
    ec2.describe_security_groups()
    found = ec2.describe_vpcs(Filters=[{"Name": "cidr", "Values": ["10.9.0.0/16"]}])["Vpcs"]
    assert len(found) == 1
    assert "sandbox: ec2:CreateVpc by another" in server.said()


def test_an_emptied_world_keeps_its_faults(server: Server) -> None:
    connection = server.raw()
    connection.request("POST", "/moto-api/reset")
    assert connection.getresponse().status == 200
    connection.close()
    with pytest.raises(Exception, match="Rate exceeded"):
        server.client("networkmanager").get_devices(GlobalNetworkId="global-network-1")
