"""YAML with places: what `file` takes values out of, so that each mistake is told where it stands."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import yaml  # type: ignore[import-untyped, unused-ignore]

_WORDS = {"": None, "~": None, "null": None, "true": True, "false": False}
_WHOLE, _NUMBER = (
    re.compile(r"[-+]?[0-9]+"),
    re.compile(r"[-+]?([0-9]+\.[0-9]*|\.[0-9]+|[0-9]+)([eE][-+]?[0-9]+)?"),
)


@dataclass(frozen=True, order=True)
class Mistake:
    """What is wrong in a file of faults, where (counted from one), and what to do."""

    line: int
    column: int
    path: str
    what: str
    hint: str = ""


class FaultsFileError(Exception):
    """The rules are refused; `mistakes` are sorted by position."""

    def __init__(self, name: str, mistakes: Collection[Mistake]) -> None:
        self.mistakes = tuple(sorted(mistakes))
        super().__init__("\n".join(_line(name, mistake) for mistake in self.mistakes))


def _line(name: str, mistake: Mistake) -> str:
    hint = f" ({mistake.hint})" if mistake.hint else ""
    path = f"{mistake.path}: " if mistake.path else ""
    return f"{name}:{mistake.line}:{mistake.column}: {path}{mistake.what}{hint}"


class Reader:
    """Takes values of the wanted sorts out of nodes; what is wrong is noted, and the value is None then."""

    def __init__(self) -> None:
        self.mistakes: list[Mistake] = []

    def compose(self, text: str) -> Any:
        """The root node of a text; None when it holds nothing, or no YAML."""
        try:
            return yaml.compose(text, Loader=yaml.CSafeLoader)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
            self.mistakes.append(Mistake(line, column, "", f"this is not YAML: {error.problem}"))
        except yaml.YAMLError as error:
            self.mistakes.append(Mistake(1, 1, "", f"this is not YAML: {error}"))
        return None

    def wrong(self, node: Any, path: str, what: str, hint: str = "") -> None:
        """Notes a mistake at a node."""
        mark = node.start_mark
        self.mistakes.append(Mistake(mark.line + 1, mark.column + 1, path, what, hint))

    def unknown(self, node: Any, path: str, what: str, word: str, words: Collection[str]) -> None:
        """Notes a word that nobody knows, with the one that was probably meant."""
        lower = {other.lower(): other for other in words}
        close = lower.get(word.lower()) or next(iter(difflib.get_close_matches(word, words, 1, 0.6)), None)
        few = f"one of: {', '.join(sorted(words))}" if len(words) <= 15 else ""
        self.wrong(node, path, what, f"did you mean {close}?" if close else few)

    def entries(self, node: Any, path: str, known: Collection[str] = ()) -> dict[str, tuple[Any, Any]]:
        """Key to (key node, value node) of a mapping; keys other than `known` are mistakes (none: all are good)."""
        if not isinstance(node, yaml.MappingNode):
            self.wrong(node, path, f"expected a mapping, got {shown(node)}")
            return {}
        found: dict[str, tuple[Any, Any]] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self.wrong(key, path, "a key must be a text")
            elif key.value in found:
                self.wrong(key, f"{path}.{key.value}".removeprefix("."), "it stands twice")
            elif known and key.value not in known:
                self.unknown(key, path, f"there is no key {key.value}", key.value, known)
            else:
                found[key.value] = (key, value)
        return found

    def items(self, node: Any, path: str) -> list[Any]:
        """The nodes of a list; a single value stands for a list of it."""
        if isinstance(node, yaml.SequenceNode):
            return list(node.value)
        return [node]

    def text(self, node: Any, path: str) -> str | None:
        """A text."""
        value = plain(node)
        if isinstance(value, str):
            return value
        self.wrong(node, path, f"expected a text, got {shown(node)}")
        return None

    def number(
        self, node: Any, path: str, *, least: float = 0.0, most: float | None = None, whole: bool = False
    ) -> float | None:
        """A number within bounds."""
        value = plain(node)
        good = isinstance(value, int if whole else int | float) and not isinstance(value, bool)
        if good and value >= least and (most is None or value <= most):
            return float(value)
        bounds = f"of at least {least:g}" if most is None else f"from {least:g} to {most:g}"
        sort = "whole number" if whole else "number"
        self.wrong(node, path, f"expected a {sort} {bounds}, got {shown(node)}")
        return None


def shown(node: Any) -> str:
    """A node as a message names it."""
    if isinstance(node, yaml.ScalarNode):
        return str(node.value)[:60] or "nothing"
    return "a list" if isinstance(node, yaml.SequenceNode) else "a mapping"


def plain(node: Any) -> Any:
    """The value of a node, with everything in it; what is quoted, or no number or word of JSON, is a text."""
    if isinstance(node, yaml.MappingNode):
        return {str(plain(key)): plain(value) for key, value in node.value}
    if isinstance(node, yaml.SequenceNode):
        return [plain(value) for value in node.value]
    text = str(node.value)
    if node.style:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _WHOLE.fullmatch(text):
        return int(text)
    return float(text) if _NUMBER.fullmatch(text) else text


def mapping(value: Any) -> Mapping[str, Any]:
    """A plain mapping, {} for anything else."""
    return value if isinstance(value, Mapping) else {}
