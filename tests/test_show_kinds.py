"""What people and programs get to see of a kind: every field and operation, in text, as data and on the page of all."""

from __future__ import annotations

import json
import re

import pytest

from reconciler.aws.schema import BotocoreSchema
from reconciler.kinds import ALL
from reconciler.model.fields import Facts
from reconciler.show import kinds as show_kinds

SCHEMA = BotocoreSchema()
FACTS: dict[str, Facts] = {kind.name: Facts(kind, SCHEMA) for kind in ALL}


@pytest.mark.parametrize("name", [kind.name for kind in ALL])
def test_text_and_data_of_a_kind_agree(name: str) -> None:
    found, kind = FACTS[name], FACTS[name].kind
    data = show_kinds.as_data(found)
    assert json.loads(json.dumps(data)) == data
    assert [field["name"] for field in data["fields"]] == list(found.fields)
    text = show_kinds.as_text(data).splitlines()
    assert text[0] == f"{name}: {kind.about}"
    rows = {line.split()[0]: line for line in text[3:] if line.startswith("  ") and line.strip()}
    for field in data["fields"]:
        row, record = rows[field["name"]], found.fields[field["name"]]
        assert (" * " in row) is field["required"] is record.required
        assert field["type"][:30] in row
        assert field["changes"] in row
        assert ("digest" in row) is not field["reported"]
        assert record.write_only is not field["reported"]
        assert all(f"-> {target['kind']}" in row for target in field["refers_to"])
    for what, operations in data["operations"].items():
        assert any(line.startswith(f"  {what:8} {', '.join(operations)}") for line in text)
        assert all(SCHEMA.operation(kind.service, operation) for operation in operations)
    listed = {operation for operations in data["operations"].values() for operation in operations}
    assert {kind.read.operation, kind.create, kind.delete} <= listed
    reads = {one.operation for one in kind.read.details} | {one.operation for one in kind.read.companions}
    assert reads <= set(data["operations"]["read"])
    changes = {name for one in kind.remedies.values() for name in one.operations}
    changes |= {name for one in kind.parts for name in one.operations}
    changes |= {*kind.then_operations, *filter(None, [kind.accept])}
    changes |= set(kind.halt.operations if kind.halt else ())
    changes |= set(kind.then_operations)
    assert changes | ({kind.update} - {None}) == set(data["operations"].get("update", []))


@pytest.mark.parametrize("name", [kind.name for kind in ALL])
def test_every_reference_of_a_kind_is_told_with_its_field(name: str) -> None:
    data, kind = show_kinds.as_data(FACTS[name]), FACTS[name].kind
    told = {(target["path"], target["kind"]) for field in data["fields"] for target in field["refers_to"]}
    assert told == {(path, target) for path, targets in kind.targets().items() for target in targets}


def test_the_page_of_all_kinds_has_them_all() -> None:
    page = show_kinds.as_markdown(FACTS[kind.name] for kind in ALL)
    assert re.findall(r"^## (.*)$", page, re.MULTILINE) == [kind.name for kind in ALL]
    for kind in ALL:
        assert f"| [{kind.name}](#{kind.name}) | {kind.about} |" in page
        section = page.split(f"\n## {kind.name}\n")[1].split("\n## ")[0]
        assert re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE) == list(FACTS[kind.name].fields)
        # every row has as many cells as the head
        assert {line.count("|") for line in section.splitlines() if line.startswith("|")} == {6}


def test_the_types_of_fields_in_a_few_words() -> None:
    fields = FACTS["instance"].fields
    assert show_kinds.type_of(fields["SecurityGroupIds"]) == "list of string"
    assert show_kinds.type_of(fields["Monitoring"]) == "structure"
    assert show_kinds.type_of(FACTS["vpc"].fields["InstanceTenancy"]) == "default | dedicated | host"
    assert show_kinds.type_of(fields["InstanceType"]) == "string"  # a thousand words are no help
    group = FACTS["security-group"].fields
    assert show_kinds.type_of(group["Ingress"]) == "list of SecurityGroupRuleRequest"
