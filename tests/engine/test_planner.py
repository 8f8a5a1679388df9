"""From what is wanted and what was seen to verdicts: the cases that are not a plain creation or update."""

from __future__ import annotations

import gc
import weakref
from dataclasses import replace
from typing import Any

import pytest

from reconciler.model.address import Address
from reconciler.model.calls import token
from reconciler.model.plan import Entry
from reconciler.model.things import Observed, Parameter, Pending, Ref
from reconciler.model.verdicts import Blocked, Settled, Steps, Verdict, Wait
from tests.engine.build import planner, thing, wish, world

NETWORK = wish("global-network/n", {"Description": "d"})
SITE = wish("site/s", {"GlobalNetworkId": Ref(Address("global-network", "n")), "Description": "d"})
N = thing("global-network/n", "gn", {"Description": "d"})
S = thing("site/s", "site-1", {"GlobalNetworkId": "gn", "Description": "d"})


def verdicts(wanted: list[Any], *things: Observed, **more: Any) -> dict[str, Verdict]:
    seen = world(*things, unread=more.pop("unread", ()))
    return {entry.label: entry.verdict for entry in planner(wanted, seen, **more).plan().entries}


def operations(verdict: Verdict) -> list[str]:
    assert isinstance(verdict, Steps), verdict
    return [call.operation for call in verdict.calls]


def why(verdict: Verdict) -> str:
    assert isinstance(verdict, Wait | Blocked), verdict
    return verdict.why


# ---- creating


def test_what_is_missing_is_created_after_what_it_needs() -> None:
    plan = planner([SITE, NETWORK], world()).plan()
    assert [entry.label for entry in plan.entries] == ["global-network/n", "site/s"]
    assert operations(plan.entries[0].verdict) == ["CreateGlobalNetwork"]
    call = plan.entries[1].verdict.calls[0]  # type: ignore[union-attr]
    assert call.parameters["GlobalNetworkId"] == Pending(Address("global-network", "n"))
    assert {"Key": "reconciler:address", "Value": "site/s"} in call.parameters["Tags"]
    assert {"Key": "reconciler:stack", "Value": "test"} in call.parameters["Tags"]


def test_what_it_needs_must_be_usable_first() -> None:
    found = verdicts([NETWORK, SITE], replace(N, state="PENDING"))
    assert why(found["global-network/n"]) == "gn is PENDING"
    assert "needs global-network/n" in why(found["site/s"])


def test_what_depends_on_something_blocked_waits_and_says_so() -> None:
    twice = [replace(N, id="gn-1"), replace(N, id="gn-2")]
    found = verdicts([NETWORK, SITE], *twice)
    assert isinstance(found["global-network/n"], Blocked)
    assert "gn-1 and global-network gn-2 claim this address" in why(found["site/s"])


def test_depends_on_orders_without_a_reference() -> None:
    later = wish("global-network/later", depends_on=(Address("global-network", "n"),))
    entries = planner([later, NETWORK], world()).plan().entries
    assert [entry.label for entry in entries] == ["global-network/n", "global-network/later"]
    assert entries[1].after == (Address("global-network", "n"),)


def test_what_aws_would_refuse_waits_until_what_it_names_is_finished() -> None:
    network = wish("vpc/n", {"CidrBlock": "10.0.0.0/16", "EnableDnsHostnames": True})
    endpoint = wish("vpc-endpoint/e", {"VpcId": Ref(network.address)})
    fresh = thing("vpc/n", "vpc-1", {"CidrBlock": "10.0.0.0/16", "EnableDnsHostnames": False})
    done = thing("vpc/n", "vpc-1", {"CidrBlock": "10.0.0.0/16", "EnableDnsHostnames": True})
    assert operations(verdicts([network, endpoint])["vpc-endpoint/e"]) == ["CreateVpcEndpoint"]
    for unfinished, reason in (
        (fresh, "of which something is still to be done"),
        (replace(done, state="pending"), "which is pending"),
    ):
        found = verdicts([network, endpoint], unfinished)
        assert f"needs vpc/n, {reason}" in why(found["vpc-endpoint/e"])
    assert operations(verdicts([network, endpoint], done)["vpc-endpoint/e"]) == ["CreateVpcEndpoint"]


