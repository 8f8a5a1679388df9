"""Takes values of a wanted sort out of nodes, and reports those of another.  Used by `header` and `resource`.

Each method gives the value, or None (or nothing) when there is none; the problem is then reported already.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

from reconciler.desired.findings import Findings, short
from reconciler.desired.nodes import Entries, Entry, Items, Node, Scalar, is_null
from reconciler.desired.references import Filled, FillError, Names, Piece, fill
from reconciler.desired.scalars import core
from reconciler.model.address import NAME

Path = tuple[str | int, ...]

ACCOUNT = re.compile(r"[0-9]{12}")
ROLE = re.compile(r"arn:aws[a-z-]*:iam::([0-9]{12}):role/.+")
DURATION = re.compile(r"([0-9]{1,9})(s|m|h|d)?")
SECONDS = {None: 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
LETTERS = "small letters, digits, dots, dashes and underscores"
NAME_RULE = f"{LETTERS}, at most 100, a letter or digit first"
LONGEST_TAG_KEY, LONGEST_TAG_VALUE = 128, 256
RESERVED_TAGS = ("aws:", "reconciler:")
GLUED = re.compile(r"[^\s:{}\[\]]+:[^\s/].*")
"""`key:value`, which YAML takes for one text."""
SPACE_MISSING = "a space is missing behind the colon"
LED_NOWHERE = ("a ${…} that leads nowhere", "$${ is a literal ${")
"""What is said, with a hint, of a reference whose text must not be repeated."""
YES, NO = frozenset({"yes", "on", "y"}), frozenset({"no", "off", "n"})


def shown(node: Node) -> str:
    """A node as a message names it: its text, or what it is."""
    match node:
        case Scalar(value=None):
            return "nothing"
        case Scalar(text=text) if not text.strip():
            return "an empty text"
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
        if not hint and wanted == "a mapping" and isinstance(node, Scalar) and GLUED.fullmatch(node.text):
            hint = SPACE_MISSING
        self.findings.add(node.mark, path, f"expected {wanted}, got {shown(node)}", hint)

    def unknown(self, entry: Entry, path: Path, words: Collection[str], what: str) -> str | None:
        """Report a key that nobody knows; gives the one of `words` that was probably meant."""
        key = str(entry.key.value)
        meant = self.findings.closest(key, words)
        hint = f"did you mean {meant}?" if meant else ""
        if GLUED.fullmatch(key) and (not meant or key.startswith(f"{meant}:")):
            hint = SPACE_MISSING
        self.findings.add(entry.key.mark, (*path, key), what, hint or self.findings.choice(words))
        return meant

    def pieces(self, node: Scalar, path: Path, secret: bool = False) -> tuple[Piece, ...] | None:
        """The text of a node, filled in; None when that fails.  Nothing of a `secret` one is repeated."""
        errors: list[FillError] = []
        text = str(node.value)
        found = fill(text, self.names, self.findings.near, errors)
        for error in errors:
            if not error.what:
                self.findings.told += 1
            else:
                line = f"line {text.count(chr(10), 0, error.at) + 1} of the text: " if "\n" in text else ""
                told = LED_NOWHERE if secret and error.quotes else (error.what, error.hint)
                self.findings.add(node.mark, path, line + told[0], told[1])
        return found

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
            node.mark, path, "cannot hold a reference", "only ${var.x} and ${each.x} are filled in here"
        )
        return None

    def text(self, node: Node, path: Path, wanted: str = "a string") -> str | None:
        """A string.  What came from a variable or a `for` is one, whatever it looks like."""
        found = self.plain(node, path, wanted)
        if found is None:
            return None
        if isinstance(found.value, str) or found.filled:
            return found.text if found.filled else str(found.value)
        self.wrong(found, path, wanted, "" if is_null(found) else "quote it")
        return None

    def word(self, node: Node, path: Path, wanted: str = "a string") -> str | None:
        """A string that says something."""
        found = self.text(node, path, wanted)
        if found is not None and not found.strip():
            self.wrong(node, path, wanted)
            return None
        return found

    def name(self, node: Node, path: Path) -> str | None:
        """A string that is a name."""
        found = self.text(node, path, "a name")
        if found is not None and not NAME.fullmatch(found):
            self.findings.add(node.mark, path, f"{short(found)!r} is not a name", NAME_RULE)
            return None
        return found

    def choice(self, node: Node, path: Path, choices: tuple[str, ...]) -> str | None:
        """One of a few words."""
        found = self.text(node, path, f"{', '.join(choices[:-1])} or {choices[-1]}")
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

    def role(self, node: Node, path: Path) -> str | None:
        """The ARN of a role that can be assumed."""
        found = self.text(node, path, "the ARN of a role")
        if found is not None and not ROLE.fullmatch(found):
            what = f"{short(found)!r} is not the ARN of a role"
            self.findings.add(node.mark, path, what, "arn:aws:iam::<account id>:role/<name>")
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
        self.wrong(found, path, "true or false", flag_hint(found))
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
        quoted = isinstance(found.value, str) and not found.filled and type(core(found.text)) in (int, float)
        self.wrong(found, path, wanted, "remove the quotes" if quoted else "")
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
        if not (empty and is_null(node)):
            self.wrong(node, path, "a mapping")
        return {}

    def items(self, node: Node, path: Path, single: bool = False) -> Iterator[tuple[Path, Node]]:
        """A list's items with their paths; with `single`, one value stands for a list of it."""
        if isinstance(node, Items):
            for index, item in enumerate(node.items):
                yield (*path, index), item
        elif single and isinstance(node, Scalar) and not is_null(node):
            yield path, node
        else:
            self.wrong(node, path, "a list")

    def known(self, entries: Mapping[str, Entry], path: Path, keys: tuple[str, ...]) -> Mapping[str, Entry]:
        """The entries whose keys are known; the others are reported."""
        for key, entry in entries.items():
            if key not in keys:
                self.unknown(entry, path, keys, "there is no such key")
        return {key: entry for key, entry in entries.items() if key in keys}

    def record(
        self, node: Node, path: Path, keys: tuple[str, ...], required: tuple[str, ...]
    ) -> Mapping[str, Entry]:
        """The entries of a mapping with these keys and no others; one that is misspelt is not called missing."""
        entries = self.entries(node, path)
        meant = {
            self.unknown(entry, path, keys, "there is no such key")
            for key, entry in entries.items()
            if key not in keys
        }
        if isinstance(node, Entries):
            for key in required:
                if key not in entries and key not in meant:
                    self.findings.add(node.mark, path, f"{key} is required")
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
            elif key in found:
                self.findings.add(entry.key.mark, at, f"the tag {short(key)} stands twice")
            elif removable and is_null(entry.node):
                found[key] = None
            elif (value := self.text(entry.node, at)) is not None:
                if len(value) > LONGEST_TAG_VALUE:
                    what = f"a tag value has at most {LONGEST_TAG_VALUE} characters, this has {len(value)}"
                    self.findings.add(entry.node.mark, at, what)
                found[key] = value
        return found


def flag_hint(node: Scalar) -> str:
    """How to say true or false for one who said it otherwise."""
    word = node.text.lower()
    if word in YES or word in NO:
        return f"write {'true' if word in YES else 'false'}"
    return "remove the quotes" if isinstance(core(node.text), bool) else ""
