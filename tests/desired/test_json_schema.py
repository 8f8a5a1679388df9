"""The JSON Schema for editors: well formed, up to date, and of one mind with the loader about the examples."""

from __future__ import annotations

import json
from typing import Any

import jsonschema  # type: ignore[import-untyped, unused-ignore]
import pytest
import yaml  # type: ignore[import-untyped, unused-ignore]

from reconciler.desired import json_schema
from reconciler.kinds import BY_NAME

from .support import EXAMPLES, SCHEMA

MADE = json_schema(BY_NAME, SCHEMA)


class Loader(yaml.SafeLoader):  # type: ignore[misc, unused-ignore]
    """Scalars as YAML 1.2 has them, roughly: what the examples need."""


Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith("timestamp")]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def mistakes(document: Any) -> list[str]:
    return [error.message for error in jsonschema.Draft7Validator(MADE).iter_errors(document)]


def test_it_is_a_schema() -> None:
    jsonschema.Draft7Validator.check_schema(MADE)


def test_the_file_is_up_to_date() -> None:
    kept = (EXAMPLES / "reconciler.schema.json").read_text()
    wanted = json.dumps(MADE, indent=2, ensure_ascii=False) + "\n"
    assert kept == wanted, "write it anew: reconciler schema > config/reconciler.schema.json"


def test_lists_and_what_repeats_are_valid() -> None:
    text = (EXAMPLES / "twenty-regions/estate.yaml").read_text()
    assert mistakes(yaml.load(text, Loader=Loader)) == []


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.name)
def test_the_examples_are_valid(path: Any) -> None:
    assert path.read_text().startswith("# yaml-language-server: $schema=reconciler.schema.json\n")
    assert mistakes(yaml.load(path.read_text(), Loader=Loader)) == []


@pytest.mark.parametrize(
    "document",
    [
        {"stack": "a", "account": "123456789012", "resources": {}},
        {"resources": {"site/a": {"GlobalNetworkId": "${global-network/a}"}}},
        {"resources": {"site/a-${each.n}": {"for": {"n": [1, "b"]}, "GlobalNetworkId": "x"}}},
        {
            "lists": {
                "a": [1, "b"],
                "b": {"x": None, "y": {"n": 1.5, "m": True, "in": ["z"], "of": {"u": {}}}},
            }
        },
        {
            "resources": {
                "vpc/${each.a.x}": {"for": {"a": "all", "b": {"after": "a"}, "n": {"from": 1, "to": 2}}}
            }
        },
        {"resources": {"vpc/a": {"depends-on": [{"for": {"b": "b"}, "item": "vpc/${each.b}"}]}}},
        {"resources": {"vpc/a": None}},
        {"resources": {"vpc/a": {"EnableDnsSupport": "${var.dns}", "InstanceTenancy": "${var.x}"}}},
        {
            "resources": {
                "vpc/a": {"region": "${each.region}", "depends-on": ["vpc/b"], "previously": "vpc/c"}
            }
        },
        {
            "resources": {
                "security-group/a": {"GroupName": "a", "Description": "a", "Ingress": [{"IpProtocol": "-1"}]}
            }
        },
        {"every": 30, "mode": "upsert", "limits": {"deletes": 1, "percent": 2.5, "per-hour": 3}},
        {"windows": [{"days": ["mon"], "from": "22:00", "to": "24:00", "tz": "Europe/Berlin"}]},
        {"lease": {"table": "t", "region": "us-west-2"}},
        {
            "resources": {
                "site/a": {"GlobalNetworkId": "x", "Description": None, "Location": {"Latitude": None}}
            }
        },
    ],
)
def test_good(document: Any) -> None:
    assert mistakes(document) == []


@pytest.mark.parametrize(
    "document",
    [
        {"account": 123456789012},
        {"regoin": "us-west-2"},
        {"region": "us-wst-2"},
        {"resources": {"sight/a": {}}},
        {"resources": {"site/a": {}}},
        {"resources": {"site/A": {"GlobalNetworkId": "x"}}},
        {"resources": {"site/a": {"GlobalNetworkId": "x", "region": "us-west-2"}}},
        {"resources": {"site/a": {"GlobalNetworkId": "x", "Location": {"Latitude": 48.85}}}},
        {"resources": {"vpc/a": {"InstanceTenancy": "dedicatd"}}},
        {"resources": {"vpc/a": {"EnableDnsSupport": "no"}}},
        {"resources": {"vpc/a": {"Tags": {"aws:x": "y"}}}},
        {"resources": {"instance/a": {"MinCount": 1}}},
        {
            "resources": {
                "security-group/a": {"GroupName": "a", "Description": "a", "replace": "create-first"}
            }
        },
        {"outputs": {"a": 5}},
        {"lists": {"a": "x"}},
        {"lists": {"a.b": []}},
        {"lists": {"a": {"x": 5}}},
        {"resources": {"vpc/${each.a}": {"for": {"a": {"aftr": "b"}}}}},
        {"resources": {"vpc/${each.a}": {"for": {"a": {"from": 1}}}}},
        {"resources": {"vpc/${each.a}": {"for": {"a": []}}}},
        {"resources": {"vpc/a": {"depends-on": [{"item": "vpc/b"}]}}},
        {"mode": "plan"},
        {"limits": {"deletes": -1}},
        {"limits": {"deletions": 1}},
        {"windows": [{"from": "08:00", "to": "17:00"}]},
        {"windows": [{"from": "8:00", "to": "17:00", "tz": "UTC"}]},
        {"windows": [{"days": ["monday"], "from": "08:00", "to": "17:00", "tz": "UTC"}]},
        {"lease": {"region": "us-west-2"}},
        {"resources": {"site/a": {"GlobalNetworkId": None}}},
        {"resources": {"instance/a": {"EbsOptimized": None}}},
    ],
)
def test_bad(document: Any) -> None:
    assert mistakes(document)
