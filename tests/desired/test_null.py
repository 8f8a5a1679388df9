"""null says that a text is to be cleared; where that cannot be, it is refused."""

from __future__ import annotations

from typing import Any

import pytest

from .support import config, problem_here, resources


@pytest.mark.parametrize("null", ["null", "~", ""])
@pytest.mark.parametrize(
    ("body", "spec"),
    [
        ("global-network/a: {Description: %s}", {"Description": None}),
        ("instance/a: {InstanceType: %s}", {"InstanceType": None}),
        (
            "site/a: {GlobalNetworkId: x, Location: {Address: a, Latitude: %s}}",
            {"GlobalNetworkId": "x", "Location": {"Address": "a", "Latitude": None}},
        ),
    ],
)
def test_a_text_can_be_cleared(body: str, spec: dict[str, Any], null: str) -> None:
    (found,) = config(resources(body % null)).resources.values()
    assert found.spec == spec


def test_in_an_item_of_a_part_it_means_nothing() -> None:
    """Items are compared as a whole: there is nothing that it could clear."""
    rule = "IpProtocol: tcp, FromPort: 1, ToPort: 2, CidrIpv4: 10.0.0.0/8"
    body = f"security-group/a: {{GroupName: a, Description: a, Ingress: [{{{rule}, Description: null}}]}}"
    (found,) = config(resources(body)).resources.values()
    assert "Description" not in found.spec["Ingress"][0]


def test_tags() -> None:
    (found,) = config(resources("vpc/a: {Tags: {a: null, b: x}}")).resources.values()
    assert found.tags == {"a": None, "b": "x"}
    (found,) = config(resources("vpc/a: {Tags: null}")).resources.values()
    assert found.tags == {}


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("site/a: {GlobalNetworkId: ▸null}", "expected a string, got nothing (it is required)"),
        ("security-group/a: {GroupName: ▸~, Description: a}", "it is required"),
        (
            "instance/a: {Monitoring: {Enabled: ▸null}}",
            "expected true or false, got nothing (it is required)",
        ),
        (
            "instance/a: {EbsOptimized: ▸null}",
            "expected true or false, got nothing (leave it out to leave it alone)",
        ),
        ("instance/a: {Ipv6AddressCount: ▸null}", "expected a whole number, got nothing (leave it out"),
        (
            "instance/a: {SecurityGroupIds: ▸null}",
            "expected a list, got nothing (write [ ] for an empty one, or leave",
        ),
        ("instance/a: {SecurityGroupIds: [▸null]}", "expected a string, got nothing"),
        ("instance/a: {Placement: ▸null}", "expected a mapping, got nothing (leave it out"),
        ("instance/a: {protect: ▸null}", "expected true or false, got nothing"),
        ("instance/a: {replace: ▸null}", "expected create-first or delete-first, got nothing"),
        ("instance/a: {region: ▸null}", "expected a region, got nothing"),
        ("instance/a: {ignore: ▸null}", "expected a list, got nothing"),
        (
            "security-group/a:\n  GroupName: a\n  Description: a\n  Ingress:▸\n  # - {IpProtocol: tcp}",
            "expected a list, got nothing (write [ ] for an empty one, or leave it out to leave it alone)",
        ),
    ],
)
def test_what_cannot_be_cleared(body: str, told: str) -> None:
    assert told in str(problem_here(resources(body)))
