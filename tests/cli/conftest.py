"""One local AWS as a server for all tests of the command line; each test gets it empty."""

from __future__ import annotations

import logging
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import botocore.session
import pytest

from .support import COMMAND, KEYS, ROOT, Cli, wait_until
from .wire import Wire, wire


@pytest.fixture(scope="session", autouse=True)
def models_read_once() -> Iterator[None]:
    """botocore's service models are read from disk once, not once a command, which would be half of its time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(botocore.session, "create_loader", cache(botocore.session.create_loader))
        yield


@contextmanager
def server(folder: Path, *options: str) -> Iterator[str]:
    """A local AWS as a process; gives its URL."""
    ready = folder / "ready"
    words = [*COMMAND, "sandbox", "--ready-file", str(ready), *options]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.DEVNULL, text=True) as process:
        try:
            wait_until(ready.exists, "the local AWS", process)
            yield ready.read_text().strip()
        finally:
            process.terminate()


@pytest.fixture(scope="session")
def aws_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A local AWS whose things are ready in a moment."""
    with server(tmp_path_factory.mktemp("aws")) as url:
        yield url


@pytest.fixture(scope="session")
def slow_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A local AWS that takes its time, as AWS does."""
    with server(tmp_path_factory.mktemp("slow-aws"), "--delays", "aws") as url:
        yield url


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Credentials for everyone, and nothing of a run is left behind: the log, hooks, signals."""
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("COLUMNS", "200")
    root, hooks = logging.getLogger(), (sys.excepthook, threading.excepthook, sys.unraisablehook)
    handlers, signals = (
        list(root.handlers),
        (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)),
    )
    yield
    for handler in [handler for handler in root.handlers if handler not in handlers]:
        root.removeHandler(handler)
    logging.captureWarnings(False)
    sys.excepthook, threading.excepthook, sys.unraisablehook = hooks
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == signals


def reset(url: str) -> None:
    """Forget everything that a local AWS holds."""
    with urllib.request.urlopen(urllib.request.Request(f"{url}/moto-api/reset", method="POST")) as answer:
        assert answer.status == 200


@pytest.fixture
def aws(aws_server: str) -> str:
    """The URL of an empty local AWS."""
    reset(aws_server)
    return aws_server


@pytest.fixture
def cli(aws: str, tmp_path: Path) -> Cli:
    """The command, with an empty state directory, on an empty AWS."""
    return Cli(tmp_path, aws)


@pytest.fixture
def slow(slow_server: str, tmp_path: Path) -> Cli:
    """The same on an AWS that takes its time."""
    reset(slow_server)
    return Cli(tmp_path, slow_server)


@pytest.fixture
def line(cli: Cli) -> Iterator[Wire]:
    """The wire between the command and its AWS."""
    with wire(cli.url) as found:
        cli.url = found.url
        yield found
