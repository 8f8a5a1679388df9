"""The daemon in this process, on the local AWS: threads that die, clocks that jump, people who ask."""

from __future__ import annotations

import signal
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reconciler import pauses, status
from reconciler.model.pause import Pause
from tests.daemon.support import PATIENCE, SITES, Running, until
from tests.harness import STACK, read


def test_triggers_during_a_pass_make_exactly_one_more(running: Callable[..., Running]) -> None:
    one = running()
    held, free = threading.Event(), threading.Event()
    one.start()

    def hold(call: object) -> None:
        held.set()
        free.wait(PATIENCE)

    before = len(one.passes)
    one.loop.holds = lambda: hold(None)
    one.signal(signal.SIGUSR1)
    assert held.wait(PATIENCE)
    for _ in range(5):
        one.signal(signal.SIGUSR1)
        one.daemon.passes.look("interval")
    heard = threading.Event()
    one.inbox.put(heard.set)  # messages are seen to in their order
    assert heard.wait(PATIENCE)
    one.loop.holds = lambda: None
    free.set()
    until(lambda: len(one.passes) >= before + 2, "one more pass")
    until(lambda: one.daemon.passes.busy_since is None, "the end of it")
    assert one.passes[before] == "signal"
    assert set(one.passes[before + 1].split("+")) <= {"signal", "interval", "progress"}
    assert len(one.passes) == before + 2
    assert one.stop() == 0


def test_a_pass_that_takes_long_is_told_and_one_that_has_just_begun_is_not(
    running: Callable[..., Running],
) -> None:
    one = running().start()
    held, free = threading.Event(), threading.Event()

    def hold() -> None:
        held.set()
        free.wait(PATIENCE)

    def told() -> object:
        return (status.read(one.host.state) or {})["state"]

    until(lambda: told() == "idle", "the end of the first looks")
    one.loop.holds = hold
    one.daemon.passes.look("signal")
    assert held.wait(PATIENCE)
    assert one.daemon.state == "idle", "it has just begun"
    until(lambda: told() == "looking", "it is told")
    one.loop.holds = lambda: None
    free.set()
    until(lambda: told() == "idle", "so is its end")
    assert one.stop() == 0


def test_a_reload_is_in_force_from_the_next_pass_on(running: Callable[..., Running]) -> None:
    one = running().start()
    one.host.aws.clock.advance(60)
    one.text = SITES.replace("one", "two")
    one.signal(signal.SIGHUP)
    until(lambda: any("reload" in trigger for trigger in one.passes), "a pass for it")
    assert one.loop.config.resources == read(one.text).resources
    assert one.host.rows("global-network")[0]["Description"] == "two"
    assert one.stop() == 0


def test_a_reload_forgets_the_failures_of_what_has_changed(running: Callable[..., Running]) -> None:
    one = running()
    one.host.aws.fail("networkmanager", "CreateGlobalNetwork", code="ValidationException")
    one.start()
    until(lambda: "global-network/n" in one.loop.backoff.failures, "a failure")
    one.signal(signal.SIGHUP)
    until(lambda: "reload" in one.passes, "a pass")
    assert "global-network/n" in one.loop.backoff.failures, "nothing has changed"
    one.text = SITES.replace("one", "two")
    one.signal(signal.SIGHUP)
    until(lambda: one.host.rows("global-network") and not one.loop.backoff.failures, "it is tried at once")
    assert one.stop() == 0


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_of_passes_that_dies_ends_the_process_so_that_it_is_started_again(
    running: Callable[..., Running], events: Callable[[str], list[dict[str, Any]]]
) -> None:
    one = running().start()

    def dies() -> None:
        raise SystemExit  # what no `except Exception` catches

    one.loop.holds = dies
    one.signal(signal.SIGUSR1)
    one.thread.join(PATIENCE)
    assert one.status == 1
    assert [line["reason"] for line in events("watchdog.withheld")] == ["the thread of the passes has ended"]
    assert events("unit.failed")


