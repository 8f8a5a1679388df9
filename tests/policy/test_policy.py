"""What a policy holds, by what the config says: accounts, regions, modes, a lease, parameters, and its length."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pytest

from reconciler import policy
from reconciler.kinds import ALL, BY_NAME
from reconciler.policy import MANAGED, SESSION, Statement
from tests.harness import ACCOUNT, read

from .iam import Asked, allows

SITE = "resources: {global-network/g: {}, site/s: {GlobalNetworkId: '${global-network/g}'}}\n"
MACHINES = """
    resources:
      vpc/here: {CidrBlock: 10.1.0.0/16}
      subnet/here: {VpcId: "${vpc/here}", CidrBlock: 10.1.1.0/24}
      instance/there:
        region: eu-west-1
        ImageId: ${ssm:/aws/service/ami-x}
        InstanceType: t3.micro
"""
OTHER = """
    accounts: {edge: {id: "210987654321", role: "arn:aws:iam::210987654321:role/edge", external-id: x}}
    resources:
      global-network/g: {}
      vpc/far: {account: edge, CidrBlock: 10.1.0.0/16}
"""


def extent(text: str, account: str = ACCOUNT, **more: Any) -> policy.Extent:
    return policy.extent(read(text), BY_NAME, account=account, **{"partition": "aws", **more})


def statements(text: str, half: str = "both", **more: Any) -> dict[str, dict[str, Any]]:
    """The statements of a policy, by name."""
    found = extent(text, **more)
    chosen = [*policy.read_half(found), *policy.write_half(found)]
    if half != "both":
        chosen = policy.read_half(found) if half == "read" else policy.write_half(found)
    return {statement.sid: statement.as_data() for statement in chosen}


def text_of(found: Any) -> str:
    return json.dumps(found)


def test_only_what_the_config_has_may_be_changed() -> None:
    found = text_of(statements(SITE))
    assert "networkmanager:CreateSite" in found
    assert "CreateLink" not in found
    assert "CreateVpc" not in found
    everything = text_of(statements(SITE, everything=True))
    assert [kind.name for kind in ALL if f":{kind.delete}" not in everything] == []


def test_what_has_no_region_is_always_looked_at_for_there_is_no_asking_for_tags() -> None:
    look = statements(MACHINES)["Look"]["Action"]
    lists = {kind.action(kind.read.operation) for kind in ALL if not kind.regional}
    assert {"ec2:DescribeRegions", "ec2:DescribeTags", "ec2:DescribeInstances", *lists} <= set(look)


def test_things_are_made_in_the_regions_of_the_config_and_deleted_where_they_are() -> None:
    found = statements(MACHINES)
    where = found["CreateInRegions"]["Condition"]["StringEquals"]["aws:RequestedRegion"]
    assert where == ["eu-west-1", "us-west-2"]
    assert "RequestedRegion" not in text_of(found["DeleteOurs"])


@pytest.mark.parametrize(("mode", "deletes"), [("full", True), ("upsert", False)])
def test_who_deletes_nothing_need_not_be_allowed_to(mode: str, deletes: bool) -> None:
    found = statements(f"mode: {mode}\n{SITE}")
    assert ("DeleteOurs" in found) is deletes
    assert ("networkmanager:DeleteSite" in text_of(found)) is deletes


def test_who_only_observes_needs_no_write_half() -> None:
    assert statements(f"mode: observe\n{SITE}", half="write") == {}


def test_each_account_has_a_policy_of_its_own() -> None:
    ours, theirs = statements(OTHER), statements(OTHER, account="210987654321")
    assert ours["OtherAccounts"]["Resource"] == "arn:aws:iam::210987654321:role/edge"
    assert "CreateVpc" not in text_of(ours)
    assert "OtherAccounts" not in theirs
    assert "CreateVpc" in text_of(theirs)
    assert "CreateGlobalNetwork" not in text_of(theirs)


def test_a_lease_is_held_for_the_stack_and_for_no_other() -> None:
    document = policy.document(policy.write_half(extent(f"lease: {{table: leases}}\nmode: observe\n{SITE}")))

    def may(table: str, stack: str) -> bool:
        arn = f"arn:aws:dynamodb:us-west-2:{ACCOUNT}:table/{table}"
        return allows(document, Asked("dynamodb:PutItem", arn, {"dynamodb:leadingkeys": (stack,)}))

    assert may("leases", "test")
    assert not may("leases", "other")
    assert not may("others", "test")


@pytest.mark.parametrize(
    ("path", "arn"),
    [
        ("/aws/service/ami-x", "arn:aws-cn:ssm:*::parameter/aws/service/ami-x"),
        ("/team/image", f"arn:aws-cn:ssm:*:{ACCOUNT}:parameter/team/image"),
    ],
)
def test_parameters_are_read_by_name(path: str, arn: str) -> None:
    found = statements(MACHINES.replace("/aws/service/ami-x", path), partition="aws-cn")
    assert found["ReadParameters"]["Resource"] == arn


def test_a_role_is_handed_only_to_machines_and_only_where_the_config_says_so() -> None:
    assert "PassRole" not in statements(MACHINES)
    found = statements(MACHINES + "        IamInstanceProfile: {Name: worker}\n")["PassRole"]
    assert found["Resource"] == f"arn:aws:iam::{ACCOUNT}:role/worker"
    assert found["Condition"] == {"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}


def test_what_a_creation_may_use_depends_on_the_fields_of_the_config() -> None:
    assert "snapshot" not in text_of(statements(MACHINES))
    assert "snapshot" in text_of(statements(MACHINES + "        BlockDeviceMappings: []\n"))


CARD = """\
      network-interface/n:
        SubnetId: ${subnet/here}
