"""The verb `explain`: one address, from all that is known of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from reconciler import log, pauses, status
from reconciler.aws.audit import changes
from reconciler.errors import ReconcilerError
from reconciler.exits import LATER, NOT_ALLOWED, OK
from reconciler.model.address import Address
from reconciler.options import near
from reconciler.program import Program, UsageError
from reconciler.show import explain as show_explain
from reconciler.show.history import change_data


def explain(program: Program) -> int:
    """What is wanted, what was seen, why it will or will not be touched, and the last change."""
    config = program.config()
    given = program.options.address
    try:
        address = Address.parse(given)
    except ValueError as error:
        raise UsageError(f"{error}; write it like site/one") from None
    loop = program.loop(config, program.choices())
    with log.bind_pass(pass_id=loop.new_id(), stack=config.stack, trigger="plan"):
        found = loop.plan()[1]
        entries = [entry for entry in found.entries if entry.address == address]
        entries = list(loop.with_newer(replace(found, entries=tuple(entries))).entries)
    if not entries:
        known = {*map(str, config.resources), *(entry.label for entry in found.entries)}
        raise UsageError(f"{given} is neither in the config nor in AWS as this stack's{near(given, known)}")
    directory = program.state(config)
    before = status.read(directory) or {}
    recorded, unread = _recorded(directory, given)
    told = show_explain.Told(
        entries=tuple(entries),
        desired=config.resources.get(address),
        facts=loop.facts[address.kind],
        pauses=tuple(pauses.as_data(one) for one in loop.pauses() if one.address in ("", given)),
        standing=before.get("addresses", {}).get(given),
        last=recorded,
        unrecorded=unread,
    )
    program.voice.answer(lambda: show_explain.as_data(told), lambda: show_explain.as_text(told))
    if found.unread.keys() & {entry.scope for entry in entries}:
        return NOT_ALLOWED if found.denied else LATER
    return OK


def _recorded(directory: Path, address: str) -> tuple[dict[str, Any] | None, str]:
    """The last change of an address on record, and why that cannot be told: the rest can be, without the record."""
    try:
        found = reversed(changes(directory))
    except ReconcilerError as error:
        return None, str(error)
    return next((change_data(one) for one in found if one.concerns(address)), None), ""
