"""Verbs that tell what the program knows, and need no config: kinds, schema, events."""

from __future__ import annotations

from reconciler.desired import json_schema
from reconciler.exits import OK
from reconciler.kinds import BY_NAME
from reconciler.options import near
from reconciler.program import Program, UsageError
from reconciler.say import as_text
from reconciler.show import events as show_events
from reconciler.show import kinds as show_kinds


def kinds(program: Program) -> int:
    """The kinds there are, or one of them."""
    found = program.facts()
    name = program.options.kind
    if program.options.markdown:
        program.voice.write(show_kinds.as_markdown(found.values()))
    elif name is None:
        program.voice.answer(
            lambda: {"version": 1, "kinds": [show_kinds.as_data(one) for one in found.values()]},
            lambda: "".join(f"{one.kind.name:18} {one.kind.about}\n" for one in found.values()),
        )
    elif name not in found:
        raise UsageError(f"there is no kind {name!r}{near(name, found)}")
    else:
        data = show_kinds.as_data(found[name])
        program.voice.answer(lambda: {"version": 1, **data}, lambda: show_kinds.as_text(data))
    return OK


def schema(program: Program) -> int:
    """The JSON Schema of the config, for editors."""
    program.voice.write(as_text(json_schema(BY_NAME, program.schema)))
    return OK


def events(program: Program) -> int:
    """The events that the log can hold."""
    if program.options.markdown:
        program.voice.write(show_events.as_markdown())
    elif program.options.schema:
        program.voice.write(as_text(show_events.json_schema()))
    else:
        program.voice.answer(show_events.as_data, show_events.as_text)
    return OK
