"""The units as systemd reads them, without one that runs: they parse, they are tight, and they do not drift apart."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from .support import DROP_INS, SERVICES, UNITS

ANALYZE = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="there is no systemd-analyze here"
)
DAEMONS = ("reconciler.service", "reconciler@.service")

NEWER = re.compile(r"ignoring: notify-reload$|Unknown key (name )?'(RestartSteps|RestartMaxDelaySec)'")
"""What a systemd before 253 or 254 says of lines that are meant for later ones, and that it may ignore."""


@pytest.fixture
def units(installed: Path, tmp_path: Path) -> Path:
    """A copy of the units whose commands exist."""
    prefix = tmp_path / "prefix"
    for name in ("bin/reconciler", "libexec/reconciler-failure"):
        (prefix / name).parent.mkdir(parents=True, exist_ok=True)
        (prefix / name).touch(mode=0o755)
    found = tmp_path / "units"
    found.mkdir()
    for path in (installed / UNITS).iterdir():
        (found / path.name).write_text(path.read_text().replace("/opt/reconciler", str(prefix)))
    return found


def add(units: Path, unit: str, drop_in: str, installed: Path) -> None:
    """Put a shipped drop-in in force for a unit."""
    text = (installed / "opt/reconciler/share/reconciler/drop-ins" / drop_in).read_text()
    folder = units / f"{unit}.d"
    folder.mkdir()
    (folder / drop_in).write_text(text.replace("/opt/reconciler", str(units.parent / "prefix")))


def complaints(unit: Path) -> list[str]:
    """What systemd has to say about a unit."""
    analyze = ["systemd-analyze", "verify", "--man=no", str(unit)]
    done = subprocess.run(analyze, capture_output=True, text=True, timeout=60)
    told = [line for line in done.stderr.splitlines() if not NEWER.search(line)]
    return told if told or not done.returncode else [f"exit status {done.returncode}"]


def exposure(unit: Path) -> subprocess.CompletedProcess[str]:
    """How exposed a service is; exit status 0 up to 1.5 of 10."""
    analyze = ["systemd-analyze", "security", "--offline=true", "--threshold=15", "--no-pager", str(unit)]
    return subprocess.run(analyze, capture_output=True, text=True, timeout=60)


def section(text: str, name: str) -> list[str]:
    """The lines of one section, in order, without comments."""
    found = re.search(rf"^\[{name}\]\n(.*?)(?=^\[|\Z)", text, re.MULTILINE | re.DOTALL)
    assert found
    return [line for line in found[1].splitlines() if line and not line.startswith("#")]


@ANALYZE
@pytest.mark.parametrize("unit", [*SERVICES, "reconciler-once@.timer"])
def test_a_unit_is_read_without_a_complaint(units: Path, unit: str) -> None:
    assert complaints(units / unit) == []


@ANALYZE
@pytest.mark.parametrize("unit", SERVICES)
def test_a_service_is_hardly_exposed(units: Path, unit: str) -> None:
    done = exposure(units / unit)
    assert done.returncode == 0, done.stdout


@ANALYZE
@pytest.mark.parametrize("unit", DAEMONS)
@pytest.mark.parametrize("drop_in", DROP_INS)
def test_a_drop_in_is_read_without_a_complaint_and_opens_nothing(
    units: Path, installed: Path, drop_in: str, unit: str
) -> None:
    add(units, unit, drop_in, installed)
    assert complaints(units / unit) == []
    assert exposure(units / unit).returncode == 0


@ANALYZE
def test_a_mistake_in_a_drop_in_would_be_seen(units: Path) -> None:
    folder = units / "reconciler.service.d"
    folder.mkdir()
    (folder / "wrong.conf").write_text("[Service]\nNoNewPriviliges=yes\n")
    assert [line for line in complaints(units / "reconciler.service") if "NoNewPriviliges" in line]


def test_all_services_are_hardened_alike(installed: Path) -> None:
    hardening = {}
    for unit in SERVICES:
        _, found, below = (installed / UNITS / unit).read_text().partition("# ---- hardening\n")
        assert found, unit
        hardening[unit] = section(f"[Service]\n{below}", "Service")
    assert len(hardening["reconciler.service"]) > 30
    assert [unit for unit in SERVICES if hardening[unit] != hardening["reconciler.service"]] == []


def test_the_template_differs_in_config_and_environment_alone(installed: Path) -> None:
    plain, template = ((installed / UNITS / unit).read_text() for unit in DAEMONS)
    only = "EnvironmentFile=-/etc/reconciler/stacks/%i.environment"
    alike = template.replace(f"{only}\n", "").replace("/stacks/%i", "/conf.d")
    assert only in template
    for name in ("Unit", "Service", "Install"):
        assert section(alike, name) == section(plain, name)


@pytest.mark.parametrize("unit", SERVICES)
def test_a_oneshot_has_an_end(installed: Path, unit: str) -> None:
    """systemd gives them none by itself: what hangs would hang for ever, and no timer starts it again."""
    lines = section((installed / UNITS / unit).read_text(), "Service")
    assert "Type=oneshot" not in lines or any(line.startswith("TimeoutStartSec=") for line in lines)


@pytest.mark.parametrize("unit", SERVICES)
def test_no_command_runs_with_more_rights_or_by_a_shell_s_guess(installed: Path, unit: str) -> None:
    """`+`, `!` and `!!` in front of a command would take the hardening off; only a check of its own config is missing
    on purpose, for systemd restarts a unit for ever whose ExecStartPre= fails."""
    lines = section((installed / UNITS / unit).read_text(), "Service")
    commands = [line for line in lines if line.startswith("Exec")]
    assert [line.partition("=")[0] for line in commands] == ["ExecStart"]
    assert [line for line in commands if not line.startswith("ExecStart=/opt/reconciler/")] == []
