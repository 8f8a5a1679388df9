"""The verb `history`: what was changed, when and why, out of the audit log.  Asks nothing of AWS."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import TypeVar

from reconciler.aws.audit import Changed, changes
from reconciler.errors import ReconcilerError
from reconciler.exits import OK
from reconciler.model.address import NAME, REPLACED
from reconciler.options import near
from reconciler.program import Program, UsageError
from reconciler.settings import duration, whole
from reconciler.show import history as show_history
from reconciler.show.history import History
from reconciler.verbs.host import meant

T = TypeVar("T")

LAST = 20
"""How many changes are shown where neither --last nor --since says it."""


def history(program: Program) -> int:
    """What was changed, when and why?"""
    options, directory = program.options, program.settings.state_dir
    last = _read("--last", whole(1, 999_999_999), options.last)
    now = datetime.fromtimestamp(program.clock.now(), UTC)
    since = _read("--since", lambda text: moment(text, now), options.since)
    stack = which_stack(program)
    found = changes(directory / stack)
    nothing = ""
    if not found:
        names = [name for name in stacks(directory) if name != stack]
        nothing = f"no change of {stack} is recorded in {directory}{near(stack, names) if names else ''}"
    told = chosen(stack, found, options.address, since, last if last or since else LAST, nothing)
    stopped = program.breaker(stack).stopped()
    told = replace(told, stopped={one: who for one, who in stopped.items() if options.address in (None, one)})
    program.voice.answer(
        lambda: show_history.as_data(told), lambda: show_history.as_text(told, colour=program.voice.colour)
    )
    return OK


def chosen(
    stack: str,
    found: Sequence[Changed],
    address: str | None,
    since: str | None,
    last: int | None,
    nothing: str = "",
) -> History:
    """Those changes of an address (None: of any) that are as new as `since`, of them the `last` (None: all).

    `nothing` is what to say when there are none, whatever is chosen.
    """
    if address is not None:
        known = sorted({change.about.address.removesuffix(REPLACED) for change in found})
        found = [change for change in found if change.concerns(address)]
        nothing = nothing or f"no change of {address} is recorded{near(address, known)}"
    if since is not None and found:
        nothing = f"no change since {since}; the last one was at {found[-1].at}"
        found = [change for change in found if change.at >= since]
    shown = found if last is None else found[-last:]
    return History(stack=stack, changes=shown, earlier=len(found) - len(shown), nothing=nothing)


def which_stack(program: Program) -> str:
    """The stack that is meant: --stack, else that of the config, else the only one that the state directory has.

    A config that is broken does not matter where --stack says it, or where one stack alone was last run on it.
    """
    given: str | None = program.options.stack
    if given is not None:
        if not NAME.fullmatch(given):
            raise UsageError(f"--stack: {given!r} is not the name of a stack")
        return given
    if program.settings.config is not None:
        return meant(program).stack
    directory = program.settings.state_dir
    match stacks(directory):
        case [only]:
            return only
        case []:
            raise UsageError(
                f"{directory} knows of no stack: say --state-dir, or which stack with --stack or --config"
            )
        case several:
            raise UsageError(f"which stack? {directory} has {', '.join(several)}: say --stack or --config")


def stacks(directory: Path) -> list[str]:
    """The stacks that have left something in a state directory."""
    try:
        with os.scandir(directory) as found:
            return sorted(one.name for one in found if NAME.fullmatch(one.name) and one.is_dir())
    except FileNotFoundError:
        return []
    except OSError as error:
        raise ReconcilerError(
            f"{directory} cannot be read: {error.strerror}; ask as the user that the service has, or say --state-dir"
        ) from error


def moment(text: str, now: datetime) -> str:
    """A time as the audit log has it, from a date, a date with a time, a time of the last 24 hours, or how long ago.

    Without an offset it is UTC.  ValueError for anything else.
    """
    try:
        if "-" in text:
            at = datetime.fromisoformat(text)
            at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
        elif ":" in text:
            at = datetime.combine(now, time.fromisoformat(text), UTC)
            at -= timedelta(days=at > now)
        else:
            at = now - timedelta(seconds=duration(text))
    except (ValueError, OverflowError):
        raise ValueError(f"{text!r} is no time; write it like 2026-11-23T03:12 (UTC), 03:12 or 2h") from None
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _read(option: str, parse: Callable[[str], T], text: str | None) -> T | None:
    try:
        return None if text is None else parse(text)
    except ValueError as error:
        raise UsageError(f"{option}: {error}") from error
