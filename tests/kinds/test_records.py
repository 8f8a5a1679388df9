"""Every record says about AWS what botocore's service model says, and a lint that can find mistakes finds none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import jmespath
import pytest

from reconciler.kinds import ALL, BY_NAME
from reconciler.kinds.compute import INSTANCE
from reconciler.kinds.firewall import SECURITY_GROUP
from reconciler.kinds.networkmanager import GLOBAL_NETWORK, SITE
from reconciler.kinds.scaling import AUTO_SCALING_GROUP
from reconciler.kinds.vpc import SUBNET, VPC
from reconciler.model.kind import Kind
from reconciler.model.reads import Read
from reconciler.show.kinds import as_markdown
from tests.harness import FACTS
from tests.kinds.lint import check, of_all

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.name)
def test_a_record_agrees_with_the_service_model(kind: Kind) -> None:
    assert check(kind) == []


def test_records_agree_with_each_other() -> None:
    assert list(of_all(FACTS)) == []
    assert len(BY_NAME) == len(ALL), "two kinds of one name"


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.name)
def test_a_record_is_told_to_people(kind: Kind) -> None:
    assert kind.about.endswith(".")
    assert kind.about[0].isupper()


NONE_IS_TOLD = {"[PolicyDocument]"}
"""Where AWS says by leaving it out that there is none: the resource policy of a core network."""
PLANTED: list[tuple[Kind, dict[str, Any], str]] = [
    (SITE, {"create": "CreateSites"}, "CreateSites"),
    (SITE, {"read": replace(SITE.read, path="Site")}, "leads to no list"),
    (SITE, {"identity": ()}, "requires GlobalNetworkId"),
    (SITE, {"ready": frozenset({"AVAIALBLE"})}, "'AVAIALBLE' is never reported"),
    (SITE, {"id": "SiteID"}, "SiteID is not in the rows"),
    (SITE, {"state": "Status"}, "Status is not in the rows"),
    (SITE, {"arn": None}, "what its ARN is"),
    (SITE, {"leaving": frozenset({"AVAILABLE"})}, "in two groups"),
    (SITE, {"tag_type": "site"}, "cannot tag at birth"),
    (SITE, {"refs": {"GlobalNetwork": "global-network"}}, "no field GlobalNetwork"),
    (SITE, {"refs": {"Location": "global-network"}}, "is no string"),
    (SITE, {"read": replace(SITE.read, page=1000)}, "up to 500"),
    (SITE, {"read": replace(SITE.read, page=None)}, "page"),
    (SITE, {"read": replace(SITE.read, ids="Ids")}, "cannot be asked for Ids"),
    (SITE, {"answered": False}, "answers with what it has made"),
    (AUTO_SCALING_GROUP, {"answered": True}, "answers no AutoScalingGroupARN"),
    (AUTO_SCALING_GROUP, {"handle": None}, "no name by which to find"),
    (AUTO_SCALING_GROUP, {"read": replace(AUTO_SCALING_GROUP.read, ids=None)}, "cannot be asked for what was"),
    (GLOBAL_NETWORK, {"always": {"Name": "x"}}, "has no Name"),
    (SUBNET, {"write_only": frozenset()}, "would always differ"),
    (SUBNET, {"write_only": SUBNET.write_only | {"Colour"}}, "has no Colour"),
    (SUBNET, {"remedies": {**SUBNET.remedies, "Colour": SUBNET.remedies["MapPublicIpOnLaunch"]}}, "Colour"),
    (SUBNET, {"unique": "Name"}, "no field Name"),
    (SUBNET, {"tag_type": "sub-net"}, "no type of EC2's tags"),
    (
        VPC,
        {"remedies": {"EnableDnsSupport": replace(VPC.remedies["EnableDnsSupport"], shape="ModifyVpc.X")}},
        "no operation ModifyVpc",
    ),
    (
        VPC,
        {"remedies": {"EnableDnsSupport": replace(VPC.remedies["EnableDnsSupport"], operations=())}},
        "which the record does not name",
    ),
    (VPC, {"read": replace(VPC.read, details=[replace(VPC.read.details[0], path="Dns.Value")])}, "Dns.Value"),
    (INSTANCE, {"forbidden": frozenset({"MaxCount"}), "always": {}}, "which no config can give"),
    (INSTANCE, {"destroy": None}, "TerminateInstances"),
    (INSTANCE, {"unordered": frozenset({"Groups"})}, "no field Groups"),
    (SECURITY_GROUP, {"parts": (replace(SECURITY_GROUP.parts[0], shape="Rule"),)}, "Rule"),
    (
        SECURITY_GROUP,
        {"parts": (replace(SECURITY_GROUP.parts[0], normal=lambda item: {**item, "n": item.get("n", 0) + 1}),)},
        "is another one",
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "changes", "expected"), PLANTED, ids=[f"{kind.name}-{expected}" for kind, _, expected in PLANTED]
)
def test_the_lint_finds_what_is_planted(kind: Kind, changes: dict[str, Any], expected: str) -> None:
    found = check(replace(kind, **changes))
    assert any(expected in mistake for mistake in found), found


def test_a_reference_to_no_kind_is_found() -> None:
    lost = replace(FACTS["subnet"], kind=replace(SUBNET, refs={"VpcId": "network"}))
    within = replace(
        FACTS["site"],
        kind=replace(
            SITE, read=Read(operation="GetSites", path="Sites", ids="SiteIds", page=500, within="x")
        ),
    )
    assert len(list(of_all({**FACTS, "subnet": lost, "site": within}))) == 2


@pytest.mark.parametrize("other", ["sight", "vpc"])
def test_a_part_is_needed_only_by_what_refers_to_its_thing(other: str) -> None:
    (part,) = GLOBAL_NETWORK.parts
    parts = (replace(part, needed_by=frozenset({other})),)
    needed = replace(FACTS["global-network"], kind=replace(GLOBAL_NETWORK, parts=parts))
    (mistake,) = of_all({**FACTS, "global-network": needed})
    assert f"cannot be needed by {other}" in mistake


@pytest.mark.parametrize("kind", ALL, ids=[kind.name for kind in ALL])
def test_an_answer_without_what_is_read_in_it_is_none(kind: Kind) -> None:
    """A body that was cut off arrives as an empty answer."""
    read = kind.read
    whats = [read, *read.details, *read.companions, *([read.completed] if read.completed else [])]
    told = {what.path for what in whats if jmespath.search(what.path, {}) is not None}
    assert told <= NONE_IS_TOLD, "the path must give nothing where the answer lacks what it names"


@pytest.mark.parametrize("kind", [kind.name for kind in ALL])
def test_a_kind_brings_its_three_fixtures(kind: str) -> None:
    fixtures = ROOT / "tests/conformance/fixtures"
    for name in (kind, f"{kind}-update", f"{kind}-fixed"):
        assert (fixtures / f"{name}.yaml").is_file(), "docs: CONTRIBUTING.md says how to add a kind"


def test_the_documentation_of_kinds_is_of_today() -> None:
    assert (ROOT / "docs/kinds.md").read_text() == as_markdown(FACTS.values()), "say `make docs`"
