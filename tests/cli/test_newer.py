"""An image that a parameter names: a newer one is told, and is no drift."""

from __future__ import annotations

from collections import Counter

from .support import Cli, client
from .wire import Wire

ESTATE = """
resources:
  instance/${each.n}:
    for: {n: [one, two]}
    ImageId: ${ssm:/team/image}
    InstanceType: t3.micro
"""


def test_a_newer_image_is_told_and_is_no_drift(cli: Cli, line: Wire) -> None:
    ec2, ssm = client("ec2", cli.url), client("ssm", cli.url)
    (older, newer) = [image["ImageId"] for image in ec2.describe_images(Owners=["amazon"])["Images"][:2]]

    def published(image: str) -> None:
        ssm.put_parameter(Name="/team/image", Value=image, Type="String", Overwrite=True)

    published(older)
    cli.write(ESTATE)
    assert cli("run", "--once").status == 0
    assert "update available" not in cli("plan").out
    published(newer)
    told = f"ImageId: update available, {older} -> {newer}"
    line.calls.clear()
    plan = cli("plan", "--detailed-exitcode")
    assert plan.status == 0
    assert f"instance/one: {told}" in plan.out
    assert f"instance/two: {told}" in plan.out
    assert "No changes." in plan.out
    assert Counter(line.calls)["GetParameters"] == 1
    assert [one["reason"] for one in cli("plan", "--json").data["addresses"]] == [told, told]
    assert told in cli("explain", "instance/one").out
    assert cli("drift").status == 0
    line.calls.clear()
    assert cli("run", "--once", "--detailed-exitcode").status == 0
    assert not {"GetParameter", "GetParameters"} & {*line.calls}
