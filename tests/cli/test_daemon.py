"""The daemon as a process: from start to stop, signals, and what the host does to it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from .support import (
    COMMAND,
    NETWORK,
    OTHER_ACCOUNT,
    PATIENCE,
    ROOT,
    VPCS,
    Cli,
    Running,
    client,
    vpcs,
    wait_until,
)
from .wire import Wire


def status(cli: Cli) -> dict[str, Any]:
    """What `reconciler status` tells of the stack."""
    (found,) = cli("status", "--json").data["stacks"]
    return dict(found)


def test_from_start_to_stop(cli: Cli, begun: list[Running]) -> None:
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

    assert cli("trigger").status == 0
    running.until("pass.finished", trigger="signal")
    running.process.send_signal(signal.SIGTERM)
    found = running.end()
    assert (found.status, found.out) == (0, "")
    events = [line["event"] for line in found.log]
    assert events[:3] == ["endpoint.overridden", "daemon.starting", "daemon.ready"]
    assert events[-2:] == ["daemon.stopping", "daemon.stopped"]
    finished = found.events("pass.finished")
    assert 0 < finished[0]["next_pass_in_s"] <= 5, "soon, after progress"
    settled = next(line for line in finished if line["trigger"] == "signal")
    assert settled["outcome"] == "settled"
    assert 0 < settled["next_pass_in_s"] <= 300, "at the regular time"
    assert found.log[-1]["left"] == 0
    assert all(line["stack"] == "ai" for line in found.log if line["event"] != "endpoint.overridden")
    assert (status(cli)["state"], status(cli)["running"]) == ("stopped", False)
    assert cli("run", "--once").status == 0, "the lock is free again"


def test_it_does_not_begin_in_a_wrong_account(cli: Cli) -> None:
    cli.write(NETWORK, f'stack: ai\naccount: "{OTHER_ACCOUNT}"\n')
    found = cli("run")
    assert found.status == 77
    (mismatch,) = found.events("identity.mismatch")
    assert not found.events("daemon.ready")
    assert status(cli)["sentence"] == f"ai: ended: {mismatch['reason']}", "who comes later sees why"


def test_it_is_ready_and_degraded_when_nobody_answers(cli: Cli, begun: list[Running]) -> None:
    running = Running(cli, "run", "--endpoint-url", "http://127.0.0.1:9")
    begun.append(running)
    running.until("daemon.ready")
    assert running.log()[-1]["reason"]
    assert status(cli)["state"] == "degraded"
    running.process.send_signal(signal.SIGINT)
    assert running.end().status == 0


def test_it_stops_while_it_waits_for_the_lock(cli: Cli, begun: list[Running]) -> None:
    first = Running(cli, "run", name="first")
    begun.append(first)
    first.until("pass.finished")
    second = Running(cli, "run", "--lock-wait", "10m", name="second")
    begun.append(second)
    second.until("lock.busy")
    second.process.send_signal(signal.SIGTERM)
    assert second.end().status == 0
    first.process.send_signal(signal.SIGTERM)
    assert first.end().status == 0


def test_a_guard_is_left_to_a_person(cli: Cli, begun: list[Running]) -> None:
    cli.write("every: 1h\nresources: {}\n")
    running = Running(cli, "run")
    begun.append(running)
    running.until("guard.stopped", guard="empty")
    assert cli("trigger").status == 0
    wait_until(lambda: sum(line["event"] == "guard.stopped" for line in running.log()) == 2, "a second look")
    running.process.send_signal(signal.SIGTERM)
    found = running.end()
    assert found.status == 0
    assert [(line["event"], line["trigger"]) for line in found.log if line["level"] == "error"] == [
        ("guard.stopped", "start"),
        ("guard.stopped", "signal"),
    ]
    assert all(0 < line["next_pass_in_s"] <= 3600 for line in found.events("pass.finished"))


def test_a_reload_takes_a_good_config_and_refuses_a_bad_one(cli: Cli, begun: list[Running]) -> None:
    running = Running(cli, "run")
    begun.append(running)
    running.until("pass.finished", trigger="start")

    cli.file.write_text(cli.file.read_text().replace("hello", "welcome"))
    running.process.send_signal(signal.SIGHUP)
    running.until("change.succeeded", verb="update", address="global-network/main")
    running.until("pass.finished", trigger="reload", updated=1)

    good = status(cli)["config"]["hash"]
    cli.file.write_text(cli.file.read_text() + "  site/two: {GlobalNetworkId: [}\n")
    running.process.send_signal(signal.SIGHUP)
    running.until("config.reload.refused", file=str(cli.file))
    wait_until(lambda: status(cli)["config"]["stale"] is not None, "the status")
    assert status(cli)["state"] == "degraded"
    assert status(cli)["config"]["hash"] == good, "the last good one stays in use"

    cli.file.unlink()
    running.process.send_signal(signal.SIGHUP)
    wait_until(
        lambda: sum(line["event"] == "config.reload.refused" for line in running.log()) == 2, "refused"
    )
    cli.write(NETWORK, 'stack: other\naccount: "123456789012"\nregion: us-west-2\n')
    running.process.send_signal(signal.SIGHUP)
    wait_until(
        lambda: sum(line["event"] == "config.reload.refused" for line in running.log()) == 3, "refused"
    )
    (*_, refused) = [one for one in running.log() if one["event"] == "config.reload.refused"]
    assert "another estate is another process" in refused["reason"]

    cli.write(NETWORK)
    running.process.send_signal(signal.SIGHUP)
    wait_until(lambda: status(cli)["config"]["stale"] is None, "good again")
    running.process.send_signal(signal.SIGTERM)
    assert running.end().status == 0


def test_a_reload_while_it_starts_does_not_kill_it(cli: Cli, begun: list[Running]) -> None:
    running = Running(cli, "run")
    begun.append(running)
    wait_until(
        lambda: catches(running.process.pid, signal.SIGHUP), "the first thing it does", running.process
    )
    running.process.send_signal(signal.SIGHUP)
    running.until("config.reloaded")
    running.process.send_signal(signal.SIGTERM)
    assert running.end().status == 0


def catches(process: int, number: signal.Signals) -> bool:
    """Whether a process has a handler for a signal."""
    with open(f"/proc/{process}/status") as file:
        mask = next(row.split(":\t")[1] for row in file if row.startswith("SigCgt"))
    return bool(int(mask, 16) >> (number - 1) & 1)


def test_it_stops_within_five_seconds_when_aws_answers_only_503(
    cli: Cli, line: Wire, begun: list[Running]
) -> None:
    running = Running(cli, "run")
    begun.append(running)
    running.until("pass.finished", trigger="start")
    line.unavailable = True
    running.process.send_signal(signal.SIGUSR1)
    wait_until(lambda: line.refused > 0, "a first refusal", running.process)
    began = time.monotonic()
    running.process.send_signal(signal.SIGTERM)
    assert running.end().status == 0
    assert time.monotonic() - began < 5


def test_the_changing_call_in_flight_is_finished_and_no_other_is_made(
    cli: Cli, line: Wire, begun: list[Running]
) -> None:
    cli.write(VPCS)
    line.hold("CreateVpc")
    running = Running(cli, "run", "--workers", "1")
    begun.append(running)
    wait_until(line.arrived.is_set, "the call", running.process)
    running.process.send_signal(signal.SIGTERM)
    running.until("daemon.stopping")
    (stopping,) = [one for one in running.log() if one["event"] == "daemon.stopping"]
    assert [text.split()[0] for text in stopping["in_flight"]] == ["ec2:CreateVpc"]
    line.released.set()
    found = running.end()
    assert found.status == 0
    assert line.writes == ["CreateVpc"]
    assert found.events("pass.finished")[-1]["outcome"] == "interrupted"
    assert found.log[-1]["left"] == 2


def test_a_second_interrupt_stops_at_once(cli: Cli, line: Wire, begun: list[Running]) -> None:
    cli.write(VPCS)
    line.hold("CreateVpc")
    running = Running(cli, "run", "--workers", "1")
    begun.append(running)
    wait_until(line.arrived.is_set, "the call", running.process)
    running.process.send_signal(signal.SIGINT)
    running.until("daemon.stopping")
    running.process.send_signal(signal.SIGINT)
    assert running.end().status == -signal.SIGINT


def test_usr2_shows_all_stacks_and_what_is_waited_for(cli: Cli, line: Wire, begun: list[Running]) -> None:
    cli.write(VPCS)
    line.hold("CreateVpc")
    running = Running(cli, "run", "--workers", "1")
    begun.append(running)
    wait_until(line.arrived.is_set, "the call", running.process)
    running.process.send_signal(signal.SIGUSR2)
    wait_until(lambda: "daemon.stacks" in running.file.read_text(), "the answer", running.process)
    shown = running.file.read_text()
    assert "Current thread" in shown
    assert "in carry_out" in shown, "a worker's stack"
    (told,) = [json.loads(text) for text in shown.splitlines() if '"daemon.stacks"' in text]
    assert [text.split()[0] for text in told["in_flight"]] == ["ec2:CreateVpc"]
    line.released.set()


def test_a_trigger_reaches_the_first_call_within_a_tenth_of_a_second(
    cli: Cli, line: Wire, begun: list[Running]
) -> None:
    running = Running(cli, "run")
    begun.append(running)
    running.until("pass.finished", trigger="start")
    best = 1.0
    for _ in range(5):  # the best of some: the machine is shared, the program is what is measured
        line.forget()
        began = time.monotonic()
        running.process.send_signal(signal.SIGUSR1)
        wait_until(lambda: line.last is not None, "the first call", running.process)
        assert line.last is not None
        best = min(best, line.last - began)
        wait_until(lambda: status(cli)["state"] == "idle", "the end of the pass", running.process)
    assert best < 0.1


@pytest.mark.parametrize("kind", ["a file in its place", "gone"])
def test_a_state_directory_that_cannot_be_written_is_said_and_worked_without(
    cli: Cli, begun: list[Running], kind: str
) -> None:
    if kind == "gone":
        running = Running(cli, "run", "--heartbeat", "1s")
        begun.append(running)
        running.until("pass.finished", trigger="start")
        subprocess.run(["rm", "-rf", str(cli.state)], check=True)
        cli.state.write_text("no folder\n")
    else:
        cli.state.joinpath("ai", "discovery.json").unlink()
        cli.state.joinpath("ai").rmdir()
        cli.state.joinpath("ai").write_text("no folder\n")
        running = Running(cli, "run", "--heartbeat", "1s")
        begun.append(running)
    running.until("state.unwritable")
    running.until("heartbeat")
    running.process.send_signal(signal.SIGUSR1)
    running.until("pass.finished", trigger="signal")
    running.process.send_signal(signal.SIGTERM)
    assert running.end().status == 0


def test_two_configs_of_one_stack_do_not_work_at_once(cli: Cli, begun: list[Running]) -> None:
    running = Running(cli, "run")
    begun.append(running)
    running.until("daemon.ready")
    other = cli.folder / "other.yaml"
    other.write_text(cli.file.read_text())
    found = cli("run", "--config", str(other))
    assert found.status == 75
    assert "process" in found.events("lock.busy")[0]["reason"]


def test_a_lock_file_that_is_removed_is_taken_again_before_the_next_pass(
    cli: Cli, begun: list[Running]
) -> None:
    running = Running(cli, "run")
    begun.append(running)
    running.until("pass.finished", trigger="start")
    (cli.state / "ai" / "lock").unlink()
    running.process.send_signal(signal.SIGUSR1)
    running.until("lock.lost")
    running.until("pass.finished", trigger="signal")
    assert cli("run", "--once").status == 75, "it is held again"


def test_systemd_hears_of_it(cli: Cli, begun: list[Running], tmp_path: Path) -> None:
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as there:
        there.bind(str(path))
        there.settimeout(PATIENCE)
        heard: list[str] = []

        def until(text: str) -> str:
            while True:
                heard.append(there.recv(65536).decode())
                if text in heard[-1]:
                    return heard[-1]

        environment = {**os.environ, "NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": "3000000"}
        running = Running(cli, "run", env=environment)
        begun.append(running)
        assert "STATUS=ai: " in until("READY=1")
        until("settled at")
        until("WATCHDOG=1")
        running.process.send_signal(signal.SIGHUP)
        assert "MONOTONIC_USEC=" in until("RELOADING=1"), (
            "in one datagram, or systemd lets the reload time out"
        )
        until("READY=1")
        running.process.send_signal(signal.SIGTERM)
        until("STOPPING=1")
        assert running.end().status == 0


def test_a_config_that_is_wrong_at_the_start_is_told_to_systemd(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "notify"
    cli.file.write_text("stack: [\n")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as there:
        there.bind(str(path))
        there.settimeout(PATIENCE)
        found = subprocess.run(
            [*COMMAND, *cli.line("run")],
            env={**os.environ, "NOTIFY_SOCKET": str(path)},
            cwd=ROOT,
            capture_output=True,
            check=False,
        )
        assert found.returncode == 78
        assert "estate.yaml:" in there.recv(65536).decode()


def test_one_of_two_hosts_works_and_the_other_stands_by(cli: Cli, begun: list[Running]) -> None:
    client("dynamodb", cli.url).create_table(
        TableName="leases",
        KeySchema=[{"AttributeName": "stack", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "stack", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    cli.write("lease: {table: leases}" + VPCS)
    first = Running(cli, "run", name="first")
    begun.append(first)
    first.until("pass.finished", trigger="start", created=3)
    (cli.folder / "other").mkdir()
    other = Cli(cli.folder / "other", cli.url)
    other.write("lease: {table: leases}" + VPCS)
    second = Running(other, "run", name="second")
    begun.append(second)
    second.until("lock.busy", table="leases")
    assert f"process {first.process.pid} on " in second.log()[-1]["reason"]
    wait_until(lambda: status(other)["state"] == "standby", "the status", second.process)
    assert not second.has("pass.finished")
    once = other("run", "--once", "--state-dir", str(cli.folder / "third"))
    assert once.status == 75, "a one-shot run does not work beside it either"
    first.process.send_signal(signal.SIGTERM)
    assert first.end().status == 0
    second.until("pass.finished", trigger="start", settled=3)
    assert status(other)["lease"]["standby"] is False
    second.process.send_signal(signal.SIGTERM)
    assert second.end().status == 0
    assert len(vpcs(cli.url)) == 3
