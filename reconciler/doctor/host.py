"""What this host is like, as values: files, state directory, lock, systemd, libraries, time zones.  Used by the verb.

It reads and writes nothing.  What it could not find out is None, with no error: `host_findings` says what that means.
"""

from __future__ import annotations

import fcntl
import os
import platform
import re
import subprocess
import zoneinfo
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from reconciler.build import libraries

SYSTEMCTL_SECONDS = 3.0
UNIT = "reconciler.service"
BOOTED = Path("/run/systemd/system")
"""Is there where systemd has booted the host.  https://www.freedesktop.org/software/systemd/man/sd_booted.html"""


@dataclass(frozen=True, kw_only=True)
class File:
    """A file or a folder: owner, mode bits, and what opening it for reading said ("" when it can be read)."""

    path: Path
    owner: int = -1
    mode: int = 0
    is_folder: bool = False
    error: str = ""


@dataclass(frozen=True, kw_only=True)
class Directory:
    """The state directory of a stack; all but `path` is about `found`, the nearest folder that exists.

    `free_files` is None where the filesystem does not count them.  `flock` is what a try to lock said, "" for success.
    """

    path: Path
    found: Path
    mode: int = 0
    writable: bool = False
    read_only: bool = False
    filesystem: str = ""
    free_bytes: int = 0
    free_files: int | None = None
    flock: str = ""

    @property
    def exists(self) -> bool:
        return self.path == self.found


@dataclass(frozen=True, kw_only=True)
class Lock:
    """The lock of a stack: who holds it (`pid`, `what`, `since`), None when nobody does; `asked` is False when we may
    not even ask."""

    path: Path
    holder: Mapping[str, object] | None = None
    asked: bool = True


@dataclass(frozen=True, kw_only=True)
class Systemd:
    """systemd on this host.  `unit` has properties of the installed unit, empty when there is none.

    `notify_socket` and `watchdog_usec` are what this very process was given, "" outside of a unit.
    """

    release: str
    unit: Mapping[str, str]
    notify_socket: str = ""
    notify_socket_exists: bool = False
    watchdog_usec: str = ""

    @property
    def number(self) -> int:
        """The release as a number, 0 when it is not told."""
        digits = re.match(r"[0-9]+", self.release)
        return int(digits[0]) if digits else 0


@dataclass(frozen=True, kw_only=True)
class Host:
    """All of it.  `zones` has for each time zone whether the data base knows it."""

    user: int
    files: tuple[File, ...]
    state: Directory
    lock: Lock
    systemd: Systemd | None
    python: str
    libraries: Mapping[str, str | None]
    zones: Mapping[str, bool]


def examine(
    *,
    config: Path,
    state: Path,
    holder: Mapping[str, object] | None,
    zones: Iterable[str],
    environment: Mapping[str, str],
    named: Iterable[Path] = (),
) -> Host:
    """Look at everything.  `config` is the file or folder, `named` the files that it names beside it, `state` the
    stack's own state directory, `holder` who has its lock."""
    return Host(
        user=os.geteuid(),
        files=tuple(map(file, dict.fromkeys([*_config_files(config), *named]))),
        state=directory(state),
        lock=lock(state / "lock", holder),
        systemd=systemd(environment) if BOOTED.is_dir() else None,
        python=platform.python_version(),
        libraries=libraries(),
        zones={zone: _knows(zone) for zone in zones},
    )


def _config_files(config: Path) -> list[Path]:
    """The folder and its files, or the file and its folder."""
    if not config.is_dir():
        return [config, config.absolute().parent]
    with suppress(OSError):
        return [config, *sorted(path for path in config.glob("*.yaml") if not path.name.startswith("."))]
    return [config]


def file(path: Path) -> File:
    """A file as it is; of a link, what it leads to."""
    try:
        found = path.stat()
        readable = os.access(path, os.R_OK)
    except OSError as error:
        return File(path=path, error=error.strerror or str(error))
    return File(
        path=path,
        owner=found.st_uid,
        mode=found.st_mode & 0o7777,
        is_folder=path.is_dir(),
        error="" if readable else "Permission denied",
    )


def directory(path: Path) -> Directory:
    """The state directory, or where it would be made."""
    absolute = path.absolute()
    # os.path.exists, for it takes what may not be looked into as not there
    found = next((place for place in (absolute, *absolute.parents) if os.path.exists(place)), Path("/"))
    space = os.statvfs(found)
    return Directory(
        path=absolute,
        found=found,
        mode=found.stat().st_mode & 0o7777,
        writable=found.is_dir() and os.access(found, os.W_OK | os.X_OK),
        read_only=bool(space.f_flag & os.ST_RDONLY),
        filesystem=_filesystem(found),
        free_bytes=space.f_bavail * space.f_frsize,
        free_files=space.f_favail if space.f_files else None,
        flock=_flock(found),
    )


def _filesystem(path: Path) -> str:
    """The type of the filesystem that a path is on: of all mounts above it the nearest, of those the last."""
    best, kind = -1, ""
    real = path.resolve()
    with suppress(OSError):
        for line in Path("/proc/self/mountinfo").read_text().splitlines():
            left, _, right = line.partition(" - ")
            point = Path(re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), left.split(" ")[4]))
            if real.is_relative_to(point) and len(point.parts) >= best:
                best, kind = len(point.parts), right.split(" ")[0]
    return kind


def _flock(folder: Path) -> str:
    """Whether the filesystem can lock at all, tried on a folder that nobody else locks."""
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return ""  # that it cannot be opened is told by its mode
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return ""
    except OSError as error:
        return error.strerror or str(error)
    finally:
        os.close(handle)
    return ""


def lock(path: Path, holder: Mapping[str, object] | None) -> Lock:
    """The lock; `holder` is what the module of the locks says of it."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return Lock(path=path, holder=holder)
    except OSError:  # the folder cannot be looked into
        return Lock(path=path, holder=holder, asked=False)
    return Lock(path=path, holder=holder, asked=os.access(path, os.R_OK | os.W_OK))


def systemd(environment: Mapping[str, str]) -> Systemd:
    """What systemd says of itself and of our unit."""
    shown = _told("systemctl", "show", UNIT, "--property=LoadState,Type,ExecReload,WatchdogUSec")
    unit = dict(line.split("=", 1) for line in shown.splitlines() if "=" in line)
    first = _told("systemctl", "--version").partition("\n")[0]
    release = re.match(r"systemd (\S+)", first)
    socket = environment.get("NOTIFY_SOCKET", "")
    return Systemd(
        release=release[1] if release else "",
        unit=unit if unit.get("LoadState") == "loaded" else {},
        notify_socket=socket,
        notify_socket_exists=socket.startswith("@") or os.path.exists(socket),
        watchdog_usec=environment.get("WATCHDOG_USEC", ""),
    )


def _told(*words: str) -> str:
    """What a program of the host prints; nothing when it is missing, fails or takes too long."""
    with suppress(OSError, subprocess.SubprocessError):
        done = subprocess.run(
            words,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=SYSTEMCTL_SECONDS,
            check=True,
        )
        return done.stdout
    return ""


def _knows(zone: str) -> bool:
    try:
        zoneinfo.ZoneInfo(zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
