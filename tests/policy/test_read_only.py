"""A look with a session policy sees what any look sees, and the local AWS refuses it everything else."""

from __future__ import annotations

import json

import pytest

from reconciler import policy
from reconciler.aws.gateway import Gateway
from reconciler.aws.memory import Memory
from reconciler.aws.session import ReadOnly, Sessions
from reconciler.choices import Choices
from reconciler.errors import Denied
from reconciler.kinds import BY_NAME
from reconciler.loop import Loop
from reconciler.sandbox.calls import Call as Made
from reconciler.workers import workers
from tests.harness import ACCOUNT, FACTS, STACK, Host, Time, read

from .enforcing import Iam

ESTATE = """
resources:
  global-network/g: {Description: one}
  site/s: {GlobalNetworkId: "${global-network/g}", Description: one}
  vpc/v: {CidrBlock: 10.1.0.0/16, EnableDnsHostnames: true}
  security-group/w: {GroupName: w, Description: w, VpcId: "${vpc/v}"}
"""
LATER = """
resources:
  global-network/g: {Description: two}
  link/l: {GlobalNetworkId: "${global-network/g}", SiteId: site-1, Bandwidth: {UploadSpeed: 1, DownloadSpeed: 1}}
"""


class Sts(Iam):
    """Has IAM look at each call with the policy that the last session was given."""

    def judge(self, moment: str, call: Made) -> None:
        if call.service == "sts":
            if "Policy" in call.parameters:
                self.policy = {"Statement": [json.loads(call.parameters["Policy"])["Statement"]]}
        else:
            super().judge(moment, call)


def looking(ops: Host, text: str) -> Loop:
    """`plan --read-only`."""
    config, time = read(text), Time(ops.aws.clock)
    extent = policy.extent(config, BY_NAME, account=ACCOUNT, partition="aws", everything=True)
    narrow = ReadOnly(policies={ACCOUNT: policy.session_policy(policy.read_half(extent))})
    sessions = Sessions(account=ACCOUNT, accounts={}, region="us-west-2", stack=STACK, read_only=narrow)
    return Loop(
        config=config,
        gateway=Gateway(sessions),
        facts=FACTS,
        memory=Memory.open(ops.state / "elsewhere", time.now),
        executor=workers(4),
        new_id=lambda: "look",
        clock=time,
        choices=Choices(),
    )


def test_it_comes_to_the_same_plan_and_can_write_nothing(ops: Host) -> None:
    assert ops.run(ESTATE).outcome == "settled"
    usual = ops.plan(LATER, allow_shrink=True)
    iam = Sts({"Statement": []})
    ops.aws.on_call.append(iam.judge)
    loop = looking(ops, LATER)
    found = loop.plan()[1]
    assert iam.denied == []
    assert [(entry.label, entry.verdict) for entry in found.entries] == [
        (entry.label, entry.verdict) for entry in usual.entries
    ]
    assert {entry.label for entry in found.steps} >= {"site/s", "security-group/w"}, (
        "kinds that the config names no more"
    )
    ops.aws.clear_calls()
    for entry in found.steps:
        with pytest.raises(Denied):
            loop.gateway.perform(entry.verdict.calls[0])
    ops.aws.on_call.clear()
    assert [entry.verdict for entry in ops.plan(LATER).entries] == [entry.verdict for entry in usual.entries]
