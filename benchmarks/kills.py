"""Whether a kill can do any harm: `python -m benchmarks.kills [--jobs N] [--only RUN] [--point POINT] [--real N]`.

An estate of every kind is created, mended, updated, replaced, pruned and destroyed, and the program dies around each
changing call and around a read of each kind; it is started again with its state directory, without, and with journals
whose last line was half written.  `--real` kills the real program, as a process, at so many sampled points instead.
Ends with 1 if anything was made twice, is left over, missing or other than it should be.

A line that says what went wrong begins with the point; `--point` tries that one again, with all that is different.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from reconciler import log
from tests.faults.killing import Point, Verdict, account, trial
from tests.faults.runs import runs

COLUMNS = ("run", "calls", "reads", "kept", "lost", "torn", "too often", "twice", "left", "missing", "other", "unsettled")
SHOWN = 6
"""Problems that are told of one point, unless it is tried alone."""


def main() -> int:
    """Print the table; 1 if anything went wrong."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="deaths at a time")
    parser.add_argument("--only", choices=list(runs()), action="append", help="this run (may be repeated)")
    parser.add_argument("--point", help="one point, as a line of problems names it")
    parser.add_argument("--sample", type=int, help="so many points of each run, drawn by the seed")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    log.configure(level="error", stream=open(os.devnull, "w"))  # noqa: SIM115 - until the process ends

    def choose(points: list[Point]) -> list[Point]:
        if chosen.point:
            return [point for point in points if str(point) == chosen.point]
        if chosen.sample and chosen.sample < len(points):
            return random.Random(chosen.seed).sample(points, chosen.sample)
        return points

    names = chosen.only or ([chosen.point.partition(":")[0]] if chosen.point else list(runs()))
    total: list[Verdict] = []
    tell(COLUMNS)
    with tempfile.TemporaryDirectory(prefix="kills-") as folder, account(Path(folder)) as host:
        for name in names:
            began = time.monotonic()
            found = trial(host, runs()[name], choose, chosen.jobs)
            tell(row(name, found))
            for verdict in found:
                for problem in verdict.problems[: None if chosen.point else SHOWN]:
                    print(f"  {verdict.point} {problem}", flush=True)
            print(f"  {time.monotonic() - began:.0f} s", file=sys.stderr)
            total += found
    tell(row("all", total))
    if not total:
        print("there is no such point", file=sys.stderr)
    return 0 if total and not any(verdict.problems for verdict in total) else 1


def tell(cells: Sequence[object]) -> None:
    """A line of the table."""
    print("| " + " | ".join(map(str, cells)) + " |", flush=True)


def row(name: str, found: Sequence[Verdict]) -> list[object]:
    """The figures of a run: its calls, the deaths by what was left, and how many of them did which harm."""
    calls = {(verdict.point.run, verdict.point.boundary.number): verdict.point.boundary for verdict in found}
    deaths = [sum(verdict.point.memory == memory for verdict in found) for memory in ("kept", "lost", "torn")]
    harm = [
        sum(map(bool, each))
        for each in zip(
            *(
                (one.births, one.differs.twice, one.differs.left, one.differs.missing, one.differs.other, one.unsettled)
                for one in found
            ),
            strict=True,
        )
    ]
    changing = sum(boundary.changes for boundary in calls.values())
    return [name, changing, len(calls) - changing, *deaths, *(harm or [0] * 6)]


if __name__ == "__main__":
    sys.exit(main())
