"""Attachments that wait for a person, fail, or go: nothing loops, and their tags hold nothing that changes."""

from __future__ import annotations

from collections.abc import Callable

from reconciler.kinds.cloudwan import LABELING
from reconciler.model.plan import Outcome, Report
from reconciler.model.verdicts import Steps
from reconciler.sandbox import HeldClock
from tests import documents
from tests.conformance.fixture import Fixture, load
from tests.faults.estate import estate
from tests.faults.killing import Inline
from tests.harness import ACCOUNT, Host, Time, tags

CONFIG = Fixture("vpc-attachment")
EXECUTE = "ExecuteCoreNetworkChangeSet"
WAITS = "PENDING_ATTACHMENT_ACCEPTANCE"


def guarded() -> str:
    """The config with a segment into which a person has to let everything."""
    config = documents.load(CONFIG.base)
    policy = config["resources"]["core-network/attached"]["PolicyDocument"]
    policy["segments"][0]["require-attachment-acceptance"] = True
    return documents.dump(config)


def outcome(report: Report) -> Outcome:
    return next(found for found in report.outcomes if found.label == CONFIG.address)


def attachment(ops: Host) -> dict[str, str]:
    (row,) = ops.rows("vpc-attachment")
    return row


def without(text: str) -> str:
    config = documents.load(text)
    del config["resources"][CONFIG.address]
    return documents.dump(config)


def test_what_waits_for_a_person_is_waited_for_and_settles_once_it_is_accepted(ops: Host) -> None:
    report = ops.run(guarded())
    assert attachment(ops)["State"] == WAITS
    found = outcome(report)
    assert (found.status, found.on) == ("waiting", "person")
    assert "accept" in found.why
    ops.aws.clear_calls()
    assert outcome(ops.run(guarded())).status == "waiting"
    assert ops.writes() == []
    id = attachment(ops)["AttachmentId"]
    ops.by_hand("networkmanager", "AcceptAttachment", AttachmentId=id)
    ops.aws.clock.advance(600)
    assert ops.run(guarded()).outcome == "settled"


def test_one_that_waits_for_a_person_is_declined_before_it_is_deleted(ops: Host) -> None:
    ops.run(guarded())
    ops.aws.clear_calls()
    report = ops.run(without(guarded()), allow_shrink=True)
    assert report.outcome == "settled", report.outcomes
    assert ops.writes() == ["RejectAttachment", "DeleteAttachment"]
    assert ops.rows("vpc-attachment") == []


def test_one_that_failed_is_told_in_awss_words(ops: Host) -> None:
    config = documents.load(CONFIG.base)
    config["resources"]["subnet/attached-b"]["AvailabilityZone"] = "us-west-2a"
    config["resources"][CONFIG.address] |= load("vpc-attachment-update")
    report = ops.run(documents.dump(config))
    found = outcome(report)
    assert found.status == "blocked"
    assert "SUBNET_DUPLICATED_IN_AVAILABILITY_ZONE" in found.why


def test_its_tags_say_whose_it_is_and_nothing_that_changes_with_the_config(ops: Host) -> None:
    ops.run(CONFIG.base)
    before = tags(attachment(ops))  # type: ignore[arg-type]
    assert set(before) == {"Name", "reconciler:stack", "reconciler:address"}
    ops.run(CONFIG.update)
    assert tags(attachment(ops)) == before


def test_it_is_not_made_before_the_policy_is_live(ops: Host) -> None:
    ops.run(CONFIG.base)
    order = [call.operation for call in ops.aws.writes]
    assert "CreateVpcAttachment" not in order[: order.index("ExecuteCoreNetworkChangeSet")]
    assert all(call.error is None for call in ops.aws.writes)


