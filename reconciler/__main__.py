"""`python -m reconciler`, and the command `reconciler`."""

from __future__ import annotations

import gc
import os
import sys
from contextlib import suppress

from reconciler import heap
from reconciler.signals import INBOX


def main() -> int:
    """The exit status.  A daemon notes signals before anything large is imported."""
    stays = sys.argv[1:2] == ["run"] and not {"--once", "-h", "--help"} & set(sys.argv)
    glances = sys.argv[1:2] in (["plan"], ["drift"])
    if stays:
        INBOX.catch()
    heap.one_for_all_threads()
    gc.disable()
    # where rich is installed structlog imports it, a sixth of a process's start, and we have no use for it
    sys.modules.setdefault("rich", None)  # type: ignore[arg-type]
    from reconciler import log
    from reconciler.cli import main as run

    if not glances:  # it keeps all that it makes, and ends before a search for circles would find any
        heap.imported()
    status = run()
    # neither a thread that waits for AWS nor the taking apart of what the end frees at once may hold it up: what
    # matters has been seen to
    if stays or glances or _all_hang():
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
