"""Exit statuses: those of sysexits.h where it has one, terraform's 2 for changes.  Used by `cli` and `verbs`."""

from __future__ import annotations

from typing import Final

OK: Final = 0
"""Settled, or done."""
FAILED: Final = 1
"""Something failed; a retry may help."""
CHANGES: Final = 2
"""Changes are pending or were made; only with --detailed-exitcode, and of `drift`."""
GUARDED: Final = 3
"""A guard stopped it; nothing was done."""
USAGE: Final = 64
LATER: Final = 75
"""Still under way, or the stack is held by another process."""
NOT_ALLOWED: Final = 77
"""The wrong account, or not allowed: never restarted by systemd."""
BAD_CONFIG: Final = 78
"""Never restarted by systemd."""
