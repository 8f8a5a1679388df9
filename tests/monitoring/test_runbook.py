"""Every alert has its section in the runbook, every section its alert, and what the runbook has people type exists."""

from __future__ import annotations

import json
import re
import shutil
import subprocess

import pytest

from reconciler.cli import VERBS, main
from reconciler.events import EVENTS, FIELDS
from reconciler.metrics import METRICS
from tests.monitoring.support import MONITORING, ROOT, alarms, alerts, line

RUNBOOK = (ROOT / "docs/runbook.md").read_text()
GUIDE = (ROOT / "docs/monitoring.md").read_text()
SECTIONS = dict(re.findall(r"^## (Reconciler\w+)\n(.*?)(?=^## |\Z)", RUNBOOK, re.MULTILINE | re.DOTALL))
SYSTEMS = {
    "prometheus": alerts("prometheus/reconciler.rules.yml"),
    "loki": alerts("loki/reconciler.rules.yml"),
    "cloudwatch": alarms(),
}
FILTERS = sorted(set(re.findall(r"jq -R '([^']+)'", RUNBOOK)))


def severity(alert: dict[str, dict[str, str]]) -> str:
    return alert["labels" if "labels" in alert else "Metadata"]["severity"]


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_system_has_the_alerts_that_the_runbook_has(system: str) -> None:
    assert sorted(SYSTEMS[system]) == sorted(SECTIONS)


@pytest.mark.parametrize("name", SECTIONS)
def test_an_alert_is_as_urgent_everywhere_as_its_section_says(name: str) -> None:
    assert {severity(found[name]) for found in SYSTEMS.values()} == {SECTIONS[name].split()[0]}


@pytest.mark.parametrize("name", SECTIONS)
def test_an_alert_says_what_is_the_matter_and_leads_to_its_section(name: str) -> None:
    link = f"docs/runbook.md#{name.lower()}"
    for system in ("prometheus", "loki"):
        told = SYSTEMS[system][name]["annotations"]
        assert told["runbook_url"] == link
        assert told["summary"]
        assert told["description"]
    assert link in json.dumps(SYSTEMS["cloudwatch"][name]["Properties"]["AlarmDescription"])


@pytest.mark.parametrize("name", SECTIONS)
def test_a_section_says_what_it_means_how_to_see_it_what_to_do_and_when_to_escalate(name: str) -> None:
    at = [SECTIONS[name].find(word) for word in ("**Means.**", "**See.**", "**Do", "**Escalate**")]
    assert -1 not in at
    assert at == sorted(at)


def test_links_within_the_runbook_lead_somewhere() -> None:
    headings = {title.lower().replace(" ", "-") for title in re.findall(r"^## (.+)$", RUNBOOK, re.MULTILINE)}
    assert set(re.findall(r"\]\(#([^)]+)\)", RUNBOOK)) <= headings


def test_every_verb_and_option_that_is_typed_exists(capsys: pytest.CaptureFixture[str]) -> None:
    known = {"--version"}
    for verb in VERBS:
        with pytest.raises(SystemExit):
            main([verb, "--help"])
        known |= set(re.findall(r"--[a-z][a-z-]+", capsys.readouterr().out))
    typed = [
        words.split()
        for words in re.findall(
            r"(?:`|^ *|as_service )reconciler ([a-z-][^`#\n]*)", RUNBOOK + GUIDE, re.MULTILINE
        )
    ]
    assert {words[0] for words in typed} - known <= VERBS.keys()
    for words in typed:
        if words[0] in VERBS:
            assert {word for word in words if word.startswith("--")} <= known, words


@pytest.mark.parametrize("program", FILTERS, ids=range(len(FILTERS)))
def test_what_jq_is_asked_for_is_in_the_catalogue(program: str) -> None:
    for found in re.findall(r"\.event == \"([^\"]+)\"|\.event \| IN\(([^)]*)\)", program):
        events = [found[0]] if found[0] else re.findall(r'"([^"]+)"', found[1])
        assert set(events) <= EVENTS.keys()
        for shown in re.findall(r"\{([\w, ]+)\}", program):
            fields = [{*EVENTS[event].fields, *EVENTS[event].optional, "ts", "event"} for event in events]
            assert set(shown.split(", ")) <= set.union(*fields)
    for shown in re.findall(r"\{([\w, ]+)\}", program):
        assert set(shown.split(", ")) <= FIELDS.keys()


@pytest.mark.parametrize("program", FILTERS, ids=range(len(FILTERS)))
def test_jq_takes_it_and_passes_over_what_is_no_json(program: str) -> None:
    jq = shutil.which("jq")
    if jq is None:
        pytest.skip("jq is not installed")
    lines = ["Fatal Python error: Aborted", line("change.failed", address="site/one", reason="it may not")]
    done = subprocess.run(
        [jq, "-R", "-c", program],
        input="\n".join(lines),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert (
        ("change.failed" in program) == ("site/one" in done.stdout)
        or "level" in program
        or program == "fromjson?"
    )


def test_the_policy_that_stops_it_denies_everything() -> None:
    block = RUNBOOK.partition("```json\n")[2].partition("```")[0]
    (statement,) = json.loads(block)["Statement"]
    assert (statement["Effect"], statement["Action"], statement["Resource"]) == ("Deny", "*", "*")


def test_every_metric_is_in_the_guide_as_it_is_in_the_program() -> None:
    rows = re.findall(r"^\| `(reconciler_\w+)` \| (.*?) \| (.*) \|$", GUIDE, re.MULTILINE)
    assert rows == [
        (name, ", ".join(f"`{label}`" for label in metric.labels), metric.help)
        for name, metric in METRICS.items()
    ]


def test_every_file_is_in_the_guide() -> None:
    shipped = {path.relative_to(MONITORING) for path in MONITORING.rglob("*") if path.is_file()}
    for path in shipped:
        assert path.name in GUIDE, path
