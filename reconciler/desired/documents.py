"""Fields that AWS takes as JSON in a string: written in the config as YAML, or kept in a file of JSON beside it.

Called by `resource`.  A file is what other tools have, or AWS's console shows: it is taken as it is, and nothing in it
is filled in.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from typing import Any, NoReturn

from reconciler.desired.files import LARGEST_FILE, Beside, File
from reconciler.desired.findings import Findings, short
from reconciler.desired.nodes import Entries, Entry, Items, Node, Scalar
from reconciler.desired.reader import Path
from reconciler.model.place import Place

FILE = re.compile(r"\$\{file:([^{}]+)\}")


class Documents:
    """Puts what stands for JSON into one text; `beside` are the files that the config names."""

    def __init__(self, beside: Beside, findings: Findings) -> None:
        self._beside, self._findings = beside, findings

    def field(self, name: str, node: Node, documents: Collection[str], path: Path) -> Node | None:
        """A field with what `Kind.documents` names in it as text: the field itself (`PolicyDocument`), or members of
        its items (`Policies[].PolicyDocument`).  None when a file is no good, which is reported."""
        if name in documents:
            return self._text(node, path)
        members = {path.removeprefix(f"{name}[].") for path in documents if path.startswith(f"{name}[].")}
        if not members or not isinstance(node, Items):
            return node
        items = [self._item(item, members, (*path, index)) for index, item in enumerate(node.items)]
        found = [item for item in items if item is not None]
        return Items(node.mark, found) if len(found) == len(items) else None

    def _item(self, item: Node, members: Collection[str], path: Path) -> Node | None:
        if not isinstance(item, Entries):
            return item
        entries = dict(item.entries)
        for name in entries.keys() & members:
            text = self._text(entries[name].node, (*path, name))
            if text is None:
                return None
            entries[name] = Entry(entries[name].key, text)
        return Entries(item.mark, entries)

    def _text(self, node: Node, path: Path) -> Node | None:
        """What is written as YAML, or in a file, as the one text that it stands for; a text stays as it is."""
        if not isinstance(node, Scalar):
            return Scalar(node.mark, text := _json(_value(node)), text)
        found = FILE.fullmatch(node.value) if isinstance(node.value, str) else None
        return self._from_file(node, found[1], path) if found else node

    def _from_file(self, node: Node, name: str, path: Path) -> Scalar | None:
        """The document in a file, with its place there."""
        file = self._beside.get(name)
        if file is None:
            self._findings.add(
                node.mark, path, f"{short(name)!r} is not the name of a file", "write it as it is"
            )
        elif not isinstance(file, File):
            hint = f"it is looked for at {file.place.file}"
            self._findings.add(node.mark, path, f"{short(name)} {file.what}", hint)
        elif (text := _document(file, path, self._findings)) is not None:
            literal = text.replace("${", "$${")
            return Scalar(Place(file.name, 1, 1), literal, literal)
        return None


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _value(node: Node) -> Any:
    match node:
        case Entries(entries=entries):
            return {name: _value(entry.node) for name, entry in entries.items()}
        case Items(items=items):
            return [_value(item) for item in items]
        case Scalar(value=value):
            return value


# ---- from a file


def _document(file: File, path: Path, findings: Findings) -> str | None:
    """What a file says, in one spelling."""
    if len(file.data) > LARGEST_FILE:
        findings.add(Place(file.name), path, f"is larger than {LARGEST_FILE // 1_000_000} MB")
        return None
    try:
        value = json.loads(
            file.data.decode("utf-8-sig"), object_pairs_hook=_once, parse_constant=_no_constant
        )
    except json.JSONDecodeError as error:
        what = "is empty" if not file.data.strip() else f"is not JSON: {error.msg}"
        findings.add(Place(file.name, error.lineno, error.colno), path, what)
    except UnicodeDecodeError as error:
        before = file.data[: error.start].decode("utf-8", "replace")
        at = Place(file.name, before.count("\n") + 1, len(before) - before.rfind("\n"))
        findings.add(at, path, f"is not UTF-8: byte 0x{file.data[error.start]:02x}", "save it as UTF-8")
    except (ValueError, RecursionError) as error:
        what = str(error) if isinstance(error, ValueError) else "nests too deeply"
        findings.add(Place(file.name, 1, 1), path, what)
    else:
        if isinstance(value, dict):
            return _json(value)
        findings.add(Place(file.name, 1, 1), path, "expected a mapping: { … }")
    return None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A mapping; a key that stands twice is a mistake, as in the config."""
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"{short(twice)} stands twice")
    return found


def _no_constant(word: str) -> NoReturn:
    raise ValueError(f"is not JSON: {word}")
