"""What one call makes is ours from birth under the policy of single creations, though no tag names its address yet."""

from __future__ import annotations

from reconciler import policy
from reconciler.kinds import BY_NAME
from tests.harness import ACCOUNT, Host, read, tags

from .enforcing import Iam, enforced

BASE = """
    resources:
      vpc/v: {CidrBlock: 10.0.0.0/16, protect: false}
      subnet/s: {VpcId: "${vpc/v}", CidrBlock: 10.0.1.0/24}
"""
FLEET = f"""{BASE}
      instance/m-${{each.n}}:
        for: {{n: [1, 2, 3]}}
        ImageId: ${{ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64}}
        InstanceType: t3.micro
        SubnetId: ${{subnet/s}}
        Tags: {{Name: "machine ${{each.n}}"}}
"""


def test_a_batch_is_made_named_and_deleted_under_the_policy_of_its_config(ops: Host) -> None:
    extent = policy.extent(read(FLEET), BY_NAME, account=ACCOUNT, partition="aws")
    iam = Iam(policy.document([*policy.read_half(extent), *policy.write_half(extent)]))
    with enforced(ops.aws, iam):
        assert ops.run(FLEET).outcome == "settled"
        assert ops.writes().count("RunInstances") == 1
        assert {tags(row)["Name"] for row in ops.ours("instance")} == {f"machine {n}" for n in (1, 2, 3)}
        assert ops.run(BASE, allow_shrink=True).outcome == "settled"
    assert iam.denied == []
    assert ops.ours("instance") == []
