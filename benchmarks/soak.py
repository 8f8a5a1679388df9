"""Whether the daemon's memory stays flat: `python -m benchmarks.soak [--resources 1000] [--passes 200]`.

It makes an estate on the local AWS, lets a daemon look at it again and again, and reads the daemon's resident memory
after the tenth pass and after the last.  `--regions 10` spreads the estate, for the figure of an idle daemon.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.cached import Cache, cached

ROOT = Path(__file__).parents[1]
REGIONS = (
    *("us-west-2", "eu-central-1", "eu-west-1", "us-east-1", "us-east-2", "ap-southeast-1", "ap-northeast-1"),
    *("eu-north-1", "sa-east-1", "ca-central-1"),
)
WARM = 10
"""Passes after which everything that is made once has been made."""
PATIENCE = 600.0


@dataclass(frozen=True)
class Figures:
    """Resident memory in MiB, seconds for all passes, requests for one."""

    warm: float
    last: float
    seconds: float
    requests: float

    @property
    def growth(self) -> float:
        """The last figure as a multiple of the warm one."""
        return self.last / self.warm


def estate(resources: int, regions: int) -> str:
    """A config of VPCs, each with ten subnets and nine security groups."""
    lines = ["stack: soak", 'account: "123456789012"', "region: us-west-2", "every: 1h", "resources:"]
    for number in range(max(1, resources // 20)):
        region = REGIONS[number % regions]
        vpc = f"vpc/v{number}"
        second = number // 250
        third = number % 250
        lines.append(
            f"  {vpc}: {{region: {region}, CidrBlock: 10.{second * 64 + third // 4}.{third % 4 * 64}.0/20}}"
        )
        for inner in range(10):
            cidr = f"10.{second * 64 + third // 4}.{third % 4 * 64 + inner}.0/24"
            lines.append(
                f'  subnet/v{number}-{inner}: {{region: {region}, VpcId: "${{{vpc}}}", CidrBlock: {cidr}}}'
            )
        for inner in range(9):
            lines.append(
                f'  security-group/v{number}-{inner}: {{region: {region}, VpcId: "${{{vpc}}}", '
                f"GroupName: group-{inner}, Description: soak}}"
            )
    return "\n".join(lines) + "\n"


@contextmanager
def sandbox(folder: Path) -> Iterator[Cache]:
    """A local AWS behind a cache."""
    ready = folder / "ready"
    words = [sys.executable, "-m", "reconciler", "sandbox", "--ready-file", str(ready)]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.DEVNULL) as process:
        try:
            wait_for(ready.exists)
            with cached(ready.read_text().strip()) as found:
                yield found
        finally:
            process.terminate()


def wait_for(true: object) -> None:
    """Poll until something holds."""
    end = time.monotonic() + PATIENCE
    while not true():  # type: ignore[operator] # a function without arguments
        if time.monotonic() > end:
            raise TimeoutError(f"nothing after {PATIENCE:.0f} s")
        time.sleep(0.005)


def resident(process: int) -> float:
    """MiB."""
    with open(f"/proc/{process}/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def soak(resources: int, passes: int, regions: int = 1) -> Figures:
    """Make the estate, look at it `passes` times, and say what it took."""
    with tempfile.TemporaryDirectory(prefix="soak-") as name, sandbox(Path(name)) as aws:
        folder = Path(name)
        config, log = folder / "estate.yaml", folder / "log"
        config.write_text(estate(resources, regions))
        words = [
            sys.executable,
            "-m",
            "reconciler",
            "run",
            "--config",
            str(config),
            "--state-dir",
            str(folder / "state"),
        ]
        words += ["--endpoint-url", aws.url, "--log-format", "json", "--grace", "0s"]
        keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
        environment = {**os.environ, **keys, "AWS_EC2_METADATA_DISABLED": "true"}
        subprocess.run([*words, "--once"], env=environment, cwd=ROOT, check=True, capture_output=True)
        with (
            log.open("w") as stream,
            subprocess.Popen(words, env=environment, cwd=ROOT, stderr=stream) as daemon,
        ):
            try:
                return _look(daemon, log, passes, aws)
            finally:
                daemon.send_signal(signal.SIGTERM)


def _look(daemon: subprocess.Popen[bytes], log: Path, passes: int, aws: Cache) -> Figures:
    def ended() -> int:
        return log.read_bytes().count(b'"event":"pass.finished"')

    wait_for(lambda: ended() >= 1)
    warm = 0.0
    began, before = time.monotonic(), aws.requests
    for number in range(1, passes):
        if number == WARM:
            warm = resident(daemon.pid)
            began, before = time.monotonic(), aws.requests
        daemon.send_signal(signal.SIGUSR1)
        wait_for(lambda number=number: ended() > number)
    finished = [
        line for line in map(json.loads, log.read_text().splitlines()) if line["event"] == "pass.finished"
    ]
    assert {line["outcome"] for line in finished} == {"settled"}, "a settled estate stays settled"
    counted = passes - WARM
    return Figures(warm, resident(daemon.pid), time.monotonic() - began, (aws.requests - before) / counted)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--resources", type=int, default=1000)
    parser.add_argument("--passes", type=int, default=200)
    parser.add_argument("--regions", type=int, default=1)
    chosen = parser.parse_args()
    found = soak(chosen.resources, chosen.passes, chosen.regions)
    print(
        f"{chosen.resources} resources in {chosen.regions} regions, {chosen.passes} passes: "
        f"{found.warm:.1f} MiB after {WARM}, {found.last:.1f} MiB at the end (x {found.growth:.3f}); "
        f"{found.seconds / (chosen.passes - WARM) * 1000:.0f} ms and {found.requests:.1f} requests a pass"
    )


if __name__ == "__main__":
    main()
