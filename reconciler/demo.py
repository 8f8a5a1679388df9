"""The whole story on the local AWS: plan, apply, settle, break, see the drift, mend it, read the outputs.  `make demo`.

It speaks through the command line, as a person would, and never uses the caller's AWS settings.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from reconciler.aws.gateway import Gateway
from reconciler.aws.session import Sessions
from reconciler.model.calls import Call

ACCOUNT, REGION = "123456789012", "us-west-2"
CONFIG = Path("config/ai-global.yaml")
READY_SECONDS = 30.0


def main() -> int:
    """Play the story; 0 when every step came out as it should."""
    environment = clean(os.environ)
    os.environ.clear()
    os.environ.update(environment)
    with tempfile.TemporaryDirectory(prefix="reconciler-demo-") as folder, local_aws(Path(folder)) as url:
        command = Commands(url, Path(folder) / "state")
        say("What would be done, in an empty account?")
        command("plan", "--detailed-exitcode", expect=2)
        say("Do it. (Nothing is remembered of earlier runs, so creations wait five seconds first.)")
        command("run", "--once", expect=0)
        say("Once more: nothing to do.")
        command("plan", "--detailed-exitcode", expect=0)
        say("Behind its back: a description edited, the instance terminated, the tag `team` removed.")
        break_things(url, json.loads(command.read("outputs", "--json")))
        say("What differs?")
        command("drift", expect=2)
        say("Mend it.")
        command("run", "--once", expect=0)
        command("plan", "--detailed-exitcode", expect=0)
        say("The outputs.")
        command("outputs", expect=0)
        say("Take everything down again.")
        command("destroy", "--yes", expect=0)
    say("That was all of it.")
    return 0


def clean(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment without anything that leads to a real account."""
    kept = {
        name: value for name, value in environment.items() if not name.startswith(("AWS_", "RECONCILER_"))
    }
    return kept | {
        "AWS_ACCESS_KEY_ID": "sandbox",
        "AWS_SECRET_ACCESS_KEY": "sandbox",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


@contextmanager
def local_aws(folder: Path) -> Iterator[str]:
    """A local AWS of its own process; gives its URL, and stops it at the end."""
    ready = folder / "ready"
    with subprocess.Popen(
        [sys.executable, "-m", "reconciler", "sandbox", "--port", "0", "--ready-file", str(ready)]
    ) as process:
        try:
            end = time.monotonic() + READY_SECONDS
            while not ready.exists():
                if process.poll() is not None or time.monotonic() > end:
                    raise SystemExit("demo: the local AWS did not start")
                time.sleep(0.05)
            yield ready.read_text().strip()
        finally:
            process.terminate()


class Commands:
    """The command line against the local AWS."""

    def __init__(self, url: str, state: Path) -> None:
        self._options = ["--config", str(CONFIG), "--endpoint-url", url, "--state-dir", str(state)]

    def __call__(self, verb: str, *options: str, expect: int) -> None:
        """Run a verb and show it; SystemExit when it does not end as it should."""
        print(f"\n$ reconciler {verb} --config {CONFIG} {' '.join(options)}".rstrip(), flush=True)
        status = subprocess.run(self._line(verb, options), check=False).returncode
        print(f"(exit status {status})", flush=True)
        if status != expect:
            raise SystemExit(f"demo: expected exit status {expect}")

    def read(self, verb: str, *options: str) -> str:
        """What a verb answers."""
        return subprocess.run(self._line(verb, options), check=True, stdout=subprocess.PIPE, text=True).stdout

    def _line(self, verb: str, options: tuple[str, ...]) -> list[str]:
        # the log is left to warnings: what is told here is the answers
        return [sys.executable, "-m", "reconciler", verb, *options, *self._options, "--log-level", "error"]


def break_things(url: str, outputs: Mapping[str, str]) -> None:
    """What a colleague does by hand."""
    sessions = Sessions(account=ACCOUNT, accounts={}, region=REGION, stack="by-hand", endpoint_url=url)
    gateway = Gateway(sessions)
    network, site = outputs["globalNetworkId"], outputs["siteOneId"]
    arn = f"arn:aws:networkmanager::{ACCOUNT}:site/{network}/{outputs['siteTwoId']}"
    edited = {"GlobalNetworkId": network, "SiteId": site, "Description": "edited by hand"}
    for service, operation, parameters in (
        ("networkmanager", "UpdateSite", edited),
        ("networkmanager", "UntagResource", {"ResourceArn": arn, "TagKeys": ["team"]}),
        ("ec2", "TerminateInstances", {"InstanceIds": [outputs["aiWorkloadInstanceId"]]}),
    ):
        print(f"  {service}: {operation}", flush=True)
        region = REGION if service == "ec2" else ""
        gateway.perform(
            Call(service=service, operation=operation, parameters=parameters, account=ACCOUNT, region=region)
        )


def say(text: str) -> None:
    """A heading."""
    print(f"\n== {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
