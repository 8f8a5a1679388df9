"""An estate of every kind lives its whole life under its own policy: it needs all of it, and nothing beyond it."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from copy import deepcopy
from functools import partial
from typing import Any

import pytest

from reconciler import policy
from reconciler.aws import checkup
from reconciler.aws.lease_table import Record, Table
from reconciler.aws.limits import READS
from reconciler.doctor import questions
from reconciler.kinds import BY_NAME
from reconciler.model.service import SERVICES
from reconciler.model.things import ADDRESS_TAG, STACK_TAG
from reconciler.policy.facts import FROM_OTHERS
from reconciler.sandbox.calls import Call
from tests import documents
from tests.conformance.fixture import load
from tests.faults.estate import EVERY, SELDOM, without_subjects
from tests.faults.estate import estate as of_kinds
from tests.harness import ACCOUNT, STACK, Host, host, read

from .asking import ON_BEHALF, Tags, asked
from .enforcing import Iam, enforced
from .iam import Asked, allows

pytestmark = pytest.mark.xdist_group("policy")  # one worker: what they share is dear to make
estate = partial(of_kinds, kinds=EVERY)

UNSEEN = {
    "elasticloadbalancing:ModifyIpPools": "there is no kind yet of the pools that it takes",
    "iam:CreateServiceLinkedRole": "AWS asks for it once in the life of an account",
    "cloudtrail:LookupEvents": "it is asked when the flap breaker has stopped an address, which tests/passes do",
    **{
        f"networkmanager:{verb}CoreNetworkPrefixListAssociation": "no fixture has a policy that names a prefix list"
        for verb in ("Create", "Delete")
    },
    "networkmanager:RejectAttachment": "only what waits for a person is declined before it goes, and here nothing does",
}
"""Actions that no run here can need, and why."""
FEW = ("instance", "instance-profile", "iam-role", "route-table")
"""Kinds of which some fields are in no fixture."""
BACK = ("auto-scaling-group", "core-network", "instance")
"""Kinds of which an update is taken back by other calls than it is made with."""
HALTED: dict[str, Any] = {
    "CapacityReservationSpecification": {"CapacityReservationPreference": "none"},
    "CpuOptions": {"CoreCount": 1, "ThreadsPerCore": 1},
    "NetworkPerformanceOptions": {"BandwidthWeighting": "vpc-1"},
    "Placement": {"Affinity": "default"},
    "PrivateDnsNameOptions": {"EnableResourceNameDnsARecord": True},
}
"""Fields of a machine that has to be stopped for them; no fixture has them."""
WIRED = """
resources:
  global-network/wide: {TransitGateways: [{TransitGatewayArn: "${transit-gateway/t}"}]}
  device/d:
    GlobalNetworkId: ${global-network/wide}
    CustomerGateways: [{CustomerGatewayArn: "${customer-gateway/far}"}]
    TransitGatewayConnectPeers: [{TransitGatewayConnectPeerArn: "${transit-gateway-connect-peer/p}"}]
  customer-gateway/far: {Type: ipsec.1, BgpAsn: 65030, IpAddress: 198.51.100.30}
  transit-gateway/t: {Options: {TransitGatewayCidrBlocks: [10.96.0.0/24]}}
  vpc/v: {CidrBlock: 10.8.0.0/16}
  subnet/s: {VpcId: "${vpc/v}", CidrBlock: 10.8.1.0/24}
  transit-gateway-vpc-attachment/a:
    {TransitGatewayId: "${transit-gateway/t}", VpcId: "${vpc/v}", SubnetIds: ["${subnet/s}"]}
  transit-gateway-connect/c:
    {TransportTransitGatewayAttachmentId: "${transit-gateway-vpc-attachment/a}", Options: {Protocol: gre}}
  transit-gateway-connect-peer/p:
    TransitGatewayAttachmentId: ${transit-gateway-connect/c}
    PeerAddress: 10.8.1.9
    InsideCidrBlocks: [169.254.6.0/29]
  vpn-connection/v:
    Type: ipsec.1
    CustomerGatewayId: ${customer-gateway/far}
    TransitGatewayId: ${transit-gateway/t}
