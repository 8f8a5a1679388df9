"""Problems as they are found, and the words they are told in.  Used by every module of this package."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Collection, Iterable
from typing import Any

from reconciler.model.place import Place, Problem

SUGGESTIONS = 200
"""After so many "did you mean" the search for more would cost more than it helps."""
MOST_AT_ONE_PLACE = 5
"""One line under a `for` may be wrong in each of its repeats; more than so many say nothing new."""
BLANKS = re.compile(r"[ \t\r\n]+")


def place(mark: Any) -> Place:
    """Where a mark of the YAML parser points, counted from one; a Place stays as it is."""
    return mark if isinstance(mark, Place) else Place(mark.name, mark.line + 1, mark.column + 1)


def spell(path: Iterable[str | int]) -> str:
    """A path as people read it: `site/one.Location.Latitude`, `instance/worker.SecurityGroupIds[0]`."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")


def short(text: str, limit: int = 60) -> str:
    """A text of the config as a message shows it: on one line, and not too much of it."""
    line = BLANKS.sub(" ", text[: 4 * limit])
    return line if len(line) <= limit else line[: limit - 1] + "…"


def visible(text: str) -> str:
    """A text that does nothing to a terminal: what cannot be printed is spelt out."""
    if text.isprintable():
        return text
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text
    )


def named(noun: str) -> str:
    """A noun with its article: a site, an instance."""
    return f"{'an' if noun[:1] in 'aeiou' else 'a'} {noun}"


class Findings:
    """Collects problems; one place is told one thing once, however often `for` repeats it.

    `told` counts what was reported, repetitions included, and what is wrong because of it: whoever sees it unchanged
    knows that all was well.
    """

    def __init__(self) -> None:
        self._problems: dict[tuple[Place, str, str], Problem] = {}
        self._at: Counter[Place] = Counter()
        self._paths: set[str] = set()
        self._suggestions = 0
        self.told = 0

    def add(self, mark: Any, path: Iterable[str | int], what: str, hint: str = "") -> None:
        """Report `what` at a mark (or Place), for the value at `path`."""
        self._add(Problem(place(mark), visible(spell(path)), visible(what), visible(hint)))

    def extend(self, problems: Iterable[Problem]) -> None:
        """Take over problems that are made already."""
        for problem in problems:
            self._add(problem)

    def _add(self, problem: Problem) -> None:
        self.told += 1
        self._paths.add(problem.path)
        known = (problem.place, problem.what, problem.hint)
        if known in self._problems:
            return
        if problem.place.line:
            self._at[problem.place] += 1
            if self._at[problem.place] > MOST_AT_ONE_PLACE:
                return
        self._problems[known] = problem

    def about(self, path: Iterable[str | int]) -> bool:
        """Whether something is reported already of what is at a path, or within it."""
        whole = visible(spell(path))
        return any(path == whole or path.startswith((f"{whole}.", f"{whole}[")) for path in self._paths)

    def closest(self, word: str, words: Collection[str]) -> str | None:
        """The one of `words` that was probably meant."""
        self._suggestions += 1
        if self._suggestions > SUGGESTIONS:
            return None
        lower = {other.lower(): other for other in words}
        return lower.get(word.lower()) or next(iter(difflib.get_close_matches(word, words, 1, 0.6)), None)

    def near(self, word: str, words: Collection[str]) -> str:
        """`did you mean …?` for the closest of `words`; the choice itself where it is short; else nothing."""
        if found := self.closest(word, words):
            return f"did you mean {found}?"
        return self.choice(words)

    def choice(self, words: Collection[str]) -> str:
        """All of `words`, where they are few."""
        few = 0 < len(words) <= 12 and self._suggestions <= SUGGESTIONS
        return f"one of: {', '.join(sorted(words))}" if few else ""

    @property
    def problems(self) -> tuple[Problem, ...]:
        """All of them, sorted; what is left out at a place is counted behind the others there."""
        found = sorted(self._problems.values())
        last = {problem.place: problem.path for problem in found}
        rest = [
            Problem(where, last[where], f"… and {count - MOST_AT_ONE_PLACE} more problems here")
            for where, count in self._at.items()
            if count > MOST_AT_ONE_PLACE
        ]
        return tuple(sorted((*found, *rest)))
