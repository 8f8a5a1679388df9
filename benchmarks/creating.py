"""Creating N resources under AWS's rates, and healing one of them: `python -m benchmarks.creating [--sizes 100 1000]`.

The estate of `benchmarks.world` is created from nothing on the local AWS in this process, with AWS's token buckets
enforced and a clock that goes on only when all workers wait for it (`benchmarks.phases`).  Once it is settled, the same
process heals what another's hand does to it: a tag of an instance, the description of a site, an instance terminated.
What is printed below the table is what each pass of that called, beside a settled one.  Ends with 1 if anything is over
its limit.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.phases import PATIENCE, Life, Phase, Stretch, ops, quiet
from benchmarks.world import Resource, config, resources
from reconciler.model.things import Observed
from reconciler.sandbox.calls import is_read
from tests.together import slowest

SIZES = (100, 1_000)
SECONDS: Mapping[int, float] = {100: 3.0, 1_000: 25.0}
"""How long creation may take, by the number of resources."""
REFUSED = 5.0
"""Calls of a hundred that AWS may refuse for their rate."""
SPEED = 90.0
"""How fast creation has to be, in percent of what the slowest bucket allows."""
LATER = 60.0
"""Seconds between what a hand does and the next look; the buckets are full again."""
IMAGE = "${ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64}"
"""In place of the one of `benchmarks.world`, which nobody has made."""


@dataclass(frozen=True)
class Healing:
    """What a hand did, the operation that mends it (None: it may take what it takes), and what was called for that."""

    what: str
    change: str | None
    settled: Stretch
    phase: Phase

    @property
    def most(self) -> int:
        """Calls that the first pass may make: those of a settled one, the change, and one that reads it back."""
        return len(self.settled.calls) + 2

    def over(self) -> bool:
        """Whether it is not healed, or a pass called more than it may: those after the first are as settled ones."""
        first, *others = self.phase.passes
        if self.change is None:
            return not (self.phase.settled and self.phase.writes)
        more = first.operations - self.settled.operations
        healed = self.phase.settled and more.pop(self.change, 0) == 1
        reads_back = more.total() <= 1 and all(map(is_read, more))
        return not (healed and reads_back) or any(one.operations - self.settled.operations for one in others)

    def told(self) -> Iterator[str]:
        """What each pass called, operation by operation."""
        calls, limit = len(self.phase.calls), "" if self.change is None else f", the first with ≤ {self.most}"
        yield f"{self.what}: {len(self.phase.passes)} passes{limit}, {calls} calls, {self.phase.length:.1f} s"
        for number, one in enumerate(self.phase.passes, 1):
            allowed = self.settled.operations
            if self.change and number == 1:
                allowed[self.change] += 1
            both = sorted(one.operations | allowed)
            beside = ", ".join(f"{name} {one.operations[name]} ({allowed[name]})" for name in both)
            word = "settled" if self.change is None else "allowed"
            yield f"  pass {number}, {len(one.calls)} calls ({allowed.total()} {word}): {beside}"
        yield from (f"  {line}" for line in self.phase.wrong())


@dataclass(frozen=True)
class Found:
    """Everything of one size."""

    size: int
    created: Phase
    settled: Phase
    healings: tuple[Healing, ...]

    def row(self) -> str:
        """A line of the table."""
        made, most = self.created, SECONDS.get(self.size)
        share = 100 * made.refused / len(made.calls)
        seconds = f"{made.length:.1f}" + ("" if most is None else f" (≤ {most:g}){_over(made.length > most)}")
        cells = [f"{self.size:,}", seconds, *self._floor(), f"{len(made.passes)}", f"{len(made.calls):,}"]
        cells.append(f"{made.refused} ({share:.1f} %, ≤ {REFUSED:g} %){_over(share > REFUSED)}")
        cells.append(f"{len(self.settled.calls)}{_over(self._busy)}")
        for one in self.healings:
            first, *others = one.phase.passes
            limit = "" if one.change is None else f" (≤ {one.most})"
            cells.append(
                " + ".join([f"{len(first.calls)}{limit}", *(f"{len(other.calls)}" for other in others)])
            )
            cells[-1] += _over(one.over())
        return f"| {' | '.join(cells)} |"

    def _floor(self) -> tuple[str, str]:
        seconds, bucket = slowest(self.created.calls)
        if seconds <= 0:
            return "0", "–"
        return f"{seconds:.1f} ({bucket})", f"{self._speed:.0f} % (≥ {SPEED:g} %){_over(self._slow, 'under')}"

    @property
    def _speed(self) -> float:
        return 100 * self.created.least / self.created.length if self.created.length else 100.0

    @property
    def _slow(self) -> bool:
        """Only where a bucket is ever empty: else it is states alone that are waited for."""
        return 0 < self.created.least < SPEED / 100 * self.created.length

    @property
    def _busy(self) -> bool:
        return not self.settled.settled or self.settled.writes > 0 or self.settled.refused > 0

    def good(self) -> bool:
        """Whether all limits hold."""
        made = self.created
        in_time = made.length <= SECONDS.get(self.size, PATIENCE) and not self._slow
        taken = made.settled and 100 * made.refused <= REFUSED * len(made.calls)
        return in_time and taken and not self._busy and not any(one.over() for one in self.healings)

    def told(self) -> Iterator[str]:
        """What the table does not say."""
        yield f"{self.size:,} resources, {self.created.told()}"
        yield from (f"  {line}" for line in self.created.wrong())
        for number, one in enumerate(self.created.passes, 1):
            seconds, bucket = slowest(one.calls)
            yield f"  pass {number}: {one.length:.1f} s, of which {max(0.0, seconds):.1f} s by {bucket}"
        for healing in self.healings:
            yield from healing.told()


def _over(whether: bool, word: str = "over") -> str:
    return f" **{word}**" if whether else ""


HEAD = (
    "| N | created, s | slowest bucket, s | of what it allows | passes | calls | refused "
    "| settled pass, calls | tag changed | description changed | instance terminated |"
)


def estate(size: int) -> list[Resource]:
    """The estate, with an image that there is in each region."""
    return [
        replace(one, spec={**one.spec, "ImageId": IMAGE}) if one.kind == "instance" else one
        for one in resources(size)
    ]


def measure(size: int) -> Found:
    """Create, settle, and heal."""
    text = config(estate(size))
    with ops(text) as made:
        life = Life(made, text, rates=True)
        process = life.process()
        created = life.phase("created", process, lambda loop: loop.until_settled(PATIENCE))
        settled = life.phase("settled", process, lambda loop: loop.one_pass("benchmark"))
        things = {entry.label: entry.seen for entry in settled.report.plan.entries if entry.seen}
        healings = []
        for what, change, (service, operation, region, parameters) in hands(things):
            made.aws.clock.advance(LATER)
            made.by_hand(service, operation, region, **parameters)
            made.aws.clock.advance(LATER)
            phase = life.phase(what, process, lambda loop: loop.until_settled(PATIENCE))
            healings.append(Healing(what, change, settled, phase))
        return Found(size, created, settled, tuple(healings))


def hands(
    things: Mapping[str, Observed],
) -> Iterator[tuple[str, str | None, tuple[str, str, str, dict[str, Any]]]]:
    """What another does, the operation that mends it, and the call by which it is done."""
    tagged, gone, site = (things[address] for address in ("instance/i0", "instance/i1", "site/s0"))
    tags = {"Resources": [tagged.id], "Tags": [{"Key": "env", "Value": "of another"}]}
    yield "tag changed", "CreateTags", ("ec2", "CreateTags", tagged.scope.region, tags)
    named = {"GlobalNetworkId": site.raw["GlobalNetworkId"], "SiteId": site.id, "Description": "of another"}
    yield "description changed", "UpdateSite", ("networkmanager", "UpdateSite", "", named)
    ids = {"InstanceIds": [gone.id]}
    yield "instance terminated", None, ("ec2", "TerminateInstances", gone.scope.region, ids)


def main() -> int:
    """Print the table, and what is behind it; 1 if anything is over."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", type=int, nargs="*", default=SIZES)
    chosen = parser.parse_args()
    quiet()
    print(HEAD, "|---" * (HEAD.count(" | ") + 1) + "|", sep="\n", flush=True)
    found = []
    for size in chosen.sizes:
        found.append(measure(size))
        print(found[-1].row(), flush=True)
    for one in found:
        print("", *one.told(), sep="\n")
    return 0 if all(one.good() for one in found) else 1


if __name__ == "__main__":
    sys.exit(main())
