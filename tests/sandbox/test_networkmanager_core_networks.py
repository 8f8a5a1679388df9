"""What a user relies on of core networks and the versions of their policies."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from reconciler.sandbox import LocalAws, local_aws

from . import wan
from .conftest import client, code, refusal

NOT_FOUND = ("ResourceNotFoundException", 404)
INVALID = ("ValidationException", 400)


@pytest.fixture
def core(aws: LocalAws, nm: Any, network: str) -> str:
    """A core network with `wan.POLICY` live."""
    return wan.core_network(aws, nm, network)


def policy(nm: Any, core: str, **which: Any) -> dict[str, Any]:
    found: dict[str, Any] = nm.get_core_network_policy(CoreNetworkId=core, **which)["CoreNetworkPolicy"]
    return found


def state(nm: Any, core: str) -> str:
    return str(nm.get_core_network(CoreNetworkId=core)["CoreNetwork"]["State"])


def refused_policy(nm: Any, core: str, document: Any) -> list[tuple[str, str]]:
    text = document if isinstance(document, str) else json.dumps(document)
    answer = refusal(nm.put_core_network_policy, CoreNetworkId=core, PolicyDocument=text)
    assert answer["Error"]["Code"] == "CoreNetworkPolicyException"
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert all(one["Message"].startswith(one["Path"] + ": ") for one in answer["Errors"])
    return [(one["ErrorCode"], one["Path"]) for one in answer["Errors"]]


# ------------------------------------------------------------------------------------------------ the core network


def test_a_core_network_is_made_and_goes(aws: LocalAws, nm: Any, network: str) -> None:
    made = nm.create_core_network(GlobalNetworkId=network, Description="d", Tags=wan.tags(a="b"))[
        "CoreNetwork"
    ]
    core = made["CoreNetworkId"]
    assert re.fullmatch(r"core-network-[0-9a-f]{17}", core)
    assert made["CoreNetworkArn"] == f"arn:aws:networkmanager::123456789012:core-network/{core}"
    assert made["State"] == "CREATING"
    assert code(nm.delete_core_network, CoreNetworkId=core) == INVALID
    aws.clock.advance(0.3)
    summary = nm.list_core_networks()["CoreNetworks"][0]
    assert (summary["State"], summary["Tags"]) == ("AVAILABLE", wan.tags(a="b"))
    assert summary["OwnerAccountId"] == "123456789012"
    assert "Segments" not in nm.get_core_network(CoreNetworkId=core)["CoreNetwork"]
    assert code(nm.delete_global_network, GlobalNetworkId=network) == INVALID
    assert nm.delete_core_network(CoreNetworkId=core)["CoreNetwork"]["State"] == "DELETING"
    aws.clock.advance(0.3)
    assert code(nm.get_core_network, CoreNetworkId=core) == NOT_FOUND
    nm.delete_global_network(GlobalNetworkId=network)


def test_a_global_network_has_one_core_network(nm: Any, network: str) -> None:
    nm.create_core_network(GlobalNetworkId=network)
    assert code(nm.create_core_network, GlobalNetworkId=network) == ("ServiceQuotaExceededException", 402)
    assert code(nm.create_core_network, GlobalNetworkId="nowhere") == INVALID


def test_a_token_makes_one_core_network(nm: Any, network: str) -> None:
    given = {"GlobalNetworkId": network, "ClientToken": "t"}
    first = nm.create_core_network(**given)["CoreNetwork"]["CoreNetworkId"]
    assert nm.create_core_network(**given)["CoreNetwork"]["CoreNetworkId"] == first
    assert code(nm.create_core_network, **given, Description="other")[0] == "ValidationException"
    assert len(nm.list_core_networks()["CoreNetworks"]) == 1


def test_a_policy_given_at_birth_is_live_without_more(aws: LocalAws, nm: Any, network: str) -> None:
    text = json.dumps(wan.POLICY)
    core = nm.create_core_network(GlobalNetworkId=network, PolicyDocument=text)["CoreNetwork"][
        "CoreNetworkId"
    ]
    assert code(nm.get_core_network_policy, CoreNetworkId=core, Alias="LIVE") == INVALID
    aws.clock.advance(1)
    live = policy(nm, core, Alias="LIVE")
    assert (live["PolicyVersionId"], live["ChangeSetState"]) == (1, "EXECUTION_SUCCEEDED")
    assert json.loads(live["PolicyDocument"]) == wan.POLICY


def test_segments_and_edges_are_those_of_the_live_policy(nm: Any, core: str) -> None:
    shown = nm.get_core_network(CoreNetworkId=core)["CoreNetwork"]
    assert shown["Edges"] == [
        {"EdgeLocation": "us-west-2", "Asn": 64520, "InsideCidrBlocks": ["10.0.0.0/24"]},
        {"EdgeLocation": "us-east-1", "Asn": 64512, "InsideCidrBlocks": ["10.0.1.0/24"]},
    ]
    both = ["us-west-2", "us-east-1"]
    assert shown["Segments"] == [
        {"Name": "open", "EdgeLocations": both, "SharedSegments": ["guarded", "narrow"]},
        {"Name": "guarded", "EdgeLocations": both, "SharedSegments": []},
        {"Name": "narrow", "EdgeLocations": ["us-west-2"], "SharedSegments": []},
    ]


def test_the_description_changes_and_is_cleared(aws: LocalAws, nm: Any, core: str) -> None:
    assert nm.update_core_network(CoreNetworkId=core, Description="new")["CoreNetwork"]["State"] == "UPDATING"
    assert code(nm.update_core_network, CoreNetworkId=core, Description="newer") == INVALID
    aws.clock.advance(0.3)
    assert nm.get_core_network(CoreNetworkId=core)["CoreNetwork"]["Description"] == "new"
    nm.update_core_network(CoreNetworkId=core, Description="")
    assert "Description" not in nm.get_core_network(CoreNetworkId=core)["CoreNetwork"]


def test_counts_know_cloud_wan(nm: Any, network: str, core: str) -> None:
    counts = nm.get_network_resource_counts(GlobalNetworkId=network)["NetworkResourceCounts"]
    assert counts == [{"ResourceType": "core-network", "Count": 1}]


# ----------------------------------------------------------------------------------------------------- the policies


def test_a_policy_is_put_generated_executed_and_live(aws: LocalAws, nm: Any, core: str) -> None:
    two = wan.put(nm, core, wan.with_edges("us-west-2"), Description="fewer")
    assert two == 2
    newest = policy(nm, core)
    assert (newest["Alias"], newest["ChangeSetState"]) == ("LATEST", "PENDING_GENERATION")
    given = {"CoreNetworkId": core, "PolicyVersionId": two}
    answer = refusal(nm.execute_core_network_change_set, **given)
    assert answer["Error"]["Code"] == "ValidationException"
    assert "Change set state for policy is invalid" in answer["Error"]["Message"]
    aws.clock.advance(0.3)
    assert policy(nm, core, PolicyVersionId=two)["ChangeSetState"] == "READY_TO_EXECUTE"
    assert policy(nm, core, Alias="LIVE")["PolicyVersionId"] == 1
    nm.execute_core_network_change_set(**given)
    assert policy(nm, core, Alias="LATEST")["ChangeSetState"] == "EXECUTING"
    assert state(nm, core) == "UPDATING"
    events = nm.get_core_network_change_events(**given, MaxResults=99)["CoreNetworkChangeEvents"]
    assert {one["Status"] for one in events} == {"IN_PROGRESS"}
    assert policy(nm, core, Alias="LIVE")["PolicyVersionId"] == 1
    aws.clock.advance(0.3)
    live = policy(nm, core, Alias="LIVE")
    assert (live["PolicyVersionId"], live["ChangeSetState"]) == (2, "EXECUTION_SUCCEEDED")
    assert state(nm, core) == "AVAILABLE"
    edges = nm.get_core_network(CoreNetworkId=core)["CoreNetwork"]["Edges"]
    assert [one["EdgeLocation"] for one in edges] == ["us-west-2"]
    events = nm.get_core_network_change_events(**given, MaxResults=99)["CoreNetworkChangeEvents"]
    assert {one["Status"] for one in events} == {"COMPLETE"}
    assert code(nm.execute_core_network_change_set, **given) == INVALID


def test_a_change_set_tells_what_would_change(aws: LocalAws, nm: Any, core: str) -> None:
    given = {"CoreNetworkId": core, "PolicyVersionId": wan.put(nm, core, wan.with_edges("us-west-2"))}
    assert nm.get_core_network_change_set(**given)["CoreNetworkChanges"] == []
    aws.clock.advance(0.3)
    pages = nm.get_paginator("get_core_network_change_set").paginate(**given)
    found = {(one["Action"], one["IdentifierPath"]) for page in pages for one in page["CoreNetworkChanges"]}
    assert found == {
        ("REMOVE", "CORE_NETWORK_EDGE/us-east-1"),
        ("MODIFY", "CORE_NETWORK_EDGE/us-west-2"),
        ("REMOVE", "CORE_NETWORK_SEGMENT/us-east-1/open"),
        ("REMOVE", "CORE_NETWORK_SEGMENT/us-east-1/guarded"),
        ("REMOVE", "CORE_NETWORK_SEGMENT/us-west-2/narrow"),
        ("MODIFY", "CORE_NETWORK_SEGMENT/us-west-2/open"),
        ("MODIFY", "CORE_NETWORK_CONFIGURATION"),
    }
    same = {"CoreNetworkId": core, "PolicyVersionId": wan.put(nm, core, wan.POLICY)}
    aws.clock.advance(0.3)
    assert nm.get_core_network_change_set(**same)["CoreNetworkChanges"] == []


def test_a_newer_version_that_is_ready_puts_older_ones_out_of_date(aws: LocalAws, nm: Any, core: str) -> None:
    two = wan.put(nm, core, wan.with_edges("us-west-2"))
    aws.clock.advance(0.3)
    three = wan.put(nm, core, wan.with_edges("us-east-1"))
    assert policy(nm, core, PolicyVersionId=two)["ChangeSetState"] == "READY_TO_EXECUTE"
    aws.clock.advance(0.3)
    listed = nm.list_core_network_policy_versions(CoreNetworkId=core)["CoreNetworkPolicyVersions"]
    assert [(one["PolicyVersionId"], one["ChangeSetState"], one.get("Alias")) for one in listed] == [
        (three, "READY_TO_EXECUTE", "LATEST"),
        (two, "OUT_OF_DATE", None),
        (1, "EXECUTION_SUCCEEDED", "LIVE"),
    ]
    assert all("PolicyDocument" not in one for one in listed)
    given = {"CoreNetworkId": core, "PolicyVersionId": two}
    assert code(nm.execute_core_network_change_set, **given) == INVALID
    restored = nm.restore_core_network_policy_version(**given)["CoreNetworkPolicy"]
    assert (restored["PolicyVersionId"], restored["ChangeSetState"]) == (4, "PENDING_GENERATION")
    assert restored["PolicyDocument"] == policy(nm, core, PolicyVersionId=two)["PolicyDocument"]


def test_the_latest_version_is_a_lock(nm: Any, core: str) -> None:
    assert wan.put(nm, core, wan.POLICY, LatestVersionId=1) == 2
    text = json.dumps(wan.POLICY)
    stale = {"CoreNetworkId": core, "PolicyDocument": text, "LatestVersionId": 1}
    assert code(nm.put_core_network_policy, **stale)[0] in ("ValidationException", "ConflictException")


def test_a_token_makes_one_version(nm: Any, core: str) -> None:
    assert wan.put(nm, core, wan.POLICY, ClientToken="t") == 2
    assert wan.put(nm, core, wan.POLICY, ClientToken="t") == 2
    assert len(nm.list_core_network_policy_versions(CoreNetworkId=core)["CoreNetworkPolicyVersions"]) == 2


def test_versions_are_deleted_but_not_the_live_one(nm: Any, core: str) -> None:
    two = wan.put(nm, core, wan.POLICY)
    given = {"CoreNetworkId": core}
    assert code(nm.delete_core_network_policy_version, **given, PolicyVersionId=1) == INVALID
    gone = nm.delete_core_network_policy_version(**given, PolicyVersionId=two)["CoreNetworkPolicy"]
    assert gone["PolicyVersionId"] == two
    assert code(nm.get_core_network_policy, **given, PolicyVersionId=two) == NOT_FOUND
    assert wan.put(nm, core, wan.POLICY) == 3


def test_a_core_network_without_a_policy(aws: LocalAws, nm: Any, network: str) -> None:
    core = wan.core_network(aws, nm, network, None)
    assert code(nm.get_core_network_policy, CoreNetworkId=core) == NOT_FOUND
    assert code(nm.get_core_network_policy, CoreNetworkId=core, Alias="LIVE") == INVALID
    one = wan.put(nm, core, wan.POLICY)
    aws.clock.advance(0.3)
    nm.execute_core_network_change_set(CoreNetworkId=core, PolicyVersionId=one)
    assert code(nm.delete_core_network, CoreNetworkId=core) == INVALID
    aws.clock.advance(0.3)
    assert policy(nm, core, Alias="LIVE")["PolicyVersionId"] == one


def test_a_route_to_an_attachment_that_is_not_there_fails_the_generation(
    aws: LocalAws, nm: Any, core: str
) -> None:
    nowhere = "attachment-0123456789abcdef0"
    route = {
        "action": "create-route",
        "segment": "open",
        "destination-cidr-blocks": ["0.0.0.0/0"],
        "destinations": [nowhere],
    }
    version = wan.put(nm, core, wan.changed(**{"segment-actions": [route]}))
    aws.clock.advance(0.3)
    failed = policy(nm, core, PolicyVersionId=version)
    assert failed["ChangeSetState"] == "FAILED_GENERATION"
    assert nowhere in failed["PolicyErrors"][0]["Message"]
    given = {"CoreNetworkId": core, "PolicyVersionId": version}
    assert code(nm.execute_core_network_change_set, **given) == INVALID


def test_an_edge_or_segment_that_holds_an_attachment_stays(aws: LocalAws, nm: Any, core: str) -> None:
    held = wan.vpc_attachment(aws, nm, core)
    text = json.dumps(wan.with_edges("us-east-1"))
    answer = refusal(nm.put_core_network_policy, CoreNetworkId=core, PolicyDocument=text)
    assert answer["Error"]["Message"] == "Incorrect policy"
    first = answer["Errors"][0]
    assert first["ErrorCode"] == "ORPHANED_ATTACHMENT"
    assert f"us-west-2 cannot be removed from policy because it would orphan {held}" in first["Message"]
    without = wan.changed(segments=wan.POLICY["segments"][1:], **{"segment-actions": []})
    assert ("ORPHANED_ATTACHMENT", "$.segments") in refused_policy(nm, core, without)


ACTION = {"association-method": "constant", "segment": "open"}


def rule(**more: Any) -> dict[str, Any]:
    whole = {"rule-number": 1, "conditions": [{"type": "any"}], "action": ACTION, **more}
    return {"attachment-policies": [whole]}


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ("not json", ("INVALID_JSON", "$")),
        ([], ("INVALID_TYPE", "$")),
        ({}, ("REQUIRED_PROPERTY", "$.version")),
        (wan.changed(version="1"), ("INVALID_VALUE", "$.version")),
        (
            wan.changed(**{"network-function-groups": None}),
            ("INVALID_TYPE", "$.network-function-groups"),
        ),
        (wan.changed(colour="red"), ("ADDITIONAL_PROPERTY", "$.colour")),
        (wan.changed(**{"core-network-configuration": {}}), ("REQUIRED_PROPERTY", None)),
        (wan.changed(segments=[{"name": "1"}]), ("INVALID_STRING", "$.segments[0].name")),
        (wan.changed(segments=[{"name": "a"}] * 2), ("DUPLICATE_VALUE", "$.segments[1].name")),
        (
            wan.changed(segments=[{"name": f"s{n}"} for n in range(41)]),
            ("MAXIMUM_ITEMS_EXCEEDED", "$.segments"),
        ),
        (
            wan.changed(segments=[{"name": "a", "edge-locations": ["eu-west-1"]}]),
            ("INVALID_VALUE", "$.segments[0].edge-locations"),
        ),
        (
            wan.changed(**rule(action={**ACTION, "require-acceptance": False})),
            ("CONSTANT_VIOLATION", "$.attachment-policies[0].action.require-acceptance"),
        ),
        (
            wan.changed(**rule(action={**ACTION, "segment": "nowhere"})),
            ("INVALID_VALUE", "$.attachment-policies[0].action.segment"),
        ),
        (
            wan.changed(**rule(conditions=[{"type": "any"}] * 2)),
            ("REQUIRED_PROPERTY", "$.attachment-policies[0].condition-logic"),
        ),
        (wan.changed(**rule(conditions=[3])), ("INVALID_TYPE", "$")),
        (
            wan.changed(**rule(conditions=[{"type": "moon"}])),
            ("INVALID_VALUE", "$.attachment-policies[0].conditions[0].type"),
        ),
        (wan.changed(**rule(**{"rule-number": "one"})), ("INVALID_TYPE", "$")),
        (wan.changed(**{"routing-policies": [{}]}), ("INVALID_VALUE", "$.routing-policies")),
        (
            wan.changed(
                **{
                    "segment-actions": [
                        {"action": "create-route", "segment": "open", "destinations": ["attachment-1"]}
                    ]
                }
            ),
            ("INVALID_STRING", "$.segment-actions[0].destinations"),
        ),
    ],
    ids=lambda value: str(value[0]) if isinstance(value, tuple) else "policy",
)
def test_a_policy_that_is_wrong_is_refused_with_the_place(
    nm: Any, core: str, document: Any, expected: tuple[str, str | None]
) -> None:
    found = refused_policy(nm, core, document)
    assert expected in found or (expected[1] is None and expected[0] in {one for one, _ in found})
    assert len(nm.list_core_network_policy_versions(CoreNetworkId=core)["CoreNetworkPolicyVersions"]) == 1


def test_generation_takes_seconds_and_execution_minutes_as_published() -> None:
    with local_aws(delays="aws") as aws:
        nm = client("networkmanager")
        network = nm.create_global_network()["GlobalNetwork"]["GlobalNetworkId"]
        core = nm.create_core_network(GlobalNetworkId=network)["CoreNetwork"]["CoreNetworkId"]
        aws.clock.advance(60)
        assert state(nm, core) == "CREATING"
        aws.clock.advance(600)
        version = wan.put(nm, core, wan.POLICY)
        aws.clock.advance(30)
        assert policy(nm, core)["ChangeSetState"] == "PENDING_GENERATION"
        aws.clock.advance(60)
        nm.execute_core_network_change_set(CoreNetworkId=core, PolicyVersionId=version)
        aws.clock.advance(60)
        assert policy(nm, core)["ChangeSetState"] == "EXECUTING"
