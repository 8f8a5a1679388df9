"""The verbs where one of two accounts is closed to us: what was not seen is neither gone, nor new, nor well, and what
belongs to the other account goes on."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from moto.sts.models import sts_backends

from reconciler.aws.discover import Discovered
from reconciler.aws.memory import Memory
from reconciler.desired import fingerprint
from reconciler.sandbox import read_rules
from reconciler.sandbox.world import current

from .support import ACCOUNT, HEAD, OTHER_ACCOUNT, Cli, Result, client

ROLE = f"arn:aws:iam::{OTHER_ACCOUNT}:role/reconciler"
ACCOUNTS = f"""
accounts: {{edge: {{id: "{OTHER_ACCOUNT}", role: "{ROLE}"}}}}
limits: {{deletes: 100, percent: 100, per-hour: 1000}}
"""
HOME = """
resources:
  vpc/home: {CidrBlock: 10.0.0.0/16, protect: false, Tags: {Name: home}}
  volume/home: {AvailabilityZone: us-west-2a, Size: 1, protect: false}
"""
EDGE = """
  vpc/edge: {account: edge, CidrBlock: 10.1.0.0/16, protect: false}
  subnet/edge: {account: edge, VpcId: "${vpc/edge}", CidrBlock: 10.1.1.0/24}
