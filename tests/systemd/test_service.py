"""The real program in the shipped units under a real systemd, on a local AWS: start, reload, hang, fail, stop, once.

Each test has a stack of its own, all share one booted host.
"""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator

import pytest

from .host import ENDED, QUICK, Host, booted, ended

OTHER_ACCOUNT = "999999999999"


@pytest.fixture(scope="module")
def host(aws: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """A host that has booted with everything installed."""
    with booted(tmp_path_factory.mktemp("lab"), "program", url=aws) as found:
        yield found


@pytest.fixture(autouse=True)
def nothing_is_left(host: Host, aws: str) -> Iterator[None]:
    """Each test ends with its services, and with what they made."""
    yield
    host.lab.systemctl("stop", "reconciler.service", "reconciler@*.service")
    reset = urllib.request.Request(f"{aws}/moto-api/reset", method="POST")
    with urllib.request.urlopen(reset) as answer:
        assert answer.status == 200


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
    process = host.start(unit, f"{QUICK}WatchdogSec=5s\n")
    lab.systemctl("kill", "--kill-whom=main", "--signal=STOP", unit)
    lab.wait("another process", lambda: lab.show(unit, "MainPID") not in (process, "0"))
    lab.wait("a second start", lambda: lab.show(unit, "ActiveState") == "active")
    assert lab.show(unit, "NRestarts") != "0"
    assert lab.said(unit, "Watchdog timeout")
    assert lab.said(unit, "most recent call first"), "the stacks of the threads are in the journal"


# ---- what only a person can mend


def given_up(host: Host, unit: str, status: str, reason: str) -> None:
    """The unit failed, is not started again, and has told so."""
    assert host.lab.systemctl("start", unit, check=False).returncode != 0
    told = host.failure(unit)
    assert (told["unit"], told["result"], told["exit_status"]) == (unit, "exit-code", status)
    assert reason in told["error"]
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


# ---- once


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


# ---- drop-ins


def test_keys_are_read_from_a_file_that_is_encrypted_to_the_host(host: Host, name: str) -> None:
    if host.lab.run("systemd-creds", "--version", check=False).returncode:
        pytest.skip("this systemd has no systemd-creds")
    unit = host.stack(name)
    keys = "[default]\naws_access_key_id = local\naws_secret_access_key = local\n"
    encrypt = ["systemd-creds", "encrypt", "--with-key=host", "--name=aws", "-", "/etc/reconciler/aws.cred"]
    host.lab.run(*encrypt, stdin=keys)
    assert "aws_secret" not in (host.lab.root / "etc/reconciler/aws.cred").read_text()
    others = "UnsetEnvironment=AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY\nEnvironment=AWS_EC2_METADATA_DISABLED=true\n"
    host.lab.drop_in(unit, f"[Service]\n{others}", "00.conf")
    given_up(host, unit, "77", "credentials")
    host.shipped(unit, "10-static-keys.conf")
    host.start(unit)
