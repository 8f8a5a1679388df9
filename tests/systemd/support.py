"""What the tests of the installation share: `make` with a root of its own, and where it puts things."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
UNITS = "usr/local/lib/systemd/system"
SERVICES = (
    "reconciler.service",
    "reconciler@.service",
    "reconciler-once@.service",
    "reconciler-failure@.service",
)
DROP_INS = tuple(sorted(path.name for path in (ROOT / "systemd/drop-ins").iterdir()))


def make(
    target: str, destdir: Path, *, here: Path = ROOT, path: Path | None = None, **variables: str
) -> subprocess.CompletedProcess[str]:
    """`make TARGET` into `destdir`, without the virtual environment, which needs a network.

    `here`: the sources; `path`: a folder that comes first in PATH; status and texts are the caller's to look at.
    """
    told = {"DESTDIR": str(destdir), "VENV_INSTALL": "0", **variables}
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))
    }
    if path is not None:
        environment["PATH"] = f"{path}:{environment['PATH']}"
    return subprocess.run(
        ["make", "--no-print-directory", target, *(f"{name}={value}" for name, value in told.items())],
        cwd=here,
        env=environment,
        text=True,
        capture_output=True,
        timeout=60,
    )


def files(root: Path) -> set[str]:
    """Everything below a folder that is no folder, as paths from it."""
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_symlink() or not path.is_dir()}
