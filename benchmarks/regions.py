"""A full mesh of twenty regions with a thousand machines: `python -m benchmarks.regions [--regions N] [--instances N]`.

The estate of config/twenty-regions is created on the local AWS in this process, looked at once more, and destroyed:
first as fast as that goes, then with the rates of AWS enforced.  There the clock goes on only when all workers wait for
it, so that the length of the creation is what it would be if neither the program nor AWS took any time to work; it is
held against the least that AWS's token buckets allow for the calls that were made, were they all made at once.
Ends with 1 if something failed, a settled pass wrote anything or was refused a call, or anything is left over.
"""

from __future__ import annotations

import argparse
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.phases import PATIENCE, Life, Phase, ops, quiet
from reconciler.loop import Loop
from reconciler.model.plan import Report
from tests import documents
from tests.harness import read

ESTATE = Path(__file__).parents[1] / "config/twenty-regions/estate.yaml"


def estate(regions: int, instances: int) -> str:
    """The config with the first so many regions, and so many machines in each, spread over its zones."""
    config: dict[str, Any] = documents.load(ESTATE.read_text())
    every = dict(list(config["lists"]["regions"].items())[:regions])
    for name, region in every.items():
        zones = region["zones"]
        spread = {
            zone: values | {"machines": (instances + len(zones) - 1 - at) // len(zones)}
            for at, (zone, values) in enumerate(zones.items())
        }
        every[name] = region | {"zones": spread}
    config["lists"]["regions"] = every
    config["limits"] = {"deletes": 100_000, "percent": 100, "per-hour": 100_000}
    return documents.dump(config)


# ---- what is measured


class Whole(Life):
    """A life from the creation to the end; `good` as long as nothing has failed."""

    good = True

    def told(self, name: str, work: Callable[[Loop], Report], **choices: Any) -> Phase:
        """What a phase took, which is printed."""
        found = self.phase(name, self.process(**choices), work)
        print(f"  {found.told()}", *found.wrong(), sep="\n    ", flush=True)
        self.good &= found.settled
        return found

    def live(self) -> None:
        """Create, settle, destroy."""
        made = self.told("created", lambda loop: loop.until_settled(PATIENCE))
        if self.rates and made.least and made.longest.length:
            longest = made.longest
            print(f"    as fast as {made.least / made.length:.0%} of what the buckets allow", end="; ")
            share = longest.least / longest.length
            print(f"its longest pass {longest.length:.1f} s, {share:.0%} of what they allow")
        settled = self.told("settled", lambda loop: loop.one_pass("benchmark"))
        self.good &= not settled.writes and not settled.refused
        self.told("destroyed", lambda loop: loop.until_settled(PATIENCE), destroy=True, unprotected=True)
        left = self.ops.loop(self.text).look().owned
        self.good &= not left
        print(f"    {len(left)} things left, {peak():.0f} MiB at most so far", flush=True)


def peak() -> float:
    """The most memory that this process has had, the local AWS included."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> int:
    """Print the figures; 1 if anything went wrong."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--regions", type=int, default=20)
    parser.add_argument("--instances", type=int, default=50, help="machines of each region")
    parser.add_argument("--only-rates", action="store_true", help="leave out the life without rates")
    chosen = parser.parse_args()
    quiet()
    text = estate(chosen.regions, chosen.instances)
    print(f"{chosen.regions} regions, {len(read(text).resources):,} resources", flush=True)
    lives = []
    for rates in (True,) if chosen.only_rates else (False, True):
        with ops(text) as made:
            print(f"with{'' if rates else 'out'} AWS's rates", flush=True)
            lives.append(Whole(made, text, rates))
            lives[-1].live()
    return 0 if all(life.good for life in lives) else 1


if __name__ == "__main__":
    sys.exit(main())
