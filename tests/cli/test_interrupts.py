"""Processes: what a signal does to one, what two of them do to each other, and the daemon from start to stop."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from typing import Any, NoReturn

import pytest

from reconciler.daemon import Daemon
from reconciler.errors import GuardError
from reconciler.narrate import Narrator

from .support import NETWORK, OTHER_ACCOUNT, PATIENCE, VPCS, Cli, Result, lines, vpcs, wait_until
from .wire import Wire

SUBNETS = """
resources:
  vpc/a: {CidrBlock: 10.0.0.0/16}
  subnet/a: {VpcId: "${vpc/a}", CidrBlock: 10.0.0.0/24}
  subnet/b: {VpcId: "${vpc/a}", CidrBlock: 10.0.1.0/24}
"""


class Running:
    """A process whose stderr goes to a file, so that it can be read while the process runs."""

    def __init__(self, cli: Cli, verb: str, *options: str, name: str = "") -> None:
        self.file = cli.folder / f"{name or verb}.stderr"
        self._stream = self.file.open("w")
        self.process: subprocess.Popen[str] = cli.process(verb, *options, stderr=self._stream)

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


@pytest.fixture
def begun() -> Iterator[list[Running]]:
    """Processes that end with the test."""
    found: list[Running] = []
    yield found
    for one in found:
        one.close()


def test_the_call_in_flight_is_finished_and_what_is_left_is_told(
    cli: Cli, line: Wire, begun: list[Running]
) -> None:
    cli.write(SUBNETS)
    line.hold("CreateVpc")
    running = Running(cli, "run", "--once")
    begun.append(running)
    wait_until(line.arrived.is_set, "the call", running.process)
    running.process.send_signal(signal.SIGINT)
    wait_until(lambda: default_action(running.process.pid, signal.SIGINT), "it is noted", running.process)
    line.released.set()
    found = running.end()
    assert found.status == -signal.SIGINT
    assert line.writes == ["CreateVpc"], "no other call was made"
    assert vpcs(cli.url) == ["10.0.0.0/16"]
    assert [one["address"] for one in found.events("change.succeeded")] == ["vpc/a"]
    assert found.out == (
        "  subnet/a: waiting, stopped before its turn\n"
        "  subnet/b: waiting, stopped before its turn\n"
        "ai: interrupted by SIGINT; 1 created; 0 settled, 2 waiting.\n"
    )


def test_what_stands_in_the_queue_of_the_workers_is_not_begun(
    cli: Cli, line: Wire, begun: list[Running]
) -> None:
    cli.write(VPCS)
    line.hold("CreateVpc")
    running = Running(cli, "run", "--once", "--workers", "1")
    begun.append(running)
    wait_until(line.arrived.is_set, "the call", running.process)
    running.process.send_signal(signal.SIGTERM)
    wait_until(lambda: default_action(running.process.pid, signal.SIGTERM), "it is noted", running.process)
    line.released.set()
    found = running.end()
    assert line.writes == ["CreateVpc"]
    assert found.out.splitlines()[-1] == "ai: interrupted by SIGTERM; 1 created; 0 settled, 2 waiting."
    assert found.events("pass.finished")[-1]["outcome"] == "interrupted"


def test_a_second_signal_stops_at_once(cli: Cli, line: Wire, begun: list[Running]) -> None:
    cli.write(VPCS)
    line.hold("CreateVpc")
    running = Running(cli, "run", "--once", "--workers", "1")
    begun.append(running)
    wait_until(line.arrived.is_set, "the call", running.process)
    running.process.send_signal(signal.SIGINT)
    wait_until(lambda: default_action(running.process.pid, signal.SIGTERM), "the first is noted")
    running.process.send_signal(signal.SIGTERM)
    found = running.end()
    assert (found.status, found.out) == (-signal.SIGTERM, "")


def default_action(process: int, number: signal.Signals) -> bool:
    """Whether a process would die of a signal: the kernel's masks of what it catches and ignores."""
    with open(f"/proc/{process}/status") as file:
        masks = dict(row.split(":\t", 1) for row in file if row.startswith(("SigCgt", "SigIgn")))
    return not any(int(mask, 16) >> (number - 1) & 1 for mask in masks.values())


def test_waiting_ends_with_a_signal(cli: Cli, line: Wire, begun: list[Running]) -> None:
    line.never_ready = True
    running = Running(cli, "run", "--once", "--json")
    begun.append(running)
    running.until("wait.slow", address="site/one")
    running.process.send_signal(signal.SIGTERM)
    found = running.end()
    assert found.status == -signal.SIGTERM
    assert found.data["outcome"] == "interrupted"
    assert found.data["changes"] == {"created": 1}
    assert {one["address"]: one["status"] for one in found.data["addresses"]}["site/one"] == "waiting"


def test_a_command_that_only_looks_dies_quietly(cli: Cli, line: Wire, begun: list[Running]) -> None:
    line.hold("GetCallerIdentity")
    running = Running(cli, "plan")
    begun.append(running)
    wait_until(line.arrived.is_set, "the call", running.process)
    running.process.send_signal(signal.SIGINT)
    found = running.end()
    assert (found.status, found.out) == (-signal.SIGINT, "")
    assert [one["event"] for one in found.log] == ["endpoint.overridden"]