def test_the_watchdog_is_fed_until_the_scheduler_dies(
    running: Callable[..., Running], events: Callable[[str], list[dict[str, Any]]], tmp_path: Path
) -> None:
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as there:
        there.bind(str(path))
        there.settimeout(PATIENCE)
        one = running(NOTIFY_SOCKET=str(path), WATCHDOG_USEC="300000")
        one.thread.start()
        while "WATCHDOG=1" not in there.recv(65536).decode():
            pass
        one.daemon.clock.stop()

        def silent() -> list[dict[str, Any]]:
            one.daemon.clock.stamped = time.monotonic() - 61.0  # nobody has seen the scheduler for that long
            return events("watchdog.withheld")

        until(silent, "it is noticed")
        there.settimeout(0.5)
        heard = []
        try:
            while True:
                heard.append(there.recv(65536).decode())
        except TimeoutError:
            pass
        assert "WATCHDOG=1" not in heard[-1:], "systemd is left to restart it"
        assert one.stop() == 0


@pytest.mark.parametrize("jump", [-3600.0, 3600.0])
def test_a_clock_that_is_set_costs_no_more_than_an_interval(
    running: Callable[..., Running], events: Callable[[str], list[dict[str, Any]]], jump: float
) -> None:
    one = running("every: 2s\n" + SITES).start()
    one.daemon._wall_ahead -= jump  # as if the wall clock had been set
    until(lambda: events("clock.jumped"), "it is noticed")
    assert events("clock.jumped")[0]["jump_s"] == jump
    before = len(one.passes)
    until(lambda: "interval" in "+".join(one.passes[before:]), "the next regular look")
    assert one.stop() == 0


def test_nobody_answers_at_first(
    running: Callable[..., Running], events: Callable[[str], list[dict[str, Any]]]
) -> None:
    one = running()
    one.host.aws.drop("sts", "GetCallerIdentity", times=9)
    one.loop.chance = lambda: 0.0
    one.thread.start()
    until(lambda: events("daemon.ready"), "it is ready all the same")
    assert events("daemon.ready")[0]["state"] == "degraded"
    assert "GetCallerIdentity" in events("daemon.ready")[0]["reason"]
    assert not one.passes, "nothing is looked at before it is known who we are"
    assert one.stop() == 0


def test_a_paused_stack_is_looked_at_and_not_changed(
    running: Callable[..., Running], events: Callable[[str], list[dict[str, Any]]]
) -> None:
    one = running()
    pause = Pause(stack=STACK, reason="moving house", by="ada", since=0.0)
    one.loop.pauses = lambda: (pause,)
    one.start()
    assert one.host.rows("global-network") == []
    assert events("pause.started")[0]["by"] == "ada"
    until(lambda: one.daemon.state == "paused", "it shows")
    until(lambda: any(line["state"] == "paused" for line in events("heartbeat")), "a heartbeat that says so")
    assert one.daemon.passes.next is None
    one.loop.pauses = lambda: ()
    one.signal(signal.SIGUSR1)
    until(lambda: one.host.rows("global-network"), "it goes on")
    assert events("pause.ended")
    assert one.stop() == 0


def test_it_begins_paused_where_a_pause_is_in_force(
    running: Callable[..., Running], events: Callable[[str], list[dict[str, Any]]], tmp_path: Path
) -> None:
    """It says so before its first look, which may take long: whoever starts it is to see that nothing will be done."""
    one = running()
    place = pauses.place(tmp_path)
    pauses.add(place, Pause(stack=STACK, reason="moving house", by="ada", since=0.0))
    one.loop.pauses = lambda: pauses.read(place, STACK, one.loop.clock.now())
    looks = threading.Event()
    one.loop.holds = lambda: looks.wait(PATIENCE)
    one.thread.start()
    try:
        until(lambda: events("daemon.ready"), "it is ready")
        until(lambda: (status.read(one.host.state) or {}).get("state") == "paused", "its status says so")
        assert not one.passes
        assert [line["state"] for line in events("daemon.ready")] == ["paused"]
    finally:
        looks.set()
    until(lambda: one.passes, "the first pass")
    assert one.host.rows("global-network") == []
    assert one.stop() == 0


