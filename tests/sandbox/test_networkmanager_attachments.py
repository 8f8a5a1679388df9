"""What a user relies on of attachments: their kinds, whose word they wait for, and where the policy puts them."""

from __future__ import annotations

import re
from typing import Any

import pytest

from reconciler.sandbox import LocalAws, local_aws

from . import conftest, wan
from .conftest import client, code, refusal

NOT_FOUND = ("ResourceNotFoundException", 404)
INVALID = ("ValidationException", 400)
DX_GATEWAY = "arn:aws:directconnect::123456789012:dx-gateway/11111111-2222-3333-4444-555555555555"


@pytest.fixture
def core(aws: LocalAws, nm: Any, network: str) -> str:
    """A core network with `wan.POLICY` live."""
    return wan.core_network(aws, nm, network)


def state(nm: Any, identity: str) -> str:
    return str(wan.attachment(nm, identity)["State"])


def arn(identity: str) -> str:
    return f"arn:aws:networkmanager::123456789012:attachment/{identity}"


def retag(nm: Any, identity: str, **given: str) -> None:
    nm.tag_resource(ResourceArn=arn(identity), Tags=wan.tags(**given))


# --------------------------------------------------------------------------------------------------------- one life


def test_an_attachment_comes_and_goes(aws: LocalAws, nm: Any, core: str) -> None:
    given = wan.vpc_and_subnets()
    made = nm.create_vpc_attachment(CoreNetworkId=core, **given, Tags=wan.tags(segment="open"))[
        "VpcAttachment"
    ]
    inner = made["Attachment"]
    identity = inner["AttachmentId"]
    assert re.fullmatch(r"attachment-[0-9a-f]{17}", identity)
    assert made["SubnetArns"] == given["SubnetArns"]
    assert made["Options"] == {
        "ApplianceModeSupport": False,
        "DnsSupport": True,
        "Ipv6Support": False,
        "SecurityGroupReferencingSupport": True,
    }
    assert {name: inner[name] for name in ("State", "AttachmentType", "EdgeLocation", "ResourceArn")} == {
        "State": "CREATING",
        "AttachmentType": "VPC",
        "EdgeLocation": "us-west-2",
        "ResourceArn": given["VpcArn"],
    }
    assert "SegmentName" not in inner
    assert code(nm.delete_attachment, AttachmentId=identity) == INVALID
    assert code(nm.delete_core_network, CoreNetworkId=core) == INVALID
    aws.clock.advance(0.3)
    found = wan.attachment(nm, identity)
    assert (found["State"], found["SegmentName"], found["AttachmentPolicyRuleNumber"]) == (
        "AVAILABLE",
        "open",
        100,
    )
    assert nm.delete_attachment(AttachmentId=identity)["Attachment"]["State"] == "DELETING"
    assert code(nm.delete_core_network, CoreNetworkId=core) == INVALID
    aws.clock.advance(0.3)
    assert code(nm.get_vpc_attachment, AttachmentId=identity) == NOT_FOUND
    assert nm.list_attachments()["Attachments"] == []
    nm.delete_core_network(CoreNetworkId=core)


def test_a_token_makes_one_attachment(nm: Any, core: str) -> None:
    given = {"CoreNetworkId": core, **wan.vpc_and_subnets(), "ClientToken": "t"}
    first = nm.create_vpc_attachment(**given)["VpcAttachment"]["Attachment"]["AttachmentId"]
    assert nm.create_vpc_attachment(**given)["VpcAttachment"]["Attachment"]["AttachmentId"] == first
    assert len(nm.list_attachments()["Attachments"]) == 1
    other = {**given, "ClientToken": "u"}
    assert code(nm.create_vpc_attachment, **other) == INVALID  # the same VPC in the same core network


def test_nothing_is_attached_to_a_core_network_that_changes(aws: LocalAws, nm: Any, core: str) -> None:
    nm.update_core_network(CoreNetworkId=core, Description="x")
    answer = refusal(nm.create_vpc_attachment, CoreNetworkId=core, **wan.vpc_and_subnets())
    assert answer["Reason"] == "Other"
    assert f"Core network state is invalid. core network id: {core}" in answer["Error"]["Message"]


