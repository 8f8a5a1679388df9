"""As much of LogQL as monitoring/ uses, parsed and carried out over lines in memory.  Used by the tests of Loki.

There is no Loki where the tests run.  What a stage, a range or an operator does is written down here from Grafana's
documentation (grafana.com/docs/loki/latest/query); a query that uses anything else does not parse.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

Labels = frozenset[tuple[str, str]]
Vector = dict[Labels, float]
Row = tuple[float, str]
"""When a line was written, in seconds, and the line."""

_TOKEN = re.compile(
    r"""\s*(?:(?P<text>`[^`]*`|"(?:[^"\\]|\\.)*")|(?P<span>\d+[smhd])|(?P<number>\d+(?:\.\d+)?)|(?P<word>\$?\w+)"""
    r"""|(?P<sign>\|=|\|~|=~|!~|!=|==|>=|<=|[-{}()\[\],|=<>+*/]))"""
)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_COUNTS = ("count_over_time", "absent_over_time")
_RANGES = (*_COUNTS, "sum_over_time", "last_over_time")
_SUMS = ("sum", "min", "max")


class Stage(NamedTuple):
    """One stage: `|=` and `|~` with a text, `json` with labels and paths, `label` with checks, `unwrap`, `format`."""

    sort: str
    what: Any


class Check(NamedTuple):
    """A label held against a value."""

    label: str
    sign: str
    value: str | float


@dataclass(frozen=True)
class Query:
    """A stream selector and its stages."""

    selector: tuple[Check, ...]
    stages: tuple[Stage, ...]

    def stage(self, sort: str) -> list[Any]:
        """What all stages of a sort say."""
        return [stage.what for stage in self.stages if stage.sort == sort]

    def events(self) -> list[str]:
        """The events that the line filters let through, as they name them."""
        text = "".join(what for sort in ("|=", "|~") for what in self.stage(sort))
        found = re.search(r'"event":"(?:([a-z._]+)"|(\w+)\\\.\(([\w|]+)\)"|\(([^)]*)\)")', text)
        if found is None:
            return []
        one, prefix, rest, several = found.groups()
        if prefix:
            return [f"{prefix}.{word}" for word in rest.split("|")]
        return [one] if one else several.replace("\\", "").split("|")

    def made(self) -> dict[str, str]:
        """The labels that come out of a line, by name: the field each is taken from."""
        return {label: field for what in self.stage("json") for label, field in what.items()}

    def run(self, line: str) -> tuple[dict[str, str], float] | None:
        """The labels of a line and what it counts; None for a line that does not get through."""
        labels: dict[str, str] = {}
        value = 1.0
        for sort, what in self.stages:
            match sort:
                case "|=" if what not in line:
                    return None
                case "|~" if not re.search(what, line):
                    return None
                case "json":
                    fields = json.loads(line)
                    labels |= {label: _shown(fields.get(field)) for label, field in what.items()}
                case "label" if not any(_holds(test, labels) for test in what):
                    return None
                case "unwrap":
                    try:
                        value = float(labels.pop(what))
                    except ValueError:
                        labels["__error__"] = "SampleExtractionErr"
        if "__error__" in labels:
            raise ValueError(f"a line that is not a sample gets through: {line}")
        return labels, value


def _shown(value: Any) -> str:
    return "" if value is None else value if isinstance(value, str) else json.dumps(value)


def _holds(test: Check, labels: dict[str, str]) -> bool:
    label, sign, wanted = test
    found = labels.get(label, "")
    if isinstance(wanted, float):
        return {"==": float(found) == wanted, ">": float(found) > wanted, ">=": float(found) >= wanted}[sign]
    matches = re.fullmatch(wanted, found) is not None if sign in ("=~", "!~") else found == wanted
    return matches != sign.startswith("!")


@dataclass(frozen=True)
class Range:
    """A function over the lines of a while: one value for each set of labels, or for each `by`."""

    function: str
    query: Query
    seconds: int
    by: tuple[str, ...] | None

    def value(self, rows: Sequence[Row], at: float) -> Vector:
        groups: dict[Labels, list[float]] = defaultdict(list)
        for when, line in rows:
            if at - self.seconds < when <= at and (got := self.query.run(line)) is not None:
                groups[_kept(got[0].items(), self.by)].append(got[1])
        if self.function == "absent_over_time":
            return {} if groups else {frozenset(): 1.0}
        fold: Callable[[list[float]], float] = {
            "count_over_time": lambda values: float(len(values)),
            "sum_over_time": sum,
            "last_over_time": lambda values: values[-1],
        }[self.function]
        return {labels: fold(values) for labels, values in groups.items()}


@dataclass(frozen=True)
class Sum:
    """Series put together by some of their labels."""

    function: str
    by: tuple[str, ...]
    inner: Any

    def value(self, rows: Sequence[Row], at: float) -> Vector:
        groups: dict[Labels, list[float]] = defaultdict(list)
        for labels, value in self.inner.value(rows, at).items():
            groups[_kept(labels, self.by)].append(value)
        fold = {"sum": sum, "min": min, "max": max}[self.function]
        return {labels: fold(values) for labels, values in groups.items()}


@dataclass(frozen=True)
class Number:
    """A number."""

    number: float

    def value(self, rows: Sequence[Row], at: float) -> float:
        return self.number


@dataclass(frozen=True)
class Both:
    """Two sides and what is between them; series meet where their labels are equal."""

    sign: str
    left: Any
    right: Any

    def value(self, rows: Sequence[Row], at: float) -> Any:
        left, right = self.left.value(rows, at), self.right.value(rows, at)
        match self.sign:
            case "and":
                return {key: value for key, value in left.items() if key in right}
            case "unless":
                return {key: value for key, value in left.items() if key not in right}
            case "or":
                return right | left
        if isinstance(left, float):
            pairs = {key: (left, value) for key, value in right.items()}
        elif isinstance(right, float):
            pairs = {key: (value, right) for key, value in left.items()}
        else:
            pairs = {key: (value, right[key]) for key, value in left.items() if key in right}
        match self.sign:
            case ">":
                return {key: a for key, (a, b) in pairs.items() if a > b}
            case ">=":
                return {key: a for key, (a, b) in pairs.items() if a >= b}
            case "*":
                return {key: a * b for key, (a, b) in pairs.items()}
            case _:  # by zero it is NaN, which is greater than nothing
                return {key: a / b for key, (a, b) in pairs.items() if b}


def _kept(labels: Any, by: tuple[str, ...] | None) -> Labels:
    return frozenset((label, value) for label, value in labels if value and (by is None or label in by))


def ranges(node: Any) -> Iterator[tuple[Range, tuple[str, ...] | None]]:
    """The ranges of an expression, each with the labels that are left of it in the end."""
    match node:
        case Range():
            yield node, node.by
        case Sum():
            yield from ((found, node.by) for found, _ in ranges(node.inner))
        case Both():
            yield from ranges(node.left)
            yield from ranges(node.right)


# ------------------------------------------------------------------------------------------------------------ parsing


def expression(text: str) -> Any:
    """A query for numbers; ValueError for what this does not know."""
    parser = _Parser(text)
    found = parser.either()
    parser.end()
    return found


def query(text: str) -> Query:
    """A query for lines."""
    parser = _Parser(text)
    found = parser.lines()
    parser.end()
    return found


class _Parser:
    def __init__(self, text: str) -> None:
        self.tokens: list[tuple[str, str]] = []
        at = 0
        text = text.rstrip()
        while at < len(text):
            found = _TOKEN.match(text, at)
            if found is None:
                raise ValueError(f"not understood: {text[at : at + 30]!r}")
            self.tokens.append((str(found.lastgroup), found[0].strip()))
            at = found.end()
        self.at = 0

    @property
    def next(self) -> str:
        return self.tokens[self.at][1] if self.at < len(self.tokens) else ""

    def take(self, *wanted: str, sort: str = "") -> str:
        kind, text = self.tokens[self.at] if self.at < len(self.tokens) else ("", "the end")
        if (wanted and text not in wanted) or (sort and kind != sort):
            raise ValueError(f"{text} where {wanted or sort} should be")
        self.at += 1
        return text

    def text(self) -> str:
        found = self.take(sort="text")
        return found[1:-1] if found[0] == "`" else str(json.loads(found))

    def end(self) -> None:
        if self.next:
            raise ValueError(f"{self.next} where the end should be")

    def chain(self, inner: Callable[[], Any], *signs: str) -> Any:
        found = inner()
        while self.next in signs:
            found = Both(self.take(), found, inner())
        return found

    def either(self) -> Any:
        return self.chain(self.both, "or")

    def both(self) -> Any:
        return self.chain(self.compared, "and", "unless")

    def compared(self) -> Any:
        return self.chain(self.product, ">", ">=")

    def product(self) -> Any:
        return self.chain(self.one, "*", "/")

    def one(self) -> Any:
        if self.next == "(":
            self.take()
            found = self.either()
            self.take(")")
            return found
        if self.tokens[self.at][0] == "number":
            return Number(float(self.take()))
        function = self.take(*_RANGES, *_SUMS)
        by = self.by()
        self.take("(")
        if function in _SUMS:
            inner = self.either()
            self.take(")")
            return Sum(function, by or (), inner)
        lines = self.lines()
        self.take("[")
        span = self.take() if self.next.startswith("$") else self.take(sort="span")
        self.take("]")
        self.take(")")
        if (function in _COUNTS) == bool(lines.stage("unwrap")):
            raise ValueError(f"{function} and unwrap do not go together, or miss each other")
        seconds = 60 if span.startswith("$") else int(span[:-1]) * _SECONDS[span[-1]]
        after = self.by()
        if after and function == "sum_over_time":
            raise ValueError("sum_over_time knows no grouping")
        return Range(function, lines, seconds, after)

    def by(self) -> tuple[str, ...] | None:
        if self.next != "by":
            return None
        self.take()
        self.take("(")
        found = [self.take(sort="word")]
        while self.next == ",":
            self.take()
            found.append(self.take(sort="word"))
        self.take(")")
        return tuple(found)

    def lines(self) -> Query:
        self.take("{")
        selector = [self.test()]
        while self.next == ",":
            self.take()
            selector.append(self.test())
        self.take("}")
        stages: list[Stage] = []
        while self.next in ("|", "|=", "|~"):
            sign = self.take()
            stages.append(Stage(sign, self.text()) if sign != "|" else self.stage())
        return Query(tuple(selector), tuple(stages))

    def stage(self) -> Stage:
        match self.next:
            case "json":
                self.take()
                named = [self.test()]
                while self.next == ",":
                    self.take()
                    named.append(self.test())
                return Stage("json", {label: value for label, _, value in named})
            case "unwrap":
                self.take()
                return Stage("unwrap", self.take(sort="word"))
            case "line_format":
                self.take()
                return Stage("format", self.text())
        tests = [self.test()]
        while self.next == "or":
            self.take()
            tests.append(self.test())
        return Stage("label", tuple(tests))

    def test(self) -> Check:
        label = self.take(sort="word")
        sign = self.take("=", "!=", "=~", "!~", "==", ">", ">=")
        if self.tokens[self.at][0] == "number":
            return Check(label, sign, float(self.take()))
        return Check(label, sign, self.text())