def test_depends_on_waits_for_what_is_set_after_a_creation() -> None:
    gateway = wish("internet-gateway/g", {"VpcId": "vpc-1"})
    nat = wish("nat-gateway/n", {"SubnetId": "subnet-1"}, depends_on=(gateway.address,))
    detached = thing("internet-gateway/g", "igw-1", {"Attachments": []})
    attached = thing(
        "internet-gateway/g", "igw-1", {"Attachments": [{"State": "available", "VpcId": "vpc-1"}]}
    )
    assert operations(verdicts([gateway, nat])["nat-gateway/n"]) == ["CreateNatGateway"]
    found = verdicts([gateway, nat], detached)
    assert operations(found["internet-gateway/g"])[0] == "AttachInternetGateway"
    assert "still to be done" in why(found["nat-gateway/n"])
    assert operations(verdicts([gateway, nat], attached)["nat-gateway/n"]) == ["CreateNatGateway"]


def test_a_held_address_waits_with_its_reason_and_others_go_on() -> None:
    other = wish("global-network/other")
    found = verdicts([NETWORK, other], held={Address("global-network", "n"): "remembered"})
    assert why(found["global-network/n"]) == "remembered"
    assert operations(found["global-network/other"]) == ["CreateGlobalNetwork"]


def test_what_aws_has_refused_for_good_is_not_tried_again() -> None:
    def refuse(label: str, _: Steps) -> Verdict | None:
        return Blocked("no") if label == NETWORK_LABEL else None

    assert verdicts([NETWORK], instead=refuse)[NETWORK_LABEL] == Blocked("no")
    assert isinstance(verdicts([NETWORK], N, instead=refuse)[NETWORK_LABEL], Settled)


NETWORK_LABEL = "global-network/n"


def seeds(*things: Observed, **more: Any) -> tuple[str, ...]:
    wanted = wish("instance/i", {"KeyName": "new"}, **more)
    verdict = verdicts([wanted], *things)["instance/i"]
    assert isinstance(verdict, Steps)
    birth = next(call for call in verdict.calls if call.creates)
    assert birth.seed is not None
    return birth.seed


def test_a_token_is_made_of_stack_and_address_and_changes_with_what_makes_way() -> None:
    plain = seeds()
    old = thing("instance/i", "i-1", {"KeyName": "old"})
    replaced = seeds(old, replace="create-first")
    resumed = seeds(thing("instance/i@old", "i-1", {"KeyName": "old"}), replace="create-first")
    assert plain == ("test", "instance/i")
    assert replaced == resumed != plain, (
        "dying between the two steps of a replacement must not change its token"
    )
    assert token(plain, 0) != token(plain, 1) != token(replaced, 0)
    assert len(token(plain, 0)) <= 64


# ---- states


@pytest.mark.parametrize(
    ("state", "sort"),
    [("DELETING", Wait), ("PENDING", Wait), ("UPDATING", Wait), ("A_NEW_WORD", Wait), ("AVAILABLE", Settled)],
)
def test_a_state_that_is_not_ready_is_waited_for(state: str, sort: type) -> None:
    assert isinstance(verdicts([NETWORK], replace(N, state=state))[NETWORK_LABEL], sort)


def test_a_failed_thing_is_for_a_person() -> None:
    net = thing("vpc/v", "vpc-1")
    bad = thing("subnet/s", "subnet-1", state="failed")
    verdict = verdicts([wish("vpc/v"), wish("subnet/s")], net, bad)["subnet/s"]
    assert isinstance(verdict, Blocked)
    assert "subnet-1 is failed" in verdict.why


def test_what_is_on_its_way_out_says_when_its_address_is_free() -> None:
    assert "free when it is gone" in why(verdicts([NETWORK], replace(N, state="DELETING"))[NETWORK_LABEL])


# ---- what cannot change


def test_a_fixed_field_is_blocked_and_says_what_may_be_done() -> None:
    moved = wish("site/s", {"GlobalNetworkId": "gn-2"})
    verdict = verdicts([NETWORK, moved], N, S)["site/s"]
    assert isinstance(verdict, Blocked)
    assert [(drift.path, drift.wanted, drift.seen) for drift in verdict.drift] == [
        ("GlobalNetworkId", "gn-2", "gn")
    ]
    assert "replace: delete-first" in verdict.why
    assert "create-first" in verdict.why


