"""Losing the state directory changes no plan: over all estates there are, whatever has become of them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from reconciler.aws.recall import ReadOnlyMemory, Recall
from reconciler.model.pause import Pause
from reconciler.verbs.amnesia import NOWHERE, sight
from tests.conformance.fixture import ONE_OF_EACH
from tests.faults import estate as estates
from tests.faults.estate import SELDOM
from tests.faults.runs import by_hand
from tests.harness import HEAD, STACK, Host, host
from tests.passes.estates import AI_GLOBAL, TWO_REGIONS

pytestmark = pytest.mark.xdist_group("amnesia")  # one worker: what they share is dear to make
estate = partial(estates.estate, kinds=ONE_OF_EACH)
without_subjects = partial(estates.without_subjects, ONE_OF_EACH)


@pytest.fixture(scope="module")
def ops(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """Every estate stands, and things have happened to them; nothing is changed by these tests."""
    with host(
        tmp_path_factory.mktemp("amnesia"),
        SELDOM,
        asks_everywhere=True,
        page_size=50,
        quotas={"GlobalNetwork": 100},
    ) as found:
        for text in (AI_GLOBAL, TWO_REGIONS, estate()):
            assert found.run(text).outcome == "settled"
        for entry in found.plan(
            estate("update")
        ).entries:  # by hand, as soon as it is known what would be done
            for call in getattr(entry.verdict, "calls", ())[:1]:
                by_hand(found, call)
        site = found.seen(AI_GLOBAL, "site/one")
        found.by_hand("networkmanager", "UntagResource", ResourceArn=site.arn, TagKeys=["reconciler:address"])
        worker = found.seen(AI_GLOBAL, "instance/worker")
        found.by_hand("ec2", "DeleteTags", Resources=[worker.id], Tags=[{"Key": "reconciler:stack"}])
        found.aws.clock.advance(60)
        yield found


ESTATES = {
    "ai-global": (AI_GLOBAL, "claims instance/worker and has no stack tag"),
    "two-regions": (TWO_REGIONS, " 10 settled, 0 to delete."),
    "another region": (
        TWO_REGIONS.replace("[us-west-2, eu-central-1]", "[us-west-2]").partition("outputs:")[0],
        "- instance/eu-central-1 (eu-central-1)",
    ),
    "drifted": (estate(), "  ~ "),
    "updated": (estate("update"), "  ~ "),
    "replaced": (estate("fixed", replace="delete-first", protect=False), "  -/+ "),
    "blocked": (estate("fixed"), ": blocked, "),
    "orphaned": (without_subjects(), "to delete."),
    "empty": ("resources: {}", "to delete."),
    "never made": (f"{HEAD.replace(STACK, 'other')}{estate()}", "  + "),
    "paused": (estate("update"), ": waits, paused by ada"),
}
"""What is planned, and a part of what is told of it: they are as different as they are said to be."""


def discovers(ops: Host) -> bool:
    """Whether regions were asked what they hold; load balancers have an operation of that name too."""
    return ("ec2", "DescribeTags") in {(call.service, call.operation) for call in ops.aws.calls}


@pytest.mark.parametrize("name", ESTATES)
def test_both_plans_are_equal_byte_for_byte(ops: Host, name: str) -> None:
    text, told = ESTATES[name]
    ops.plan(text)  # leaves a note of where to look
    usual, lost = ops.loop(text), ops.loop(text)
    lost.memory = ReadOnlyMemory.open(NOWHERE, lost.clock.now)
    if name == "paused":
        paused = Pause(stack=usual.config.stack, address="", reason="", by="ada", since=0.0)
        usual.pauses = lost.pauses = lambda: (paused,)
    ops.aws.clear_calls()
    before, _ = sight(usual)
    assert not discovers(ops), "else nothing is remembered"
    after, _ = sight(lost)
    assert discovers(ops)
    assert before.document == after.document
    assert before == after
    assert told in before.text


def test_nothing_is_written_and_each_question_is_asked_once(ops: Host, tmp_path: Path) -> None:
    ops.aws.clear_calls()
    loop = ops.loop(estate())
    loop.gateway = Recall(loop.gateway.sessions)
    loop.memory = ReadOnlyMemory.open(tmp_path / "none", loop.clock.now)
    first, _ = sight(loop)
    asked = len(ops.aws.calls)
    assert asked
    again = ops.loop(estate())
    again.gateway, again.memory = loop.gateway, ReadOnlyMemory.open(NOWHERE, loop.clock.now)
    assert sight(again)[0] == first
    assert [call.operation for call in ops.aws.calls[asked:]] == []
    assert ops.writes() == []
    assert list(tmp_path.iterdir()) == []
