"""A core network of one account, and what another attaches to it: one config, one stack.

The owner of a core network is shown what others have on it, with its tags; it is theirs all the same.
"""

from __future__ import annotations

import pytest

from reconciler.errors import ConfigError, Denied
from tests import documents
from tests.harness import ACCOUNT, Host, tags
from tests.passes.test_accounts import EDGE, HEAD, refuse

ATTACHED = """
  vpc/WHO: {account: WHO, CidrBlock: 10.77.0.0/16, protect: false}
  subnet/WHO: {account: WHO, VpcId: "${vpc/WHO}", CidrBlock: 10.77.1.0/24}
  vpc-attachment/WHO:
    account: WHO
    accept: true
    CoreNetworkId: ${core-network/wan}
    VpcArn: ${vpc/WHO}
    SubnetArns: ["${subnet/WHO}"]
  connect-attachment/WHO:
    account: WHO
    accept: true
    CoreNetworkId: ${core-network/wan}
    EdgeLocation: us-west-2
    TransportAttachmentId: ${vpc-attachment/WHO}
    Options: {Protocol: GRE}
  connect-peer/WHO:
    account: WHO
    ConnectAttachmentId: ${connect-attachment/WHO}
    PeerAddress: 10.77.1.10
    InsideCidrBlocks: [169.254.10.0/29]
"""
HOME = ATTACHED.replace("    account: WHO\n", "").replace("account: WHO, ", "").replace("WHO", "home")
CONFIG = (
    HEAD
    + """
resources:
  global-network/g: {}
  core-network/wan:
    GlobalNetworkId: ${global-network/g}
    protect: false
    PolicyDocument:
      version: "2021.12"
      core-network-configuration:
        asn-ranges: ["64512-64555"]
        inside-cidr-blocks: [10.0.0.0/16]
        edge-locations: [{location: us-west-2}]
      segments: [{name: shared}]
      attachment-policies:
        - rule-number: 100
          conditions: [{type: any}]
          action: {association-method: constant, segment: shared}
  transit-gateway/edge: {account: edge, protect: false}
  transit-gateway-route-table/edge: {account: edge, TransitGatewayId: "${transit-gateway/edge}"}
  transit-gateway-peering/edge:
    account: edge
    CoreNetworkId: ${core-network/wan}
    TransitGatewayArn: ${transit-gateway/edge}
  transit-gateway-route-table-attachment/edge:
    account: edge
    accept: true
    PeeringId: ${transit-gateway-peering/edge}
    TransitGatewayRouteTableArn: ${transit-gateway-route-table/edge}
"""
    + ATTACHED.replace("WHO", "edge")
    + HOME
)
"""Each account has such things, so that both are asked for them, and the owner of the network is shown all."""
ON_IT = (
    "vpc-attachment",
    "connect-attachment",
    "connect-peer",
    "transit-gateway-peering",
    "transit-gateway-route-table-attachment",
)


def share(ops: Host) -> None:
    """What a person does once: a core network is a global thing, and is shared in us-east-1."""
    network = ops.seen(CONFIG, "core-network/wan")
    ops.by_hand(
        "ram",
        "CreateResourceShare",
        region="us-east-1",
        name="wan",
        resourceArns=[network.arn],
        principals=[EDGE],
    )


def shown(ops: Host, kind: str, account: str) -> list[str]:
    return [tags(row)["reconciler:address"] for row in ops.ours(kind, account=account)]


