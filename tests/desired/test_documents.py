"""A JSON document is kept in a file beside the config: taken as it is, and part of what a plan rests on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from reconciler.desired import fingerprint, load
from reconciler.errors import ConfigError
from reconciler.kinds import BY_NAME
from reconciler.model.address import Address
from reconciler.model.config import Config

from .support import HEAD, SCHEMA, problem, resources

CONFIG = HEAD + (
    "resources:\n"
    "  global-network/g: {}\n"
    "  core-network/c:\n"
    "    GlobalNetworkId: ${global-network/g}\n"
    "    PolicyDocument: ${file:policies/core.json}\n"
)
POLICY: dict[str, Any] = {
    "version": "2021.12",
    "core-network-configuration": {
        "asn-ranges": ["64512-64555"],
        "edge-locations": [{"location": "us-west-2"}],
    },
    "segments": [{"name": "shared", "description": "${aws:username} stays, $${ too"}],
}


def loaded(path: Path) -> Config:
    return load(path, kinds=BY_NAME, schema=SCHEMA, variables={}, environment={})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "policies").mkdir()
    (tmp_path / "estate.yaml").write_text(CONFIG)
    (tmp_path / "policies" / "core.json").write_text(json.dumps(POLICY, indent=2))
    return tmp_path


@pytest.mark.parametrize("path", [".", "estate.yaml"])
def test_it_is_found_beside_the_config_and_nothing_in_it_is_filled_in(folder: Path, path: str) -> None:
    found = loaded(folder / path)
    assert json.loads(found.resources[Address.parse("core-network/c")].spec["PolicyDocument"]) == POLICY
    assert [Path(name).name for name in found.files] == ["estate.yaml", "core.json"]


def test_its_bytes_are_part_of_what_a_plan_rests_on(folder: Path) -> None:
    policy, before = folder / "policies" / "core.json", loaded(folder).digest
    assert fingerprint(folder) == before
    text = policy.read_text()
    policy.write_text(text + " ")
    assert fingerprint(folder) == loaded(folder).digest != before
    policy.write_text(text)
    assert fingerprint(folder) == before
    policy.unlink()
    assert fingerprint(folder) != before
    policy.mkdir()
    assert fingerprint(folder) != before


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{\n "version": "2021.12",\n}', "core.json:3:1: core-network/c.PolicyDocument: is not JSON"),
        ('{"version": "2021.12"', "core.json:1:22: core-network/c.PolicyDocument: is not JSON"),
        ("", "core.json:1:1: core-network/c.PolicyDocument: is empty"),
        ("[1]", "core.json:1:1: core-network/c.PolicyDocument: expected a mapping"),
        ('{"a": NaN}', "is not JSON: NaN"),
        ('{"segments": [{"name": 1, "name": 2}]}', "name stands twice"),
        ('{"a": ' + "[" * 100_000 + "]" * 100_000 + "}", "nests too deeply"),
        ('{\n"a": "\udcff"}', "core.json:2:7: core-network/c.PolicyDocument: is not UTF-8"),
        (
            json.dumps({**POLICY, "version": 2021.12}),
            'core.json:1:1: core-network/c.PolicyDocument.version: must be "2021.12" or "2025.11", in quotes',
        ),
        (None, "estate.yaml:8:21: core-network/c.PolicyDocument: policies/core.json cannot be read: No such"),
    ],
)
def test_what_is_wrong_with_it_is_told_where_it_stands(folder: Path, text: str | None, told: str) -> None:
    policy = folder / "policies" / "core.json"
    if text is None:
        policy.unlink()
    else:
        policy.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(ConfigError) as caught:
        loaded(folder)
    (only,) = caught.value.problems
    assert told in str(only)


def test_one_that_only_a_comment_names_need_not_be_there(folder: Path) -> None:
    path = folder / "estate.yaml"
    path.write_text("# not ${file:none.json}\n" + CONFIG)
    assert loaded(folder).digest == fingerprint(folder)


@pytest.mark.parametrize("name", [r"${file:\u0061}", "${file:a\0b}", "${file:.}"])
def test_a_name_that_names_no_file_is_told(folder: Path, name: str) -> None:
    path = folder / "estate.yaml"
    path.write_text(CONFIG.replace("${file:policies/core.json}", f'"{name}"'))
    with pytest.raises(ConfigError):
        loaded(folder)


def test_elsewhere_a_file_has_no_place() -> None:
    found = problem(resources("vpc/v: {CidrBlock: '${file:a.json}'}"))
    assert "cannot stand here (a file is the whole of a field" in str(found)
