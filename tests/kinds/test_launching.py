"""Launch templates: a changed one gets one new version, whatever happens between making it and launching with it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.harness import Host

TYPE = "g5.xlarge"


def template(kind: str) -> str:
    return f"""
resources:
  launch-template/gpu:
    LaunchTemplateName: gpu
    LaunchTemplateData: {{InstanceType: {kind}, EbsOptimized: true}}
"""


def versions(ops: Host) -> list[Any]:
    (row,) = ops.rows("launch-template")
    found = ops.by_hand(
        "ec2",
        "DescribeLaunchTemplateVersions",
        LaunchTemplateId=row["LaunchTemplateId"],
    )["LaunchTemplateVersions"]
    found.sort(key=lambda one: one["VersionNumber"])
    return [(one["LaunchTemplateData"]["InstanceType"], one["DefaultVersion"]) for one in found]


def leave(ops: Host, kind: str) -> None:
    """A template of small machines, and a version of it that nothing is launched with."""
    ops.run(template("t3.micro"))
    (row,) = ops.rows("launch-template")
    ops.by_hand(
        "ec2",
        "CreateLaunchTemplateVersion",
        LaunchTemplateId=row["LaunchTemplateId"],
        LaunchTemplateData={"InstanceType": kind, "EbsOptimized": True},
    )
    ops.aws.clear_calls()


@pytest.mark.parametrize(
    ("left", "calls", "then"),
    [
        (TYPE, ["ModifyLaunchTemplate"], [("t3.micro", False), (TYPE, True)]),
        (
            "g5.2xlarge",
            ["CreateLaunchTemplateVersion", "ModifyLaunchTemplate"],
            [("t3.micro", False), ("g5.2xlarge", False), (TYPE, True)],
        ),
    ],
)
def test_a_version_that_was_left_behind_is_used_if_it_is_the_wanted_one(
    ops: Host, left: str, calls: list[str], then: list[Any]
) -> None:
    leave(ops, left)
    assert ops.run(template(TYPE)).outcome == "settled"
    assert [call for call in ops.writes() if "Template" in call] == calls
    assert versions(ops) == then


def test_a_version_of_somebody_else_that_is_not_launched_is_left_alone(ops: Host) -> None:
    leave(ops, TYPE)
    assert ops.run(template("t3.micro")).outcome == "settled"
    assert ops.writes() == []