def test_a_config_that_changes_on_disk_is_told_once_and_not_taken(
    running: Callable[..., Running], events: Callable[[str], list[dict[str, Any]]]
) -> None:
    one = running().start()
    one.digest_now = "0123456789"
    until(lambda: events("config.changed_on_disk"), "it is noticed")
    before = len(events("heartbeat"))
    until(lambda: len(events("heartbeat")) > before + 2, "some heartbeats")
    assert len(events("config.changed_on_disk")) == 1
    assert not events("config.reloaded")
    assert one.stop() == 0


def test_the_heartbeat_tells_how_old_the_last_success_is(
    running: Callable[..., Running], events: Callable[[str], list[dict[str, Any]]]
) -> None:
    one = running().start()
    until(lambda: events("heartbeat"), "a heartbeat")
    one.host.aws.clock.advance(100)
    until(lambda: events("heartbeat")[-1]["last_success_age_s"] >= 100, "an older one")
    assert events("heartbeat")[-1]["interval_s"] == 300
    assert one.stop() == 0


def test_a_defect_in_a_pass_is_told_and_the_next_pass_comes(
    running: Callable[..., Running], events: Callable[[str], list[dict[str, Any]]]
) -> None:
    one = running().start()

    def defect() -> None:
        raise ZeroDivisionError("a mistake")

    one.loop.holds = defect
    one.signal(signal.SIGUSR1)
    until(lambda: events("unit.failed"), "it is told")
    until(lambda: one.daemon.state == "degraded", "it shows")
    assert events("pass.finished")[-1]["outcome"] == "failed"
    one.loop.holds = lambda: None
    one.signal(signal.SIGUSR1)
    until(lambda: one.daemon.state == "idle", "it goes on")
    assert one.stop() == 0


def test_credentials_that_expire_stop_a_pass_and_are_told_until_they_are_renewed(
    running: Callable[..., Running], events: Callable[[str], list[dict[str, Any]]]
) -> None:
    one = running().start()
    one.host.aws.clock.advance(60)
    one.loop.chance = lambda: 0.0
    one.host.aws.fail("networkmanager", "*", code="ExpiredTokenException", status=403, times=3)
    one.signal(signal.SIGUSR1)
    until(lambda: events("credentials.failed"), "it is told")
    assert "have expired" in events("credentials.failed")[0]["reason"]
    until(lambda: one.daemon.state == "degraded", "it shows")
    assert events("pass.finished")[-1]["outcome"] == "failed"
    assert one.daemon.passes.next is not None
    assert one.daemon.passes.next.trigger == "retry"
    one.host.aws.clear_faults()
    one.signal(signal.SIGUSR1)
    until(lambda: one.daemon.state == "idle", "it goes on by itself")
    assert one.stop() == 0


def test_a_config_that_vanishes_is_refused_and_the_good_one_stays(
    running: Callable[..., Running], events: Callable[[str], list[dict[str, Any]]]
) -> None:
    one = running().start()
    one.text = ""
    one.digest_now = "gone"
    one.signal(signal.SIGHUP)
    until(lambda: events("config.reload.refused"), "it is told")
    one.loop.unchanged = lambda: False
    one.signal(signal.SIGUSR1)
    until(lambda: "signal" in "+".join(one.passes), "a pass all the same")
    until(
        lambda: (
            any(line["config_stale_s"] >= 0 for line in events("heartbeat"))
            and one.daemon.state == "degraded"
        ),
        "it shows",
    )
    assert one.host.rows("global-network")
    assert one.stop() == 0
