"""A host on which `make install` was run, booted with a real systemd: what the tests of the units stand on."""

from __future__ import annotations

import json
import os
import shutil
import sys
import sysconfig
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any, Literal

import pytest

from .lab import Lab, Missing, boot
from .support import ROOT, make

ACCOUNT = "123456789012"
KEYS = "AWS_ACCESS_KEY_ID=local\nAWS_SECRET_ACCESS_KEY=local\n"
NOWHERE = "http://127.0.0.1:9"
PYTHON = "/opt/python"
Program = Literal["stub", "program"]
"""What the units run: the contract with systemd and nothing else, or the real one."""

QUICK = "[Service]\nRestartSec=100ms\n"
ENDED = "[Service]\nExecStopPost=/bin/sh -c 'echo \"ended with $$EXIT_STATUS\"'\n"


@dataclass(frozen=True)
class Host:
    """A booted host, and what it is asked to do."""

    lab: Lab

    def stack(self, name: str, **config: str) -> str:
        """Write the config of a stack; gives its unit."""
        self.config(f"/etc/reconciler/stacks/{name}", stack=name, **config)
        return f"reconciler@{name}.service"

    def config(self, folder: str, *, stack: str, account: str = ACCOUNT, more: str = "") -> None:
        """Write a config."""
        head = f'stack: {stack}\naccount: "{account}"\nregion: us-west-2\nresources:\n'
        network = f"  global-network/main: {{Description: {stack}}}\n"
        self.lab.write(f"{folder}/estate.yaml", head + network + more)

    def start(self, unit: str, drop_in: str = "") -> str:
        """Start a unit and give its main process."""
        if drop_in:
            self.lab.drop_in(unit, drop_in)
        self.lab.systemctl("start", unit)
        return self.lab.show(unit, "MainPID")

    def shipped(self, unit: str, drop_in: str) -> None:
        """Put a shipped drop-in in force."""
        text = (self.lab.root / f"opt/reconciler/share/reconciler/drop-ins/{drop_in}").read_text()
        self.lab.drop_in(unit, text, drop_in)

    def failure(self, unit: str) -> dict[str, Any]:
        """The line of the failure unit of a unit."""
        hook = f"reconciler-failure@{unit}.service"
        self.lab.wait("the line of the failure unit", lambda: self.lab.said(hook, '"event":"unit.failed"'))
        (line,) = [line for line in self.lab.journal(hook) if '"unit.failed"' in line["MESSAGE"]]
        assert line["PRIORITY"] == "2"
        told: dict[str, Any] = json.loads(line["MESSAGE"])
        return told


def ended(host: Host, unit: str, status: int) -> int:
    """How often a oneshot that has the drop-in ENDED has ended like this; systemd forgets it once it is over."""
    return sum(line["MESSAGE"] == f"ended with {status}" for line in host.lab.journal(unit))


@contextmanager
def booted(
    folder: Path, program: Program = "stub", *, url: str = NOWHERE, installed: bool = True
) -> Iterator[Host]:
    """A host with everything installed, if it is to be; skips the test, with the reason, where there can be none.

    `SYSTEMD_LAB=require` in the environment makes that an error.  The sources are at /src.
    """
    if shutil.which("make") is None:
        pytest.skip("there is no make here")
    tree, binds = folder / "tree", {ROOT: "/src"}
    if installed:
        done = make("install", tree)
        assert done.returncode == 0, done.stderr
        _put_program(tree, program, binds)
    else:
        tree.mkdir()
        _python(binds)
    environment = tree / "etc/reconciler/environment"
    environment.parent.mkdir(parents=True)
    # The interpreter's own libraries, should it have been built for another place.
    libraries = f"LD_LIBRARY_PATH={PYTHON}/lib\n"
    environment.write_text(f"AWS_ENDPOINT_URL={url}\nRECONCILER_GRACE=0s\n{KEYS}{libraries}")
    try:
        with boot(folder, tree, binds) as lab:
            yield Host(lab)
    except Missing as reason:
        if os.environ.get("SYSTEMD_LAB") == "require":
            raise
        pytest.skip(str(reason))


def stub() -> str:
    """The stub as an executable for the lab."""
    return f"#!{_python({})}\n{(ROOT / 'tests/systemd/stub.py').read_text()}"


def _python(binds: dict[Path, str]) -> str:
    """The interpreter as the services see it: theirs to read even where ours is in somebody's home."""
    base = Path(sys.base_prefix).resolve()
    name = f"bin/python{sys.version_info.major}.{sys.version_info.minor}"
    if base.is_relative_to("/usr"):
        return str(base / name)
    binds[base] = PYTHON
    return f"{PYTHON}/{name}"


def _put_program(tree: Path, program: Program, binds: dict[Path, str]) -> None:
    """What `make install` would have made of the virtual environment, without a network."""
    interpreter = _python(binds)
    if program == "stub":
        text = stub()
    else:
        scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
        module, function = scripts["reconciler"].split(":")
        binds[ROOT / "reconciler"] = "/opt/reconciler/lib/ours/reconciler"
        binds[Path(sysconfig.get_path("purelib"))] = "/opt/reconciler/lib/theirs"
        text = f"#!{interpreter}\n" + dedent(f"""
            import sys
            sys.path[:0] = ["/opt/reconciler/lib/ours", "/opt/reconciler/lib/theirs"]
            from {module} import {function}
            sys.exit({function}())
        """)
    command = tree / "opt/reconciler/bin/reconciler"
    command.parent.mkdir(parents=True)
    command.write_text(text)
    command.chmod(0o755)
