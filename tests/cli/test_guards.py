"""What stops a command before it does any harm, each with a sentence that says how to go on."""

from __future__ import annotations

import io
import time
from contextlib import redirect_stderr

import pytest

from reconciler.aws.memory import Memory
from reconciler.cli import main
from reconciler.engine.flaps import mended
from reconciler.model.verdicts import Drift

from .support import VPCS, Cli, FakeTerminal, client, networks, vpcs, wait_until
from .wire import Wire

ALL = ["10.0.0.0/16", "10.1.0.0/16", "10.2.0.0/16"]
LOST_ONE = VPCS.replace("  vpc/b: {CidrBlock: 10.1.0.0/16, protect: false}\n", "")
LOST_TWO = LOST_ONE.replace("  vpc/c: {CidrBlock: 10.2.0.0/16, protect: false}\n", "")


@pytest.fixture
def made(cli: Cli) -> Cli:
    """Three networks exist."""
    cli.write(VPCS)
    assert cli("run", "--once").status == 0
    return cli


def reasons(cli: Cli, *words: str) -> list[str]:
    """Why a command was stopped."""
    found = cli(*words)
    assert found.status == 3, found
    return [line["reason"] for line in found.events("guard.stopped")]


MUCH = "limits: {deletes: 99, percent: 100, per-hour: 99}\n"


def test_an_empty_config_has_to_be_meant(made: Cli) -> None:
    made.write(f"{MUCH}resources: {{}}\n", discovered=False)
    told = "the config has no resources at all; if that is meant, say --allow-empty (or use `reconciler destroy`)"
    assert reasons(made, "run", "--once") == [told]
    planned = made("plan", "--json", "--allow-shrink")
    assert (planned.status, planned.data["guard"]) == (3, told)
    assert vpcs(made.url) == ALL
    assert made("plan", "--allow-empty", "--allow-shrink").status == 0


def test_losing_more_than_half_has_to_be_meant(made: Cli) -> None:
    made.write(MUCH + LOST_TWO)
    (told,) = reasons(made, "run", "--once")
    assert told.startswith(
        "the config has lost 2 of the 3 things that this stack owns (vpc/b, vpc/c): was it cut short, or is a file "
        "missing? If that is meant, say --allow-shrink, or agree to it: `reconciler approve "
    )
    assert reasons(made, "run", "--once", "--allow-empty") == [told], "the other agreement does not count"
    assert vpcs(made.url) == ALL
    assert made("run", "--once", "--allow-shrink").status == 0
    assert vpcs(made.url) == ALL[:1]


def test_without_limits_of_its_own_a_config_may_lose_a_fifth(made: Cli) -> None:
    made.write(LOST_TWO)
    (told,) = reasons(made, "run", "--once", "--allow-shrink")
    assert "`limits: percent` allows 1" in told
    assert vpcs(made.url) == ALL


def agreeing(cli: Cli) -> list[str]:
    """The command that the guard's line holds, but for the reason."""
    (told,) = reasons(cli, "run", "--once")
    words = told.rpartition("`reconciler ")[2].removesuffix(" --reason …`").split()
    assert words[0] == "approve"
    assert words[2:] == ["--config", str(cli.file)]
    return words[:2]


def test_a_person_can_agree_to_the_plan_that_was_stopped_once(made: Cli) -> None:
    made.write(LOST_TWO)
    words = agreeing(made)
    assert made(*words).status == 64, "without a reason"
    agreed = made(*words, "--reason", "they are not needed", "--json")
    assert agreed.status == 0
    assert [one["verb"] for one in agreed.data["addresses"] if one["verb"]] == ["delete", "delete"], (
        "it is shown"
    )
    done = made("run", "--once")
    assert done.status == 0
    (line,) = done.events("guard.agreed")
    assert (line["reason"], bool(line["by"])) == ("they are not needed", True)
    assert vpcs(made.url) == ALL[:1]
    history = made("history", "--json", "--last", "2").data["changes"]
    assert {change["by"] for change in history} == {line["by"]}, "who agreed is on record"

    made.write(VPCS)
    assert made("run", "--once").status == 0
    made.write(LOST_TWO)
    assert agreeing(made) != words, "other things, another plan"
    assert made(*words, "--reason", "again").status == 3
    assert vpcs(made.url) == ALL


