"""Each test of this folder is run for each kind there is, and the tests of one kind share an account.

To make an account and what a subject needs takes longer than most of what is then proved with it.  So a test finds the
account as the one before has left it: whatever it needs it first runs the program for, which costs no more than a look
where that is there already.  A test that leaves what no run can mend asks for `doomed`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.conformance.fixture import KINDS, Fixture
from tests.harness import FACTS, Host, host

FAILED = pytest.StashKey[bool]()
REGIONS = ("us-west-2",)
"""That things are found in others too is proved elsewhere, once for all kinds."""
LEAST_WAIT = 20.0
"""Seconds between two looks: less than a creation is waited for, and enough for what AWS does by itself."""


AN_HOUR = 3700.0
"""Seconds after which nobody remembers how often a test before has edited the subject by hand."""


class Account:
    """The ops host of one kind's tests, and its account; made when it is asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._closing, self._made = folder, ExitStack(), 0
        self._host: Host | None = None

    def host(self) -> Host:
        """The host, on which nothing goes wrong and no call is on record."""
        if self._host is None:
            self._made += 1
            self._host = self._closing.enter_context(
                host(self._folder / str(self._made), LEAST_WAIT, regions=REGIONS)
            )
        self._host.aws.clear_faults()
        self._host.aws.clear_calls()
        self._host.aws.clock.advance(AN_HOUR)
        return self._host

    def forget(self) -> None:
        """The next one gets another host, and an empty account."""
        self._host = None
        self._closing.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Notes which tests have failed: what these leave behind is nobody's to go on with."""
    report = yield
    if report.failed:  # type: ignore[attr-defined]
        item.stash[FAILED] = True
    return report  # type: ignore[return-value]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests that are for some kinds only, with the others."""
    left = [item for item in items if isinstance(item, pytest.Function) and not _is_for(item)]
    config.hook.pytest_deselected(items=left)
    gone = set(left)
    items[:] = [item for item in items if item not in gone]


def _is_for(item: pytest.Function) -> bool:
    mark = item.get_closest_marker("kinds")
    return mark is None or item.callspec.params["fixture"] in mark.args


@pytest.fixture(
    scope="module", params=[pytest.param(kind, marks=pytest.mark.xdist_group(kind)) for kind in KINDS]
)
def fixture(request: pytest.FixtureRequest) -> Fixture:
    """The three fixtures of one kind."""
    return Fixture(request.param)


@pytest.fixture(scope="module")
def account(fixture: Fixture, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """The account of one kind's tests."""
    found = Account(tmp_path_factory.mktemp(fixture.kind))
    yield found
    found.forget()


@pytest.fixture
def ops(account: Account, fixture: Fixture, request: pytest.FixtureRequest) -> Iterator[Host]:
    """An ops host, on which the test before may have run.

    Not where the memory of what tokens are used up will be lost: what AWS says to one of these is not documented.
    """
    forgets = request.node.callspec.params.get("memory") == "lost" or "robbed" in request.node.name
    if forgets and FACTS[fixture.kind].takes_token:
        account.forget()
    found = account.host()
    yield found
    if FAILED in request.node.stash:
        found.aws.problems.clear()  # it has said enough
        account.forget()


@pytest.fixture
def doomed(ops: Host, account: Account) -> Iterator[Host]:
    """The same one; nobody uses it after this test."""
    yield ops
    account.forget()
