"""The catalogue promises what the program says, no more and no less, and the documents say what the catalogue does."""

from __future__ import annotations

import ast
import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from reconciler.events import ANYWHERE, EVENTS, FIELDS, HEAD, OTEL_ECS, PASS
from reconciler.log import bind_pass, get_logger
from reconciler.show import events as show_events

from .support import ROOT, written

TO_COME: dict[str, str] = {}
"""Events that nobody logs yet, and what they wait for.  One that is logged must not stand here."""

LEVELS = ("debug", "info", "warning", "error", "critical", "exception", "tell")
"""Methods whose first argument is an event; `tell` is `Voice`'s."""
NAME = re.compile(r"[a-z]+(\.[a-z_]+)+")
FILES = (".json", ".jsonl", ".yaml", ".toml", ".py")


def trees() -> Iterator[tuple[Path, ast.AST]]:
    """All that may log: the sandbox is another program."""
    for path in sorted((ROOT / "reconciler").rglob("*.py")):
        if "sandbox" not in path.parts and path.name != "events.py":
            yield path, ast.parse(path.read_text())


def logged(tree: ast.AST) -> Iterator[ast.Constant]:
    """The first arguments of what looks like a call that logs, where they are texts without blanks."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in LEVELS:
            match node.args:
                case [ast.Constant(value=str(text)) as first, *_] if re.fullmatch(r"[\w.]+", text):
                    yield first


def texts(tree: ast.AST) -> set[str]:
    """All strings."""
    return {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


# ----------------------------------------------------------------------------------------------- what is logged


def test_every_event_that_is_logged_is_in_the_catalogue() -> None:
    found = [(path.name, node.lineno, node.value) for path, tree in trees() for node in logged(tree)]
    assert len(found) > 20, "the search finds what it looks for"
    assert [one for one in found if one[2] not in EVENTS] == []


def test_every_name_that_looks_like_an_event_is_one() -> None:
    """Names that are put into a variable first, as `event_of` does."""
    groups = {name.partition(".")[0] for name in EVENTS}
    for path, tree in trees():
        alike = {text for text in texts(tree) if NAME.fullmatch(text) and text.partition(".")[0] in groups}
        assert {name for name in alike - EVENTS.keys() if not name.endswith(FILES)} == set(), path


def test_the_catalogue_promises_nothing_that_nobody_logs() -> None:
    said = {text for _, tree in trees() for text in texts(tree)} & EVENTS.keys()
    assert EVENTS.keys() - said == TO_COME.keys()
    assert all(TO_COME.values())


# -------------------------------------------------------------------------------------------------- the catalogue


def test_the_catalogue_is_small_and_every_entry_says_what_it_means() -> None:
    assert len(EVENTS) <= 60
    for name, event in EVENTS.items():
        assert name == name.lower()
        assert logging.getLevelNamesMapping()[event.level.upper()], name
        assert event.meaning
        assert "\n" not in event.meaning
    assert len({event.meaning for event in EVENTS.values()}) == len(EVENTS)


def test_every_field_is_told_and_every_one_told_is_used() -> None:
    used = {name for event in EVENTS.values() for name in (*event.fields, *event.optional)}
    assert used | {*HEAD, *ANYWHERE} == FIELDS.keys()
    assert not used & {*HEAD, *ANYWHERE}, "the log itself sets them"
    assert OTEL_ECS.keys() <= FIELDS.keys()
    assert all(field.meaning and "|" not in field.meaning for field in FIELDS.values()), "fits into a table"


# -------------------------------------------------------------------------------------------------- the documents


def test_the_documentation_of_events_is_of_today() -> None:
    assert (ROOT / "docs/events.md").read_text() == show_events.as_markdown(), "say `make docs`"
    schema = json.loads((ROOT / "docs/events.schema.json").read_text())
    assert schema == show_events.json_schema(), "say `make docs`"


def test_the_page_has_every_event_and_every_field_with_its_name_elsewhere() -> None:
    page = show_events.as_markdown()
    rows = {line.split("|")[1].strip(" `"): line for line in page.splitlines() if line.startswith("| `")}
    assert rows.keys() == EVENTS.keys() | FIELDS.keys()
    for name, event in EVENTS.items():
        assert event.meaning in rows[name]
        assert all(f"`{field}`" in rows[name] for field in (*event.fields, *event.optional))
    assert "| `event.duration` (in nanoseconds there) |" in rows["duration_ms"]


def test_programs_get_the_same() -> None:
    data = json.loads(json.dumps(show_events.as_data()))
    assert data["events"].keys() == EVENTS.keys()
    assert data["fields"].keys() == FIELDS.keys()
    assert data["fields"]["ts"]["otel_ecs"] == "@timestamp"
    assert (data["head"], data["pass"]) == (list(HEAD), list(PASS))
    unknown = data["events"]["kind.unknown"]
    assert (unknown["level"], unknown["fields"], unknown["thinned"]) == ("warning", ["scope", "reason"], True)
    assert data["events"]["change.failed"]["thinned"] is False
    assert data["events"]["library.log"]["thinned"] is True


def test_the_schema_takes_every_event_with_its_fields_and_refuses_one_without() -> None:
    examples = {
        "string": "x",
        "integer": 1,
        "number": None,
        "boolean": True,
        "list": ["x"],
        "object": {"x": 1},
    }
    validator = jsonschema.Draft202012Validator(show_events.json_schema())

    def act(name: str, *left_out: str) -> dict[str, Any]:
        event = EVENTS[name]
        fields = {one: examples[FIELDS[one].type] for one in (*event.fields, *event.optional)}
        given = {one: value for one, value in fields.items() if one not in left_out}
        with bind_pass(pass_id="01JD", stack="ai", trigger="once"):
            (line,) = written(lambda: getattr(get_logger(), event.level)(name, **given), level="debug")
        return line

    for name, event in EVENTS.items():
        validator.validate(act(name))
        for field in event.fields[:1]:
            assert not validator.is_valid(act(name, field)), (name, field)
            assert validator.is_valid({**act(name, field), "truncated": True})
    assert not validator.is_valid({**act("heartbeat"), "state": 1})
    assert not validator.is_valid({**act("heartbeat"), "event": "made.up"})
    assert validator.is_valid({**act("heartbeat"), "new": "field"})


@pytest.mark.parametrize("words", [(), ("--json",), ("--markdown",), ("--schema",)])
def test_the_verb_answers_in_each_form(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    from reconciler.cli import main

    assert main(["events", *words]) == 0
    shown = capsys.readouterr().out
    expected = {
        (): show_events.as_text(),
        ("--json",): json.dumps(show_events.as_data(), indent=2) + "\n",
        ("--markdown",): show_events.as_markdown(),
        ("--schema",): json.dumps(show_events.json_schema(), indent=2) + "\n",
    }
    assert shown == expected[words]
