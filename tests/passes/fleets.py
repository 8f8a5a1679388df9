"""Machines that are alike, and what is asked of them.  Used by the tests of batches."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.model.plan import Report
from reconciler.sandbox import Call
from tests.faults.killing import Moment
from tests.harness import Host, tags

BASE = """
    resources:
      vpc/v: {CidrBlock: 10.0.0.0/16, protect: false}
      subnet/s: {VpcId: "${vpc/v}", CidrBlock: 10.0.0.0/20, AvailabilityZone: us-west-2a}
"""


def fleet(count: int = 4, type: str = "t3.micro", more: str = "") -> str:
    """A network with some machines that are alike but for their names."""
    return BASE + (
        f"""
      instance/m-${{each.n}}:
        for: {{n: {{from: 0, to: {count - 1}}}}}
        ImageId: ${{ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64}}
        InstanceType: {type}
        SubnetId: ${{subnet/s}}
        UserData: "#!/bin/sh"
        Tags: {{Name: "machine ${{each.n}}"}}
        {more}
"""
        if count
        else ""
    )


FLEET = fleet()
ALL = [f"instance/m-{n}" for n in range(4)]


class Died(BaseException):
    """The process is gone."""


def launches(ops: Host) -> list[int]:
    """How many each launch has asked for that AWS has made since the calls were last forgotten."""
    calls = [call for call in ops.aws.writes if call.operation == "RunInstances" and call.error is None]
    return [call.parameters["MaxCount"] for call in calls]


def names(ops: Host) -> list[str]:
    """The addresses in the tags of our machines."""
    return sorted(tags(row)["reconciler:address"] for row in ops.ours("instance"))


def assert_settled(ops: Host, text: str, addresses: list[str], **choices: Any) -> None:
    """Whatever lists have hidden is shown, each address has one machine, and there is nothing left to do."""
    report = ops.run(text, timeout=3600, **choices)
    assert report.outcome == "settled", report.outcomes
    ops.aws.clear_faults()
    assert names(ops) == sorted(addresses)
    ops.aws.clear_calls()
    assert ops.run(text).outcome == "settled"
    assert ops.writes() == []


def dies(ops: Host, text: str, moment: Moment, operation: str = "RunInstances", nth: int = 1) -> None:
    """Run until such a call, and die `before` it or `after` its effect, the answer unseen."""
    left = nth

    def hook(now: str, call: Call) -> None:
        nonlocal left
        left -= now == moment and call.operation == operation
        if left <= 0:
            raise Died

    ops.aws.on_call.append(hook)
    with pytest.raises(Died):
        ops.run(text)
    ops.aws.on_call.remove(hook)


def outcomes(report: Report) -> dict[str, str]:
    return {one.label: one.status for one in report.outcomes if one.label.startswith("instance/")}


either = pytest.mark.parametrize("memory", ["kept", "lost"])
