"""What a user relies on of the things that tie others together: associations and registrations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from reconciler.sandbox import Delays, LocalAws, local_aws

from . import conftest
from .conftest import client, code, refusal
from .test_networkmanager import BANDWIDTH, site

EC2 = "arn:aws:ec2:us-west-2:123456789012"
NOT_FOUND = ("ResourceNotFoundException", 404)
INVALID = ("ValidationException", 400)


@dataclass(frozen=True)
class Branch:
    """A site with a device and a link that are associated."""

    network: str
    site: str
    device: str
    link: str

    @property
    def pair(self) -> dict[str, str]:
        return {"GlobalNetworkId": self.network, "DeviceId": self.device, "LinkId": self.link}


def branch(nm: Any, network: str, *, associated: bool = True) -> Branch:
    where = {"GlobalNetworkId": network, "SiteId": site(nm, network)["SiteId"]}
    made = Branch(
        network,
        where["SiteId"],
        nm.create_device(**where)["Device"]["DeviceId"],
        nm.create_link(**where, Bandwidth=BANDWIDTH)["Link"]["LinkId"],
    )
    if associated:
        nm.associate_link(**made.pair)
    return made


def transit_gateway() -> str:
    return f"{EC2}:transit-gateway/{conftest.transit_gateway()}"


def customer_gateway(behind: str | None) -> str:
    """The ARN of a customer gateway with a VPN connection on a transit gateway."""
    identity = conftest.customer_gateway()
    if behind is not None:
        more = {"TransitGatewayId": behind.rpartition("/")[2]}
        client("ec2").create_vpn_connection(CustomerGatewayId=identity, Type="ipsec.1", **more)
    return f"{EC2}:customer-gateway/{identity}"


def connect_peer(aws: LocalAws) -> tuple[str, str]:
    """The ARNs of a transit gateway Connect peer and of its transit gateway."""
    ec2, gateway = client("ec2"), conftest.transit_gateway()
    blocks = {"AddTransitGatewayCidrBlocks": ["10.99.0.0/24"]}
    ec2.modify_transit_gateway(TransitGatewayId=gateway, Options=blocks)
    vpc = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.1.1.0/24")["Subnet"]["SubnetId"]
    aws.clock.advance(1)
    given = {"TransitGatewayId": gateway, "VpcId": vpc, "SubnetIds": [subnet]}
    transport = ec2.create_transit_gateway_vpc_attachment(**given)["TransitGatewayVpcAttachment"]
    aws.clock.advance(1)
    connect = ec2.create_transit_gateway_connect(
        TransportTransitGatewayAttachmentId=transport["TransitGatewayAttachmentId"],
        Options={"Protocol": "gre"},
    )["TransitGatewayConnect"]
    aws.clock.advance(1)
    peer = ec2.create_transit_gateway_connect_peer(
        TransitGatewayAttachmentId=connect["TransitGatewayAttachmentId"],
        PeerAddress="10.1.1.9",
        InsideCidrBlocks=["169.254.6.0/29"],
    )["TransitGatewayConnectPeer"]["TransitGatewayConnectPeerId"]
    return f"{EC2}:transit-gateway-connect-peer/{peer}", f"{EC2}:transit-gateway/{gateway}"


@pytest.fixture
def registered(aws: LocalAws, nm: Any, network: str) -> str:
    """The ARN of a transit gateway that has been registered for a while."""
    arn = transit_gateway()
    nm.register_transit_gateway(GlobalNetworkId=network, TransitGatewayArn=arn)
    aws.clock.advance(60)
    return arn


def test_a_link_association_comes_is_listed_and_goes(aws: LocalAws, nm: Any, network: str) -> None:
    here = branch(nm, network, associated=False)
    made = nm.associate_link(**here.pair)["LinkAssociation"]
    assert made == {**here.pair, "LinkAssociationState": "PENDING"}

    def states() -> list[str]:
        there = nm.get_link_associations(GlobalNetworkId=network)["LinkAssociations"]
        return [one["LinkAssociationState"] for one in there]

    aws.clock.advance(0.3)
    assert states() == ["AVAILABLE"]
    assert nm.disassociate_link(**here.pair)["LinkAssociation"]["LinkAssociationState"] == "DELETING"
    assert states() == ["DELETING"]
    aws.clock.advance(0.3)
    assert states() == ["DELETED"]
    aws.clock.advance(0.3)
    assert states() == []


def test_link_associations_are_found_by_device_and_by_link(nm: Any, network: str) -> None:
    one, other = branch(nm, network), branch(nm, network)

    def found(**given: str) -> list[str]:
        answer = nm.get_link_associations(GlobalNetworkId=network, **given)["LinkAssociations"]
        return [each["LinkId"] for each in answer]

    assert found() == [one.link, other.link]
    assert found(DeviceId=one.device) == [one.link]
    assert found(LinkId=other.link) == [other.link]
    assert found(DeviceId=one.device, LinkId=other.link) == []


def test_a_list_of_link_associations_may_want_a_filter() -> None:
    with local_aws(unfiltered_link_associations=False):
        nm = client("networkmanager")
        network = nm.create_global_network()["GlobalNetwork"]["GlobalNetworkId"]
        here = branch(nm, network)
        assert code(nm.get_link_associations, GlobalNetworkId=network) == INVALID
        assert nm.get_link_associations(GlobalNetworkId=network, DeviceId=here.device)["LinkAssociations"]


def test_a_connection_may_want_links_of_its_devices() -> None:
    with local_aws(connection_links_associated=True):
        nm = client("networkmanager")
        network = nm.create_global_network()["GlobalNetwork"]["GlobalNetworkId"]
        here, there = branch(nm, network), branch(nm, network, associated=False)
        ends = {"GlobalNetworkId": network, "DeviceId": here.device, "ConnectedDeviceId": there.device}
        far = refusal(nm.create_connection, **ends, ConnectedLinkId=there.link)
        assert [one["Name"] for one in far["Fields"]] == ["connectedLinkId"]
        assert code(nm.create_connection, **ends, LinkId=there.link) == INVALID
        made = nm.create_connection(**ends, LinkId=here.link)["Connection"]["ConnectionId"]
        change = {"GlobalNetworkId": network, "ConnectionId": made, "ConnectedLinkId": there.link}
        assert code(nm.update_connection, **change) == INVALID
        nm.associate_link(**there.pair)
        nm.update_connection(**change)


def test_device_and_link_are_of_one_site_and_one_network(nm: Any, network: str) -> None:
    here, there = branch(nm, network), branch(nm, network)
    answer = refusal(nm.associate_link, **{**here.pair, "LinkId": there.link})
    assert answer["Error"]["Code"] == "ValidationException"
    assert "same site" in answer["Fields"][0]["Message"]
    homeless = nm.create_device(GlobalNetworkId=network)["Device"]["DeviceId"]
    assert code(nm.associate_link, **{**here.pair, "DeviceId": homeless}) == INVALID
    other = nm.create_global_network()["GlobalNetwork"]["GlobalNetworkId"]
    foreign = branch(nm, other)
    assert code(nm.associate_link, **{**here.pair, "LinkId": foreign.link}) == NOT_FOUND
    assert code(nm.associate_link, **{**here.pair, "GlobalNetworkId": "nowhere"}) == INVALID


def test_what_is_associated_is_neither_deleted_nor_moved(aws: LocalAws, nm: Any, network: str) -> None:
    here = branch(nm, network)
    elsewhere = site(nm, network)["SiteId"]
    device = {"GlobalNetworkId": network, "DeviceId": here.device}
    link = {"GlobalNetworkId": network, "LinkId": here.link}
    assert code(nm.delete_device, **device) == INVALID
    assert code(nm.delete_link, **link) == INVALID
    assert code(nm.update_device, **device, SiteId=elsewhere) == INVALID
    nm.disassociate_link(**here.pair)
    assert code(nm.delete_device, **device) == INVALID
    aws.clock.advance(0.3)  # now it is listed as DELETED, which blocks nothing
    nm.update_device(**device, SiteId=elsewhere)
    nm.delete_link(**link)
    nm.delete_device(**device)


@pytest.mark.parametrize("refused", ["ValidationException", "ConflictException"])
def test_associating_twice_is_refused_and_after_the_end_it_works(refused: Any) -> None:
    with local_aws(unverified_block=refused) as aws:
        nm = client("networkmanager")
        here = branch(nm, nm.create_global_network()["GlobalNetwork"]["GlobalNetworkId"])
        assert code(nm.associate_link, **here.pair)[0] == refused
        nm.disassociate_link(**here.pair)
        assert code(nm.associate_link, **here.pair)[0] == refused
        aws.clock.advance(0.3)
        assert code(nm.disassociate_link, **here.pair) == NOT_FOUND
        nm.associate_link(**here.pair)
        aws.clock.advance(0.5)  # what was to follow for the old one does not happen to the new one
        there = nm.get_link_associations(GlobalNetworkId=here.network)["LinkAssociations"]
        assert [one["LinkAssociationState"] for one in there] == ["AVAILABLE"]


def test_a_transit_gateway_is_registered_once_and_its_state_is_a_structure(
    aws: LocalAws, nm: Any, network: str
) -> None:
    arn = transit_gateway()
    given = {"GlobalNetworkId": network, "TransitGatewayArn": arn}
    made = nm.register_transit_gateway(**given)["TransitGatewayRegistration"]
    assert made == {**given, "State": {"Code": "PENDING"}}
    aws.clock.advance(0.3)
    found = nm.get_transit_gateway_registrations(GlobalNetworkId=network, TransitGatewayArns=[arn])
    assert found["TransitGatewayRegistrations"] == [{**given, "State": {"Code": "AVAILABLE"}}]
    assert code(nm.register_transit_gateway, **given) == INVALID
    other = nm.create_global_network()["GlobalNetwork"]["GlobalNetworkId"]
    assert code(nm.register_transit_gateway, **{**given, "GlobalNetworkId": other}) == INVALID
    assert code(nm.deregister_transit_gateway, **{**given, "GlobalNetworkId": other}) == NOT_FOUND
    assert code(nm.delete_global_network, GlobalNetworkId=network) == INVALID
    gone = nm.deregister_transit_gateway(**given)["TransitGatewayRegistration"]
    assert gone["State"] == {"Code": "DELETING"}
    aws.clock.advance(1)
    assert nm.get_transit_gateway_registrations(GlobalNetworkId=network)["TransitGatewayRegistrations"] == []
    nm.delete_global_network(GlobalNetworkId=network)


def test_only_what_ec2_has_is_registered(nm: Any, network: str) -> None:
    unknown = f"{EC2}:transit-gateway/tgw-0123456789abcdef0"
    given = {"GlobalNetworkId": network, "TransitGatewayArn": unknown}
    assert code(nm.register_transit_gateway, **given) == NOT_FOUND
    ids = [f"{unknown}{number}" for number in range(11)]
    assert (
        code(nm.get_transit_gateway_registrations, GlobalNetworkId=network, TransitGatewayArns=ids) == INVALID
    )


def test_a_customer_gateway_is_known_some_time_after_its_transit_gateway() -> None:
    slow = Delays(each={"customer-gateway": 30})
    with local_aws(delays=slow) as aws:
        nm = client("networkmanager")
        here = branch(nm, nm.create_global_network()["GlobalNetwork"]["GlobalNetworkId"])
        arn = transit_gateway()
        given = {**here.pair, "CustomerGatewayArn": customer_gateway(behind=arn)}
        answer = refusal(nm.associate_customer_gateway, **given)
        assert (answer["ResourceType"], answer["ResourceId"]) == (
            "customer-gateway",
            given["CustomerGatewayArn"],
        )
        nm.register_transit_gateway(GlobalNetworkId=here.network, TransitGatewayArn=arn)
        aws.clock.advance(29)
        assert code(nm.associate_customer_gateway, **given) == NOT_FOUND
        aws.clock.advance(2)
        made = nm.associate_customer_gateway(**given)["CustomerGatewayAssociation"]
        assert made == {**given, "State": "PENDING"}


def test_a_customer_gateway_without_a_vpn_on_a_registered_gateway_is_not_known(
    nm: Any, network: str, registered: str
) -> None:
    here = branch(nm, network)
    for arn in (customer_gateway(behind=None), customer_gateway(behind=transit_gateway())):
        given = {"GlobalNetworkId": network, "DeviceId": here.device, "CustomerGatewayArn": arn}
        assert code(nm.associate_customer_gateway, **given) == NOT_FOUND


def test_a_customer_gateway_is_on_one_device_and_a_link_of_it(nm: Any, network: str, registered: str) -> None:
    here, there = branch(nm, network), branch(nm, network)
    arn = customer_gateway(behind=registered)
    answer = refusal(
        nm.associate_customer_gateway, **{**here.pair, "LinkId": there.link}, CustomerGatewayArn=arn
    )
    assert (answer["Error"]["Code"], answer["Fields"][0]["Name"]) == ("ValidationException", "linkId")
    nm.associate_customer_gateway(**here.pair, CustomerGatewayArn=arn)
    assert code(nm.associate_customer_gateway, **there.pair, CustomerGatewayArn=arn) == INVALID
    listed = nm.get_customer_gateway_associations(GlobalNetworkId=network, CustomerGatewayArns=[arn])
    assert [one["LinkId"] for one in listed["CustomerGatewayAssociations"]] == [here.link]


def test_a_customer_gateway_holds_its_link_and_device(
    aws: LocalAws, nm: Any, network: str, registered: str
) -> None:
    here = branch(nm, network)
    arn = customer_gateway(behind=registered)
    nm.associate_customer_gateway(**here.pair, CustomerGatewayArn=arn)
    assert code(nm.disassociate_link, **here.pair) == INVALID
    assert code(nm.delete_device, GlobalNetworkId=network, DeviceId=here.device) == INVALID
    gone = nm.disassociate_customer_gateway(GlobalNetworkId=network, CustomerGatewayArn=arn)
    assert gone["CustomerGatewayAssociation"]["State"] == "DELETING"
    aws.clock.advance(1)
    nm.disassociate_link(**here.pair)


def test_deregistration_takes_customer_gateways_along(
    aws: LocalAws, nm: Any, network: str, registered: str
) -> None:
    here = branch(nm, network)
    other = transit_gateway()
    nm.register_transit_gateway(GlobalNetworkId=network, TransitGatewayArn=other)
    aws.clock.advance(60)
    gone, kept, both = (customer_gateway(behind=arn) for arn in (registered, other, registered))
    client("ec2").create_vpn_connection(
        CustomerGatewayId=both.rpartition("/")[2],
        Type="ipsec.1",
        TransitGatewayId=other.rpartition("/")[2],
    )
    for arn in (gone, kept, both):
        nm.associate_customer_gateway(GlobalNetworkId=network, DeviceId=here.device, CustomerGatewayArn=arn)
    nm.deregister_transit_gateway(GlobalNetworkId=network, TransitGatewayArn=registered)
    aws.clock.advance(1)
    left = nm.get_customer_gateway_associations(GlobalNetworkId=network)["CustomerGatewayAssociations"]
    assert [one["CustomerGatewayArn"] for one in left] == [kept, both]


def test_a_transit_gateway_connect_peer_needs_a_registered_transit_gateway(
    aws: LocalAws, nm: Any, network: str
) -> None:
    here, (arn, gateway) = branch(nm, network), connect_peer(aws)
    given = {**here.pair, "TransitGatewayConnectPeerArn": arn}
    other = transit_gateway()
    nm.register_transit_gateway(GlobalNetworkId=network, TransitGatewayArn=other)
    assert code(nm.associate_transit_gateway_connect_peer, **given) == NOT_FOUND
    nm.register_transit_gateway(GlobalNetworkId=network, TransitGatewayArn=gateway)
    made = nm.associate_transit_gateway_connect_peer(**given)["TransitGatewayConnectPeerAssociation"]
    assert made == {**given, "State": "PENDING"}
    many = [f"{arn}{number}" for number in range(11)]
    found = nm.get_transit_gateway_connect_peer_associations(
        GlobalNetworkId=network, TransitGatewayConnectPeerArns=[arn, *many]
    )
    assert len(found["TransitGatewayConnectPeerAssociations"]) == 1
    assert code(nm.disassociate_link, **here.pair) == INVALID
    key = {"GlobalNetworkId": network, "TransitGatewayConnectPeerArn": arn}
    nm.disassociate_transit_gateway_connect_peer(**key)
    aws.clock.advance(1)
    nm.disassociate_link(**here.pair)


def test_associations_have_no_tags(nm: Any, network: str) -> None:
    here = branch(nm, network)
    arn = f"arn:aws:networkmanager::123456789012:link-association/{network}/{here.device}"
    tags = [{"Key": "a", "Value": "b"}]
    assert code(nm.tag_resource, ResourceArn=arn, Tags=tags) == NOT_FOUND


def test_associations_come_in_pages(nm: Any, network: str) -> None:
    made = [branch(nm, network).link for _ in range(5)]
    pages = list(nm.get_paginator("get_link_associations").paginate(GlobalNetworkId=network))
    assert len(pages) == 2
    assert [one["LinkId"] for page in pages for one in page["LinkAssociations"]] == made
