"""When putting a field right is a fight with somebody, and when that is over."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.engine.flaps import HOUR, asks, fought, instead, looked, mended
from reconciler.model.flap import Flap
from reconciler.model.verdicts import Blocked, Drift, Settled, Steps, Wait


def drifts(wanted: Any = "ours", path: str = "Description") -> tuple[Drift, ...]:
    return (Drift(path, wanted, "theirs"),)


def put(*times: float, before: Flap | None = None, wanted: Any = "ours") -> Flap:
    """What is remembered once the description was put right at each of these times."""
    flap = before
    for at in times:
        flap = mended(flap, drifts(wanted), at)
    assert flap is not None
    return flap


@pytest.mark.parametrize(
    ("times", "stops"),
    [
        ([0, 600], False),
        ([0, 600, 1200], True),
        ([0, 1800, 3599], True),
        ([0, 1800, 3600], False),  # the first is an hour old
        ([0, 5, 10, 15, 20], False),  # a list that lags behind what was written
        ([0, 5, 60, 65, 120], True),  # a list does not lag that long
        ([1200, 600, 0], True),  # the clock was set back meanwhile
    ],
)
def test_three_times_within_an_hour_is_a_fight(times: list[float], stops: bool) -> None:
    assert (fought(put(*times), drifts()) == ["Description"]) is stops


def test_a_person_who_edits_the_config_back_and_forth_fights_with_nobody() -> None:
    flap = None
    for at, wanted in enumerate(["a", "b", "a", "b", "a", "b"]):
        flap = put(at * 300.0, before=flap, wanted=wanted)
    assert flap is not None
    assert fought(flap, drifts("b")) == fought(flap, drifts("a")) == []


def test_what_somebody_has_changed_in_the_config_is_not_put_right() -> None:
    flap = put(0, 600)
    assert mended(flap, [Drift("Description", "ours", "theirs", "pending")], 1200) == flap


def test_only_steps_that_would_put_it_right_once_more_are_stopped() -> None:
    flap = put(0, 600, 1200)
    stopped = instead(flap, "site/one", Steps("update", (), drift=drifts()), " --config x.yaml")
    assert isinstance(stopped, Blocked)
    assert stopped.drift == drifts()
    assert "`ignore: [Description]`" in stopped.why
    assert "`reconciler resume site/one --config x.yaml`" in stopped.why
    others = (drifts("new"), drifts(path="Location"), ())
    assert [instead(flap, "site/one", Steps("update", (), drift=found)) for found in others] == [None] * 3
    assert instead(flap, "site/one", Steps("delete", ())) is None
    assert instead(None, "site/one", Steps("update", (), drift=drifts())) is None


def test_the_items_of_a_part_are_one_field() -> None:
    def step(*found: Drift, at: float, flap: Flap | None) -> Flap:
        return mended(flap, found, at)

    ours, theirs = Drift("Rules[]", {"Port": 1}, None), Drift("Rules[]", None, {"Port": 2})
    flap = None
    for at in (0, 600, 1200):
        flap = step(ours, theirs, at=at, flap=flap)
    assert flap is not None
    assert fought(flap, (theirs, ours)) == ["Rules[]"]
    assert fought(flap, (ours,)) == [], "somebody takes out our rule, and adds none"


def test_it_stays_stopped_for_as_long_as_it_differs_and_an_hour_longer() -> None:
    blocked = Blocked("", drifts())
    flap: Flap | None = put(0, 600, 1200)
    for at in (1500, 9 * HOUR):  # looks may be rare
        assert flap is not None
        flap = looked(flap, blocked, at)
    assert flap is not None
    assert fought(flap, drifts()) == ["Description"]
    assert looked(flap, Settled(), 9.9 * HOUR) == flap
    assert looked(flap, Wait("it could not be read"), 99 * HOUR) == flap, "nobody knows"
    assert looked(flap, Settled(), 10 * HOUR) is None
    assert looked(flap, None, 10 * HOUR) is None, "the address is no more"


def test_what_is_held_back_has_not_stopped_for_that() -> None:
    flap = put(0, 600, 1200)
    assert looked(flap, Wait("paused", "person", drifts()), 1300) == flap


def test_what_was_put_right_once_is_forgotten_after_an_hour() -> None:
    flap = put(0, 600)
    assert looked(flap, Settled(), 4199) == flap
    assert looked(flap, Settled(), 4200) is None


def test_aws_is_asked_when_it_has_stopped_and_until_it_names_somebody() -> None:
    flap = put(0, 600, 1200)
    assert not asks(flap, 1300), "it does not differ"
    stopped = looked(flap, Blocked("", drifts()), 1300)
    assert stopped is not None
    assert asks(stopped, 1300)
    asked = Flap(stopped.fields, 1300, "nobody yet", asked=1300)
    assert [asks(asked, at) for at in (1400, 1600, 4799, 4800)] == [False, True, True, False]
    assert not asks(Flap(stopped.fields, 1300, "ada", asked=1300, known=True), 1600)


def test_no_value_is_kept_only_a_digest() -> None:
    flap = mended(None, drifts("hunter2", "Secret"), 0)
    assert "hunter2" not in str(flap)
    assert Flap.of(flap.as_data()) == flap


@pytest.mark.parametrize("broken", [{}, {"fields": {}}, {"fields": {"a": ["x", []]}}, {"fields": {"a": 1}}])
def test_what_is_no_flap_is_none(broken: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"no flap|nothing"):
        Flap.of({**Flap({}).as_data(), **broken})
