"""`make install` and `make uninstall`: what they write, what they replace, and what they leave alone."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from .support import DROP_INS, ROOT, SERVICES, UNITS, files, make

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="there is no make here")

LIST = "opt/reconciler/share/reconciler/installed"
CLASSIC = {
    f"{UNITS}/{unit}.d/20-reload-classic.conf" for unit in ("reconciler.service", "reconciler@.service")
}


def script(path: Path, text: str) -> Path:
    """An executable shell script; gives its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path.parent


def test_everything_is_put_where_systemd_and_the_shell_look(installed: Path) -> None:
    found = files(installed)
    assert {f"{UNITS}/{unit}" for unit in (*SERVICES, "reconciler-once@.timer")} <= found
    assert {"usr/local/lib/sysusers.d/reconciler.conf", "usr/local/lib/tmpfiles.d/reconciler.conf"} <= found
    assert {f"opt/reconciler/share/reconciler/drop-ins/{name}" for name in DROP_INS} <= found
    assert (installed / "usr/local/bin/reconciler").readlink() == Path("/opt/reconciler/bin/reconciler")
    assert (installed / "opt/reconciler/libexec/reconciler-failure").stat().st_mode & 0o777 == 0o755
    assert "@VERSION@" not in (installed / "opt/reconciler/libexec/reconciler-failure").read_text()


def test_the_list_of_what_is_outside_the_prefix_is_whole(installed: Path) -> None:
    listed = {line.lstrip("/") for line in (installed / LIST).read_text().splitlines()}
    assert listed == {path for path in files(installed) if not path.startswith("opt/reconciler/")}


def test_another_prefix_is_in_every_file_that_names_it(tmp_path: Path) -> None:
    assert make("install", tmp_path, PREFIX="/srv/aws/reconciler", RELOAD_CLASSIC="1").returncode == 0
    texts = {name: (tmp_path / name).read_text() for name in files(tmp_path) if "/bin/" not in name}
    assert [name for name, text in texts.items() if "/opt/reconciler" in text] == []
    assert "\nExecStart=/srv/aws/reconciler/bin/reconciler run " in texts[f"{UNITS}/reconciler@.service"]
    assert (tmp_path / "usr/local/bin/reconciler").readlink() == Path("/srv/aws/reconciler/bin/reconciler")


