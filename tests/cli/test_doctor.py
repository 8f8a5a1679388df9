"""`doctor`: what would keep a stack from working, a line each with the mend; it changes nothing and tells no secret."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path
from typing import Any

import pytest

from reconciler.lock import held
from reconciler.sandbox import local_aws

from .support import ACCOUNT, HEAD, NETWORK, OTHER_ACCOUNT, Cli, Result, client, networks, run
from .wire import Wire

ESTATE = """
resources:
  global-network/main: {Description: hello}
  site/one: {GlobalNetworkId: "${global-network/main}"}
  vpc/a: {CidrBlock: 10.0.0.0/16}
  subnet/a: {VpcId: "${vpc/a}", CidrBlock: 10.0.0.0/24}
  vpc/b: {region: eu-west-1, CidrBlock: 10.1.0.0/16}
"""
AWAY = "http://127.0.0.1:9"


def found(result: Result, topic: str, status: str = "") -> list[dict[str, Any]]:
    """The findings about something, from the JSON answer."""
    return [
        one
        for one in result.data["findings"]
        if one["topic"] == topic and one["status"] in (status or one["status"])
    ]


def own_vpc(url: str, region: str = "us-west-2") -> str:
    """A VPC that carries the stack's tag."""
    tags = [{"Key": "reconciler:stack", "Value": "ai"}, {"Key": "reconciler:address", "Value": "vpc/a"}]
    specification = [{"ResourceType": "vpc", "Tags": tags}]
    made = client("ec2", url, region).create_vpc(CidrBlock="10.0.0.0/16", TagSpecifications=specification)
    return str(made["Vpc"]["VpcId"])


def estate(url: str) -> list[Any]:
    """All that there is, as far as this stack's kinds go, less the states that change by themselves."""
    parts: list[Any] = networks(url)
    for region in ("us-west-2", "eu-west-1"):
        ec2 = client("ec2", url, region)
        parts += ec2.describe_vpcs()["Vpcs"] + ec2.describe_subnets()["Subnets"] + ec2.describe_tags()["Tags"]
    return [{name: value for name, value in part.items() if name != "State"} for part in parts]


def test_all_is_well(cli: Cli) -> None:
    cli.write(ESTATE)
    own_vpc(cli.url)
    client("networkmanager", cli.url).create_global_network()
    before = estate(cli.url)
    done = cli("doctor", "--json")
    assert (done.status, found(done, "config")[0]["status"]) == (0, "ok")
    assert not [one for one in done.data["findings"] if one["status"] == "bad"]
    assert estate(cli.url) == before
    for topic in ("files", "state", "lock", "systemd", "software", "time zones", "account", "clock"):
        assert [one["status"] for one in found(done, topic)] == ["ok"], topic
    assert [one["what"] for one in found(done, "endpoints", "ok")] == [
        "ec2 in eu-west-1, in us-west-2: reached",
        f"networkmanager at {cli.url.removeprefix('http://')}: reached",
    ]
    assert len(found(done, "endpoints", "warning")) == 1, "they are not AWS's own"
    assert all(one["mend"] for one in done.data["findings"] if one["status"] != "ok")
    assert [one["what"].partition(": ")[0] for one in found(done, "rights", "ok")] == [
        f"allowed in eu-west-1 of {ACCOUNT}",
        f"allowed in us-west-2 of {ACCOUNT}",
        f"allowed in the global region of {ACCOUNT}",
    ]

    def unknown(operation: str) -> list[str]:
        """Where it cannot be told whether an operation is allowed."""
        told = [one["what"].partition(": ") for one in found(done, "rights", "unknown")]
        return [where.removeprefix("cannot be told in ") for where, _, what in told if operation in what]

    # where the stack has a VPC its deletion is rehearsed, and so is a subnet in it; elsewhere that cannot be
    assert unknown("ec2:DeleteVpc") == [f"eu-west-1 of {ACCOUNT}"]
    assert unknown("ec2:CreateSubnet") == unknown("ec2:CreateVpc") == []
    assert unknown("networkmanager:CreateSite") == [f"the global region of {ACCOUNT}"]


