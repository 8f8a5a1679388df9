"""`python -m reconciler`, and the command `reconciler`."""

from __future__ import annotations

import sys

from reconciler.signals import INBOX


def main() -> int:
    """The exit status.  A daemon notes signals before anything large is imported."""
    if sys.argv[1:2] == ["run"] and "--once" not in sys.argv:
        INBOX.catch()
    from reconciler.cli import main as run

    return run()


if __name__ == "__main__":
    sys.exit(main())