"""
"""What no fixture leads to, since it takes things of many kinds: they are tied to a device and a global network."""
LOOSE = re.sub(r'\[{\w+Arn: "[^"]+"}\]', "[]", WIRED)


def peered(*peers: str) -> str:
    """A Connect peer, and a device that it is tied to."""
    config = deepcopy(load("connect-peer"))
    device = {
        "GlobalNetworkId": "${global-network/base}",
        "ConnectPeers": [{"ConnectPeerId": one} for one in peers],
    }
    return documents.dump({"resources": {**config["resources"], "device/far": device}})


LEASE = "\nlease: {table: leases}\n"


def document(text: str, half: str = "both", everything: bool = False) -> dict[str, Any]:
    """The policy of a config."""
    extent = policy.extent(read(text), BY_NAME, account=ACCOUNT, partition="aws", everything=everything)
    statements = policy.read_half(extent) if half != "write" else []
    return policy.document([*statements, *(policy.write_half(extent) if half != "read" else [])])


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iam:
    """Everything that happens to an estate, each config under its own policy; what left one is still the stack's."""
    first, updated = estate(), estate("update", Tags={"Name": None})
    with host(tmp_path_factory.mktemp("life"), SELDOM, page_size=50) as ops:
        iam = Iam({})

        def settled(text: str) -> None:
            with enforced(ops.aws, iam):
                report = ops.run(text)
            assert report.outcome == "settled", (
                iam.denied,
                [one for one in report.outcomes if one.status != "settled"],
            )

        def at_rest(text: str) -> None:
            """Nothing was asked for before AWS could do it, and nothing is written any more."""
            assert [call for call in ops.aws.writes if call.error] == []
            ops.aws.clear_calls()
            settled(text)
            assert ops.writes() == []

        trust = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*"}]})
        ops.by_hand("iam", "CreateRole", RoleName="theirs", AssumeRolePolicyDocument=trust)
        ops.by_hand("iam", "CreateInstanceProfile", InstanceProfileName="theirs")
        ops.by_hand("iam", "AddRoleToInstanceProfile", InstanceProfileName="theirs", RoleName="theirs")
        ops.aws.clear_calls()
        for text in (first, updated, estate("fixed", replace="delete-first", protect=False)):
            iam.policy = document(text)
            settled(text)
            at_rest(text)
        settled(without_subjects(EVERY))
        at_rest(without_subjects(EVERY))
        with enforced(ops.aws, iam):
            ops.destroy()
        assert [call for call in ops.aws.writes if call.error] == [], "what takes minutes goes in order"
        few = of_kinds(kinds=FEW)
        for text in (of_kinds(kinds=BACK), of_kinds("update", BACK), of_kinds(kinds=BACK)):
            settled(text)
        with enforced(ops.aws, iam):
            ops.destroy()
        settled(few)
        changes: tuple[tuple[str, dict[str, Any]], ...] = (
            ("instance/subject", {**HALTED, "IamInstanceProfile": {"Name": "theirs"}}),
            ("instance/subject", {"IamInstanceProfile": {"Arn": "${instance-profile/subject}"}}),
            ("instance/subject", {"IamInstanceProfile": {}}),
            ("iam-role/subject", {"PermissionsBoundary": "arn:aws:iam::aws:policy/PowerUserAccess"}),
            ("iam-role/subject", {"PermissionsBoundary": None}),
        )
        for address, fields in changes:
            iam.policy = document(
                with_fields(first, address, **fields)
            )  # all that was is still listed for a while
            settled(with_fields(few, address, **fields))
        iam.policy = document(first)
        with enforced(ops.aws, iam):
            loop = ops.loop(few)
            loop.with_newer(loop.plan()[1])
        change_by_hand(ops, few)
        settled(few)
        with enforced(ops.aws, iam):
            ops.destroy()
        iam.policy = document(updated)
        ops.asks_everywhere = True
        for tied, loose in ((WIRED, LOOSE), (peered("${connect-peer/subject}"), peered())):
            settled(tied)
            settled(loose)
            with enforced(ops.aws, iam):
                ops.destroy()
        iam.policy = document(first + LEASE)
        look_after(ops, first + LEASE, iam)
        assert [kind for kind in BY_NAME if ops.ours(kind)] == []
    return iam


