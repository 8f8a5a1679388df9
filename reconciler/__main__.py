"""`python -m reconciler`, and the command `reconciler`."""

from __future__ import annotations

import os
import sys

from reconciler.signals import INBOX


def main() -> int:
    """The exit status.  A daemon notes signals before anything large is imported."""
    stays = sys.argv[1:2] == ["run"] and not {"--once", "-h", "--help"} & set(sys.argv)
    if stays:
        INBOX.catch()
    from reconciler import log
    from reconciler.cli import main as run

    status = run()
    if stays:  # a thread that waits for AWS must not hold up the end: the daemon has seen to what matters
        log.flush(2.0)
        os._exit(status)
    return status


if __name__ == "__main__":
    sys.exit(main())
