"""The files of a config, and what identifies their bytes.  Called by `load`; the only module here that reads files.

A config may name JSON files beside it: `PolicyDocument: ${file:policy.json}`.  They are found in its bytes, before it
is parsed, so that one look at the disk gives all that a config rests on; one that only a comment names does no harm.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from reconciler.model.place import Place, Problem

LARGEST_FILE = 5_000_000
NAMED = re.compile(rb"\$\{file:([^{}\r\n]+)\}")


class File(NamedTuple):
    """The name and bytes of one file."""

    name: str
    data: bytes


def read(path: Path) -> tuple[tuple[File, ...], tuple[Problem, ...]]:
    """The files that make up a config, in order, and what could not be read.

    A folder gives its *.yaml, sorted by the bytes of their names; names that begin with a dot are ignored.
    """
    files: list[File] = []
    problems: list[Problem] = []
    try:
        if not path.is_dir():
            return (File(str(path), _bytes(path)),), ()
        entries = sorted(path.iterdir(), key=lambda entry: os.fsencode(entry.name))
    except (OSError, ValueError) as error:
        return (), (Problem(Place(str(path)), "", f"cannot be read: {_reason(error)}"),)
    for entry in entries:
        if entry.name.startswith(".") or entry.suffix.lower() not in {".yaml", ".yml"}:
            continue
        if entry.suffix != ".yaml":
            problems.append(Problem(Place(str(entry)), "", "is not read, for its name", "rename it to .yaml"))
            continue
        try:
            files.append(File(str(entry), _bytes(entry)))
        except OSError as error:
            problems.append(Problem(Place(str(entry)), "", f"cannot be read: {_reason(error)}"))
    if not files and not problems:
        problems.append(Problem(Place(str(path)), "", "this folder has no *.yaml in it"))
    return tuple(files), tuple(problems)


Beside = Mapping[str, File | Problem]
"""The files that a config names, by the names that it has for them, or why they cannot be read."""


def beside(files: Sequence[File]) -> Beside:
    """What is named in the files of a config, relative to the folder that they are in."""
    found: dict[str, File | Problem] = {}
    for file in files:
        for name in {os.fsdecode(name) for name in NAMED.findall(file.data)} - found.keys():
            path = Path(file.name).parent / name
            try:
                found[name] = File(str(path), _bytes(path))
            except (OSError, ValueError) as error:
                found[name] = Problem(Place(str(path)), "", f"cannot be read: {_reason(error)}")
    return found


def _bytes(path: Path) -> bytes:
    """A file's bytes, never much more than is accepted; OSError when it is no file, without waiting for a pipe."""
    with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as stream:
        if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
            raise OSError("it is not a regular file")
        return stream.read(LARGEST_FILE + 1)


def _reason(error: Exception) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)


def digest(files: Sequence[File], named: Beside) -> str:
    """SHA-256 (hex) over names and bytes, in order, then over those that they name; one that cannot be read counts too.

    A config that is moved as a whole keeps its digest.
    """
    found = hashlib.sha256()
    for file in files:
        found.update(os.fsencode(os.path.basename(file.name)) + b"\0%d\0" % len(file.data) + file.data)
    for name, one in sorted(named.items()):
        data = one.data if isinstance(one, File) else None
        found.update(b"\0" + os.fsencode(name) + (b"\0" if data is None else b"\0%d\0" % len(data) + data))
    return found.hexdigest()