def test_an_edge_that_the_policy_lacks_is_refused(aws: LocalAws, nm: Any, core: str, network: str) -> None:
    far = wan.vpc_and_subnets(region="eu-west-1")
    answer = refusal(nm.create_vpc_attachment, CoreNetworkId=core, **far)
    assert "Core Network edge location (eu-west-1) not available." in answer["Error"]["Message"]
    bare = nm.create_global_network()["GlobalNetwork"]["GlobalNetworkId"]
    without = wan.core_network(aws, nm, bare, None)
    assert code(nm.create_vpc_attachment, CoreNetworkId=without, **wan.vpc_and_subnets()) == INVALID
    unknown = {"CoreNetworkId": "core-network-0123456789abcdef0"}
    assert code(nm.create_vpc_attachment, **unknown, **wan.vpc_and_subnets()) == NOT_FOUND


def test_an_attached_subnet_stays_until_the_attachment_is_gone(aws: LocalAws, nm: Any, core: str) -> None:
    given = wan.vpc_and_subnets()
    identity = wan.vpc_attachment(aws, nm, core, **given)
    ec2, subnet = client("ec2"), given["SubnetArns"][0].rpartition("/")[2]
    assert code(ec2.delete_subnet, SubnetId=subnet)[0] == "DependencyViolation"
    nm.delete_attachment(AttachmentId=identity)
    assert code(ec2.delete_subnet, SubnetId=subnet)[0] == "DependencyViolation"
    aws.clock.advance(0.3)
    nm.list_attachments()
    ec2.delete_subnet(SubnetId=subnet)


# ------------------------------------------------------------------------------------------------------- acceptance


def test_a_guarded_segment_waits_for_a_person(aws: LocalAws, nm: Any, core: str) -> None:
    identity = wan.vpc_attachment(aws, nm, core, "guarded")
    assert state(nm, identity) == "PENDING_ATTACHMENT_ACCEPTANCE"
    aws.clock.advance(1000)
    assert state(nm, identity) == "PENDING_ATTACHMENT_ACCEPTANCE"
    answer = refusal(nm.delete_attachment, AttachmentId=identity)
    assert "Attachment state is invalid" in answer["Error"]["Message"]
    assert nm.accept_attachment(AttachmentId=identity)["Attachment"]["State"] == "CREATING"
    assert code(nm.accept_attachment, AttachmentId=identity) == INVALID
    aws.clock.advance(0.3)
    found = wan.attachment(nm, identity)
    assert (found["State"], found["SegmentName"]) == ("AVAILABLE", "guarded")
    assert code(nm.accept_attachment, AttachmentId=identity) == INVALID


def test_a_rejected_attachment_can_be_deleted(aws: LocalAws, nm: Any, core: str) -> None:
    identity = wan.vpc_attachment(aws, nm, core, "guarded")
    assert nm.reject_attachment(AttachmentId=identity)["Attachment"]["State"] == "AVAILABLE"
    aws.clock.advance(0.3)
    assert state(nm, identity) == "REJECTED"
    assert code(nm.accept_attachment, AttachmentId=identity) == INVALID
    nm.delete_attachment(AttachmentId=identity)
    aws.clock.advance(0.3)
    assert nm.list_attachments()["Attachments"] == []


def test_new_tags_move_an_attachment_at_once_where_nobody_is_asked(aws: LocalAws, nm: Any, core: str) -> None:
    identity = wan.vpc_attachment(aws, nm, core)
    retag(nm, identity, owner="me")
    assert state(nm, identity) == "AVAILABLE"
    retag(nm, identity, segment="narrow")
    assert state(nm, identity) == "PENDING_NETWORK_UPDATE"
    assert code(nm.delete_attachment, AttachmentId=identity) == INVALID
    aws.clock.advance(0.3)
    found = wan.attachment(nm, identity)
    assert (found["State"], found["SegmentName"]) == ("AVAILABLE", "narrow")


