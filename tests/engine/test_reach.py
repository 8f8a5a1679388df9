"""What is decided where another account cannot be seen, or is none of ours."""

from __future__ import annotations

from dataclasses import replace

from reconciler.model.things import Scope
from reconciler.model.verdicts import Blocked, Steps, Verdict, Wait
from tests.harness import ACCOUNT

from .build import planner, thing, wish, world

EDGE = "210987654321"
CLOSED = replace(world(), closed={EDGE: "AccessDenied"})


def test_what_another_account_may_use_stays_while_that_cannot_be_seen() -> None:
    seen = world(thing("vpc/v", tags={"reconciler:protect": "false"}), thing("instance/i"))
    entries = planner([], replace(seen, closed={EDGE: "AccessDenied"})).plan().entries
    found = {entry.label: entry.verdict for entry in entries}
    assert isinstance(found["instance/i"], Steps), "nothing of another account can use an instance"
    assert isinstance(found["vpc/v"], Wait)
    assert EDGE in found["vpc/v"].why
    assert "AccessDenied" in found["vpc/v"].why


def test_what_is_of_other_accounts_is_made_all_the_same() -> None:
    """Things of the kind were once found in the account that is closed by now, where the config has none."""
    lost = {Scope("vpc", EDGE, "us-west-2"): "AccessDenied"}
    plan = planner([wish("vpc/v")], replace(CLOSED, unread=lost)).plan()
    assert isinstance(plan.entries[0].verdict, Steps)


def test_things_of_one_name_in_two_accounts_are_two() -> None:
    twins = (thing("key-pair/a", "key"), thing("key-pair/b", "key", account=EDGE))
    entries = planner([], world(*twins)).plan().entries
    leaving = {entry.label: entry.scope.account for entry in entries if isinstance(entry.verdict, Steps)}
    assert leaving == {"key-pair/a": ACCOUNT, "key-pair/b": EDGE}


def test_what_only_its_own_account_can_use_is_not_kept_by_a_name_in_another() -> None:
    user = thing("instance/i", raw={"KeyName": "key"}, account=EDGE)
    entries = planner([], world(thing("key-pair/a", "key", raw={"KeyName": "key"}), user)).plan().entries
    assert {entry.label: type(entry.verdict) for entry in entries} == {
        "instance/i": Steps,
        "key-pair/a": Steps,
    }


def test_a_thing_that_shall_live_in_another_account_is_replaced_or_blocked() -> None:
    seen = world(thing("vpc/v", tags={"reconciler:protect": "false"}))
    there = wish("vpc/v", account=EDGE, protect=False)
    blocked = planner([there], seen).verdict(there.address)
    assert isinstance(blocked, Blocked)
    assert blocked.why.startswith("account cannot change after creation")
    moved = planner([replace(there, replace="create-first")], seen).verdict(there.address)
    assert isinstance(moved, Steps)
    assert [(call.operation, call.account) for call in moved.calls] == [
        ("CreateTags", ACCOUNT),
        ("CreateVpc", EDGE),
    ]


ATTACHED = {"State": "pendingAcceptance", "TransitGatewayId": "tgw-1"}


def asked(*accounts: str, owner: str = "", closed: bool = False) -> Verdict:
    """What becomes of an attachment that the config accepts, whose gateway is of `owner`."""
    attachment = thing(
        "transit-gateway-vpc-attachment/a", raw=ATTACHED, account=EDGE, state="pendingAcceptance"
    )
    gateway = [thing("transit-gateway/t", "tgw-1", account=owner, state="available")] if owner else []
    wanted = wish("transit-gateway-vpc-attachment/a", account=EDGE, accept=True)
    seen = replace(world(attachment, *gateway), closed={owner: "AccessDenied"} if closed else {})
    return planner([wanted], seen, accounts=accounts).verdict(wanted.address)


def test_an_attachment_is_accepted_in_the_account_that_is_asked() -> None:
    verdict = asked(ACCOUNT, EDGE, owner=ACCOUNT)
    assert isinstance(verdict, Steps)
    assert [call.account for call in verdict.calls] == [ACCOUNT]
    assert verdict.calls[0].operation == "AcceptTransitGatewayVpcAttachment"


def test_somebody_else_has_to_accept_what_is_asked_of_an_account_that_is_none_of_ours() -> None:
    for verdict in (asked(EDGE, owner=ACCOUNT), asked(ACCOUNT, EDGE)):
        assert isinstance(verdict, Wait)
        assert verdict.on == "person"


def test_what_is_asked_of_an_account_that_cannot_be_used_waits() -> None:
    verdict = asked(ACCOUNT, EDGE, owner=ACCOUNT, closed=True)
    assert isinstance(verdict, Wait)
    assert "AccessDenied" in verdict.why