def with_fields(text: str, address: str, **fields: Any) -> str:
    """An estate one of whose things has more fields."""
    config = documents.load(text)
    config["resources"][address].update(fields)
    return documents.dump(config)


def change_by_hand(ops: Host, text: str) -> None:
    """What no change of a fixture leads to, somebody else does."""
    subject = ops.seen(text, "instance/subject").id
    ops.by_hand("ec2", "ModifyInstanceMetadataOptions", InstanceId=subject, HttpTokens="optional")
    (taken, *_) = ops.seen(text, "route-table/subject").spec["Associations"]
    ops.by_hand(
        "ec2",
        "ReplaceRouteTableAssociation",
        AssociationId=taken["RouteTableAssociationId"],
        RouteTableId=ops.seen(text, "route-table/spare").id,
    )


def look_after(ops: Host, text: str, iam: Iam) -> None:
    """What the program does beside its passes: `doctor` looks, and a lease is taken."""
    sessions, config = ops.hand.sessions, read(text)
    client = sessions.client(ACCOUNT, "dynamodb", "us-west-2")
    client.create_table(
        TableName="leases",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "stack", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "stack", "KeyType": "HASH"}],
    )
    table = Table(sessions, name="leases", region="us-west-2", stack=STACK)
    with enforced(ops.aws, iam):
        answers = checkup.ask(sessions, questions.doors(config), now=time.time)
        assert table.write(
            Record(holder="us", host="here", pid=1, since="now", fence=1, beat=1, seconds=60), over=None
        )
        assert table.read() is not None
    assert [answer.error for answer in answers if answer.error] == []


def test_it_lives_without_being_refused_anything(life: Iam) -> None:
    assert life.denied == []
    assert {call.operation for call in life.calls} >= {BY_NAME[kind].delete for kind in BY_NAME}


def test_it_needs_every_action_of_its_policy(life: Iam) -> None:
    """A fixture of the kind leads to each, or `change_by_hand` does, or `UNSEEN` says why nothing can."""
    needed = {question.action for question in life.questions}
    assert actions(document(estate("update") + LEASE)) - needed == set(UNSEEN)


def actions(found: dict[str, Any]) -> set[str]:
    """All that a policy names."""
    return {
        action
        for statement in found["Statement"]
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
    }


# ---- what it may not


def writes(iam: Iam) -> list[Call]:
    """Every change of the estate that was made, one of a sort."""
    found = {}
    for call in iam.calls:
        if call.is_write and call.service in SERVICES:
            found[call.operation, *sorted(call.parameters)] = call
    return list(found.values())


def refused(found: dict[str, Any], call: Call, tagged: Callable[[str, str], Tags]) -> bool:
    """Whether something that AWS asks before the call is answered with no."""
    return not all(allows(found, question) for question in asked(call, tagged))


UNTAGGED = {operation for operations in ON_BEHALF.values() for operation in operations}
"""What AWS makes, accepts and deletes in our name has no tags, so that these are not held to any: docs/iam.md."""
FOREIGN: dict[str, Tags] = {
    "nobody's": {},
    "another's": {"Name": "x"},
    "another stack's": {STACK_TAG: "other", ADDRESS_TAG: "site/one"},
    "without an address": {STACK_TAG: STACK},
    "without a stack": {ADDRESS_TAG: "site/one"},
}


def is_birth(call: Call) -> bool:
    """Whether a call makes a thing of a kind: a part of another may be made by a call of the same name."""
    return (call.service, call.operation) in {(kind.service, kind.create) for kind in BY_NAME.values()}


@pytest.mark.parametrize("whose", FOREIGN)
def test_what_is_not_ours_cannot_be_changed_tagged_or_deleted(life: Iam, whose: str) -> None:
    found = document(estate("update"))
    births = {kind.create for kind in BY_NAME.values()}
    made = [call for call in writes(life) if not is_birth(call)]
    wanted = {action.partition(":")[2] for action in actions(document(estate("update"), half="write"))}
    unmade = {action.partition(":")[2] for action in UNSEEN} | {
        "PassRole",  # a right, and no call
        *UNTAGGED,
    }
    assert {call.operation for call in made} - UNTAGGED - births == wanted - births - unmade
    allowed = [
        call
        for call in made
        if not refused(found, call, lambda region, id: FOREIGN[whose])
        and f"ec2:{call.operation}" not in FROM_OTHERS  # docs/iam.md says so
        and call.operation not in UNTAGGED
        and SERVICES[call.service].held_by_tags
    ]
    assert allowed == []


