"""Attachments that wait for a person, fail, or go: nothing loops, and their tags hold nothing that changes."""

from __future__ import annotations

import yaml

from reconciler.model.plan import Outcome, Report
from tests.conformance.fixture import Fixture, load
from tests.harness import Host, tags

CONFIG = Fixture("vpc-attachment")
WAITS = "PENDING_ATTACHMENT_ACCEPTANCE"


def guarded() -> str:
    """The config with a segment into which a person has to let everything."""
    config = yaml.safe_load(CONFIG.base)
    policy = config["resources"]["core-network/attached"]["PolicyDocument"]
    policy["segments"] = [{"name": "shared", "require-attachment-acceptance": True}]
    return yaml.safe_dump(config, sort_keys=False)


def outcome(report: Report) -> Outcome:
    return next(found for found in report.outcomes if found.label == CONFIG.address)


def attachment(ops: Host) -> dict[str, str]:
    (row,) = ops.rows("vpc-attachment")
    return row


def without(text: str) -> str:
    config = yaml.safe_load(text)
    del config["resources"][CONFIG.address]
    return yaml.safe_dump(config, sort_keys=False)


def test_what_waits_for_a_person_is_waited_for_and_settles_once_it_is_accepted(ops: Host) -> None:
    report = ops.run(guarded())
    assert attachment(ops)["State"] == WAITS
    found = outcome(report)
    assert (found.status, found.on) == ("waiting", "person")
    assert "accept" in found.why
    ops.aws.clear_calls()
    assert outcome(ops.run(guarded())).status == "waiting"
    assert ops.writes() == []
    id = attachment(ops)["AttachmentId"]
    ops.by_hand("networkmanager", "AcceptAttachment", AttachmentId=id)
    ops.aws.clock.advance(600)
    assert ops.run(guarded()).outcome == "settled"


def test_one_that_waits_for_a_person_is_declined_before_it_is_deleted(ops: Host) -> None:
    ops.run(guarded())
    ops.aws.clear_calls()
    report = ops.run(without(guarded()), allow_shrink=True)
    assert report.outcome == "settled", report.outcomes
    assert ops.writes() == ["RejectAttachment", "DeleteAttachment"]
    assert ops.rows("vpc-attachment") == []


def test_one_that_failed_is_told_in_awss_words(ops: Host) -> None:
    config = yaml.safe_load(CONFIG.base)
    config["resources"]["subnet/attached-b"]["AvailabilityZone"] = "us-west-2a"
    config["resources"][CONFIG.address] |= load("vpc-attachment-update")
    report = ops.run(yaml.safe_dump(config, sort_keys=False))
    found = outcome(report)
    assert found.status == "blocked"
    assert "SUBNET_DUPLICATED_IN_AVAILABILITY_ZONE" in found.why


def test_its_tags_say_whose_it_is_and_nothing_that_changes_with_the_config(ops: Host) -> None:
    ops.run(CONFIG.base)
    before = tags(attachment(ops))  # type: ignore[arg-type]
    assert set(before) == {"Name", "reconciler:stack", "reconciler:address"}
    ops.run(CONFIG.update)
    assert tags(attachment(ops)) == before


def test_it_is_not_made_before_the_policy_is_live(ops: Host) -> None:
    ops.run(CONFIG.base)
    order = [call.operation for call in ops.aws.writes]
    assert "CreateVpcAttachment" not in order[: order.index("ExecuteCoreNetworkChangeSet")]
    assert all(call.error is None for call in ops.aws.writes)
