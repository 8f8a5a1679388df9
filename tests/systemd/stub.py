"""What the units rely on and nothing else: a command line, exit statuses, READY, TERM.  Runs inside the lab.

For tests of the units and the installation that need many starts and no AWS; the real program is in test_service.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import socket
import sys
import threading
from pathlib import Path

BAD_CONFIG, CHANGES = 78, 2


def tell(*fields: str) -> None:
    """Tell systemd."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as to_systemd:
        to_systemd.sendto("\n".join(fields).encode(), os.environ["NOTIFY_SOCKET"].replace("@", "\0", 1))


def stack_of(config: Path) -> str:
    """The name of the stack, "" for a config that is not there or not YAML: a `[` that is not closed."""
    text = "".join(file.read_text() for file in sorted(config.glob("*.yaml")))
    found = re.search(r"^stack: (\S+)$", text, re.MULTILINE)
    return found[1] if found and not re.search(r"\[$", text, re.MULTILINE) else ""


def run(stack: str) -> int:
    """The daemon."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    tell("READY=1", f"STATUS={stack}: ready")
    while not stop.wait(1.0):
        tell("WATCHDOG=1")
    return 0


def once(stack: str) -> int:
    """Changes the first time, nothing to do from then on."""
    made = Path(os.environ["STATE_DIRECTORY"]) / f"{stack}.made"
    if made.exists():
        return 0
    made.touch()
    return CHANGES


def main() -> int:
    """The command line of the units; gives the exit status."""
    parser = argparse.ArgumentParser()
    parser.add_argument("verb", choices=["run"])
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--once", action="store_true")
    parser.add_argument("--detailed-exitcode", action="store_true")
    parser.add_argument("--lock-wait")
    options = parser.parse_args()
    stack = stack_of(options.config)
    if not stack:
        return BAD_CONFIG
    return once(stack) if options.once else run(stack)


sys.exit(main())
