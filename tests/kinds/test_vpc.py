"""The ranges of IPv6 of a VPC: what AWS shows where the config says nothing is no difference, and all else is."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.engine.drift import drift
from reconciler.kinds.vpc import IPV6_RANGES
from tests.engine.build import thing

REGION, LOCAL = "us-west-2", "us-west-2-lax-1"


def shown(group: str) -> dict[str, Any]:
    """The one range of a VPC, as AWS lists it."""
    association = {
        "AssociationId": "vpc-cidr-assoc-1",
        "Ipv6CidrBlock": "2600:1f14::/56",
        "Ipv6CidrBlockState": {"State": "associated"},
        "Ipv6Pool": "Amazon",
        "NetworkBorderGroup": group,
    }
    (row,) = IPV6_RANGES.rows({"Ipv6CidrBlockAssociationSet": [association]})
    return dict(row)


def wanted(group: str | None) -> dict[str, Any]:
    """The range as a config says it."""
    border = {"Ipv6CidrBlockNetworkBorderGroup": group} if group else {}
    return dict(IPV6_RANGES.normal({"AmazonProvidedIpv6CidrBlock": True, **border}))


@pytest.mark.parametrize(
    ("said", "there", "differs"),
    [
        (None, REGION, False),
        (REGION, REGION, False),
        (LOCAL, LOCAL, False),
        (LOCAL, REGION, True),
        (REGION, LOCAL, True),
        (None, LOCAL, False),
    ],
)
def test_a_border_group_is_compared_where_the_config_says_one(
    said: str | None, there: str, differs: bool
) -> None:
    assert any(drift(wanted(said), shown(there), "range")) is differs


def test_the_region_as_a_whole_is_asked_for_by_saying_nothing() -> None:
    (call,) = IPV6_RANGES.add(thing("vpc/v", "vpc-1"), [wanted(REGION)])
    assert call.parameters == {"VpcId": "vpc-1", "AmazonProvidedIpv6CidrBlock": True}
