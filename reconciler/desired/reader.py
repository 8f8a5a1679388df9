"""Takes values of a wanted sort out of nodes, and reports those of another.  Used by `header` and `resource`.

Each method gives the value, or None (or nothing) when there is none; the problem is then reported already.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.desired.findings import Findings, short
from reconciler.desired.references import Filled, FillError, Names, Piece, fill
from reconciler.desired.scalars import core
from reconciler.desired.source import Entries, Entry, Items, Node, Scalar
from reconciler.model.address import NAME

Path = tuple[str | int, ...]

ACCOUNT = re.compile(r"[0-9]{12}")
DURATION = re.compile(r"([0-9]{1,9})(s|m|h|d)?")
SECONDS = {None: 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
NAME_RULE = "small letters, digits, dots, dashes and underscores, at most 100, a letter or digit first"
LONGEST_TAG_KEY, LONGEST_TAG_VALUE = 128, 256
RESERVED_TAGS = ("aws:", "reconciler:")


def shown(node: Node) -> str:
    """A node as a message names it: its text, or what it is."""
    match node:
        case Scalar(value=None):
            return "nothing"
        case Scalar(text=text):
            return short(text)
        case Items():
            return "a list"
        case _:
            return "a mapping"


class Reader:
    """Reads nodes under one set of names; `path` always says which value it is, for the message."""

    def __init__(self, findings: Findings, names: Names) -> None:
        self.findings, self.names = findings, names

    def wrong(self, node: Node, path: Path, wanted: str, hint: str = "") -> None:
        """Report that a node is not what is wanted."""
        self.findings.add(node.mark, path, f"expected {wanted}, got {shown(node)}", hint)

    def pieces(self, node: Scalar, path: Path) -> tuple[Piece, ...] | None:
        """The text of a node, filled in; None when that fails, or when it is no text."""
        try:
            return fill(str(node.value), self.names, self.findings.near)
        except FillError as error:
            if error.what:
                self.findings.add(node.mark, path, error.what, error.hint)
            return None

    def plain(self, node: Node, path: Path, wanted: str) -> Scalar | None:
        """A single value with variables and repeats filled in; references are refused here."""
        if not isinstance(node, Scalar):
            self.wrong(node, path, wanted)
            return None
        if not isinstance(node.value, str) or "${" not in node.value:
            return node
        pieces = self.pieces(node, path)
        if pieces is None:
            return None
        match pieces:
            case (Filled(text=text, value=value),):
                return Scalar(node.mark, text, value, filled=True)
            case (str(text),):
                return Scalar(node.mark, text, text)
        self.findings.add(
            node.mark, path, "cannot hold a reference", "only ${var.x} and ${each.x} are known here"
        )
        return None

    def text(self, node: Node, path: Path, wanted: str = "a string") -> str | None:
        """A string.  What came from a variable or a `for` is one, whatever it looks like."""
        found = self.plain(node, path, wanted)
        if found is None:
            return None
        if isinstance(found.value, str) or found.filled:
            return found.text if found.filled else str(found.value)
        self.wrong(found, path, wanted, "quote it" if found.text else "")
        return None

    def name(self, node: Node, path: Path) -> str | None:
        """A string that is a name."""
        found = self.text(node, path, "a name")
        if found is not None and not NAME.fullmatch(found):
            self.findings.add(node.mark, path, f"{short(found)!r} is not a name", NAME_RULE)
            return None
        return found

    def choice(self, node: Node, path: Path, choices: tuple[str, ...]) -> str | None:
        """One of a few words."""
        found = self.text(node, path, " or ".join(choices))
        if found is not None and found not in choices:
            self.findings.add(
                node.mark, path, f"{short(found)!r} is not allowed", self.findings.near(found, choices)
            )
            return None
        return found

    def account(self, node: Node, path: Path) -> str | None:
        """The id of an AWS account: a string of 12 digits, since a number would lose its leading zeros."""
        found = self.text(node, path, "an account id: a string of 12 digits")
        if found is not None and not ACCOUNT.fullmatch(found):
            self.findings.add(
                node.mark, path, f"{short(found)!r} is not an account id", "12 digits, in quotes"
            )
            return None
        return found

    def region(self, node: Node, path: Path, regions: frozenset[str]) -> str | None:
        """The name of a region that exists."""
        found = self.text(node, path, "a region")
        if found is not None and found not in regions:
            what = f"no region is called {short(found)!r}"
            self.findings.add(node.mark, path, what, self.findings.near(found, regions))
            return None
        return found

    def flag(self, node: Node, path: Path) -> bool | None:
        """true or false."""
        found = self.plain(node, path, "true or false")
        if found is None or isinstance(found.value, bool):
            return None if found is None else bool(found.value)
        if found.filled and found.text in {"true", "false"}:
            return found.text == "true"
        self.wrong(found, path, "true or false")
        return None

    def number(
        self, node: Node, path: Path, most: float | None = None, whole: bool = True
    ) -> int | float | None:
        """A number from 0 to `most`."""
        wanted = ("a whole number" if whole else "a number") + (
            f" from 0 to {most}" if most else ", 0 or more"
        )
        found = self.plain(node, path, wanted)
        if found is None:
            return None
        value = core(found.text) if found.filled else found.value
        most = float("inf") if most is None else most
        if (
            isinstance(value, int | float)
            and type(value) in ((int,) if whole else (int, float))
            and 0 <= value <= most
        ):
            return value
        self.wrong(found, path, wanted)
        return None

    def seconds(self, node: Node, path: Path) -> float | None:
        """A duration: `30s`, `5m`, `1h`, or a number of seconds."""
        wanted = "a duration such as 30s, 5m or 1h"
        found = self.plain(node, path, wanted)
        if found is None:
            return None
        parsed = DURATION.fullmatch(found.text)
        if parsed is None or not int(parsed[1]):
            self.wrong(found, path, wanted)
            return None
        return float(int(parsed[1]) * SECONDS[parsed[2]])

    def entries(self, node: Node, path: Path, empty: bool = False) -> Mapping[str, Entry]:
        """A mapping's entries; with `empty`, nothing at all is an empty mapping."""
        if isinstance(node, Entries):
            return node.entries
        if not (empty and isinstance(node, Scalar) and node.value is None):
            self.wrong(node, path, "a mapping")
        return {}

    def items(self, node: Node, path: Path, single: bool = False) -> Iterator[tuple[Path, Node]]:
        """A list's items with their paths; with `single`, one value stands for a list of it."""
        if isinstance(node, Items):
            for index, item in enumerate(node.items):
                yield (*path, index), item
        elif single and isinstance(node, Scalar) and node.value is not None:
            yield path, node
        else:
            self.wrong(node, path, "a list")

    def known(self, entries: Mapping[str, Entry], path: Path, keys: tuple[str, ...]) -> Mapping[str, Entry]:
        """The entries whose keys are known; the others are reported."""
        for key, entry in entries.items():
            if key not in keys:
                hint = self.findings.near(key, keys)
                self.findings.add(entry.key.mark, (*path, key), "there is no such key", hint)
        return {key: entry for key, entry in entries.items() if key in keys}

    def tags(self, entries: Mapping[str, Entry], path: Path, removable: bool) -> dict[str, str | None]:
        """Tags by key; with `removable`, nothing at all (None) removes one."""
        found: dict[str, str | None] = {}
        for written, entry in entries.items():
            at = (*path, written)
            key = self.text(entry.key, at)
            if key is None:
                continue
            if key.lower().startswith(RESERVED_TAGS):
                self.findings.add(
                    entry.key.mark, at, "this tag key is reserved", "aws: and reconciler: are not yours"
                )
            elif not 1 <= len(key) <= LONGEST_TAG_KEY:
                what = f"a tag key has 1 to {LONGEST_TAG_KEY} characters, this has {len(key)}"
                self.findings.add(entry.key.mark, at, what)
            elif removable and isinstance(entry.node, Scalar) and entry.node.value is None:
                found[key] = None
            elif (value := self.text(entry.node, at)) is not None:
                if len(value) > LONGEST_TAG_VALUE:
                    what = f"a tag value has at most {LONGEST_TAG_VALUE} characters, this has {len(value)}"
                    self.findings.add(entry.node.mark, at, what)
                found[key] = value
        return found

    def as_given(self, node: Node, path: Path, keys: tuple[str, ...]) -> dict[str, Any]:
        """A mapping of strings whose keys are known."""
        entries = self.known(self.entries(node, path), path, keys)
        values = {key: self.text(entry.node, (*path, key)) for key, entry in entries.items()}
        return {key: value for key, value in values.items() if value is not None}
