"""How a core network's policy becomes live: from what is wanted and what was read to the next call."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from reconciler.kinds.corenetwork import ALL, CHANGES, LATEST, LIVE, towards_live
from reconciler.kinds.wanpolicy import canonical, mistakes
from reconciler.model.address import Address
from reconciler.model.things import Desired, Observed, Parameter, Pending, Text
from reconciler.model.verdicts import Blocked, Settled, Steps, Verdict, Wait

POLICY: dict[str, Any] = {
    "version": "2021.12",
    "core-network-configuration": {
        "asn-ranges": ["64512-64555"],
        "edge-locations": [{"location": "us-west-2"}],
    },
    "segments": [{"name": "shared"}],
}
OTHER = {**POLICY, "segments": [{"name": "shared"}, {"name": "apart"}]}
ADDRESS = Address.parse("core-network/x")


def version(number: int, policy: dict[str, Any], state: str, **more: Any) -> dict[str, Any]:
    text = json.dumps(policy, indent=2)
    return {"PolicyVersionId": number, "PolicyDocument": text, "ChangeSetState": state, **more}


def step(
    live: dict[str, Any] | None, latest: dict[str, Any] | None, wanted: Any = None, **more: Any
) -> Verdict:
    """The verdict for POLICY, or another wanted value."""
    value = json.dumps(POLICY) if wanted is None else wanted
    desired = Desired(address=ADDRESS, account="1", region="", spec={"PolicyDocument": value})
    network = Observed(
        kind="core-network",
        account="1",
        region="",
        id="core-network-1",
        arn="",
        state="AVAILABLE",
        spec={},
        tags={},
        raw={ALL: [], LIVE: live, LATEST: None if latest is live else latest, **more},
        address=ADDRESS,
        stack="test",
    )
    return towards_live(desired, network)


def call(verdict: Verdict) -> Any:
    assert isinstance(verdict, Steps), verdict
    (only,) = verdict.calls
    return only


def test_a_first_policy_is_put() -> None:
    put = call(step(None, None))
    assert put.operation == "PutCoreNetworkPolicy"
    assert "LatestVersionId" not in put.parameters
    assert put.seed


def test_another_live_policy_is_followed_by_ours_and_by_no_other_at_the_same_time() -> None:
    live = version(3, OTHER, "EXECUTION_SUCCEEDED")
    verdict = step(live, live)
    put = call(verdict)
    assert put.parameters["LatestVersionId"] == 3
    assert isinstance(verdict, Steps)
    assert [drift.path for drift in verdict.drift] == ["PolicyDocument.segments[1]"]
    again = version(4, OTHER, "EXECUTION_SUCCEEDED")
    assert call(step(again, again)).seed != put.seed


@pytest.mark.parametrize(
    "same",
    [
        {**POLICY, "segments": [{"name": "shared"}]},
        dict(reversed(POLICY.items())),
    ],
)
def test_what_is_live_is_compared_by_its_meaning(same: dict[str, Any]) -> None:
    live = version(3, same, "EXECUTION_SUCCEEDED")
    assert step(live, live) == Settled()


def test_order_counts_where_it_means_something() -> None:
    two = {"a": [{"n": 1}, {"n": 2}], "b": ["x", "y"]}
    assert canonical(json.dumps(two)) == canonical(json.dumps({**two, "b": ["y", "x"]}))
    assert canonical(json.dumps(two)) != canonical(json.dumps({**two, "a": [{"n": 2}, {"n": 1}]}))


def test_ours_is_executed_once_its_change_set_is_ready() -> None:
    live = version(3, OTHER, "EXECUTION_SUCCEEDED")
    changes = [{"Type": "CORE_NETWORK_SEGMENT", "Action": "ADD", "Identifier": "shared"}]
    verdict = step(live, version(4, POLICY, "READY_TO_EXECUTE"), **{CHANGES: changes})
    execute = call(verdict)
    assert execute.operation == "ExecuteCoreNetworkChangeSet"
    assert execute.parameters == {"CoreNetworkId": "core-network-1", "PolicyVersionId": 4}
    assert isinstance(verdict, Steps)
    assert "ADD CORE_NETWORK_SEGMENT shared" in verdict.why


@pytest.mark.parametrize("state", ["PENDING_GENERATION", "EXECUTING"])
@pytest.mark.parametrize("policy", [POLICY, OTHER])
def test_what_is_under_way_is_waited_for(state: str, policy: dict[str, Any]) -> None:
    verdict = step(None, version(4, policy, state))
    assert isinstance(verdict, Wait)
    assert verdict.on == "aws"


def test_somebody_elses_version_is_overtaken_and_never_executed() -> None:
    live = version(3, {**POLICY, "segments": []}, "EXECUTION_SUCCEEDED")
    put = call(step(live, version(4, OTHER, "READY_TO_EXECUTE")))
    assert put.operation == "PutCoreNetworkPolicy"
    assert put.parameters["LatestVersionId"] == 4


def test_with_ours_live_somebody_elses_version_is_left_alone_and_told() -> None:
    verdict = step(version(3, POLICY, "EXECUTION_SUCCEEDED"), version(4, OTHER, "READY_TO_EXECUTE"))
    assert isinstance(verdict, Settled)
    assert "version 4" in verdict.notes[0]


def test_a_version_that_is_out_of_date_is_put_again() -> None:
    live = version(5, OTHER, "EXECUTION_SUCCEEDED")
    put = call(step(live, version(6, POLICY, "OUT_OF_DATE")))
    assert put.parameters["LatestVersionId"] == 6


def test_a_change_set_that_cannot_be_made_is_told_in_awss_words_and_not_tried_again() -> None:
    errors = [{"ErrorCode": "X", "Path": "$.segments", "Message": "no good"}]
    verdict = step(None, version(1, POLICY, "FAILED_GENERATION", PolicyErrors=errors))
    assert isinstance(verdict, Blocked)
    assert "$.segments: no good" in verdict.why
    assert call(step(None, version(1, OTHER, "FAILED_GENERATION"))).operation == "PutCoreNetworkPolicy"


def test_a_value_that_is_not_known_yet_is_waited_for() -> None:
    pending = Pending(Address.parse("vpc-attachment/x"))
    verdict = step(None, None, wanted=Text(("{", pending, "}")))
    assert isinstance(verdict, Wait)
    assert verdict.on == "other"


def routed(*destinations: str | Pending) -> Any:
    """POLICY with a route to each of some destinations, some of which are not known yet."""
    routes = [
        {"action": "create-route", "segment": "shared", "destination-cidr-blocks": [f"10.{n}.0.0/16"]}
        for n in range(len(destinations))
    ]
    named = [
        {**route, "destinations": [f"<{number}>"]}
        if isinstance(where, Pending)
        else {**route, "destinations": [where]}
        for number, (route, where) in enumerate(zip(routes, destinations, strict=True))
    ]
    parts = re.split(r"(<\d+>)", json.dumps({**POLICY, "segment-actions": named}))
    return Text(tuple(destinations[int(part[1:-1])] if part.startswith("<") else part for part in parts))


def document(verdict: Verdict) -> Any:
    return json.loads(call(verdict).parameters["PolicyDocument"])


COMING, CHANGING = (
    Pending(Address.parse("vpc-attachment/x")),
    Pending(Address.parse("vpc-attachment/y"), "attachment-2"),
)


def test_routes_to_what_is_not_there_are_left_out_and_wait_for_it_once_all_else_is_live() -> None:
    first = document(step(None, None, wanted=routed("attachment-1", COMING)))
    assert [route["destinations"] for route in first["segment-actions"]] == [["attachment-1"]]
    live = version(1, first, "EXECUTION_SUCCEEDED")
    assert isinstance(verdict := step(live, live, wanted=routed("attachment-1", COMING)), Settled)
    assert "vpc-attachment/x" in verdict.notes[0]
    last = document(step(live, live, wanted=routed("attachment-1", "attachment-3")))
    assert [route["destinations"] for route in last["segment-actions"]] == [
        ["attachment-1"],
        ["attachment-3"],
    ]


def test_a_route_to_what_is_there_and_not_ready_stays_as_it_is_live() -> None:
    live = version(1, json.loads(str(routed("attachment-1", "attachment-2"))), "EXECUTION_SUCCEEDED")
    assert isinstance(step(live, live, wanted=routed("attachment-1", CHANGING)), Settled)
    put = document(step(live, live, wanted=routed("attachment-9", CHANGING)))
    assert [route["destinations"] for route in put["segment-actions"]] == [["attachment-9"], ["attachment-2"]]
    new = document(step(None, None, wanted=routed(CHANGING)))
    assert "segment-actions" not in new, "what has never been ready is not led to"


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ("{", "not JSON"),
        ("[]", "mapping"),
        (json.dumps({**POLICY, "version": 2021.12}), "quotes"),
        (json.dumps({**POLICY, "core-network-configuration": None}), "core-network-configuration"),
        (json.dumps({**POLICY, "core-network-configuration": {"asn-ranges": ["1-2"]}}), "edge-locations"),
        (json.dumps({**POLICY, "segments": []}), "segments"),
        (Text((json.dumps(POLICY), Parameter("/x"))), "parameter"),
    ],
)
def test_what_is_plainly_wrong_is_found_before_any_call(document: Any, told: str) -> None:
    assert told in str([*mistakes(document)])
    assert [*mistakes(json.dumps(POLICY))] == []
