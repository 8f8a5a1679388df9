"""The shipped files as `make install` puts them, in a folder that stands for the root of a host."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from .support import make


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root with everything but the program itself, for a systemd of this day.  To be read only."""
    if shutil.which("make") is None:
        pytest.skip("there is no make here")
    root = tmp_path_factory.mktemp("installed")
    make("install", root, RELOAD_CLASSIC="0")
    return root