def test_new_tags_that_lead_to_a_guarded_segment_wait_for_a_person(aws: LocalAws, nm: Any, core: str) -> None:
    identity = wan.vpc_attachment(aws, nm, core)
    retag(nm, identity, segment="guarded")
    found = wan.attachment(nm, identity)
    assert (found["State"], found["SegmentName"]) == ("PENDING_TAG_ACCEPTANCE", "open")
    assert found["ProposedSegmentChange"] == {
        "Tags": wan.tags(segment="guarded"),
        "AttachmentPolicyRuleNumber": 100,
        "SegmentName": "guarded",
    }
    more = {"AttachmentId": identity, "Options": {"ApplianceModeSupport": True}}
    assert code(nm.update_vpc_attachment, **more) == INVALID
    retag(nm, identity, segment="open")  # a change of mind
    found = wan.attachment(nm, identity)
    assert found["State"] == "AVAILABLE"
    assert "ProposedSegmentChange" not in found
    retag(nm, identity, segment="guarded")
    nm.accept_attachment(AttachmentId=identity)
    assert state(nm, identity) == "PENDING_NETWORK_UPDATE"
    aws.clock.advance(0.3)
    found = wan.attachment(nm, identity)
    assert (found["State"], found["SegmentName"]) == ("AVAILABLE", "guarded")
    assert "ProposedSegmentChange" not in found


def test_a_tag_that_goes_takes_the_segment_along(aws: LocalAws, nm: Any, core: str) -> None:
    identity = wan.vpc_attachment(aws, nm, core)
    nm.untag_resource(ResourceArn=arn(identity), TagKeys=["segment"])
    aws.clock.advance(0.3)
    found = wan.attachment(nm, identity)
    assert (found["State"], found.get("SegmentName"), found["Tags"]) == ("AVAILABLE", None, [])


def test_a_new_live_policy_moves_attachments(aws: LocalAws, nm: Any, core: str) -> None:
    identity = wan.vpc_attachment(aws, nm, core)
    constant = {
        "rule-number": 1,
        "conditions": [{"type": "any"}],
        "action": {"association-method": "constant", "segment": "narrow"},
    }
    version = wan.put(nm, core, wan.changed(**{"attachment-policies": [constant]}))
    aws.clock.advance(0.3)
    nm.execute_core_network_change_set(CoreNetworkId=core, PolicyVersionId=version)
    aws.clock.advance(0.3)
    found = wan.attachment(nm, identity)
    assert (found["SegmentName"], found["AttachmentPolicyRuleNumber"]) == ("narrow", 1)


CONSTANT = {"association-method": "constant", "segment": "open"}


@pytest.mark.parametrize(
    ("conditions", "matches"),
    [
        ([{"type": "any"}], True),
        ([{"type": "tag-exists", "key": "stage"}], True),
        ([{"type": "tag-exists", "key": "Stage"}], False),
        ([{"type": "tag-value", "operator": "equals", "key": "stage", "value": "prod"}], True),
        ([{"type": "tag-value", "operator": "not-equals", "key": "stage", "value": "prod"}], False),
        ([{"type": "tag-value", "operator": "begins-with", "key": "stage", "value": "pr"}], True),
        ([{"type": "tag-value", "operator": "contains", "key": "stage", "value": "ro"}], True),
        ([{"type": "tag-value", "operator": "contains", "key": "other", "value": ""}], False),
        ([{"type": "account-id", "operator": "equals", "value": "123456789012"}], True),
        ([{"type": "region", "operator": "equals", "value": "us-east-1"}], False),
        ([{"type": "region", "operator": "equals", "value": "us-west-2"}], True),
        ([{"type": "attachment-type", "operator": "equals", "value": "vpc"}], True),
        ([{"type": "attachment-type", "operator": "equals", "value": "connect"}], False),
        ([{"type": "resource-id", "operator": "begins-with", "value": "vpc-"}], True),
        ([{"type": "any"}, {"type": "tag-exists", "key": "no"}], False),
        (["or", {"type": "any"}, {"type": "tag-exists", "key": "no"}], True),
    ],
)
def test_conditions(aws: LocalAws, nm: Any, network: str, conditions: list[Any], matches: bool) -> None:
    logic = "or" if conditions[0] == "or" else "and"
    rules = [one for one in conditions if one != "or"]
    rule = {"rule-number": 7, "condition-logic": logic, "conditions": rules, "action": CONSTANT}
    late = {**rule, "rule-number": 8, "conditions": [{"type": "any"}], "condition-logic": "and"}
    late["action"] = {"association-method": "constant", "segment": "narrow"}
    core = wan.core_network(aws, nm, network, wan.changed(**{"attachment-policies": [late, rule]}))
    identity = wan.vpc_attachment(aws, nm, core, Tags=wan.tags(stage="prod"))
    assert wan.attachment(nm, identity)["SegmentName"] == ("open" if matches else "narrow")


