"""What the documents say is so: the README's commands run, and every test, file and option that is named exists."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler import exits
from reconciler.cli import VERBS, main

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
DOCUMENTS = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"] + [
    str(path.relative_to(ROOT)) for path in sorted((ROOT / "docs").rglob("*.md"))
]
SECONDS = 120


def test_the_commands_of_the_readme_run_as_they_stand(tmp_path: Path) -> None:
    block = README.partition("<!-- run by tests/test_docs.py -->\n```sh\n")[2].partition("```")[0]
    assert "reconciler run --once" in block
    shutil.copytree(ROOT / "config", tmp_path / "config")
    programs = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {"PATH": programs, "HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    script = f"set -eu\ntrap 'kill %1 2>/dev/null || true' EXIT\n{block}"
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Plan: 4 to create" in done.stdout
    assert "No changes." in done.stdout
    assert '"siteOneId": "site-' in done.stdout
    assert "4 deleted" in done.stdout
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_lead_somewhere(name: str) -> None:
    text = (ROOT / name).read_text()
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        assert "://" in target or (ROOT / name).parent.joinpath(target).exists(), target


def test_every_test_that_the_guarantees_name_exists() -> None:
    text = (ROOT / "docs/guarantees.md").read_text()
    known = {
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", path.read_text(), re.MULTILINE)
    }
    for name in re.findall(r"`(test_[\w…]+)`", text):
        assert any(one.startswith(name.removesuffix("…")) for one in known), name
    for path in re.findall(r"`(tests/[\w/.]+)`", text):
        assert (ROOT / path).exists(), path


def test_every_decision_is_in_the_list() -> None:
    listed = (ROOT / "docs/decisions/README.md").read_text()
    for path in (ROOT / "docs/decisions").glob("0*.md"):
        assert f"({path.name})" in listed


def test_every_option_and_verb_that_the_readme_names_exists(capsys: pytest.CaptureFixture[str]) -> None:
    known = ""
    for verb in VERBS:
        with pytest.raises(SystemExit):
            main([verb, "--help"])
        known += capsys.readouterr().out
    commands = re.sub(r"(pip|python3|make|systemctl|journalctl) .*", "", README)
    for option in set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", commands)):
        assert option in known, option
    for verb in re.findall(r"(?:`|^)reconciler ([a-z][a-z-]+)", commands, re.MULTILINE):
        assert verb in VERBS, verb


def test_every_exit_status_is_told() -> None:
    statuses = {value for name, value in vars(exits).items() if name.isupper()}
    told = {int(number) for number in re.findall(r"^\| (\d+) \|", README, re.MULTILINE)}
    assert told == statuses
