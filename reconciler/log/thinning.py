"""Which lines that repeat are written: the 1st, 2nd, 4th, 8th … of each condition.  Pure; used by `log.handlers`.

Every line that is offered is either shown or counted in exactly one roll-up.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

from reconciler.events import FIELDS, FLEETING

SILENCE: Final = 3600.0
"""Seconds after which a condition that has said nothing is forgotten: its next line is news again."""
ROLL_UP: Final = 600.0
"""Seconds from the first line left out to the roll-up that counts it: no condition costs more than a line in these."""
CONDITIONS: Final = 1000
"""How many are remembered; beyond them the one that has been silent longest is forgotten."""

_IDENTIFY: Final = ("string", "list", "boolean")
"""Numbers change while the condition stays the same."""


def condition(event: str, fields: Mapping[str, object]) -> bytes:
    """What two lines have in common that say the same: the event and all fields but those that differ each time."""
    same = {
        name: value
        for name, value in fields.items()
        if name not in FLEETING and (name not in FIELDS or FIELDS[name].type in _IDENTIFY)
    }
    return blake2b(repr((event, sorted(same.items()))).encode("utf-8", "replace"), digest_size=16).digest()


@dataclass(slots=True)
class _Seen:
    times: int
    last: float


class Thinner:
    """What was said how often.  Times are seconds of one clock that does not jump; any thread may ask.

    The lock is reentrant, for a handler of a signal may log while the thread that it interrupts does.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._seen: OrderedDict[bytes, _Seen] = OrderedDict()
        self._left_out: dict[str, tuple[float, int]] = {}

    def offer(self, event: str, same: bytes, now: float) -> int:
        """The how-manieth line of the condition `same` this is; 0 when it is to be left out."""
        with self._lock:
            seen = self._seen.pop(same, None)
            times = seen.times + 1 if seen is not None and now - seen.last < SILENCE else 1
            self._seen[same] = _Seen(times, now)  # at the end: the latest
            if len(self._seen) > CONDITIONS:
                self._seen.popitem(last=False)
            if times & (times - 1) == 0:
                return times
            since, count = self._left_out.get(event, (now, 0))
            self._left_out[event] = since, count + 1
            return 0

    def roll_up(self, now: float, *, everything: bool = False) -> dict[str, int]:
        """How many lines were left out, by event; each is told once, when it is due or when `everything` is asked."""
        with self._lock:
            due = {
                event: count
                for event, (since, count) in self._left_out.items()
                if everything or now - since >= ROLL_UP
            }
            for event in due:
                del self._left_out[event]
            return due

    def forget(self) -> None:
        """Everything is news again; what was left out is still told."""
        with self._lock:
            self._seen.clear()
