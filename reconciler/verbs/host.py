"""Verbs for the ops host, which work without AWS and without the daemon: status, pause, resume, trigger."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from reconciler import lock, pauses, resumed, status
from reconciler.errors import BusyError, ConfigError, ReconcilerError
from reconciler.exits import CHANGES, FAILED, GUARDED, OK
from reconciler.model.address import REPLACED, Address
from reconciler.model.config import Config
from reconciler.model.pause import Pause
from reconciler.moments import seconds, text
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
        lambda: (
            show_status.as_text(documents, now, colour=program.voice.colour)
            if documents
            else f"{_nothing(program)}\n"
        ),
    )
    if not program.options.exit_code:
        return OK
    words = [show_status.standing(document, now) for document in documents] or ["nothing is known"]
    worst = (("failing", FAILED), ("nothing is known", FAILED), ("guarded", GUARDED), ("pending", CHANGES))
    return next((number for word, number in worst if word in words), OK)


def _stacks(program: Program) -> list[str]:
    """Those that are asked for: by name, by the config, or all that have left a word on this host."""
    known = _known(program)
    if name := program.options.stack:
        if name not in known:
            raise ReconcilerError(
                f"nothing is known of the stack {name}{near(name, known) if known else ''} "
                f"in {program.settings.state_dir}"
            )
        return [name]
    if program.settings.config is not None:
        try:
            return [name for name in (program.config().stack,) if name in known]
        except ConfigError as error:  # a config that is refused is when a status is wanted most
            _tell_refused(program, error, "all stacks of this host are shown")
    return known


def _known(program: Program) -> list[str]:
    where = program.settings.state_dir
    try:
        return status.stacks(where)
    except NotADirectoryError as error:
        raise ReconcilerError(f"{where} is no folder: say another --state-dir, or remove it") from error
    except OSError as error:
        raise ReconcilerError(
            f"{where} cannot be read ({error.strerror}): be a member of its group, or say `sudo reconciler …`"
        ) from error


def _nothing(program: Program) -> str:
    """Where it was looked, and what else is known there: an operator who forgets --state-dir sees it at once."""
    where, known = program.settings.state_dir, _known(program)
    if known:
        return f"Nothing is known yet of {program.config().stack} in {where} (but of {', '.join(known)})."
    return f"Nothing is known yet in {where}: no stack has been looked at with it; --state-dir says another."


def _tell_refused(program: Program, error: ConfigError, so: str) -> None:
    first = error.problems[0]
    program.voice.tell(
        "config.refused",
        f"{first}; {so}",
        file=first.place.file,
        line=first.place.line,
        column=first.place.column,
    )


def _document(program: Program, stack: str) -> dict[str, Any]:
    directory, now = program.settings.state_dir / stack, program.clock.now()
    try:
        held = lock.holder(directory)
        found = status.read(directory) or status.unknown(
            stack, f"{directory / status.NAME} is not a status that this version can read"
        )
    except OSError as error:
        held, found = None, status.unknown(stack, f"{directory} cannot be read: {error.strerror}")
    config = _path(found)
    # pauses are read anew: a person may have paused a daemon that hangs, or that does not run
    paused = pauses.read(pauses.place(Path(config)), stack, now) if config else ()
    document = {
        **found,
        "running": held is not None,
        "holder": held,
        "pauses": [pauses.as_data(one) for one in paused],
    }
    return {**document, "sentence": show_status.headline(document)}


class Meant(NamedTuple):
    """The stack that a person means; `config` is None where the files are refused, which is no time to be helpless."""

    stack: str
    config: Config | None


def meant(program: Program) -> Meant:
    """By the config, or where that is refused, by what runs on it; ConfigError where nothing is known to.

    Files that name another stack than the one that runs on them are refused by that, too.
    """
    try:
        config = program.config()
    except ConfigError as error:
        found = _last_on(program)
        if len(found) != 1:
            raise
        _tell_refused(program, error, f"{found[0]} is meant, which was last run on it")
        return Meant(found[0], None)
    runs: list[str] = []
    with suppress(OSError):  # who may not see it cannot be warned
        runs = [one for one in _last_on(program) if lock.holder(program.settings.state_dir / one) is not None]
    if len(runs) == 1 and config.stack not in runs:
        said = f"{program.path} says `stack: {config.stack}` now; {runs[0]} is meant, which runs on it"
        program.voice.tell("config.refused", said)
        return Meant(runs[0], None)
    return Meant(config.stack, config)


def _last_on(program: Program) -> list[str]:
    """The stacks that were last run on the config, as far as this host knows."""
    path, where = str(program.path.absolute()), program.settings.state_dir
    with suppress(OSError):
        return [stack for stack in status.stacks(where) if _path(status.read(where / stack)) == path]
    return []


def _place(program: Program, stack: str) -> Path:
    """Where the pauses are; UsageError where a process that runs reads them beside another config."""
    directory, place = program.settings.state_dir / stack, pauses.place(program.path)
    read = _path(status.read(directory))
    with suppress(OSError):  # who may not see it cannot be warned
        if (
            read
            and lock.holder(directory) is not None
            and pauses.place(Path(read)).resolve() != place.resolve()
        ):
            raise UsageError(f"{stack} is run on {read} here, and is paused beside that: say --config {read}")
    return place


def _path(document: Mapping[str, Any] | None) -> str:
    """The config of a status, "" where there is none."""
    return str(document["config"].get("path", "")) if document else ""


def pause(program: Program) -> int:
    """`pause`: nothing of the stack, or of one address, is changed from here on."""
    options, now = program.options, program.clock.now()
    if not options.reason or not options.reason.strip():
        raise UsageError("pause: say why, with --reason; whoever is on call next will want to know")
    until = _end(options.for_, now)
    whom = meant(program)
    address = _address(program, whom, options.address)
    found = Pause(
        stack=whom.stack,
        address=address,
        reason=options.reason.strip(),
        by=program.who,
        since=now,
        until=until,
    )
    pauses.add(_place(program, whom.stack), found)
    end = f"until {text(until)}" if until is not None else "until `reconciler resume`"
    about = address or "everything"
    program.voice.answer(
        lambda: {"version": 1, "paused": pauses.as_data(found)},
        lambda: f"{whom.stack}: {about} is paused {end}; a change that is in flight is finished.\n",
    )
    return OK


def _end(given: str | None, now: float) -> float | None:
    """When a pause ends by itself, None for never."""
    if given is None:
        return None
    try:
        length = duration(given)
    except ValueError as error:
        raise UsageError(f"--for: {error}") from None
    if not length:
        raise UsageError("--for: a pause of no time is none")
    try:
        return seconds(text(now + length))  # it has to be read again
    except (ValueError, OverflowError):
        raise UsageError(f"--for: {given} is longer than any calendar; leave it out for ever") from None


def resume(program: Program) -> int:
    """`resume`: changes are made again, at the next look."""
    stack, now = meant(program).stack, program.clock.now()
    address, path = program.options.address or "", _place(program, stack)
    stopped = [label for label in program.breaker(stack).stopped() if address in ("", label)]
    if stopped:
        resumed.add(program.settings.state_dir / stack, address, now)
    ended = pauses.remove(path, stack, address, now)
    left = pauses.read(path, stack, now)
    go_on = list(dict.fromkeys([*(one.address or "everything" for one in ended), *stopped]))
    told = f"{', '.join(go_on)} {'goes' if len(go_on) == 1 else 'go'} on"
    if not go_on:
        told = f"{address} was not paused" if address else "nothing was paused"
    if left:
        still = "is" if len(left) == 1 else "are"
        told += f"; {', '.join(one.address or 'everything' for one in left)} {still} still paused"
    program.voice.answer(
        lambda: {
            "version": 1,
            "resumed": [pauses.as_data(one) for one in ended],
            "let_go_on": stopped,
            "left": [pauses.as_data(one) for one in left],
        },
        lambda: f"{stack}: {told}.\n",
    )
    return OK


def trigger(program: Program) -> int:
    """`trigger`: have the daemon look now, and try again what has failed."""
    stack = meant(program).stack
    directory = program.settings.state_dir / stack
    try:
        held = lock.holder(directory)
    except OSError as error:
        raise ReconcilerError(
            f"{directory} cannot be read: {error.strerror}; say `sudo reconciler …`"
        ) from error
    pid, what = (held or {}).get("pid"), (held or {}).get("what")
    if not isinstance(pid, int) or pid <= 1:  # those below mean many processes, or the first one
        pid = None
    if held is None or pid is None or what != "daemon":
        other = f"process {pid} ({what}) holds it" if pid else "another process holds it"
        raise BusyError(
            f"no daemon of {stack} runs here ({'nobody holds it' if held is None else other}); start it, "
            "or say `reconciler run --once`"
        )
    try:
        os.kill(pid, signal.SIGUSR1)
    except ProcessLookupError as error:
        raise BusyError(f"process {pid}, the daemon of {stack}, has just ended") from error
    except PermissionError as error:
        raise ReconcilerError(
            f"process {pid} belongs to another user: say `sudo -u {held.get('user', 'reconciler')} "
            "reconciler trigger …`, or `systemctl kill --signal=USR1 reconciler`"
        ) from error
    program.voice.answer(
        lambda: {"version": 1, "pid": pid},
        lambda: f"{stack}: process {pid} was told to look now; see `reconciler status`.\n",
    )
    return OK


def _address(program: Program, meant: Meant, given: str | None) -> str:
    """An address of the config, or one that a pass has left something of: what is not wanted any more can be paused."""
    if not given:
        return ""
    try:
        address = Address.parse(given)
    except ValueError as error:
        raise UsageError(f"{error}; write it like site/one") from None
    known = set(map(str, meant.config.resources)) if meant.config else set()
    found = status.read(program.settings.state_dir / meant.stack) or {"addresses": {}}
    known |= {label.removesuffix(REPLACED) for label in found["addresses"]}
    if given not in known and meant.config is not None:
        raise UsageError(f"{given} is not in the config{near(given, known)}")
    return str(address)
