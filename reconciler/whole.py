"""Files that are there whole or not at all, and what that takes.  Used by whoever keeps something on this host."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

MODE: Final = 0o640
"""Of files that are nobody else's business."""
FOR_ALL: Final = 0o644
"""Of files that another user than the one who writes them has to read."""


def write_whole(path: Path, content: bytes, *, mode: int = MODE, sync: bool = True) -> None:
    """Put a file in place; OSError when that cannot be, and then what was there before is there still.

    `sync`: it is on the disk when this returns, so that it survives a host that loses its power.
    """
    temporary = path.with_suffix(".tmp")  # in the same folder, for a rename is whole only there
    try:
        file = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
        try:
            os.fchmod(file, mode)  # whatever the umask is
            write_all(file, content)
            if sync:
                os.fsync(file)
        finally:
            os.close(file)
        temporary.replace(path)
    except OSError:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    if sync:
        sync_names(path.parent)


def write_all(file: int, content: bytes) -> None:
    """All of it, where a disk that fills up takes a part."""
    while content:
        content = content[os.write(file, content) :]


def sync_names(directory: Path) -> None:
    """Force to the disk which files a directory has; some file systems cannot, and need not."""
    folder = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    with suppress(OSError):
        os.fsync(folder)
    os.close(folder)
