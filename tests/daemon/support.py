"""A daemon in this process, on the local AWS.  Used by the tests of the daemon."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable

from reconciler.aws.lease import Lease
from reconciler.board import Board
from reconciler.daemon.process import Daemon, Rhythm
from reconciler.hold import Hold
from reconciler.lock import Lock
from reconciler.loop import Loop
from reconciler.model.config import Config
from reconciler.signals import Inbox
from reconciler.status import Status
from tests.harness import ACCOUNT, STACK, Host, read

PATIENCE = 20.0
SITES = """
resources:
  global-network/n: {Description: one}
  site/a: {GlobalNetworkId: "${global-network/n}"}
"""


def until(true: Callable[[], object], what: str) -> None:
    """Poll until something holds."""
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, f"{what}: not in {PATIENCE:.0f} s"
        time.sleep(0.005)


class Running:
    """A daemon in a thread; its signals are noted by hand."""

    def __init__(self, host: Host, text: str = SITES, lease: Lease | None = None, **environment: str) -> None:
        self.host, self.text, self.digest_now = host, text, ""
        self.loop: Loop = host.loop(text, grace=0.0)
        self.inbox = Inbox()
        self.passes: list[str] = []
        self.loop.ended.append(lambda ended: self.passes.append(ended.trigger))
        found = Status(
            stack=STACK, account=ACCOUNT, what="daemon", pid=1, instance="here", program="0", started=0.0
        )
        self.board = Board(host.state, self.loop, found)
        self.board.took("test.yaml", self.loop.config, 0.0)
        lock = Lock(host.state, STACK, "daemon")
        lock.take(0.0)
        self.daemon = Daemon(
            self.loop,
            hold=Hold(lock, lease),
            board=self.board,
            inbox=self.inbox,
            reload=self._reload,
            digest=lambda: self.digest_now or self.loop.config.digest,
            environment=environment,
            rhythm=Rhythm(heartbeat=0.2, tick=0.02),
        )
        self.status: int | None = None
        self.thread = threading.Thread(target=self._run, name="main of the daemon")

    def _reload(self) -> Config:
        return read(self.text)

    def _run(self) -> None:
        self.status = self.daemon.run()

    def start(self) -> Running:
        """Begin, and wait for the end of the first pass."""
        self.thread.start()
        until(lambda: self.passes, "the first pass")
        return self

    def signal(self, number: signal.Signals) -> None:
        """A signal comes."""
        if number in (signal.SIGTERM, signal.SIGINT):
            self.inbox.stopped_by = number
        self.inbox.put(number)

    def stop(self) -> int | None:
        """TERM, and the exit status."""
        self.signal(signal.SIGTERM)
        self.thread.join(PATIENCE)
        assert not self.thread.is_alive()
        return self.status