"""
OUTPUTS = "outputs: {home: '${vpc/home}', edge: '${vpc/edge}'}\n"
WHERE = f"the account {OTHER_ACCOUNT}"
LET_US_IN = "let us assume it (its trust policy, our sts:AssumeRole)"
LOOKS = [["plan"], ["drift"], ["explain", "vpc/home"], ["outputs"], ["doctor", "amnesia"]]
CHANGES = [["run", "--once"], ["destroy", "--yes"], ["approve", "0123456789ab", "--reason", "why"]]


def write(cli: Cli, resources: str) -> None:
    """The config from now on; it is known that the stack has nothing in other places, of both accounts."""
    cli.write(resources, HEAD + ACCOUNTS)
    here = Discovered(accounts=frozenset({ACCOUNT, OTHER_ACCOUNT}))
    Memory.open(cli.state / "ai", time.time).keep(fingerprint(cli.file), here)


def answer(what: str) -> None:
    """How AWS answers whoever would assume a role from now on."""
    current().faults.add(*read_rules(f"[{{call: sts:AssumeRole, do: {what}}}]", "rules").rules)


def close() -> None:
    """The role of the other account may not be assumed any more."""
    answer("{fail: denied}")


def open_again() -> None:
    """It may."""
    current().faults.clear()


@pytest.fixture
def two(cli: Cli) -> Cli:
    """The command, whose config is made in two accounts."""
    write(cli, HOME + EDGE + OUTPUTS)
    assert cli("run", "--once").status == 0
    return cli


@pytest.fixture
def astray(two: Cli) -> Iterator[Cli]:
    """The same, but the role leads to a third account.  AWS does not do so, and it is its memory that is changed."""

    def mislead(moment: str, call: Any) -> None:
        if moment == "after" and call.operation == "AssumeRole":
            for role in sts_backends[OTHER_ACCOUNT]["aws"].assumed_roles:
                role.account_id = "999999999999"

    current().faults.hooks.append(mislead)
    yield two
    open_again()


def kept(result: Result) -> Result:
    """The same result, without what the local AWS has said; whatever a user has caused, there is no stack in it."""
    assert "Traceback" not in result.err + result.out
    assert '"exception"' not in result.err
    said = [line for line in result.err.splitlines(keepends=True) if not line.startswith("sandbox: ")]
    return replace(result, err="".join(said))


def in_edge(url: str) -> list[str]:
    """The ranges of the VPCs of the other account, the default one left out."""
    made = client("sts", url).assume_role(RoleArn=ROLE, RoleSessionName="by-hand")["Credentials"]
    ec2 = client(
        "ec2",
        url,
        aws_access_key_id=made["AccessKeyId"],
        aws_secret_access_key=made["SecretAccessKey"],
        aws_session_token=made["SessionToken"],
    )
    return [vpc["CidrBlock"] for vpc in ec2.describe_vpcs()["Vpcs"] if not vpc["IsDefault"]]


def volumes(url: str) -> int:
    """How many volumes our own account has."""
    return len(client("ec2", url).describe_volumes()["Volumes"])


def named_home(url: str) -> list[str]:
    """The VPCs of our own account that are named as the config says."""
    found = client("ec2", url).describe_vpcs(Filters=[{"Name": "tag:Name", "Values": ["home"]}])["Vpcs"]
    return [vpc["VpcId"] for vpc in found]


def rename(url: str) -> None:
    """Somebody names that VPC otherwise."""
    client("ec2", url).create_tags(Resources=named_home(url), Tags=[{"Key": "Name", "Value": "other"}])


def test_the_plan_tells_what_was_not_seen_from_what_is_not_there(two: Cli) -> None:
    close()
    found = kept(two("plan"))
    assert found.status == 77
    lines = found.out.splitlines()
    assert [line.partition(":")[0] for line in lines[:3]] == [
        f"  … vpc/edge (us-west-2 of {OTHER_ACCOUNT})",
        f"  … subnet/edge (us-west-2 of {OTHER_ACCOUNT})",
        f"  ? {WHERE} could not be read, so nothing of it is created or deleted",
    ]
    assert all(f"the role {ROLE} cannot be used: sts:AssumeRole: AccessDenied" in line for line in lines[:3])
    assert lines[2].endswith(f"; {LET_US_IN}")
    assert lines[3:] == [
        "",
        "Plan: 0 to create, 0 to update, 0 to replace, 2 waiting, 2 settled, 0 to delete.",
    ]
    data = kept(two("plan", "--json")).data
    assert {entry["address"]: (entry["verdict"], entry["drifted"]) for entry in data["addresses"]} == {
        "vpc/home": ("settled", False),
        "volume/home": ("settled", False),
        "vpc/edge": ("wait", False),
        "subnet/edge": ("wait", False),
    }
    assert list(data["closed"]) == [OTHER_ACCOUNT]


def test_a_person_reads_why_without_a_stack(two: Cli) -> None:
    close()
    told = kept(two("plan", "--log-format", "console")).err
    assert f"the role {ROLE} cannot be used: sts:AssumeRole: AccessDenied" in told
    assert LET_US_IN in told


def test_drift_is_told_of_the_account_that_is_open_and_of_no_other(two: Cli) -> None:
    close()
    found = kept(two("drift"))
    assert found.status == 77
    assert found.out.endswith(f"\nNo drift in what could be read; could not be read: {WHERE}.\n")
    rename(two.url)
    found = kept(two("drift"))
    assert found.status == 2
    assert found.out.endswith(f"\ndiffers in AWS: vpc/home; could not be read: {WHERE}.\n")


def test_explain_says_nothing_of_what_it_could_not_see(two: Cli) -> None:
    close()
    found = kept(two("explain", "vpc/edge"))
    assert found.status == 77
    assert f"\nseen: unknown, for vpc in us-west-2 of {OTHER_ACCOUNT} could not be read\n" in found.out
    assert "seen: nothing" not in found.out
    data = kept(two("explain", "vpc/edge", "--json")).data
    assert (data["seen"], [one["scope"]["account"] for one in data["unread"]]) == ([], [OTHER_ACCOUNT])
    found = kept(two("explain", "vpc/home"))
    assert found.status == 0
    assert found.out.startswith("vpc/home: nothing to do\n")
    assert two("explain", "vpc/home", "--json").data["unread"] == []


def test_outputs_of_the_account_that_is_open_are_given(two: Cli) -> None:
    close()
    found = kept(two("outputs"))
    assert (found.status, found.out.partition(" = ")[0]) == (77, "home")
    assert found.out.count("\n") == 1
    reason = f"not known, for {WHERE} could not be read: edge; see `reconciler plan`"
    assert [line["reason"] for line in found.events("wait.slow")] == [reason]


def test_doctor_says_which_role_and_looks_at_the_rights_in_the_other_account(two: Cli) -> None:
    close()
    found = kept(two("doctor", "--json"))
    assert found.status == 77
    (bad,) = [one for one in found.data["findings"] if one["status"] == "bad"]
    assert bad["topic"] == "credentials"
    assert bad["what"].startswith(f"{OTHER_ACCOUNT}, by {ROLE}: sts:AssumeRole: AccessDenied")
    assert bad["mend"] == f"let us assume {ROLE} (its trust policy, our sts:AssumeRole)"
    rights = [one for one in found.data["findings"] if one["topic"] == "rights"]
    assert [one["what"] for one in rights if OTHER_ACCOUNT in one["what"]] == [
        f"not looked at in {OTHER_ACCOUNT} before it is settled who we are there"
    ]
    assert f"allowed in us-west-2 of {ACCOUNT}" in [one["what"].partition(":")[0] for one in rights]


def test_doctor_amnesia_names_what_it_has_not_compared(two: Cli) -> None:
    close()
    found = kept(two("doctor", "amnesia"))
    assert found.status == 77
    assert f"\n  {WHERE} could not be read, so it is not compared: the role {ROLE}" in found.out
    assert list(two("doctor", "amnesia", "--json").data["unseen"]) == [WHERE]


def test_a_run_mends_the_account_that_is_open_and_ends_at_once(two: Cli) -> None:
    """It is no use to wait for a person's doing until the time of the run is up."""
    close()
    rename(two.url)
    found = kept(two("run", "--once", "--timeout", "10s"))
    assert found.status == 77
    assert named_home(two.url)
    assert [one["outcome"] for one in found.events("pass.finished")] == ["partial", "partial"]
    assert found.out.splitlines()[-1] == "ai: 1 updated; 2 settled, 2 waiting, 1 unread."
    told = kept(two("status"))
    assert told.status == 0
    assert told.out.startswith("ai: partial\n")
    assert f"\n  ! {WHERE} could not be read: the role {ROLE} cannot be used" in told.out
    assert two("status", "--exit-code").status == 1
    open_again()
    assert two("run", "--once").out == "ai: nothing to do; 4 settled.\n"
    assert in_edge(two.url) == ["10.1.0.0/16"]


