"""The shipped files as `make install` puts them, in a folder that stands for the root of a host."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from .support import ROOT, make


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root with everything but the program itself, for a systemd of this day.  To be read only."""
    if shutil.which("make") is None:
        pytest.skip("there is no make here")
    root = tmp_path_factory.mktemp("installed")
    make("install", root, RELOAD_CLASSIC="0")
    return root


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a local AWS."""
    ready = tmp_path_factory.mktemp("aws") / "ready"
    words = [sys.executable, "-m", "reconciler", "sandbox", "--ready-file", str(ready)]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.DEVNULL) as process:
        try:
            end = time.monotonic() + 30
            while not ready.exists():
                assert time.monotonic() < end, "the local AWS does not start"
                assert process.poll() is None, "the local AWS has ended"
                time.sleep(0.05)
            yield ready.read_text().strip()
        finally:
            process.terminate()


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """A stack for this test alone."""
    return request.node.originalname.removeprefix("test_").replace("_", "-")[:60]