def test_an_agreement_is_void_when_anything_has_changed_and_when_it_has_expired(made: Cli) -> None:
    made.write(LOST_TWO)
    words = agreeing(made)
    assert made(*words, "--reason", "not needed").status == 0
    changed = client("ec2", made.url).describe_vpcs(Filters=[{"Name": "cidr", "Values": [ALL[1]]}])["Vpcs"][0]
    client("ec2", made.url).create_tags(Resources=[changed["VpcId"]], Tags=[{"Key": "in", "Value": "use"}])
    assert agreeing(made) != words, "somebody has begun to use it"
    assert vpcs(made.url) == ALL
    words = agreeing(made)
    assert made(*words, "--reason", "all the same").status == 0
    made.write(LOST_TWO + "# and a word that changes nothing\n")
    assert agreeing(made) != words, "it is not the file that they saw"
    assert vpcs(made.url) == ALL
    words = agreeing(made)
    assert made(*words, "--reason", "all the same", "--for", "10ms").status == 0
    assert agreeing(made) == words, "it has ended"
    assert made(*words, "--reason", "x", "--for", "48h").status == 64
    assert made("approve", "0123456789abcdef", "--reason", "a guess").status == 3
    assert vpcs(made.url) == ALL


def test_where_no_guard_stops_anything_there_is_nothing_to_agree_to(made: Cli) -> None:
    assert reasons(made, "approve", "0123456789abcdef", "--reason", "a guess") == [
        "no guard stops this plan, so there is nothing to agree to"
    ]


def test_losing_less_is_carried_out(made: Cli) -> None:
    made.write(LOST_ONE)
    assert made("run", "--once").out == "ai: 1 deleted; 2 settled.\n"
    assert vpcs(made.url) == [ALL[0], ALL[2]]


def test_deletions_stay_within_the_budget(made: Cli) -> None:
    made.write(f"limits: {{deletes: 1, percent: 100}}\n{LOST_TWO}")
    (told,) = reasons(made, "run", "--once", "--allow-shrink")
    assert told.startswith("2 things would be deleted or replaced (vpc/")
    assert "`limits: deletes` allows 1" in told
    assert vpcs(made.url) == ALL
    made.write(f"limits: {{deletes: 1}}\n{LOST_ONE}")
    assert made("run", "--once").status == 0
    assert vpcs(made.url) == [ALL[0], ALL[2]]


def test_observe_writes_nothing_and_says_what_it_would(cli: Cli, line: Wire) -> None:
    cli.write(f"mode: observe\n{VPCS}")
    done = cli("run", "--once")
    assert (done.status, line.writes) == (0, [])
    assert "  vpc/a: planned, nothing is written, for mode is observe\n" in done.out
    assert done.out.splitlines()[-1] == "ai: nothing was changed; 0 settled, 3 planned."
    assert done.events("pass.finished")[-1]["outcome"] == "planned"
    assert cli("run", "--once", "--detailed-exitcode").status == 2
    assert reasons(cli, "destroy", "--yes") == ["the config says `mode: observe`, so nothing is deleted"]


def test_upsert_creates_and_deletes_nothing(made: Cli) -> None:
    made.write(f"mode: upsert\n{LOST_ONE}")
    assert made("run", "--once").out == "ai: nothing to do; 3 settled.\n"
    assert "vpc/b: not in the config, and kept, for mode is upsert" in made("plan").out
    assert vpcs(made.url) == ALL


def test_protected_things_stop_destroy_as_a_whole(cli: Cli) -> None:
    cli.write("resources: {global-network/n: {}, vpc/a: {CidrBlock: 10.0.0.0/16}}\n")
    cli("run", "--once")
    assert reasons(cli, "destroy", "--yes") == [
        "vpc/a is protected, so nothing was done; to delete what is protected too, say --protected"
    ]
    assert len(networks(cli.url)) == 1, "not even what is not protected goes"
    done = cli("destroy", "--yes", "--protected")
    assert (done.status, done.out) == (0, "ai: 2 deleted; nothing of it is left.\n")
    assert (vpcs(cli.url), networks(cli.url)) == ([], [])
    (left,) = cli("status", "--json").data["stacks"]
    assert (left["what"], left["sentence"], left["addresses"]) == ("destroy", "ai: destroy: settled", {})


