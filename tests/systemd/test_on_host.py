"""`make install` and `make uninstall` on a host whose systemd runs: users, folders, services that are in the way."""

from __future__ import annotations

from pathlib import Path

from .host import booted, stub

MAKE = ("make", "--no-print-directory", "-C", "/src", "VENV_INSTALL=0")


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

        lab.run(*MAKE, "uninstall")
        assert lab.run("systemctl", "list-units", "--no-legend", "--plain", "reconciler*").stdout == ""
        assert (
            lab.run(
                "find", "/etc/systemd/system", "/opt/reconciler", "-name", "*reconciler*", check=False
            ).stdout
            == ""
        )
        assert lab.systemctl("cat", "reconciler.service", check=False).returncode != 0
        assert lab.run("ls", "/etc/reconciler/conf.d", "/var/lib/reconciler").stdout.count("plain") == 1
        assert lab.run("test", "-e", "/etc/reconciler/conf.d/estate.yaml", check=False).returncode == 0
