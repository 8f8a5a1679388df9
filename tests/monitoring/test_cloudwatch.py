"""CloudWatch's metric filters and alarms: patterns match the lines they should, and alarms watch metrics that exist.

There is no CloudWatch where the tests run; what a JSON pattern means is written down here from AWS's documentation
(Amazon CloudWatch Logs User Guide, "Filter pattern syntax"), as much of it as the filters use.
"""

from __future__ import annotations

import fnmatch
import json
import re
from typing import Any

import pytest

from reconciler.events import EVENTS
from tests.harness import STACK, Host
from tests.monitoring.support import alarms, alerts, document, failed_unit, fields_of, line, logged

TEMPLATES = {name: document(f"cloudwatch/{name}.yaml") for name in ("filters", "alarms")}
FILTERS = {
    name: found["Properties"]
    for name, found in TEMPLATES["filters"]["Resources"].items()
    if found["Type"] == "AWS::Logs::MetricFilter"
}
ALARMS = alarms()

# --------------------------------------------------------------------------------------------- what a pattern means

_TOKEN = re.compile(r'\s*(\$\.\w+|"[^"]*"|\d+|&&|\|\||!=|>=|<=|[=<>(){}])')


def matches(pattern: str, text: str) -> bool:
    """Whether a JSON pattern matches a message."""
    tokens = _TOKEN.findall(pattern)
    assert "".join(tokens) == re.sub(r"\s", "", pattern), f"not all of it is understood: {pattern}"
    event = json.loads(text)
    assert (tokens.pop(0), tokens.pop()) == ("{", "}")
    found = _either(tokens, event)
    assert tokens == []
    return found


def _either(tokens: list[str], event: dict[str, Any]) -> bool:
    found = _both(tokens, event)
    while tokens and tokens[0] == "||":
        tokens.pop(0)
        found |= _both(tokens, event)
    return found


def _both(tokens: list[str], event: dict[str, Any]) -> bool:
    found = _one(tokens, event)
    while tokens and tokens[0] == "&&":
        tokens.pop(0)
        found &= _one(tokens, event)
    return found


def _one(tokens: list[str], event: dict[str, Any]) -> bool:
    if tokens[0] == "(":
        tokens.pop(0)
        found = _either(tokens, event)
        assert tokens.pop(0) == ")"
        return found
    field, sign, value = (tokens.pop(0) for _ in range(3))
    seen = event.get(field.removeprefix("$."))
    if value.startswith('"'):
        if not isinstance(seen, str):
            return False
        same = fnmatch.fnmatchcase(seen, value.strip('"'))
        return same if sign == "=" else not same
    if not isinstance(seen, int | float):
        return False
    number = float(value)
    return {"=": seen == number, ">": seen > number, ">=": seen >= number}[sign]


def metrics(text: str) -> dict[str, tuple[float, str]]:
    """What a line gives: a value and a stack for each metric."""
    event, found = json.loads(text), {}
    for filtered in FILTERS.values():
        if matches(filtered["FilterPattern"], text):
            (made,) = filtered["MetricTransformations"]
            value = made["MetricValue"]
            number = event[value.removeprefix("$.")] if value.startswith("$.") else float(value)
            stacks = [event[key["Value"].removeprefix("$.")] for key in made.get("Dimensions", [])]
            found[made["MetricName"]] = (number, "".join(stacks))
    return found


# ------------------------------------------------------------------------------------------------------------ filters


@pytest.mark.parametrize("name", FILTERS)
def test_a_pattern_names_events_and_fields_that_there_are(name: str) -> None:
    pattern = FILTERS[name]["FilterPattern"]
    assert len(pattern) <= 1024
    events = re.findall(r'\$\.event = "([^"]+)"', pattern)
    assert events
    assert set(events) <= EVENTS.keys()
    named = set(re.findall(r"\$\.(\w+)", pattern))
    assert named <= fields_of(events)
    (made,) = FILTERS[name]["MetricTransformations"]
    for value in (made["MetricValue"], *(key["Value"] for key in made.get("Dimensions", []))):
        assert value == "1" or value.removeprefix("$.") in named, (
            "CloudWatch takes fields of the pattern only"
        )
    assert "DefaultValue" not in made, "there is none where there are dimensions"


def event_of(value: object) -> str | None:
    """The id of a test: a line holds the time at which it was made."""
    found = re.search(r'"event":"([^"]+)"', str(value))
    return found[1] if found else None


