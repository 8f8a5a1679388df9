"""People change their minds, and AWS says no half-way: what works is kept, and nothing is stuck or done for ever."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.errors import ConfigError, GuardError
from reconciler.model.verdicts import Blocked, Wait
from reconciler.sandbox import AwsError, Call
from tests.harness import Host, read, tags
from tests.passes.estates import NETWORK, SLEEPY

FIRST = NETWORK.replace("t3.micro", "t3.micro\n        replace: create-first")
OTHER = SLEEPY.replace("t3.micro", "t3.micro\n        replace: create-first")


def without_capacity(ops: Host) -> None:
    """The machine makes way, and its successor cannot be had."""
    ops.run(FIRST)
    ops.aws.fail("ec2", "RunInstances", code="InsufficientInstanceCapacity", times=1000)
    ops.run(OTHER)
    assert [tags(row)["reconciler:address"] for row in ops.ours("instance")] == ["instance/i@old"]


@pytest.mark.parametrize(
    "text", [FIRST, NETWORK, NETWORK.replace("t3.micro", "t3.micro\n        protect: true")]
)
def test_taking_a_replacement_back_keeps_the_machine(ops: Host, text: str) -> None:
    without_capacity(ops)
    id = ops.ours("instance")[0]["InstanceId"]
    ops.aws.clear_faults()
    assert ops.run(text).outcome == "settled"
    assert [row["InstanceId"] for row in ops.ours("instance")] == [id]


def test_dropping_the_wish_to_replace_keeps_the_machine_and_says_what_differs(ops: Host) -> None:
    without_capacity(ops)
    id = ops.ours("instance")[0]["InstanceId"]
    ops.aws.clear_faults()
    ops.run(SLEEPY)
    assert [row["InstanceId"] for row in ops.ours("instance")] == [id]
    assert isinstance(ops.entry(SLEEPY, "instance/i").verdict, Blocked)


def test_renaming_in_the_middle_of_a_replacement_keeps_the_machine_until_there_is_another(ops: Host) -> None:
    without_capacity(ops)
    id = ops.ours("instance")[0]["InstanceId"]
    renamed = OTHER.replace("instance/i:", "instance/j:\n        previously: instance/i")
    ops.run(renamed)
    assert [row["InstanceId"] for row in ops.ours("instance")] == [id]
    ops.aws.clear_faults()
    assert ops.run(renamed).outcome == "settled"
    assert [tags(row)["reconciler:address"] for row in ops.ours("instance")] == ["instance/j"]


def test_protection_is_written_although_something_else_is_blocked(ops: Host) -> None:
    ops.run(NETWORK)
    ops.run(SLEEPY)
    ops.run(SLEEPY.replace("t3.micro", "t3.micro\n        protect: true"))
    ops.run(NETWORK.partition("      instance/i")[0], allow_shrink=True)
    assert len(ops.ours("instance")) == 1


def test_a_renamed_address_is_written_although_something_else_is_blocked(ops: Host) -> None:
    ops.run(NETWORK)
    id = ops.ours("instance")[0]["InstanceId"]
    renamed = SLEEPY.replace("instance/i:", "instance/j:\n        previously: instance/i")
    ops.run(renamed)
    ops.run(renamed.replace("        previously: instance/i\n", ""))
    assert [(row["InstanceId"], tags(row)["reconciler:address"]) for row in ops.ours("instance")] == [
        (id, "instance/j")
    ]


def test_ignored_tags_are_never_the_owner_tags(ops: Host) -> None:
    ignoring = "resources:\n  global-network/a: {ignore: [Tags], Tags: {x: y}}\n  global-network/b: {}"
    ops.run(ignoring)
    ops.run(ignoring.replace("ignore", "protect: true, ignore"))
    ops.run("resources:\n  global-network/b: {}")
    assert len(ops.ours("global-network")) == 2


def test_a_chain_of_deletions_is_counted_as_a_whole(ops: Host) -> None:
    ops.run(NETWORK)
    ops.aws.clear_calls()
    with pytest.raises(GuardError, match="4 things"):
        ops.run("limits: {deletes: 3}\nresources:\n  global-network/n: {}", allow_shrink=True)
    assert ops.writes() == []


@pytest.mark.parametrize("spelling", ["10.0.0.7/16", "10.0.0.0/16"])
def test_a_block_that_aws_spells_otherwise_is_the_same_block(ops: Host, spelling: str) -> None:
    text = f"resources:\n  vpc/v: {{CidrBlock: {spelling}, replace: delete-first, protect: false}}"
    assert ops.run(text).outcome == "settled"
    assert ops.writes().count("CreateVpc") == 1


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("ImageId: resolve:ssm:/aws/x", "write ${ssm:/aws/x}"),
        ("SecurityGroupIds: []", "at least one group"),
    ],
)
def test_what_could_never_settle_is_refused(given: str, expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(f"resources:\n  instance/i: {{{given}}}")
    assert expected in str(caught.value)


def test_a_parameter_in_a_rule_is_refused() -> None:
    rule = "{IpProtocol: '-1', CidrIpv4: '${ssm:/x}'}"
    with pytest.raises(ConfigError, match="cannot hold a parameter"):
        read(f"resources:\n  security-group/g: {{GroupName: g, Description: g, Ingress: [{rule}]}}")


def test_an_ignored_member_keeps_what_others_wrote_when_its_neighbour_is_mended(ops: Host) -> None:
    text = """
        resources:
          global-network/n: {}
          site/s:
            GlobalNetworkId: ${global-network/n}
            Location: {Address: ours, Latitude: "1"}
            ignore: [Location.Address]
    """
    ops.run(text)
    site = ops.seen(text, "site/s")
    location = {"Address": "by hand", "Latitude": "1"}
    network = site.raw["GlobalNetworkId"]
    ops.by_hand("networkmanager", "UpdateSite", GlobalNetworkId=network, SiteId=site.id, Location=location)
    ops.aws.clock.advance(5)
    ops.run(text.replace('"1"', '"2"'))
    assert ops.rows("site")[0]["Location"] == {"Address": "by hand", "Latitude": "2"}


@pytest.mark.parametrize("doubt", ["two", "half"])
def test_a_former_address_in_doubt_makes_nothing_new(ops: Host, doubt: str) -> None:
    ops.run("resources:\n  global-network/a: {}")
    one = ops.ours("global-network")[0]
    owner = [tag for tag in one["Tags"] if tag["Key"].startswith("reconciler:")]
    if doubt == "two":
        ops.by_hand("networkmanager", "CreateGlobalNetwork", Tags=owner)
    else:
        ops.by_hand(
            "networkmanager",
            "UntagResource",
            ResourceArn=one["GlobalNetworkArn"],
            TagKeys=["reconciler:stack"],
        )
    ops.aws.clock.advance(5)
    ops.aws.clear_calls()
    report = ops.run("resources:\n  global-network/b: {previously: global-network/a}", allow_shrink=True)
    assert report.count("blocked") >= 1
    assert ops.writes() == []


def test_a_thing_in_doubt_is_no_settled_estate(ops: Host) -> None:
    ops.run("resources:\n  global-network/a: {}\n  global-network/b: {}")
    arn = next(row for row in ops.ours("global-network") if tags(row)["reconciler:address"].endswith("b"))
    ops.by_hand(
        "networkmanager", "UntagResource", ResourceArn=arn["GlobalNetworkArn"], TagKeys=["reconciler:address"]
    )
    report = ops.run("resources:\n  global-network/a: {}")
    assert report.outcome == "partial"


def test_what_others_use_cannot_be_deleted_first(ops: Host) -> None:
    ops.run(NETWORK)
    ops.aws.clear_calls()
    moved = NETWORK.replace(
        "10.0.0.0/16, protect: false", "10.0.0.0/17, protect: false, replace: delete-first"
    )
    report = ops.run(moved)
    verdict = next(entry.verdict for entry in report.plan.entries if entry.label == "vpc/v")
    assert isinstance(verdict, Blocked)
    assert "use it" in verdict.why
    assert ops.writes() == []


def test_what_may_be_deleted_by_now_makes_way(ops: Host) -> None:
    ops.run("resources:\n  vpc/v: {CidrBlock: 10.0.0.0/16}")
    other = "resources:\n  vpc/v: {CidrBlock: 10.1.0.0/16, protect: false, replace: create-first}"
    assert ops.run(other).outcome == "settled"
    assert [row["CidrBlock"] for row in ops.ours("vpc")] == ["10.1.0.0/16"]


def test_a_refused_deletion_of_the_old_one_does_not_stop_its_successor(ops: Host) -> None:
    ops.run(FIRST)
    ops.aws.fail("ec2", "TerminateInstances", code="UnauthorizedOperation", status=403, times=1000)
    ops.run(OTHER)
    ops.run(OTHER.replace("replace: create-first", "replace: create-first\n        Tags: {a: b}"))
    statuses = {tags(row)["reconciler:address"]: tags(row).get("a") for row in ops.ours("instance")}
    assert statuses == {"instance/i": "b", "instance/i@old": None}
    assert [call.operation for call in ops.aws.writes].count("TerminateInstances") == 2, "once a run"


# ---- places that cannot be asked


def fail_in(region: str, *operations: str) -> Any:
    def hook(moment: str, call: Call) -> None:
        if moment == "before" and call.region == region and call.operation in operations:
            raise AwsError("InternalError", "not now", 500)

    return hook


WEST = "resources:\n  vpc/v: {CidrBlock: 10.0.0.0/16, region: us-west-2}"
EAST = WEST.replace("us-west-2", "eu-west-1")


@pytest.mark.parametrize("operation", ["DescribeTags", "DescribeVpcs"])
def test_what_moved_from_a_place_that_cannot_be_asked_is_not_made_twice(ops: Host, operation: str) -> None:
    ops.run(WEST)
    hook = fail_in("us-west-2", operation)
    ops.aws.on_call.append(hook)
    ops.run(EAST, timeout=120)
    assert ops.ours("vpc", "eu-west-1") == []
    ops.aws.on_call.remove(hook)
    ops.run(EAST)
    assert isinstance(ops.entry(EAST, "vpc/v").verdict, Blocked), "the region cannot change"
    assert ops.ours("vpc", "eu-west-1") == []


def test_without_memory_a_place_where_it_may_be_is_waited_for(ops: Host) -> None:
    ops.run(WEST)
    ops.forget()
    ops.aws.on_call.append(fail_in("us-west-2", "DescribeVpcs"))
    assert isinstance(ops.entry(EAST, "vpc/v").verdict, Wait)


def test_a_place_that_did_not_answer_is_asked_again_at_the_next_look(ops: Host) -> None:
    ops.asks_everywhere = True
    ops.run(WEST)
    hook = fail_in("eu-central-1", "DescribeTags")
    ops.aws.on_call.append(hook)
    loop = ops.loop(WEST.replace("us-west-2", "us-west-2, Tags: {a: b}"))
    loop.one_pass("test")
    assert not loop.knows_everywhere
    ops.aws.on_call.remove(hook)
    loop.one_pass("test")
    assert loop.knows_everywhere


# ---- what we did wrong ourselves


def test_a_defect_in_one_address_leaves_the_others_done(ops: Host) -> None:
    ops.clients_of_its_own()
    loop = ops.loop(NETWORK, grace=0)
    client = loop.gateway.sessions.client("123456789012", "ec2", "us-west-2", retries=False)

    def broken(**_: Any) -> None:
        raise ZeroDivisionError("a defect")

    client.meta.events.register_first("before-send.ec2.CreateSubnet", broken)
    report = loop.one_pass("test")
    statuses = {outcome.label: outcome.status for outcome in report.outcomes}
    assert statuses["vpc/v"] == "created"
    assert statuses["subnet/s"] == "failed"
    assert "ZeroDivisionError" in next(
        outcome.why for outcome in report.outcomes if outcome.status == "failed"
    )


GIVING_WAY = NETWORK.replace("t3.micro", "t3.micro\n        replace: delete-first")
ELSEWHERE = GIVING_WAY.replace("SubnetId: ${subnet/s}", "SubnetId: ${subnet/t}").replace(
    "      security-group/g:",
    '      subnet/t: {VpcId: "${vpc/v}", CidrBlock: 10.0.2.0/24}\n      security-group/g:',
)


def test_nothing_is_deleted_for_a_successor_that_needs_what_cannot_be_made(ops: Host) -> None:
    assert ops.run(GIVING_WAY).outcome == "settled"
    (machine,) = ops.ours("instance")
    ops.aws.fail("ec2", "CreateSubnet", code="InvalidSubnet.Conflict", status=400, times=1000)
    entry = ops.entry(ELSEWHERE, "instance/i")
    assert getattr(entry.verdict, "verb", "") == "replace", "the plan says what is meant, and limits count it"
    ops.aws.clear_calls()
    report = ops.run(ELSEWHERE, timeout=120)
    assert [row["InstanceId"] for row in ops.ours("instance")] == [machine["InstanceId"]]
    assert set(ops.writes()) == {"CreateSubnet"}
    waits = next(outcome for outcome in report.outcomes if outcome.label == "instance/i")
    assert waits.status == "waiting"
    assert "needs subnet/t" in waits.why
    assert not waits.final
    ops.aws.clear_faults()
    assert ops.run(ELSEWHERE).outcome == "settled"
    (successor,) = ops.ours("instance")
    assert successor["SubnetId"] == ops.seen(ELSEWHERE, "subnet/t").id


def test_a_device_keeps_its_links_while_the_site_that_it_moves_to_cannot_be_made(ops: Host) -> None:
    here = """
    resources:
      global-network/g: {}
      site/a: {GlobalNetworkId: "${global-network/g}"}
      link/a: {GlobalNetworkId: "${global-network/g}", SiteId: "${site/a}", Bandwidth: {UploadSpeed: 1}}
      device/d: {GlobalNetworkId: "${global-network/g}", SiteId: "${site/a}", Links: [{LinkId: "${link/a}"}]}
    """
    there = here.replace(
        'SiteId: "${site/a}", Links: [{LinkId: "${link/a}"}]', 'SiteId: "${site/b}", Links: []'
    )
    there = there.replace(
        "      link/a:", '      site/b: {GlobalNetworkId: "${global-network/g}"}\n      link/a:'
    )
    assert ops.run(here).outcome == "settled"
    ops.aws.fail("networkmanager", "CreateSite", code="ServiceQuotaExceededException", status=402, times=1000)
    ops.aws.clear_calls()
    ops.run(there, timeout=120)
    assert set(ops.writes()) == {"CreateSite"}
    ops.aws.clear_faults()
    assert ops.run(there).outcome == "settled"


def test_what_was_made_just_now_has_nothing_in_it_yet_when_another_is_to_be_replaced(ops: Host) -> None:
    """Who uses whom is asked of what AWS's answer to a creation shows, too."""
    before = """
resources:
  vpc/v: {CidrBlock: 10.0.0.0/16, protect: false}
  subnet/a: {VpcId: "${vpc/v}", CidrBlock: 10.0.1.0/24, AvailabilityZone: us-west-2a}
  subnet/b: {VpcId: "${vpc/v}", CidrBlock: 10.0.2.0/24, AvailabilityZone: us-west-2b}
  network-interface/i: {SubnetId: "${subnet/a}", replace: delete-first}
"""
    after = before.replace('${subnet/a}", replace', '${subnet/b}", Groups: ["${security-group/g}"], replace')
    after += '  security-group/g: {VpcId: "${vpc/v}", GroupName: g, Description: g}\n'
    assert ops.run(before).outcome == "settled"
    assert ops.run(after).outcome == "settled"
    (row,) = ops.rows("network-interface")
    assert row["AvailabilityZone"] == "us-west-2b"
