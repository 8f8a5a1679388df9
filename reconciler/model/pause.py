"""A pause: a person's word that nothing is to be changed for a while.  Kept by `pauses`, heeded by `loop`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Pause:
    """Of a whole stack, or of one address of it ("" for all).

    `since` and `until` are seconds since the epoch; `until` is None for a pause that only a person ends.
    """

    stack: str
    address: str = ""
    reason: str
    by: str
    since: float
    until: float | None = None
    unreadable: bool = False
    """Whether it stands for a file that cannot be read: nobody can take it back but by mending that."""

    def holds(self, now: float) -> bool:
        """Whether it is still in force."""
        return self.until is None or now < self.until

    @property
    def sentence(self) -> str:
        """Why nothing is done, for people.  The end is not in it, for it is shown beside it."""
        return f"paused by {self.by}: {self.reason}"
