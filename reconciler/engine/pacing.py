"""When to look again, and what is left alone for a while because it has failed.  Used by `loop` and `daemon`.

Times are seconds of a monotonic clock; chance is a number from 0 to 1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from reconciler.model.plan import Outcome, Report
from reconciler.model.verdicts import Blocked, Mover, Wait

SOON, LATER = 5.0, 15.0
"""Seconds to the next look after progress, and while AWS works."""
PATIENT = 40
"""How many quiet passes AWS gets before it is looked at more and more rarely: ten minutes, more than a VPN takes."""
SHORTEST, LONGEST = 5.0, 900.0
"""Seconds that the first failure, and the many-th in a row, is backed off from at most."""
DAY = 86400.0
"""Seconds that what AWS refuses for good is left alone at most, at first: looks may be a weekend or a month apart."""
ALMOST = 0.9
"""Share of that time: what a look has noted at its end is tried in the next regular one, and not right after it."""

AT_FIRST, AT_MOST, BELIEVED = 2.0, 30.0, 300.0
"""Seconds until a call is made again that names what AWS does not know yet: after the first refusal, and at most; and
for how long it is believed that it has only just been made.  IAM's take up to two minutes to be known elsewhere."""

MOVING = frozenset({"created", "updated", "replaced", "deleted"})
"""What has become of an address at which AWS works now."""
NONE: Mapping[str, float] = {}

Chance = Callable[[], float]


@dataclass(frozen=True)
class Failure:
    """What has failed `times` times in a row, for the last time with `why`, and is left alone until `until`.

    `since`: since when AWS has not known what it names, which is no failure at first; None where that is not it.
    """

    times: int
    until: float
    why: str
    final: bool
    since: float | None = None

    @property
    def verdict(self) -> Wait | Blocked:
        """What takes the place of the steps until then.  No time is in the text: it would be news in every pass."""
        if self.final:
            return Blocked(self.why)
        if self.since is not None:
            return Wait(self.why)
        return Wait(
            f"{self.why} (failed {self.times} times in a row)" if self.times > 1 else self.why, "back-off"
        )


class BackOff:
    """Failures by label.

    `interval` is that of the daemon, in seconds: what AWS refuses for good is tried again at the first regular look
    after about that time, and then ever more rarely.  None for a run that ends: there it is not tried again, and other
    failures at the next look.
    """

    def __init__(self, interval: float | None = None) -> None:
        self.interval = interval
        self.failures: dict[str, Failure] = {}

    def instead(self, label: str, now: float) -> Wait | Blocked | None:
        """The verdict in place of steps that are not to be tried now."""
        failure = self.failures.get(label)
        return failure.verdict if failure is not None and now < failure.until else None

    def note(self, outcomes: Iterable[Outcome], now: float, chance: Chance) -> None:
        """A pass has ended: remember what has failed in it, forget what has not or is no longer there."""
        before, self.failures = self.failures, {}
        drawn: dict[str, float] = {}
        for outcome in outcomes:
            mine = partial(drawn.setdefault, outcome.together, chance()) if outcome.together else chance
            failure = before.get(outcome.label)
            if outcome.unknown:
                self.failures[outcome.label] = self._unknown(outcome.why, failure, now, mine)
            elif outcome.final or (outcome.status == "failed" and outcome.on != "back-off"):
                times = failure.times + 1 if failure else 1
                until = now + self._delay(times, outcome.final, mine)
                self.failures[outcome.label] = Failure(times, until, outcome.why, outcome.final)
            elif failure is not None and outcome.status in {"failed", "blocked", "waiting"}:
                self.failures[outcome.label] = failure  # it was not tried, or could not be

    def _unknown(self, why: str, before: Failure | None, now: float, chance: Chance) -> Failure:
        """What is not known to AWS: in vain for too long it is for a person to say what was meant."""
        since = before.since if before is not None and before.since is not None else now
        times = before.times + 1 if before is not None else 1
        if now - since < BELIEVED:
            until = now + min(AT_MOST, AT_FIRST * 2.0 ** min(times - 1, 30))
            return Failure(times, until, why, False, since)
        told = f"{why}; AWS has said so for {BELIEVED / 60:.0f} minutes: is there such a thing?"
        return Failure(times, now + self._delay(times, True, chance), told, True, since)

    def _delay(self, times: int, final: bool, chance: Chance) -> float:
        if self.interval is None:
            return float("inf") if final else 0.0
        if final:
            first = min(self.interval, DAY)
            return ALMOST * min(max(LONGEST, first), first * 2.0 ** min(times - 1, 30))
        return 1.0 + chance() * (grown(SHORTEST, times) - 1.0)

    def due(self, now: float) -> float | None:
        """Seconds to the next attempt that is worth a look of its own; None when there is none."""
        times = [
            failure.until - now
            for failure in self.failures.values()
            if failure.until > now and not failure.final
        ]
        return min(times, default=None)

    def forget(self, changed: Callable[[str], bool] = lambda _: True) -> None:
        """A person has moved: the labels for which `changed` says so (all of them) are tried at once."""
        self.failures = {label: failure for label, failure in self.failures.items() if not changed(label)}


def grown(first: float, times: int) -> float:
    """`first`, doubled for each time after the first, at most LONGEST."""
    return min(LONGEST, first * 2.0 ** min(times - 1, 30))


class Next(NamedTuple):
    """Seconds to a look that comes before the next regular one, and why."""

    seconds: float
    trigger: str


def next_look(
    report: Report | None,
    *,
    failed: int,
    due: float | None,
    chance: Chance,
    quiet: int = 0,
    paces: Mapping[str, float] = NONE,
) -> Next | None:
    """What a pass leaves to look at before the regular time; None when nothing.

    `report` is None for a pass that could not be done, the `failed`-th in a row; `due` are the seconds to the next
    attempt at an address that is backed off from; `quiet` is how many passes in a row have waited and changed nothing;
    `paces` are those of slow kinds, by their names.
    """
    if report is None:
        return Next(grown(LATER, failed) * (0.5 + chance() / 2), "retry")
    found = [] if due is None else [Next(max(due, 0.1), "retry")]
    if report.changed:
        found.append(Next(max(SOON, pace(report, paces)), "progress"))
    elif waits_for_aws(report):
        later = grown(LATER, max(1, quiet - PATIENT))
        found.append(Next(max(later, pace(report, paces)), "progress"))
    return min(found, default=None)


def pace(report: Report, paces: Mapping[str, float]) -> float:
    """Seconds before which nothing moves: those of the quickest kind at which AWS works, 0 where that is not known."""
    moving = [
        outcome.label
        for outcome in report.outcomes
        if outcome.status in MOVING or (outcome.status == "waiting" and outcome.on == "aws")
    ]
    failed = any(outcome.status == "failed" and not outcome.final for outcome in report.outcomes)
    if failed or report.plan.unseen:
        return 0.0
    return min((paces.get(label.partition("/")[0], 0.0) for label in moving), default=0.0)


def waits_for_aws(report: Report) -> bool:
    """Whether something may have moved by itself at the next look."""
    plan = report.plan
    unread = plan.unread.keys() - plan.denied or plan.closed.keys() - plan.barred
    return waits_for(report, "aws") or bool(unread)


def waits_for(report: Report, mover: Mover) -> bool:
    """Whether an address waits for this mover."""
    return any(outcome.status == "waiting" and outcome.on == mover for outcome in report.outcomes)
