"""One life, lived by every kind there is: created, settled, edited by hand, mended, updated, replaced, deleted.

A new kind gets all of this for its record and three fixtures (`fixture.py`).
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from reconciler.errors import ConfigError
from reconciler.kinds import BY_NAME
from reconciler.model.plan import Report
from reconciler.model.things import Observed
from reconciler.model.verdicts import Blocked, Settled, Steps
from tests.conformance.fixture import KINDS, Fixture, named_anew, one_of_each_way, those_tried
from tests.harness import FACTS, HEAD, STACK, Host, move_home, tags


def subjects(ops: Host, fixture: Fixture) -> list[str]:
    """The ids of everything that claims to be the subject."""
    claims = {fixture.address, f"{fixture.address}@old"}
    kind = BY_NAME[fixture.kind]
    return [row[kind.id] for row in ops.rows(kind.name) if tags(row).get("reconciler:address") in claims]


def settled(report: Report) -> bool:
    return report.outcome == "settled" and report.count("settled") == len(report.outcomes)


def test_it_is_planned_created_once_with_its_tags_and_then_nothing_is_done(
    ops: Host, fixture: Fixture
) -> None:
    assert isinstance(ops.entry(fixture.base, fixture.address).verdict, Steps)
    assert ops.writes() == [], "a plan writes nothing"
    assert settled(ops.run(fixture.base))
    seen = ops.seen(fixture.base, fixture.address)
    assert seen.tags["reconciler:stack"] == "test"
    assert seen.tags["reconciler:address"] == fixture.address
    assert seen.tags["Name"] == "subject"
    creates = [call for call in ops.aws.writes if call.operation == BY_NAME[fixture.kind].create]
    assert all("reconciler:address" in str(call.parameters) for call in creates), "a thing is ours from birth"
    ops.aws.clear_calls()
    assert settled(ops.run(fixture.base))
    assert ops.writes() == []
    assert all(isinstance(entry.verdict, Settled) for entry in ops.plan(fixture.base).entries)


def test_what_is_edited_by_hand_is_mended(ops: Host, fixture: Fixture) -> None:
    ops.run(fixture.base)
    id = ops.seen(fixture.base, fixture.address).id
    edits = ops.entry(fixture.update, fixture.address).verdict
    assert isinstance(edits, Steps)
    assert edits.drift
    for call in edits.calls:
        ops.hand.perform(call)
    ops.aws.clock.advance(60)
    drifted = ops.entry(fixture.base, fixture.address).verdict
    assert isinstance(drifted, Steps)
    assert {drift.path for drift in drifted.drift} & {drift.path for drift in edits.drift}
    assert settled(ops.run(fixture.base))
    assert ops.seen(fixture.base, fixture.address).id == id


@those_tried
def test_an_update_is_made_in_place(ops: Host, fixture: Fixture) -> None:
    ops.run(fixture.base)
    id = ops.seen(fixture.base, fixture.address).id
    planned = ops.entry(fixture.update, fixture.address).verdict
    assert isinstance(planned, Steps)
    assert planned.verb == "update"
    assert settled(ops.run(fixture.update))
    assert ops.seen(fixture.update, fixture.address).id == id
    ops.aws.clear_calls()
    assert settled(ops.run(fixture.update))
    assert ops.writes() == []


@those_tried
def test_what_the_config_leaves_out_is_never_touched(ops: Host, fixture: Fixture) -> None:
    ops.run(fixture.update)
    ops.aws.clear_calls()
    assert settled(ops.run(fixture.bare()))
    assert ops.writes() == []


@those_tried
def test_a_change_of_what_is_fixed_is_blocked(ops: Host, fixture: Fixture) -> None:
    if not fixture.fixed:
        fixed = [name for name, field in FACTS[fixture.kind].fields.items() if not field.mutable]
        assert fixed == []
        return
    ops.run(fixture.base)
    ops.aws.clear_calls()
    report = ops.run(fixture.text(**fixture.fixed))
    assert report.outcome == "partial"
    entry = ops.entry(fixture.text(**fixture.fixed), fixture.address)
    assert isinstance(entry.verdict, Blocked)
    fixed = {name for name in fixture.fixed if not FACTS[fixture.kind].fields[name].mutable}
    told = {drift.path.split(".")[0] for drift in entry.verdict.drift}
    assert told, "of a field that can change, a member may be fixed"
    assert fixed <= told <= set(fixture.fixed)
    assert "replace" in entry.verdict.why
    assert ops.writes() == []


@those_tried
def test_it_is_replaced_there_and_back_where_that_is_asked_for(ops: Host, fixture: Fixture) -> None:
    kind = BY_NAME[fixture.kind]
    if not fixture.fixed:
        pytest.skip("nothing of this kind is fixed, as the test above has made sure")
    allowed = {"protect": False} if kind.protected else {}
    there, back = fixture.text(**allowed, **fixture.fixed, replace="delete-first"), "create-first"
    if kind.unique:
        with pytest.raises(ConfigError, match="create-first cannot work"):
            ops.run(fixture.text(replace=back))
        back = "delete-first"
    ops.run(fixture.text(**allowed))
    for text, how in ((there, "delete-first"), (fixture.text(**allowed, replace=back), back)):
        before = ops.seen(fixture.base, fixture.address).id
        ops.aws.clear_calls()
        assert settled(ops.run(text))
        after = ops.seen(text, fixture.address).id
        assert after != before
        assert subjects(ops, fixture) == [after]
        order = [call.operation for call in ops.aws.writes if call.operation in {kind.create, kind.delete}]
        assert order == ([kind.delete, kind.create] if how == "delete-first" else [kind.create, kind.delete])


@one_of_each_way
def test_tags_that_are_removed_or_changed_by_hand_come_back_and_others_stay(
    ops: Host, fixture: Fixture
) -> None:
    ops.run(fixture.base)
    retag(ops, fixture, {"Name": "changed", "theirs": "stays"})
    assert settled(ops.run(fixture.base))
    seen = ops.seen(fixture.base, fixture.address)
    assert seen.tags["Name"] == "subject"
    assert seen.tags["theirs"] == "stays"
    assert settled(ops.run(fixture.text(Tags={"Name": None})))
    assert "Name" not in ops.seen(fixture.base, fixture.address).tags


@one_of_each_way
@pytest.mark.parametrize("tag", ["reconciler:address", "reconciler:stack"])
def test_with_one_owner_tag_gone_nothing_is_made_or_touched(ops: Host, fixture: Fixture, tag: str) -> None:
    ops.run(fixture.base)
    seen = ops.seen(fixture.base, fixture.address)
    untag(ops, fixture, tag)
    ops.aws.clear_calls()
    assert any(seen.id in why for why in told(ops.run(fixture.base)))
    report = ops.run(fixture.without(), allow_shrink=True, allow_empty=True)
    if (
        tag == "reconciler:address"
    ):  # without the stack's tag nothing leads to it once the config names no such kind
        assert any(seen.id in why for why in told(report))
    assert ops.writes() == []
    assert seen.id in {row[BY_NAME[fixture.kind].id] for row in ops.rows(fixture.kind)}
    retag(ops, fixture, {tag: seen.tags[tag]}, seen)
    ops.aws.clear_calls()
    assert settled(ops.run(fixture.base))
    assert ops.writes() == [], "a person has put the tag back"


@one_of_each_way
def test_with_both_owner_tags_gone_it_is_somebody_elses(doomed: Host, fixture: Fixture) -> None:
    ops, kind = doomed, BY_NAME[fixture.kind]
    ops.run(fixture.base)
    seen = ops.seen(fixture.base, fixture.address)
    for tag in ("reconciler:stack", "reconciler:address"):
        untag(ops, fixture, tag, seen)
    ops.run(fixture.base)
    assert subjects(ops, fixture) != [seen.id]
    assert seen.id in {row[kind.id] for row in ops.rows(kind.name)}


@one_of_each_way
def test_two_that_claim_one_address_stop_it(doomed: Host, fixture: Fixture) -> None:
    ops = doomed
    ops.asks_everywhere = True  # the other stack's are in networks of its own
    ops.run(fixture.base)
    one = ops.seen(fixture.base, fixture.address)
    theirs = HEAD.replace(STACK, "theirs") + named_anew(fixture.base)
    ops.run(theirs)
    other = ops.seen(theirs, fixture.address)
    move_home(fixture.kind, other.id)
    retag(ops, fixture, {"reconciler:stack": STACK}, other)
    ops.aws.clear_calls()
    for text in (fixture.base, fixture.update, fixture.without()):
        report = ops.run(text, allow_shrink=True, allow_empty=True)
        assert any(one.id in why and other.id in why for why in told(report))
        assert not {one.id, other.id} & {
            value for call in ops.aws.writes for value in values(call.parameters)
        }
    assert set(subjects(ops, fixture)) == {one.id, other.id}


@one_of_each_way
def test_deleted_by_hand_it_is_made_again_once(ops: Host, fixture: Fixture) -> None:
    ops.run(fixture.base)
    before = ops.seen(fixture.base, fixture.address)
    delete(ops, fixture)
    assert settled(ops.run(fixture.base))
    after = ops.seen(fixture.base, fixture.address)
    assert (after.id, after.raw.get("createdAt")) != (before.id, before.raw.get("createdAt")), (
        "some ids are names"
    )
    assert len(subjects(ops, fixture)) == 1


def test_gone_from_the_config_it_is_deleted_unless_protected(ops: Host, fixture: Fixture) -> None:
    kind = BY_NAME[fixture.kind]
    ops.run(fixture.base)
    report = ops.run(fixture.without(), allow_empty=True, allow_shrink=True)
    if kind.protected:
        assert subjects(ops, fixture)
        assert report.count("blocked") == 1
        ops.run(fixture.text(protect=False))
        report = ops.run(fixture.without(), allow_empty=True, allow_shrink=True)
    assert settled(report)
    assert subjects(ops, fixture) == []


@one_of_each_way
def test_protected_by_the_config_it_survives_its_entry(ops: Host, fixture: Fixture) -> None:
    ops.run(fixture.text(protect=True))
    ops.run(fixture.without(), allow_empty=True, allow_shrink=True)
    assert len(subjects(ops, fixture)) == 1
    ops.run(fixture.text(protect=True))
    ops.run(fixture.base)  # the key is taken back while the entry still stands
    assert ("reconciler:protect" in ops.seen(fixture.base, fixture.address).tags) is False


@one_of_each_way
def test_an_estate_is_destroyed_to_nothing(ops: Host, fixture: Fixture) -> None:
    ops.run(fixture.base)
    foreign = ops.by_hand("networkmanager", "CreateGlobalNetwork")["GlobalNetwork"]["GlobalNetworkId"]
    report = ops.destroy(fixture.base)
    assert report.count("failed", "blocked", "waiting") == 0
    assert {kind: ops.ours(kind) for kind in KINDS if ops.ours(kind)} == {}
    assert foreign in {row["GlobalNetworkId"] for row in ops.rows("global-network")}


def told(report: Report) -> list[str]:
    """Everything that a run says of things in doubt."""
    return [*report.plan.conflicts, *(outcome.why for outcome in report.outcomes)]


def values(value: object) -> Iterator[object]:
    """All single values in the parameters of a call."""
    if isinstance(value, dict):
        for inner in value.values():
            yield from values(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from values(inner)
    else:
        yield value


# ---- what somebody else does


def retag(ops: Host, fixture: Fixture, new: dict[str, str], thing: Observed | None = None) -> None:
    kind, thing = BY_NAME[fixture.kind], named(ops, fixture, thing)
    pairs = [{"Key": key, "Value": value} for key, value in new.items()]
    ops.by_hand(kind.service, kind.tagged.operations[0], **kind.tagged.put(thing, pairs))


def untag(ops: Host, fixture: Fixture, key: str, thing: Observed | None = None) -> None:
    kind, thing = BY_NAME[fixture.kind], named(ops, fixture, thing)
    ops.by_hand(kind.service, kind.tagged.operations[1], **kind.tagged.take(thing, [key]))


def named(ops: Host, fixture: Fixture, thing: Observed | None) -> Observed:
    """The thing that is meant: the subject, where nothing else is said."""
    return thing or ops.seen(fixture.base, fixture.address)


def delete(ops: Host, fixture: Fixture) -> None:
    """The subject is deleted by somebody else, who is done when it is not listed as alive any more."""
    made = ""
    while made != BY_NAME[fixture.kind].delete:  # some things have to be released first
        planned = ops.entry(fixture.without(), fixture.address).verdict
        if not isinstance(planned, Steps):  # protected: they do not care
            loop = ops.loop(fixture.without(), unprotected=True)
            planned = next(
                entry.verdict for entry in loop.plan()[1].entries if entry.label == fixture.address
            )
        assert isinstance(planned, Steps)
        for call in planned.calls:
            ops.hand.perform(call)
            made = call.operation
        ops.aws.clock.advance(60)