def test_unique_names_rule_out_create_first() -> None:
    group = thing("security-group/g", "sg-1", {"GroupName": "a"})
    assert "create-first" not in why(
        verdicts([wish("security-group/g", {"GroupName": "b"})], group)["security-group/g"]
    )


@pytest.mark.parametrize(
    ("how", "expected"),
    [("delete-first", ["DeleteSite"]), ("create-first", ["TagResource", "CreateSite"])],
)
def test_replacing_goes_in_the_order_that_is_asked_for(how: str, expected: list[str]) -> None:
    moved = wish("site/s", {"GlobalNetworkId": "gn-2"}, replace=how)
    verdict = verdicts([NETWORK, moved], N, S)["site/s"]
    assert operations(verdict) == expected
    assert isinstance(verdict, Steps)
    assert verdict.verb == "replace"


def test_an_earlier_address_that_two_claim_is_taken_from_neither() -> None:
    """Not even from the one of the two that is ours alone."""
    wanted = wish(
        "site/new", {"GlobalNetworkId": "gn", "Description": "d"}, previously=(Address("site", "s"),)
    )
    half = thing("site/s", "site-2", tags={"reconciler:stack": None})
    verdict = verdicts([NETWORK, wanted], N, S, half)["site/new"]
    assert isinstance(verdict, Blocked)
    assert "claim this address" in verdict.why


@pytest.mark.parametrize("stack", ["test", None])
def test_two_at_different_earlier_addresses_are_taken_for_no_reason_to_make_a_third(
    stack: str | None,
) -> None:
    earlier = (Address("site", "s"), Address("site", "t"))
    wanted = wish("site/new", {"GlobalNetworkId": "gn", "Description": "d"}, previously=earlier)
    other = thing("site/t", "site-2", tags={"reconciler:stack": stack})
    found = verdicts([NETWORK, wanted], N, S, other)
    verdict = found["site/new"]
    assert isinstance(verdict, Blocked)
    assert "claim this address" in verdict.why
    assert found.keys() == {"global-network/n", "site/new"}, "and neither is deleted"


@pytest.mark.parametrize("how", ["delete-first", "create-first"])
def test_nothing_is_replaced_while_a_thing_without_an_address_may_be_the_new_one(how: str) -> None:
    moved = wish("site/s", {"GlobalNetworkId": "gn-2"}, replace=how)
    nameless = thing("site/other", "site-2", tags={"reconciler:address": None})
    verdict = verdicts([NETWORK, moved], N, S, nameless)["site/s"]
    assert isinstance(verdict, Blocked)
    assert "site-2" in verdict.why


@pytest.mark.parametrize(("protect", "stops"), [(True, True), (None, True), (False, False)])
def test_a_protected_thing_is_not_replaced(protect: bool | None, stops: bool) -> None:
    tag = {True: "true", False: "false", None: None}[protect]
    net = thing("vpc/v", "vpc-1", {"CidrBlock": "10.0.0.0/16"}, tags={"reconciler:protect": tag})
    moved = wish("vpc/v", {"CidrBlock": "10.1.0.0/16"}, replace="delete-first", protect=protect)
    assert isinstance(verdicts([moved], net)["vpc/v"], Blocked) is stops


def test_another_region_is_another_place() -> None:
    net = thing("vpc/v", "vpc-1")
    verdict = verdicts([wish("vpc/v", region="eu-west-1")], net)["vpc/v"]
    assert isinstance(verdict, Blocked)
    assert verdict.drift[0].path == "region"


def test_what_is_ignored_does_not_differ() -> None:
    seen = thing("site/s", "site-1", {"GlobalNetworkId": "gn", "Location": {"Address": "a", "Latitude": "1"}})
    spec = {"GlobalNetworkId": "gn", "Description": "d", "Location": {"Address": "b", "Latitude": "1"}}
    wanted = wish("site/s", spec, ignore=("Location.Address", "Description"))
    assert isinstance(verdicts([wanted], N, seen)["site/s"], Settled)
    wanted = wish("site/s", spec, ignore=("Location",))
    assert operations(verdicts([wanted], N, seen)["site/s"]) == ["UpdateSite", "TagResource"]