def stranger(ops: Host) -> str:
    """Somebody else attaches a VPC of his to our core network, and waits."""
    vpc = ops.by_hand("ec2", "CreateVpc", CidrBlock="10.99.0.0/16")["Vpc"]["VpcId"]
    subnet = ops.by_hand("ec2", "CreateSubnet", VpcId=vpc, CidrBlock="10.99.1.0/24")["Subnet"]["SubnetId"]
    ours = next(
        row for row in ops.rows("core-network") if row["CoreNetworkId"] == attachment(ops)["CoreNetworkId"]
    )
    arn = f"arn:aws:ec2:us-west-2:{ACCOUNT}"
    made = ops.by_hand(
        "networkmanager",
        "CreateVpcAttachment",
        CoreNetworkId=ours["CoreNetworkId"],
        VpcArn=f"{arn}:vpc/{vpc}",
        SubnetArns=[f"{arn}:subnet/{subnet}"],
    )
    ops.aws.clock.advance(600)
    return str(made["VpcAttachment"]["Attachment"]["AttachmentId"])


def state(ops: Host, id: str) -> str:
    return next(row["State"] for row in ops.rows("vpc-attachment") if row["AttachmentId"] == id)


def with_network(text: str, **fields: object) -> str:
    config = documents.load(text)
    config["resources"]["core-network/attached"].update(fields)
    return documents.dump(config)


def test_what_others_attach_is_accepted_by_its_id_and_nothing_else_is(ops: Host) -> None:
    config = documents.load(guarded())
    config["resources"][CONFIG.address]["accept"] = True
    text = documents.dump(config)
    assert ops.run(text).outcome == "settled"
    meant, other = stranger(ops), "attachment-0123456789abcdef0"
    ops.aws.clear_calls()
    assert ops.run(with_network(text, AcceptedAttachments=[])).outcome == "settled"
    assert ops.writes() == []
    listed = with_network(text, AcceptedAttachments=[{"AttachmentId": meant}, {"AttachmentId": other}])
    assert ops.run(listed).outcome == "settled"
    accepted = [call.parameters for call in ops.aws.writes if call.operation == "AcceptAttachment"]
    assert accepted == [{"AttachmentId": meant}]
    ops.aws.clock.advance(600)
    assert state(ops, meant) == "AVAILABLE"
    ops.aws.clear_calls()
    assert ops.run(listed).outcome == "settled"
    assert ops.writes() == []


def test_prefix_lists_are_tied_before_the_policy_that_names_them_and_loosed_after_it(ops: Host) -> None:
    made = ops.by_hand(
        "ec2", "CreateManagedPrefixList", PrefixListName="ours", MaxEntries=1, AddressFamily="IPv4"
    )
    lists = [{"PrefixListArn": made["PrefixList"]["PrefixListArn"], "PrefixListAlias": "ours"}]
    config = documents.load(CONFIG.base)
    policy = config["resources"]["core-network/attached"]["PolicyDocument"]
    naming = {
        **policy,
        "version": "2025.11",
        "routing-policies": [{"routing-policy-name": "in", "routing-policy-rules": [{"value": "ours"}]}],
    }
    assert ops.run(CONFIG.base).outcome == "settled"
    for text, first in (
        (with_network(CONFIG.base, PolicyDocument=naming, PrefixLists=lists), "Create"),
        (with_network(CONFIG.base, PrefixLists=[]), "Delete"),
    ):
        ops.aws.clear_calls()
        assert ops.run(text).outcome == "settled"
        order = [name for name in ops.writes() if name.endswith(("PrefixListAssociation", "ChangeSet"))]
        tied = f"{first}CoreNetworkPrefixListAssociation"
        assert order == ([tied, EXECUTE] if first == "Create" else [EXECUTE, tied])
        assert all(call.error is None for call in ops.aws.writes)


