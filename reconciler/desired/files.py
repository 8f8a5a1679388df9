"""The files of a config, and what identifies their bytes.  Called by `load`; the only module here that reads files."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from reconciler.model.place import Place, Problem

LARGEST_FILE = 5_000_000


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


def _bytes(path: Path) -> bytes:
    """A file's bytes, never much more than is accepted; OSError when it is no file, without waiting for a pipe."""
    with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as stream:
        if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
            raise OSError("it is not a regular file")
        return stream.read(LARGEST_FILE + 1)


def _reason(error: Exception) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)


def digest(files: Sequence[File]) -> str:
    """SHA-256 (hex) over names and bytes, in order; a config that is moved as a whole keeps its digest."""
    found = hashlib.sha256()
    for file in files:
        found.update(os.fsencode(os.path.basename(file.name)) + b"\0%d\0" % len(file.data) + file.data)
    return found.hexdigest()