"""


def test_interfaces_that_are_not_ours_may_be_changed_only_where_a_machine_has_a_second_one() -> None:
    attached = CARD + '        Attachment: [{InstanceId: "${instance/there}", DeviceIndex: 1}]\n'
    for text, may in (
        (MACHINES, False),
        (MACHINES + CARD, False),
        (MACHINES + attached, True),
        (MACHINES + "        NetworkInterfaces: []\n", True),
    ):
        document = {"Statement": list(statements(text).values())}
        asked = Asked(
            "ec2:ModifyNetworkInterfaceAttribute", f"arn:aws:ec2:eu-west-1:{ACCOUNT}:network-interface/x"
        )
        assert allows(document, asked) is may


def test_none_is_allowed_more_than_it_names() -> None:
    """No action with a wildcard, and `*` for a resource only where looks are meant or a condition follows."""
    for found in statements(MACHINES, everything=True).values():
        assert "*" not in text_of(found["Action"])
        assert (
            found["Sid"] in {"Look", "WhoElseWrites", "CreateRoute53"}
            or found["Resource"] != "*"
            or found["Condition"]
        )


# ---- length


def test_a_policy_that_is_too_long_is_cut_into_some_that_allow_the_same() -> None:
    whole = [
        *policy.read_half(extent(SITE, everything=True)),
        *policy.write_half(extent(SITE, everything=True)),
    ]
    pieces = policy.parts(whole, 1000)
    assert len(pieces) > 3
    assert max(len(policy.compact(policy.document(piece))) for piece in pieces) <= 1000
    assert pairs(one for piece in pieces for one in piece) == pairs(whole)
    assert policy.parts(whole, 10**6) == [whole]


def pairs(found: Iterable[Statement]) -> set[tuple[str, str, str]]:
    """What is allowed: each action with its resources and its condition."""
    return {
        (action, resource, text_of(one.condition))
        for one in found
        for action in one.actions
        for resource in one.resources
    }


def test_the_halves_of_all_kinds_fit_where_they_belong() -> None:
    """When this fails, docs/iam.md has to say how many parts there are; a session policy cannot be cut."""
    found = extent(SITE, everything=True)
    assert len(policy.compact(policy.document(policy.read_half(found)))) <= MANAGED
    assert len(policy.session_policy(policy.read_half(found))) <= SESSION


LOOKS = ("networkmanager:GetSites", "ec2:DescribeVpcs", "cloudtrail:LookupEvents")
OTHERS = ("sts:AssumeRole", "networkmanager:DeleteSite", "ec2:CreateVpc")


def test_a_session_policy_has_the_looks_and_no_way_out() -> None:
    found = json.loads(policy.session_policy(policy.read_half(extent(OTHER))))
    whole = {"Statement": [found["Statement"]]}
    allowed = {one: allows(whole, Asked(one, "*", {})) for one in (*LOOKS, *OTHERS)}
    assert allowed == {**dict.fromkeys(LOOKS, True), **dict.fromkeys(OTHERS, False)}


SHARED = """
    accounts: {edge: {id: "210987654321", role: "arn:aws:iam::210987654321:role/edge", external-id: x}}
    resources:
      transit-gateway/hub: {}
      vpc/home: {CidrBlock: 10.0.0.0/16}
      vpc/edge: {account: edge, CidrBlock: 10.1.0.0/16}
      subnet/edge: {account: edge, VpcId: "${vpc/edge}", CidrBlock: 10.1.1.0/24}
      transit-gateway-vpc-attachment/edge:
        {account: edge, accept: true, TransitGatewayId: "${transit-gateway/hub}", VpcId: "${vpc/edge}",
         SubnetIds: ["${subnet/edge}"]}
      vpc-peering-connection/p:
        {VpcId: "${vpc/home}", PeerVpcId: "${vpc/edge}", PeerOwnerId: "${vpc/edge.OwnerId}"}
"""


def test_what_one_account_asks_the_other_may_answer_and_it_alone() -> None:
    home, edge = statements(SHARED), statements(SHARED, account="210987654321")
    assert set(home["AnswerEc2"]["Action"]) == {
        "ec2:AcceptTransitGatewayVpcAttachment",
        "ec2:RejectTransitGatewayVpcAttachment",
    }
    assert edge["AnswerEc2"]["Action"] == "ec2:AcceptVpcPeeringConnection"
    assert "AcceptTransitGatewayVpcAttachment" not in text_of(edge)
    assert "AnswerEc2" not in statements(SHARED.replace("accept: true, ", ""))
    assert home["OtherAccounts"]["Resource"] == "arn:aws:iam::210987654321:role/edge"
    assert "OtherAccounts" not in edge
