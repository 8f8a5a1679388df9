"""What systemd hears, on a socket like its own; and that it never holds anything up."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.daemon.notify import Notifier

LARGEST = 4096
"""Bytes that systemd reads of a datagram; it ignores one that is longer (NOTIFY_BUFFER_MAX in its source)."""


class Manager:
    """The end of the socket that systemd has."""

    def __init__(self, socket: socket.socket, name: str) -> None:
        self.socket, self.name = socket, name

    def heard(self) -> list[str]:
        """The lines of the next datagram."""
        return self.socket.recv(65536).decode().split("\n")

    @property
    def silent(self) -> bool:
        """Whether nothing more has been said."""
        self.socket.setblocking(False)
        try:
            self.socket.recv(65536)
        except BlockingIOError:
            return True
        return False


@contextmanager
def listening(name: str) -> Iterator[Manager]:
    """systemd, on a socket with a path, or with an abstract name, which begins with @."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as found:
        found.bind(name.replace("@", "\0"))
        found.settimeout(10.0)
        yield Manager(found, name)


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Manager]:
    """systemd, on either sort of socket."""
    path = str(tmp_path / "notify")
    with listening(path if request.param == "path" else f"@{path}") as found:
        yield found


def speaking(manager: Manager) -> Notifier:
    return Notifier({"NOTIFY_SOCKET": manager.name})


def test_ready_comes_with_its_status_in_one_datagram(manager: Manager) -> None:
    speaking(manager).ready("ai: settled ✓, nächste Runde in 5 min – 全て順調")
    assert manager.heard() == ["READY=1", "STATUS=ai: settled ✓, nächste Runde in 5 min – 全て順調"]


def test_a_reload_says_when_it_began_in_the_same_datagram(manager: Manager) -> None:
    """systemd takes a reload without the time for none, and lets it time out."""
    speaking(manager).reloading(12.3456789)
    first, second, third = manager.heard()
    assert (first, second) == ("RELOADING=1", "MONOTONIC_USEC=12345678")
    assert third.startswith("STATUS=")


def test_a_status_is_said_again_only_when_it_is_another(manager: Manager) -> None:
    notifier = speaking(manager)
    notifier.ready("one")
    for sentence in ("one", "two", "two", "one"):
        notifier.status(sentence)
    assert [manager.heard() for _ in range(3)] == [["READY=1", "STATUS=one"], ["STATUS=two"], ["STATUS=one"]]
    assert manager.silent


def test_all_else_that_is_said(manager: Manager) -> None:
    notifier = speaking(manager)
    notifier.alive()
    notifier.extend(30.0)
    notifier.stopping("stopped after 0.3 s")
    notifier.failed("the wrong account", 13)
    assert [manager.heard() for _ in range(4)] == [
        ["WATCHDOG=1"],
        ["EXTEND_TIMEOUT_USEC=30000000"],
        ["STOPPING=1", "STATUS=stopped after 0.3 s"],
        ["ERRNO=13", "STATUS=the wrong account"],
    ]


def test_a_reason_of_several_lines_forges_no_field(manager: Manager) -> None:
    speaking(manager).status("refused:\nWATCHDOG=1\nSTOPPING=1")
    assert manager.heard() == ["STATUS=refused: WATCHDOG=1 STOPPING=1"]


REASONS = st.text(st.characters(), max_size=3000)  # lone surrogates too, as in a path that is not UTF-8


@given(REASONS)
@example("x" * 10_000)
@example("✓🛑" * 5_000)
def test_whatever_the_reason_ready_is_heard(reason: str) -> None:
    """A NUL, half a letter, or a datagram that is too long, and systemd ignores it as a whole."""
    with listening(f"@reconciler-test-{os.getpid()}") as manager:
        speaking(manager).ready(reason)
        said = manager.socket.recv(65536)
    assert len(said) <= LARGEST
    assert b"\0" not in said
    first, second = said.decode().split("\n")
    assert first == "READY=1"
    assert second.startswith("STATUS=")
    assert second.isprintable()


def test_a_queue_that_is_full_costs_two_seconds_at_most(manager: Manager) -> None:
    """As where PID 1 hangs; the kernel holds some ten datagrams for it."""
    notifier = speaking(manager)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as filler:
        filler.setblocking(False)
        with suppress(BlockingIOError):
            while True:
                filler.sendto(b"x", manager.socket.getsockname())
    began = time.monotonic()
    assert not notifier.send("WATCHDOG=1")
    assert time.monotonic() - began < 5.0


@pytest.mark.parametrize(
    "path", ["", "relative", "vsock:2:1234", "/nowhere/at/all", "@nobody-listens", "/" + "x" * 300]
)
def test_without_a_socket_nothing_happens(path: str) -> None:
    notifier = Notifier({"NOTIFY_SOCKET": path} if path else {})
    notifier.ready("x")
    notifier.alive()
    assert not notifier.send("READY=1")


# ---- the watchdog

OURS = "ours"


@pytest.mark.parametrize(
    ("environment", "seconds"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "90000000"}, 90.0),
        ({"WATCHDOG_USEC": "90000000", "WATCHDOG_PID": OURS}, 90.0),
        ({"WATCHDOG_USEC": "90000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "90000000", "WATCHDOG_PID": "x"}, None),
        ({"WATCHDOG_PID": OURS}, None),
        ({"WATCHDOG_USEC": "500000"}, 0.5),
        *(
            ({"WATCHDOG_USEC": text}, None)
            for text in ("", "x", "90s", "1.5", "0", "-5", str(2**64 - 1), "9" * 400)
        ),
    ],
    ids=str,
)
def test_the_watchdog_counts_where_systemd_means_us(
    environment: dict[str, str], seconds: float | None
) -> None:
    environment = {key: str(os.getpid()) if value == OURS else value for key, value in environment.items()}
    assert Notifier(environment).watchdog == seconds
