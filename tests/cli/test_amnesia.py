"""`doctor amnesia`: the plan with and without the state directory, compared as bytes; nothing is written anywhere."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from .support import Cli, client, networks, wait_until


def snapshot(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Every file of a folder: its bytes, and when it was written."""
    return {
        str(path): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_the_plan_is_the_same_and_nothing_is_written(cli: Cli) -> None:
    assert cli("run", "--once").status == 0
    network = networks(cli.url)[0]["GlobalNetworkId"]
    client("networkmanager", cli.url).update_global_network(GlobalNetworkId=network, Description="by hand")
    wait_until(lambda: '"by hand"' in cli("plan", "--json").out, "the edit")
    before = snapshot(cli.folder)
    done = cli("doctor", "amnesia", "--json")
    assert snapshot(cli.folder) == before
    plan = cli("plan", "--json").out
    assert done.status == 0
    assert done.data == {
        "version": 1,
        "stack": "ai",
        "equal": True,
        "sha256": hashlib.sha256(plan.encode()).hexdigest(),
        "reasons": [],
        "difference": [],
        "unseen": {},
    }
    told = cli("doctor", "amnesia").out
    assert "ai: the plan is the same without the state directory, byte for byte" in told
    assert done.data["sha256"][:16] in told


def test_without_any_state_directory_it_makes_none(cli: Cli) -> None:
    cli.write("\nresources:\n  global-network/main: {}\n", discovered=False)
    done = cli("doctor", "amnesia", "--state-dir", str(cli.folder / "none"), "--json")
    assert (done.status, done.data["equal"]) == (0, True)
    assert not (cli.folder / "none").exists()
    assert networks(cli.url) == []


def test_a_note_that_hides_something_is_found_out_and_it_says_what_to_do(cli: Cli) -> None:
    """The last discovery look found nothing in another region; since then a VPC of the stack has appeared there."""
    tags = [{"Key": "reconciler:stack", "Value": "ai"}, {"Key": "reconciler:address", "Value": "vpc/old"}]
    made = client("ec2", cli.url, "eu-west-1").create_vpc(
        CidrBlock="10.0.0.0/16", TagSpecifications=[{"ResourceType": "vpc", "Tags": tags}]
    )
    id = made["Vpc"]["VpcId"]
    done = cli("doctor", "amnesia", "--json")
    assert (done.status, done.data["equal"]) == (1, False)
    assert any(id in line for line in done.data["difference"] if line.startswith("+"))
    assert not any(id in line for line in done.data["difference"] if line.startswith("-"))
    [reason] = done.data["reasons"]
    assert f"discovery.json) does not lead to {id} (vpc in eu-west-1 of " in reason
    assert "delete it" in reason
    told = cli("doctor", "amnesia").out.splitlines()
    assert told[0] == "ai: the plan is another one without the state directory."
    assert "--- the usual plan" in told
    assert "+++ without the state directory" in told


def test_deletions_that_only_the_state_directory_remembers_are_told(cli: Cli) -> None:
    names = "abcd"
    estate = "".join(f"  global-network/{name}: {{}}\n" for name in names)
    cli.write(f"\nlimits: {{per-hour: 2, percent: 100}}\nresources:\n{estate}")
    assert cli("run", "--once").status == 0
    for gone in ("a", "b"):
        estate = estate.replace(f"  global-network/{gone}: {{}}\n", "")
        cli.write(f"\nlimits: {{per-hour: 2, percent: 100}}\nresources:\n{estate}")
        assert cli("run", "--once").status == 0
    cli.write("\nlimits: {per-hour: 2, percent: 100}\nresources:\n  global-network/d: {}\n")
    done = cli("doctor", "amnesia", "--json")
    assert done.status == 1
    assert [reason.split(" ")[0] for reason in done.data["reasons"]] == ["2"]
    assert "per-hour" in done.data["reasons"][0]
    assert any('"guard": null' in line for line in done.data["difference"])


def test_what_cannot_be_read_is_not_called_equal(cli: Cli) -> None:
    done = cli("doctor", "amnesia", "--endpoint-url", "http://127.0.0.1:9", "--json")
    assert done.status == 75


def test_it_needs_a_config_that_is_right(cli: Cli) -> None:
    cli.file.write_text("stack: ai\nresources: [")
    assert cli("doctor", "amnesia").status == 78
    assert cli("doctor", "amnesai").status == 64
    assert json.loads(cli("doctor", "amnesia", "--json").err.splitlines()[0])["event"] == "config.refused"
