"""Sandboxes in processes of their own, for the tests of the server."""

from __future__ import annotations

import http.client
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .conftest import new_client

READY_SECONDS = 60.0  # a machine may be busy
# nothing of AWS is in it
ENVIRONMENT = {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"}

# goes into the server's process: notes whatever it does with the network beyond listening
WATCH = """
import sys

open({path!r} + "-watched", "w").close()

def watch(event, arguments):
    if not event.startswith("socket.") or event in ("socket.__new__", "socket.bind"):
        return
    if not any(host in repr(arguments) for host in ("'127.0.0.1'", "'::1'")):
        with open({path!r}, "a") as file:
            file.write(event + " " + repr(arguments) + "\\n")

sys.addaudithook(watch)
"""


@dataclass
class Server:
    """A sandbox in a process of its own."""

    process: subprocess.Popen[bytes]
    folder: Path
    url: str

    def client(self, service: str, region: str = "us-west-2", **more: Any) -> Any:
        return new_client(service, region, endpoint_url=self.url, **more)

    def raw(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(str(urlsplit(self.url).netloc), timeout=10)

    def said(self) -> str:
        """All that it has written so far."""
        return "".join((self.folder / name).read_text() for name in ("out", "err"))


def command(*options: str) -> list[str]:
    return [sys.executable, "-m", "reconciler", "sandbox", *options]


@contextmanager
def starting(folder: Path, whole: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """A command, begun, in an environment with nothing of AWS in it; killed at the end if need be."""
    (folder / "site").mkdir()
    (folder / "site" / "sitecustomize.py").write_text(WATCH.format(path=str(folder / "network")))
    environment = {**ENVIRONMENT, "HOME": str(folder), "PYTHONPATH": str(folder / "site")}
    with (folder / "out").open("w") as out, (folder / "err").open("w") as err:
        process = subprocess.Popen(whole, env=environment, stdout=out, stderr=err)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def ready(process: subprocess.Popen[bytes], folder: Path) -> Server:
    """Waits for the ready file; what it holds when it appears must be all of it."""
    end = time.monotonic() + READY_SECONDS
    while not (folder / "ready").exists():
        assert process.poll() is None, (folder / "err").read_text()
        assert time.monotonic() < end, "the sandbox does not get ready"
        time.sleep(0.005)
    text = (folder / "ready").read_text()
    assert re.fullmatch(r"http://(127\.0\.0\.1|\[::1\]):\d+\n", text)
    return Server(process, folder, text.strip())


def settled(server: Server, network: str, within: float) -> bool:
    """Whether a global network is available before so many seconds have gone."""
    nm = server.client("networkmanager")
    end = time.monotonic() + within
    while time.monotonic() < end:
        if (
            nm.describe_global_networks(GlobalNetworkIds=[network])["GlobalNetworks"][0]["State"]
            == "AVAILABLE"
        ):
            return True
        time.sleep(0.05)
    return False