def test_a_parameter_is_no_drift() -> None:
    seen = thing("instance/i", "i-1", {"ImageId": "ami-old"})
    assert isinstance(
        verdicts([wish("instance/i", {"ImageId": Parameter("/p")})], seen)["instance/i"], Settled
    )


def test_null_is_left_out_of_a_creation_and_clears_later() -> None:
    spec = {"GlobalNetworkId": "gn", "Description": None, "Location": {"Address": None, "Latitude": "1"}}
    birth = verdicts([NETWORK, wish("site/s", spec)], N)["site/s"]
    assert isinstance(birth, Steps)
    assert birth.calls[0].parameters["Location"] == {"Latitude": "1"}
    assert "Description" not in birth.calls[0].parameters
    seen = {"GlobalNetworkId": "gn", "Description": "d", "Location": {"Address": "a", "Latitude": "1"}}
    update = verdicts([NETWORK, wish("site/s", spec)], N, thing("site/s", "site-1", seen))["site/s"]
    assert isinstance(update, Steps)
    assert update.calls[0].parameters == {
        "GlobalNetworkId": "gn",
        "SiteId": "site-1",
        "Description": "",
        "Location": {"Address": "", "Latitude": "1"},
    }


# ---- ownership


@pytest.mark.parametrize(
    "claim",
    [
        thing("site/s", "site-1", tags={"reconciler:stack": None}),
        thing("site/s", "site-1", tags={"reconciler:address": None}),
        replace(thing("site/s", "vpc-1"), kind="vpc"),
    ],
    ids=["no stack", "no address", "another kind"],
)
def test_what_is_half_ours_stops_its_address(claim: Observed) -> None:
    wanted = [NETWORK, SITE, wish("site/t", {"GlobalNetworkId": "gn"})]
    plan = planner(wanted, world(N, claim)).plan()
    found = {entry.label: entry.verdict for entry in plan.entries}
    assert isinstance(found["site/s"], Blocked)
    assert claim.id in why(found["site/s"])
    assert not any(claim.id in str(call.parameters) for entry in plan.steps for call in entry.verdict.calls)  # type: ignore[union-attr]


def test_what_is_renamed_waits_for_what_leaves_the_new_name_and_stays() -> None:
    leaving, mine = replace(S, state="DELETING"), replace(S, id="site-2", address=Address("site", "old"))
    renamed = replace(SITE, previously=(Address("site", "old"),))
    entries = planner([NETWORK, renamed], world(N, leaving, mine)).plan().entries
    assert not [entry for entry in entries if entry.seen and entry.seen.id == "site-2" and not entry.wanted]
    assert not any(isinstance(entry.verdict, Steps) for entry in entries), entries


def test_what_is_on_its_way_out_keeps_its_address_from_nobody() -> None:
    leaving, new = replace(S, state="DELETING"), replace(S, id="site-2")
    assert isinstance(verdicts([NETWORK, SITE], N, leaving, new)["site/s"], Settled)
    told = [
        why(verdicts([NETWORK, SITE], N, one, replace(one, id="site-3"))["site/s"]) for one in (leaving, S)
    ]
    assert "is DELETING" in told[0]
    assert "claim this address" in told[1]
    entries = planner([NETWORK], world(N, leaving, new)).plan().entries
    left = {entry.seen.id: entry.verdict for entry in entries if entry.seen and not entry.wanted}
    assert isinstance(left["site-1"], Wait)
    assert operations(left["site-2"]) == ["DeleteSite"]


def test_half_tagged_things_that_no_address_wants_are_told() -> None:
    stray = thing("site/gone", "site-9", tags={"reconciler:stack": None})
    assert any("site-9" in told for told in planner([NETWORK], world(N, stray)).plan().conflicts)


def test_a_renamed_address_takes_its_thing_along() -> None:
    renamed = replace(SITE, address=Address("site", "new"), previously=(Address("site", "s"),))
    found = verdicts([NETWORK, renamed], N, S)
    assert operations(found["site/new"]) == ["TagResource"]
    assert "site/s" not in found, "what is taken over is no orphan"


