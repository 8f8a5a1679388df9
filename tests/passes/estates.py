"""The estates that whole passes are tried on."""

from __future__ import annotations

from pathlib import Path

AI_GLOBAL = (Path(__file__).parents[2] / "config/ai-global.yaml").read_text()
TWO_REGIONS = (Path(__file__).parents[2] / "config/two-regions.yaml").read_text()
NETWORK = """
    resources:
      vpc/v: {CidrBlock: 10.0.0.0/16, protect: false}
      subnet/s: {VpcId: "${vpc/v}", CidrBlock: 10.0.1.0/24, AvailabilityZone: us-west-2a}
      security-group/g: {GroupName: g, Description: g, VpcId: "${vpc/v}"}
      instance/i:
        ImageId: ${ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64}
        InstanceType: t3.micro
        HibernationOptions: {Configured: false}
        SubnetId: ${subnet/s}
        SecurityGroupIds: ["${security-group/g}"]
"""
SLEEPY = NETWORK.replace("Configured: false", "Configured: true")
"""The same, with a machine that no change in place leads to."""
