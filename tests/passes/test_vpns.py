"""VPN connections: one tunnel stays up whatever is changed, and keys stay where they belong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from reconciler.show.plan import as_data, as_text
from tests.harness import FACTS, Host, host

KEYS = ("first.key.of.ours", "other.key.of.ours")
NEW = ("newer.key.of.ours", "newest.key.of.ours")


def config(*keys: str) -> str:
    tunnels = json.dumps([{"PreSharedKey": key} for key in keys])
    return f"""
    resources:
      customer-gateway/far: {{Type: ipsec.1, BgpAsn: 65020, IpAddress: 198.51.100.9}}
      transit-gateway/base: {{}}
      vpn-connection/one:
        Type: ipsec.1
        CustomerGatewayId: ${{customer-gateway/far}}
        TransitGatewayId: ${{transit-gateway/base}}
        Options: {{TunnelOptions: {tunnels}}}
    """


@pytest.fixture
def ops(tmp_path: Path) -> Any:
    with host(tmp_path, regions=("us-west-2",)) as found:
        found.run(config(*KEYS))
        found.aws.clear_calls()
        yield found


def connection(ops: Host) -> dict[str, Any]:
    (row,) = ops.rows("vpn-connection")
    return row


def test_both_keys_are_changed_one_tunnel_after_the_other(ops: Host) -> None:
    states: list[str] = []

    def look(moment: str, call: Any) -> None:
        if moment == "before" and call.operation == "ModifyVpnTunnelOptions":
            states.append(connection(ops)["State"])

    ops.aws.on_call.append(look)
    assert ops.run(config(*NEW)).outcome == "settled"
    assert states == ["available", "available"]
    assert ops.writes() == ["ModifyVpnTunnelOptions"] * 2
    assert [one["PreSharedKey"] for one in connection(ops)["Options"]["TunnelOptions"]] == [*NEW]
    ops.aws.clear_calls()
    assert ops.run(config(*NEW)).outcome == "settled"
    assert ops.writes() == []


def test_no_key_is_in_a_plan_a_line_a_tag_or_a_file(
    ops: Host, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    fresh = ops.plan(
        config(*KEYS).replace("/one:", "/two:")
    )  # a plan that creates one, and one that changes one
    plans = [fresh, ops.plan(config(*NEW))]
    told = [as_text(plan, FACTS) + json.dumps(as_data(plan, FACTS)) for plan in plans]
    assert "PreSharedKey" in told[1]
    ops.run(config(*NEW))
    kept = [path.read_text() for path in ops.state.rglob("*") if path.is_file()]
    assert any("ModifyVpnTunnelOptions" in text for text in kept)
    tags = json.dumps(connection(ops)["Tags"])
    everything = [*told, *kept, tags, caplog.text, *capsys.readouterr()]
    assert [key for key in (*KEYS, *NEW) for text in everything if key in text] == []


def test_a_connection_gives_the_attachment_that_aws_makes_for_it(ops: Host) -> None:
    seen = ops.seen(config(*KEYS), "vpn-connection/one").spec["TransitGatewayAttachmentId"]
    (row,) = ops.by_hand("ec2", "DescribeTransitGatewayAttachments")["TransitGatewayAttachments"]
    assert (row["TransitGatewayAttachmentId"], row["ResourceType"]) == (seen, "vpn")


STATIC = """
    resources:
      vpc/v: {{CidrBlock: 10.1.0.0/16}}
      vpn-gateway/near: {{Type: ipsec.1, AmazonSideAsn: 64600, VpcId: "${{vpc/v}}"}}
      transit-gateway/base: {{}}
      customer-gateway/far: {{Type: ipsec.1, BgpAsn: 65020, IpAddress: 198.51.100.9}}
      vpn-connection/two:
        Type: ipsec.1
        CustomerGatewayId: ${{customer-gateway/far}}
        Options: {{StaticRoutesOnly: true}}
        {end}
        Routes: {routes}
"""


def test_a_connection_goes_to_a_transit_gateway_without_its_static_routes(ops: Host) -> None:
    routes = "[{DestinationCidrBlock: 172.20.0.0/16}, {DestinationCidrBlock: 172.21.0.0/16}]"
    before = STATIC.format(end="VpnGatewayId: ${vpn-gateway/near}", routes=routes)
    assert not ops.run(before).count("failed", "waiting")
    ops.aws.clear_calls()
    text = STATIC.format(end="TransitGatewayId: ${transit-gateway/base}", routes="[]")
    ops.run(text)
    moves = [call for call in ops.aws.writes if not call.operation.endswith("Tags")]
    assert [(call.operation, call.error) for call in moves] == [
        ("DeleteVpnConnectionRoute", None),
        ("DeleteVpnConnectionRoute", None),
        ("ModifyVpnConnection", None),
    ]
    assert ops.seen(text, "vpn-connection/two").spec["TransitGatewayId"]