@pytest.mark.parametrize(
    ("text", "found"),
    ids=event_of,
    argvalues=[
        (
            line("heartbeat", state="idle", interval_s=300, last_success_age_s=12.5),
            {"Heartbeats": 1, "LastSuccessAge": 12.5, "Interval": 300, "ConfigStale": 0},
        ),
        (
            line("heartbeat", state="standby", interval_s=300, last_success_age_s=9000),
            {"Heartbeats": 1, "Interval": 300, "ConfigStale": 0},
        ),
        (
            line("heartbeat", state="paused", interval_s=60, config_stale_s=70),
            {"Heartbeats": 1, "LastSuccessAge": 0, "Interval": 60, "ConfigStale": 70, "Paused": 1},
        ),
        (
            line("pass.finished", outcome="done", deleted=2, api_calls=60, throttled=3),
            {"Deleted": 2, "Blocked": 0, "ApiCalls": 60, "Throttled": 3},
        ),
        (
            line("pass.finished", outcome="partial", failed=1, blocked=2),
            {"Failures": 1, "Blocked": 2, "ApiCalls": 0, "Throttled": 0},
        ),
        (
            line("pass.finished", outcome="partial", unknown=1, blocked=2),
            {"Failures": 1, "Blocked": 2, "ApiCalls": 0, "Throttled": 0},
        ),
        (
            line("pass.finished", outcome="partial", settled=2),  # whose ownership is in doubt
            {"Failures": 1, "Blocked": 0, "ApiCalls": 0, "Throttled": 0},
        ),
        (
            line("pass.finished", outcome="partial", blocked=2),
            {"Blocked": 2, "ApiCalls": 0, "Throttled": 0},
        ),
        (
            line("pass.finished", outcome="failed", blocked=2),
            {"Failures": 1, "Blocked": 2, "ApiCalls": 0, "Throttled": 0},
        ),
        (line("guard.stopped", reason="too many", guard="deletes"), {"GuardStops": 1}),
        (line("watchdog.withheld", reason="no sign of life"), {"WatchdogWithheld": 1}),
        (line("daemon.starting"), {"Starts": 1}),
        (line("change.failed", verb="delete"), {}),
    ],
)
def test_a_line_counts_for_its_stack(text: str, found: dict[str, float]) -> None:
    assert metrics(text) == {name: (value, "prod") for name, value in found.items()}


def test_the_lines_of_a_run_count_as_they_are(ops: Host) -> None:
    two = "resources:\n  vpc/a: {CidrBlock: 10.0.0.0/16, protect: false}\n  vpc/b: {CidrBlock: 10.1.0.0/16}\n"
    ops.run(two)
    lines = logged(lambda: ops.run(two.replace("vpc/a: {CidrBlock: 10.0.0.0/16, protect: false}\n", "")))
    found = [metrics(text) for text in lines]
    assert [counted["Deleted"] for counted in found if "Deleted" in counted] == [(1, STACK)]
    assert {stack for counted in found for _, stack in counted.values()} == {STACK}
    assert {name for counted in found for name in counted} == {"Deleted", "Blocked", "ApiCalls", "Throttled"}


@pytest.mark.parametrize(
    ("text", "metric"),
    ids=event_of,
    argvalues=[
        (failed_unit("reconciler@prod.service"), "UnitFailures"),
        (line("unit.failed", stack="", error="boom"), "UnitFailures"),
        (line("credentials.failed", stack="", reason="expired"), "IdentityFailures"),
        (line("identity.mismatch", reason="another account"), "IdentityFailures"),
    ],
)
def test_what_may_have_no_stack_counts_without_one(text: str, metric: str) -> None:
    assert metrics(text) == {metric: (1, "")}


# ------------------------------------------------------------------------------------------------------------- alarms


def watched(alarm: dict[str, Any]) -> list[dict[str, Any]]:
    """The metrics of an alarm, each with the name of its statistic and its period."""
    plain = alarm["Properties"]
    if "Metrics" not in plain:
        return [plain]
    stats = [item["MetricStat"] for item in plain["Metrics"] if "MetricStat" in item]
    return [{**stat["Metric"], "Period": stat["Period"]} for stat in stats]


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_watches_a_metric_that_a_filter_makes(name: str) -> None:
    made = {
        transformation["MetricName"]: [key["Key"] for key in transformation.get("Dimensions", [])]
        for filtered in FILTERS.values()
        for transformation in filtered["MetricTransformations"]
    }
    alarm = ALARMS[name]["Properties"]
    for metric in watched(ALARMS[name]):
        dimensions = [key["Name"] for key in metric.get("Dimensions", [])]
        assert dimensions == made[metric["MetricName"]]
        assert metric["Namespace"] == {"Ref": "Namespace"}
        assert metric["Period"] % 60 == 0
        assert metric["Period"] * alarm["EvaluationPeriods"] <= 86400, "CloudWatch looks back one day"


@pytest.mark.parametrize("name", ALARMS)
def test_an_expression_names_the_metrics_beside_it(name: str) -> None:
    for item in ALARMS[name]["Properties"].get("Metrics", []):
        if "Expression" in item:
            ids = {other["Id"] for other in ALARMS[name]["Properties"]["Metrics"]}
            assert set(re.findall(r"\b[a-z]\w*", item["Expression"])) <= ids


def test_missing_data_is_an_alarm_for_silence_alone() -> None:
    breaching = [
        name for name, alarm in ALARMS.items() if alarm["Properties"]["TreatMissingData"] == "breaching"
    ]
    assert breaching == ["ReconcilerSilent"]


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_goes_where_its_severity_says(name: str) -> None:
    severity = ALARMS[name]["Metadata"]["severity"]
    assert ALARMS[name]["Properties"]["AlarmActions"] == [{"Ref": f"{severity.capitalize()}Topic"}]
    assert severity == alerts("loki/reconciler.rules.yml")[name]["labels"]["severity"]


@pytest.mark.parametrize("name", TEMPLATES)
def test_what_a_template_refers_to_is_one_of_its_parameters(name: str) -> None:
    text = json.dumps(TEMPLATES[name]["Resources"])
    found = set(re.findall(r'"Ref": "(\w+)"', text)) | set(re.findall(r"\$\{(\w+)\}", text))
    assert found == TEMPLATES[name]["Parameters"].keys()
