"""A process that looks again and again knows what has not changed, and sees what has."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.harness import Host

TEXT = """
stack: test
account: "123456789012"
region: us-west-2
resources:
  vpc/v: {CidrBlock: 10.0.0.0/16, protect: false}
  subnet/s: {VpcId: "${vpc/v}", CidrBlock: 10.0.1.0/24, MapPublicIpOnLaunch: false, Tags: {env: dev}}
  security-group/g:
    VpcId: ${vpc/v}
    GroupName: g
    Description: of a test
    Ingress: [{IpProtocol: tcp, FromPort: 22, ToPort: 22, CidrIpv4: 10.0.0.0/8}]
  global-network/n: {Description: of a test}
  site/s: {GlobalNetworkId: "${global-network/n}", Description: of a test}
"""


def test_a_process_sees_what_changes_after_all_was_settled(ops: Host) -> None:
    loop = ops.loop(TEXT)
    assert loop.until_settled(600).outcome == "settled"
    (subnet,), (group,) = (
        [row for row in ops.rows(kind) if row.get("Tags")] for kind in ("subnet", "security-group")
    )
    (site,) = ops.rows("site")
    changes: list[tuple[str, str, str, dict[str, object]]] = [
        (
            "subnet/s",
            "ec2",
            "ModifySubnetAttribute",
            {"SubnetId": subnet["SubnetId"], "MapPublicIpOnLaunch": {"Value": True}},
        ),
        (
            "subnet/s",
            "ec2",
            "CreateTags",
            {"Resources": [subnet["SubnetId"]], "Tags": [{"Key": "env", "Value": "x"}]},
        ),
        (
            "security-group/g",
            "ec2",
            "RevokeSecurityGroupIngress",
            {
                "GroupId": group["GroupId"],
                "IpProtocol": "tcp",
                "FromPort": 22,
                "ToPort": 22,
                "CidrIp": "10.0.0.0/8",
            },
        ),
        (
            "site/s",
            "networkmanager",
            "UpdateSite",
            {"GlobalNetworkId": site["GlobalNetworkId"], "SiteId": site["SiteId"], "Description": "another"},
        ),
    ]
    for address, service, operation, parameters in changes:
        assert loop.one_pass("test").outcome == "settled"
        ops.by_hand(service, operation, **parameters)
        before = loop.changes["updated"]
        assert loop.until_settled(600).outcome == "settled"  # Network Manager takes its time
        assert loop.changes["updated"] == before + 1, f"{operation} at {address} was not seen"
    assert loop.one_pass("test").outcome == "settled"


@pytest.mark.parametrize("wanted", ["x", None])
def test_a_process_does_what_another_config_says(ops: Host, wanted: str | None) -> None:
    loop = ops.loop(TEXT)
    loop.until_settled(600)
    assert loop.one_pass("test").outcome == "settled"
    found = loop.config
    subnet = next(desired for address, desired in found.resources.items() if address.kind == "subnet")
    other = replace(subnet, tags={**subnet.tags, "env": wanted})
    loop.take(replace(found, resources={**found.resources, subnet.address: other}))
    done = [outcome for outcome in loop.one_pass("test").outcomes if outcome.status == "updated"]
    assert [outcome.label for outcome in done] == ["subnet/s"]
