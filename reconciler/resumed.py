"""When people have let addresses go on that the flap breaker had stopped: `resumed.json` in the state directory.

Written by `resume`, read by every pass.  Losing it is harmless, for what it is about is lost with it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from reconciler.errors import ReconcilerError
from reconciler.whole import FOR_ALL, write_whole

NAME: Final = "resumed.json"
VERSION: Final = 1
DAY: Final = 86400.0
"""Seconds that it is kept: whoever has not looked within a day has been told for as long that it differs."""


def read(directory: Path) -> Mapping[str, float]:
    """When each address was, in seconds since the epoch; "" stands for all.  Never an error."""
    try:
        document: Any = json.loads((directory / NAME).read_bytes())
        return {str(address): float(at) for address, at in document["resumed"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}


def add(directory: Path, address: str, now: float) -> None:
    """Let an address go on ("": all of them); ReconcilerError when that cannot be written down."""
    found = {other: at for other, at in read(directory).items() if abs(now - at) < DAY}
    content = json.dumps({"version": VERSION, "resumed": {**found, address: now}}).encode() + b"\n"
    try:
        write_whole(directory / NAME, content, mode=FOR_ALL)  # the daemon is another user than the person
    except OSError as error:
        raise ReconcilerError(
            f"{directory / NAME} cannot be written ({error.strerror}): say it as the user that the service has"
        ) from error