def test_what_has_left_the_config_is_not_said_to_be_gone(two: Cli) -> None:
    """As before an account leaves `accounts:`: all that says that this can be done now is a look into it."""
    write(two, HOME)
    close()
    found = kept(two("plan"))
    assert found.status == 77
    assert "No changes" not in found.out
    assert f"  ? {WHERE} could not be read, so nothing of it is created or deleted" in found.out
    assert kept(two("drift")).status == 77
    assert kept(two("doctor", "amnesia")).status == 77
    told = kept(two("explain", "vpc/edge"))
    assert told.status == 77
    (line,) = [line for line in told.log if line["level"] == "error"]
    assert line["scope"] == WHERE
    assert line["reason"].startswith(
        f"vpc/edge is not in the config, and whether AWS has it as this stack's is unknown: {WHERE} could not be read"
    )
    done = kept(two("run", "--once"))
    assert (done.status, done.out.splitlines()[-1]) == (77, "ai: nothing was changed; 2 settled, 1 unread.")
    assert two("status", "--exit-code").status == 1
    open_again()
    two.write(HOME, HEAD + ACCOUNTS, discovered=False)
    assert two("run", "--once", "--allow-shrink").out == "ai: 2 deleted; 2 settled.\n"
    assert in_edge(two.url) == []


def test_destroy_takes_what_it_may_and_says_that_it_is_not_all(two: Cli) -> None:
    close()
    asked = kept(two.seen("destroy", typed="another\n"))
    assert asked.status == 3
    assert f"  ? {WHERE} could not be read, so nothing of it is created or deleted" in asked.err
    assert volumes(two.url) == 1
    found = kept(two("destroy", "--yes", "--timeout", "10s"))
    assert found.status == 77
    assert len(found.events("pass.finished")) == 2, "it does not wait for what a person has to do"
    assert volumes(two.url) == 0
    waits, unread, counted = found.out.splitlines()
    assert waits.startswith("  vpc/home: waiting, not deleted, because subnet in us-west-2 of ")
    assert unread.startswith(f"  {WHERE} could not be read: the role {ROLE} cannot be used")
    assert unread.endswith(f"; {LET_US_IN}")
    assert counted == "ai: 1 deleted; 1 waiting, 1 unread."
    open_again()
    assert in_edge(two.url) == ["10.1.0.0/16"]
    done = two("destroy", "--yes")
    assert (done.status, done.out) == (0, "ai: 3 deleted; nothing of it is left.\n")
    assert in_edge(two.url) == []


def test_destroy_does_not_end_well_where_nothing_else_is_left(cli: Cli) -> None:
    write(cli, f"resources: {EDGE}")
    assert cli("run", "--once").status == 0
    close()
    for resources in (f"resources: {EDGE}", "resources: {}\n"):
        write(cli, resources)
        found = kept(cli("destroy", "--yes", "--json"))
        assert (found.status, found.data["outcome"]) == (77, "failed")
        assert list(found.data["closed"]) == [OTHER_ACCOUNT]
        assert "nothing of it is left" not in kept(cli("destroy", "--yes")).out
    open_again()
    assert in_edge(cli.url) == ["10.1.0.0/16"]


@pytest.mark.parametrize("words", [["plan"], ["destroy", "--yes", "--timeout", "0s"]])
def test_where_nobody_answers_it_is_to_be_tried_later(two: Cli, words: list[str]) -> None:
    answer("drop")
    found = kept(two(*words))
    assert found.status == 75
    assert f"{WHERE} could not be read" in found.out
    assert f"the role {ROLE} cannot be used: sts:AssumeRole: no answer" in found.out


def test_a_run_waits_for_the_answer_of_an_account_where_nothing_is_wanted_any_more(two: Cli) -> None:
    write(two, HOME)
    answer("drop, times: 3")  # all attempts of one look
    found = kept(two("run", "--once"))
    assert (found.status, found.out) == (0, "ai: nothing to do; 2 settled.\n")
    assert [one["outcome"] for one in found.events("pass.finished")] == ["partial", "settled"]


@pytest.mark.parametrize("words", [*LOOKS, *CHANGES], ids=" ".join)
def test_a_role_that_leads_elsewhere_stops_every_verb(astray: Cli, words: list[str]) -> None:
    before = len(current().calls.writes)
    found = kept(astray(*words))
    assert (found.status, found.out) == (77, "")
    assert [line["reason"] for line in found.events("identity.mismatch")] == [
        f"the role {ROLE} leads to account 999999999999 and the config says {OTHER_ACCOUNT}: nothing was done; "
        "correct `accounts:`"
    ]
    assert len(current().calls.writes) == before


def test_doctor_says_where_a_role_leads(astray: Cli) -> None:
    found = kept(astray("doctor", "--json"))
    assert found.status == 77
    (bad,) = [one for one in found.data["findings"] if one["status"] == "bad"]
    assert (bad["topic"], bad["what"]) == ("account", f"999999999999, and the config says {OTHER_ACCOUNT}")
    assert bad["mend"] == "correct the role in `accounts:`"
