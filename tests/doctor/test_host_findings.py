"""What is said of a host: values in, findings out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reconciler.doctor.finding import Finding
from reconciler.doctor.host import Directory, File, Host, Lock, Systemd
from reconciler.doctor.host_findings import (
    of_config,
    of_files,
    of_host,
    of_lock,
    of_software,
    of_state,
    of_systemd,
)
from reconciler.model.place import Place, Problem

US = 812
GIB = 2**30
FOLDER = File(path=Path("/etc/r/conf.d"), owner=0, mode=0o750, is_folder=True)
CONFIG = File(path=Path("/etc/r/conf.d/a.yaml"), owner=US, mode=0o640)
STATE = Directory(
    path=Path("/var/lib/r/ai"),
    found=Path("/var/lib/r/ai"),
    mode=0o750,
    writable=True,
    filesystem="ext4",
    free_bytes=GIB,
    free_files=1000,
)
UNIT = {"LoadState": "loaded", "Type": "notify-reload", "WatchdogUSec": "1min 30s", "ExecReload": ""}


def brief(findings: Any) -> list[tuple[str, str]]:
    return [(finding.status, finding.topic) for finding in findings]


def bad_ones(findings: Any) -> list[Finding]:
    return [finding for finding in findings if finding.status != "ok"]


def every_mend(findings: Any) -> None:
    """What is not well has its mend, in one line."""
    for finding in findings:
        assert finding.status == "ok" or (finding.mend and "\n" not in finding.mend), finding


def test_a_config_without_problems_and_one_with_some() -> None:
    good = of_config("a.yaml", 3, ["eu-west-1", "us-west-2"], ())
    assert good == Finding("ok", "config", "a.yaml: 3 resources in eu-west-1, us-west-2, no problems")
    problems = [
        Problem(Place("a.yaml", 3, 5), "vpc/a", "no such field"),
        Problem(Place("a.yaml", 9, 1), "", "x"),
    ]
    bad = of_config("a.yaml", 0, [], problems)
    assert (bad.status, bad.exit) == ("bad", 78)
    assert "2 problems" in bad.what
    assert "a.yaml:3:5: vpc/a: no such field" in bad.what
    assert "`reconciler check --config a.yaml`" in bad.mend


FILES = {
    "ours and root's": ((), "ok"),
    "anybody may write": ((replace(CONFIG, mode=0o646),), "bad"),
    "a folder where anybody may write": ((replace(FOLDER, mode=0o777),), "bad"),
    "a sticky folder, as /tmp": ((replace(FOLDER, mode=0o1777),), "ok"),
    "the sticky bit of a file means nothing": ((replace(CONFIG, mode=0o1646),), "bad"),
    "somebody else's": ((replace(CONFIG, owner=4),), "bad"),
    "a group may write": ((replace(CONFIG, mode=0o660),), "ok"),
    "not readable": ((File(path=Path("/etc/r/b.yaml"), error="Permission denied"),), "bad"),
}


@pytest.mark.parametrize(("files", "status"), FILES.values(), ids=FILES)
def test_who_else_could_write_the_config(files: tuple[File, ...], status: str) -> None:
    found = list(of_files((FOLDER, CONFIG, *files), US))
    assert brief(found) == [(status, "files")]
    every_mend(found)
    if status == "bad":
        assert str(files[0].path) in found[0].what


STATES = {
    "well": ({}, []),
    "not there yet, and can be made": ({"path": Path("/var/lib/r/ai/new")}, []),
    "a read-only filesystem": ({"read_only": True, "writable": False}, ["bad"]),
    "not ours": ({"writable": False}, ["bad"]),
    "everybody may write": ({"mode": 0o777}, ["bad"]),
    "its group may write": ({"mode": 0o770}, ["warning"]),
    "a parent that everybody may write": ({"path": Path("/var/lib/r/ai/new"), "mode": 0o1777}, []),
    "shared with other hosts": ({"filesystem": "nfs4"}, ["warning"]),
    "sshfs": ({"filesystem": "fuse.sshfs"}, ["warning"]),
    "no locks": ({"filesystem": "nfs4", "flock": "No locks available"}, ["bad"]),
    "little space": ({"free_bytes": 50 * 2**20}, ["warning"]),
    "no space": ({"free_bytes": 4096}, ["bad"]),
    "no file fits": ({"free_files": 0}, ["bad"]),
    "files are not counted": ({"free_files": None}, []),
}


@pytest.mark.parametrize(("change", "statuses"), STATES.values(), ids=STATES)
def test_the_state_directory(change: dict[str, Any], statuses: list[str]) -> None:
    found = list(of_state(replace(STATE, **change)))
    assert [finding.status for finding in bad_ones(found)] == statuses
    assert len(found) == len(statuses) + bool(change.get("writable", True))
    every_mend(found)


def test_who_holds_the_lock() -> None:
    path = Path("/var/lib/r/ai/lock")
    assert "free" in of_lock(Lock(path=path)).what
    holder = {"pid": 77, "what": "daemon", "since": "2026-11-23T10:00:00+00:00"}
    held = of_lock(Lock(path=path, holder=holder))
    assert (held.status, "process 77 (daemon) since 2026-11-23" in held.what) == ("ok", True)
    assert of_lock(Lock(path=path, holder={})).status == "ok"  # held by somebody who has not signed yet
    assert of_lock(Lock(path=path, asked=False)).status == "unknown"


SYSTEMDS: dict[str, tuple[Systemd | None, list[str]]] = {
    "none": (None, ["ok"]),
    "knows it, no unit yet": (Systemd(release="255", unit={}), ["ok"]),
    "does not know it, no unit yet": (Systemd(release="252.19-1", unit={}), ["ok"]),
    "a good unit": (Systemd(release="255", unit=UNIT), ["ok", "ok"]),
    "back-ported": (Systemd(release="252-46.el9", unit=UNIT), ["ok", "ok"]),
    "no way to reload": (Systemd(release="252", unit={**UNIT, "Type": "notify"}), ["warning", "ok"]),
    "the drop-in": (
        Systemd(release="252", unit={**UNIT, "Type": "notify", "ExecReload": "{ path=/bin/kill }"}),
        ["ok", "ok"],
    ),
    "not told when it is ready": (Systemd(release="252", unit={**UNIT, "Type": "simple"}), ["bad", "ok"]),
    "no watchdog": (Systemd(release="255", unit={**UNIT, "WatchdogUSec": "0"}), ["ok", "warning"]),
    "a socket that is gone": (
        Systemd(release="255", unit={}, notify_socket="/run/gone", notify_socket_exists=False),
        ["ok", "bad"],
    ),
    "a socket": (
        Systemd(release="255", unit={}, notify_socket="@abstract", notify_socket_exists=True),
        ["ok"],
    ),
}


@pytest.mark.parametrize(("systemd", "statuses"), SYSTEMDS.values(), ids=SYSTEMDS)
def test_systemd(systemd: Systemd | None, statuses: list[str]) -> None:
    found = list(of_systemd(systemd))
    assert [finding.status for finding in found] == statuses
    every_mend(found)


def test_notify_reload_is_told_by_the_release_and_by_the_unit() -> None:
    def what(release: str, **unit: str) -> str:
        return next(iter(of_systemd(Systemd(release=release, unit=unit)))).what

    assert "Type=notify-reload" in what("253")
    assert "has no notify-reload" in what("252")
    assert "Type=notify-reload" in what("252-46.el9", **UNIT)


HOST = Host(
    user=US,
    files=(FOLDER, CONFIG),
    state=STATE,
    lock=Lock(path=Path("/var/lib/r/ai/lock")),
    systemd=None,
    python="3.11.7",
    libraries={"boto3": "1.44.8"},
    zones={"UTC": True, "Europe/Berlin": True},
)


def test_libraries_and_time_zones() -> None:
    good = list(of_software(HOST))
    assert brief(good) == [("ok", "software"), ("ok", "time zones")]
    assert good[0].what == "python 3.11.7, boto3 1.44.8"
    bare = replace(
        HOST, libraries={"boto3": "1.44.8", "pyyaml": None}, zones={"UTC": True, "Mars/Base": False}
    )
    told = list(of_software(bare))
    assert brief(told) == [("ok", "software"), ("bad", "software"), ("bad", "time zones")]
    assert "pyyaml" in told[1].what
    assert "boto3" not in told[1].what
    assert "Mars/Base" in told[2].what
    every_mend(told)


def test_a_good_host_has_nothing_to_mend() -> None:
    found = of_host(HOST)
    assert {finding.status for finding in found} == {"ok"}
    assert {finding.topic for finding in found} == {
        *("files", "state", "lock", "systemd", "software", "time zones")
    }
