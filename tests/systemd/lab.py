"""A real systemd for tests, on a host whose own may be another or none.  Used by the tests that start the units.

systemd runs as the first process of namespaces of its own (mount, PID, cgroup, IPC, UTS; the network is the host's, so
that a local AWS on the loopback interface can be reached), on an overlay of the host's root: what is written inside is
gone with it.  Needs root, cgroup2, overlayfs, util-linux and systemd's own program; no Docker.  All of a unit's
sandboxing is in force but the limits of memory and tasks, where the host keeps those controllers to itself.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

PATIENCE = 60.0
"""Seconds until something that does not come is given up."""
SYSTEMD = Path("/lib/systemd/systemd")
ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LANG": "C.UTF-8",
    "SYSTEMD_PAGER": "",
    "SYSTEMD_COLORS": "0",
}


class Missing(Exception):
    """This machine cannot run a systemd of ours; the message says why."""


class Lab:
    """A host that has booted; everything is done as its root."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self.root = Path(f"/proc/{pid}/root")
        """Its files, to be read and written from outside."""

    def run(self, *words: str, check: bool = True, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """A command inside; AssertionError with what it said when `check` and it fails."""
        enter = ["nsenter", "-t", str(self._pid), "-m", "-p", "-u", "-i", "-C", "-n", "-r", "-w"]
        variables = [f"{name}={value}" for name, value in ENVIRONMENT.items()]
        done = subprocess.run(
            [*enter, "env", "-i", *variables, *words],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=3 * PATIENCE,
        )
        assert not check or done.returncode == 0, f"{' '.join(words)}: {done.stdout}{done.stderr}"
        return done

    def systemctl(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """`systemctl …`; of a start that fails the unit's log is told."""
        done = self.run("systemctl", *words, check=False)
        if check and done.returncode:
            log = self.run("journalctl", "-n", "15", "--no-hostname", "-u", words[-1], check=False).stdout
            raise AssertionError(f"systemctl {' '.join(words)}: {done.stderr}{log}")
        return done

    def show(self, unit: str, name: str) -> str:
        """One property of a unit."""
        return self.systemctl("show", "--value", "-p", name, unit).stdout.strip()

    def write(self, path: str, text: str, mode: int = 0o644) -> None:
        """A file inside, with the folders that it needs."""
        place = self.root / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
        place.chmod(mode)

    def drop_in(self, unit: str, text: str, name: str = "test.conf") -> None:
        """Put a drop-in in force for a unit."""
        self.write(f"/etc/systemd/system/{unit}.d/{name}", text)
        self.systemctl("daemon-reload")

    def journal(self, unit: str) -> list[dict[str, Any]]:
        """The lines of a unit and those that systemd writes about it, oldest first."""
        told = self.run("journalctl", "-o", "json", "--all", "-u", unit).stdout
        return [json.loads(line) for line in told.splitlines()]

    def said(self, unit: str, text: str) -> bool:
        """Whether a line of the journal of a unit holds this."""
        return any(text in str(line.get("MESSAGE")) for line in self.journal(unit))

    def wait(self, what: str, true: Callable[[], bool]) -> None:
        """Poll until something holds; AssertionError when it takes too long."""
        end = time.monotonic() + PATIENCE
        while not true():
            assert time.monotonic() < end, f"{what}: not in {PATIENCE:.0f} s"
            time.sleep(0.05)


@contextmanager
def boot(folder: Path, tree: Path, binds: Mapping[Path, str]) -> Iterator[Lab]:
    """A booted host; Missing where that cannot be.

    `folder`: an empty one for what it needs; `tree`: copied over the root; `binds`: folders of the host, and where
    they are seen inside, to be read only.
    """
    cgroup = _cgroup()
    told = [str(word) for bind in binds.items() for word in bind]
    script = Path(__file__).with_name("pid1.sh")
    unshare = ["unshare", "--mount", "--pid", "--fork", "--cgroup", "--ipc", "--uts", "--kill-child=SIGKILL"]
    # It has to be in its own cgroup before it unshares, for that becomes the root of what it sees.
    join = ["sh", "-c", f'echo $$ > "{cgroup}/cgroup.procs" && exec "$@"', "sh"]
    try:
        with (folder / "log").open("w") as log:
            outer = subprocess.Popen(
                [
                    *join,
                    *unshare,
                    "--propagation",
                    "private",
                    "sh",
                    str(script),
                    str(folder),
                    str(tree),
                    *told,
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        try:
            yield _up(outer, folder)
        finally:
            outer.kill()  # and with it, by --kill-child, everything inside
            outer.wait()
    finally:
        _remove(cgroup)


def _cgroup() -> Path:
    """A new cgroup, after a look at all else that is needed."""
    if os.geteuid() != 0:
        raise Missing("a systemd of our own needs root")
    if absent := [
        tool for tool in ("unshare", "nsenter", "pivot_root", "systemctl") if not shutil.which(tool)
    ]:
        raise Missing(f"a systemd of our own needs {', '.join(absent)}")
    if not SYSTEMD.exists():
        raise Missing(f"there is no {SYSTEMD} here")
    mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    trees = [Path(mount[1]) for mount in mounts if mount[2] == "cgroup2"]
    if not trees:
        raise Missing("the kernel's cgroup2 is not mounted")
    cgroup = trees[0] / f"reconciler-lab-{os.getpid()}-{time.monotonic_ns()}"
    try:
        cgroup.mkdir()
    except OSError as error:
        raise Missing(f"no cgroup of our own: {error}") from error
    return cgroup


def _up(outer: subprocess.Popen[bytes], folder: Path) -> Lab:
    """Wait for the boot; Missing with the last words when it does not come."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and outer.poll() is None:
        children = Path(f"/proc/{outer.pid}/task/{outer.pid}/children")
        with suppress(OSError, ValueError, IndexError, subprocess.SubprocessError):
            lab = Lab(int(children.read_text().split()[0]))
            if (folder / "booting").exists():
                state = lab.run("systemctl", "is-system-running", check=False).stdout.strip()
                if state in ("running", "degraded"):
                    lab.systemctl("log-target", "journal")  # until here it spoke to the log in `folder`
                    return lab
        time.sleep(0.05)
    what = "systemd does not boot here" if (folder / "booting").exists() else "the kernel refuses"
    words = (folder / "log").read_text().strip().splitlines()
    raise Missing(f"{what}: {' / '.join(words[-3:]) or 'without a word'}")


def _remove(cgroup: Path) -> None:
    """Take the cgroups away again; the kernel may need a moment until the dead have left them."""
    end = time.monotonic() + 5
    while cgroup.exists() and time.monotonic() < end:
        for path in sorted(cgroup.rglob("*/"), reverse=True):
            with suppress(OSError):
                path.rmdir()
        with suppress(OSError):
            cgroup.rmdir()
        time.sleep(0.02)