def test_man_page_and_completions_come_along(tmp_path: Path) -> None:
    """From an unpacked source distribution, which therefore has all that an installation needs."""
    build = [sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, timeout=60)
    (packed,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(packed) as archive:
        archive.extractall(tmp_path, filter="data")
    (here,) = [path for path in tmp_path.iterdir() if path.is_dir()]
    for name in ("docs/reconciler.8", *(f"completions/{name}" for name in COMPLETIONS)):
        if not (ROOT / name).exists():
            (here / name).parent.mkdir(exist_ok=True)
            (here / name).write_text("text\n")
    done = make("install", tmp_path / "root", here=here)
    assert done.returncode == 0, done.stderr
    found = files(tmp_path / "root/usr/local/share")
    assert found == {"man/man8/reconciler.8", *COMPLETIONS.values()}


COMPLETIONS = {
    "reconciler.bash": "bash-completion/completions/reconciler",
    "_reconciler": "zsh/site-functions/_reconciler",
    "reconciler.fish": "fish/vendor_completions.d/reconciler.fish",
}


def test_uninstall_leaves_what_others_made(tmp_path: Path) -> None:
    others = {
        "etc/reconciler/conf.d/estate.yaml",
        "var/lib/reconciler/ai/audit.jsonl",
        "etc/systemd/system/reconciler.service.d/override.conf",
        f"{UNITS}/reconciler.service.d/99-ours.conf",
        f"{UNITS}/other.service",
    }
    for name in others:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("theirs")
    assert make("install", tmp_path, RELOAD_CLASSIC="1").returncode == 0
    assert files(tmp_path) > CLASSIC
    done = make("uninstall", tmp_path)
    assert done.returncode == 0, done.stderr
    assert "/etc/reconciler" in done.stdout
    assert files(tmp_path) == others
    assert not (tmp_path / "opt/reconciler").exists()
    assert not (tmp_path / UNITS / "reconciler@.service.d").exists()


def test_a_second_installation_takes_away_what_is_no_longer_shipped(tmp_path: Path) -> None:
    assert make("install", tmp_path, RELOAD_CLASSIC="1").returncode == 0
    first = files(tmp_path)
    former = f"{UNITS}/reconciler-former.service"
    (tmp_path / former).write_text("[Service]")
    with (tmp_path / LIST).open("a") as listed:
        listed.write(f"/{former}\n")
    assert make("install", tmp_path, RELOAD_CLASSIC="0").returncode == 0
    assert files(tmp_path) == first - CLASSIC


@pytest.mark.parametrize(
    ("answer", "classic"),
    [
        ("echo 'try.service:2: Failed to parse service type, ignoring: notify-reload' >&2", True),
        ("exit 0", False),
    ],
    ids=["before-253", "since-253"],
)
def test_the_reload_that_this_systemd_needs_is_found_out(tmp_path: Path, answer: str, classic: bool) -> None:
    tools = script(tmp_path / "tools/systemd-analyze", answer)
    assert make("install", tmp_path / "root", path=tools).returncode == 0
    assert (files(tmp_path / "root") >= CLASSIC) == classic


@pytest.mark.parametrize(
    ("prefix", "why"),
    [
        ("/usr/local", "holds other things"),
        ("/home/me/reconciler", "the service cannot see that place"),
        ("/tmp/reconciler", "the service cannot see that place"),
        ("opt/reconciler", "absolute path"),
        ("/opt/../usr", "absolute path"),
        ("/opt/my tools", "absolute path"),
        ("", "absolute path"),
    ],
)
def test_a_prefix_that_cannot_be_right_is_refused_before_anything_is_written(
    tmp_path: Path, prefix: str, why: str
) -> None:
    (tmp_path / "usr/local/bin").mkdir(parents=True)
    (tmp_path / "usr/local/bin/theirs").write_text("theirs")
    for target in ("install", "install-program"):
        done = make(target, tmp_path, PREFIX=prefix)
        assert done.returncode != 0
        assert why in done.stderr
        assert files(tmp_path) == {"usr/local/bin/theirs"}


def test_nothing_is_uninstalled_where_nothing_was_installed(tmp_path: Path) -> None:
    (tmp_path / "opt/reconciler").mkdir(parents=True)
    (tmp_path / "opt/reconciler/theirs").write_text("theirs")
    done = make("uninstall", tmp_path)
    assert done.returncode != 0
    assert "nothing from make install" in done.stderr
    assert files(tmp_path) == {"opt/reconciler/theirs"}


def test_a_command_of_the_same_name_stays(tmp_path: Path) -> None:
    script(tmp_path / "usr/local/bin/reconciler", "echo theirs")
    done = make("install", tmp_path)
    assert done.returncode == 0
    assert "/usr/local/bin/reconciler is something else and stays" in done.stderr
    assert make("uninstall", tmp_path).returncode == 0
    assert files(tmp_path) == {"usr/local/bin/reconciler"}


def test_a_python_that_the_service_could_not_see_is_refused(tmp_path: Path) -> None:
    python = tmp_path / "tools/python3"
    script(python, "case $2 in *realpath*) echo /home/me/.pyenv/bin/python3.11 ;; esac")
    done = make("install", tmp_path / "root", VENV_INSTALL="1", PYTHON=str(python))
    assert done.returncode != 0
    assert "/home/me/.pyenv/bin/python3.11, which the service cannot see" in done.stderr
    assert files(tmp_path / "root") == set()


def test_what_comes_next_is_told(tmp_path: Path) -> None:
    done = make("install", tmp_path)
    assert "units in /usr/local/lib/systemd/system" in done.stdout
    assert "systemctl daemon-reload" in done.stdout


def test_the_guide_names_what_there_is() -> None:
    guide = (ROOT / "docs/install.md").read_text()
    makefile = (ROOT / "Makefile").read_text()
    assert set(re.findall(r"`(\d\d-[a-z-]+\.conf)`", guide)) == set(DROP_INS)
    told = dict(re.findall(r"^\| `([A-Z_]+)`(?:, `[A-Z_]+`)* \| `([^`]+)` ", guide, re.MULTILINE))
    assert {"PREFIX", "PYTHON", "VENV_INSTALL", "RELOAD_CLASSIC"} <= told.keys()
    for name, default in told.items():
        assert f"\n{name} ?= {default}\n" in makefile
    for target in re.findall(r"^    make ([a-z-]+)", guide, re.MULTILINE):
        assert f"\n{target}: ##" in makefile
    for unit in re.findall(r"`(reconciler[a-z-]*@?\.(?:service|timer))`", guide):
        assert (ROOT / "systemd" / unit).exists(), unit