@pytest.mark.parametrize("tags", [{}, {STACK_TAG: "other", ADDRESS_TAG: "site/one"}, {STACK_TAG: STACK}])
def test_nothing_is_made_that_is_not_ours_from_birth(life: Iam, tags: Tags) -> None:
    found = document(estate("update"))
    births = {(kind.service, kind.create): kind for kind in BY_NAME.values()}
    made = [call for call in writes(life) if is_birth(call)]
    assert {(call.service, call.operation) for call in made} == set(births)
    for call in (call for call in made if call.operation not in UNTAGGED):
        if not SERVICES[call.service].held_by_tags:  # docs/iam.md says so
            continue
        pairs = [{"Key": key, "Value": value} for key, value in tags.items()]
        kind = births[call.service, call.operation]
        parameter = "TagSpecifications" if kind.tag_type else kind.tagged.parameter
        given = {name: value for name, value in call.parameters.items() if name != parameter}
        if pairs:
            given |= (
                {parameter: [{"ResourceType": kind.tag_type, "Tags": pairs}]}
                if kind.tag_type
                else {parameter: kind.tagged.birth(pairs)}
            )
        other = Call(call.service, call.operation, call.region, given)
        assert refused(found, other, lambda region, id: {STACK_TAG: STACK, ADDRESS_TAG: "site/one"})


OURS = {STACK_TAG: STACK, ADDRESS_TAG: "site/one"}
SITE = "arn:aws:networkmanager::123456789012:site/global-network-1/site-1"


def ec2_tags(operation: str, *tags: dict[str, str]) -> Call:
    return Call("ec2", operation, "us-west-2", {"Resources": ["vpc-0123456789abcdef0"], "Tags": list(tags)})


def network_tags(operation: str, **given: Any) -> Call:
    return Call("networkmanager", operation, "us-west-2", {"ResourceArn": SITE, **given})


@pytest.mark.parametrize(
    "call",
    [
        ec2_tags("CreateTags", {"Key": STACK_TAG, "Value": "other"}),
        ec2_tags("DeleteTags", {"Key": STACK_TAG}),
        ec2_tags("DeleteTags", {"Key": "Name"}, {"Key": ADDRESS_TAG}),
        ec2_tags("DeleteTags"),  # takes all of them
        network_tags("TagResource", Tags=[{"Key": STACK_TAG, "Value": "other"}]),
        network_tags("UntagResource", TagKeys=[STACK_TAG]),
        network_tags("UntagResource", TagKeys=["Name", ADDRESS_TAG]),
    ],
    ids=lambda call: call.operation,
)
def test_owner_tags_stay_even_on_what_is_ours(call: Call) -> None:
    assert refused(document(estate()), call, lambda region, id: OURS)


@pytest.mark.parametrize("tags", [FOREIGN["nobody's"], FOREIGN["another stack's"]])
def test_owner_tags_are_put_on_nothing_that_has_others(tags: Tags) -> None:
    pairs = [{"Key": key, "Value": value} for key, value in OURS.items()]
    assert refused(document(estate()), ec2_tags("CreateTags", *pairs), lambda region, id: tags)
    claimed = network_tags("TagResource", Tags=pairs)
    # docs/iam.md: Network Manager does not say whether a thing is new when it is tagged
    assert refused(document(estate()), claimed, lambda region, id: tags) is bool(tags)


def test_the_read_half_writes_nothing(life: Iam) -> None:
    found = document(estate("update") + LEASE, half="read")
    assert {name for name in actions(found) if not name.partition(":")[2].startswith(READS)} == set()
    asked_for = [question for question in life.questions if not is_look(question)]
    assert len(asked_for) > 100
    assert [question for question in asked_for if allows(found, question)] == []


def is_look(question: Asked) -> bool:
    return question.action.partition(":")[2].startswith(READS)


def test_the_halves_are_the_whole() -> None:
    text = estate("update") + LEASE
    halves = [document(text, half)["Statement"] for half in ("read", "write")]
    assert [*halves[0], *halves[1]] == document(text)["Statement"]
    assert document(text) == document(text)
