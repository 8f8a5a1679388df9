"""What is gathered of a host: real files, folders, mounts; nothing of it is changed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from reconciler.doctor import host

AS_ROOT = os.geteuid() == 0


def snapshot(folder: Path) -> list[tuple[str, int, int, int]]:
    """Everything below a folder, with the times of its last changes."""
    found = [folder, *sorted(folder.rglob("*"))]
    return [(str(path), path.stat().st_mode, path.stat().st_mtime_ns, path.stat().st_ino) for path in found]


def examined(config: Path, state: Path) -> host.Host:
    return host.examine(config=config, state=state, holder=None, zones=["UTC", "Mars/Base"], environment={})


def test_nothing_is_changed(tmp_path: Path) -> None:
    config, state = tmp_path / "conf.d", tmp_path / "state"
    config.mkdir()
    (config / "a.yaml").write_text("stack: ai\n")
    (state / "ai").mkdir(parents=True)
    (state / "ai" / "lock").write_text("")
    before = snapshot(tmp_path)
    examined(config, state / "ai")
    examined(config / "a.yaml", state / "new")
    assert snapshot(tmp_path) == before


def test_a_folder_with_its_files(tmp_path: Path) -> None:
    for name in ("b.yaml", "a.yaml", ".hidden.yaml", "notes.txt"):
        (tmp_path / name).write_text("")
    (tmp_path / "a.yaml").chmod(0o646)
    found = examined(tmp_path, tmp_path / "state").files
    assert [file.path.name for file in found] == [tmp_path.name, "a.yaml", "b.yaml"]
    assert [file.is_folder for file in found] == [True, False, False]
    assert found[1].mode == 0o646
    assert {file.owner for file in found} == {os.geteuid()}


def test_a_file_with_its_folder(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("")
    found = examined(tmp_path / "a.yaml", tmp_path).files
    assert [file.path for file in found] == [tmp_path / "a.yaml", tmp_path]
    gone = examined(tmp_path / "nowhere.yaml", tmp_path).files
    assert gone[0].error == "No such file or directory"


def test_a_link_counts_as_what_it_leads_to(tmp_path: Path) -> None:
    (tmp_path / "real.yaml").write_text("")
    (tmp_path / "real.yaml").chmod(0o666)
    (tmp_path / "a.yaml").symlink_to("real.yaml")
    assert host.file(tmp_path / "a.yaml").mode == 0o666


def test_the_state_directory(tmp_path: Path) -> None:
    there = host.directory(tmp_path)
    assert there.exists
    assert there.writable
    assert there.flock == ""
    assert there.free_bytes > 0
    assert there.filesystem
    new = host.directory(tmp_path / "a" / "b")
    assert not new.exists
    assert new.found == tmp_path
    assert new.writable
    assert not (tmp_path / "a").exists()


@pytest.mark.skipif(AS_ROOT, reason="root may write everywhere")
def test_a_directory_that_is_not_ours(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    assert not host.directory(tmp_path / "ai").writable


def test_the_filesystem_is_that_of_the_nearest_mount() -> None:
    assert host.directory(Path("/proc/self")).filesystem == "proc"


def test_time_zones_and_libraries(tmp_path: Path) -> None:
    found = examined(tmp_path, tmp_path)
    assert found.zones == {"UTC": True, "Mars/Base": False}
    assert all(found.libraries.values())


def test_a_host_without_systemctl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert host.systemd({}) == host.Systemd(release="", unit={})


def test_what_systemctl_tells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "systemctl"
    program.write_text(
        "#!/bin/sh\n"
        'case "$1" in\n'
        '--version) echo "systemd 252 (252.19-1~deb12u1)"; echo "+PAM +AUDIT" ;;\n'
        "show) printf 'LoadState=loaded\\nType=notify\\nExecReload={ path=/bin/kill ; argv[]=kill }\\n' ;;\n"
        "esac\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    found = host.systemd({"NOTIFY_SOCKET": str(tmp_path), "WATCHDOG_USEC": "90000000"})
    assert (found.release, found.number) == ("252", 252)
    assert found.unit["Type"] == "notify"
    assert found.unit["ExecReload"].endswith("argv[]=kill }")
    assert (found.notify_socket_exists, found.watchdog_usec) == (True, "90000000")
    program.write_text(program.read_text().replace("LoadState=loaded", "LoadState=not-found"))
    assert host.systemd({}).unit == {}
