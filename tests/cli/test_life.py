"""The life of an estate as a person sees it: plan, run, plan, drift, mend, outputs, destroy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .support import ACCOUNT, NETWORK, ROOT, Cli, client, networks, wait_until
from .wire import Wire


def tags(row: dict[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in row.get("Tags", ())}


def everything(url: str) -> dict[str, dict[str, str]]:
    """All that there is in the account, with its tags: what is terminated left out."""
    manager, ec2 = client("networkmanager", url), client("ec2", url)
    found = {network["GlobalNetworkId"]: tags(network) for network in networks(url)}
    for network in list(found):
        for site in manager.get_sites(GlobalNetworkId=network)["Sites"]:
            found[site["SiteId"]] = tags(site)
    for reservation in ec2.describe_instances()["Reservations"]:
        for instance in reservation["Instances"]:
            if instance["State"]["Name"] not in ("terminated", "shutting-down"):
                found[instance["InstanceId"]] = tags(instance)
    return found


def test_the_life_of_the_example(cli: Cli, tmp_path: Path) -> None:
    example = ("--config", str(ROOT / "config/ai-global.yaml"))
    foreign = client("networkmanager", cli.url).create_global_network(Description="somebody else's")
    foreign_id = foreign["GlobalNetwork"]["GlobalNetworkId"]

    planned = cli("plan", *example, "--detailed-exitcode")
    assert planned.status == 2
    assert planned.out.splitlines()[-1] == (
        "Plan: 4 to create, 0 to update, 0 to replace, 0 settled, 0 to delete."
    )
    assert everything(cli.url).keys() == {foreign_id}, "a plan makes nothing"

    done = cli("run", *example, "--once")
    assert (done.status, done.out) == (0, "ai-global: 4 created; 4 settled.\n")
    made = {id: found for id, found in everything(cli.url).items() if id != foreign_id}
    assert sorted(found["reconciler:address"] for found in made.values()) == [
        "global-network/ai",
        "instance/worker",
        "site/one",
        "site/two",
    ]
    assert {found["reconciler:stack"] for found in made.values()} == {"ai-global"}

    again = cli("plan", *example, "--detailed-exitcode")
    assert (again.status, again.out) == (0, "No changes. ai-global is as declared (4 settled).\n")
    assert cli("drift", *example).status == 0

    named = cli("outputs", *example, "--json").data
    assert set(named) == {"globalNetworkId", "siteOneId", "siteTwoId", "aiWorkloadInstanceId"}
    assert set(named.values()) == set(made)
    shown = cli("outputs", *example).out
    assert shown == "".join(f"{name} = {value}\n" for name, value in named.items())

    manager, site = client("networkmanager", cli.url), {"GlobalNetworkId": named["globalNetworkId"]}
    manager.update_site(**site, SiteId=named["siteOneId"], Description="edited by hand")
    wait_until(
        lambda: all(found["State"] == "AVAILABLE" for found in manager.get_sites(**site)["Sites"]), "the site"
    )
    client("ec2", cli.url).delete_tags(
        Resources=[named["aiWorkloadInstanceId"]], Tags=[{"Key": "Name"}, {"Key": "team"}]
    )
    differs = cli("drift", *example)
    assert differs.status == 2
    assert f"  ~ site/one {named['siteOneId']}: update\n" in differs.out
    assert (
        '      Description: "edited by hand" -> "AI Workload - Region One"  (changed in AWS)\n' in differs.out
    )
    assert '      Tags.team: "ml-platform"  (changed in AWS)\n' in differs.out
    assert differs.out.endswith("\ndiffers in AWS: site/one, instance/worker.\n")

    assert cli("run", *example, "--once", "--detailed-exitcode").status == 2
    assert cli("drift", *example).status == 0

    gone = cli("destroy", *example, "--yes")
    assert (gone.status, gone.out) == (0, "ai-global: 4 deleted; nothing of it is left.\n")
    assert everything(cli.url).keys() == {foreign_id}, "what is not ours stays"
    assert cli("destroy", *example, "--yes").out == "ai-global: nothing to do; nothing of it is left.\n"


def test_what_is_new_in_the_config_need_not_wait_for_a_memory_that_was_not_lost(cli: Cli) -> None:
    cli.write("resources: {vpc/a: {CidrBlock: 10.0.0.0/16}}\n")
    cli("run", "--once")
    cli.write("resources: {vpc/a: {CidrBlock: 10.0.0.0/16}, vpc/b: {CidrBlock: 10.1.0.0/16}}\n")
    assert cli("run", "--once", "--timeout", "30s").out == "ai: 1 created; 2 settled.\n", "half of that wait"


def test_a_plan_writes_nothing_and_a_settled_run_neither(cli: Cli, line: Wire) -> None:
    assert cli("plan").status == 0
    assert line.writes == []
    assert cli("run", "--once").status == 0
    assert line.writes != []
    line.calls.clear()
    assert cli("run", "--once").status == 0
    assert (line.writes, len(line.calls)) == ([], 3), "who we are, the networks, their sites"


def test_the_second_run_asks_nobody_where_things_are(cli: Cli, line: Wire) -> None:
    cli.write(NETWORK, discovered=False)
    cli("plan")
    assert "DescribeRegions" in line.calls
    line.calls.clear()
    cli("plan")
    assert "DescribeRegions" not in line.calls, "what the first found is remembered for an hour"


def test_one_address_fails_and_the_others_are_made(cli: Cli) -> None:
    cli.write("""
        resources:
          global-network/main: {Description: hello}
          site/one: {GlobalNetworkId: "${global-network/main}"}
          instance/bad: {ImageId: ami-00000000000000bad, InstanceType: t2.micro}
    """)
    done = cli("run", "--once")
    assert done.status == 1
    told, counted = done.out.splitlines()
    assert told.startswith("  instance/bad: ")
    assert "ec2:RunInstances: InvalidAMIID.NotFound" in told
    assert "ami-00000000000000bad" in told
    assert counted.startswith("ai: 2 created; 2 settled, 1 ")
    failed = done.events("change.failed")
    assert [line["address"] for line in failed] == ["instance/bad"]
    assert failed[0]["aws_error_code"] == "InvalidAMIID.NotFound"
    assert failed[0]["aws_request_id"]


def test_an_unwritable_state_directory_stops_nothing(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file, not a folder")
    state = ("--state-dir", str(tmp_path / "taken"))
    done = cli("run", "--once", *state)
    assert done.status == 0
    assert {line["event"] for line in done.log if line["level"] == "warning"} == {
        "endpoint.overridden",
        "state.unwritable",
    }
    assert cli("plan", "--detailed-exitcode", *state).status == 0


def test_a_lost_state_directory_changes_no_plan(cli: Cli, tmp_path: Path) -> None:
    cli("run", "--once")
    cli.write("resources: {global-network/main: {Description: other}}\n", discovered=False)
    before = cli("plan", "--json").data
    after = cli("plan", "--json", "--state-dir", str(tmp_path / "new")).data
    assert before == after
    assert [entry["verb"] for entry in after["addresses"]] == ["update", "delete"]
    assert all(entry["account"] == ACCOUNT for entry in after["addresses"])