def test_labels_that_change_at_once_are_changed_one_a_look_and_nothing_is_refused(ops: Host) -> None:
    """The core network is UPDATING after each; and after a prefix list, or a change of its own."""
    made = ops.by_hand(
        "ec2", "CreateManagedPrefixList", PrefixListName="ours", MaxEntries=1, AddressFamily="IPv4"
    )
    lists = [{"PrefixListArn": made["PrefixList"]["PrefixListArn"], "PrefixListAlias": "ours"}]
    config = documents.load(CONFIG.base)
    again = config["resources"]["vpc-attachment/again"] = dict(config["resources"][CONFIG.address])
    again["VpcArn"], again["SubnetArns"] = "${vpc/again}", ["${subnet/again}"]
    config["resources"]["vpc/again"] = {"CidrBlock": "10.78.0.0/16", "protect": False}
    config["resources"]["subnet/again"] = {"VpcId": "${vpc/again}", "CidrBlock": "10.78.1.0/24"}
    assert ops.run(documents.dump(config)).outcome == "settled"
    again["RoutingPolicyLabel"], config["resources"][CONFIG.address]["RoutingPolicyLabel"] = "green", None
    ops.aws.clear_calls()
    text = with_network(documents.dump(config), Description="changed", PrefixLists=lists)
    assert ops.run(text).outcome == "settled"
    about = {"UpdateCoreNetwork", "CreateCoreNetworkPrefixListAssociation", *LABELING}
    assert sorted(name for name in ops.writes() if name in about) == sorted(about)
    assert [call for call in ops.aws.writes if call.error is not None] == []


def test_an_attachment_is_changed_one_call_a_look_and_its_nat_in_one(ops: Host) -> None:
    """It is UPDATING after each, and NAT cannot be on without a rule."""
    ops.run(CONFIG.base)
    config = documents.load(CONFIG.base)
    rules = [
        {"RuleNumber": n, "MatchSourceCidr": "10.77.0.0/16", "NatCidr": f"100.6{n}.0.0/16"} for n in (5, 4)
    ]
    new = {"NatGatewaySupport": "ENABLE", "NatGatewayRules": rules, "Options": {"ApplianceModeSupport": True}}
    config["resources"][CONFIG.address] |= new
    text = documents.dump(config)
    ops.aws.clear_calls()
    assert ops.run(text).outcome == "settled"
    assert sorted(ops.writes()) == ["UpdateAttachmentNatConfiguration", "UpdateVpcAttachment"]
    assert [call for call in ops.aws.writes if call.error is not None] == []
    ops.by_hand(
        "networkmanager",
        "UpdateAttachmentNatConfiguration",
        AttachmentId=attachment(ops)["AttachmentId"],
        NatGatewaySupport="DISABLE",
        NatGatewayRules=[],
    )
    ops.aws.clock.advance(600)
    drift = ops.entry(text, CONFIG.address).verdict
    assert isinstance(drift, Steps)
    assert {found.path for found in drift.drift} == {"NatGatewaySupport", "NatGatewayRules"}


TABLE = Fixture("transit-gateway-route-table-attachment")


def test_a_route_table_is_attached_to_a_core_network_that_is_at_rest_and_nothing_is_refused(
    ops: Host,
) -> None:
    """It names a peering, and no core network; that is UPDATING after a label, and while a policy becomes live."""
    config = documents.load(TABLE.base)
    attached = dict(config["resources"][TABLE.address])
    assert ops.run(TABLE.base).outcome == "settled"
    config["resources"][TABLE.address]["RoutingPolicyLabel"] = "green"
    config["resources"]["transit-gateway-route-table-attachment/more"] = {
        **attached,
        "TransitGatewayRouteTableArn": "${transit-gateway-route-table/other}",
    }
    ops.aws.clear_calls()
    assert ops.run(documents.dump(config)).outcome == "settled"
    assert {"PutAttachmentRoutingPolicyLabel", "CreateTransitGatewayRouteTableAttachment"} <= set(
        ops.writes()
    )

    tables = config["resources"]
    tables["transit-gateway-route-table/third"] = tables["transit-gateway-route-table/other"]
    tables["transit-gateway-route-table-attachment/third"] = {
        **attached,
        "TransitGatewayRouteTableArn": "${transit-gateway-route-table/third}",
    }
    tables["core-network/attached"]["PolicyDocument"]["segments"].append({"name": "third"})
    assert ops.run(documents.dump(config)).outcome == "settled"
    assert [(call.operation, call.error) for call in ops.aws.writes if call.error is not None] == []
    order = ops.writes()
    assert order.index("CreateTransitGatewayRouteTableAttachment") < order.index(EXECUTE)
    assert order[::-1].index("CreateTransitGatewayRouteTableAttachment") < order[::-1].index(EXECUTE)


