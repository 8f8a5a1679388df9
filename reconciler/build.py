"""What this program is made of: its version, the libraries that it stands on, the commit where that is known.

Told by `reconciler --version` and by the verb `doctor`.  Nothing is run to find it out.
"""

from __future__ import annotations

import importlib.metadata
import json
import platform
from contextlib import suppress

from reconciler import __version__

LIBRARIES = ("boto3", "botocore", "apscheduler", "structlog", "jmespath", "pyyaml")
"""Of those that are needed at run time, the ones whose versions matter to a report of a fault: all of them."""


def libraries() -> dict[str, str | None]:
    """The versions of the libraries as they are installed; None for what is missing."""
    found: dict[str, str | None] = {}
    for name in LIBRARIES:
        found[name] = None
        with suppress(importlib.metadata.PackageNotFoundError):
            found[name] = importlib.metadata.version(name)
    return found


def commit(direct_url: str | None) -> str:
    """The commit that an installer has noted when it installed from a repository, "" otherwise.

    In: the text of `direct_url.json` (https://packaging.python.org/en/latest/specifications/direct-url/).  Of a
    checkout nothing is said: what runs there may differ from any commit.
    """
    with suppress(ValueError, AttributeError):
        return str(json.loads(direct_url or "{}").get("vcs_info", {}).get("commit_id", ""))
    return ""


def told() -> str:
    """The answer to --version; its first line is the name and the version and nothing else."""
    versions = [f"{name} {version or 'missing'}" for name, version in libraries().items()]
    lines = [f"reconciler {__version__}", f"python {platform.python_version()}, {', '.join(versions)}"]
    with suppress(importlib.metadata.PackageNotFoundError):
        if found := commit(importlib.metadata.distribution("reconciler").read_text("direct_url.json")):
            lines.append(f"commit {found}")
    return "".join(f"{line}\n" for line in lines)
