"""What is shipped: locks with hashes and without addresses, and a wheel that holds the package."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest

import reconciler

ROOT = Path(__file__).parent.parent
LOCKS = ("requirements.lock", "requirements-dev.lock")


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    told: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return told


def normal(requirement: str) -> str:
    """The name of a requirement as indexes spell it."""
    return re.sub(r"[-_.]+", "-", re.split(r"[\[<>=!~; ]", requirement, maxsplit=1)[0]).lower()


def pinned(lock: str) -> dict[str, str]:
    """Name and version of everything in a lock."""
    found = re.findall(r"^([a-z0-9.-]+)==(\S+) ", (ROOT / lock).read_text(), re.MULTILINE)
    return {normal(name): version for name, version in found}


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_place(lock: str) -> None:
    for number, line in enumerate((ROOT / lock).read_text().splitlines(), 1):
        told = line.strip()
        plain = re.fullmatch(r"[a-z0-9.-]+==[\w.+!-]+ \\|--hash=sha256:[0-9a-f]{64}( \\)?|#( .*)?", told)
        assert plain, f"{lock}:{number}: {told}"
        assert "://" not in told
        assert not told.startswith("#") or not re.search(r"\.(org|com|io|net)\b|/", told), f"{lock}:{number}"


@pytest.mark.parametrize("lock", LOCKS)
def test_everything_in_a_lock_has_a_hash(lock: str) -> None:
    blocks = re.split(r"^(?=[a-z0-9])", (ROOT / lock).read_text(), flags=re.MULTILINE)
    blocks = [block for block in blocks if re.match(r"[a-z0-9.-]+==", block)]
    assert len(blocks) == len(pinned(lock)) > 10
    assert [block.split()[0] for block in blocks if "--hash=sha256:" not in block] == []


def test_what_runs_and_the_sandbox_are_locked(project: dict[str, Any]) -> None:
    wanted = project["dependencies"] + project["optional-dependencies"]["sandbox"]
    assert {normal(requirement) for requirement in wanted} <= pinned("requirements.lock").keys()


def test_what_develops_is_locked(project: dict[str, Any]) -> None:
    wanted = project["optional-dependencies"]["dev"]
    assert {normal(requirement) for requirement in wanted} <= pinned("requirements-dev.lock").keys()


def test_the_two_locks_agree() -> None:
    run, develop = pinned("requirements.lock"), pinned("requirements-dev.lock")
    assert {name: develop.get(name) for name in run} == run


def test_moto_is_pinned_exactly(project: dict[str, Any]) -> None:
    (moto,) = [item for item in project["optional-dependencies"]["sandbox"] if normal(item) == "moto"]
    assert moto == f"moto=={pinned('requirements.lock')['moto']}"


def test_an_upper_bound_is_the_exception(project: dict[str, Any]) -> None:
    bounded = {normal(item) for item in project["dependencies"] if re.search(r"<|~=|==", item)}
    assert bounded == {"apscheduler"}


def test_the_wheel_holds_the_package_and_the_command(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, timeout=60)
    (wheel,) = tmp_path.glob("*.whl")
    assert wheel.name == f"reconciler-{reconciler.__version__}-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        (entry,) = [name for name in names if name.endswith("entry_points.txt")]
        assert "reconciler = reconciler.__main__:main" in archive.read(entry).decode()
    shipped = {name for name in names if ".dist-info/" not in name}
    modules = {path.relative_to(ROOT).as_posix() for path in (ROOT / "reconciler").rglob("*.py")}
    assert modules <= shipped
    assert {name for name in shipped if not name.startswith("reconciler/")} == set()
    assert not [name for name in shipped if "__pycache__" in name]