def reads(ops: Host) -> list[str]:
    return [call.operation for call in ops.aws.calls if not call.is_write and "Attachment" in call.operation]


def test_one_that_is_settled_and_unchanged_is_read_one_by_one_only_once(ops: Host) -> None:
    ops.run(CONFIG.base)
    loop, id = ops.loop(CONFIG.base), attachment(ops)["AttachmentId"]
    asked = []
    for _ in range(3):
        ops.aws.clear_calls()
        assert loop.one_pass("test").outcome == "settled"
        asked.append(reads(ops).count("GetVpcAttachment"))
    assert asked == [1, 0, 0]
    options = {"ApplianceModeSupport": True}
    ops.by_hand("networkmanager", "UpdateVpcAttachment", AttachmentId=id, Options=options)
    ops.aws.clock.advance(600)
    ops.aws.clear_calls()
    (entry,) = (entry for entry in loop.plan()[1].entries if entry.label == CONFIG.address)
    assert entry.drifted
    assert ops.entry(CONFIG.base, CONFIG.address) == entry, "another process comes to the same plan"
    ops.run(CONFIG.base)
    loop.one_pass("test")
    ops.aws.clear_calls()
    ops.aws.clock.advance(4000)
    loop.one_pass("test")
    assert reads(ops).count("GetVpcAttachment") == 1, "no list is believed for ever"


TYPES = ("connect-attachment", "direct-connect-gateway-attachment", "vpc-attachment")


def test_all_attachments_are_one_list_whatever_their_type_and_their_labels_and_nat_one_each(
    ops: Host,
) -> None:
    """And one read more for each that nobody knows yet, where its type has something of its own."""
    config = documents.load(estate(kinds=TYPES))
    del config["resources"]["core-network/second"], config["resources"]["global-network/second"]
    text = documents.dump(config)
    assert ops.run(text).outcome == "settled"
    typed = ["GetConnectAttachment", *["GetVpcAttachment"] * len(ops.rows("vpc-attachment"))]
    loop = ops.loop(text)
    for asked in (typed, []):
        ops.aws.clear_calls()
        assert loop.one_pass("test").outcome == "settled"
        assert sorted(reads(ops)) == sorted(
            [
                "ListAttachmentNatConfigurations",
                "ListAttachmentRoutingPolicyAssociations",
                "ListAttachments",
                *asked,
            ]
        )


class Paces(Time):
    """Notes for how long it is waited."""

    def __init__(self, held: HeldClock) -> None:
        super().__init__(held)
        self.waits: list[float] = []

    def wait(self, seconds: float, stopped: Callable[[], bool]) -> None:
        self.waits.append(seconds)
        super().wait(seconds, stopped)


def test_what_takes_minutes_is_looked_at_less_often(ops: Host) -> None:
    ops.run(without(CONFIG.base))
    slow, quick = Paces(ops.aws.clock), Paces(ops.aws.clock)
    ops.use(Inline(), slow)
    assert ops.run(CONFIG.base).outcome == "settled"
    assert slow.waits == [30.0]
    ops.use(Inline(), quick)
    more = documents.load(CONFIG.base)
    more["resources"]["site/s"] = {"GlobalNetworkId": "${global-network/base}"}
    assert ops.run(documents.dump(more)).outcome == "settled"
    assert quick.waits[0] < 1.0
