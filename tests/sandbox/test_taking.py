"""What is taken of moto's results is what botocore would have read in the XML that moto writes of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from moto.core.responses import ActionContext, ActionResult

from reconciler.kinds import BY_NAME
from reconciler.sandbox import taking, wire
from tests.faults.estate import EVERY, SELDOM, estate
from tests.harness import host

KINDS = tuple(kind for kind in EVERY if BY_NAME[kind].service in taking.SERVICES)
ENOUGH = 5
"""Results of an operation that are compared."""


def test_it_is_what_would_have_been_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    take = taking.result_of
    tried: dict[str, int] = {}
    differ: list[tuple[str, Any, Any]] = []

    def both(action: ActionResult, context: ActionContext) -> dict[str, Any]:
        found, name = take(action, context), str(context.operation_model.name)
        tried[name] = tried.get(name, 0) + 1
        if tried[name] <= ENOUGH:
            status, headers, body = taking._moto_execute(action, context)
            read = wire.read(context.operation_model, (status, headers, body))
            if read != found:
                differ.append((name, found, read))
        return found

    monkeypatch.setattr(taking, "result_of", both)
    with host(tmp_path, SELDOM, page_size=50) as ops:
        assert ops.run(estate(kinds=KINDS)).outcome == "settled"
    assert differ == []
    assert len(tried) > 50
    assert {"RunInstances", "DescribeInstances", "CreateRole"} <= tried.keys()
