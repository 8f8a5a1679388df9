"""How a pass goes about its changes: side by side, one at a time within a network, and not before it is sure."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from reconciler.loop import Loop
from reconciler.model.remembered import APART
from tests.harness import ACCOUNT, Host, Time

ONE = "resources:\n  global-network/a: {}\n"
TWO = ONE + "  global-network/b: {}\n"
SITES = ONE + "".join(f"  site/s{n}: {{GlobalNetworkId: '${{global-network/a}}'}}\n" for n in range(4))
PATIENCE = 20.0
"""Seconds of real time until a test gives up on a thread that does not come."""
LONG_ENOUGH = 0.2
"""Seconds of real time in which another call would have come, were it free to."""


def on_sending(loop: Loop, operation: str, hook: Any) -> None:
    """Call `hook` in the thread that is about to send a creation."""
    client = loop.gateway.sessions.client(ACCOUNT, "networkmanager", retries=False)
    client.meta.events.register_first(f"before-send.networkmanager.{operation}", hook)


def test_what_does_not_depend_on_each_other_is_made_side_by_side(ops: Host) -> None:
    ops.clients_of_its_own()
    loop = ops.loop(TWO, grace=0)
    both = threading.Barrier(2)

    def meet(**_: Any) -> None:
        both.wait(PATIENCE)  # BrokenBarrierError when the other one does not come

    on_sending(loop, "CreateGlobalNetwork", meet)
    report = loop.one_pass("test")
    assert report.count("created") == 2


def test_writes_to_one_network_go_one_at_a_time(ops: Host) -> None:
    """AWS may refuse writes to a network that come at once."""
    ops.clients_of_its_own()
    ops.run(ONE)
    loop = ops.loop(SITES)
    under_way: list[int] = []
    most = 0
    another = threading.Event()

    def begin(**_: Any) -> None:
        nonlocal most
        under_way.append(1)
        most = max(most, len(under_way))
        if len(under_way) > 1:
            another.set()
        another.wait(LONG_ENOUGH)

    def end(**_: Any) -> None:
        under_way.pop()

    on_sending(loop, "CreateSite", begin)
    client = loop.gateway.sessions.client(ACCOUNT, "networkmanager", retries=False)
    client.meta.events.register("after-call.networkmanager.CreateSite", end)
    assert loop.one_pass("test").count("created") == 4
    assert most == 1


def test_every_line_of_a_worker_says_which_pass_it_belongs_to(
    ops: Host, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="reconciler")
    ops.loop(TWO, grace=0).one_pass("test")
    lines = [record.msg for record in caplog.records if isinstance(record.msg, dict)]
    changes = [line for line in lines if line["event"].startswith("change.")]
    finished = [line for line in lines if line["event"] == "pass.finished"]
    assert len(changes) == 4
    assert {line["pass_id"] for line in changes} == {finished[0]["pass_id"]}


def test_a_pass_that_changes_nothing_is_one_line(ops: Host, caplog: pytest.LogCaptureFixture) -> None:
    ops.run(SITES)
    caplog.clear()
    caplog.set_level("INFO", logger="reconciler")
    ops.run(SITES)
    assert [record.msg["event"] for record in caplog.records if isinstance(record.msg, dict)] == [
        "pass.finished"
    ]


# ---- sure enough to create


def created_after(ops: Host, text: str) -> float:
    """Seconds from the start of a run to its first creation."""
    began = ops.aws.clock.monotonic()
    at: list[float] = []

    def note(moment: str, call: Any) -> None:
        if moment == "before" and call.operation.startswith("Create"):
            at.append(ops.aws.clock.monotonic() - began)

    ops.aws.on_call.append(note)
    ops.run(text)
    ops.aws.on_call.remove(note)
    return at[0]


def test_the_first_run_on_a_host_waits_for_the_grace(ops: Host) -> None:
    assert 5 <= created_after(ops, ONE) < 10


def test_the_grace_can_be_chosen(ops: Host) -> None:
    ops.time = Time(ops.aws.clock)
    report = ops.run(ONE, grace=0)
    assert report.outcome == "settled"
    assert ops.aws.clock.monotonic() < 5


def test_without_memory_creations_wait_a_minute_where_others_are(ops: Host) -> None:
    ops.run(ONE)
    ops.forget()
    assert 60 <= created_after(ops, TWO) < 80


def test_with_memory_creations_do_not_wait(ops: Host) -> None:
    ops.run(ONE)
    assert created_after(ops, TWO) < 1


def test_a_run_that_follows_the_first_one_at_once_takes_what_that_one_made_for_known(ops: Host) -> None:
    loop = ops.loop(ONE, grace=0)
    loop.memory.begin()
    loop.one_pass("test")
    ops.aws.clock.advance(1)
    assert created_after(ops, TWO) < 10


def test_what_was_there_is_made_again_only_when_looks_that_are_well_apart_miss_it(ops: Host) -> None:
    ops.run(TWO)
    ops.by_hand("networkmanager", "DeleteGlobalNetwork", GlobalNetworkId=ops.seen(TWO, "global-network/b").id)
    ops.aws.clock.advance(30)
    for _ in range(3):
        report = ops.loop(TWO).one_pass("test")
        waiting = [outcome.why for outcome in report.outcomes if outcome.status == "waiting"]
        assert len(waiting) == 1
        assert "is missing from the list" in waiting[0]
        ops.aws.clock.advance(1)
    ops.aws.clock.advance(APART)
    assert ops.loop(TWO).one_pass("test").count("created") == 1


def test_dependents_of_what_is_not_ready_wait_for_it_by_name(ops: Host) -> None:
    report = ops.loop(SITES, grace=0).one_pass("test")
    whys = {outcome.why for outcome in report.outcomes if outcome.label.startswith("site/")}
    assert all("global-network/a" in why for why in whys)
