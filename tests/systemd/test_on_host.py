"""The installation and the units on a host whose systemd runs, with a stub in place of the program.

What the program itself has to do with systemd is in test_service.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .host import ENDED, QUICK, Host, booted, ended, stub

MAKE = ("make", "--no-print-directory", "-C", "/src", "VENV_INSTALL=0")


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """A host that has booted with everything installed."""
    with booted(tmp_path_factory.mktemp("lab")) as found:
        yield found


def test_from_nothing_to_a_service_and_back(tmp_path: Path) -> None:
    with booted(tmp_path, installed=False) as host:
        lab = host.lab
        assert lab.run("getent", "passwd", "reconciler", check=False).returncode != 0
        told = lab.run(*MAKE, "install").stdout
        assert "systemctl enable --now reconciler" in told
        assert lab.run("stat", "-c", "%a %U", "/var/lib/reconciler").stdout == "750 reconciler\n"
        lab.write("/opt/reconciler/bin/reconciler", stub(), 0o755)

        units = ("reconciler.service", host.stack("prod"), "reconciler-once@other.timer")
        host.config("/etc/reconciler/conf.d", stack="plain")
        lab.systemctl("enable", "--now", *units)
        assert [lab.show(unit, "ActiveState") for unit in units] == ["active"] * 3

        again = lab.run(*MAKE, "install").stdout
        assert "systemctl restart reconciler.service" in again
        assert "systemctl restart reconciler@prod.service" in again
        assert [lab.show(unit, "ActiveState") for unit in units] == ["active"] * 3

        lab.run(*MAKE, "install-program", "PREFIX=/opt/next")
        lab.run(*MAKE, "uninstall", "PREFIX=/opt/next")
        assert [lab.show(unit, "ActiveState") for unit in units] == ["active"] * 3

        lab.run(*MAKE, "uninstall")
        assert lab.systemctl("list-units", "--no-legend", "--plain", "reconciler*").stdout == ""
        assert lab.run("find", "/etc/systemd/system", "-name", "*reconciler*").stdout == ""
        assert lab.systemctl("cat", "reconciler.service", check=False).returncode != 0
        assert lab.run("test", "-e", "/opt/reconciler", check=False).returncode != 0
        for kept in ("/etc/reconciler/conf.d/estate.yaml", "/var/lib/reconciler"):
            lab.run("test", "-e", kept)


def test_what_crashes_is_started_again(host: Host, name: str) -> None:
    unit = host.stack(name)
    process = host.start(unit, QUICK)
    host.lab.systemctl("kill", "--kill-whom=main", "--signal=SEGV", unit)
    host.lab.wait("another process", lambda: host.lab.show(unit, "MainPID") not in (process, "0"))
    host.lab.wait("a second start", lambda: host.lab.show(unit, "ActiveState") == "active")


def test_the_hook_of_the_host_is_told(host: Host, name: str) -> None:
    unit = host.stack(name, more="  [\n")
    host.lab.write("/etc/reconciler/on-failure", '#!/bin/sh\necho "hook: $1 by $(id -un)"\n', 0o755)
    host.lab.systemctl("start", unit, check=False)
    hook = f"reconciler-failure@{unit}.service"
    host.lab.wait("the hook", lambda: host.lab.said(hook, f"hook: {unit} by reconciler"))
    host.lab.run("rm", "/etc/reconciler/on-failure")


def test_one_stack_stops_without_the_other(host: Host, name: str) -> None:
    one, two = host.stack(f"{name[:50]}.1"), host.stack(f"{name[:50]}.2")
    host.start(one)
    process = host.start(two)
    host.lab.systemctl("stop", one)
    assert (host.lab.show(two, "ActiveState"), host.lab.show(two, "MainPID")) == ("active", process)


def test_the_timer_runs_it_again_and_again(host: Host, name: str) -> None:
    host.stack(name)
    timer, unit = f"reconciler-once@{name}.timer", f"reconciler-once@{name}.service"
    host.lab.drop_in(unit, ENDED)
    host.lab.drop_in(timer, "[Timer]\nOnCalendar=\nOnCalendar=*:*:0/2\nRandomizedDelaySec=0\n")
    host.lab.systemctl("start", timer)
    host.lab.wait("a first run, and one with nothing to do", lambda: ended(host, unit, 0) >= 1)
    assert ended(host, unit, 2) == 1
    host.lab.systemctl("stop", timer)


@pytest.mark.parametrize("drop_in", ["40-egress.conf", "50-proxy.conf"])
def test_the_service_starts_with_a_drop_in(host: Host, name: str, drop_in: str) -> None:
    unit = host.stack(f"{name[:40]}-{drop_in[:2]}")
    host.shipped(unit, drop_in)
    host.start(unit)
    host.lab.systemctl("stop", unit)
    assert host.lab.show(unit, "Result") == "success"


def test_a_dynamic_user_serves_a_host_whose_units_all_have_it(name: str, tmp_path: Path) -> None:
    with booted(tmp_path) as host:
        unit = host.stack(name)
        host.shipped("reconciler@.service", "30-dynamic-user.conf")
        process = host.start(unit)
        assert host.lab.run("stat", "-c", "%U", f"/proc/{process}").stdout == "reconciler-dynamic\n"
        owner = host.lab.run("stat", "-c", "%U", "/var/lib/private/reconciler").stdout
        assert owner == "reconciler-dynamic\n"
        host.lab.systemctl("stop", unit)
        assert host.lab.show(unit, "Result") == "success"