def test_it_waits_to_be_shared_and_is_made_settles_heals_and_goes(ops: Host) -> None:
    first = ops.run(CONFIG, timeout=120)
    waits = {outcome.label: outcome.why for outcome in first.outcomes if outcome.status == "waiting"}
    assert {label for label in waits if label.endswith("/edge")} == {f"{kind}/edge" for kind in ON_IT}
    assert "ResourceNotFoundException" in waits["vpc-attachment/edge"]
    share(ops)
    assert ops.run(CONFIG, timeout=3600).outcome == "settled"
    ops.hand = ops.loop(CONFIG).gateway
    for kind in ON_IT:
        thing = ops.seen(CONFIG, f"{kind}/edge")
        assert (thing.account, thing.state) == (EDGE, "AVAILABLE")
        assert f":{EDGE}:" in thing.arn
        assert shown(ops, kind, EDGE) == [f"{kind}/edge"]
        assert f"{kind}/edge" in shown(ops, kind, ACCOUNT)
    ops.aws.clear_calls()
    assert ops.run(CONFIG).outcome == "settled"
    assert ops.writes() == []

    network = {"CoreNetworkId": ops.seen(CONFIG, "core-network/wan").id}
    with pytest.raises(Denied):
        ops.by_hand("networkmanager", "UpdateCoreNetwork", **network, Description="x", account=EDGE)

    peer = ops.seen(CONFIG, "connect-peer/edge")
    ops.by_hand("networkmanager", "DeleteConnectPeer", ConnectPeerId=peer.id, account=EDGE)
    ops.aws.clock.advance(600)
    assert ops.run(CONFIG).outcome == "settled"
    assert ops.seen(CONFIG, "connect-peer/edge").id != peer.id

    ops.aws.clear_calls()
    assert ops.destroy(CONFIG).count("failed", "blocked", "waiting") == 0
    assert [(call.operation, call.error) for call in ops.aws.writes if call.error] == []
    for kind in (*ON_IT, "core-network", "transit-gateway", "vpc"):
        assert [shown(ops, kind, account) for account in (ACCOUNT, EDGE)] == [[], []]


def test_what_the_owner_is_shown_is_not_his_to_delete_while_the_other_account_is_closed(ops: Host) -> None:
    ops.assumes_anew = True
    ops.run(CONFIG, timeout=120)
    share(ops)
    ops.run(CONFIG, timeout=3600)
    refuse(ops)
    ops.aws.clear_calls()
    gone = documents.load(CONFIG)
    for kind in ON_IT:
        del gone["resources"][f"{kind}/edge"]
    ops.run(documents.dump(gone), timeout=60, allow_shrink=True)
    assert ops.writes() == []


def test_a_label_is_refused_by_check_where_only_the_other_account_may_set_it(ops: Host) -> None:
    config = documents.load(CONFIG)
    config["resources"]["vpc-attachment/edge"]["RoutingPolicyLabel"] = "blue"
    with pytest.raises(ConfigError, match=r"RoutingPolicyLabel: only the account of core-network/wan can"):
        ops.plan(documents.dump(config))


GATEWAYS = (
    HEAD
    + """
resources:
  transit-gateway/home: {protect: false}
  transit-gateway/edge: {account: edge, protect: false}
  transit-gateway-peering-attachment/both:
    TransitGatewayId: ${transit-gateway/home}
    PeerTransitGatewayId: ${transit-gateway/edge}
    PeerAccountId: "210987654321"
    PeerRegion: us-west-2
"""
)


def test_transit_gateways_of_two_accounts_are_peered_accepted_by_the_other_heal_and_go(ops: Host) -> None:
    assert ops.run(GATEWAYS).outcome == "settled"
    peering = ops.seen(GATEWAYS, "transit-gateway-peering-attachment/both")
    assert (peering.account, peering.state) == (ACCOUNT, "available")
    ops.aws.clear_calls()
    assert ops.run(GATEWAYS).outcome == "settled"
    assert ops.writes() == []
    ops.hand = ops.loop(GATEWAYS).gateway
    delete = "DeleteTransitGatewayPeeringAttachment"
    ops.by_hand("ec2", delete, TransitGatewayAttachmentId=peering.id, account=EDGE)
    assert ops.run(GATEWAYS).outcome == "settled"
    assert ops.seen(GATEWAYS, "transit-gateway-peering-attachment/both").id != peering.id
    ops.aws.clear_calls()
    assert ops.destroy(GATEWAYS).count("failed", "blocked", "waiting") == 0
    assert [(call.operation, call.error) for call in ops.aws.writes if call.error] == []
    assert [shown(ops, "transit-gateway", account) for account in (ACCOUNT, EDGE)] == [[], []]