def test_a_line_each_for_people(cli: Cli) -> None:
    done = cli("doctor", "--log-format", "console")
    lines = done.out.splitlines()
    assert done.status == 0
    assert {line.split()[0] for line in lines[:-1]} == {"ok", "warning", "unknown"}
    assert lines[0].startswith(f"ok       config       {cli.file}: 2 resources, no problems")
    assert lines[-1].endswith(" unknown.")
    assert "\x1b[33mwarning \x1b[0m" in cli.seen("doctor").out
    assert not cli.state.joinpath("ai", "lock").exists(), "nothing is made in the state directory"


def test_an_imitation_of_aws_is_asked_for_no_change_even_in_a_dry_run(cli: Cli, line: Wire) -> None:
    # the wire hides who answers, and some imitations take a dry run for the real thing
    cli.write(ESTATE)
    done = cli("doctor", "--json")
    assert done.status == 0
    assert line.writes == []
    assert "DescribeVpcs" in line.calls
    untrusted = [one["what"] for one in found(done, "rights", "unknown") if "AWS's own EC2" in one["what"]]
    assert len(untrusted) == 2, "a line for each region"
    assert all("ec2:CreateVpc" in what and "ec2:Describe" not in what for what in untrusted)


def test_rights_that_we_lack_are_named(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    cli.write(ESTATE)
    with local_aws(regions=("us-west-2", "eu-west-1")) as aws:
        aws.fail("ec2", "CreateVpc", code="UnauthorizedOperation", message="Encoded: abcdef", times=9)
        aws.fail(
            "networkmanager", "DescribeGlobalNetworks", code="AccessDeniedException", status=403, times=9
        )
        done = run(["doctor", "--config", str(cli.file), "--state-dir", str(cli.state), "--json"])
        changes = aws.writes
    assert done.status == 1
    assert [one["what"] for one in found(done, "rights", "bad")] == [
        f"not allowed in the global region of {ACCOUNT}: networkmanager:DescribeGlobalNetworks",
        f"not allowed in us-west-2, eu-west-1 of {ACCOUNT}: ec2:CreateVpc",
    ]
    assert "abcdef" not in done.out + done.err
    assert {call.operation for call in changes} >= {"CreateVpc", "DeleteVpc", "CreateTags", "CreateSubnet"}
    assert all(call.parameters["DryRun"] is True and call.error for call in changes)


@pytest.mark.parametrize("problems", [True, False], ids=["and a bad config", "and a good config"])
def test_in_a_wrong_account_nothing_is_asked_but_who_we_are(cli: Cli, line: Wire, problems: bool) -> None:
    cli.write(NETWORK + ("  nonsense/a: {}\n" if problems else ""), HEAD.replace(ACCOUNT, OTHER_ACCOUNT))
    if problems:  # then nobody knows what account is meant
        assert cli("doctor").status == 78
    else:
        done = cli("doctor", "--json")
        assert done.status == 77
        assert found(done, "account")[0]["what"] == f"{ACCOUNT}, and the config says {OTHER_ACCOUNT}"
        assert len(found(done, "rights")) == 1
    assert line.calls == ["GetCallerIdentity"]


def test_offline_all_that_needs_aws_is_one_line(cli: Cli) -> None:
    done = cli("doctor", "--json", "--endpoint-url", AWAY)
    assert done.status == 1
    (bad,) = [one for one in done.data["findings"] if one["status"] == "bad"]
    assert bad["what"].startswith("cannot reach 127.0.0.1:9: ")
    assert "proxy" in bad["mend"]
    assert not [one for one in done.data["findings"] if one["topic"] in ("account", "clock", "rights")]


def test_a_bad_config_is_counted_and_the_rest_is_looked_at(cli: Cli) -> None:
    cli.write("resources: {vpc/a: {CidrBlok: 10.0.0.0/16}, site/b: {}}\n")
    done = cli("doctor", "--json")
    assert done.status == 78
    (config,) = found(done, "config")
    assert config["status"] == "bad"
    assert "2 problems" in config["what"]
    assert [one["status"] for one in found(done, "account") + found(done, "clock")] == ["ok", "ok"]


def test_who_we_are_counts_before_the_config(cli: Cli) -> None:
    cli.write("resources: {vpc/a: {CidrBlok: 10.0.0.0/16}}\n")
    done = cli("doctor", "--json", "--profile", "nobody")
    assert done.status == 77
    assert "nobody" in found(done, "credentials", "bad")[0]["what"]


def test_no_credentials(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    done = cli("doctor", "--json")
    assert done.status == 77
    assert [one["what"] for one in found(done, "credentials")] == ["there are none"]
    assert not found(done, "account")


def test_a_config_that_anybody_could_write(cli: Cli) -> None:
    cli.file.chmod(0o666)
    done = cli("doctor", "--json")
    assert done.status == 1
    (files,) = found(done, "files")
    assert files["mend"] == f"chmod o-w {cli.file}"


def test_who_holds_the_stack(cli: Cli) -> None:
    with held(cli.state / "ai", "ai", "daemon", 0.0):
        done = cli("doctor", "--json")
    assert done.status == 0
    assert f"held by process {os.getpid()} (daemon) since 20" in found(done, "lock")[0]["what"]
    assert "free" in found(cli("doctor", "--json"), "lock")[0]["what"]


def test_a_state_directory_that_cannot_be_seen_into_is_a_finding(cli: Cli) -> None:
    (cli.state / "ai").rename(cli.folder / "away")
    (cli.state / "ai").symlink_to(cli.state / "ai")  # an error for root, too
    (lock,) = found(cli("doctor", "--json"), "lock")
    assert (lock["status"], lock["mend"]) == ("unknown", "run as the user of the service")


def test_the_time_zones_that_the_config_uses_are_looked_up(cli: Cli) -> None:
    window = "windows: [{days: [mon], from: '01:00', to: '02:00', tz: Asia/Tokyo}]\n"
    cli.write(NETWORK, HEAD + window + "every: {cron: '0 * * * *', tz: Europe/Berlin}\n")
    told = found(cli("doctor", "--json"), "time zones")
    assert [one["what"] for one in told] == ["Asia/Tokyo, Europe/Berlin, UTC: known"]


def test_the_table_of_the_lease(cli: Cli) -> None:
    cli.write(NETWORK, HEAD + "lease: {table: locks, region: us-west-2}\n")
    missing = cli("doctor", "--json")
    assert missing.status == 1
    assert "dynamodb in us-west-2" in found(missing, "endpoints", "bad")[0]["what"]
    client("dynamodb", cli.url).create_table(
        TableName="locks",
        AttributeDefinitions=[{"AttributeName": "stack", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "stack", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    there = cli("doctor", "--json")
    assert there.status == 0
    assert "dynamodb in us-west-2: reached" in [one["what"] for one in found(there, "endpoints")]


def test_no_secret_is_told(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = {
        "AWS_ACCESS_KEY_ID": "ASIAEXAMPLEKEYID",
        "AWS_SECRET_ACCESS_KEY": "secret-of-the-key",
        "AWS_SESSION_TOKEN": "token-of-the-session",
    }
    for name, value in secrets.items():
        monkeypatch.setenv(name, value)
    cli.write("""
        resources:
          instance/a: {ImageId: ami-00000000000000bad, InstanceType: t3.micro, UserData: password-of-the-data}
    """)
    for options in ((), ("--json",), ("--log-level", "debug"), ("--endpoint-url", AWAY)):
        done = cli("doctor", *options)
        for secret in (*secrets.values(), "password-of-the-data"):
            assert secret not in done.out + done.err
    told = cli("doctor", "--json", "--endpoint-url", "http://me:hunter2@127.0.0.1:9")
    assert told.status == 1
    assert "hunter2" not in told.out + told.err


def test_it_ends_soon_although_nothing_answers(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        started = time.monotonic()
        done = cli("doctor", "--json", "--endpoint-url", f"http://127.0.0.1:{deaf.getsockname()[1]}")
        assert time.monotonic() - started < 25
    assert done.status == 1
    assert len([one for one in done.data["findings"] if one["status"] == "bad"]) == 1


def test_a_state_directory_that_is_not_there_is_not_made(cli: Cli) -> None:
    away = cli.folder / "nowhere" / "state"
    done = cli("doctor", "--json", "--state-dir", str(away))
    assert done.status == 0
    assert "not there yet" in found(done, "state")[0]["what"]
    assert not Path(away).parent.exists()


def test_which_config_must_be_said() -> None:
    assert run(["doctor"]).status == 64
