"""Faulty reads never delete: `python -m benchmarks.unreadable`, every read × every fault, with orphans of every kind.

It prints what `make test` tries a spread of, and gives 1 if anything was deleted or made that should not have been.
"""

from __future__ import annotations

import io
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from reconciler import log
from tests.faults.unreadable import (
    LIES,
    LISTS,
    ORPHANS,
    READS,
    TOLD,
    Estate,
    Operation,
    cells,
    everything,
    lie_wrongs,
    told_wrongs,
)

Check = Callable[[Estate, Operation, str], list[str]]


def main() -> int:
    """Make all passes and print the figures."""
    log.configure(stream=io.StringIO(), level="error")
    sys.excepthook = sys.__excepthook__  # a fault of the proof itself is not for the log
    begun, wrong = time.monotonic(), 0
    with tempfile.TemporaryDirectory() as folder, everything(Path(folder)) as estate:
        print(f"{len(READS)} reads, {len(ORPHANS)} orphans")
        wrong += _all(estate, "faults that can be told from the truth", READS, TOLD, told_wrongs)
        wrong += _all(estate, "lies, one look", LISTS, LIES, lie_wrongs)
        wrong += _all(estate, "lies, without the state directory", LISTS, LIES, _forgetful)
    print(f"{time.monotonic() - begun:.0f} s")
    return 1 if wrong else 0


def _forgetful(estate: Estate, operation: Operation, name: str) -> list[str]:
    return lie_wrongs(estate, operation, name, memory=False)


def _all(
    estate: Estate, what: str, reads: Sequence[Operation], faults: Mapping[str, str], check: Check
) -> int:
    wrong = 0
    tried = cells(reads, faults)
    for operation, name in tried:
        for found in check(estate, operation, name):
            print(f"  {operation}, {name}: {found}")
            wrong += 1
    print(
        f"{what}: {len(reads)} reads, {len(faults)} faults, {len(tried)} passes, {wrong} wrong deletes or creates"
    )
    return wrong


if __name__ == "__main__":
    sys.exit(main())
