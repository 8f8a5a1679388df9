"""`python -m reconciler`, and the command `reconciler`."""

from __future__ import annotations

import gc
import os
import sys
from contextlib import suppress

from reconciler.signals import INBOX

COLLECTED_AFTER = 20_000, 20, 20
"""New objects after which Python looks for circles among them, and how often before it looks among older ones."""


def main() -> int:
    """The exit status.  A daemon notes signals before anything large is imported."""
    stays = sys.argv[1:2] == ["run"] and not {"--once", "-h", "--help"} & set(sys.argv)
    if stays:
        INBOX.catch()
    gc.disable()
    # where rich is installed structlog imports it, a sixth of a process's start, and we have no use for it
    sys.modules.setdefault("rich", None)  # type: ignore[arg-type]
    from reconciler import log
    from reconciler.cli import main as run

    gc.freeze()  # what was imported stays, and is not to be looked through again and again
    gc.set_threshold(*COLLECTED_AFTER)
    gc.enable()
    status = run()
    # a thread that waits for AWS must not hold up the end: what matters has been seen to
    if stays or _all_hang():
        log.flush(2.0)
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):  # nobody reads it any more
                stream.flush()
        os._exit(status)
    return status


def _all_hang() -> bool:
    """Whether nothing is under way but reads of a region that was given up."""
    from reconciler.aws.patience import left_behind  # not before: what asks nothing of AWS needs neither
    from reconciler.workers import busy

    return 0 < busy() == left_behind()


if __name__ == "__main__":
    sys.exit(main())
