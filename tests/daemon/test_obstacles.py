"""What keeps a daemon from looking: it is told as it is, it ends with its cause, and nothing stale follows it."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reconciler.aws.gateway import Gateway
from reconciler.errors import BusyError, Lost, Refused, WrongAccount
from reconciler.model.config import Config
from reconciler.model.pause import Pause
from reconciler.model.plan import Ended
from tests.daemon.support import PATIENCE, SITES, Running, until
from tests.harness import STACK

MORE = f"{SITES}  site/b: {{GlobalNetworkId: '${{global-network/n}}'}}\n"
Make = Callable[..., Running]
Events = Callable[[str], list[dict[str, Any]]]


class StoodBy:
    """A lease that somebody else has, until the test says otherwise; `unreachable` as the real one."""

    fence, holder, unreachable = 0, "process 7 on ops2", ""

    def __init__(self) -> None:
        self.waits, self.free = threading.Event(), threading.Event()

    def problem(self) -> str | None:
        return None if self.free.is_set() else "is not ours"

    def check(self) -> None: ...

    def take(self, wait: float, stopped: Callable[[], bool]) -> None:
        self.waits.set()
        while not self.free.wait(0.01):
            if stopped():
                raise BusyError("stopped while waiting")


def reload(one: Running, text: str) -> None:
    """Have another config taken; it has been when this returns."""
    one.text = text
    one.signal(signal.SIGHUP)
    seen_to = threading.Event()
    one.inbox.put(seen_to.set)
    assert seen_to.wait(PATIENCE)


def test_who_has_stood_by_begins_with_the_config_of_now(running: Make) -> None:
    lease: Any = StoodBy()
    one = running(SITES, lease=lease)
    resources: list[int] = []
    one.loop.ended.append(lambda ended: resources.append(len(ended.report.plan.entries)))
    one.thread.start()
    assert lease.waits.wait(PATIENCE)
    reload(one, MORE)
    lease.free.set()
    until(lambda: resources, "the first pass")
    assert (one.passes[0], resources[0]) == ("start+reload", 3)
    assert one.stop() == 0


def test_a_lease_that_nobody_can_be_asked_for_is_no_standing_by(running: Make) -> None:
    lease: Any = StoodBy()
    one = running(SITES, lease=lease)
    one.thread.start()
    until(lambda: one.daemon.state == "standby", "it stands by")
    lease.unreachable = "the lease cannot be asked for: no answer"
    until(lambda: one.board.status.state == "degraded", "the alert that spares those who stand by can go")
    assert "cannot be asked for" in one.board.status.sentence
    lease.unreachable = ""
    until(lambda: one.board.status.state == "standby", "another host has it after all")
    lease.free.set()
    until(lambda: one.board.status.state == "idle", "it goes on")
    assert one.stop() == 0


def test_a_stack_that_another_process_has_taken_is_not_called_idle(running: Make, events: Events) -> None:
    one = running().start()
    until(lambda: one.board.status.state == "idle", "all is well")

    def taken() -> None:
        raise BusyError("test is held by process 7")

    one.daemon._hold.lock.check = taken  # type: ignore[method-assign]
    one.signal(signal.SIGUSR1)
    until(lambda: events("lock.busy"), "it is told")
    until(lambda: one.board.status.state == "degraded", "it shows")
    del one.daemon._hold.lock.check
    one.signal(signal.SIGUSR1)
    until(lambda: one.board.status.state == "idle", "and is over with its cause")
    assert one.stop() == 0


def test_a_config_without_a_way_to_aws_is_refused_as_a_whole(running: Make, events: Events) -> None:
    one = running().start()
    before = one.loop.gateway

    def connect(config: Config) -> Gateway:
        raise Refused("nowhere: choose a region that AWS has")

    one.loop.connect = connect
    one.text = "stack: test\naccount: '123456789012'\nregion: eu-west-1\n" + MORE
    one.signal(signal.SIGHUP)
    until(lambda: events("config.reload.refused"), "it is refused")
    passes = len(one.passes)
    one.signal(signal.SIGUSR1)
    until(lambda: len(one.passes) > passes, "the next pass")
    assert (one.loop.gateway, one.loop.config.region) == (before, "us-west-2")
    assert one.daemon.passes.thread.is_alive()
    assert one.stop() == 0


def test_of_two_reloads_at_once_the_way_to_aws_is_not_lost(running: Make) -> None:
    lease: Any = StoodBy()
    one = running(SITES, lease=lease)
    other = Gateway(one.loop.gateway.sessions)
    one.loop.connect = lambda config: other
    one.thread.start()
    assert lease.waits.wait(PATIENCE)
    head = "stack: test\naccount: '123456789012'\nregion: eu-west-1\n"
    for text in (head + SITES, head + MORE):
        reload(one, text)
    lease.free.set()
    until(lambda: one.passes, "the first pass")
    assert one.loop.gateway is other
    assert one.stop() == 0


def test_a_pass_that_cannot_even_end_is_not_repeated_at_once(running: Make, events: Events) -> None:
    one = running()

    def defect(ended: Ended) -> None:
        raise ZeroDivisionError("a mistake")

    one.start()
    until(lambda: one.daemon.passes.next is not None, "another look soon, after what was made")
    one.loop.ended.insert(0, defect)
    one.signal(signal.SIGUSR1)
    until(lambda: events("unit.failed"), "it is told")
    until(lambda: one.daemon.passes.next, "it is tried again")
    assert one.daemon.passes.next is not None
    assert (one.daemon.passes.next.trigger, one.daemon.passes.next.seconds > 5) == ("retry", True)
    assert one.daemon.passes.thread.is_alive()
    assert one.stop() == 0


def test_a_defect_before_a_pass_does_not_end_the_passes(running: Make, events: Events) -> None:
    one = running()

    def defect() -> None:
        raise ZeroDivisionError("a mistake")

    one.loop.gateway.sessions.verify, verify = defect, one.loop.gateway.sessions.verify  # type: ignore[method-assign]
    try:
        one.thread.start()
        until(lambda: events("unit.failed"), "it is told")
        assert one.daemon.passes.thread.is_alive()
    finally:
        one.loop.gateway.sessions.verify = verify  # type: ignore[method-assign]
    one.signal(signal.SIGUSR1)
    until(lambda: one.passes, "it goes on")
    assert one.stop() == 0


@pytest.mark.parametrize(("left", "shown"), [(500.0, 500.0), (2e11, 2e11)])
def test_the_end_of_a_pause_is_a_reason_to_look(running: Make, left: float, shown: float) -> None:
    """With a crontab the next regular look may be a week away."""
    one = running()
    end = one.loop.clock.now() + left
    one.loop.pauses = lambda: (Pause(stack=STACK, reason="moving", by="ada", since=0.0, until=end),)
    one.start()
    until(lambda: one.daemon.passes.next, "the next look is known")
    assert one.daemon.passes.next is not None
    assert one.daemon.passes.next.seconds == pytest.approx(shown)
    one.loop.pauses = lambda: ()
    one.signal(signal.SIGUSR1)
    until(lambda: len(one.passes) > 1, "it still listens")
    assert one.stop() == 0


def test_what_could_not_be_read_twice_is_told_twice(running: Make, events: Events) -> None:
    one = running().start()
    one.loop.chance = lambda: 0.0

    def told() -> list[Any]:
        return [line for line in events("kind.unknown") if "site" in line["scope"]]

    for count in (1, 2):
        one.host.aws.fail("networkmanager", "GetSites", code="AccessDeniedException", status=403, times=1000)
        one.signal(signal.SIGUSR1)
        until(lambda: len(told()) == count, "it is told")  # noqa: B023
        one.host.aws.clear_faults()
        for _ in range(2):  # the first may have begun before the faults were cleared
            passes = len(one.passes)
            one.signal(signal.SIGUSR1)
            until(lambda: len(one.passes) > passes, "it is read again")  # noqa: B023
    assert one.stop() == 0


@pytest.fixture
def manager(tmp_path: Path) -> Any:
    """The socket of systemd."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as found:
        found.bind(str(tmp_path / "notify"))
        found.setblocking(False)
        yield found


