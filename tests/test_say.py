"""What ends a verb is told as an event that fits."""

from __future__ import annotations

import pytest

from reconciler.errors import (
    BusyError,
    ConfigError,
    GuardError,
    IdentityError,
    LeaseLost,
    Lost,
    NoCredentials,
    ReconcilerError,
    WrongAccount,
)
from reconciler.events import EVENTS
from reconciler.say import event_of


@pytest.mark.parametrize(
    ("error", "event"),
    [
        (ConfigError([]), "config.refused"),
        (WrongAccount("whatever it says"), "identity.mismatch"),
        (NoCredentials("the config says nothing of it"), "credentials.failed"),
        (IdentityError("neither"), "credentials.failed"),
        (GuardError("a limit"), "guard.stopped"),
        (LeaseLost("another host"), "lock.lost"),
        (BusyError("another process"), "lock.busy"),
        (Lost("no answer"), "pass.failed"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, ReconcilerError) else value,
)
def test_each_error_is_an_event_of_the_catalogue(error: ReconcilerError, event: str) -> None:
    assert event_of(error) == event
    assert event in EVENTS
