"""What a PromQL expression asks for.  Used by the tests of Prometheus' rules and of the dashboard."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from reconciler.metrics import METRICS, OUTCOMES, STATES, STATUSES, VERBS
from tests.monitoring.mtail import Program
from tests.monitoring.support import MONITORING, rules

VALUES: Mapping[str, tuple[str, ...]] = {
    "state": STATES,
    "status": STATUSES,
    "outcome": OUTCOMES,
    "verb": tuple(VERBS),
    "what": ("daemon", "run --once"),
    "event": ("credentials.failed", "identity.mismatch", "watchdog.withheld"),
}
"""What our labels may hold."""
SCRAPED = {"job", "instance"}
"""Labels that Prometheus puts on what it scrapes."""
_SELECTOR = re.compile(r"\b(?P<name>(?:reconciler|node)[_:]\w+)(?:\{(?P<labels>[^}]*)\})?")
_MATCHER = re.compile(r'(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"')
_GROUPED = re.compile(r"\b(?:by|on)\s*\(([^)]*)\)")


class Selector(NamedTuple):
    """A metric, and what its labels are held against."""

    name: str
    matchers: tuple[tuple[str, str, str], ...]


def known() -> dict[str, set[str]]:
    """Every metric that a rule may ask for, with its labels: ours, mtail's, recorded ones, some of node_exporter's."""
    mtail = Program((MONITORING / "mtail/reconciler.mtail").read_text()).labels
    recorded = [rule["record"] for rule in rules("prometheus/reconciler.rules.yml") if "record" in rule]
    return {
        **{name: {"stack", *metric.labels} for name, metric in METRICS.items()},
        **{name: set(labels) for name, labels in mtail.items()},
        **{name: {"stack"} for name in recorded},
        "node_systemd_unit_state": {"name", "state", "type"},
    }


def selectors(text: str) -> Iterator[Selector]:
    """The metrics of an expression."""
    for found in _SELECTOR.finditer(text):
        matchers = _MATCHER.findall(found["labels"] or "")
        yield Selector(found["name"], tuple(matchers))


def grouped(text: str) -> set[str]:
    """The labels that series are put together by, or met on."""
    return {label.strip() for found in _GROUPED.findall(text) for label in found.split(",")}


def wrong(text: str) -> list[str]:
    """What an expression asks for that there is not."""
    metrics, found = known(), []
    for name, matchers in selectors(text):
        if name not in metrics:
            found.append(f"no metric {name}")
            continue
        for label, sign, value in matchers:
            if label not in metrics[name] | SCRAPED:
                found.append(f"{name} has no label {label}")
            elif label in VALUES and name.startswith("reconciler"):
                wanted = value.split("|") if "~" in sign else [value]
                found += [f"{label} is never {one}" for one in wanted if one not in VALUES[label]]
    labels = set[str]().union(SCRAPED, *(metrics.get(name, set()) for name, _ in selectors(text)))
    return found + [f"no label {label}" for label in sorted(grouped(text) - labels)]
