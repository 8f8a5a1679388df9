"""No kind is ever created twice: answers get lost, lists lag, and the program dies at the worst moment.

Each test begins with what the subject needs, and without it; it ends with exactly one subject and a settled estate.
"""

from __future__ import annotations

import pytest

from reconciler.kinds import BY_NAME
from reconciler.sandbox.calls import Call
from tests.conformance.fixture import Fixture, one_of_each_way
from tests.harness import STACK, Host, tags


def is_birth(fixture: Fixture, call: Call) -> bool:
    """Whether a call creates the subject, and not something beside it."""
    return call.operation == BY_NAME[fixture.kind].create and fixture.address in str(call.parameters)


def assert_one(ops: Host, fixture: Fixture) -> None:
    report = ops.run(fixture.base)
    assert report.outcome == "settled", report.outcomes
    kind = BY_NAME[fixture.kind]
    ops.aws.clear_faults()  # whatever lists have hidden so far is shown now
    rows = [row for row in ops.rows(kind.name) if tags(row).get("reconciler:address") == fixture.address]
    assert len(rows) == 1
    ops.aws.clear_calls()
    assert ops.run(fixture.base).outcome == "settled"
    assert ops.writes() == []


class Died(BaseException):
    """The process is gone: nothing catches this."""


def dies(ops: Host, fixture: Fixture, moment: str) -> None:
    """Run until the subject's creation, and die `before` it or `after` its effect, the answer unseen."""
    dead = False

    def hook(now: str, call: Call) -> None:
        nonlocal dead
        if dead or (now == moment and is_birth(fixture, call)):
            dead = True  # no other thread of a dead process makes a call
            raise Died

    ops.aws.on_call.append(hook)
    with pytest.raises(Died):
        ops.run(fixture.base)
    ops.aws.on_call.remove(hook)


@pytest.fixture(autouse=True)
def unborn(ops: Host, fixture: Fixture) -> None:
    """What the subject needs is there, and the subject is not, or not any more."""
    report = ops.run(fixture.without(), allow_empty=True, allow_shrink=True, unprotected=True)
    assert report.outcome == "settled", report.outcomes


@one_of_each_way
def test_killed_after_its_creation_and_robbed_of_its_memory(ops: Host, fixture: Fixture) -> None:
    dies(ops, fixture, "after")
    ops.forget()
    assert_one(ops, fixture)


# ---- what every kind goes through alike; all that a record adds is how it is listed, and how its creation is kept from
# happening twice


either = pytest.mark.parametrize("memory", ["kept", "lost"])


@one_of_each_way
def test_an_answer_is_lost_and_lists_lag(ops: Host, fixture: Fixture) -> None:
    kind = BY_NAME[fixture.kind]
    ops.aws.hide(kind.service, kind.read.operation, seconds=50)
    ops.aws.lose_answer(kind.service, kind.create, times=1)
    assert_one(ops, fixture)


@one_of_each_way
def test_killed_after_its_creation(ops: Host, fixture: Fixture) -> None:
    dies(ops, fixture, "after")
    assert_one(ops, fixture)


@one_of_each_way
@either
def test_killed_after_its_creation_while_lists_lag(ops: Host, fixture: Fixture, memory: str) -> None:
    """With its memory the program waits for a minute; without, for the grace, or longer where it sees others."""
    kind = BY_NAME[fixture.kind]
    ops.aws.hide(kind.service, kind.read.operation, seconds=4 if memory == "lost" else 50)
    dies(ops, fixture, "after")
    if memory == "lost":
        ops.forget()
    assert_one(ops, fixture)


@one_of_each_way
def test_lists_lag_for_minutes_behind_a_creation(ops: Host, fixture: Fixture) -> None:
    kind = BY_NAME[fixture.kind]
    ops.aws.hide(kind.service, kind.read.operation, seconds=200)
    ops.run(fixture.base, timeout=900)
    assert_one(ops, fixture)


@one_of_each_way
@pytest.mark.parametrize("when", ["answered", "killed"])
def test_renamed_in_the_config_before_a_list_shows_it(ops: Host, fixture: Fixture, when: str) -> None:
    """What may exist under the old address is looked for before anything is made under the new one."""
    kind = BY_NAME[fixture.kind]
    ops.aws.hide(kind.service, kind.read.operation, seconds=50)
    if when == "killed":
        dies(ops, fixture, "after")
    else:
        ops.run(fixture.base, timeout=1)
    assert ops.run(fixture.renamed(), timeout=900).outcome == "settled"
    ops.aws.clear_faults()
    rows = [row for row in ops.rows(kind.name) if tags(row).get("reconciler:stack") == STACK]
    claims = [tags(row).get("reconciler:address") for row in rows]
    assert fixture.address not in claims
    assert claims.count(f"{kind.name}/renamed") == 1


@one_of_each_way
@either
def test_killed_before_its_creation(ops: Host, fixture: Fixture, memory: str) -> None:
    dies(ops, fixture, "before")
    if memory == "lost":
        ops.forget()
    assert_one(ops, fixture)


@one_of_each_way
def test_a_creation_that_got_no_answer_is_tried_again_only_when_it_did_not_happen(
    ops: Host, fixture: Fixture
) -> None:
    kind = BY_NAME[fixture.kind]
    ops.aws.drop(kind.service, kind.create, times=1)
    assert_one(ops, fixture)


@one_of_each_way
@pytest.mark.parametrize("code", ["InternalError", "Throttling"])
def test_a_creation_that_aws_could_not_do_is_sent_once_and_tried_later(
    ops: Host, fixture: Fixture, code: str
) -> None:
    kind = BY_NAME[fixture.kind]
    ops.aws.fail(kind.service, kind.create, code=code, status=503, times=1)
    assert_one(ops, fixture)
