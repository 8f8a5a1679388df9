"""The daemon's contract with systemd and nothing else: what the units rely on, without AWS.  Runs inside the lab.

Of a config it understands whether it is YAML at all (`[` at the end of a line is not closed), the account and the
stack.  The tests of the units run on it and on the real program alike.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import re
import signal
import socket
import sys
import time
from pathlib import Path

OURS = "123456789012"


class Parser(argparse.ArgumentParser):
    def error(self, message: str) -> None:  # type: ignore[override]
        print(message, file=sys.stderr)
        sys.exit(64)


def tell(*fields: str) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as to_systemd:
        to_systemd.sendto("\n".join(fields).encode(), os.environ["NOTIFY_SOCKET"].replace("@", "\0", 1))


def config(path: Path) -> str | int:
    """The name of the stack, or the exit status."""
    try:
        text = "".join(file.read_text() for file in sorted(path.glob("*.yaml")))
    except OSError:
        return 78
    stack = re.search(r"^stack: (\S+)$", text, re.MULTILINE)
    if not stack or re.search(r"\[$", text, re.MULTILINE):
        return 78
    return stack[1] if f'account: "{OURS}"' in text and credentials() else 77


def credentials() -> bool:
    """Whether there are any: in the environment, or in the file that it names."""
    file = os.environ.get("AWS_SHARED_CREDENTIALS_FILE")
    return "AWS_ACCESS_KEY_ID" in os.environ or bool(file and "aws_access_key_id" in Path(file).read_text())


def run(path: Path) -> int:
    """The daemon."""
    reload, stop = False, False

    def on_signal(number: int, _: object) -> None:
        nonlocal reload, stop
        reload, stop = reload or number == signal.SIGHUP, stop or number == signal.SIGTERM

    for number in (signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, on_signal)
    stack = config(path)
    if isinstance(stack, int):
        return stack
    lock = (Path(os.environ["STATE_DIRECTORY"]) / stack).open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return 75
    tell("READY=1", f"STATUS={stack}: ready ✓")
    while not stop:
        if reload:
            reload = False
            tell("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")
            refused = isinstance(config(path), int)
            tell(
                "READY=1",
                f"STATUS={stack}: {'config refused, the last good one stays' if refused else 'reloaded'}",
            )
        tell("WATCHDOG=1")
        time.sleep(0.1)
    tell("STOPPING=1")
    return 0


def main() -> int:
    parser = Parser()
    parser.add_argument("verb", choices=["run", "check"])
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--once", action="store_true")
    parser.add_argument("--detailed-exitcode", action="store_true")
    parser.add_argument("--lock-wait")
    options = parser.parse_args()
    if options.verb == "run" and not options.once:
        return run(options.config)
    found = config(options.config)
    if isinstance(found, int):
        return 0 if found == 77 and options.verb == "check" else found
    if options.once:
        made = Path(os.environ["STATE_DIRECTORY"]) / f"{found}.made"
        if not made.exists():
            made.touch()
            return 2
    return 0


sys.exit(main())
