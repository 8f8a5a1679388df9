"""The shipped units under a real systemd: start, reload, hang, fail, stop; one stack, several, and by a timer.

Each test has a stack of its own, most share one booted host.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from .host import NOWHERE, Host, booted
from .support import ROOT

PROGRAMS = ("stub",)
"""What the units run here."""
OTHER_ACCOUNT = "999999999999"
QUICK = "[Service]\nRestartSec=100ms\n"


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a local AWS."""
    ready = tmp_path_factory.mktemp("aws") / "ready"
    words = [sys.executable, "-m", "reconciler", "sandbox", "--ready-file", str(ready)]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.DEVNULL) as process:
        try:
            end = time.monotonic() + 30
            while not ready.exists():
                assert time.monotonic() < end, "the local AWS does not start"
                assert process.poll() is None, "the local AWS has ended"
                time.sleep(0.05)
            yield ready.read_text().strip()
        finally:
            process.terminate()


@pytest.fixture(scope="module", params=PROGRAMS)
def program(request: pytest.FixtureRequest) -> tuple[str, str]:
    """What runs, and the endpoint that it talks to."""
    return request.param, NOWHERE if request.param == "stub" else request.getfixturevalue("aws")


@pytest.fixture(scope="module")
def host(program: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """A host that has booted with everything installed."""
    with booted(tmp_path_factory.mktemp("lab"), program[0], url=program[1]) as found:
        yield found


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """A stack for this test alone."""
    return request.node.originalname.removeprefix("test_").replace("_", "-")[:60]


# ---- the host


def test_the_user_and_the_folders_are_there_after_a_boot(host: Host) -> None:
    assert ":/var/lib/reconciler:/usr/sbin/nologin" in host.lab.run("getent", "passwd", "reconciler").stdout
    folders = ("/etc/reconciler", "/etc/reconciler/conf.d", "/etc/reconciler/stacks")
    told = host.lab.run("stat", "-c", "%a %U:%G", *folders).stdout.split("\n")
    assert told[:-1] == ["750 root:reconciler"] * 3


# ---- the life of a service


def test_one_stack_from_start_to_stop(host: Host) -> None:
    lab, unit = host.lab, "reconciler.service"
    host.config("/etc/reconciler/conf.d", stack="plain")
    process = host.start(unit)
    assert lab.show(unit, "ActiveState") == "active"
    assert "plain" in lab.show(unit, "StatusText")
    assert lab.run("stat", "-c", "%U", f"/proc/{process}").stdout == "reconciler\n"
    assert lab.run("stat", "-c", "%a %U:%G", "/var/lib/reconciler").stdout == "750 reconciler:reconciler\n"
    lab.systemctl("reload", unit)
    lab.systemctl("stop", unit)
    assert (lab.show(unit, "Result"), lab.show(unit, "ExecMainStatus")) == ("success", "0")
    assert (lab.show(unit, "ActiveState"), lab.show(unit, "NRestarts")) == ("inactive", "0")


def test_a_good_config_is_reloaded(host: Host, name: str) -> None:
    unit = host.stack(name)
    process = host.start(unit)
    before = host.lab.show(unit, "StatusText")
    host.stack(name, more="  global-network/second: {Description: more}\n")
    host.lab.systemctl("reload", unit)
    host.lab.wait("another status", lambda: host.lab.show(unit, "StatusText") != before)
    assert "refused" not in host.lab.show(unit, "StatusText")
    assert (host.lab.show(unit, "ActiveState"), host.lab.show(unit, "MainPID")) == ("active", process)


def test_a_bad_config_does_not_stop_what_runs(host: Host, name: str) -> None:
    lab, unit = host.lab, host.stack(name)
    process = host.start(unit)
    host.stack(name, more="  [\n")
    done = lab.systemctl("reload", unit, check=False)
    if lab.show(unit, "Type") == "notify":  # a systemd before 253: the check of the drop-in refuses first
        assert done.returncode != 0
        lab.systemctl("kill", "--kill-whom=main", "--signal=HUP", unit)
    lab.wait("a status that says so", lambda: "refused" in lab.show(unit, "StatusText"))
    lab.wait("the end of the reload", lambda: lab.show(unit, "ActiveState") == "active")
    assert lab.show(unit, "MainPID") == process
    host.stack(name)
    lab.systemctl("reload", unit)
    lab.wait("a status without it", lambda: "refused" not in lab.show(unit, "StatusText"))
    assert lab.show(unit, "NRestarts") == "0"


def test_what_hangs_is_killed_and_started_again(host: Host, name: str) -> None:
    lab, unit = host.lab, host.stack(name)
    process = host.start(unit, f"{QUICK}WatchdogSec=3s\n")
    lab.systemctl("kill", "--kill-whom=main", "--signal=STOP", unit)
    lab.wait("another process", lambda: lab.show(unit, "MainPID") not in (process, "0"))
    lab.wait("a second start", lambda: lab.show(unit, "ActiveState") == "active")
    assert lab.show(unit, "NRestarts") == "1"
    assert lab.said(unit, "Watchdog timeout")
    assert lab.said(unit, "most recent call first"), "the stacks of the threads are in the journal"


def test_what_crashes_is_started_again(host: Host, name: str) -> None:
    unit = host.stack(name)
    process = host.start(unit, QUICK)
    host.lab.systemctl("kill", "--kill-whom=main", "--signal=SEGV", unit)
    host.lab.wait("another process", lambda: host.lab.show(unit, "MainPID") not in (process, "0"))
    host.lab.wait("a second start", lambda: host.lab.show(unit, "ActiveState") == "active")


# ---- what only a person can mend


def given_up(host: Host, unit: str, status: str, reason: str) -> None:
    """The unit failed, is not started again, and has told so."""
    assert host.lab.systemctl("start", unit, check=False).returncode != 0
    told = host.failure(unit)
    assert (told["unit"], told["result"], told["exit_status"]) == (unit, "exit-code", status)
    assert reason in told["reason"]
    assert host.lab.show(unit, "ActiveState") == "failed"
    assert (host.lab.show(unit, "ExecMainStatus"), host.lab.show(unit, "NRestarts")) == (status, "0")


def test_a_bad_config_at_the_start_is_not_tried_again(host: Host, name: str) -> None:
    given_up(host, host.stack(name, more="  [\n"), "78", "config")


def test_a_config_that_is_not_there_is_not_tried_again(host: Host) -> None:
    given_up(host, "reconciler@nowhere.service", "78", "config")


def test_a_wrong_account_is_not_tried_again(host: Host, name: str) -> None:
    given_up(host, host.stack(name, account=OTHER_ACCOUNT), "77", "account")


def test_a_wrong_command_line_is_not_tried_again(host: Host, name: str) -> None:
    unit = host.stack(name)
    command = "/opt/reconciler/bin/reconciler run --no-such-option --config ${RECONCILER_CONFIG}"
    host.lab.drop_in(unit, f"[Service]\nExecStart=\nExecStart={command}\n")
    given_up(host, unit, "64", f"systemctl cat {unit}")


def test_the_hook_of_the_host_is_told(host: Host, name: str) -> None:
    unit = host.stack(name, more="  [\n")
    host.lab.write("/etc/reconciler/on-failure", '#!/bin/sh\necho "hook: $1 by $(id -un)"\n', 0o755)
    host.lab.systemctl("start", unit, check=False)
    hook = f"reconciler-failure@{unit}.service"
    host.lab.wait("the hook", lambda: host.lab.said(hook, f"hook: {unit} by reconciler"))
    host.lab.run("rm", "/etc/reconciler/on-failure")


# ---- several stacks


def test_two_units_with_one_stack_meet_at_its_lock(host: Host, name: str) -> None:
    """The second is started again and again, and takes over when the first stops."""
    lab, first = host.lab, host.stack(name)
    host.config("/etc/reconciler/stacks/twin", stack=name)
    host.start(first)
    lab.drop_in("reconciler@twin.service", QUICK)
    lab.systemctl("start", "--no-block", "reconciler@twin.service")
    lab.wait("some restarts", lambda: int(lab.show("reconciler@twin.service", "NRestarts")) >= 2)
    assert lab.said("reconciler@twin.service", "status=75")
    assert lab.show(first, "ActiveState") == "active"
    lab.systemctl("stop", first)
    lab.wait("the second", lambda: lab.show("reconciler@twin.service", "ActiveState") == "active")
    lab.systemctl("stop", "reconciler@twin.service")


def test_one_stack_stops_without_the_other(host: Host, name: str) -> None:
    one, two = host.stack(f"{name[:50]}.1"), host.stack(f"{name[:50]}.2")
    host.start(one)
    process = host.start(two)
    host.lab.systemctl("stop", one)
    assert (host.lab.show(two, "ActiveState"), host.lab.show(two, "MainPID")) == ("active", process)


# ---- once

ENDED = "[Service]\nExecStopPost=/bin/sh -c 'echo \"ended with $$EXIT_STATUS\"'\n"


def ended(host: Host, unit: str, status: int) -> int:
    """How often a oneshot with the drop-in above has ended like this; systemd forgets it once it is over."""
    return sum(line["MESSAGE"] == f"ended with {status}" for line in host.lab.journal(unit))


def test_a_run_that_made_changes_is_no_failure(host: Host, name: str) -> None:
    host.stack(name)
    unit = f"reconciler-once@{name}.service"
    host.lab.drop_in(unit, ENDED)
    host.lab.systemctl("start", unit)
    assert (ended(host, unit, 2), ended(host, unit, 0)) == (1, 0)
    host.lab.systemctl("start", unit)
    assert (ended(host, unit, 2), ended(host, unit, 0)) == (1, 1)


def test_a_run_that_fails_is_told(host: Host, name: str) -> None:
    host.stack(name, more="  [\n")
    given_up(host, f"reconciler-once@{name}.service", "78", "config")


def test_the_timer_runs_it_again_and_again(host: Host, name: str) -> None:
    host.stack(name)
    timer, unit = f"reconciler-once@{name}.timer", f"reconciler-once@{name}.service"
    host.lab.drop_in(unit, ENDED)
    host.lab.drop_in(timer, "[Timer]\nOnCalendar=\nOnCalendar=*:*:0/2\nRandomizedDelaySec=0\n")
    host.lab.systemctl("start", timer)
    host.lab.wait("a first run, and one with nothing to do", lambda: ended(host, unit, 0) >= 1)
    assert ended(host, unit, 2) == 1
    host.lab.systemctl("stop", timer)


# ---- drop-ins


@pytest.mark.parametrize("drop_in", ["40-egress.conf", "50-proxy.conf"])
def test_the_service_starts_with_a_drop_in(host: Host, name: str, drop_in: str) -> None:
    unit = host.stack(f"{name[:40]}-{drop_in[:2]}")
    host.shipped(unit, drop_in)
    host.start(unit)
    host.lab.systemctl("stop", unit)
    assert host.lab.show(unit, "Result") == "success"


def test_keys_are_read_from_a_file_that_is_encrypted_to_the_host(host: Host, name: str) -> None:
    if host.lab.run("systemd-creds", "--version", check=False).returncode:
        pytest.skip("this systemd has no systemd-creds")
    unit = host.stack(name)
    keys = "[default]\naws_access_key_id = local\naws_secret_access_key = local\n"
    encrypt = ["systemd-creds", "encrypt", "--with-key=host", "--name=aws", "-", "/etc/reconciler/aws.cred"]
    host.lab.run(*encrypt, stdin=keys)
    assert "aws_secret" not in (host.lab.root / "etc/reconciler/aws.cred").read_text()
    host.lab.drop_in(unit, "[Service]\nUnsetEnvironment=AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY\n", "00.conf")
    assert host.lab.systemctl("start", unit, check=False).returncode != 0
    host.shipped(unit, "10-static-keys.conf")
    host.start(unit)


def test_a_dynamic_user_serves_a_host_whose_units_all_have_it(
    program: tuple[str, str], name: str, tmp_path: Path
) -> None:
    with booted(tmp_path, program[0], url=program[1]) as host:
        unit = host.stack(name)
        host.shipped("reconciler@.service", "30-dynamic-user.conf")
        process = host.start(unit)
        assert host.lab.run("stat", "-c", "%U", f"/proc/{process}").stdout == "reconciler-dynamic\n"
        assert host.lab.run("ls", "/var/lib/private/reconciler").stdout
        host.lab.systemctl("stop", unit)
        assert host.lab.show(unit, "Result") == "success"