def test_a_rule_can_want_acceptance_and_put_into_a_function_group(
    aws: LocalAws, nm: Any, network: str
) -> None:
    groups = [{"name": "firewalls", "require-attachment-acceptance": False}]
    rules = [
        {
            "rule-number": 1,
            "conditions": [{"type": "tag-exists", "key": "strict"}],
            "action": {**CONSTANT, "require-acceptance": True},
        },
        {
            "rule-number": 2,
            "conditions": [{"type": "tag-exists", "key": "inspects"}],
            "action": {"add-to-network-function-group": "firewalls"},
        },
    ]
    policy = wan.changed(**{"network-function-groups": groups, "attachment-policies": rules})
    core = wan.core_network(aws, nm, network, policy)
    strict = wan.vpc_attachment(aws, nm, core, Tags=wan.tags(strict=""))
    assert state(nm, strict) == "PENDING_ATTACHMENT_ACCEPTANCE"
    inspects = wan.vpc_attachment(aws, nm, core, Tags=wan.tags(inspects=""))
    found = wan.attachment(nm, inspects)
    assert (found["State"], found["NetworkFunctionGroupName"]) == ("AVAILABLE", "firewalls")
    assert "SegmentName" not in found
    shown = nm.get_core_network(CoreNetworkId=core)["CoreNetwork"]["NetworkFunctionGroups"]
    assert [one["Name"] for one in shown] == ["firewalls"]


# --------------------------------------------------------------------------------------------------- kinds, one by one


def test_a_vpc_attachment_changes_its_subnets_and_options(aws: LocalAws, nm: Any, core: str) -> None:
    given = wan.vpc_and_subnets(zones=3)
    first, second, third = given["SubnetArns"]
    identity = wan.vpc_attachment(aws, nm, core, VpcArn=given["VpcArn"], SubnetArns=[first, second])
    answer = nm.update_vpc_attachment(
        AttachmentId=identity,
        AddSubnetArns=[third],
        RemoveSubnetArns=[first],
        Options={"ApplianceModeSupport": True},
    )["VpcAttachment"]
    assert (answer["Attachment"]["State"], answer["SubnetArns"]) == ("UPDATING", [second, third])
    assert (answer["Options"]["ApplianceModeSupport"], answer["Options"]["DnsSupport"]) == (True, True)
    assert code(nm.update_vpc_attachment, AttachmentId=identity, AddSubnetArns=[first]) == INVALID
    aws.clock.advance(0.3)
    assert state(nm, identity) == "AVAILABLE"
    client("ec2").delete_subnet(SubnetId=first.rpartition("/")[2])


