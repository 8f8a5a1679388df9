"""An instance type that its zone does not offer is found before AWS is asked; what is not known is not judged."""

from __future__ import annotations

import pytest

from .support import config, problems, resources

P5, HERE = "p5.48xlarge", "did not offer p5.48xlarge on"
"""What Frankfurt does not offer, and Ohio does in one zone."""


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        (
            f"instance/a: {{region: eu-central-1, ImageId: ami-1, InstanceType: {P5}}}",
            f"eu-central-1 {HERE}",
        ),
        (
            f"instance/a: {{region: eu-central-1, ImageId: ami-1, InstanceType: {P5}, "
            "Placement: {AvailabilityZone: eu-central-1b}}",
            f"eu-central-1b {HERE}",
        ),
        (
            "capacity-reservation/a: {InstanceType: t2.medium, InstancePlatform: Linux/UNIX, InstanceCount: 1, "
            "AvailabilityZoneId: usw2-az4}",
            "usw2-az4 did not offer t2.medium on 2026-10-27 (usw2-az1, usw2-az2, usw2-az3 do; should it by now, say "
            "`ignore: [InstanceType]`)",
        ),
        (
            "subnet/s: {VpcId: vpc-1, CidrBlock: 10.0.0.0/24, AvailabilityZoneId: usw2-az4}\n"
            'instance/a: {ImageId: ami-1, InstanceType: t2.medium, SubnetId: "${subnet/s}"}',
            "usw2-az4 did not offer t2.medium on",
        ),
    ],
)
def test_a_type_that_is_not_offered_is_told_with_the_day_of_the_data(entry: str, told: str) -> None:
    (problem,) = problems(resources(entry))
    assert told in str(problem)


@pytest.mark.parametrize(
    "entry",
    [
        "instance/a: {ImageId: ami-1, InstanceType: t2.medium, Placement: {AvailabilityZone: us-west-2d}}",
        "instance/a: {ImageId: ami-1, InstanceType: t2.medium, Placement: {AvailabilityZone: us-west-2-lax-1a}}",
        f"instance/a: {{region: eu-central-1, ImageId: ami-1, InstanceType: {P5}, SubnetId: subnet-1}}",
        f"instance/a: {{region: eu-central-1, ImageId: ami-1, InstanceType: {P5}, ignore: [InstanceType]}}",
        f"instance/a: {{region: mx-central-1, ImageId: ami-1, InstanceType: {P5}}}",
    ],
)
def test_what_the_data_does_not_tell_is_not_judged(entry: str) -> None:
    """A zone's name is another zone for another account in the oldest regions; Local Zones offer what they offer."""
    assert config(resources(entry)).resources
