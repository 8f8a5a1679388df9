"""What is to be said of a host.  Pure: from what `host` has gathered to findings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconciler.doctor.finding import Finding, bad, ok, unknown, warning
from reconciler.doctor.host import Directory, File, Host, Lock, Systemd
from reconciler.exits import BAD_CONFIG
from reconciler.model.place import Problem

NETWORKED = ("9p", "afs", "ceph", "cifs", "fuse.", "glusterfs", "gfs", "lustre", "ncp", "nfs", "ocfs", "smb")
"""How the names of filesystems begin that several hosts may share."""
LITTLE, TOO_LITTLE = 100 * 2**20, 2**20
"""Free bytes below which a state directory is worth a warning, and below which nothing is written any more."""
NOTIFIES_RELOADS = 253
"""The release of systemd that brought Type=notify-reload.

https://github.com/systemd/systemd/blob/main/NEWS, "CHANGES WITH 253"."""


def of_host(host: Host) -> list[Finding]:
    """Everything about the host."""
    return [
        *of_files(host.files, host.user),
        *of_state(host.state),
        of_lock(host.lock),
        *of_systemd(host.systemd),
        *of_software(host),
    ]


def of_config(path: str, resources: int, regions: Sequence[str], problems: Sequence[Problem]) -> Finding:
    """Whether the config can be used."""
    if not problems:
        where = f" in {', '.join(regions)}" if regions else ""
        return ok("config", f"{path}: {resources} resource{_s(resources)}{where}, no problems")
    count = len(problems)
    return bad(
        "config",
        f"{path}: {count} problem{_s(count)}, the first is {problems[0]}",
        f"correct what `reconciler check --config {path}` lists",
        BAD_CONFIG,
    )


def of_files(files: Sequence[File], user: int) -> Iterator[Finding]:
    """Who else could write the config: that is who else could delete the estate."""
    good = True
    for file in files:
        if file.error:
            good = False
            yield bad("files", f"{file.path}: {file.error}", "let us read it (chgrp, chmod g+r)", BAD_CONFIG)
        elif file.mode & 0o002 and not (file.is_folder and file.mode & 0o1000):
            good = False
            yield bad("files", f"{file.path} can be written by everybody", f"chmod o-w {file.path}")
        elif file.owner not in (0, user):
            good = False
            yield bad(
                "files",
                f"{file.path} belongs to user {file.owner}, neither to root nor to us ({user})",
                f"chown root {file.path}, or run as that user",
            )
    if good and files:
        yield ok("files", f"{files[0].path}: only root and we can write it")


def of_state(state: Directory) -> Iterator[Finding]:
    """Whether the state directory can be used: without it there is no lock and no audit log."""
    where = str(state.path) if state.exists else f"{state.path} (not there yet; {state.found} is)"
    before = f"{where}: "
    if state.read_only:
        yield bad("state", before + "the filesystem is read-only", "mount it for writing, or say --state-dir")
    elif not state.writable:
        yield bad(
            "state",
            before + "we cannot write there",
            f"run as the user of the service, chown {state.found} to us, or say --state-dir",
        )
    if state.flock:
        yield bad("state", before + f"no lock can be had ({state.flock})", "say --state-dir on a local disk")
    elif state.filesystem.startswith(NETWORKED):
        yield warning(
            "state",
            before + f"{state.filesystem} may be shared with other hosts, and need not keep locks",
            "say --state-dir on a local disk",
        )
    if state.exists and state.mode & 0o022:
        who = "everybody" if state.mode & 0o002 else "its group"
        told = before + f"{who} can write there (mode {state.mode:04o})"
        yield (bad if state.mode & 0o002 else warning)("state", told, f"chmod go-w {state.path}")
    if state.free_bytes < LITTLE or state.free_files == 0:
        left = (
            "no more files fit" if state.free_files == 0 else f"{state.free_bytes / 2**20:.1f} MiB are free"
        )
        full = state.free_bytes < TOO_LITTLE or state.free_files == 0
        yield (bad if full else warning)("state", before + left, "make room on that filesystem")
    if state.writable and not state.read_only:
        yield ok(
            "state",
            f"{where}: writable, {state.filesystem or 'a filesystem'} with {state.free_bytes / 2**30:.1f} GiB free",
        )


def of_lock(lock: Lock) -> Finding:
    """Who holds the stack."""
    if not lock.asked:
        return unknown("lock", f"{lock.path}: we may not ask who holds it", "run as the user of the service")
    if lock.holder is None:
        return ok("lock", f"{lock.path}: free")
    pid, what, since = (lock.holder.get(name, "?") for name in ("pid", "what", "since"))
    return ok("lock", f"{lock.path}: held by process {pid} ({what}) since {since}")


def of_systemd(systemd: Systemd | None) -> Iterator[Finding]:
    """What the service manager can do for us."""
    if systemd is None:
        yield ok("systemd", "does not run this host; `reconciler run` works without it")
        return
    release = f"systemd {systemd.release or '(release unknown)'}"
    kind, watchdog = systemd.unit.get("Type", ""), systemd.unit.get("WatchdogUSec", "")
    if kind == "notify-reload" or (not systemd.unit and systemd.number >= NOTIFIES_RELOADS):
        yield ok("systemd", f"{release}: Type=notify-reload, `systemctl reload` waits for the outcome")
    elif kind == "notify" and systemd.unit.get("ExecReload"):
        yield ok("systemd", f"{release}: Type=notify, and the unit says how to reload")
    elif kind == "notify":
        yield warning(
            "systemd",
            f"{release}: Type=notify, and the unit does not say how to reload",
            "install the drop-in 20-reload-classic.conf, then systemctl daemon-reload",
        )
    elif systemd.unit:
        yield bad(
            "systemd",
            f"{release}: the unit is Type={kind}, so that it counts as started before config and account are good",
            "install the unit that is shipped, then systemctl daemon-reload",
        )
    else:
        yield ok("systemd", f"{release}: has no notify-reload; `make install` adds the drop-in for reloads")
    if systemd.unit and watchdog in ("", "0", "infinity"):
        yield warning("systemd", "the unit has no watchdog: a hang goes unnoticed", "set WatchdogSec=90s")
    elif systemd.unit:
        yield ok("systemd", f"watchdog: {watchdog}")
    if systemd.notify_socket and not systemd.notify_socket_exists:
        yield bad(
            "systemd",
            f"NOTIFY_SOCKET={systemd.notify_socket} is not there",
            "start it by its unit, and unset the variable elsewhere",
        )


def of_software(host: Host) -> Iterator[Finding]:
    """Python, libraries and the time zone data base."""
    versions = [f"{name} {version}" for name, version in host.libraries.items() if version]
    yield ok("software", f"python {host.python}, {', '.join(versions)}")
    if missing := [name for name, version in host.libraries.items() if version is None]:
        yield bad(
            "software",
            f"not installed: {', '.join(missing)}",
            "pip install --require-hashes -r requirements.lock",
        )
    if strange := [zone for zone, known in host.zones.items() if not known]:
        yield bad(
            "time zones",
            f"the time zone data base does not know {', '.join(strange)}",
            "install the package tzdata of the system",
        )
    elif host.zones:
        yield ok("time zones", f"{', '.join(host.zones)}: known")


def _s(count: int) -> str:
    return "" if count == 1 else "s"
