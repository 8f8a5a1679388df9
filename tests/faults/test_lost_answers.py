"""No create is ever answered, and no list shows what was made: still there is one of each in the end.

`tests/conformance/test_at_most_once.py` has it for each kind alone; here it happens to a whole estate at once, whose
things need each other; each test has a share of the kinds.  Lags are below what docs/guarantees.md promises: a minute
for who remembers, or sees that there is something of the stack, and the grace (5 s) for who knows nothing at all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.kinds import ALL, BY_NAME
from reconciler.sandbox import Call, local_aws
from reconciler.sandbox.errors import AwsError
from tests import documents
from tests.conformance.fixture import ONE_OF_EACH
from tests.faults.estate import Kinds, estate, share
from tests.faults.killing import Births, Inline, Unhurried, is_birth
from tests.harness import REGIONS, Host, tags

CREATE_CALLS = sorted({(kind.service, kind.create) for kind in ALL})
PART, ANOTHER, THIRD = (share(number, 3, ONE_OF_EACH) for number in range(3))


@pytest.fixture
def ops(tmp_path: Path) -> Iterator[Host]:
    """A host whose lists come in few pages, and whose program looks seldom while it waits."""
    with local_aws(page_size=50, regions=REGIONS) as aws:
        yield Unhurried(aws, tmp_path / "state", Inline())
        assert aws.problems == []


def lists_lag(ops: Host, seconds: float) -> None:
    for kind in ALL:
        ops.aws.hide(kind.service, kind.read.operation, seconds=seconds)


def no_create_is_answered(ops: Host) -> None:
    for service, operation in CREATE_CALLS:
        ops.aws.lose_answer(service, operation, times=1000)


def assert_one_of_each(ops: Host, text: str, births: Births) -> None:
    report = ops.run(text, timeout=7200)
    assert report.outcome == "settled", report.outcomes
    ops.aws.clear_faults()  # whatever lists have hidden so far is shown now
    wanted = Counter(str(address) for address in ops.loop(text).config.resources)
    found = Counter(tags(row)["reconciler:address"] for kind in ALL for row in ops.ours(kind.name))
    assert found == wanted
    assert births.count == wanted, "nothing was made and lost"


def watch(ops: Host) -> Births:
    births = Births()
    ops.aws.on_call.append(births.hook)
    return births


def test_no_create_is_answered_while_lists_lag(ops: Host) -> None:
    """With a token or without, the SDK sends none twice; nor do we, until the minute is over."""
    births = watch(ops)
    lists_lag(ops, 50)
    no_create_is_answered(ops)
    text = estate(kinds=PART)
    ops.loop(text, grace=0).one_pass("once")
    sent = Counter(str(call.parameters) for call in ops.aws.writes if is_birth(call))
    assert set(sent.values()) == {1}
    assert_one_of_each(ops, text, births)


def test_the_memory_is_lost_with_the_answers_and_something_is_seen(ops: Host) -> None:
    """Who sees things of the stack that it does not know waits for a minute."""
    text = estate(kinds=ANOTHER)
    resources = documents.load(text)["resources"]
    first = [address for address, resource in resources.items() if "${" not in str(resource)][:2]
    ops.run(documents.dump({"resources": {address: resources[address] for address in first}}))
    births = watch(ops)
    births.count.update(first)
    lists_lag(ops, 50)
    no_create_is_answered(ops)
    ops.loop(text).one_pass("once")
    assert births.count.total() > len(first)
    ops.forget()
    assert_one_of_each(ops, text, births)


def test_the_memory_is_lost_with_the_answers_and_nothing_is_seen(ops: Host) -> None:
    """Who sees nothing at all waits for the grace."""
    births = watch(ops)
    lists_lag(ops, 4)
    no_create_is_answered(ops)
    text = estate(kinds=THIRD)
    ops.loop(text, grace=0).one_pass("once")
    assert births.count.total() > 0
    ops.forget()
    assert_one_of_each(ops, text, births)


@pytest.mark.parametrize(
    ("code", "status", "lag", "kinds"),
    [("InternalError", 500, 50, share(0, 2, ONE_OF_EACH)), ("Throttling", 400, 0, share(1, 2, ONE_OF_EACH))],
)
def test_a_create_that_is_refused_after_its_effect_is_not_repeated(
    ops: Host, code: str, status: int, lag: float, kinds: Kinds
) -> None:
    """Neither by the SDK nor by us.  A throttled call counts as one that did not happen: it is only looked for once."""
    births = watch(ops)
    if lag:
        lists_lag(ops, lag)
    refused: set[str] = set()

    def refuse(moment: str, call: Call) -> None:
        if moment == "after" and is_birth(call) and call.operation not in refused:
            refused.add(call.operation)
            raise AwsError(code, "after its effect", status)

    ops.aws.on_call.append(refuse)
    assert_one_of_each(ops, estate(kinds=kinds), births)
    assert refused >= {BY_NAME[kind].create for kind in kinds}
