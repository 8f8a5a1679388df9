"""While AWS's rates keep a pass busy, it looks again at what it has made: what needs that follows in the same pass."""

from __future__ import annotations

from collections import Counter

import pytest

from reconciler.loop import Loop
from reconciler.sandbox import Call
from tests.harness import Host
from tests.together import least, under_rates

SITES, GROUPS = 25, 60
BASE = """
resources:
  global-network/n: {}
"""
NETWORK = (
    BASE
    + f"""
  site/s-${{each.n}}:
    for: {{n: {{from: 1, to: {SITES}}}}}
    GlobalNetworkId: ${{global-network/n}}
  link/l-${{each.n}}:
    for: {{n: {{from: 1, to: {SITES}}}}}
    GlobalNetworkId: ${{global-network/n}}
    SiteId: ${{site/s-${{each.n}}}}
    Bandwidth: {{UploadSpeed: 10, DownloadSpeed: 10}}
"""
)
RULED = f"""
resources:
  vpc/v: {{CidrBlock: 10.1.0.0/16}}
  security-group/g-${{each.n}}:
    for: {{n: {{from: 1, to: {GROUPS}}}}}
    GroupName: g-${{each.n}}
    Description: one
    VpcId: ${{vpc/v}}
    Ingress: [{{IpProtocol: "-1", CidrIpv4: 10.0.0.0/8}}]
"""


REGISTRATIONS = 20
GATEWAYS = f"""
resources:
  transit-gateway/near-${{each.n}}:
    for: {{n: {{from: 1, to: {REGISTRATIONS}}}}}
    region: us-west-2
  transit-gateway/far: {{region: eu-west-1}}
"""
REGISTERED = (
    GATEWAYS
    + f"""
  global-network/n:
    TransitGateways:
      - {{for: {{n: {{from: 1, to: {REGISTRATIONS}}}}}, TransitGatewayArn: "${{transit-gateway/near-${{each.n}}}}"}}
  site/s-${{each.n}}:
    for: {{n: {{from: 1, to: {REGISTRATIONS}}}}}
    GlobalNetworkId: ${{global-network/n}}
  device/d: {{GlobalNetworkId: "${{global-network/n}}"}}
"""
)
PEERED = (
    GATEWAYS
    + NETWORK.partition("resources:")[2]
    + """
  transit-gateway-peering-attachment/p:
    region: us-west-2
    TransitGatewayId: ${transit-gateway/near-1}
    PeerTransitGatewayId: ${transit-gateway/far}
    PeerAccountId: "123456789012"
    PeerRegion: eu-west-1
  transit-gateway-route-table/t:
    region: us-west-2
    TransitGatewayId: ${transit-gateway/near-1}
    Routes: [{DestinationCidrBlock: 10.9.0.0/16, TransitGatewayAttachmentId: "${transit-gateway-peering-attachment/p}"}]
"""
)


def slowed(ops: Host, text: str) -> Loop:
    """A process under AWS's rates, whose waits move the one clock there is; what others begin with is there."""
    ops.run(BASE if text.startswith(BASE) else text.partition("  security-group")[0])
    ops.aws.clear_calls()
    return under_rates(ops, text, 8)


def test_what_needs_what_aws_is_still_making_does_not_wait_for_the_slowest_call(ops: Host) -> None:
    loop = slowed(ops, NETWORK)
    began = ops.time.monotonic()
    assert loop.one_pass("test").count("created") > 1.8 * SITES
    assert loop.until_settled(60).outcome == "settled"
    assert least(ops.aws.calls) == (SITES - 10) / 5, "of sites ten go at once, and five a second; so do links"
    assert ops.time.monotonic() - began < 1.6 * least(ops.aws.calls)
    assert loop.gateway.counts["throttled"] == 0
    reads = Counter(call.operation for call in ops.aws.calls if not call.is_write)
    assert reads["GetSites"] <= 20, "it looks now and then"


def order(ops: Host, *operations: str) -> list[str]:
    """The names of those calls that were made, in their order."""
    return [call.operation for call in ops.aws.calls if call.operation in operations]


