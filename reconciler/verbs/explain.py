"""The verb `explain`: one address, from all that is known of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from reconciler import log, pauses, status
from reconciler.aws.audit import changes
from reconciler.errors import ReconcilerError
from reconciler.exits import OK
from reconciler.model.address import Address
from reconciler.model.plan import Plan
from reconciler.options import near
from reconciler.program import Program, UsageError
from reconciler.show import explain as show_explain
from reconciler.show.history import change_data
from reconciler.verbs.estate import unread


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
    if not entries and (hidden := _hidden(found, address)):
        for where, why in hidden.items():
            said = f"{given} is not in the config, and whether AWS has it as this stack's is unknown"
            program.voice.tell("kind.unknown", f"{said}: {where} could not be read: {why}", scope=where)
        return unread(found)
    if not entries:
        known = {*map(str, config.resources), *(entry.label for entry in found.entries)}
        raise UsageError(f"{given} is neither in the config nor in AWS as this stack's{near(given, known)}")
    directory = program.state(config)
    before = status.read(directory) or {}
    recorded, unrecorded = _recorded(directory, given)
    scopes = {entry.scope for entry in entries}
    told = show_explain.Told(
        entries=tuple(entries),
        desired=config.resources.get(address),
        facts=loop.facts[address.kind],
        pauses=tuple(pauses.as_data(one) for one in loop.pauses() if one.address in ("", given)),
        standing=before.get("addresses", {}).get(given),
        last=recorded,
        unrecorded=unrecorded,
        unread={scope: why for scope, why in found.unread.items() if scope in scopes},
    )
    program.voice.answer(lambda: show_explain.as_data(told), lambda: show_explain.as_text(told))
    return unread(found) if told.unread else OK


def _hidden(found: Plan, address: Address) -> Mapping[str, str]:
    """Where a thing may be that no entry is about, for it could not be read there, and why."""
    elsewhere = {str(scope) for scope in found.unread if scope.kind != address.kind}
    return {where: why for where, why in found.unseen.items() if where not in elsewhere}


def _recorded(directory: Path, address: str) -> tuple[dict[str, Any] | None, str]:
    """The last change of an address on record, and why that cannot be told: the rest can be, without the record."""
    try:
        found = reversed(changes(directory))
    except ReconcilerError as error:
        return None, str(error)
    return next((change_data(one) for one in found if one.concerns(address)), None), ""
