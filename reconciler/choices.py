"""What the command line decides about a run.  Made by `program`, read by `loop`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Choices:
    """What the command line decides about a run.  Times are in seconds."""

    grace: float = 5.0
    allow_empty: bool = False
    allow_shrink: bool = False
    destroy: bool = False
    by: str | None = None
    """Who has agreed to what is deleted, where that was asked."""
    unprotected: bool = False
    """Delete protected things too (`destroy --protected`)."""