def test_an_interrupt_at_the_question_deletes_nothing(cli: Cli) -> None:
    cli.write(VPCS)
    cli("run", "--once")
    found = cli.terminal("destroy", typed={"delete all of this: ": "\x03"})
    assert found.status == -signal.SIGINT
    assert "Traceback" not in found.out
    assert len(vpcs(cli.url)) == 3


def test_the_daemon_from_start_to_stop(cli: Cli, begun: list[Running]) -> None:
    cli.write(VPCS)
    running = Running(cli, "run")
    begun.append(running)
    running.until("pass.finished", trigger="start", created=3)
    assert len(vpcs(cli.url)) == 3

    for verb in (["run", "--once"], ["destroy", "--yes"], ["run"]):
        busy = cli(*verb)
        assert busy.status == 75
        (told,) = (line["reason"] for line in busy.events("lock.busy"))
        assert told.startswith(f"ai is held by process {running.process.pid} (daemon) since 20")
        assert told.endswith("; try later, or say --lock-wait")
    assert cli("plan", "--detailed-exitcode").status == 0, "who only reads needs no lock"

    running.process.send_signal(signal.SIGUSR1)
    running.until("pass.finished", trigger="signal")
    running.process.send_signal(signal.SIGTERM)
    found = running.end()
    assert (found.status, found.out) == (0, "")
    events = [line["event"] for line in found.log]
    assert events[:3] == ["endpoint.overridden", "daemon.starting", "daemon.ready"]
    assert events[-1] == "daemon.stopped"
    finished = found.events("pass.finished")
    assert finished[0]["next_pass_in_s"] == 5.0, "soon, after progress"
    settled = next(line for line in finished if line["trigger"] == "signal")
    assert (settled["outcome"], settled["next_pass_in_s"]) == ("settled", 300.0)
    assert found.log[-1]["left"] == 0
    assert cli("run", "--once").status == 0, "the lock is free again"


def test_the_daemon_does_not_begin_in_a_wrong_account(cli: Cli) -> None:
    cli.write(NETWORK, f'stack: ai\naccount: "{OTHER_ACCOUNT}"\n')
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)}
    try:
        found = cli("run")
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    assert found.status == 77
    assert found.events("identity.mismatch")
    assert not found.events("daemon.ready")


def test_the_daemon_goes_on_when_nobody_answers(cli: Cli, begun: list[Running]) -> None:
    running = Running(cli, "run", "--endpoint-url", "http://127.0.0.1:9")
    begun.append(running)
    running.until("pass.failed")
    running.process.send_signal(signal.SIGINT)
    assert running.end().status == 0


def test_the_daemon_leaves_a_guard_to_a_person(cli: Cli, begun: list[Running]) -> None:
    cli.write("every: 1h\nresources: {}\n")
    running = Running(cli, "run")
    begun.append(running)
    running.until("guard.stopped")
    running.process.send_signal(signal.SIGUSR1)
    wait_until(lambda: sum(line["event"] == "guard.stopped" for line in running.log()) == 2, "a second look")
    running.process.send_signal(signal.SIGTERM)
    found = running.end()
    assert found.status == 0
    assert [(line["event"], line["trigger"]) for line in found.log if line["level"] == "error"] == [
        ("guard.stopped", "start"),
        ("guard.stopped", "signal"),
    ]


class Guarded:
    """A loop whose every pass is stopped by a guard."""

    narrator = Narrator()

    def one_pass(self, trigger: str) -> NoReturn:
        raise GuardError("the config has no resources at all")

    def try_again(self) -> None:
        pass


def test_after_a_guard_the_daemon_does_not_hurry() -> None:
    daemon: Any = Daemon(Guarded(), 300.0)  # type: ignore[arg-type]
    assert daemon._pass("interval") is None, "the next interval is soon enough"


def test_waiting_for_the_lock_is_told_and_ends_when_it_is_free_or_with_a_signal(
    cli: Cli, line: Wire, begun: list[Running]
) -> None:
    cli.write(VPCS)
    line.hold("CreateVpc")
    first = Running(cli, "run", "--once")
    begun.append(first)
    wait_until(line.arrived.is_set, "the call", first.process)
    second = Running(cli, "destroy", "--yes", "--lock-wait", "1m")
    third = Running(cli, "run", "--once", "--lock-wait", "1m", name="third")
    begun += [second, third]
    for waiting in (second, third):
        waiting.until("lock.busy", level="warning", wait_s=60.0)
    third.process.send_signal(signal.SIGINT)
    assert third.end().status == -signal.SIGINT
    assert first.process.poll() is None, "it did not wait for the lock to be free"
    line.released.set()
    assert first.end().status == 0
    found = second.end()
    assert (found.status, found.out) == (0, "ai: 3 deleted; nothing of it is left.\n")
    assert vpcs(cli.url) == []
