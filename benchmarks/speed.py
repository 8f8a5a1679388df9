"""What a settled estate costs, beside boto3 as it comes: `python -m benchmarks.speed [--sizes 10 100] [--tries 3]`.

For each number of resources it serves an estate (`benchmarks.world`) from memory, and lets a bare boto3 pass, a
one-shot `plan` and a daemon look at it.  Ratios are of CPU seconds within this run; the least of some tries counts, for
what else the machine does only adds.  `--soak` makes 150 passes of each daemon and compares its memory.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.answers import serving
from benchmarks.soak import ROOT, WARM, resident, wait_for
from benchmarks.world import REGIONS, Row, Where, config, resources, shown
from reconciler import heap
from reconciler.aws.schema import BotocoreSchema
from reconciler.desired import load
from reconciler.desired.files import read
from reconciler.desired.source import parse
from reconciler.kinds import BY_NAME

SIZES = (10, 100, 1_000, 10_000)
LATENCY = 0.1
TICK = os.sysconf("SC_CLK_TCK")
LARGEST = {"ec2": 1_000, "networkmanager": 500}
"""Rows of a page at most."""
LONG = 150
"""Passes of a soak."""


@dataclass(frozen=True)
class Limits:
    """What issue and users ask for at a size: CPU as a multiple of bare boto3's, seconds, MiB."""

    plan: float
    warm: float
    wall: float
    memory: float


LIMITS = {
    10: Limits(1.3, 1.5, 0.30, 75),
    100: Limits(1.3, 1.5, 0.30, 75),
    1_000: Limits(1.0, 0.6, 0.40, 100),
    10_000: Limits(0.5, 0.5, 2.0, 165),
}
GROWTH = 1.05
PARSE_SECONDS = 1.5


@dataclass(frozen=True)
class Figures:
    """CPU seconds, seconds of a pass with latency, MiB at most, and requests of a pass beside what they should be."""

    size: int
    bare_once: float
    plan: float
    bare_pass: float
    warm: float
    wall: float
    memory: float
    calls: int
    pages: int
    growth: float | None


ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "RECONCILER_"))},
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_EC2_METADATA_DISABLED": "true",
}


def measure(size: int, tries: int, soak: bool) -> Figures:
    """Everything of one size."""
    estate = resources(size)
    rows = shown(estate)
    with serving(rows, REGIONS) as aws, tempfile.TemporaryDirectory(prefix="speed-") as name:
        folder = Path(name)
        (folder / "estate.yaml").write_text(config(estate))
        words = [sys.executable, "-m", "reconciler"]
        options = ["--config", str(folder / "estate.yaml"), "--state-dir", str(folder / "state")]
        options += ["--endpoint-url", aws.url]
        cpu([*words, "plan", *options])  # it also notes what the discovery look has found
        used = [region for region in REGIONS if any(one.region == region for one in estate)]
        bare = [sys.executable, "-m", "benchmarks.bare", aws.url, ",".join(used)]
        bare_once, plan = [], []
        for _ in range(tries):
            bare_once.append(cpu([*bare, "1"])[0])
            plan.append(cpu([*words, "plan", *options])[0])
        passes = passes_of(size)
        bare_pass, warm = [], []
        with running([*words, "run", *options, "--log-format", "json", "--grace", "0s"], folder) as daemon:
            daemon.look(WARM if soak else 2)
            aws.asked.clear()
            daemon.look(1)
            calls = aws.asked.total()
            for _ in range(
                tries
            ):  # in turn, and as many together on both sides: other things make a pass longer
                lines = cpu([*bare, str(passes + 1)])[1].splitlines()[1:]
                bare_pass.append(sum(json.loads(line)["cpu"] for line in lines) / passes)
                warm.append(daemon.cpu_of(passes) / passes)
            tenth = resident(daemon.pid)
            if soak:
                daemon.look(LONG - WARM)
            growth = resident(daemon.pid) / tenth if soak else None
            aws.latency = LATENCY
            wall = min(daemon.look(1) for _ in range(3))
            memory = daemon.most()
        return Figures(
            size,
            min(bare_once),
            min(plan),
            min(bare_pass),
            min(warm),
            wall,
            memory,
            calls,
            pages(rows).total(),
            growth,
        )


def passes_of(size: int) -> int:
    """How many passes are measured together: the kernel counts in hundredths of a second."""
    return {10: 50, 100: 20, 1_000: 10}.get(size, 3)


