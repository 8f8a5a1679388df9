"""Problems as they are found, and the words they are told in.  Used by every module of this package."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable
from typing import Any

from reconciler.model.place import Place, Problem

SUGGESTIONS = 200
"""After so many "did you mean" the search for more would cost more than it helps."""


def place(mark: Any) -> Place:
    """Where a mark of the YAML parser points, counted from one; a Place stays as it is."""
    return mark if isinstance(mark, Place) else Place(mark.name, mark.line + 1, mark.column + 1)


def spell(path: Iterable[str | int]) -> str:
    """A path as people read it: `site/one.Location.Latitude`, `instance/worker.SecurityGroupIds[0]`."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")


def short(text: str, limit: int = 60) -> str:
    """A text of the config as a message shows it: on one line, and not too much of it."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def named(noun: str) -> str:
    """A noun with its article: a site, an instance."""
    return f"{'an' if noun[:1] in 'aeiou' else 'a'} {noun}"


class Findings:
    """Collects problems; one place is told one thing once, however often `for` repeats it."""

    def __init__(self) -> None:
        self._problems: dict[tuple[Place, str, str], Problem] = {}
        self._suggestions = 0

    def add(self, mark: Any, path: Iterable[str | int], what: str, hint: str = "") -> None:
        """Report `what` at a mark (or Place), for the value at `path`."""
        where = place(mark)
        self._problems.setdefault((where, what, hint), Problem(where, spell(path), what, hint))

    def extend(self, problems: Iterable[Problem]) -> None:
        """Take over problems that are made already."""
        for problem in problems:
            self._problems.setdefault((problem.place, problem.what, problem.hint), problem)

    def near(self, word: str, words: Collection[str]) -> str:
        """`did you mean …?` for the closest of `words`; the choice itself where it is short; else nothing."""
        self._suggestions += 1
        if self._suggestions > SUGGESTIONS:
            return ""
        lower = {other.lower(): other for other in words}
        if found := lower.get(word.lower()) or next(
            iter(difflib.get_close_matches(word, words, 1, 0.6)), None
        ):
            return f"did you mean {found}?"
        return f"one of: {', '.join(sorted(words))}" if 0 < len(words) <= 12 else ""

    @property
    def problems(self) -> tuple[Problem, ...]:
        """All of them, sorted by position."""
        return tuple(sorted(self._problems.values()))