def test_an_address_that_is_still_wanted_is_taken_over_by_nobody() -> None:
    greedy = replace(SITE, address=Address("site", "new"), previously=(Address("site", "s"),))
    found = verdicts([NETWORK, SITE, greedy], N, S)
    assert isinstance(found["site/s"], Settled)
    assert operations(found["site/new"]) == ["CreateSite"]


def test_a_thing_whose_target_is_not_usable_waits_instead_of_being_called_wrong() -> None:
    """The group that the instance has is there and not known to be its own: nothing is concluded."""
    groups = [thing("security-group/g", "sg-1"), thing("security-group/g", "sg-2")]
    seen = thing("instance/i", "i-1", {"SecurityGroups": [{"GroupId": "sg-1"}]})
    wanted = [
        wish("security-group/g"),
        wish("instance/i", {"SecurityGroupIds": [Ref(Address("security-group", "g"))]}),
    ]
    assert "claim this address" in why(verdicts(wanted, seen, *groups)["instance/i"])


def test_an_earlier_address_that_two_things_claim_is_not_taken_over() -> None:
    renamed = replace(SITE, address=Address("site", "new"), previously=(Address("site", "s"),))
    found = verdicts([NETWORK, renamed], N, S, replace(S, id="site-2"))
    assert all(isinstance(verdict, Blocked) for label, verdict in found.items() if label == "site/s")


# ---- leaving


def entry_of(things: list[Observed], label: str, **more: Any) -> Entry:
    wanted = more.pop("wanted", [])
    seen = world(*things, unread=more.pop("unread", ()))
    return next(entry for entry in planner(wanted, seen, **more).plan().entries if entry.label == label)


def test_orphans_go_users_first() -> None:
    assert operations(entry_of([N, S], "site/s").verdict) == ["DeleteSite"]
    assert "site site-1 must go first" in why(entry_of([N, S], "global-network/n").verdict)


@pytest.mark.parametrize("unread", ["site", "global-network"])
def test_what_could_not_be_read_is_neither_made_nor_deleted(unread: str) -> None:
    found = verdicts([NETWORK, SITE], unread=[unread])
    assert all(isinstance(verdict, Wait) for label, verdict in found.items() if label.startswith(unread))
    orphan = entry_of([N], "global-network/n", unread=[unread]).verdict
    assert "could not be read" in why(orphan), "its sites may be there"


@pytest.mark.parametrize(("tag", "stays"), [(None, True), ("true", True), ("false", False)])
def test_a_protected_kind_is_kept_unless_its_tag_says_otherwise(tag: str | None, stays: bool) -> None:
    net = thing("vpc/v", "vpc-1", tags={"reconciler:protect": tag})
    assert isinstance(entry_of([net], "vpc/v").verdict, Blocked) is stays
    assert isinstance(entry_of([net], "vpc/v", unprotected=True).verdict, Steps)


def test_any_kind_is_protected_by_its_tag() -> None:
    kept = replace(S, tags={**S.tags, "reconciler:protect": "true"})
    assert isinstance(entry_of([N, kept], "site/s").verdict, Blocked)


def test_what_makes_way_goes_when_its_successor_is_ready() -> None:
    old = thing("site/s@old", "site-0", {"GlobalNetworkId": "gn", "Description": "d"})
    waiting = entry_of([N, old, replace(S, state="PENDING")], "site/s@old", wanted=[NETWORK, SITE])
    assert "until its successor site/s is ready" in why(waiting.verdict)
    ready = entry_of([N, old, S], "site/s@old", wanted=[NETWORK, SITE])
    assert operations(ready.verdict) == ["DeleteSite"]


def test_in_upsert_mode_nothing_is_taken_away() -> None:
    moved = wish("site/s", {"GlobalNetworkId": "gn-2"}, replace="delete-first")
    found = verdicts([moved], N, S, keep=True)
    assert all(isinstance(verdict, Settled) and verdict.notes for verdict in found.values())


# ---- write-only fields


