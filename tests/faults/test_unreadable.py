"""Faulty reads never delete: a spread of every read × every fault, with an orphan of every kind there.

`python -m benchmarks.unreadable` makes all of them.  docs/guarantees.md says what is promised where no reader can tell
a lie from the truth.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from reconciler.model.verdicts import Blocked
from tests.faults.unreadable import (
    DISCOVERY,
    IDENTITY,
    LEFT,
    LIES,
    LISTS,
    ORPHANS,
    PRESENT,
    READS,
    TOLD,
    Estate,
    Operation,
    cells,
    everything,
    has_pages,
    lie_wrongs,
    told_wrongs,
)
from tests.harness import Host

pytestmark = pytest.mark.xdist_group("unreadable")  # one worker: what they share is dear to make


@pytest.fixture(scope="module")
def estate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    """Making it takes longer than a dozen passes."""
    with everything(tmp_path_factory.mktemp("estate")) as made:
        yield made


def test_the_reads_are_those_of_a_look_and_without_faults_every_orphan_goes(estate: Estate) -> None:
    found = estate.one_pass(small_pages=True)
    reads = [call for call in estate.ops.aws.calls if not call.is_write]
    assert {Operation(call.service, call.operation) for call in reads} == set(READS)
    tokens = {"NextToken", "nextToken", "Marker", "PaginationToken"}
    paged = {Operation(call.service, call.operation) for call in reads if tokens & call.parameters.keys()}
    assert {operation for operation in READS if has_pages(operation)} <= paged
    assert found.steps == dict.fromkeys(ORPHANS, "delete")
    assert found.deletes


@pytest.mark.parametrize(("operation", "name"), cells(READS, TOLD, len(READS)), ids=str)
def test_what_could_not_be_read_is_named_and_stays(estate: Estate, operation: Operation, name: str) -> None:
    assert told_wrongs(estate, operation, name) == []


@pytest.mark.parametrize("fault", [TOLD["expired"], TOLD["no list in the body"]])
def test_who_does_not_know_who_he_is_deletes_nothing_at_all(estate: Estate, fault: str) -> None:
    found = estate.under(IDENTITY, fault)
    assert found.tried == []
    assert "sts:GetCallerIdentity" in found.said


@pytest.mark.parametrize(("operation", "name"), cells(LISTS, LIES, len(LISTS) // 3), ids=str)
def test_one_look_at_a_lie_makes_nothing_twice_and_takes_nothing_that_is_wanted(
    estate: Estate, operation: Operation, name: str
) -> None:
    assert lie_wrongs(estate, operation, name) == []


def test_without_memory_too_a_lie_makes_nothing_twice(estate: Estate) -> None:
    for operation in LISTS[1 :: len(LISTS) // 3]:
        assert lie_wrongs(estate, operation, "empty", memory=False) == []


@pytest.mark.parametrize("operation", DISCOVERY, ids=str)
def test_a_region_that_cannot_be_asked_what_it_holds_is_looked_at_whole(
    estate: Estate, operation: Operation
) -> None:
    """Of some kinds the config names nothing any more: what they use goes after them, and not before."""
    assert any(f"{kind.name}/" not in LEFT for kind in PRESENT if kind.service == "ec2")
    assert estate.under(operation, TOLD["denied"]).steps == dict.fromkeys(ORPHANS, "delete")


SITES = """
    resources:
      global-network/ai: {}
      site/one: {GlobalNetworkId: "${global-network/ai}"}
      site/two: {GlobalNetworkId: "${global-network/ai}"}
"""


def names(ops: Host) -> list[str]:
    return sorted(str(site["SiteId"]) for site in ops.ours("site"))


def test_a_list_that_flaps_from_look_to_look_is_never_believed(ops: Host) -> None:
    ops.run(SITES)
    made = names(ops)
    ops.aws.clear_calls()
    ops.aws.faults("[{call: GetSites, nth: even, do: {leave-out: '${site/one}'}}]")
    loop = ops.loop(SITES)
    for _ in range(8):
        loop.one_pass("test")
        ops.aws.clock.advance(10)
    assert ops.writes() == []
    ops.aws.clear_faults()
    assert names(ops) == made


def test_two_looks_that_agree_are_believed_and_the_second_thing_is_reported(ops: Host) -> None:
    """What is promised of a lie that lasts: one thing too many, never a third, none of them deleted."""
    ops.run(SITES)
    made = names(ops)
    ops.aws.faults("[{call: GetSites, until: 290, do: {leave-out: '${site/one}'}}]")
    loop = ops.loop(SITES)
    for _ in range(18):
        loop.one_pass("test")
        ops.aws.clock.advance(15)
    assert len(ops.aws.writes) - len(made) == 2  # the network, and one site more
    ops.aws.clock.advance(200)
    assert isinstance(ops.entry(SITES, "site/one").verdict, Blocked)
    ops.aws.clear_calls()
    ops.run(SITES)
    assert ops.writes() == []
    assert set(made) < set(names(ops))