def test_an_update_that_fails_says_why_and_leaves_all_as_it_was(aws: LocalAws, nm: Any, core: str) -> None:
    given = wan.vpc_and_subnets()
    identity = wan.vpc_attachment(aws, nm, core, **given)
    nm.update_vpc_attachment(AttachmentId=identity, AddSubnetArns=[f"{wan.EC2}:subnet/subnet-0"])
    aws.clock.advance(0.3)
    found = nm.get_vpc_attachment(AttachmentId=identity)["VpcAttachment"]
    assert found["SubnetArns"] == given["SubnetArns"]
    assert found["Attachment"]["State"] == "AVAILABLE"
    assert [one["Code"] for one in found["Attachment"]["LastModificationErrors"]] == ["SUBNET_NOT_FOUND"]


def test_options_wait_for_acceptance_and_subnets_do_not(aws: LocalAws, nm: Any, core: str) -> None:
    given = wan.vpc_and_subnets(zones=2)
    one, two = given["SubnetArns"]
    identity = wan.vpc_attachment(aws, nm, core, "guarded", VpcArn=given["VpcArn"], SubnetArns=[one])
    assert code(nm.update_vpc_attachment, AttachmentId=identity, Options={"Ipv6Support": True}) == INVALID
    nm.update_vpc_attachment(AttachmentId=identity, AddSubnetArns=[two])
    found = nm.get_vpc_attachment(AttachmentId=identity)["VpcAttachment"]
    assert (found["SubnetArns"], found["Attachment"]["State"]) == (
        [one, two],
        "PENDING_ATTACHMENT_ACCEPTANCE",
    )


def failure(aws: LocalAws, nm: Any, identity: str) -> list[str]:
    aws.clock.advance(0.3)
    found = wan.attachment(nm, identity)
    assert found["State"] == "FAILED"
    codes = [one["Code"] for one in found["LastModificationErrors"]]
    nm.delete_attachment(AttachmentId=identity)
    return codes


def test_a_vpc_attachment_fails_of_what_ec2_does_not_have(aws: LocalAws, nm: Any, core: str) -> None:
    given = wan.vpc_and_subnets()
    ec2, vpc = client("ec2"), given["VpcArn"].rpartition("/")[2]
    more = {"CidrBlock": "10.0.9.0/24", "AvailabilityZone": "us-west-2a"}
    twin = ec2.create_subnet(VpcId=vpc, **more)["Subnet"]["SubnetId"]
    cases = {
        "VPC_NOT_FOUND": {**given, "VpcArn": f"{wan.EC2}:vpc/vpc-0123456789abcdef0"},
        "SUBNET_NOT_FOUND": {**given, "SubnetArns": wan.vpc_and_subnets()["SubnetArns"]},
        "SUBNET_DUPLICATED_IN_AVAILABILITY_ZONE": {
            **given,
            "SubnetArns": [*given["SubnetArns"], f"{wan.EC2}:subnet/{twin}"],
        },
        "SUBNET_NO_IPV6_CIDRS": {**given, "Options": {"Ipv6Support": True}},
    }
    for expected, parameters in cases.items():
        made = nm.create_vpc_attachment(CoreNetworkId=core, **parameters)["VpcAttachment"]["Attachment"]
        assert failure(aws, nm, made["AttachmentId"]) == [expected]
        aws.clock.advance(0.3)


def vpn(**more: str) -> str:
    given = {"CustomerGatewayId": conftest.customer_gateway(), "Type": "ipsec.1"}
    made = client("ec2").create_vpn_connection(**given, **more)
    return f"{wan.EC2}:vpn-connection/{made['VpnConnection']['VpnConnectionId']}"


def test_a_vpn_attachment(aws: LocalAws, nm: Any, core: str) -> None:
    connection = vpn()
    given = {"CoreNetworkId": core, "Tags": wan.tags(segment="open")}
    made = nm.create_site_to_site_vpn_attachment(**given, VpnConnectionArn=connection)
    attachment = made["SiteToSiteVpnAttachment"]
    identity = attachment["Attachment"]["AttachmentId"]
    assert attachment["VpnConnectionArn"] == attachment["Attachment"]["ResourceArn"] == connection
    aws.clock.advance(0.3)
    found = nm.get_site_to_site_vpn_attachment(AttachmentId=identity)["SiteToSiteVpnAttachment"]
    assert (found["Attachment"]["State"], found["Attachment"]["SegmentName"]) == ("AVAILABLE", "open")
    assert code(nm.get_vpc_attachment, AttachmentId=identity) == NOT_FOUND
    gateway = conftest.transit_gateway()
    taken = nm.create_site_to_site_vpn_attachment(**given, VpnConnectionArn=vpn(TransitGatewayId=gateway))
    identity = taken["SiteToSiteVpnAttachment"]["Attachment"]["AttachmentId"]
    assert failure(aws, nm, identity) == ["VPN_EXISTING_ASSOCIATIONS"]


