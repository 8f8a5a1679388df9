"""Whether a kill can do any harm: `python -m benchmarks.kills [--jobs N] [--only RUN] [--service NAME] [--life LIFE]
[--slow SECONDS] [--real N]`.

An estate of every kind (dealt out to some shares) is created, mended, updated, replaced, pruned and destroyed, and the
program dies around each changing call and around a list of each kind; it is started again with its state directory,
without, and with journals whose last line was half written.  Each run is made in seven lives, by the moment of death
and by what is left of the memory; in each the program dies once at every call.  `--sample` makes single deaths of an
estate of all kinds instead, each in a run of its own, and `--real` kills the real program, as a process, in runs of
single shares.
Ends with 1 if anything was made twice, is left over, missing or other than it should be.

A line that says what went wrong begins with the life, or with the point; `--life` and `--point` try that one again.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from reconciler import log
from reconciler.kinds import BY_NAME
from reconciler.model.service import SERVICES
from tests.cli.support import KEYS
from tests.conformance.fixture import TRIED
from tests.faults.estate import Kinds, share
from tests.faults.forking import Copy
from tests.faults.killing import (
    Course,
    Damage,
    Memory,
    Moment,
    Point,
    account,
    die,
    on_stage,
    points,
)
from tests.faults.lives import EVERYWHERE, Everywhere, live
from tests.faults.real import Kill, killed_for_real
from tests.faults.runs import Run, runs
from tests.harness import Host
from tests.savings import unforced, unsigned

HARM = ("too often", "twice", "left", "missing", "other", "unsettled", "never")
"""What a life can come to; the last: a changing call of the run at which the program has died in none of them."""
SHOWN = 6
"""Problems that are told of one life or point."""
PATIENCE = 6 * 3600
"""Seconds until a life is given up."""


def main() -> int:
    """Print the table; 1 if anything went wrong."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="lives, or deaths, at a time")
    parser.add_argument("--only", choices=list(runs()), action="append", help="this run (may be repeated)")
    parser.add_argument(
        "--shares", type=int, default=4, help="estates that the kinds are dealt out to (1: none)"
    )
    parser.add_argument(
        "--service", choices=sorted(SERVICES), help="kinds of this service alone, and what they need"
    )
    parser.add_argument(
        "--life",
        action="append",
        help="one life, as a line of problems names it or by its end (may be repeated)",
    )
    parser.add_argument("--point", help="one death, as a line of problems names it")
    parser.add_argument("--sample", type=int, help="so many single deaths of each run, drawn by the seed")
    parser.add_argument(
        "--real", type=int, help="kill the real program, at so many points of shares drawn by the seed"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--slow",
        type=float,
        default=0.0,
        help="seconds that each changing call takes, so that a pass looks again",
    )
    chosen = parser.parse_args()
    log.configure(level="error", stream=open(os.devnull, "w"))  # noqa: SIM115 - until the process ends
    sys.excepthook = sys.__excepthook__  # a fault of the proof itself is not for the log
    named = {text.partition(":")[0] for text in (*(chosen.life or ()), chosen.point or "")} & runs().keys()
    names = chosen.only or [name for name in runs() if name in named or not named]
    kinds = tuple(kind for kind in TRIED if chosen.service in {None, BY_NAME[kind].service})

    def choose(points: list[Point]) -> list[Point]:
        if chosen.point:
            return [point for point in points if str(point) == chosen.point]
        return random.Random(chosen.seed).sample(points, min(chosen.sample, len(points)))

    if chosen.real:
        return real(names, kinds, chosen.shares, chosen.real, chosen.seed, chosen.jobs)
    with (
        tempfile.TemporaryDirectory(prefix="kills-") as folder,
        unsigned(),
        unforced(),
        account(Path(folder), kinds=kinds) as host,
    ):
        if chosen.slow:
            host.aws.faults(f"[{{call: writes, do: {{slow: {chosen.slow}}}}}]")
        if chosen.point or chosen.sample:
            return singly(host, names, choose, chosen.jobs)
        return in_lives(host, names, kinds, chosen.shares, chosen.jobs, chosen.life or [""])


# ---- every death there is


@dataclass(frozen=True)
class Life:
    """What came of one life: the calls and the reads at which the program died, and the harm by its name."""

    name: str
    calls: list[str]
    reads: list[str]
    harm: dict[str, list[str]]


def in_lives(host: Host, names: list[str], kinds: Kinds, shares: int, jobs: int, only: list[str]) -> int:
    """Each run of each share of some kinds, in seven lives; 1 if anything went wrong."""
    tell(["run", "deaths at calls", "at reads", *HARM])
    whole = Counter[str]()
    for name in names:
        began, total = time.monotonic(), Counter[str]()
        for number in range(shares):
            run, title = runs(share(number, shares, kinds))[name], f"{name}:{number}/{shares}"
            lives = {f"{title}:{moment}:{memory}": (moment, memory) for moment, memory in EVERYWHERE}
            chosen = {life: how for life, how in lives.items() if life.endswith(tuple(only))}
            if not chosen:
                continue
            for life in on_stage(host, run, partial(lived, run=run, lives=chosen, jobs=jobs)):
                total.update({"calls": len(life.calls), "reads": len(life.reads)})
                total.update(word for word, lines in life.harm.items() if lines)
                for line in [f"{word}: {line}" for word, lines in life.harm.items() for line in lines][
                    :SHOWN
                ]:
                    print(f"  {life.name} {line}", flush=True)
        tell([name, total["calls"], total["reads"], *(total[word] for word in HARM)])
        print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr)
        whole += total
    tell(["all", whole["calls"], whole["reads"], *(whole[word] for word in HARM)])
    return int(not whole["calls"] or any(whole[word] for word in HARM))


