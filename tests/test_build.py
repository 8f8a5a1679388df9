"""`--version`: scripts read its first line, people the rest."""

from __future__ import annotations

import importlib.metadata
import re

import pytest

from reconciler import __version__, build
from reconciler.cli import main


def test_the_first_line_is_for_scripts_and_the_second_tells_the_libraries(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    first, second, *rest = capsys.readouterr().out.splitlines()
    assert first == f"reconciler {__version__}"
    assert re.match(r"python 3\.\d+\.\d+, boto3 \d", second)
    for name in ("boto3", "botocore", "apscheduler", "structlog"):
        assert f"{name} {importlib.metadata.version(name)}" in second
    assert all(re.fullmatch(r"commit [0-9a-f]{40}", line) for line in rest)


def test_every_dependency_is_told() -> None:
    needed = [
        re.split(r"[<>=!~; ]", one)[0]
        for one in importlib.metadata.requires("reconciler") or ()
        if "extra ==" not in one
    ]
    assert sorted(build.LIBRARIES) == sorted(needed)


COMMIT = "0123456789abcdef0123456789abcdef01234567"
NOTES = {
    "from a repository": (f'{{"url": "u", "vcs_info": {{"vcs": "git", "commit_id": "{COMMIT}"}}}}', COMMIT),
    "from a folder": ('{"url": "file:///x", "dir_info": {"editable": true}}', ""),
    "none": (None, ""),
    "torn": ('{"url": ', ""),
    "no object": ("[]", ""),
}


@pytest.mark.parametrize(("note", "commit"), NOTES.values(), ids=NOTES)
def test_the_commit_is_what_the_installer_has_noted(note: str | None, commit: str) -> None:
    assert build.commit(note) == commit
