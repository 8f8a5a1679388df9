"""How the tests of the command line run it: in this process where that will do, else as a process or on a terminal."""

from __future__ import annotations

import fcntl
import io
import json
import os
import pty
import select
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any

import boto3

from reconciler.aws.discover import Discovered
from reconciler.aws.memory import Memory
from reconciler.cli import main
from reconciler.desired import fingerprint

ROOT = Path(__file__).parents[2]
ACCOUNT, OTHER_ACCOUNT, REGION = "123456789012", "210987654321", "us-west-2"
KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
PATIENCE = 30.0
"""Seconds until a process that does not get ready is given up."""

HEAD = f'stack: ai\naccount: "{ACCOUNT}"\nregion: {REGION}\n'
NETWORK = """
resources:
  global-network/main: {Description: hello}
  site/one:
    GlobalNetworkId: ${global-network/main}
    Description: first
outputs:
  network: ${global-network/main}
  site: site ${site/one}
"""
VPCS = """
resources:
  vpc/a: {CidrBlock: 10.0.0.0/16, protect: false}
  vpc/b: {CidrBlock: 10.1.0.0/16, protect: false}
  vpc/c: {CidrBlock: 10.2.0.0/16, protect: false}
"""


Typed = str | Callable[[], None]
"""What to type, or to do."""


@dataclass(frozen=True)
class Result:
    """What came of a command."""

    status: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        """The answer, a JSON document and nothing else."""
        return json.loads(self.out)

    @property
    def log(self) -> list[dict[str, Any]]:
        """The log: every line of stderr is one JSON object."""
        return lines(self.err)

    def events(self, name: str) -> list[dict[str, Any]]:
        """The lines of the log with this event."""
        return [line for line in self.log if line["event"] == name]


def lines(err: str) -> list[dict[str, Any]]:
    """Log lines as data; each has to be an object."""
    found = [json.loads(line) for line in err.splitlines()]
    assert all(isinstance(line, dict) for line in found)
    return found


class Cli:
    """The command `reconciler` against one AWS, with one config and one state directory."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self.url, self.state = folder, url, folder / "state"
        self.file = folder / "estate.yaml"
        self.write(NETWORK)

    def write(self, text: str, head: str = HEAD, *, discovered: bool = True) -> None:
        """The config from now on.

        `discovered`: it is known that the stack owns nothing of a sort or in a region that the config does not name,
        so that not every command asks all regions.
        """
        self.file.write_text(head + dedent(text))
        folder = self.state / "ai"
        if discovered:
            Memory.open(folder, time.time).keep(
                fingerprint(self.file), Discovered(accounts=frozenset({ACCOUNT}))
            )
        else:
            (folder / "discovery.json").unlink(missing_ok=True)

    def line(self, verb: str, *options: str) -> list[str]:
        """The words of a command; what a test gives counts."""
        common = {"--config": str(self.file), "--endpoint-url": self.url, "--state-dir": str(self.state)}
        common |= {"--log-format": "json", "--grace": "0s"}
        words = [word for name, value in common.items() if name not in options for word in (name, value)]
        return [verb, *words, *options]

    def __call__(self, verb: str, *options: str) -> Result:
        """Run a verb in this process."""
        return run(self.line(verb, *options))

    def seen(self, verb: str, *options: str, typed: str | None = None) -> Result:
        """Run a verb in this process as if on a terminal, where stdout and stderr can still be told apart."""
        return run(self.line(verb, "--log-format", "auto", *options), eyes=True, typed=typed)

    def process(self, verb: str, *options: str, **more: Any) -> subprocess.Popen[str]:
        """Begin a verb as a process of its own."""
        return subprocess.Popen(
            [*COMMAND, *self.line(verb, *options)],
            stdin=subprocess.DEVNULL,
            **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "cwd": ROOT, **more},
        )

    def terminal(self, verb: str, *options: str, typed: Mapping[str, Typed] | None = None) -> Result:
        """Run a verb on a terminal; `typed` is what to type, or to do, when a text has appeared."""
        return terminal([*COMMAND, *self.line(verb, "--log-format", "auto", *options)], typed or {})


class Running:
    """A process whose stderr goes to a file, so that it can be read while the process runs."""

    def __init__(
        self, cli: Cli, verb: str, *options: str, name: str = "", env: Mapping[str, str] | None = None
    ) -> None:
        self.file = cli.folder / f"{name or verb}.stderr"
        self._stream = self.file.open("w")
        self.process: subprocess.Popen[str] = cli.process(verb, *options, stderr=self._stream, env=env)

    def log(self) -> list[dict[str, Any]]:
        """The lines that are complete."""
        whole, _, _ = self.file.read_text().rpartition("\n")
        return lines(whole)

    def has(self, event: str, **fields: Any) -> bool:
        """Whether the log has such a line."""
        return any(line["event"] == event and fields.items() <= line.items() for line in self.log())

    def until(self, event: str, **fields: Any) -> None:
        """Wait for such a line."""
        wait_until(lambda: self.has(event, **fields), event, self.process)

    def close(self) -> None:
        """Make an end, whatever has become of it."""
        self.process.kill()
        self.process.wait()
        self._stream.close()
        if self.process.stdout is not None:
            self.process.stdout.close()

    def end(self) -> Result:
        """Wait for the end; the status is negative for a signal, as the shell's 128 + n is."""
        out, _ = self.process.communicate(timeout=PATIENCE)
        return Result(self.process.returncode, out, self.file.read_text())


