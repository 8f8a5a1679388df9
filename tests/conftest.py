"""For all tests: nothing of the caller's environment gets in, and an event that the catalogue lacks is an error."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from reconciler import log

if TYPE_CHECKING:
    from tests.harness import Host


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--every-kind",
        action="store_true",
        help="try with all kinds what is else tried with a few that say between them whatever any says",
    )


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("every_kind"):
        os.environ["EVERY_KIND"] = (
            "yes"  # read by tests.conformance.fixture, and by processes that tests start
        )


def _forget_the_caller() -> None:
    """No test reaches a real account, whatever the shell has set; it runs before boto3 is imported."""
    for name in list(os.environ):
        if name.startswith(("AWS_", "RECONCILER_", "BOTO_")) or name in {
            "CONFIGURATION_DIRECTORY",
            "FORCE_COLOR",
            "JOURNAL_STREAM",
            "NOTIFY_SOCKET",
            "NO_COLOR",
            "RUNTIME_DIRECTORY",
            "STATE_DIRECTORY",
            "WATCHDOG_PID",
            "WATCHDOG_USEC",
        }:
            del os.environ[name]
    os.environ.update(
        AWS_CONFIG_FILE=os.devnull,
        AWS_SHARED_CREDENTIALS_FILE=os.devnull,
        AWS_EC2_METADATA_DISABLED="true",
    )


_forget_the_caller()
log.be_strict()

# Examples do not depend on chance or on the machine's speed: what was green stays green.
settings.register_profile("reconciler", deadline=None, derandomize=True, print_blob=True, max_examples=40)
settings.load_profile("reconciler")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that share what their module made stay together: what one leaves behind, the next begins with."""
    for item in items:
        if isinstance(item, pytest.Function) and not item.get_closest_marker("xdist_group"):
            shared = item._fixtureinfo.name2fixturedefs.values()
            if any(fixture[-1].scope == "module" for fixture in shared):
                item.add_marker(pytest.mark.xdist_group(item.nodeid.partition("::")[0]))


def pytest_collection_finish(session: pytest.Session) -> None:
    """What tests of a group share is dear to make: that they came apart would only show in the time it takes."""
    _keep_what_is_there()
    if getattr(session.config.option, "loadgroup", False):
        for item in session.items:
            if item.get_closest_marker("xdist_group") and "@" not in item.nodeid.rpartition("]")[2]:
                raise pytest.UsageError(
                    f"this pytest and this pytest-xdist do not group tests: {item.nodeid}"
                )


def _keep_what_is_there() -> None:
    """Tests, service models and moto stay until the end: looking through them for garbage again and again was an
    eighth of all time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 50)


@pytest.fixture(scope="session", autouse=True)
def savings() -> Iterator[None]:
    """Nobody computes signatures, or waits for a disk."""
    from tests.savings import unforced, unsigned  # not before the caller's settings are gone

    with unsigned(), unforced():
        yield


@pytest.fixture
def ops(tmp_path: Path) -> Iterator[Host]:
    """An ops host with an empty state directory, and an AWS account of its own."""
    from tests.harness import host  # not for the many tests that need no AWS

    with host(tmp_path) as found:
        yield found
