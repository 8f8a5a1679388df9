"""Verbs for the ops host, which work without AWS and without the daemon: status, pause, resume, trigger."""

from __future__ import annotations

import getpass
import os
import signal
from pathlib import Path
from typing import Any

from reconciler import lock, pauses, status
from reconciler.errors import BusyError, ConfigError, ReconcilerError
from reconciler.exits import CHANGES, FAILED, GUARDED, OK
from reconciler.model.address import Address
from reconciler.model.config import Config
from reconciler.model.pause import Pause
from reconciler.moments import text
from reconciler.options import near
from reconciler.program import Program, UsageError
from reconciler.settings import duration
from reconciler.show import status as show_status


def told(program: Program) -> int:
    """`status`: how the stacks of this host stand, by what their last process has written."""
    now = program.clock.now()
    documents = [_document(program, stack) for stack in _stacks(program)]
    program.voice.answer(
        lambda: {"version": status.VERSION, "stacks": documents},
        lambda: show_status.as_text(documents, now, colour=program.voice.colour),
    )
    if not program.options.exit_code:
        return OK
    words = [show_status.standing(document, now) for document in documents] or ["nothing is known"]
    worst = (("failing", FAILED), ("nothing is known", FAILED), ("guarded", GUARDED), ("pending", CHANGES))
    return next((number for word, number in worst if word in words), OK)


def _stacks(program: Program) -> list[str]:
    """Those that are asked for: by name, by the config, or all that have left a word on this host."""
    known = status.stacks(program.settings.state_dir)
    if name := program.options.stack:
        if name not in known:
            raise ReconcilerError(
                f"nothing is known of the stack {name}{near(name, known)} in {program.settings.state_dir}"
            )
        return [name]
    if program.settings.config is not None:
        try:
            return [name for name in (program.config().stack,) if name in known]
        except ConfigError as error:  # a config that is refused is when a status is wanted most
            program.voice.line(f"reconciler: {error.problems[0]}; all stacks of this host:")
    return known


def _document(program: Program, stack: str) -> dict[str, Any]:
    directory = program.settings.state_dir / stack
    found = status.read(directory) or {"stack": stack, "state": "unknown"}
    held = lock.holder(directory)
    config = found.get("config", {}).get("path")
    now = program.clock.now()
    # pauses are read anew: a person may have paused a daemon that hangs, or that does not run
    paused = pauses.read(pauses.place(Path(config)), stack, now) if config else ()
    return {
        **found,
        "running": held is not None,
        "holder": held,
        "pauses": [pauses.as_data(one) for one in paused],
    }


def pause(program: Program) -> int:
    """`pause`: nothing of the stack, or of one address, is changed from here on."""
    config, options = program.config(), program.options
    now = program.clock.now()
    address = _address(config, options.address)
    if not options.reason or not options.reason.strip():
        raise UsageError("pause: say why, with --reason; whoever is on call next will want to know")
    until = None
    if options.for_ is not None:
        try:
            until = now + duration(options.for_)
        except ValueError as error:
            raise UsageError(f"--for: {error}") from None
    found = Pause(
        stack=config.stack,
        address=address,
        reason=options.reason.strip(),
        by=who(program),
        since=now,
        until=until,
    )
    pauses.add(pauses.place(program.path), found)
    end = f"until {text(until)}" if until is not None else "until `reconciler resume`"
    about = address or "everything"
    program.voice.answer(
        lambda: {"version": 1, "paused": pauses.as_data(found)},
        lambda: f"{config.stack}: {about} is paused {end}; a change that is in flight is finished.\n",
    )
    return OK


def resume(program: Program) -> int:
    """`resume`: changes are made again, at the next look."""
    config, now = program.config(), program.clock.now()
    address = program.options.address or ""
    ended = pauses.remove(pauses.place(program.path), config.stack, address, now)
    what = f"{address} was not paused" if address else "nothing was paused"
    names = ", ".join(one.address or "everything" for one in ended)
    program.voice.answer(
        lambda: {"version": 1, "resumed": [pauses.as_data(one) for one in ended]},
        lambda: f"{config.stack}: {names} goes on.\n" if ended else f"{config.stack}: {what}.\n",
    )
    return OK


def trigger(program: Program) -> int:
    """`trigger`: have the daemon look now, and try again what has failed."""
    config = program.config()
    held = lock.holder(program.state(config))
    if not held or held.get("what") != "daemon":
        other = (
            f"process {held['pid']} ({held['what']}) holds it"
            if held and "pid" in held
            else "nobody holds it"
        )
        raise BusyError(
            f"no daemon of {config.stack} runs here ({other}); start it, or say `reconciler run --once`"
        )
    try:
        os.kill(int(held["pid"]), signal.SIGUSR1)
    except ProcessLookupError as error:
        raise BusyError(f"process {held['pid']}, the daemon of {config.stack}, has just ended") from error
    except PermissionError as error:
        raise ReconcilerError(
            f"process {held['pid']} belongs to another user: say `sudo -u {held.get('user', 'reconciler')} "
            "reconciler trigger …`, or `systemctl kill --signal=USR1 reconciler`"
        ) from error
    program.voice.answer(
        lambda: {"version": 1, "pid": held["pid"]},
        lambda: f"{config.stack}: process {held['pid']} looks now; see `reconciler status`.\n",
    )
    return OK


def _address(config: Config, given: str | None) -> str:
    """An address of the config; one that it no longer names may be meant, if it looks like one."""
    if not given:
        return ""
    try:
        address = Address.parse(given)
    except ValueError as error:
        raise UsageError(str(error)) from None
    if address not in config.resources:
        known = [str(known) for known in config.resources]
        raise UsageError(f"{given} is not in the config{near(given, known)}")
    return str(address)


def who(program: Program) -> str:
    """The person at the keyboard, also behind sudo."""
    name = program.environment.get("SUDO_USER")
    try:
        return name or getpass.getuser()
    except (OSError, KeyError):  # a user id without a name
        return f"user {os.getuid()}"
