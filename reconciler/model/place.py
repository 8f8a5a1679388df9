"""Where something stands in a config file, and what is wrong there.  Made by `desired`, shown by `cli`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, order=True, slots=True)
class Place:
    """A position in a config file; line and column count from one, zero means the file as a whole."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


@dataclass(frozen=True, order=True, slots=True)
class Problem:
    """One mistake in a config: where, in which address and path (`site/one.Location.Latitude`), and what to do."""

    place: Place
    path: str
    what: str
    hint: str = ""

    def __str__(self) -> str:
        subject = f"{self.path}: " if self.path else ""
        return f"{self.place}: {subject}{self.what}" + (f" ({self.hint})" if self.hint else "")