def heard(manager: socket.socket) -> list[str]:
    found = []
    while True:
        try:
            found.append(manager.recv(8192).decode())
        except BlockingIOError:
            return found


def test_a_reload_before_it_is_ready_does_not_make_it_ready(
    running: Make, events: Events, manager: socket.socket, tmp_path: Path
) -> None:
    one = running(NOTIFY_SOCKET=str(tmp_path / "notify"))
    asked, free = threading.Event(), threading.Event()

    def verify() -> None:
        asked.set()
        free.wait(PATIENCE)
        raise Lost("sts: no answer")

    before = one.loop.gateway.sessions.verify
    one.loop.gateway.sessions.verify = verify  # type: ignore[method-assign]
    try:
        one.thread.start()
        assert asked.wait(PATIENCE)
        one.signal(signal.SIGHUP)
        until(lambda: events("config.reloaded"), "the reload")
        until(lambda: events("heartbeat"), "some time")
        assert not [said for said in heard(manager) if "READY=1" in said]
        free.set()
        until(lambda: events("daemon.ready"), "it is known how it stands")
        until(lambda: [said for said in heard(manager) if said.startswith("READY=1")], "systemd hears of it")
        assert one.stop() == 0
    finally:
        free.set()
        one.loop.gateway.sessions.verify = before  # type: ignore[method-assign]


def test_why_it_has_given_up_is_the_last_word(running: Make, manager: socket.socket, tmp_path: Path) -> None:
    one = running(NOTIFY_SOCKET=str(tmp_path / "notify"))

    def verify() -> None:
        raise WrongAccount("the credentials belong to account 999999999999")

    before = one.loop.gateway.sessions.verify
    one.loop.gateway.sessions.verify = verify  # type: ignore[method-assign]
    try:
        one.thread.start()
        one.thread.join(PATIENCE)
    finally:
        one.loop.gateway.sessions.verify = before  # type: ignore[method-assign]
    assert one.status == 77
    last = [said for said in heard(manager) if "STATUS=" in said][-1]
    assert "999999999999" in last, "`systemctl status` shows this one"
    assert "999999999999" in one.board.status.sentence
