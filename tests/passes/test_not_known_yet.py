"""What IAM has just made takes a while to be known elsewhere; what is never known ends with a word to a person."""

from __future__ import annotations

from pathlib import Path

from reconciler.sandbox.settings import Delays
from tests.harness import host

MACHINE = """
    resources:
      instance/one:
        InstanceType: t3.micro
        ImageId: ${ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64}
        IamInstanceProfile: {Name: nobody}
"""
WITH_PROFILE = """
    resources:
      iam-role/worker:
        RoleName: worker
        AssumeRolePolicyDocument:
          Version: "2012-10-17"
          Statement: [{Effect: Allow, Principal: {Service: ec2.amazonaws.com}, Action: "sts:AssumeRole"}]
      instance-profile/worker: {InstanceProfileName: worker, Roles: [{RoleName: "${iam-role/worker}"}]}
      instance/one:
        InstanceType: t3.micro
        ImageId: ${ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64}
        IamInstanceProfile: {Arn: "${instance-profile/worker}"}
"""
SLOWLY = 100.0
"""Seconds until EC2 knows a profile; AWS may take two minutes."""


def test_a_profile_that_ec2_does_not_know_yet_is_tried_rarely(tmp_path: Path) -> None:
    with host(tmp_path, 0.0, delays=Delays(each={"instance-profile": SLOWLY})) as ops:
        began = ops.time.now()
        assert ops.run(WITH_PROFILE, timeout=600).outcome == "settled"
        assert ops.time.now() - began < SLOWLY + 60
        tries = [call.error for call in ops.aws.calls if call.operation == "RunInstances"]
        assert tries.count(None) == 1
        assert len(tries) <= 8


def test_a_profile_that_there_is_not_is_not_waited_for_for_ever(tmp_path: Path) -> None:
    with host(tmp_path, 0.0) as ops:
        began = ops.time.now()
        report = ops.run(MACHINE, timeout=3600)
        assert 300 <= ops.time.now() - began < 400
        (told,) = report.outcomes
        assert told.status == "blocked"
        assert "nobody" in told.why
        assert told.why.endswith("AWS has said so for 5 minutes: is there such a thing?")
