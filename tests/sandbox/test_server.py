"""The local AWS as a process: how it starts, how it ends, and when it refuses to start."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from reconciler.sandbox import serve

from .serving import ENVIRONMENT, Server, command, ready, settled, starting


def loopback() -> str:
    """The address of IPv6 where the machine has one."""
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return "127.0.0.1"
    return "::1"


SERVE = "import sys; from reconciler.sandbox import serve; sys.exit(serve(sys.argv[1], 0, sys.argv[2]))"


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Server]]:
    """Two at once, for each takes a second or two to start: one that is slow, and one without the command line."""
    folders = {name: tmp_path_factory.mktemp(name) for name in ("slow", "bare")}
    files = {name: str(folder / "ready") for name, folder in folders.items()}
    commands = {
        "slow": command("--port", "0", "--ready-file", files["slow"], "--delays", "aws"),
        "bare": [sys.executable, "-c", SERVE, loopback(), files["bare"]],
    }
    with ExitStack() as stack:
        begun = {
            name: stack.enter_context(starting(folders[name], whole)) for name, whole in commands.items()
        }
        yield {name: ready(process, folders[name]) for name, process in begun.items()}


def test_the_ready_file_comes_in_one_piece_and_alone(servers: dict[str, Server]) -> None:
    for server in servers.values():  # `ready` has looked at what it held when it appeared
        there = {path.name for path in server.folder.iterdir()}
        assert there == {"ready", "site", "out", "err", "network-watched"}
        assert server.client("sts").get_caller_identity()["Account"] == "123456789012"


def test_states_take_as_long_as_is_said(servers: dict[str, Server]) -> None:
    for name, is_fast in (("bare", True), ("slow", False)):
        made = servers[name].client("networkmanager").create_global_network()["GlobalNetwork"]
        assert made["State"] == "PENDING"
        assert settled(servers[name], made["GlobalNetworkId"], within=10 if is_fast else 1) is is_fast


@pytest.mark.parametrize(("name", "number"), [("slow", signal.SIGTERM), ("bare", signal.SIGINT)])
def test_a_signal_ends_it_at_once_with_status_0(
    servers: dict[str, Server], name: str, number: signal.Signals
) -> None:
    server = servers[name]
    idle = server.raw()  # a connection that stays open must not hold it
    idle.request("GET", "/")
    idle.getresponse().read()
    busy = server.raw()
    busy.connect()
    busy.send(b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n")  # nor must a request that never ends
    begun = time.monotonic()
    server.process.send_signal(number)
    assert server.process.wait(10) == 0
    assert time.monotonic() - begun < 5
    assert server.said() == ""
    with pytest.raises(OSError, match="refused"):
        server.raw().connect()
    for connection in (idle, busy):
        connection.close()


def test_it_says_why_it_cannot_start() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = str(other.getsockname()[1])
        ended = subprocess.run(command("--port", taken), capture_output=True, text=True, env=ENVIRONMENT)
    said = f"sandbox: cannot listen on 127.0.0.1 port {taken}: another program listens there\n"
    assert (ended.returncode, ended.stdout, ended.stderr) == (1, "", said)


def test_other_ways_not_to_start(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-west-2")  # which it would set for the tests that follow
    with socket.create_server(("127.0.0.1", 0)) as other:
        assert serve(port=other.getsockname()[1]) == 1
    assert serve(port=70000) == 1
    (tmp_path / "ready").mkdir()
    assert serve(ready_file=tmp_path / "ready") == 1
    assert serve(ready_file=tmp_path / "nowhere" / "ready") == 1
    out, err = capsys.readouterr()
    assert (out, [line.rpartition(": ")[2] for line in err.splitlines()]) == (
        "",
        [
            "another program listens there",
            "there is no such port",
            "Is a directory",
            "No such file or directory",
        ],
    )
    assert list(tmp_path.iterdir()) == [tmp_path / "ready"]  # nothing half-written is left


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "", "10.0.0.1", "192.168.1.1", "example.com", "127.0.0.1.example.com"]
)
def test_it_is_for_this_machine_alone(host: str) -> None:
    with pytest.raises(ValueError, match="loopback"):
        serve(host=host)
