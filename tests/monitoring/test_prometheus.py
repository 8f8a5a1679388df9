"""Prometheus' rules ask for metrics that there are; promtool, where it is installed, has them fire."""

from __future__ import annotations

import re

import pytest

from tests.monitoring.promql import selectors, wrong
from tests.monitoring.support import MONITORING, alerts, promtool, rules

FILE = "prometheus/reconciler.rules.yml"
TEST = "prometheus/reconciler.rules.test.yml"
ALERTS = alerts(FILE)


@pytest.mark.parametrize("rule", list(rules(FILE)), ids=lambda rule: rule.get("alert") or rule["record"])
def test_a_rule_asks_for_metrics_and_labels_that_there_are(rule: dict[str, str]) -> None:
    assert list(selectors(rule["expr"]))
    assert wrong(rule["expr"]) == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("reconciler_failures_total > 0", "no metric reconciler_failures_total"),
        ('reconciler_state{status="idle"}', "reconciler_state has no label status"),
        ('reconciler_addresses{status="broken"} > 0', "status is never broken"),
        ("sum by (address) (reconciler_unread)", "no label address"),
    ],
)
def test_what_is_not_there_is_found(text: str, problem: str) -> None:
    assert wrong(text) == [problem]


@pytest.mark.parametrize("name", ALERTS)
def test_every_alert_is_tried_by_promtool(name: str) -> None:
    assert re.search(rf"\b{name}\b", (MONITORING / TEST).read_text())


def test_promtool_takes_the_rules() -> None:
    assert "SUCCESS" in promtool(["check", "rules", FILE])


def test_promtool_has_the_rules_fire_when_they_should() -> None:
    assert "SUCCESS" in promtool(["test", "rules", TEST])
