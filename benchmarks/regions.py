"""A full mesh of twenty regions with a thousand machines: `python -m benchmarks.regions [--regions N] [--instances N]`.

The estate of config/twenty-regions is created on the local AWS in this process, looked at once more, and destroyed:
first as fast as that goes, then with the rates of AWS enforced.  There the clock goes on only when all workers wait for
it, so that the length of the creation is what it would be if neither the program nor AWS took any time to work; it is
held against the least that AWS's token buckets allow for the calls that were made, were they all made at once.
Ends with 1 if something failed, a settled pass wrote anything or was refused a call, or anything is left over.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reconciler import log
from reconciler.aws.limits import Limits
from reconciler.aws.patience import Patience
from reconciler.loop import Loop
from reconciler.model.plan import Report
from reconciler.sandbox.settings import Delays
from tests import documents
from tests.harness import Host, Time, host, read
from tests.together import Together, least

ESTATE = Path(__file__).parents[1] / "config/twenty-regions/estate.yaml"
WORKERS = 20
PATIENCE = 7200.0
"""Seconds of the local AWS's clock until a run is given up."""


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


@dataclass
class Phase:
    """What a part of a life took: passes, calls, seconds of CPU, and seconds of the local AWS's clock."""

    name: str
    passes: int
    calls: Counter[str]
    writes: int
    refused: int
    least: float
    cpu: float
    length: float
    longest: tuple[float, float]
    """The length of its longest pass, and the least that the calls of that one need."""

    def told(self) -> str:
        total = self.calls.total()
        share = 100 * self.refused / total if total else 0.0
        text = f"{self.name}: {self.passes} passes, {total:,} calls ({self.writes:,} of them writes), "
        text += f"{self.refused} refused for their rate ({share:.1f} %), {self.cpu:.0f} s of CPU, "
        return (
            text
            + f"{self.length:.1f} s of AWS's clock ({max(self.least, 0.0):.1f} s at least by its buckets)"
        )


class Life:
    """One estate on one local AWS, phase by phase."""

    def __init__(self, ops: Host, text: str, held: Together | None) -> None:
        """`held`: the workers that keep to AWS's rates; None: nobody does."""
        self.ops, self.text, self._held = ops, text, held
        self.good = True

    def phase(self, name: str, work: Callable[[Loop], Report], **choices: Any) -> Phase:
        """Do something with a process begun now, and tell what it took."""
        aws = self.ops.aws
        aws.clear_calls()
        loop = self.ops.loop(self.text, grace=0.0, **choices)
        loop.gateway.patience = Patience(
            aws.clock.monotonic
        )  # the local AWS is slow for being on the same processors
        if self._held is not None:
            loop.gateway.sessions.traffic.limits = Limits(aws.clock.monotonic, self._held.wait)
        passes, one_pass = list[tuple[float, float]](), loop.one_pass

        def counted(trigger: str, *arguments: Any, **named: Any) -> Report:
            before, at = len(aws.calls), aws.clock.monotonic()
            report = one_pass(trigger, *arguments, **named)
            passes.append((aws.clock.monotonic() - at, least(list(aws.calls)[before:])))
            return report

        loop.one_pass = counted  # type: ignore[method-assign]
        began, cpu = aws.clock.monotonic(), time.process_time()
        report = work(loop)
        errors = Counter(call.error for call in aws.calls if call.error)
        throttled = {"RequestLimitExceeded", "Throttling", "ThrottlingException"}
        found = Phase(
            name=name,
            passes=len(passes),
            calls=Counter(call.operation for call in aws.calls),
            writes=len(aws.writes),
            refused=sum(count for code, count in errors.items() if code in throttled),
            least=least(aws.calls),
            cpu=time.process_time() - cpu,
            length=aws.clock.monotonic() - began,
            longest=max(passes),
        )
        print(f"  {found.told()}", flush=True)
        for what, count in Counter((call.operation, call.error) for call in aws.calls if call.error).items():
            print(f"    {count} × {' '.join(map(str, what))}")
        if report.outcome != "settled":
            print(f"    {report.outcome}: {[one for one in report.outcomes if one.status != 'settled'][:3]}")
            self.good = False
        return found

    def live(self) -> None:
        """Create, settle, destroy."""
        made = self.phase("created", lambda loop: loop.until_settled(PATIENCE))
        if self._held and made.length:
            length, fastest = made.longest
            print(f"    as fast as {made.least / made.length:.0%} of what the buckets allow", end="; ")
            print(f"its longest pass {length:.1f} s, {fastest / length:.0%} of what they allow")
        settled = self.phase("settled", lambda loop: loop.one_pass("benchmark"))
        self.good &= not settled.writes and not settled.refused
        self.phase("destroyed", lambda loop: loop.until_settled(PATIENCE), destroy=True, unprotected=True)
        left = self.ops.loop(self.text).look().owned
        self.good &= not left
        print(f"    {len(left)} things left, {peak():.0f} MiB at most so far", flush=True)


def peak() -> float:
    """The most memory that this process has had, the local AWS included."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@contextmanager
def ops(text: str) -> Iterator[Host]:
    """A host of its own, with the regions of a config and pages as long as AWS's."""
    regions = {desired.region for desired in read(text).resources.values() if desired.region} | {"us-west-2"}
    with (
        tempfile.TemporaryDirectory(prefix="regions-") as folder,
        host(Path(folder), 0.0, regions=tuple(sorted(regions)), page_size=1000, delays=Delays()) as made,
    ):
        made.clients_of_its_own()
        yield made


def main() -> int:
    """Print the figures; 1 if anything went wrong."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--regions", type=int, default=20)
    parser.add_argument("--instances", type=int, default=50, help="machines of each region")
    parser.add_argument("--only-rates", action="store_true", help="leave out the life without rates")
    chosen = parser.parse_args()
    log.configure(level="error", stream=open(os.devnull, "w"))  # noqa: SIM115 - until the process ends
    sys.excepthook = sys.__excepthook__
    text = estate(chosen.regions, chosen.instances)
    print(f"{chosen.regions} regions, {len(read(text).resources):,} resources", flush=True)
    lives = []
    for rates in (True,) if chosen.only_rates else (False, True):
        with ops(text) as made:
            print(f"with{'' if rates else 'out'} AWS's rates", flush=True)
            workers = Together(made.aws.clock, WORKERS)
            made.use(workers, Time(made.aws.clock))
            if rates:
                made.aws.faults("[{call: '*', do: throttle}]")
            lives.append(Life(made, text, workers if rates else None))
            lives[-1].live()
    return 0 if all(life.good for life in lives) else 1


if __name__ == "__main__":
    sys.exit(main())
