"""A policy that leads to attachments of its own network: AWS lets nothing attach before a policy is live, so that it
becomes live without these routes first, and with them once the attachments are ready."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from reconciler.model.calls import Call
from reconciler.model.verdicts import Steps
from reconciler.sandbox import local_aws
from tests import documents
from tests.conformance.fixture import Fixture
from tests.faults.killing import Course, Inline, Memory, Moment, on_stage
from tests.faults.lives import Everywhere, live
from tests.faults.runs import Run, settle
from tests.harness import REGIONS, Host

FIXTURE = Fixture("vpc-attachment")
WAN = "core-network/attached"
PUT, EXECUTE = "PutCoreNetworkPolicy", "ExecuteCoreNetworkChangeSet"


def config(*destinations: str, **policy: Any) -> str:
    """One attached VPC, and a route of the shared segment to some destinations."""
    found = documents.load(FIXTURE.base)
    del found["resources"]["core-network/second"], found["resources"]["global-network/second"]
    network = found["resources"][WAN]
    network["PolicyDocument"].update(policy)
    if destinations:
        network["PolicyDocument"]["segment-actions"] = [
            {
                "action": "create-route",
                "segment": "shared",
                "destination-cidr-blocks": ["0.0.0.0/0"],
                "destinations": list(destinations),
            }
        ]
    return documents.dump(found)


ROUTED = config("${vpc-attachment/subject}")
PLAIN = config()


def attachment(ops: Host) -> str:
    (row,) = ops.rows("vpc-attachment")
    return str(row["AttachmentId"])


def live_routes(ops: Host) -> list[list[str]]:
    (network,) = ops.rows("core-network")
    found = ops.by_hand(
        "networkmanager", "GetCoreNetworkPolicy", CoreNetworkId=network["CoreNetworkId"], Alias="LIVE"
    )
    policy = json.loads(found["CoreNetworkPolicy"]["PolicyDocument"])
    return [action["destinations"] for action in policy.get("segment-actions", [])]


def steps(ops: Host) -> list[str]:
    """The calls that matter here, in order; nothing is refused."""
    assert [call for call in ops.aws.writes if call.error is not None] == []
    return [
        name for name in ops.writes() if name in {PUT, EXECUTE, "CreateVpcAttachment", "DeleteAttachment"}
    ]


def test_the_network_is_live_first_then_what_is_attached_then_the_way_there(ops: Host) -> None:
    assert ops.run(ROUTED).outcome == "settled"
    assert steps(ops) == [PUT, EXECUTE, "CreateVpcAttachment", PUT, EXECUTE]
    assert live_routes(ops) == [[attachment(ops)]]
    ops.aws.clear_calls()
    assert ops.run(ROUTED).outcome == "settled"
    assert ops.writes() == []


def test_neither_put_of_a_policy_is_taken_for_somebody_elses_change(ops: Host) -> None:
    loop, origins = ops.loop(ROUTED, grace=0), []
    for _ in range(12):
        report = loop.one_pass("test")
        for entry in report.plan.steps:
            if (
                entry.label == WAN
                and isinstance(entry.verdict, Steps)
                and PUT in map(named, entry.verdict.calls)
            ):
                origins.append({found.origin for found in entry.verdict.drift})
        ops.aws.clock.advance(600)
    assert report.outcome == "settled"
    assert origins == [{"pending"}, {"pending"}]
    theirs = json.dumps(documents.load(PLAIN)["resources"][WAN]["PolicyDocument"])
    (network,) = ops.rows("core-network")
    which = {"CoreNetworkId": network["CoreNetworkId"]}
    put = ops.by_hand("networkmanager", PUT, PolicyDocument=theirs, **which)["CoreNetworkPolicy"]
    ops.aws.clock.advance(600)
    ops.by_hand("networkmanager", EXECUTE, PolicyVersionId=put["PolicyVersionId"], **which)
    ops.aws.clock.advance(600)
    entry = ops.entry(ROUTED, WAN)
    assert isinstance(entry.verdict, Steps)
    assert {found.origin for found in entry.verdict.drift} == {"unknown"}, "this one may be anybody's"


def named(call: Call) -> str:
    return call.operation


def test_an_attachment_that_was_deleted_by_hand_is_made_before_the_policy_is_put_again(ops: Host) -> None:
    ops.run(ROUTED)
    ops.by_hand("networkmanager", "DeleteAttachment", AttachmentId=attachment(ops))
    ops.aws.clock.advance(3600)
    ops.aws.clear_calls()
    assert ops.run(ROUTED).outcome == "settled"
    assert steps(ops) == ["CreateVpcAttachment", PUT, EXECUTE]
    assert live_routes(ops) == [[attachment(ops)]]


def test_the_way_to_an_attachment_stays_while_it_is_changed_and_the_policy_with_it(ops: Host) -> None:
    ops.run(ROUTED)
    id = attachment(ops)
    options = {"ApplianceModeSupport": True}
    ops.by_hand("networkmanager", "UpdateVpcAttachment", AttachmentId=id, Options=options)
    ops.aws.clear_calls()
    loop = ops.loop(config("${vpc-attachment/subject}", segments=[{"name": "shared"}, {"name": "guarded"}]))
    loop.one_pass("test")
    (put,) = [call for call in ops.aws.writes if call.operation == PUT]
    assert id in put.parameters["PolicyDocument"]


def test_an_attachment_at_a_new_edge_and_the_way_there_may_come_at_once(ops: Host) -> None:
    east = {"asn-ranges": ["64512-64555"], "edge-locations": [{"location": "eu-central-1"}]}
    assert ops.run(without_attachment(config(**{"core-network-configuration": east}))).outcome == "settled"
    ops.aws.clear_calls()
    assert ops.run(ROUTED).outcome == "settled"
    assert steps(ops) == [PUT, EXECUTE, "CreateVpcAttachment", PUT, EXECUTE]


def without_attachment(text: str) -> str:
    found = documents.load(text)
    del found["resources"]["vpc-attachment/subject"]
    return documents.dump(found)


def test_both_leave_together_and_so_does_all_of_it(ops: Host) -> None:
    ops.run(ROUTED)
    ops.aws.clear_calls()
    assert ops.run(without_attachment(PLAIN)).outcome == "settled"
    assert sorted(steps(ops)) == ["DeleteAttachment", EXECUTE, PUT]
    ops.run(ROUTED)
    ops.aws.clear_calls()
    assert ops.run(ROUTED, destroy=True, unprotected=True).outcome == "settled"
    assert steps(ops) == ["DeleteAttachment"]
    assert ops.rows("core-network") == []


def test_killed_around_every_changing_call_there_are_two_policies_and_the_same_end(tmp_path: Path) -> None:
    """What is shown at the end tells how many versions there are."""
    ways: list[tuple[Run, Moment, Memory]] = [
        (Run("create", lambda host: None, ROUTED), "after", "lost"),
        (Run("destroy", settle(ROUTED), ROUTED, {"destroy": True, "unprotected": True}), "answered", "kept"),
    ]
    with local_aws(regions=REGIONS) as aws:
        host = Host(aws, tmp_path / "state", Inline(), least_wait=25)
        for run, moment, memory in ways:
            doom = Everywhere(moment, memory)

            def work(host: Host, course: Course, run: Run = run, doom: Everywhere = doom) -> None:
                assert live(host, run, course, doom).problems == []
                changing = {one.operation for one in course.boundaries if one.changes}
                assert {call.partition(" ")[0] for call in doom.calls} == changing

            on_stage(host, run, work)
