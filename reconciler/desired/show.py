"""Problems for people and for programs.  Called by `cli`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from reconciler.model.place import Place, Problem

WIDEST = 160
"""Of a longer line only the surroundings of the place are shown."""


def render(problems: Sequence[Problem], *, carets: bool, read: Callable[[str], str]) -> str:
    """One line a problem; with `carets`, the line of the source below it and a mark under the place.

    `read` gives a file's text by its name; where it cannot (OSError, ValueError, KeyError), no line is shown.
    """

    @cache
    def lines(file: str) -> list[str]:
        try:
            return read(file).removeprefix("\ufeff").splitlines()
        except (OSError, ValueError, KeyError):
            return []

    def told(problem: Problem) -> str:
        excerpt = _excerpt(problem.place, lines(problem.place.file)) if carets and problem.place.line else ""
        return f"{problem}{excerpt}"

    return "\n".join(map(told, problems))


def _excerpt(place: Place, lines: Sequence[str]) -> str:
    if place.line > len(lines):
        return ""
    start = max(0, place.column - 1 - WIDEST // 2)
    line = lines[place.line - 1][start : start + WIDEST]
    shown = "".join(letter if letter == "\t" or letter.isprintable() else "\ufffd" for letter in line)
    before = "".join("\t" if letter == "\t" else " " for letter in line[: place.column - 1 - start])
    return f"\n    {shown}\n    {before}^"


def problems_as_data(problems: Sequence[Problem]) -> list[dict[str, Any]]:
    """Problems as JSON can hold them; line and column are 0 where the file as a whole is meant."""
    return [
        {
            "file": problem.place.file,
            "line": problem.place.line,
            "column": problem.place.column,
            "path": problem.path,
            "what": problem.what,
            "hint": problem.hint,
        }
        for problem in problems
    ]
