"""One-shot processes: what a signal does to one, what two of them do to each other."""

from __future__ import annotations

import signal
import time

from reconciler.aws.memory import Memory
from reconciler.lock import held
from reconciler.model.address import Address

from .support import VPCS, Cli, Running, networks, vpcs, wait_until
from .wire import Wire

SUBNETS = """
resources:
  vpc/a: {CidrBlock: 10.0.0.0/16}
  subnet/a: {VpcId: "${vpc/a}", CidrBlock: 10.0.0.0/24}
  subnet/b: {VpcId: "${vpc/a}", CidrBlock: 10.0.1.0/24}
"""


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


def test_who_has_waited_for_the_lock_knows_what_its_holder_has_begun(cli: Cli, begun: list[Running]) -> None:
    """The one before may have died between a creation and its answer, while this one waited."""
    directory = cli.state / "ai"
    with held(directory, "ai", "daemon", 0.0):
        waiting = Running(cli, "run", "--once", "--lock-wait", "1m", "--timeout", "0s")
        begun.append(waiting)
        waiting.until("lock.busy")
        Memory.open(directory, time.time).intend(Address("global-network", "main"))
    found = waiting.end()
    assert found.status == 75
    assert "an earlier attempt got no answer" in found.out
    assert networks(cli.url) == []