def test_a_customer_gateway_behind_an_attached_vpn_can_be_on_a_device(
    aws: LocalAws, nm: Any, network: str, core: str
) -> None:
    connection = vpn()
    found = client("ec2").describe_vpn_connections(VpnConnectionIds=[connection.rpartition("/")[2]])
    gateway = f"{wan.EC2}:customer-gateway/{found['VpnConnections'][0]['CustomerGatewayId']}"
    device = nm.create_device(GlobalNetworkId=network)["Device"]["DeviceId"]
    given = {"GlobalNetworkId": network, "CustomerGatewayArn": gateway, "DeviceId": device}
    assert code(nm.associate_customer_gateway, **given) == NOT_FOUND
    nm.create_site_to_site_vpn_attachment(CoreNetworkId=core, VpnConnectionArn=connection)
    nm.associate_customer_gateway(**given)


def test_a_direct_connect_gateway_attachment_is_at_many_edges(aws: LocalAws, nm: Any, core: str) -> None:
    given = {"CoreNetworkId": core, "DirectConnectGatewayArn": DX_GATEWAY}
    assert code(nm.create_direct_connect_gateway_attachment, **given, EdgeLocations=["eu-west-1"]) == INVALID
    made = nm.create_direct_connect_gateway_attachment(**given, EdgeLocations=["us-west-2"])
    inner = made["DirectConnectGatewayAttachment"]["Attachment"]
    assert inner["EdgeLocations"] == ["us-west-2"]
    assert "EdgeLocation" not in inner
    aws.clock.advance(0.3)
    change = {"AttachmentId": inner["AttachmentId"], "EdgeLocations": ["us-east-1"]}
    answer = nm.update_direct_connect_gateway_attachment(**change)["DirectConnectGatewayAttachment"]
    assert answer["Attachment"]["State"] == "UPDATING"
    assert nm.list_attachments(EdgeLocation="us-west-2")["Attachments"] == []
    assert len(nm.list_attachments(EdgeLocation="us-east-1")["Attachments"]) == 1


def test_lists_are_filtered_and_paged(aws: LocalAws, nm: Any, core: str) -> None:
    made = [wan.vpc_attachment(aws, nm, core) for _ in range(3)]
    made.append(wan.vpc_attachment(aws, nm, core, "guarded"))

    def ids(**given: str) -> list[str]:
        pages = nm.get_paginator("list_attachments").paginate(**given)
        return [one["AttachmentId"] for page in pages for one in page["Attachments"]]

    assert ids() == made
    assert ids(State="PENDING_ATTACHMENT_ACCEPTANCE") == made[3:]
    assert ids(AttachmentType="CONNECT") == ids(CoreNetworkId="core-network-0123456789abcdef0") == []
    assert ids(CoreNetworkId=core, AttachmentType="VPC", State="AVAILABLE") == made[:3]
    assert "NextToken" in nm.list_attachments()


def test_quotas() -> None:
    with local_aws(quotas={"Attachment": 1}) as aws:
        nm = client("networkmanager")
        core = wan.core_network(aws, nm, nm.create_global_network()["GlobalNetwork"]["GlobalNetworkId"])
        wan.vpc_attachment(aws, nm, core)
        # the model of this operation has no 402
        assert code(nm.create_vpc_attachment, CoreNetworkId=core, **wan.vpc_and_subnets()) == INVALID
