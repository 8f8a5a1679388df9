"""An estate on a local AWS in this process, and what each phase of its life takes.  Used by `regions` and `creating`.

Under AWS's rates the clock goes on only when all workers wait for it, so that a phase is as long as it would be if
neither the program nor AWS took any time to work.
"""

from __future__ import annotations

import os
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
from reconciler.sandbox import Call
from reconciler.sandbox.settings import Delays
from tests.harness import Host, Time, host, read
from tests.together import Together, least

WORKERS = 20
PATIENCE = 7200.0
"""Seconds of the local AWS's clock until a run is given up."""
THROTTLED = frozenset({"RequestLimitExceeded", "Throttling", "ThrottlingException"})


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """The calls of a pass or a phase, and its seconds of the local AWS's clock."""

    calls: tuple[Call, ...]
    length: float

    @property
    def operations(self) -> Counter[str]:
        """How often each operation was called."""
        return Counter(call.operation for call in self.calls)

    @property
    def writes(self) -> int:
        return sum(call.is_write for call in self.calls)

    @property
    def refused(self) -> int:
        """How many calls were refused for their rate."""
        return sum(call.error in THROTTLED for call in self.calls)

    @property
    def least(self) -> float:
        """The seconds that AWS's token buckets need for these calls, were they all made at once."""
        return max(0.0, least(self.calls))


@dataclass(frozen=True, kw_only=True)
class Phase(Stretch):
    """What a part of a life took, with its passes, its seconds of CPU, and how its last pass ended."""

    name: str
    passes: tuple[Stretch, ...]
    cpu: float
    report: Report

    @property
    def settled(self) -> bool:
        return self.report.outcome == "settled"

    @property
    def longest(self) -> Stretch:
        """Its longest pass."""
        return max(self.passes, key=lambda one: one.length)

    def told(self) -> str:
        total = len(self.calls)
        share = 100 * self.refused / total if total else 0.0
        text = f"{self.name}: {len(self.passes)} passes, {total:,} calls ({self.writes:,} of them writes), "
        text += f"{self.refused} refused for their rate ({share:.1f} %), {self.cpu:.0f} s of CPU, "
        return text + f"{self.length:.1f} s of AWS's clock ({self.least:.1f} s at least by its buckets)"

    def wrong(self) -> Iterator[str]:
        """A line for each sort of call that failed, and one where it did not settle."""
        for what, count in Counter((call.operation, call.error) for call in self.calls if call.error).items():
            yield f"{count} × {' '.join(map(str, what))}"
        if not self.settled:
            yield f"{self.report.outcome}: {[one for one in self.report.outcomes if one.status != 'settled'][:3]}"


class Life:
    """One estate on one local AWS, phase by phase."""

    def __init__(self, ops: Host, text: str, rates: bool) -> None:
        """`rates`: whether the local AWS enforces AWS's rates and the program keeps to them."""
        self.ops, self.text = ops, text
        self._workers, self.rates = Together(ops.aws.clock, WORKERS), rates
        ops.use(self._workers, Time(ops.aws.clock))
        if rates:
            ops.aws.faults("[{call: '*', do: throttle}]")

    def process(self, **choices: Any) -> Loop:
        """A process of the program, begun now."""
        loop, now = self.ops.loop(self.text, grace=0.0, **choices), self.ops.aws.clock.monotonic
        loop.gateway.patience = Patience(now)  # the local AWS is slow for being on the same processors
        if self.rates:
            loop.gateway.sessions.traffic.limits = Limits(now, self._workers.wait)
        return loop

    def phase(self, name: str, loop: Loop, work: Callable[[Loop], Report]) -> Phase:
        """Do something with a process, and say what it took."""
        aws, one_pass = self.ops.aws, loop.one_pass
        passes = list[Stretch]()

        def counted(trigger: str) -> Report:
            before, at = len(aws.calls), aws.clock.monotonic()
            report = one_pass(trigger)
            passes.append(Stretch(calls=tuple(aws.calls[before:]), length=aws.clock.monotonic() - at))
            return report

        aws.clear_calls()
        began, cpu = aws.clock.monotonic(), time.process_time()
        loop.one_pass = counted  # type: ignore[method-assign]
        try:
            report = work(loop)
        finally:
            loop.one_pass = one_pass  # type: ignore[method-assign]
        return Phase(
            name=name,
            passes=tuple(passes),
            calls=tuple(aws.calls),
            cpu=time.process_time() - cpu,
            length=aws.clock.monotonic() - began,
            report=report,
        )


@contextmanager
def ops(text: str) -> Iterator[Host]:
    """A host of its own, with the regions of a config and pages as long as AWS's."""
    regions = {desired.region for desired in read(text).resources.values() if desired.region} | {"us-west-2"}
    with (
        tempfile.TemporaryDirectory(prefix="phases-") as folder,
        host(Path(folder), 0.0, regions=tuple(sorted(regions)), page_size=1000, delays=Delays()) as made,
    ):
        made.clients_of_its_own()
        yield made


def quiet() -> None:
    """Nothing is logged, and mistakes are shown as Python shows them."""
    log.configure(level="error", stream=open(os.devnull, "w"))  # noqa: SIM115 - until the process ends
    sys.excepthook = sys.__excepthook__
