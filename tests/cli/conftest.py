"""One local AWS for all tests of the command line; each test gets it empty."""

from __future__ import annotations

import logging
import signal
import sys
import threading
import urllib.request
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.client import ClientCreator
from botocore.model import ServiceModel

from .inside import served
from .support import KEYS, Cli, Running
from .wire import Wire, wire


@pytest.fixture(scope="session", autouse=True)
def made_once() -> Iterator[None]:
    """What botocore makes anew for each process, and always alike, is made once, not once a command, which would be
    much of its time: service models as they are read from disk, and the methods of clients."""
    methods: dict[str, dict[str, object]] = {}
    creators: Any = ClientCreator
    make = creators._create_methods

    def once(creator: ClientCreator, model: ServiceModel) -> dict[str, object]:
        name = str(model.service_name)
        if name not in methods:
            methods[name] = make(creator, model)
        return dict(methods[name])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(botocore.session, "create_loader", cache(botocore.session.create_loader))
        patch.setattr(ClientCreator, "_create_methods", once)
        yield


@pytest.fixture(scope="session")
def aws_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a local AWS."""
    with served(tmp_path_factory.mktemp("aws")) as url:
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
    names = [None, *logging.Logger.manager.loggerDict]
    levels = {name: logging.getLogger(name).level for name in names}
    yield
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)
    for handler in [handler for handler in root.handlers if handler not in handlers]:
        root.removeHandler(handler)
    logging.captureWarnings(False)
    sys.excepthook, threading.excepthook, sys.unraisablehook = hooks
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == signals


@pytest.fixture
def aws(aws_server: str) -> str:
    """The URL of an empty local AWS."""
    with urllib.request.urlopen(
        urllib.request.Request(f"{aws_server}/moto-api/reset", method="POST")
    ) as answer:
        assert answer.status == 200
    return aws_server


@pytest.fixture
def cli(aws: str, tmp_path: Path) -> Cli:
    """The command, with an empty state directory, on an empty AWS."""
    return Cli(tmp_path, aws)


@pytest.fixture
def begun() -> Iterator[list[Running]]:
    """Processes that end with the test."""
    found: list[Running] = []
    yield found
    for one in found:
        one.close()


@pytest.fixture
def line(cli: Cli) -> Iterator[Wire]:
    """The wire between the command and its AWS."""
    with wire(cli.url) as found:
        cli.url = found.url
        yield found
