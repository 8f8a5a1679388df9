"""What systemd is told: READY, STATUS, RELOADING, WATCHDOG, STOPPING (sd_notify(3)).  Used by `process`.

A dozen lines instead of a library: those there are lose a STATUS that is not Latin-1, or need a compiler.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping

from reconciler.show.plan import clean

SECONDS = 2.0
"""A stuck PID 1 must not stop a pass."""
LONGEST = 1000
"""Letters of a field: systemd reads 4096 bytes, and drops a longer datagram as a whole, its READY=1 included."""
NEVER = 2**64 - 1
"""USEC_INFINITY of systemd, which switches the watchdog off."""


class Notifier:
    """Tells systemd, if it is there; `environment` is that of the process."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._address = _address(environment.get("NOTIFY_SOCKET", ""))
        self.watchdog = _watchdog(environment)
        """Seconds in which systemd wants to hear of progress; None where it does not."""
        self._status = ""

    def status(self, sentence: str) -> None:
        """What `systemctl status` shows; said again only when it is another."""
        if sentence != self._status:
            self._status = sentence
            self.send(f"STATUS={sentence}")

    def ready(self, sentence: str) -> None:
        """The service is up, or the reload is done."""
        self._status = sentence
        self.send("READY=1", f"STATUS={sentence}")

    def reloading(self, monotonic: float) -> None:
        """A reload begins; systemd wants the time in the same datagram."""
        self.send("RELOADING=1", f"MONOTONIC_USEC={int(monotonic * 1e6)}", "STATUS=checking the config")

    def alive(self) -> None:
        """There is progress."""
        self.send("WATCHDOG=1")

    def stopping(self, sentence: str) -> None:
        """The process ends, and nothing can change that any more."""
        self.send("STOPPING=1", f"STATUS={sentence}")

    def extend(self, seconds: float) -> None:
        """The stop takes up to so many seconds from now."""
        self.send(f"EXTEND_TIMEOUT_USEC={int(seconds * 1e6)}")

    def failed(self, sentence: str, number: int = 0) -> None:
        """Why the process ends, for `systemctl status`."""
        self.send(f"ERRNO={number}", f"STATUS={sentence}")

    def send(self, *fields: str) -> bool:
        """One datagram; whether it went out.  Never an error: the service works without being heard."""
        if not self._address:
            return False
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as out:
                out.settimeout(SECONDS)
                out.sendto("\n".join(map(_line, fields)).encode(), self._address)
            return True
        except OSError:
            return False


def _line(field: str) -> str:
    """A field that is one line, not too long, and without what makes systemd drop it: a NUL, half a letter."""
    line = clean(field.replace("\n", " "))
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"


def _address(path: str) -> str:
    """A path, or an abstract name, which begins with @."""
    if path[:1] not in ("@", "/"):
        return ""
    return "\0" + path[1:] if path[0] == "@" else path


def _watchdog(environment: Mapping[str, str]) -> float | None:
    """What systemd allows; None where it wants nothing, or means another process."""
    if environment.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    try:
        microseconds = int(environment["WATCHDOG_USEC"])
    except (KeyError, ValueError):
        return None
    return microseconds / 1e6 if 0 < microseconds < NEVER else None