COMMAND = [sys.executable, "-m", "reconciler"]


class FakeTerminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def run(words: Sequence[str], *, eyes: bool = False, typed: str | None = None) -> Result:
    """The command in this process; `eyes`: its streams are terminals, where `typed` can be read."""
    stream = FakeTerminal if eyes else io.StringIO
    out, err, before = stream(), stream(), sys.stdin
    sys.stdin = io.StringIO() if typed is None else FakeTerminal(typed)
    try:
        with redirect_stdout(out), redirect_stderr(err):
            status = main(words)
    except SystemExit as error:
        status = int(error.code or 0)
    finally:
        sys.stdin = before
    return Result(status, out.getvalue(), err.getvalue())


def wait_until(true: Callable[[], bool], what: str, process: subprocess.Popen[str] | None = None) -> None:
    """Poll until something holds; AssertionError when it takes too long, or when the process has ended first."""
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, f"{what}: not in {PATIENCE:.0f} s"
        assert process is None or process.poll() is None, f"{what}: the process has ended"
        time.sleep(0.02)


def terminal(words: Sequence[str], typed: Mapping[str, Typed]) -> Result:
    """A command on a terminal of its own, where stdout and stderr are one."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        words,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        cwd=ROOT,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(
            0, termios.TIOCSCTTY, 0
        ),  # Ctrl-C comes from the terminal that controls
    )
    os.close(slave)
    shown, left, end = b"", dict(typed), time.monotonic() + PATIENCE
    with suppress(OSError):  # the terminal is gone when the process is
        while time.monotonic() < end:
            if select.select([master], [], [], 0.1)[0]:
                if not (read := os.read(master, 65536)):
                    break
                shown += read
            for text in [text for text in left if text.encode() in shown]:
                answer = left.pop(text)
                if isinstance(answer, str):
                    os.write(master, answer.encode())
                else:
                    answer()
    os.close(master)
    process.kill()
    return Result(process.wait(), shown.decode().replace("\r\n", "\n"), "")


def client(service: str, url: str, region: str = REGION, **credentials: str) -> Any:
    """Somebody else's hand in the account, or in that of other `credentials`."""
    anything: Any = boto3
    return anything.client(service, region_name=region, endpoint_url=url, **credentials)


def networks(url: str) -> list[dict[str, Any]]:
    """The global networks that there are."""
    found: list[dict[str, Any]] = client("networkmanager", url).describe_global_networks()["GlobalNetworks"]
    return [network for network in found if network["State"] != "DELETING"]


def vpcs(url: str) -> list[str]:
    """The ranges of the VPCs that there are, the default one left out."""
    found = client("ec2", url).describe_vpcs()["Vpcs"]
    return sorted(vpc["CidrBlock"] for vpc in found if not vpc["IsDefault"])
