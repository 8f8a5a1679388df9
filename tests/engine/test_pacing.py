"""What is left alone after a failure and for how long, and when the next look comes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.engine.pacing import DAY, LATER, LONGEST, SOON, BackOff, next_look
from reconciler.model.plan import Outcome, Plan, Report
from reconciler.model.things import Scope
from reconciler.model.verdicts import Blocked, Wait

NAME = "site/one"
SCOPE = Scope("vpc", "123456789012", "us-west-2")
CHANCES = st.floats(0, 1)
INTERVALS = st.floats(1, 40 * DAY)
UNTRIED = [
    Outcome(label=NAME, status="failed", why="no", on="back-off"),
    Outcome(label=NAME, status="blocked", why="no"),
    Outcome(label=NAME, status="waiting", why="needs vpc/a"),
]


def failed(label: str = NAME, **more: Any) -> Outcome:
    return Outcome(label=label, **{"status": "failed", "why": "AWS says no", **more})


def refused(label: str = NAME) -> Outcome:
    return failed(label, final=True)


def after(times: int, outcome: Outcome, chance: float = 1.0, interval: float | None = 300.0) -> BackOff:
    """What is remembered when the same has come of `times` passes at time 0."""
    backoff = BackOff(interval)
    for _ in range(times):
        backoff.note([outcome], 0.0, lambda: chance)
    return backoff


def delay(backoff: BackOff, label: str = NAME) -> float:
    return backoff.failures[label].until


# ---- what fails


def test_what_one_call_was_to_make_is_tried_again_together_and_nothing_else_is() -> None:
    chances = iter([0.1, 0.9, 0.5, 0.3])
    backoff, four = BackOff(300.0), [f"site/{n}" for n in range(4)]
    outcomes = [failed(one, together="batch") for one in four[:2]] + [failed(one) for one in four[2:]]
    for _ in range(2):  # the first failure waits a second to five; the second has more to draw from
        backoff.note(outcomes, 0.0, lambda: next(chances, 0.7))
    assert delay(backoff, four[0]) == delay(backoff, four[1])
    backoff.note(outcomes[2:], 0.0, iter([0.2, 0.8]).__next__)
    assert delay(backoff, four[2]) != delay(backoff, four[3])


@given(st.integers(1, 200), CHANCES)
def test_a_failure_is_left_alone_for_a_second_to_a_quarter_of_an_hour(times: int, chance: float) -> None:
    left = delay(after(times, failed(), chance))
    assert 1 <= left <= 900
    assert left <= 5 * 2 ** (times - 1)


@given(st.integers(1, 200), CHANCES)
def test_each_failure_in_a_row_is_left_alone_for_longer(times: int, chance: float) -> None:
    assert delay(after(times + 1, failed(), chance)) >= delay(after(times, failed(), chance))


def test_from_seconds_to_a_quarter_of_an_hour() -> None:
    assert [delay(after(times, failed())) for times in (1, 2, 3, 8, 9, 99)] == [5, 10, 20, 640, 900, 900]
    assert {delay(after(times, failed(), 0.0)) for times in (1, 9, 99)} == {1}, "chance spreads them"


def test_until_then_its_verdict_takes_the_place_of_the_steps() -> None:
    backoff = after(1, failed())
    assert backoff.instead(NAME, 4.9) == Wait("AWS says no", "back-off")
    assert backoff.instead(NAME, 5.0) is None
    assert backoff.instead("site/other", 0.0) is None


def test_the_text_counts_and_does_not_change_by_itself() -> None:
    backoff = after(3, failed())
    texts = {backoff.instead(NAME, now) for now in (0.0, 7.0, 19.0)}
    assert texts == {Wait("AWS says no (failed 3 times in a row)", "back-off")}


@pytest.mark.parametrize("outcome", UNTRIED, ids=lambda outcome: outcome.status)
@pytest.mark.parametrize("last", [failed(), refused()], ids=["failed", "refused"])
def test_what_was_not_tried_is_not_forgotten(last: Outcome, outcome: Outcome) -> None:
    backoff = after(2, last)
    before = backoff.failures[NAME]
    backoff.note([outcome], 3.0, lambda: 1.0)
    assert backoff.failures[NAME] == before


@pytest.mark.parametrize("status", ["settled", "created", "updated", "replaced", "deleted"])
def test_success_is_a_new_beginning(status: Any) -> None:
    backoff = after(5, failed())
    backoff.note([Outcome(label=NAME, status=status)], 80.0, lambda: 1.0)
    assert backoff.failures == {}
    backoff.note([failed()], 0.0, lambda: 1.0)
    assert delay(backoff) == 5


def test_what_has_vanished_is_forgotten() -> None:
    backoff = after(5, failed())
    backoff.note([failed("site/other")], 0.0, lambda: 1.0)
    assert backoff.failures.keys() == {"site/other"}


def test_a_person_can_have_it_tried_at_once() -> None:
    backoff = BackOff(300.0)
    backoff.note([failed("site/one"), refused("site/two")], 0.0, lambda: 1.0)
    backoff.forget(lambda label: label == "site/two")
    assert (backoff.instead("site/one", 0.0), backoff.instead("site/two", 0.0)) == (
        Wait("AWS says no", "back-off"),
        None,
    )
    backoff.forget()
    assert backoff.instead("site/one", 0.0) is None


# ---- what AWS refuses for good


@pytest.mark.parametrize(
    "outcome", [refused(), Outcome(label=NAME, status="blocked", why="AWS says no", final=True)]
)
def test_what_is_refused_is_blocked(outcome: Outcome) -> None:
    assert after(3, outcome).instead(NAME, 0.0) == Blocked("AWS says no")


@given(st.integers(1, 200), INTERVALS, CHANCES)
def test_it_is_tried_again_at_about_the_interval_and_then_more_rarely(
    times: int, interval: float, chance: float
) -> None:
    left = delay(after(times, refused(), chance, interval))
    assert min(interval, DAY) / 2 < left < max(LONGEST, min(interval, DAY))
    assert left <= delay(after(times + 1, refused(), chance, interval))


@given(st.floats(60, DAY), st.floats(0, 0.09))
def test_the_next_regular_look_tries_it_however_long_the_last_one_took(interval: float, share: float) -> None:
    backoff = BackOff(interval)
    backoff.note([refused()], share * interval, lambda: 1.0)  # noted at the end of a look that began at 0
    assert backoff.instead(NAME, interval / 2) == Blocked("AWS says no")
    assert backoff.instead(NAME, interval) is None


def test_it_makes_no_look_of_its_own() -> None:
    backoff = after(1, refused())
    assert backoff.due(1.0) is None
    backoff.note([refused(), failed("site/other")], 0.0, lambda: 1.0)
    assert backoff.due(1.0) == 4.0


def test_a_run_that_ends_never_tries_it_again() -> None:
    backoff = after(1, refused(), interval=None)
    assert backoff.instead(NAME, 1e12) == Blocked("AWS says no")
    assert backoff.due(0.0) is None


def test_a_run_that_ends_tries_all_else_at_its_next_look() -> None:
    assert after(1, failed(), interval=None).instead(NAME, 0.0) is None


@given(
    st.lists(
        st.sampled_from([failed(), refused(), Outcome(label=NAME, status="created"), *UNTRIED]), max_size=12
    )
)
def test_a_look_for_the_soonest_attempt_finds_something_to_try(outcomes: list[Outcome]) -> None:
    backoff, now = BackOff(300.0), 0.0
    for outcome in outcomes:
        backoff.note([outcome, failed("site/other")], now, lambda: 0.5)
        due = backoff.due(now)
        assert due is not None
        assert due > 0
        now += due
        assert any(backoff.instead(label, now) is None for label in backoff.failures)


# ---- the next look


def report(*outcomes: Outcome, unread: bool = False, denied: bool = False) -> Report:
    plan = Plan(
        stack="test",
        entries=(),
        unread={SCOPE: "no answer"} if unread or denied else {},
        denied=frozenset({SCOPE} if denied else ()),
    )
    return Report(outcomes=outcomes, plan=plan)


def look(found: Report | None, failed: int = 0, due: float | None = None, chance: float = 1.0) -> Any:
    return next_look(found, failed=failed, due=due, chance=lambda: chance)


def test_where_all_that_moves_is_slow_the_next_look_is_later() -> None:
    slow, quick = Outcome(label="slow/s@old", status="deleted"), Outcome(label="quick/q", status="created")
    waits = Outcome(label="slow/w", status="waiting", on="aws")
    failed_too = Outcome(label="slow/f", status="failed")
    for outcomes, seconds in (
        ((slow,), 30.0),
        ((waits,), 30.0),
        ((slow, waits, SETTLED, FOR_ANOTHER), 30.0),
        ((slow, quick), SOON),
        ((quick, waits), SOON),
        ((slow, failed_too), SOON),
    ):
        found = next_look(
            report(*outcomes), failed=0, due=None, chance=lambda: 1.0, paces={"slow": 30.0, "slower": 60.0}
        )
        assert found is not None
        assert found.seconds == seconds


SETTLED = Outcome(label="site/settled", status="settled")
CREATED = Outcome(label="site/created", status="created")
FOR_AWS = Outcome(label="site/waits", status="waiting", on="aws")
FOR_A_PERSON = Outcome(label="site/paused", status="waiting", on="person")
FOR_A_WINDOW = Outcome(label="site/leaves", status="waiting", on="window")
FOR_ANOTHER = Outcome(label="site/later", status="waiting", on="other")
BLOCKED = Outcome(label="site/blocked", status="blocked")


@pytest.mark.parametrize(
    ("found", "due", "expected"),
    [
        (report(SETTLED), None, None),
        (report(SETTLED, BLOCKED), None, None),
        (report(SETTLED, CREATED), None, (SOON, "progress")),
        (report(CREATED, FOR_AWS), None, (SOON, "progress")),
        (report(FOR_AWS), None, (LATER, "progress")),
        (report(SETTLED, unread=True), None, (LATER, "progress")),
        (report(SETTLED, denied=True), None, None),
        (report(SETTLED), 40.0, (40.0, "retry")),
        (report(CREATED), 40.0, (SOON, "progress")),
        (report(CREATED), 2.0, (2.0, "retry")),
        (report(FOR_AWS), 0.0, (0.1, "retry")),
    ],
)
def test_the_soonest_reason_counts(found: Report, due: float | None, expected: Any) -> None:
    assert look(found, due=due) == expected


@given(
    st.lists(st.sampled_from([SETTLED, CREATED, FOR_AWS, BLOCKED, failed()])),
    st.none() | st.floats(0, LONGEST),
    st.lists(st.sampled_from([FOR_A_PERSON, FOR_A_WINDOW, FOR_ANOTHER]), min_size=1, max_size=3),
)
def test_what_aws_does_not_move_never_makes_a_look_sooner(
    outcomes: list[Outcome], due: float | None, held: list[Outcome]
) -> None:
    more = report(*outcomes, *held)
    assert look(more, due=due) == look(report(*outcomes), due=due)


@given(st.integers(1, 200), CHANCES)
def test_a_pass_that_cannot_be_done_is_tried_ever_more_rarely(failed: int, chance: float) -> None:
    found = look(None, failed, chance=chance)
    assert found.trigger == "retry"
    assert LATER / 2 <= found.seconds <= LONGEST
    assert found.seconds <= look(None, failed + 1, chance=chance).seconds


def test_from_a_quarter_of_a_minute_to_a_quarter_of_an_hour() -> None:
    assert [look(None, failed).seconds for failed in (1, 2, 3, 99)] == [15, 30, 60, 900]


def test_what_does_not_move_for_long_is_looked_at_more_and_more_rarely() -> None:
    found = report(Outcome(label=NAME, status="waiting"))
    delays = [next_look(found, failed=0, due=None, chance=lambda: 1.0, quiet=quiet) for quiet in range(1, 60)]
    seconds = [following.seconds for following in delays if following is not None]
    assert len(seconds) == 59
    assert set(seconds[:41]) == {LATER}, "for ten minutes AWS is given the benefit of the doubt"
    assert seconds == sorted(seconds)
    assert seconds[-1] == LONGEST