def test_a_write_only_field_is_compared_by_its_digest() -> None:
    wanted = wish("instance/i", {"UserData": "one"})
    birth = verdicts([wanted])["instance/i"]
    assert isinstance(birth, Steps)
    tags = {tag["Key"]: tag["Value"] for tag in birth.calls[0].parameters["TagSpecifications"][0]["Tags"]}
    digest = tags["reconciler:digest.UserData"]
    assert "one" not in digest
    seen = thing("instance/i", "i-1", tags={"reconciler:digest.UserData": digest})
    assert isinstance(verdicts([wanted], seen)["instance/i"], Settled)
    other = verdicts([wish("instance/i", {"UserData": "two"})], seen)["instance/i"]
    assert isinstance(other, Steps)
    assert "two" not in str(other.drift)


@pytest.mark.parametrize("tag", [None, "0:made-another-way"])
def test_a_digest_that_proves_nothing_is_mended_and_is_no_drift(tag: str | None) -> None:
    seen = thing("instance/i", "i-1", tags={"reconciler:digest.UserData": tag})
    assert operations(verdicts([wish("instance/i", {"UserData": "one"})], seen)["instance/i"]) == [
        "CreateTags"
    ]


def test_tags_are_written_last_since_digests_say_what_was_done() -> None:
    wanted = wish("site/s", {"GlobalNetworkId": "gn", "Description": "new"}, tags={"a": "b"})
    assert operations(verdicts([NETWORK, wanted], N, S)["site/s"]) == ["UpdateSite", "TagResource"]


# ---- parts


RULE = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIpv4": "10.0.0.0/8"}


def group(*rules: dict[str, Any]) -> Observed:
    rows = [{"SecurityGroupRuleId": f"sgr-{n}", "IsEgress": False, **rule} for n, rule in enumerate(rules)]
    return thing("security-group/g", "sg-1", {"Rules": rows})


def wanted_rules(*rules: dict[str, Any]) -> Verdict:
    return verdicts([wish("security-group/g", {"Ingress": list(rules)})], group(RULE))["security-group/g"]


@pytest.mark.parametrize(
    "spelling",
    [
        {"IpProtocol": "6"},
        {"IpProtocol": "TCP"},
        {"CidrIpv4": "10.1.2.3/8"},
        {"Description": ""},
    ],
)
def test_one_rule_has_many_spellings(spelling: dict[str, Any]) -> None:
    assert isinstance(wanted_rules({**RULE, **spelling}), Settled)


def test_rules_are_added_before_others_are_removed() -> None:
    verdict = wanted_rules({**RULE, "FromPort": 80, "ToPort": 80})
    assert operations(verdict) == [
        "AuthorizeSecurityGroupIngress",
        "RevokeSecurityGroupIngress",
        "CreateTags",
    ]


def test_an_empty_part_removes_all_and_an_omitted_one_none() -> None:
    assert operations(wanted_rules()) == ["RevokeSecurityGroupIngress", "CreateTags"]
    assert isinstance(verdicts([wish("security-group/g")], group(RULE))["security-group/g"], Settled)


def test_a_part_can_be_ignored() -> None:
    wanted = wish("security-group/g", {"Ingress": []}, ignore=("Ingress",))
    assert isinstance(verdicts([wanted], group(RULE))["security-group/g"], Settled)


def test_a_description_is_changed_in_place() -> None:
    verdict = wanted_rules({**RULE, "Description": "ssh"})
    assert operations(verdict) == ["ModifySecurityGroupRules", "CreateTags"]


def test_planning_twice_gives_the_same_plan() -> None:
    wanted, seen = [SITE, NETWORK, wish("vpc/a"), wish("vpc/b")], world(N, thing("site/x"), thing("site/y"))
    assert planner(wanted, seen).plan() == planner(wanted, seen).plan()


def test_a_plan_leaves_no_circles_behind() -> None:
    wanted = [SITE, NETWORK, wish("vpc/a")]
    gc.collect()
    gc.disable()  # a search for circles comes late where there are many objects, and a world takes megabytes
    try:
        found = planner(wanted, world(N, S, thing("site/y")))
        found.plan()
        gone = weakref.ref(found)
        del found
        assert gone() is None
    finally:
        gc.enable()
