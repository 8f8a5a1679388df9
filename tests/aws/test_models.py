"""The loader that parses what is asked for says what botocore's own says."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import botocore.loaders
import pytest
from botocore.exceptions import UnknownServiceError

from reconciler.aws import models
from reconciler.aws.models import Models, Pieces, parsed
from reconciler.kinds import ALL

SERVICES = sorted({kind.service for kind in ALL} | {"sts", "ssm", "dynamodb"})


def loader() -> Models:
    return Models(botocore.loaders.Loader().search_paths)


def whole(value: Any) -> Any:
    """With every piece parsed."""
    return {name: whole(inner) for name, inner in value.items()} if isinstance(value, dict) else value


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("sort", ["service-2", "paginators-1", "endpoint-rule-set-1"])
def test_it_is_botocores(service: str, sort: str) -> None:
    ours, botocores = loader(), botocore.loaders.Loader()
    found = ours.load_service_model(service, sort)
    assert whole(found) == botocores.load_service_model(service, sort)
    assert ours.determine_latest_version(service, sort) == botocores.determine_latest_version(service, sort)


def test_botocores_layout_is_cut() -> None:
    """Else all of this would be of no use."""
    for service in SERVICES:
        found = loader().load_service_model(service, "service-2")
        assert {name for name, value in found.items() if isinstance(value, Pieces)} == {
            "operations",
            "shapes",
        }


def test_what_is_not_asked_for_is_not_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    found, texts = loader().load_service_model("ec2", "service-2"), []
    parse = json.loads

    def noted(text: bytes) -> Any:
        texts.append(text)
        return parse(text)

    monkeypatch.setattr(models.json, "loads", noted)
    for _ in range(2):
        assert found["shapes"]["Vpc"]["type"] == found["shapes"].get("Vpc")["type"] == "structure"
    assert "Subnet" in found["shapes"]
    assert found["shapes"].get("None such", 1) == 1
    assert len(texts) == 1


ODD = {
    "not indented": lambda text: json.dumps(json.loads(text)),
    "indented by four": lambda text: json.dumps(json.loads(text), indent=4),
    "by two throughout": lambda text: json.dumps(json.loads(text), indent=2),
    "with other sections": lambda text: text.replace('"shapes"', '"forms"'),
    "with a member that is no object": lambda text: text.replace('"B":{}', '"B":1'),
    "with a name that has an escape": lambda text: text.replace('"B"', r'"B\u00e9"'),
    "with a comment of the layout in a text": lambda text: text.replace("told", r"\n    \"C\":{}\n  }"),
    "with nothing in it": lambda text: "{}",
}
"""Ways to lay out a model."""


@pytest.mark.parametrize("change", ODD.values(), ids=list(ODD))
def test_another_layout_says_the_same(change: Callable[[str], str]) -> None:
    text = """{
  "version":"2.0",
  "operations":{
    "Ask":{
      "name":"Ask",
      "documentation":"told"
    }
  },
  "shapes":{
    "A":{
      "type":"structure",
      "members":{
        "b":{"shape":"B"}
      }
    },
    "B":{}
  }
}"""
    changed = change(text)
    assert whole(parsed(changed.encode())) == json.loads(changed)


def test_threads_that_ask_at_once_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    read, ours = [], loader()
    load = models.Files.load_file

    def noted(self: Any, path: str) -> Any:
        read.append(path)
        return load(self, path)

    monkeypatch.setattr(models.Files, "load_file", noted)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: ours.load_service_model("sts", "service-2"), range(8)))
    assert all(one is found[0] for one in found)
    assert len(read) == len(set(read))


def test_a_service_is_looked_for_and_not_all_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    looked = []
    listed = botocore.loaders.os.listdir
    monkeypatch.setattr(botocore.loaders.os, "listdir", lambda path: looked.append(path) or listed(path))
    ours = loader()
    ours.load_service_model("sts", "service-2")
    assert 0 < len(looked) < 10
    with pytest.raises(UnknownServiceError, match=r"'none-such'.*ec2, .*, sts"):
        ours.load_service_model("none-such", "service-2")
    everything = ours.list_available_services("service-2")
    assert list(everything) == botocore.loaders.Loader().list_available_services("service-2")
    assert len(everything) > 300