def test_a_protected_thing_that_left_the_config_is_kept_and_told(cli: Cli) -> None:
    cli.write("resources: {global-network/n: {}, vpc/a: {CidrBlock: 10.0.0.0/16}}\n")
    cli("run", "--once")
    cli.write("resources: {global-network/n: {}}\n", discovered=False)
    done = cli("run", "--once")
    assert done.status == 1
    assert done.out.startswith("  vpc/a: blocked, it is protected: not in the config any more, and kept")
    assert vpcs(cli.url) == ALL[:1]


def test_without_a_terminal_nobody_agrees(made: Cli) -> None:
    assert reasons(made, "destroy") == ["nobody can be asked (no terminal), so nothing was done; say --yes"]
    assert vpcs(made.url) == ALL


@pytest.mark.parametrize("typed", ["yes\n", "\n", "AI\n", ""])
def test_only_the_name_of_the_stack_is_agreement(made: Cli, typed: str) -> None:
    refused = made.seen("destroy", typed=typed)
    assert (refused.status, refused.out) == (3, "")
    assert "3 to delete.\n" in refused.err, "what would go is shown"
    assert refused.err.splitlines()[-1].endswith("reconciler: not agreed to, so nothing was done")
    assert vpcs(made.url) == ALL


def test_whoever_cannot_see_the_question_is_not_asked(made: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", FakeTerminal("ai\n"))
    with redirect_stderr(io.StringIO()):
        assert main(made.line("destroy")) == 3


def test_agreement_on_a_terminal(made: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    question = "Type the name of the stack (ai) to delete all of this: "
    agreed = made.terminal("destroy", typed={question: "ai\n"})
    assert agreed.status == 0
    assert "\x1b[31m  - vpc/" in agreed.out
    assert agreed.out.splitlines()[-1] == "ai: 3 deleted; nothing of it is left."
    assert vpcs(made.url) == []


def test_what_the_flap_breaker_has_stopped_is_told_everywhere_until_a_person_lets_it_go_on(cli: Cli) -> None:
    assert cli("run", "--once").status == 0
    network = networks(cli.url)[0]["GlobalNetworkId"]
    client("networkmanager", cli.url).update_global_network(GlobalNetworkId=network, Description="theirs")
    wait_until(lambda: networks(cli.url)[0]["State"] == "AVAILABLE", "the network")
    memory, now = Memory.open(cli.state / "ai", time.time), time.time()
    drift, flap = Drift("Description", "hello", "theirs"), None
    for ago in (1800, 1200, 600):
        flap = mended(flap, [drift], now - ago)
    memory.keep_flap("global-network/main", flap)

    planned = cli("plan", "--detailed-exitcode")
    told = "global-network/main"
    assert planned.status == 2
    assert "Description was put right 3 times within an hour and differs again" in planned.out
    done = cli("run", "--once")
    assert done.status == 1
    assert [(line["address"], line["paths"]) for line in done.events("flap.stopped")] == [
        (told, ["Description"])
    ]
    assert cli("run", "--once").events("flap.stopped") == [], "once"
    assert cli("explain", told).out.startswith(f"{told}: blocked, and nothing of it is touched: Description")
    assert f"  {told} blocked since " in cli("status").out
    assert f"! {told} is stopped by the flap breaker: CloudTrail does not show yet" in cli("history").out
    assert cli("resume", "site/one").out == "ai: site/one was not paused.\n"
    assert cli("resume", told).out == f"ai: {told} goes on.\n"
    assert "flap breaker" not in cli("history").out
    assert cli("run", "--once").status == 0
    assert networks(cli.url)[0]["Description"] == "hello"


@pytest.mark.parametrize(
    "verb", [("plan", "--detailed-exitcode"), ("drift",), ("run", "--once", "--detailed-exitcode")]
)
def test_what_upsert_keeps_counts_for_no_exit_status(made: Cli, verb: tuple[str, ...]) -> None:
    made.write(
        f"mode: upsert\n{LOST_ONE.replace('10.2.0.0/16', '10.9.0.0/16')}".replace(
            "protect: false}", "protect: false, replace: delete-first}"
        )
    )
    found = made(*verb)
    assert found.status == 0, found
    assert vpcs(made.url) == ALL
