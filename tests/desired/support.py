"""What the tests of the config language share: configs as text in, a Config or its problems out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent

import pytest

from reconciler.aws.schema import BotocoreSchema
from reconciler.desired import File, build
from reconciler.errors import ConfigError
from reconciler.kinds import BY_NAME
from reconciler.model.config import Config
from reconciler.model.place import Problem

SCHEMA = BotocoreSchema()
EXAMPLES = Path(__file__).parents[2] / "config"
HEAD = 'stack: ai\naccount: "123456789012"\nregion: us-west-2\n'


def config(
    *texts: str | bytes,
    variables: Mapping[str, str] | None = None,
    environment: Mapping[str, str] | None = None,
    default_region: str = "",
) -> Config:
    """The config that these files make: a.yaml, b.yaml, …"""
    files = [
        File(f"{chr(ord('a') + number)}.yaml", text if isinstance(text, bytes) else dedent(text).encode())
        for number, text in enumerate(texts)
    ]
    return build(
        files,
        "config",
        kinds=BY_NAME,
        schema=SCHEMA,
        variables=variables or {},
        environment=environment or {},
        default_region=default_region,
    )


def problems(*texts: str | bytes, **options: object) -> list[Problem]:
    """What is wrong with these files; fails when nothing is."""
    with pytest.raises(ConfigError) as caught:
        config(*texts, **options)  # type: ignore[arg-type]
    return list(caught.value.problems)


def problem(*texts: str | bytes, **options: object) -> Problem:
    """The one thing that is wrong with these files."""
    found = problems(*texts, **options)
    assert len(found) == 1, "\n".join(map(str, found))
    return found[0]


def resources(text: str, head: str = HEAD) -> str:
    """A config with these resources; the first of them stands on line 5."""
    body = "\n".join(f"  {line}" if line else "" for line in dedent(text).strip("\n").splitlines())
    return f"{head}resources:\n{body}\n"


HERE = "▸"
"""Stands in the text of a test where a problem is to be reported."""


def problem_here(text: str, **options: object) -> Problem:
    """The one thing that is wrong with a file, reported where HERE stands in it."""
    before, _, after = text.partition(HERE)
    found = problem(before + after, **options)
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    assert (found.place.line, found.place.column) == (line, column), str(found)
    return found
