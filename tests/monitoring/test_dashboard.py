"""Grafana's dashboard asks for metrics and fields that there are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from reconciler.events import EVENTS, FIELDS
from tests.monitoring import logql, promql
from tests.monitoring.support import document

BOARD = document("grafana/reconciler.json")
TARGETS = [
    (f"{panel['title']}-{target['refId']}", target["datasource"]["type"], target["expr"])
    for panel in BOARD["panels"]
    for target in panel["targets"]
]
PROMETHEUS = [(name, expr) for name, kind, expr in TARGETS if kind == "prometheus"]
LOKI = [(name, expr) for name, kind, expr in TARGETS if kind == "loki"]


def plain(expr: str) -> str:
    """An expression with Grafana's variables in it replaced."""
    return expr.replace("$__rate_interval", "5m").replace("$stack", "prod")


@pytest.mark.parametrize("expr", [expr for _, expr in PROMETHEUS], ids=[name for name, _ in PROMETHEUS])
def test_a_panel_asks_for_metrics_that_there_are(expr: str) -> None:
    assert list(promql.selectors(plain(expr)))
    assert promql.wrong(plain(expr)) == []


def queries(expr: str) -> Iterator[logql.Query]:
    """The queries of an expression, be it for lines or for numbers."""
    if expr.startswith("{"):
        yield logql.query(expr)
    else:
        yield from (one.query for one, _ in logql.ranges(logql.expression(expr)))


@pytest.mark.parametrize("expr", [expr for _, expr in LOKI], ids=[name for name, _ in LOKI])
def test_a_panel_asks_for_fields_that_there_are(expr: str) -> None:
    for query in queries(plain(expr)):
        assert {*query.made().values()} <= FIELDS.keys()
        assert set(query.events()) <= EVENTS.keys()
        for shown in query.stage("format"):
            assert set(re.findall(r"\{\{\.(\w+)\}\}", shown)) <= query.made().keys()
        for test in [test for tests in query.stage("label") for test in tests]:
            assert test.label in query.made()


def test_panels_have_their_own_numbers_and_places() -> None:
    ids = [panel["id"] for panel in BOARD["panels"]]
    assert len(ids) == len(set(ids))
    taken: set[tuple[int, int]] = set()
    for panel in BOARD["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken, panel["title"]
        assert at["x"] + at["w"] <= 24
        taken |= cells


def test_every_variable_that_is_used_is_declared() -> None:
    declared = {variable["name"] for variable in BOARD["templating"]["list"]}
    used: set[str] = set()
    for _, _, expr in TARGETS:
        used |= {name for name in re.findall(r"\$\{?(\w+)", expr) if not name.startswith("__")}
    sources: list[Any] = [
        part["datasource"]["uid"] for panel in BOARD["panels"] for part in (panel, *panel["targets"])
    ]
    used |= {source.strip("${}") for source in sources}
    assert used == declared
