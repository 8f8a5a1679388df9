"""What ships the lines: neither Vector nor Fluent Bit can be had where the tests run, so their files are read."""

from __future__ import annotations

import re

from reconciler.events import FIELDS
from reconciler.log import SERVICE
from tests.monitoring.logql import expression, ranges
from tests.monitoring.support import alerts, document

VECTOR = document("vector/reconciler.yaml")
FLUENT_BIT = document("fluent-bit/reconciler.yaml")["pipeline"]


def labels_of_loki() -> set[str]:
    """The stream labels that Loki's rules choose by."""
    found = [
        one
        for rule in alerts("loki/reconciler.rules.yml").values()
        for one, _ in ranges(expression(rule["expr"]))
    ]
    return {test.label for one in found for test in one.query.selector}


def test_vector_takes_fields_of_ours_and_leaves_the_line_as_it_is() -> None:
    remap = VECTOR["transforms"]["reconciler_lines"]["source"]
    assert set(re.findall(r"\bline\.(\w+)", remap)) == {"ts"} <= FIELDS.keys()
    assert not re.search(r"^\s*\.message\s*=", remap, re.MULTILINE)
    for sink in VECTOR["sinks"].values():
        assert sink["encoding"] == {"codec": "text"}, (
            "the text of a rule, and CloudWatch, want the message alone"
        )


def test_vectors_parts_follow_on_each_other() -> None:
    parts = {**VECTOR["sources"], **VECTOR["transforms"], **VECTOR["sinks"]}
    for part in parts.values():
        assert set(part.get("inputs", [])) <= parts.keys()
    assert VECTOR["sources"]["reconciler_journal"]["include_matches"] == {"SYSLOG_IDENTIFIER": [SERVICE]}


def test_vector_gives_the_label_that_lokis_rules_choose_by() -> None:
    labels = VECTOR["sinks"]["reconciler_loki"]["labels"]
    assert labels.keys() == labels_of_loki()
    made = set(re.findall(r"^\.(\w+) =", VECTOR["transforms"]["reconciler_lines"]["source"], re.MULTILINE))
    assert set(re.findall(r"\{\{ (\w+) \}\}", labels["unit"])) <= made


def test_fluent_bit_sends_the_message_alone() -> None:
    (source,), (kept,), (loki, cloudwatch) = (FLUENT_BIT[part] for part in ("inputs", "filters", "outputs"))
    assert source["systemd_filter"] == f"SYSLOG_IDENTIFIER={SERVICE}"
    label, _, key = loki["labels"].partition("=$")
    assert {label} == labels_of_loki()
    assert set(kept["allowlist_key"]) - {loki["remove_keys"]} == {cloudwatch["log_key"]} == {"MESSAGE"}
    assert key == loki["remove_keys"]
    assert loki["drop_single_key"] == "raw"
    assert {part["match"] for part in (kept, loki, cloudwatch)} == {source["tag"]}
