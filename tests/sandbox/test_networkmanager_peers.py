"""What a user relies on of the rest of Cloud WAN: Connect, peerings, prefix lists, labels, NAT, resource policies."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from reconciler.sandbox import LocalAws

from . import conftest, wan
from .conftest import client, code, refusal
from .test_networkmanager_attachments import vpn

NOT_FOUND = ("ResourceNotFoundException", 404)
INVALID = ("ValidationException", 400)
INSIDE = "169.254.10.0/29"


@pytest.fixture
def core(aws: LocalAws, nm: Any, network: str) -> str:
    """A core network with `wan.POLICY` live."""
    return wan.core_network(aws, nm, network)


def connect(nm: Any, core: str, transport: str, **more: Any) -> dict[str, Any]:
    """The parameters of a Connect attachment."""
    options = {"Protocol": "GRE"}
    given = {"CoreNetworkId": core, "EdgeLocation": "us-west-2", "Options": options, **more}
    return {**given, "TransportAttachmentId": transport, "Tags": wan.tags(segment="open")}


@pytest.fixture
def transport(aws: LocalAws, nm: Any, core: str) -> str:
    """A VPC attachment that is available."""
    return wan.vpc_attachment(aws, nm, core)


@pytest.fixture
def connected(aws: LocalAws, nm: Any, core: str, transport: str) -> str:
    """A Connect attachment that is available."""
    made = nm.create_connect_attachment(**connect(nm, core, transport))["ConnectAttachment"]
    aws.clock.advance(0.3)
    return str(made["Attachment"]["AttachmentId"])


# ----------------------------------------------------------------------------------------------------------- Connect


def test_a_connect_attachment_stands_on_a_vpc_attachment(aws: LocalAws, nm: Any, core: str) -> None:
    waiting = wan.vpc_attachment(aws, nm, core, "guarded")
    answer = refusal(nm.create_connect_attachment, **connect(nm, core, waiting))
    assert answer["Error"]["Code"] == "ValidationException"
    assert answer["Fields"] == [
        {"Name": "transportAttachmentId", "Message": "Transport attachment state is invalid."}
    ]
    unknown = connect(nm, core, "attachment-0123456789abcdef0")
    assert code(nm.create_connect_attachment, **unknown) == NOT_FOUND
    below = wan.vpc_attachment(aws, nm, core)
    elsewhere = connect(nm, core, below, EdgeLocation="us-east-1")
    assert code(nm.create_connect_attachment, **elsewhere) == INVALID
    made = nm.create_connect_attachment(**connect(nm, core, below))["ConnectAttachment"]
    resource = made["Attachment"]["ResourceArn"]
    assert resource == f"arn:aws:networkmanager::123456789012:attachment/{below}"
    assert (made["TransportAttachmentId"], made["Options"]) == (below, {"Protocol": "GRE"})
    answer = refusal(nm.delete_attachment, AttachmentId=below)
    assert "cannot be deleted due to existing Connect attachment" in answer["Error"]["Message"]
    aws.clock.advance(0.3)
    nm.delete_attachment(AttachmentId=made["Attachment"]["AttachmentId"])
    assert code(nm.delete_attachment, AttachmentId=below) == INVALID
    aws.clock.advance(0.3)
    nm.delete_attachment(AttachmentId=below)


def peer(connected: str, **more: Any) -> dict[str, Any]:
    """The parameters of a Connect peer."""
    given = {"PeerAddress": "10.1.0.7", "BgpOptions": {"PeerAsn": 65001}, "InsideCidrBlocks": [INSIDE]}
    return {"ConnectAttachmentId": connected, **given, **more}


def test_a_connect_peer_is_written_flat_and_read_nested(aws: LocalAws, nm: Any, connected: str) -> None:
    made = nm.create_connect_peer(**peer(connected), Tags=wan.tags(a="b"))["ConnectPeer"]
    identity = made["ConnectPeerId"]
    assert re.fullmatch(r"connect-peer-[0-9a-f]{17}", identity)
    assert made["State"] == "CREATING"
    aws.clock.advance(0.3)
    found = nm.get_connect_peer(ConnectPeerId=identity)["ConnectPeer"]
    assert found["State"] == "AVAILABLE"
    configuration = found["Configuration"]
    sessions = configuration.pop("BgpConfigurations")
    assert configuration == {
        "PeerAddress": "10.1.0.7",
        "CoreNetworkAddress": "10.0.0.1",
        "InsideCidrBlocks": [INSIDE],
        "Protocol": "GRE",
    }
    assert [(one["CoreNetworkAsn"], one["PeerAsn"]) for one in sessions] == [(64520, 65001)] * 2
    assert len({one["CoreNetworkAddress"] for one in sessions}) == 2
    summary = nm.list_connect_peers(ConnectAttachmentId=connected)["ConnectPeers"][0]
    assert (summary["ConnectPeerState"], summary["Tags"]) == ("AVAILABLE", wan.tags(a="b"))
    assert "State" not in summary
    assert "Configuration" not in summary


def test_a_connect_peer_holds_its_attachment(aws: LocalAws, nm: Any, connected: str) -> None:
    identity = nm.create_connect_peer(**peer(connected))["ConnectPeer"]["ConnectPeerId"]
    aws.clock.advance(0.3)
    assert code(nm.delete_attachment, AttachmentId=connected) == INVALID
    assert nm.delete_connect_peer(ConnectPeerId=identity)["ConnectPeer"]["State"] == "DELETING"
    aws.clock.advance(0.3)
    assert code(nm.get_connect_peer, ConnectPeerId=identity) == NOT_FOUND
    nm.delete_attachment(AttachmentId=connected)


def test_a_connect_peer_needs_an_available_attachment_and_fails_of_its_blocks(
    aws: LocalAws, nm: Any, core: str, transport: str
) -> None:
    made = nm.create_connect_attachment(**connect(nm, core, transport))["ConnectAttachment"]
    identity = made["Attachment"]["AttachmentId"]
    answer = refusal(nm.create_connect_peer, **peer(identity))
    assert answer["Reason"] == "Other"
    assert f"Connect attachment state is invalid. attachment id: {identity}" in answer["Error"]["Message"]
    assert code(nm.create_connect_peer, **peer(transport)) == NOT_FOUND
    aws.clock.advance(0.3)
    assert code(nm.create_connect_peer, **peer(identity, InsideCidrBlocks=[])) == INVALID
    for block in ("10.0.0.0/29", "169.254.10.0/30"):
        wrong = nm.create_connect_peer(**peer(identity, InsideCidrBlocks=[block]))["ConnectPeer"]
        aws.clock.advance(0.3)
        found = nm.get_connect_peer(ConnectPeerId=wrong["ConnectPeerId"])["ConnectPeer"]
        assert found["State"] == "FAILED"
        assert found["LastModificationErrors"][0]["Code"] == "INVALID_INSIDE_CIDR_BLOCK"


def test_four_connect_peers(nm: Any, connected: str) -> None:
    for number in range(4):
        nm.create_connect_peer(**peer(connected, InsideCidrBlocks=[f"169.254.{number}.0/29"]))
    assert code(nm.create_connect_peer, **peer(connected)) == INVALID


def test_a_connect_peer_is_on_a_device_of_its_global_network(
    aws: LocalAws, nm: Any, network: str, connected: str
) -> None:
    identity = nm.create_connect_peer(**peer(connected))["ConnectPeer"]["ConnectPeerId"]
    device = nm.create_device(GlobalNetworkId=network)["Device"]["DeviceId"]
    given = {"GlobalNetworkId": network, "ConnectPeerId": identity, "DeviceId": device}
    other = nm.create_global_network()["GlobalNetwork"]["GlobalNetworkId"]
    foreign = nm.create_device(GlobalNetworkId=other)["Device"]["DeviceId"]
    elsewhere = {**given, "GlobalNetworkId": other, "DeviceId": foreign}
    assert code(nm.associate_connect_peer, **elsewhere) == NOT_FOUND
    assert nm.associate_connect_peer(**given)["ConnectPeerAssociation"] == {**given, "State": "PENDING"}
    aws.clock.advance(0.3)
    listed = nm.get_connect_peer_associations(GlobalNetworkId=network, ConnectPeerIds=[identity])
    assert listed["ConnectPeerAssociations"] == [{**given, "State": "AVAILABLE"}]
    assert code(nm.delete_device, GlobalNetworkId=network, DeviceId=device) == INVALID
    nm.delete_connect_peer(ConnectPeerId=identity)
    aws.clock.advance(1)
    assert nm.get_connect_peer_associations(GlobalNetworkId=network)["ConnectPeerAssociations"] == []


# ---------------------------------------------------------------------------------------------------------- peerings


def transit_gateway() -> str:
    return f"{wan.EC2}:transit-gateway/{conftest.transit_gateway()}"


def route_table(gateway: str) -> str:
    identity = gateway.rpartition("/")[2]
    made = client("ec2").create_transit_gateway_route_table(TransitGatewayId=identity)
    table = made["TransitGatewayRouteTable"]["TransitGatewayRouteTableId"]
    return f"{wan.EC2}:transit-gateway-route-table/{table}"


def test_a_peering_and_the_route_table_on_it(aws: LocalAws, nm: Any, core: str) -> None:
    gateway = transit_gateway()
    made = nm.create_transit_gateway_peering(CoreNetworkId=core, TransitGatewayArn=gateway)
    peering = made["TransitGatewayPeering"]["Peering"]
    identity = peering["PeeringId"]
    assert (peering["State"], peering["EdgeLocation"], peering["ResourceArn"]) == (
        "CREATING",
        "us-west-2",
        gateway,
    )
    table = {"PeeringId": identity, "TransitGatewayRouteTableArn": route_table(gateway)}
    tagged = {**table, "Tags": wan.tags(segment="open")}
    assert code(nm.create_transit_gateway_route_table_attachment, **tagged) == INVALID
    aws.clock.advance(0.3)
    found = nm.get_transit_gateway_peering(PeeringId=identity)["TransitGatewayPeering"]
    assert found["Peering"]["State"] == "AVAILABLE"
    ec2 = client("ec2")
    attachment = found["TransitGatewayPeeringAttachmentId"]
    shown = ec2.describe_transit_gateway_peering_attachments()["TransitGatewayPeeringAttachments"]
    assert [(one["TransitGatewayAttachmentId"], one["State"]) for one in shown] == [(attachment, "available")]
    assert code(ec2.delete_transit_gateway, TransitGatewayId=gateway.rpartition("/")[2]) == (
        "IncorrectState",
        400,
    )
    answer = nm.create_transit_gateway_route_table_attachment(**tagged)["TransitGatewayRouteTableAttachment"]
    assert {name: answer[name] for name in table} == table
    assert answer["Attachment"]["CoreNetworkId"] == core
    assert code(nm.delete_peering, PeeringId=identity) == INVALID
    aws.clock.advance(0.3)
    assert nm.list_attachments()["Attachments"][0]["SegmentName"] == "open"
    nm.delete_attachment(AttachmentId=answer["Attachment"]["AttachmentId"])
    aws.clock.advance(0.3)
    assert nm.delete_peering(PeeringId=identity)["Peering"]["State"] == "DELETING"
    aws.clock.advance(0.3)
    assert nm.list_peerings()["Peerings"] == []
    assert ec2.describe_transit_gateway_peering_attachments()["TransitGatewayPeeringAttachments"] == []


def test_a_peering_fails_without_its_transit_gateway(aws: LocalAws, nm: Any, core: str) -> None:
    far = "arn:aws:ec2:eu-west-1:123456789012:transit-gateway/tgw-0123456789abcdef0"
    assert code(nm.create_transit_gateway_peering, CoreNetworkId=core, TransitGatewayArn=far) == INVALID
    gone = f"{wan.EC2}:transit-gateway/tgw-0123456789abcdef0"
    nm.create_transit_gateway_peering(CoreNetworkId=core, TransitGatewayArn=gone)
    aws.clock.advance(0.3)
    found = nm.list_peerings(CoreNetworkId=core, State="FAILED")["Peerings"]
    assert [one["Code"] for one in found[0]["LastModificationErrors"]] == ["TRANSIT_GATEWAY_NOT_FOUND"]
    nm.delete_peering(PeeringId=found[0]["PeeringId"])


def test_a_core_network_keeps_while_it_is_peered(aws: LocalAws, nm: Any, core: str) -> None:
    nm.create_transit_gateway_peering(CoreNetworkId=core, TransitGatewayArn=transit_gateway())
    aws.clock.advance(0.3)
    assert code(nm.delete_core_network, CoreNetworkId=core) == INVALID


# -------------------------------------------------------------------------------- prefix lists, labels, NAT, sharing


def prefix_list() -> str:
    given = {"PrefixListName": "mine", "MaxEntries": 1, "AddressFamily": "IPv4"}
    made = client("ec2").create_managed_prefix_list(**given)["PrefixList"]
    return f"{wan.EC2}:prefix-list/{made['PrefixListId']}"


def test_a_prefix_list_gets_an_alias(aws: LocalAws, nm: Any, core: str) -> None:
    given = {"CoreNetworkId": core, "PrefixListArn": prefix_list(), "PrefixListAlias": "mine"}
    unknown = {**given, "PrefixListArn": f"{wan.EC2}:prefix-list/pl-0123456789abcdef0"}
    assert code(nm.create_core_network_prefix_list_association, **unknown) == NOT_FOUND
    answer = nm.create_core_network_prefix_list_association(**given)
    assert {name: answer[name] for name in given} == given
    assert nm.get_core_network(CoreNetworkId=core)["CoreNetwork"]["State"] == "UPDATING"
    aws.clock.advance(0.3)
    assert nm.get_core_network(CoreNetworkId=core)["CoreNetwork"]["State"] == "AVAILABLE"
    assert code(nm.create_core_network_prefix_list_association, **given) == INVALID
    key = {"CoreNetworkId": core, "PrefixListArn": given["PrefixListArn"]}
    listed = nm.list_core_network_prefix_list_associations(**key)["PrefixListAssociations"]
    assert listed == [given]
    nm.delete_core_network_prefix_list_association(**key)
    aws.clock.advance(0.3)
    assert nm.list_core_network_prefix_list_associations(CoreNetworkId=core)["PrefixListAssociations"] == []
    assert code(nm.delete_core_network_prefix_list_association, **key) == NOT_FOUND


ROUTING = {
    "version": "2025.11",
    "routing-policies": [
        {
            "routing-policy-name": "quiet",
            "routing-policy-rules": [{"match": {"type": "prefix-in-prefix-list", "value": "mine"}}],
        }
    ],
    "attachment-routing-policy-rules": [
        {
            "rule-number": 1,
            "conditions": [{"type": "routing-policy-label", "value": "silent"}],
            "action": {"associate-routing-policies": ["quiet"]},
        }
    ],
}


def test_an_alias_that_the_live_policy_names_keeps_its_prefix_list(
    aws: LocalAws, nm: Any, network: str
) -> None:
    core = wan.core_network(aws, nm, network, wan.changed(**ROUTING))
    given = {"CoreNetworkId": core, "PrefixListArn": prefix_list()}
    nm.create_core_network_prefix_list_association(**given, PrefixListAlias="mine")
    aws.clock.advance(0.3)
    assert code(nm.delete_core_network_prefix_list_association, **given) == INVALID


def test_a_label_gives_an_attachment_its_routing_policies(aws: LocalAws, nm: Any, network: str) -> None:
    core = wan.core_network(aws, nm, network, wan.changed(**ROUTING))
    identity = wan.vpc_attachment(aws, nm, core, RoutingPolicyLabel="loud")
    where = {"CoreNetworkId": core, "AttachmentId": identity}

    def found() -> list[dict[str, Any]]:
        answer = nm.list_attachment_routing_policy_associations(**where)
        listed: list[dict[str, Any]] = answer["AttachmentRoutingPolicyAssociations"]
        return listed

    assert found()[0]["RoutingPolicyLabel"] == "loud"
    assert found()[0]["AssociatedRoutingPolicies"] == []
    answer = nm.put_attachment_routing_policy_label(**where, RoutingPolicyLabel="silent")
    assert answer["RoutingPolicyLabel"] == "silent"
    assert nm.get_core_network(CoreNetworkId=core)["CoreNetwork"]["State"] == "UPDATING"
    assert found()[0]["PendingRoutingPolicies"] == ["quiet"]
    assert code(nm.put_attachment_routing_policy_label, **where, RoutingPolicyLabel="x") == INVALID
    aws.clock.advance(0.3)
    assert found() == [
        {
            "AttachmentId": identity,
            "PendingRoutingPolicies": [],
            "AssociatedRoutingPolicies": ["quiet"],
            "RoutingPolicyLabel": "silent",
        }
    ]
    nm.remove_attachment_routing_policy_label(**where)
    aws.clock.advance(0.3)
    assert found() == []
    assert code(nm.remove_attachment_routing_policy_label, **where) == NOT_FOUND


RULES = [{"RuleNumber": 1, "MatchSourceCidr": "10.0.0.0/16", "NatCidr": "100.64.0.0/24"}]


def test_nat_is_asked_for_and_told_in_other_words(aws: LocalAws, nm: Any, core: str) -> None:
    given = {"CoreNetworkId": core, "VpnConnectionArn": vpn(), "NatGatewaySupport": "ENABLE"}
    assert code(nm.create_site_to_site_vpn_attachment, **given) == INVALID
    made = nm.create_site_to_site_vpn_attachment(**given, NatGatewayRules=RULES)["SiteToSiteVpnAttachment"]
    identity = made["Attachment"]["AttachmentId"]
    assert made["Attachment"]["NatGatewaySupport"] == "ENABLING"
    assert len(nm.list_attachments()["Attachments"]) == 1  # the refused one was not made
    aws.clock.advance(0.3)
    listed = nm.list_attachment_nat_configurations(CoreNetworkId=core)["AttachmentNatConfigurations"]
    assert [(one["AttachmentId"], one["NatGatewaySupport"]) for one in listed] == [(identity, "ENABLED")]
    assert listed[0]["NatGatewayRules"] == [{**RULES[0], "State": "ACTIVATED"}]
    off = {"AttachmentId": identity, "NatGatewaySupport": "DISABLE", "NatGatewayRules": []}
    assert nm.update_attachment_nat_configuration(**off)["NatGatewaySupport"] == "DISABLING"
    aws.clock.advance(0.3)
    listed = nm.list_attachment_nat_configurations(AttachmentId=identity)["AttachmentNatConfigurations"]
    assert (listed[0]["NatGatewaySupport"], listed[0]["NatGatewayRules"]) == ("DISABLED", [])


def test_a_resource_policy_shares_a_core_network(nm: Any, core: str) -> None:
    arn = f"arn:aws:networkmanager::123456789012:core-network/{core}"
    document = {"Version": "2012-10-17", "Statement": []}
    assert "PolicyDocument" not in nm.get_resource_policy(ResourceArn=arn)
    nm.put_resource_policy(ResourceArn=arn, PolicyDocument=json.dumps(document))
    assert json.loads(nm.get_resource_policy(ResourceArn=arn)["PolicyDocument"]) == document
    assert code(nm.put_resource_policy, ResourceArn=arn, PolicyDocument="{") == INVALID
    assert code(nm.put_resource_policy, ResourceArn=f"{arn}0", PolicyDocument="{}") == INVALID
    nm.delete_resource_policy(ResourceArn=arn)
    assert "PolicyDocument" not in nm.get_resource_policy(ResourceArn=arn)


@pytest.mark.parametrize("operation", ["get_network_resources", "get_network_telemetry"])
def test_what_watches_the_network_sees_nothing(nm: Any, network: str, core: str, operation: str) -> None:
    answer = getattr(nm, operation)(GlobalNetworkId=network, CoreNetworkId=core)
    assert [value for name, value in answer.items() if name != "ResponseMetadata"] == [[]]
