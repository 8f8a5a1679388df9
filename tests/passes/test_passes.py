"""Whole passes on the local AWS: what a user sees of looking, concluding and acting."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from reconciler.model.things import World
from tests.harness import Host, Time, host, tags
from tests.passes.estates import AI_GLOBAL, NETWORK, TWO_REGIONS

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
    ops.time = Time(ops.aws.clock)
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


def test_a_site_in_somebody_elses_network_is_seen_again(ops: Host) -> None:
    """The network is named by its id and is not ours: it must be looked into all the same."""
    ops.asks_everywhere = True
    network = ops.by_hand("networkmanager", "CreateGlobalNetwork")["GlobalNetwork"]["GlobalNetworkId"]
    ops.aws.clock.advance(5)
    text = f"resources:\n  site/s: {{GlobalNetworkId: {network}}}"
    for _ in range(3):
        assert ops.run(text).outcome == "settled"
        ops.aws.clock.advance(60)
    assert len(ops.rows("site")) == 1
    assert ops.run("resources:\n  global-network/n: {}", allow_shrink=True).outcome == "settled"
    assert ops.rows("site") == [], "and is found when it has left the config"


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