def test_what_lies_in_a_network_does_not_wait_for_its_registrations(ops: Host) -> None:
    """AWS takes ten of each at once, and then some each second; only devices have to do with transit gateways."""
    ops.run(GATEWAYS + BASE.partition("resources:")[2])
    ops.aws.clear_calls()
    loop = under_rates(ops, REGISTERED, 8)
    began = ops.time.monotonic()
    report = loop.one_pass("test")
    assert (report.count("created"), report.count("updated")) == (REGISTRATIONS + 1, 1)
    made = order(ops, "RegisterTransitGateway", "CreateSite", "CreateDevice")
    assert made.index("CreateSite") < made.index("RegisterTransitGateway") + 12
    assert made[::-1].index("RegisterTransitGateway") < 12, "side by side"
    assert made[-1] == "CreateDevice"
    assert ops.time.monotonic() - began < 1.4 * least(ops.aws.calls)
    assert loop.gateway.counts["throttled"] == 0


def test_what_is_put_in_follows_once_what_it_needs_is_accepted(ops: Host) -> None:
    """A route through a peering, whose other side is yet to be made, and then has to accept it."""
    ops.run(GATEWAYS.partition("  transit-gateway/far")[0] + BASE.partition("resources:")[2])
    ops.aws.clear_calls()
    loop = under_rates(ops, PEERED, 8)
    report = loop.one_pass("test")
    assert {one.label: one.status for one in report.outcomes}["transit-gateway-route-table/t"] == "created"
    assert order(
        ops,
        "CreateTransitGateway",
        "CreateTransitGatewayPeeringAttachment",
        "AcceptTransitGatewayPeeringAttachment",
        "CreateTransitGatewayRoute",
    ) == [
        "CreateTransitGateway",
        "CreateTransitGatewayPeeringAttachment",
        "AcceptTransitGatewayPeeringAttachment",
        "CreateTransitGatewayRoute",
    ]


@pytest.mark.parametrize(
    "keys", [["reconciler:stack"], ["reconciler:address"], ["reconciler:stack", "reconciler:address"]]
)
def test_what_loses_its_tags_meanwhile_is_not_made_a_second_time(ops: Host, keys: list[str]) -> None:
    loop = slowed(ops, NETWORK)

    def robbed(moment: str, call: Call) -> None:
        if moment == "before" and call.operation == "CreateLink" and not done:
            done.append(call)
            site = call.parameters["SiteId"]
            (arn,) = (row["SiteArn"] for row in ops.rows("site") if row["SiteId"] == site)
            ops.by_hand("networkmanager", "UntagResource", ResourceArn=arn, TagKeys=keys)

    done = list[Call]()
    ops.aws.on_call.append(robbed)
    loop.one_pass("test")
    assert done
    assert sum(call.operation == "CreateSite" for call in ops.aws.writes) == SITES


def test_what_is_made_and_then_not_made_whole_has_failed(ops: Host) -> None:
    loop = slowed(ops, RULED)
    ops.aws.fail("ec2", "AuthorizeSecurityGroupIngress", code="InvalidParameterValue", status=400, times=1)
    report = loop.one_pass("test")
    assert Counter(one.status for one in report.outcomes) == {
        "settled": 1,
        "created": GROUPS - 1,
        "failed": 1,
    }
    (failed,) = (one for one in report.outcomes if one.status == "failed")
    assert "InvalidParameterValue" in failed.why
    assert loop.gateway.counts["throttled"] == 0


def test_credentials_that_expire_meanwhile_end_the_pass_and_lose_no_call(ops: Host) -> None:
    loop = slowed(ops, NETWORK)
    ops.aws.faults(
        """
        - {call: "*", do: throttle}
        - {call: networkmanager:GetSites, nth: "2-", do: {fail: ExpiredTokenException}}
        """
    )
    report = loop.one_pass("test")
    assert report.count("created") == sum(call.operation == "CreateSite" for call in ops.aws.writes) == SITES
    assert "CreateLink" not in {call.operation for call in ops.aws.writes}
