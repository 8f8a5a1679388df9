"""`python -m reconciler`, and the command `reconciler`."""

from __future__ import annotations

import gc
import os
import sys

from reconciler.signals import INBOX

COLLECTED_AFTER = 20_000, 20, 20
"""New objects after which Python looks for circles among them, and how often before it looks among older ones."""


def main() -> int:
    """The exit status.  A daemon notes signals before anything large is imported."""
    stays = sys.argv[1:2] == ["run"] and not {"--once", "-h", "--help"} & set(sys.argv)
    if stays:
        INBOX.catch()
    gc.disable()
    from reconciler import log
    from reconciler.cli import main as run

    gc.freeze()  # what was imported stays, and is not to be looked through again and again
    gc.set_threshold(*COLLECTED_AFTER)
    gc.enable()
    status = run()
    if stays:  # a thread that waits for AWS must not hold up the end: the daemon has seen to what matters
        log.flush(2.0)
        os._exit(status)
    return status


if __name__ == "__main__":
    sys.exit(main())
