"""As much of mtail's language as monitoring/mtail uses, carried out line by line.  Used by the tests of that program.

Regular expressions are RE2's there and Python's here, which agree on what the program says.  From mtail's language
reference (google.github.io/mtail/Language): patterns nest, the groups of an outer one are known inside of it.
"""

from __future__ import annotations

import calendar
import re
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

Values = dict[tuple[str, ...], float]

_DECLARED = re.compile(r"(?:counter|gauge) (\w+) by ([\w, ]+)")
_BLOCK = re.compile(r"(?:\$(?P<of>\w+) =~ )?/(?P<pattern>.*)/ \{")
_ASSIGNED = re.compile(r"(?P<name>\w+)(?P<keys>(?:\[[^\]]+\])+)(?:(?P<sign> \+?= )(?P<value>.+)|\+\+)")
_TIMED = re.compile(r'strptime\(\$(\w+), "2006-01-02T15:04:05"\)')


@dataclass
class Block:
    """What is done where a pattern is found in the line, or in a group; `otherwise` where it is not."""

    pattern: re.Pattern[str]
    of: str | None
    inside: list[Block | str] = field(default_factory=list)
    otherwise: list[Block | str] = field(default_factory=list)


class Program:
    """A program: its metrics, with the names of their labels, and its blocks."""

    def __init__(self, text: str) -> None:
        self.labels: dict[str, list[str]] = {}
        self.blocks: list[Block | str] = []
        lists = [self.blocks]
        for line in filter(None, (line.strip() for line in text.splitlines())):
            if line.startswith("#"):
                continue
            if found := _DECLARED.fullmatch(line):
                self.labels[found[1]] = found[2].split(", ")
            elif found := _BLOCK.fullmatch(line):
                block = Block(re.compile(found["pattern"]), found["of"])
                lists[-1].append(block)
                lists.append(block.inside)
            elif line == "} else {":
                lists.pop()
                last = lists[-1][-1]
                assert isinstance(last, Block)
                lists.append(last.otherwise)
            elif line == "}":
                lists.pop()
            else:
                assert _ASSIGNED.fullmatch(line) or _TIMED.fullmatch(line), line
                lists[-1].append(line)
        assert lists == [self.blocks], "as many } as {"

    @property
    def patterns(self) -> list[str]:
        """All regular expressions of the program."""
        found, left = [], list(self.blocks)
        while left:
            block = left.pop()
            if isinstance(block, Block):
                found.append(block.pattern.pattern)
                left += [*block.inside, *block.otherwise]
        return found

    def run(self, lines: Iterable[str]) -> dict[str, Values]:
        """What each metric is after these lines."""
        values: dict[str, Values] = {name: defaultdict(float) for name in self.labels}
        for line in lines:
            self._do(self.blocks, line, {}, values)
        return {name: dict(found) for name, found in values.items()}

    def _do(
        self, blocks: list[Block | str], line: str, groups: dict[str, str], values: dict[str, Values]
    ) -> None:
        for block in blocks:
            if isinstance(block, str):
                self._assign(block, groups, values)
            elif found := block.pattern.search(groups[block.of] if block.of else line):
                self._do(block.inside, line, groups | found.groupdict(), values)
            else:
                self._do(block.otherwise, line, groups, values)

    def _assign(self, statement: str, groups: dict[str, str], values: dict[str, Values]) -> None:
        def of(text: str) -> str:
            return groups[text[1:]] if text.startswith("$") else text.strip('"')

        if found := _TIMED.fullmatch(statement):
            groups["timestamp()"] = str(calendar.timegm(time.strptime(groups[found[1]], "%Y-%m-%dT%H:%M:%S")))
            return
        found = _ASSIGNED.fullmatch(statement)
        assert found is not None
        keys = tuple(of(key) for key in re.findall(r"\[([^\]]+)\]", found["keys"]))
        assert len(keys) == len(self.labels[found["name"]])
        given = found["value"]
        value = 1.0 if given is None else float(groups[given] if given in groups else of(given))
        if found["sign"] == " = ":
            values[found["name"]][keys] = value
        else:
            values[found["name"]][keys] += value
