"""Random worlds for a long time: `python -m benchmarks.worlds [--examples N] [--steps M] [--seed S] [--minutes M]
[--kinds KIND …]`.

Each world is a story of edits, faults, kills and strangers' hands on a local AWS (`tests/faults/worlds/machine.py`).
It prints what has happened in all of them; of a world that breaks a promise, the shortest story that breaks it, which
is a program that can be run again.
"""

from __future__ import annotations

import argparse
import sys
import time
import traceback

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.conformance.fixture import KINDS
from tests.faults.worlds.machine import Worlds
from tests.faults.worlds.world import FIGURES


def run(
    examples: int, steps: int, number: int, shrink: bool, about: tuple[str, ...] = ()
) -> BaseException | None:
    """So many worlds, about these kinds or about any; the failure of the first that breaks a promise, with its story
    in its notes."""

    class Some(Worlds):
        kinds = about

    phases = [Phase.generate, Phase.shrink] if shrink else [Phase.generate]
    chosen = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        derandomize=False,
        database=None,
        phases=phases,
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )
    try:
        run_state_machine_as_test(seed(number)(Some), settings=chosen)
    except Exception as error:
        return error
    return None


def told(error: BaseException, about: tuple[str, ...]) -> str:
    """The promise that was broken, and the story as a program."""
    lines = [str(error) or "".join(traceback.format_exception(error))]
    story = "\n".join(getattr(error, "__notes__", ()))
    begin = ["from tests.faults.worlds.machine import *", "class Some(Worlds):", f"    kinds = {about!r}"]
    return "\n".join([*lines, "", *begin, "", story])


def main() -> int:
    """Print figures and stories; 1 when a promise was broken."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--examples", type=int, default=100, help="worlds of one seed")
    parser.add_argument("--steps", type=int, default=30, help="steps of one world at most")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=0, help="go on with further seeds for so long")
    parser.add_argument(
        "--kinds", nargs="*", default=(), choices=KINDS, metavar="KIND", help="all are about these"
    )
    parser.add_argument("--no-shrink", action="store_true", help="tell the first story that fails as it is")
    chosen = parser.parse_args()
    begun, number, failed = time.monotonic(), chosen.seed, 0
    about = tuple(chosen.kinds)
    while number == chosen.seed or time.monotonic() < begun + 60 * chosen.minutes:
        if error := run(chosen.examples, chosen.steps, number, not chosen.no_shrink, about):
            failed += 1
            print(f"seed {number}: {told(error, about)}", flush=True)
        number += 1
        figures = ", ".join(f"{count} {what}" for what, count in sorted(FIGURES.items()))
        print(f"{number - chosen.seed} seeds, {time.monotonic() - begun:.0f} s: {figures}", flush=True)
    print(f"{failed} of {number - chosen.seed} seeds found a promise that was broken")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