def lived(
    host: Host, course: Course, run: Run, lives: dict[str, tuple[Moment, Memory]], jobs: int
) -> list[Life]:
    """Some lives of a run, `jobs` at a time."""
    works = [partial(one, host, course, run, name, *how) for name, how in lives.items()]
    found = [copy.result() for copy in at_a_time(jobs, works)]
    done = {call.partition(" ")[0] for life in found for call in life.calls}
    never = {boundary.operation for boundary in course.boundaries if boundary.changes} - done
    if len(found) == len(EVERYWHERE):
        found[0].harm["never"] = sorted(never)
    return found


def one(host: Host, course: Course, run: Run, name: str, moment: Moment, memory: Memory) -> Life:
    """One life, from the stage to the end."""
    place = host.state.with_name(name.replace(":", "-").replace("/", "-"))
    if host.state.exists():
        shutil.copytree(host.state, place)
    doom = Everywhere(moment, memory)
    damage = live(host.beside(place), run, course, doom)
    differs = damage.differs
    found = (damage.births, differs.twice, differs.left, differs.missing, differs.other, damage.unsettled, [])
    return Life(name, doom.calls, doom.reads, dict(zip(HARM, found, strict=True)))


def at_a_time(jobs: int, works: Sequence[Callable[[], Life]]) -> list[Copy[Life]]:
    """Copies of this process at their work, of which the last `jobs` may still be at it."""
    copies: list[Copy[Life]] = []
    for work in works:
        if len(copies) >= jobs:
            copies[-jobs].wait()
        copies.append(Copy(work, PATIENCE))
    return copies


# ---- single deaths


def singly(host: Host, names: list[str], choose: Callable[[list[Point]], list[Point]], jobs: int) -> int:
    """Chosen deaths of an estate of all kinds, each in a run of its own; 1 if anything went wrong."""

    def told(point: Point, damage: Damage) -> None:
        print(point, "" if damage.problems else "well", flush=True)
        for problem in damage.problems:
            print(f"  {point} {problem}", flush=True)

    tried: list[tuple[Point, Damage]] = []
    for name in names:
        run = runs()[name]

        def work(host: Host, course: Course, run: Run = run) -> list[tuple[Point, Damage]]:
            return die(host, run, course, choose(points(run.name, course)), jobs, told)

        tried += on_stage(host, run, work)
    bad = sum(bool(damage.problems) for _, damage in tried)
    print(f"{len(tried)} deaths, {bad} with damage")
    return int(bad > 0 or not tried)


def real(names: list[str], kinds: Kinds, shares: int, count: int, seed: int, jobs: int) -> int:
    """Kill processes at sampled points, each of a run of one share of some kinds; 1 if anything went wrong.

    The program has threads and a real clock, so that it can come by with fewer changing calls than the course that the
    point was drawn from; another is drawn then.
    """
    os.environ.update(KEYS)
    chance, flying = random.Random(seed), list[tuple[str, Copy[Damage | None]]]()
    picked = [(names[number % len(names)], chance.randrange(shares)) for number in range(count)]
    made = {(name, part): runs(share(part, shares, kinds))[name] for name, part in picked}
    drawn, killed, bad = 0, 0, 0
    with tempfile.TemporaryDirectory(prefix="kills-") as name:
        folder = Path(name)
        with unsigned(), unforced(), account(folder, kinds=kinds) as host:
            courses = {one: on_stage(host, run, lambda _, course: course) for one, run in made.items()}

        def begin() -> None:
            one = picked[drawn % count]
            run, course = made[one], courses[one]
            writes = len({boundary.number for boundary in course.boundaries if boundary.changes})
            moments: tuple[Moment, ...] = ("before", "after", "answered")
            memories: tuple[Memory, ...] = ("kept", "lost")
            kill, memory = Kill(chance.randint(1, writes), chance.choice(moments)), chance.choice(memories)
            point = f"{drawn}: {run.name}:{one[1]}/{shares}, changing call {kill.number} of {writes}, "
            work = partial(killed_for_real, run, kill, memory, course, folder / f"real-{drawn}")
            flying.append((f"{point}{kill.moment}, {memory}:", Copy(work, 1800)))

        while killed < count and (drawn < 2 * count or flying):
            while len(flying) < min(jobs, count - killed) and drawn < 2 * count:
                begin()
                drawn += 1
            point, copy = flying.pop(0)
            damage = copy.result()
            killed += damage is not None
            bad += bool(damage and damage.problems)
            print(point, "never so far" if damage is None else "" if damage.problems else "well", flush=True)
            for problem in damage.problems if damage else ():
                print(f"  {problem}", flush=True)
    print(f"{killed} kills, {bad} with damage")
    return int(bad > 0 or killed < count)


def tell(cells: Sequence[object]) -> None:
    """A line of the table."""
    print("| " + " | ".join(map(str, cells)) + " |", flush=True)


if __name__ == "__main__":
    sys.exit(main())