def pages(rows: Mapping[Where, list[Row]]) -> Counter[str]:
    """How many pages of AWS's largest size there are, by operation."""
    found: Counter[str] = Counter()
    for (service, _, operation), listed in rows.items():
        found[f"{service}:{operation}"] += -(-len(listed) // LARGEST[service])
    return found


def cpu(words: list[str]) -> tuple[float, str]:
    """Seconds of CPU that a command takes, and what it prints."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(words, env=ENVIRONMENT, cwd=ROOT, capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(f"{' '.join(words)}: {done.stderr[-2000:]}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stdout


class Daemon:
    """A daemon whose passes are asked for one by one."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self.pid, self._log, self._passes = process.pid, log, 0
        self._wait()

    def _wait(self) -> list[str]:
        self._passes += 1
        wait_for(lambda: self._ended() >= self._passes)
        return self._log.read_text().splitlines()

    def _ended(self) -> int:
        return self._log.read_bytes().count(b'"event":"pass.finished"')

    def look(self, times: int) -> float:
        """So many passes; the seconds of the last."""
        seconds = 0.0
        for _ in range(times):
            os.kill(self.pid, signal.SIGUSR1)
            last = next(json.loads(line) for line in reversed(self._wait()) if '"pass.finished"' in line)
            if last["outcome"] != "settled":
                raise SystemExit(f"a settled estate stays settled: {last}")
            seconds = last["duration_ms"] / 1000
        return seconds

    def cpu_of(self, times: int) -> float:
        """Seconds of CPU of so many passes."""
        before = self._cpu()
        self.look(times)
        return self._cpu() - before

    def _cpu(self) -> float:
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(") ")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def most(self) -> float:
        """The most memory that it has had, in MiB."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


@contextmanager
def running(words: list[str], folder: Path) -> Iterator[Daemon]:
    """A daemon that has made its first pass."""
    log = folder / "log"
    with (
        log.open("w") as stream,
        subprocess.Popen(words, env=ENVIRONMENT, cwd=ROOT, stderr=stream) as process,
    ):
        try:
            yield Daemon(process, log)
        finally:
            process.send_signal(signal.SIGTERM)


def parsing(size: int) -> tuple[float, float]:
    """Seconds of CPU to parse a config with its places, and to load it: parsed, checked, made into resources."""
    with tempfile.TemporaryDirectory(prefix="speed-") as name:
        path = Path(name) / "estate.yaml"
        path.write_text(config(resources(size)))
        schema = BotocoreSchema()
        ((file,), _) = read(path)
        with heap.nothing_to_collect():  # as the program has it
            began = time.process_time()
            parse(file)
            parsed = time.process_time()
            load(path, kinds=BY_NAME, schema=schema, variables={}, environment={}, default_region="")
            return parsed - began, time.process_time() - parsed


def told(figures: Figures) -> str:
    """One line of the table."""
    limits = LIMITS.get(figures.size)

    def beside(found: float, limit: float | None, form: str = ".2f") -> str:
        mark = "" if limit is None or found <= limit else " **over**"
        return f"{found:{form}}" + ("" if limit is None else f" (≤ {limit:g}){mark}")

    return (
        " | ".join(
            (
                f"| {figures.size:,}",
                f"{figures.calls} (= {figures.pages})"
                + ("" if figures.calls == figures.pages else " **not equal**"),
                f"{figures.bare_once:.2f}",
                f"{figures.plan:.2f}",
                "× " + beside(figures.plan / figures.bare_once, limits and limits.plan),
                f"{figures.bare_pass * 1000:.0f}",
                f"{figures.warm * 1000:.0f}",
                "× " + beside(figures.warm / figures.bare_pass, limits and limits.warm),
                beside(figures.wall, limits and limits.wall),
                beside(figures.memory, limits and limits.memory, ".0f"),
                "" if figures.growth is None else "× " + beside(figures.growth, GROWTH, ".3f"),
            )
        )
        + " |"
    )


HEAD = (
    "| N | calls | bare, s | `plan`, s | `plan` / bare | bare pass, ms | warm pass, ms | warm / bare "
    "| wall at 100 ms, s | most memory, MiB | after 150 passes |"
)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", type=int, nargs="*", default=SIZES)
    parser.add_argument("--tries", type=int, default=3)
    parser.add_argument("--soak", action="store_true")
    chosen = parser.parse_args()
    print(HEAD, "|---" * HEAD.count(" | ") + "|---|", sep="\n", flush=True)
    for size in chosen.sizes:
        print(told(measure(size, chosen.tries, chosen.soak)), flush=True)
    largest = max(chosen.sizes)
    parsed, loaded = parsing(largest)
    print(f"\n{largest:,} resources of YAML: parsed in {parsed:.2f} s, loaded in {loaded:.2f} s")


if __name__ == "__main__":
    main()
