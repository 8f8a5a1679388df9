"""Whole passes on the local AWS: what a user sees of looking, concluding and acting."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from reconciler.errors import GuardError, IdentityError
from reconciler.model.things import World
from reconciler.model.verdicts import Blocked, Settled, Steps, Wait
from tests.harness import Host, host, read, tags

AI_GLOBAL = (Path(__file__).parents[2] / "config/ai-global.yaml").read_text()
TWO_REGIONS = (Path(__file__).parents[2] / "config/two-regions.yaml").read_text()
NETWORK = """
    resources:
      vpc/v: {CidrBlock: 10.0.0.0/16, protect: false}
      subnet/s: {VpcId: "${vpc/v}", CidrBlock: 10.0.1.0/24, AvailabilityZone: us-west-2a}
      security-group/g: {GroupName: g, Description: g, VpcId: "${vpc/v}"}
      instance/i:
        ImageId: ${ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64}
        InstanceType: t3.micro
        SubnetId: ${subnet/s}
        SecurityGroupIds: ["${security-group/g}"]
"""


@pytest.fixture
def ops(tmp_path: Path) -> Iterator[Host]:
    with host(tmp_path) as found:
        yield found


# ---- the examples


@pytest.mark.parametrize("text", [AI_GLOBAL, TWO_REGIONS], ids=["ai-global", "two-regions"])
def test_an_example_is_made_settles_and_is_destroyed(ops: Host, text: str) -> None:
    assert not ops.plan(text).settled
    assert ops.run(text).outcome == "settled"
    assert ops.plan(text).settled
    ops.aws.clear_calls()
    assert ops.run(text).outcome == "settled"
    assert ops.writes() == []
    report = ops.destroy(text)
    assert report.count("failed", "blocked", "waiting") == 0
    left = [kind for kind in ("global-network", "site", "instance") if ops.rows(kind)]
    left += [
        region for region in ("us-west-2", "eu-central-1") for vpc in ops.rows("vpc", region) if tags(vpc)
    ]
    assert left == []


def test_the_outputs_are_ids(ops: Host) -> None:
    loop = ops.loop(AI_GLOBAL)
    assert set(loop.outputs(loop.plan()[0]).values()) == {None}
    ops.run(AI_GLOBAL)
    loop = ops.loop(AI_GLOBAL)
    found = loop.outputs(loop.plan()[0])
    prefixes = {"globalNetworkId": "global-network-", "siteOneId": "site-", "siteTwoId": "site-"}
    assert all(str(found[name]).startswith(prefix) for name, prefix in prefixes.items())
    assert str(found["aiWorkloadInstanceId"]).startswith("i-")


# ---- order, and how often AWS is asked


def test_what_a_creation_answers_serves_its_dependents_in_the_same_pass(ops: Host) -> None:
    """An instance is usable while pending, a VPC and a subnet are too: one pass makes the chain."""
    report = ops.loop(NETWORK, grace=0).one_pass("test")
    assert {outcome.label: outcome.status for outcome in report.outcomes} == dict.fromkeys(
        ("vpc/v", "subnet/s", "security-group/g", "instance/i"), "created"
    )
    order = ops.writes()
    assert order.index("CreateVpc") < order.index("CreateSubnet") < order.index("RunInstances")


def test_looks_follow_each_other_quickly_after_a_change_and_ever_slower_while_nothing_moves(
    ops: Host,
) -> None:
    times: list[float] = []
    loop = ops.loop("resources:\n  global-network/a: {}\n  site/s: {GlobalNetworkId: '${global-network/a}'}")
    looked = loop.look

    def look() -> World:
        times.append(ops.aws.clock.monotonic())
        return looked()

    loop.look = look  # type: ignore[method-assign]
    loop.until_settled(600)
    gaps = [after - before for before, after in pairwise(times)]
    waiting = gaps[: next(n for n, gap in enumerate(gaps[1:], 1) if gap < gaps[n - 1])]
    assert waiting[0] == pytest.approx(0.2)
    assert all(after == pytest.approx(before * 1.5) for before, after in pairwise(waiting))
    assert gaps[len(waiting)] == pytest.approx(0.2), "the network was made: its site can follow soon"


def test_deletions_go_in_reverse_and_never_run_into_each_other(ops: Host) -> None:
    ops.run(NETWORK)
    ops.aws.clear_calls()
    ops.run("resources: {}", allow_empty=True)
    deletes = [call for call in ops.aws.writes if call.operation.startswith(("Delete", "Terminate"))]
    assert all(call.error is None for call in deletes)
    order = [call.operation for call in deletes]
    assert order[0] == "TerminateInstances"
    assert order[-1] == "DeleteVpc"


def test_groups_that_refer_to_each_other_are_deleted(ops: Host) -> None:
    both = """
        resources:
          vpc/v: {CidrBlock: 10.0.0.0/16}
          security-group/a:
            GroupName: a
            Description: a
            VpcId: ${vpc/v}
            Ingress: [{IpProtocol: "-1", ReferencedGroupId: "${security-group/b}"}]
          security-group/b:
            GroupName: b
            Description: b
            VpcId: ${vpc/v}
            Ingress: [{IpProtocol: "-1", ReferencedGroupId: "${security-group/a}"}]
    """
    assert ops.run(both).outcome == "settled"
    report = ops.run("resources:\n  vpc/v: {CidrBlock: 10.0.0.0/16}", allow_shrink=True)
    assert report.outcome == "settled"
    assert [row["GroupName"] for row in ops.ours("security-group")] == []


def test_a_settled_pass_asks_once_a_kind_and_region_and_never_for_one_thing(ops: Host) -> None:
    """However many things there are: pages, and the details that no list has."""
    ops.run(AI_GLOBAL)
    ops.aws.clear_calls()
    report = ops.loop(AI_GLOBAL).one_pass("test")
    asked = Counter((call.operation, call.region) for call in ops.aws.calls)
    assert asked == Counter(
        {
            ("DescribeGlobalNetworks", "us-west-2"): 1,
            ("GetSites", "us-west-2"): 1,
            ("DescribeInstances", "us-west-2"): 1,
        }
    )
    assert report.calls == 3
    assert report.discovery_calls == 0


@pytest.mark.parametrize("count", [1, 7])
def test_the_calls_of_a_settled_pass_are_the_pages_that_aws_gives(tmp_path: Path, count: int) -> None:
    sites = "".join(f"  site/s{n}: {{GlobalNetworkId: '${{global-network/n}}'}}\n" for n in range(count))
    text = "resources:\n  global-network/n: {}\n" + sites
    with host(tmp_path, page_size=100) as ops:
        ops.run(text)
        ops.aws.clear_calls()
        assert ops.loop(text).one_pass("test").calls == 2


def test_no_parameter_is_read_once_the_machine_exists(ops: Host) -> None:
    ops.run(NETWORK)
    ops.aws.clear_calls()
    ops.run(NETWORK)
    assert "GetParameter" not in {call.operation for call in ops.aws.calls}


def test_independent_branches_do_not_wait_for_a_failed_one(ops: Host) -> None:
    broken = AI_GLOBAL.replace(
        "${ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64}",
        "ami-0c55b159cbfafe1f0",
    )
    report = ops.run(broken)
    statuses = {outcome.label: outcome.status for outcome in report.outcomes}
    assert statuses.pop("instance/worker") == "blocked"
    assert set(statuses.values()) == {"settled"}
    assert any("InvalidAMIID.NotFound" in outcome.why for outcome in report.outcomes)
    assert [call.operation for call in ops.aws.writes].count("RunInstances") == 1, (
        "refused for good: sent once"
    )


def test_what_somebody_terminates_is_made_again_and_again(ops: Host) -> None:
    ops.run(NETWORK)
    ids = set()
    for _ in range(3):
        id = ops.seen(NETWORK, "instance/i").id
        ids.add(id)
        ops.by_hand("ec2", "TerminateInstances", InstanceIds=[id])
        ops.aws.clock.advance(5)
        began = ops.aws.clock.monotonic()
        assert ops.run(NETWORK).outcome == "settled"
        assert ops.aws.clock.monotonic() - began < 10, "AWS itself lists it as dead: nothing to wait for"
    assert len(ids) == 3
    assert len(ops.ours("instance")) == 1


def test_a_dead_one_of_another_shape_does_not_hold_its_successor_up(ops: Host) -> None:
    """The first token belongs to a machine of another type; AWS would call that a mismatch."""
    ops.run(NETWORK)
    other = NETWORK.replace("t3.micro", "t3.small\n        replace: delete-first")
    began = ops.aws.clock.monotonic()
    assert ops.run(other).outcome == "settled"
    assert ops.aws.clock.monotonic() - began < 30
    assert [row["InstanceType"] for row in ops.ours("instance")] == ["t3.small"]


def test_a_creation_that_happened_with_other_parameters_is_looked_for_and_not_made_twice(ops: Host) -> None:
    ops.run(NETWORK.split("      instance/i")[0])
    ops.aws.hide("ec2", "DescribeInstances", seconds=120)
    ops.aws.lose_answer("ec2", "RunInstances")
    ops.loop(NETWORK).one_pass("test")
    ops.forget()
    report = ops.run(NETWORK.replace("t3.micro", "t3.small"))
    assert len(ops.ours("instance")) == 1
    assert report.outcome == "partial", "the type cannot change after creation, and is not wanted to"


# ---- what is lost or gone


def test_a_renamed_address_keeps_its_thing(ops: Host) -> None:
    ops.run(AI_GLOBAL)
    before = ops.seen(AI_GLOBAL, "site/two").id
    renamed = AI_GLOBAL.replace("site/two:", "site/second:\n    previously: site/two").replace(
        "${site/two}", "${site/second}"
    )
    ops.aws.clear_calls()
    assert ops.run(renamed).outcome == "settled"
    assert ops.seen(renamed, "site/second").id == before
    assert ops.writes() == ["TagResource"]


def test_a_region_that_left_the_config_is_found_and_emptied(ops: Host) -> None:
    ops.run(TWO_REGIONS.replace("protect: true", "protect: false"))
    one = TWO_REGIONS.replace("[us-west-2, eu-central-1]", "[us-west-2]").replace(
        "protect: true", "protect: false"
    )
    one = "".join(line for line in one.splitlines(True) if "central" not in line)
    assert ops.run(one).outcome == "settled"
    assert [vpc for vpc in ops.rows("vpc", "eu-central-1") if tags(vpc)] == []
    assert len(ops.ours("vpc")) == 1


def test_a_kind_that_left_the_config_is_found_without_any_memory(ops: Host) -> None:
    ops.run(AI_GLOBAL)
    ops.forget()
    less = "".join(AI_GLOBAL.partition("  instance/worker")[0]) + "outputs: {siteOneId: '${site/one}'}\n"
    assert ops.run(less).outcome == "settled"
    assert ops.ours("instance") == []


@pytest.mark.parametrize("text", [AI_GLOBAL, TWO_REGIONS], ids=["ai-global", "two-regions"])
def test_losing_the_state_directory_changes_no_plan(ops: Host, text: str) -> None:
    ops.run(text)
    ops.by_hand("ec2", "TerminateInstances", InstanceIds=[ops.ours("instance")[0]["InstanceId"]])
    with_memory = ops.plan(text)
    ops.forget()
    assert ops.plan(text) == with_memory


# ---- what cannot be read


def deny(ops: Host, operation: str, service: str = "ec2") -> None:
    code = "UnauthorizedOperation" if service == "ec2" else "AccessDeniedException"
    ops.aws.fail(service, operation, code=code, status=403, times=1000)


@pytest.mark.parametrize(
    ("service", "operation", "kind"),
    [
        ("networkmanager", "DescribeGlobalNetworks", "global-network"),
        ("networkmanager", "GetSites", "site"),
        ("ec2", "DescribeInstances", "instance"),
    ],
)
def test_a_kind_that_cannot_be_read_is_left_alone_and_others_are_not(
    ops: Host, service: str, operation: str, kind: str
) -> None:
    ops.run(AI_GLOBAL)
    edited = AI_GLOBAL.replace("Region One", "Region 1").replace("site/two", "site/three")
    deny(ops, operation, service)
    ops.aws.clear_calls()
    report = ops.run(edited, allow_shrink=True)
    assert kind in {scope.kind for scope in report.plan.unread}
    assert any(
        (kind in str(scope) and "Denied" in why) or "Unauthorized" in why
        for scope, why in report.plan.unread.items()
    )
    assert not any(write.startswith(("Delete", "Terminate")) for write in ops.writes() if kind != "instance")
    assert not any(
        entry.scope.kind == kind and isinstance(entry.verdict, Steps) for entry in report.plan.entries
    )


@pytest.mark.parametrize("fault", ["drop", "truncate"])
@pytest.mark.parametrize(
    ("service", "operation"),
    [
        ("networkmanager", "DescribeGlobalNetworks"),
        ("networkmanager", "GetSites"),
        ("ec2", "DescribeInstances"),
    ],
)
def test_answers_that_are_lost_or_cut_never_look_like_an_empty_world(
    ops: Host, fault: str, service: str, operation: str
) -> None:
    ops.run(AI_GLOBAL)
    ops.aws.clear_calls()
    getattr(ops.aws, fault)(service, operation, times=50)
    report = ops.loop(AI_GLOBAL).one_pass("test")
    assert report.plan.unread
    assert ops.writes() == []
    assert not any(isinstance(entry.verdict, Steps) for entry in report.plan.entries)


def test_a_network_that_is_listed_and_cannot_be_looked_into_is_not_empty(ops: Host) -> None:
    ops.run(AI_GLOBAL)
    ops.aws.clear_calls()
    ops.aws.fail(
        "networkmanager",
        "GetSites",
        code="ValidationException",
        message="Incorrect input.",
        Reason="FieldValidationFailed",
        Fields=[{"Name": "globalNetworkId", "Message": "Global network not found."}],
    )
    report = ops.loop(AI_GLOBAL).one_pass("test")
    assert {scope.kind for scope in report.plan.unread} == {"site"}
    assert ops.writes() == []


def test_a_refused_region_blocks_only_itself(ops: Host) -> None:
    text = TWO_REGIONS
    ops.aws.on_call.append(refuse_region("eu-central-1"))
    report = ops.run(text)
    assert {scope.region for scope in report.plan.unread} == {"eu-central-1"}
    assert {entry.label for entry in report.plan.entries if isinstance(entry.verdict, Settled)} == {
        entry.label for entry in report.plan.entries if entry.scope.region == "us-west-2"
    }


def refuse_region(region: str):  # type: ignore[no-untyped-def]
    from reconciler.sandbox import AwsError, Call

    def hook(moment: str, call: Call) -> None:
        if moment == "before" and call.service == "ec2" and call.region == region:
            raise AwsError("UnauthorizedOperation", "denied by an organisation", 403)

    return hook


# ---- guards and identity


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
    assert any("changed on disk" in outcome.why for outcome in report.outcomes)
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
