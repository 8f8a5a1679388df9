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
from functools import partial
from pathlib import Path

from reconciler import log
from tests.cli.support import KEYS
from tests.faults.forking import Copy
from tests.faults.killing import Course, Damage, Memory, Moment, Point, account, die, on_stage, points
from tests.faults.real import Kill, killed_for_real
from tests.faults.runs import runs
from tests.harness import Host

COLUMNS = (
    "run",
    "calls",
    "reads",
    "kept",
    "lost",
    "torn",
    "too often",
    "twice",
    "left",
    "missing",
    "other",
    "unsettled",
)
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
    parser.add_argument("--real", type=int, help="kill the real program, at so many points drawn by the seed")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    log.configure(level="error", stream=open(os.devnull, "w"))  # noqa: SIM115 - until the process ends
    sys.excepthook = sys.__excepthook__  # a fault of the proof itself is not for the log

    def choose(points: list[Point]) -> list[Point]:
        if chosen.point:
            return [point for point in points if str(point) == chosen.point]
        if chosen.sample and chosen.sample < len(points):
            return random.Random(chosen.seed).sample(points, chosen.sample)
        return points

    if chosen.real:
        return real(chosen.only or list(runs()), chosen.real, chosen.seed, chosen.jobs)
    names = chosen.only or ([chosen.point.partition(":")[0]] if chosen.point else list(runs()))
    total: list[tuple[Point, Damage]] = []

    def told(point: Point, damage: Damage) -> None:
        print(point, file=sys.stderr)
        for problem in damage.problems[: None if chosen.point else SHOWN]:
            print(f"  {point} {problem}", flush=True)

    def trial(name: str, host: Host) -> list[tuple[Point, Damage]]:
        def work(host: Host, course: Course) -> list[tuple[Point, Damage]]:
            return die(host, run, course, choose(points(name, course)), chosen.jobs, told)

        run = runs()[name]
        return on_stage(host, run, work)

    tell(COLUMNS)
    with tempfile.TemporaryDirectory(prefix="kills-") as folder, account(Path(folder)) as host:
        for name in names:
            began = time.monotonic()
            found = trial(name, host)
            tell(row(name, found))
            print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr)
            total += found
    tell(row("all", total))
    if not total:
        print("there is no such point", file=sys.stderr)
    return 0 if total and not any(damage.problems for _, damage in total) else 1


def real(names: list[str], count: int, seed: int, jobs: int) -> int:
    """Kill processes at sampled points; 1 if anything went wrong."""
    os.environ.update(KEYS)
    chance, flying, bad = random.Random(seed), list[tuple[str, Copy[Damage]]](), 0
    with tempfile.TemporaryDirectory(prefix="kills-") as name:
        folder = Path(name)
        with account(folder) as host:
            courses = {name: on_stage(host, runs()[name], lambda _, course: course) for name in names}

        def land() -> int:
            point, copy = flying.pop(0)
            damage = copy.result()
            print(point, "well" if not damage.problems else "", flush=True)
            for problem in damage.problems:
                print(f"  {problem}", flush=True)
            return bool(damage.problems)

        for number in range(count):
            run = runs()[names[number % len(names)]]
            writes = {b.number for b in courses[run.name].boundaries if b.changes}
            moments: tuple[Moment, ...] = ("before", "after", "answered")
            memories: tuple[Memory, ...] = ("kept", "lost")
            kill = Kill(chance.randint(1, len(writes)), chance.choice(moments))
            memory = chance.choice(memories)
            if len(flying) >= jobs:
                bad += land()
            point = f"{number}: {run.name}, changing call {kill.number} of {len(writes)}, {kill.moment}, {memory}:"
            place = folder / f"real-{number}"
            work = partial(killed_for_real, run, kill, memory, courses[run.name], place)
            flying.append((point, Copy(work, 1800)))
        while flying:
            bad += land()
    print(f"{count} kills, {bad} with damage")
    return 1 if bad else 0


def tell(cells: Sequence[object]) -> None:
    """A line of the table."""
    print("| " + " | ".join(map(str, cells)) + " |", flush=True)


def row(name: str, found: Sequence[tuple[Point, Damage]]) -> list[object]:
    """The figures of a run: its calls, the deaths by what was left, and how many of them did which harm."""
    calls = {(point.run, point.boundary.number): point.boundary for point, _ in found}
    deaths = [sum(point.memory == memory for point, _ in found) for memory in ("kept", "lost", "torn")]
    harm = [0] * len(COLUMNS[6:])
    for _, damage in found:
        differs = damage.differs
        for place, lines in enumerate(
            (damage.births, differs.twice, differs.left, differs.missing, differs.other, damage.unsettled)
        ):
            harm[place] += bool(lines)
    changing = sum(boundary.changes for boundary in calls.values())
    return [name, changing, len(calls) - changing, *deaths, *harm]


if __name__ == "__main__":
    sys.exit(main())
