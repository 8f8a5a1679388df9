"""Whole passes under guards: the right account, a config that can be believed, a budget, things of others."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from reconciler.errors import GuardError, IdentityError
from reconciler.model.pause import Pause
from reconciler.model.plan import Ended, Report
from reconciler.model.verdicts import Blocked, Steps, Wait
from reconciler.workers import workers
from tests.harness import STACK, Host, read, tags
from tests.passes.estates import AI_GLOBAL, NETWORK


def test_the_wrong_account_is_noticed_before_anything_else(ops: Host) -> None:
    text = AI_GLOBAL.replace("123456789012", "210987654321")
    with pytest.raises(IdentityError, match="210987654321"):
        ops.loop(text).one_pass("test")
    assert {call.operation for call in ops.aws.calls} == {"GetCallerIdentity"}


@pytest.mark.parametrize("text", ["resources: {}", "resources:\n  site/one: {GlobalNetworkId: gn-1}"])
def test_a_config_that_lost_most_of_it_does_nothing_at_all(ops: Host, text: str) -> None:
    ops.run("resources:\n  global-network/a: {}\n  global-network/b: {}\n  vpc/v: {CidrBlock: 10.0.0.0/16}")
    ops.aws.clear_calls()
    with pytest.raises(GuardError):
        ops.run(text)
    assert ops.writes() == []


def test_in_observe_mode_nothing_is_written(ops: Host) -> None:
    report = ops.run("mode: observe\n" + "resources:\n  global-network/a: {}")
    assert report.outcome == "planned"
    assert ops.writes() == []


def test_in_upsert_mode_orphans_stay_and_are_told(ops: Host) -> None:
    ops.run("resources:\n  global-network/a: {}\n  global-network/b: {}")
    report = ops.run("mode: upsert\nresources:\n  global-network/a: {Description: new}")
    assert report.outcome == "settled"
    assert len(ops.ours("global-network")) == 2
    assert any("upsert" in outcome.why for outcome in report.outcomes)


def test_over_the_budget_nothing_of_the_pass_is_done(ops: Host) -> None:
    ops.run("resources:\n  global-network/a: {}\n  global-network/b: {}\n  global-network/c: {}")
    ops.aws.clear_calls()
    less = "limits: {deletes: 0}\nresources:\n  global-network/a: {Description: new}\n  global-network/b: {}"
    with pytest.raises(GuardError, match="limits: deletes"):
        ops.run(less)
    assert ops.writes() == []


def test_a_config_that_changed_on_disk_deletes_nothing_more(ops: Host) -> None:
    ops.run("resources:\n  global-network/a: {}\n  global-network/b: {}")
    loop = ops.loop("resources:\n  global-network/a: {}")
    loop.unchanged = lambda: False
    report = loop.one_pass("test")
    told = [outcome for outcome in report.outcomes if "changed on disk" in outcome.why]
    assert [outcome.on for outcome in told] == ["person"], "to look again soon is no use before a reload"
    assert len(ops.ours("global-network")) == 2


def test_tags_are_read_again_right_before_a_deletion(ops: Host) -> None:
    """Somebody takes the thing for themselves between our look and our deletion."""
    from reconciler.sandbox import Call

    ops.run("resources:\n  global-network/a: {}\n  global-network/b: {}")
    seen = ops.seen("resources:\n  global-network/a: {}\n  global-network/b: {}", "global-network/b")
    loop = ops.loop("resources:\n  global-network/a: {}")
    loop.look()

    def take(moment: str, call: Call) -> None:
        if moment == "before" and "GlobalNetworkIds" in call.parameters:
            ops.aws.on_call.remove(take)
            ops.by_hand("networkmanager", "UntagResource", ResourceArn=seen.arn, TagKeys=["reconciler:stack"])

    ops.aws.on_call.append(take)
    report = loop.one_pass("test")
    assert [outcome.status for outcome in report.outcomes if outcome.label == "global-network/b"] == [
        "blocked"
    ]
    assert seen.id in {row["GlobalNetworkId"] for row in ops.rows("global-network")}


def test_what_is_emptied_first_is_read_again_before_it_goes(ops: Host) -> None:
    """Somebody takes a role for themselves between the calls of its deletion."""
    from reconciler.sandbox import Call

    policy = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"
    trust = '{Version: "2012-10-17", Statement: {Effect: Allow, Principal: "*", Action: "sts:AssumeRole"}}'
    role = f"{{AssumeRolePolicyDocument: {trust}, AttachedPolicies: [{{PolicyArn: {policy}}}], RoleName: r}}"
    ops.run(f"resources:\n  global-network/a: {{}}\n  iam-role/r: {role}")

    def take(moment: str, call: Call) -> None:
        if moment == "after" and call.operation == "DetachRolePolicy":
            ops.by_hand("iam", "UntagRole", RoleName="r", TagKeys=["reconciler:stack", "reconciler:address"])

    ops.aws.on_call.append(take)
    report = ops.loop("resources:\n  global-network/a: {}").one_pass("test")
    assert [outcome.status for outcome in report.outcomes if outcome.label == "iam-role/r"] == ["blocked"]
    assert "DeleteRole" not in ops.writes()


def test_a_stopped_run_begins_nothing_more(ops: Host) -> None:
    loop = ops.loop(AI_GLOBAL, grace=0)
    loop.stopped = lambda: True
    report = loop.until_settled(600)
    assert ops.writes() == []
    assert {outcome.why for outcome in report.outcomes if outcome.status == "waiting"} >= {
        "stopped before its turn"
    }


def test_a_run_that_waits_too_long_says_for_what(ops: Host) -> None:
    report = ops.run(AI_GLOBAL, timeout=0)
    assert report.outcome == "waiting"
    assert all(outcome.why for outcome in report.outcomes if outcome.status == "waiting")


def test_things_that_others_made_are_not_taken_for_ours(ops: Host) -> None:
    """An Auto Scaling group copies tags onto its instances."""
    ops.run(NETWORK)
    copied = [{"Key": key, "Value": value} for key, value in ops.seen(NETWORK, "instance/i").tags.items()]
    row = ops.ours("instance")[0]
    other = ops.by_hand(
        "ec2", "RunInstances", ImageId=row["ImageId"], InstanceType="t3.micro", MinCount=1, MaxCount=1
    )["Instances"][0]["InstanceId"]
    from moto.ec2.models import ec2_backends

    ec2_backends["123456789012"]["us-west-2"].tags[other].update(
        {"aws:autoscaling:groupName": "theirs", **{tag["Key"]: tag["Value"] for tag in copied}}
    )
    assert ops.run(NETWORK).outcome == "settled"
    assert ops.destroy(NETWORK).count("blocked", "failed") == 0
    assert other in {row["InstanceId"] for row in ops.rows("instance")}


def test_two_stacks_do_not_know_each_other(ops: Host) -> None:
    mine = "resources:\n  global-network/n: {Description: mine}"
    theirs = read("stack: theirs\naccount: '123456789012'\n" + mine.replace("mine", "theirs"))
    assert theirs.stack == "theirs"
    ops.run(mine)
    ops.run("stack: theirs\naccount: '123456789012'\n" + mine.replace("mine", "theirs"))
    assert ops.run(mine).outcome == "settled"
    assert len(ops.rows("global-network")) == 2
    ops.destroy(mine)
    assert [row["Description"] for row in ops.rows("global-network")] == ["theirs"]


def test_a_plan_shows_creations_at_once_and_a_run_waits(ops: Host) -> None:
    entries = ops.plan(AI_GLOBAL).entries
    assert all(isinstance(entry.verdict, Steps) for entry in entries)
    report = ops.loop(AI_GLOBAL).one_pass("test")
    assert {outcome.status for outcome in report.outcomes} == {"waiting"}
    assert isinstance(report.plan.entries[0].verdict, Wait)
    assert not any(isinstance(entry.verdict, Blocked) for entry in report.plan.entries)


def test_what_takes_away_waits_for_its_window_and_nothing_else_does(ops: Host) -> None:
    ops.run("resources:\n  global-network/a: {}\n  global-network/b: {}")
    now = ops.loop("resources:\n  global-network/a: {}").clock.now()
    begins = datetime.fromtimestamp(now + 3600, UTC)
    ends = datetime.fromtimestamp(now + 7200, UTC)
    windows = f'windows:\n  - {{from: "{begins:%H:%M}", to: "{ends:%H:%M}", tz: UTC}}\n'
    less = f"{windows}resources:\n  global-network/a: {{Description: new}}\n  global-network/c: {{}}"
    report = ops.run(less)
    told = {outcome.label: outcome for outcome in report.outcomes}
    assert told["global-network/b"].status == "waiting"
    assert "the maintenance window for its deletion begins" in told["global-network/b"].why
    assert "new" in {row.get("Description") for row in ops.ours("global-network")}
    assert len(ops.ours("global-network")) == 3
    ops.aws.clock.advance(3700)
    assert ops.run(less).outcome == "settled"
    assert len(ops.ours("global-network")) == 2


def test_a_pause_holds_everything_or_one_address_and_a_run_does_not_wait_for_its_end(ops: Host) -> None:
    text = "resources:\n  global-network/a: {}\n  global-network/b: {}"

    def paused(address: str) -> Report:
        loop = ops.loop(text)
        pause = Pause(stack=STACK, address=address, reason="the links are moved", by="ada", since=0.0)
        loop.pauses = lambda: (pause,)
        return loop.until_settled(600)

    before = ops.aws.clock.now()
    report = paused("")
    assert {outcome.why for outcome in report.outcomes} == {"paused by ada: the links are moved"}
    assert ops.writes() == []
    assert (ops.aws.clock.now() - before).total_seconds() < 60, "nobody waits for a person"
    report = paused("global-network/a")
    assert {outcome.label: outcome.status for outcome in report.outcomes} == {
        "global-network/a": "waiting",
        "global-network/b": "settled",
    }
    assert ops.run(text).outcome == "settled"


def test_a_pause_in_the_middle_of_a_pass_stops_it(ops: Host) -> None:
    loop = ops.loop(
        "resources:\n  global-network/a: {}\n  global-network/b: {}\n  global-network/c: {}", grace=0
    )
    pauses: list[Pause] = []
    loop.pauses = lambda: tuple(pauses)
    loop.executor = workers(1)

    def halt(moment: str, call: object) -> None:
        if moment == "after" and "Create" in str(call):
            pauses.append(Pause(stack=STACK, reason="stop that", by="ada", since=0.0))

    ops.aws.on_call.append(halt)
    loop.one_pass("test")
    assert len(ops.ours("global-network")) == 1


def test_a_pause_of_one_address_counts_in_the_middle_of_a_pass(ops: Host) -> None:
    loop = ops.loop(
        "resources:\n  global-network/a: {}\n  global-network/b: {}\n  global-network/c: {}", grace=0
    )
    pauses: list[Pause] = []
    loop.pauses = lambda: tuple(pauses)
    loop.executor = workers(1)

    def halt(moment: str, call: object) -> None:
        if moment == "after" and "Create" in str(call) and not pauses:
            pauses.append(Pause(stack=STACK, address="global-network/b", reason="stop", by="ada", since=0.0))

    ops.aws.on_call.append(halt)
    report = loop.one_pass("test")
    assert [(outcome.status, outcome.on) for outcome in report.outcomes][1] == ("waiting", "person")
    assert {tags(row)["reconciler:address"] for row in ops.ours("global-network")} == {
        "global-network/a",
        "global-network/c",
    }


def test_what_takes_away_stops_at_the_end_of_its_window(ops: Host) -> None:
    ops.run("resources:\n  global-network/a: {}\n  global-network/b: {}\n  global-network/c: {}")
    now = ops.loop("resources:\n  global-network/a: {}").clock.now()
    begins, ends = (datetime.fromtimestamp(now + left, UTC) for left in (-3600, 3600))
    loop = ops.loop(
        f'windows:\n  - {{from: "{begins:%H:%M}", to: "{ends:%H:%M}", tz: UTC}}\n'
        "resources:\n  global-network/a: {}",
        grace=0,
        allow_shrink=True,
    )
    loop.executor = workers(1)

    def late(moment: str, call: object) -> None:
        if moment == "after" and "Delete" in str(call):
            ops.aws.clock.advance(7200)

    ops.aws.on_call.append(late)
    report = loop.one_pass("test")
    assert sorted(outcome.status for outcome in report.outcomes) == ["deleted", "settled", "waiting"]
    assert len(ops.ours("global-network")) == 2


def test_the_deletions_of_an_hour_are_counted_over_passes(ops: Host) -> None:
    head = "limits: {per-hour: 2}\nresources:\n"
    names = [f"  global-network/{name}: {{}}\n" for name in "abcde"]
    loop = ops.loop(head + "".join(names), grace=0)
    loop.until_settled(600)
    for left in (4, 3):
        loop.take(read(head + "".join(names[:left])))
        loop.until_settled(600)
    loop.take(read(head + "".join(names[:2])))
    with pytest.raises(GuardError, match="per-hour` allows 0 more, after 2 in the last hour"):
        loop.one_pass("test")
    loop.guards.removals = [at + 60 for at in loop.guards.removals]  # the clock is set back
    with pytest.raises(GuardError, match="after 2 in the last hour"):
        loop.one_pass("test")
    assert len(ops.ours("global-network")) == 3
    ops.aws.clock.advance(3760)
    loop.until_settled(600)
    assert len(ops.ours("global-network")) == 2


def test_a_pass_that_loses_the_right_to_change_anything_is_no_success(ops: Host) -> None:
    loop = ops.loop("resources:\n  global-network/a: {}\n  global-network/b: {}", grace=0)
    ended: list[Ended] = []
    loop.ended.append(ended.append)
    loop.executor = workers(1)
    ops.aws.fail("networkmanager", "CreateGlobalNetwork", code="ExpiredTokenException", status=403, times=9)
    loop.one_pass("test")
    assert ended[0].outcome == "failed"
    assert "have expired" in ended[0].problem
    assert ops.ours("global-network") == []
    ops.aws.clear_faults()
    loop.until_settled(600)
    assert len(ops.ours("global-network")) == 2
