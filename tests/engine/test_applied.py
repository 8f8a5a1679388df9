"""Who has changed what: the tag that says what was last applied, and what is concluded from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.engine.applied import WIDTH, applied_tag, origins
from reconciler.engine.converge import converge
from reconciler.engine.tags import wanted_tags
from reconciler.kinds import ALL
from reconciler.model.things import APPLIED_TAG, Desired, Observed
from reconciler.model.verdicts import Blocked, Drift, Steps
from tests.engine.build import thing, wish
from tests.harness import FACTS, STACK

SITE = FACTS["site"]
PLACE = {"Address": "1 Main Street", "Latitude": "1.10"}


def site(description: str = "one", location: Mapping[str, Any] = PLACE, **more: Any) -> Desired:
    return wish("site/s", {"GlobalNetworkId": "gn", "Description": description, "Location": location}, **more)


def as_applied(desired: Desired, *, tag: str | None = None, **seen: Any) -> Observed:
    """The thing after `desired` was applied, with what others have changed since."""
    kind = FACTS[desired.address.kind]
    applied = tag if tag is not None else applied_tag(kind, desired, wanted_tags(kind.kind, desired, STACK))
    tags = {**desired.tags, APPLIED_TAG: applied}
    return thing(str(desired.address), "site-1", {**desired.spec, **seen}, tags=tags)


def found(desired: Desired, observed: Observed) -> dict[str, str]:
    verdict = converge(SITE, desired=desired, observed=observed, stack=STACK)
    assert isinstance(verdict, Steps | Blocked), verdict
    return {drift.path: drift.origin for drift in verdict.drift}


def test_what_others_changed_is_drift_and_what_the_config_changed_is_pending() -> None:
    observed = as_applied(site(), Description="theirs")
    assert found(site(), observed) == {"Description": "drift"}
    assert found(site("two"), as_applied(site())) == {"Description": "pending"}
    assert found(site("two"), observed) == {"Description": "both"}


def test_each_path_is_told_by_itself() -> None:
    observed = as_applied(site(), Location={"Address": "theirs", "Latitude": "1.10"})
    wanted = site(location={"Address": "1 Main Street", "Latitude": "9.9"})
    assert found(wanted, observed) == {"Location.Address": "drift", "Location.Latitude": "pending"}


def test_a_whole_structure_that_is_gone_is_drift() -> None:
    assert found(site(), as_applied(site(), Location=None)) == {"Location": "drift"}


def test_a_field_that_the_config_did_not_mention_before_is_pending() -> None:
    before = wish("site/s", {"GlobalNetworkId": "gn"})
    assert found(site(location={}), as_applied(before, Description="theirs")) == {"Description": "pending"}


def test_tags_are_told_like_fields() -> None:
    observed = as_applied(site(tags={"team": "a", "env": "x"}))
    tampered = {**observed.tags, "team": "theirs"}
    changed = thing("site/s", "site-1", observed.raw, tags=tampered)
    wanted = site(tags={"team": "a", "env": "y"})
    assert found(wanted, changed) == {"Tags.team": "drift", "Tags.env": "pending"}


@pytest.mark.parametrize("tag", ["", "2:abcdef", "1:abc", "made by hand"])
def test_without_a_tag_of_ours_it_is_unknown(tag: str) -> None:
    assert found(site(), as_applied(site(), tag=tag, Description="theirs")) == {"Description": "unknown"}


def test_what_was_to_follow_the_birth_is_unknown_until_it_has() -> None:
    kind = FACTS["vpc"]
    wanted = wish("vpc/v", {"CidrBlock": "10.0.0.0/16", "EnableDnsHostnames": True})
    birth = applied_tag(kind, wanted, wanted_tags(kind.kind, wanted, STACK), birth=True)
    assert isinstance(birth, str)
    seen = {"CidrBlock": "10.0.0.0/16", "EnableDnsHostnames": False}
    verdict = converge(
        kind, desired=wanted, observed=thing("vpc/v", "vpc-1", seen, tags={APPLIED_TAG: birth}), stack=STACK
    )
    assert isinstance(verdict, Steps)
    assert [(drift.path, drift.origin) for drift in verdict.drift] == [("EnableDnsHostnames", "unknown")]
    assert [call.operation for call in verdict.calls] == ["ModifyVpcAttribute", "CreateTags"]


def test_putting_drift_right_needs_no_other_tag() -> None:
    verdict = converge(SITE, desired=site(), observed=as_applied(site(), Description="theirs"), stack=STACK)
    assert isinstance(verdict, Steps)
    assert [call.operation for call in verdict.calls] == ["UpdateSite"]


def test_a_tag_that_is_older_than_the_config_is_written_anew_and_a_missing_one_is_not() -> None:
    stale = as_applied(site(), Description="two")  # somebody did by hand what the config says now
    verdict = converge(SITE, desired=site("two"), observed=stale, stack=STACK)
    assert isinstance(verdict, Steps)
    assert [call.operation for call in verdict.calls] == ["TagResource"]
    assert verdict.drift == ()
    without = thing("site/s", "site-1", dict(site().spec))
    assert not isinstance(converge(SITE, desired=site(), observed=without, stack=STACK), Steps)


def test_no_more_paths_than_the_tag_has_room_for() -> None:
    many = wish("site/s", {"GlobalNetworkId": "gn"}, tags={f"key-{n}": "x" for n in range(60)})
    tag = applied_tag(SITE, many, wanted_tags(SITE.kind, many, STACK))
    assert isinstance(tag, str)
    assert len(tag) <= 256
    missing = [f"Tags.key-{n}" for n in range(60)]
    observed = thing("site/s", "site-1", dict(many.spec), tags={APPLIED_TAG: tag})
    drifts = tuple(Drift(path, "x", None) for path in missing)
    told = origins(SITE, many, observed, wanted_tags(SITE.kind, many, STACK), drifts)
    assert {drift.origin for drift in told} == {"drift", "unknown"}, "what had no room is not told wrongly"


def test_secrets_are_not_in_it() -> None:
    kind = FACTS["instance"]
    one, other = (wish("instance/i", {"InstanceType": "t3.nano", "UserData": data}) for data in ("a", "b"))
    assert applied_tag(kind, one, {}) == applied_tag(kind, other, {})


@pytest.mark.parametrize("kind", [kind.name for kind in ALL])
def test_no_two_fields_of_a_kind_have_one_hash(kind: str) -> None:
    names = list(FACTS[kind].fields)
    tags = [
        applied_tag(FACTS[kind], wish(f"{kind}/x", {name: None}), {})
        for name in names
        if not FACTS[kind].fields[name].write_only
    ]
    assert len({tag[2 : 2 + WIDTH] for tag in tags if isinstance(tag, str)}) == len(tags)


words = st.sampled_from(["", "one", "two", "three"])


@given(applied=words, wanted=words, seen=words)
def test_the_origin_is_what_has_moved_since(applied: str, wanted: str, seen: str) -> None:
    if wanted == seen:
        return
    observed = as_applied(site(applied, location={}), Description=seen)
    expected = "drift" if wanted == applied else "pending" if seen == applied else "both"
    assert found(site(wanted, location={}), observed) == {"Description": expected}
