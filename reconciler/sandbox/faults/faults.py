"""All that is set to go wrong in one local AWS: counts the calls that rules match, and decides which they strike.

`pipeline.py` asks for each request what it meets; lists ask thing by thing what is hidden.  The same calls in the same
order meet the same faults; chance is drawn from the seed, the rule and the request, whatever else goes on beside it.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from ..calls import Call, is_read
from ..clock import Clock
from .births import created_ids
from .buckets import Buckets, Size, published
from .rules import ByAnother, Find, Lag, LeaveOut, OtherCall, Rule, Stale, Throttle, is_meant, matches

Moment = Literal["before", "after"]
Hook = Callable[[Moment, Call], None]
E = TypeVar("E")

_MOST = 10_000
"""Strikes that are kept; a server may run for days."""


@dataclass(frozen=True)
class Strike:
    """One rule that struck one call, the `number`-th that it matched, `at` seconds after the rule was set."""

    rule: Rule
    call: Call
    number: int
    at: float
    note: str = ""

    def __str__(self) -> str:
        where = f" in {self.call.region}" if self.call.service != "networkmanager" else ""
        note = f": {self.note}" if self.note else ""
        name = f"{self.rule.label} ({self.rule.do.word})" if self.rule.label else self.rule.do.word
        call = f"{self.call.service}:{self.call.operation}"
        number = f", match {self.number}" if self.number else ""
        return f"fault {name} struck {call}{where}{number}, at {self.at:.1f} s{note}"


class _Armed:
    """A rule with what it has counted."""

    def __init__(self, rule: Rule, number: int, now: float, births: int) -> None:
        self.rule, self.number, self.begun, self.births = rule, number, now, births
        self.seen = self.struck = 0
        self.buckets = Buckets()
        self.pages: set[str] = set()
        """Tokens of lists whose first page it struck: their other pages are struck, too."""
        self.looks: Counter[tuple[str, str]] = Counter()

    def is_about(self, call: Call, page: int, now: float, find: Find) -> bool:
        """Whether a call is one that the rule counts."""
        rule = self.rule
        return (
            any(target.fits(call.service, call.operation) for target in rule.calls)
            and (not rule.regions or call.region in rule.regions)
            and (rule.page is None or rule.page == page)
            and rule.start <= now - self.begun < rule.end
            and matches(rule.parameters, call.parameters, find)
        )

    def strike(self, call: Call, now: float, note: str = "") -> Strike:
        """A strike of the call that was counted last."""
        return Strike(self.rule, call, self.seen, now - self.begun, note)


@dataclass
class Met:
    """What one request meets.  `account`: whose it is; `find`: the things that hold an address."""

    call: Call
    account: str
    find: Find
    strikes: list[Strike] = field(default_factory=list)
    said: set[int] = field(default_factory=set)

    def first(self, *effects: type[E]) -> E | None:
        """The first effect of these sorts that struck."""
        return next(iter(self.all(*effects)), None)

    def all(self, *effects: type[E]) -> list[E]:
        """All effects of these sorts that struck."""
        return [strike.rule.do for strike in self.strikes if isinstance(strike.rule.do, effects)]

    def others(self, moment: Moment) -> list[OtherCall]:
        """What somebody else does at this moment."""
        return [call for effect in self.all(ByAnother) if effect.moment == moment for call in effect.calls]


class Faults:
    """The rules of one local AWS, in order, and what they have counted.

    `hooks` are called before each operation and after each that took effect; what they raise (AwsError, botocore's
    connection errors) reaches the client, "before" without the effect, "after" with it.  `tell` gets a line for each
    strike.
    """

    def __init__(self, clock: Clock, seed: int = 0, tell: Callable[[str], None] | None = None) -> None:
        self._clock, self._seed, self._tell = clock, seed, tell
        self.hooks: list[Hook] = []
        self.strikes: deque[Strike] = deque(maxlen=_MOST)
        self.resting = False
        """Whether calls are let through untouched: those that somebody else makes."""
        self._armed: list[_Armed] = []
        self._births: dict[str, tuple[int, float]] = {}
        self._pages: dict[str, int] = {}
        self._asked: Counter[str] = Counter()
        self._told: dict[tuple[str, str], Mapping[str, Any]] = {}
        self._wrote: dict[tuple[str, str], float] = {}
        self._now: list[Met] = []

    def add(self, *rules: Rule) -> None:
        """Sets rules; of those that decide how a call ends the first that strikes counts."""
        for rule in rules:
            number = len(self._armed) + 1
            self._armed.append(_Armed(rule, number, self._clock.monotonic(), len(self._births)))

    def clear(self) -> None:
        """Nothing goes wrong any more, hooks included."""
        self.hooks.clear()
        self._armed.clear()
        self._told.clear()

    @contextmanager
    def rest(self) -> Iterator[None]:
        """Meanwhile calls meet no rules and no hooks."""
        before, self.resting = self.resting, True
        try:
            yield
        finally:
            self.resting = before

    def call_hooks(self, moment: Moment, call: Call) -> None:
        """Calls all hooks, in the order in which they were added."""
        for hook in list(self.hooks):
            hook(moment, call)

    # ---- deciding

    @contextmanager
    def meeting(self, call: Call, account: str, find: Find) -> Iterator[Met]:
        """What a call meets, counted; meanwhile `hidden` answers for it."""
        met = Met(call, account, find)
        if self._armed and not self.resting:
            self._decide(met)
        self._now.append(met)
        try:
            yield met
        finally:
            self._now.pop()

    def _decide(self, met: Met) -> None:
        call, now = met.call, self._clock.monotonic()
        token = _token(call.parameters)
        page = self._pages.get(token, 2) if token else 1
        request = f"{call.service} {call.operation} {call.region} {_text(call.parameters)}"
        self._asked[request] += 1
        ended = False
        for armed in self._armed:
            place = armed.rule.do.place
            if place == "list" or not armed.is_about(call, page, now, met.find):
                continue
            if place == "answer" and token and armed.rule.page is None:
                if token in armed.pages:  # the list goes on as it began
                    met.strikes.append(armed.strike(call, now))
                continue
            armed.seen += 1
            if (place == "outcome" and ended) or not self._strikes(armed, met, request, now):
                continue
            ended = ended or place == "outcome"
            armed.struck += 1
            self._note(met, armed.strike(call, now))

    def _strikes(self, armed: _Armed, met: Met, request: str, now: float) -> bool:
        rule = armed.rule
        if not rule.nth.fits(armed.seen) or (rule.times is not None and armed.struck >= rule.times):
            return False
        if rule.chance < 1.0 and self._chance(armed, request) >= rule.chance:
            return False
        if isinstance(rule.do, Throttle):
            call, where = met.call, (met.account, met.call.region, met.call.service)
            wanted = published(call.service, call.operation, call.parameters)
            if rule.do.burst is not None:
                wanted = [(call.operation, Size(rule.do.burst, rule.do.refill), 1.0)]
            return not armed.buckets.take(where, wanted, now)
        return True

    def _chance(self, armed: _Armed, request: str) -> float:
        """From 0 to 1: by the seed, the rule, the request, and how often it was made; never by what others do."""
        text = f"{self._seed} {armed.number} {request} {self._asked[request]}"
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) / 2**64

    def _note(self, met: Met, strike: Strike) -> None:
        met.strikes.append(strike)
        self.strikes.append(strike)
        if self._tell is not None:
            self._tell(str(strike))

    # ---- lists

    def note_birth(self, operation: str, answer: Mapping[str, Any]) -> None:
        """Remembers when the things in a create's answer came to be."""
        for identity in created_ids(operation, answer):
            self._births.setdefault(identity, (len(self._births), self._clock.monotonic()))

    def note_page(self, met: Met, answer: Mapping[str, Any]) -> None:
        """Remembers which page of which list the token in an answer leads to."""
        token = next((answer[name] for name in TOKENS if answer.get(name)), None)
        if not isinstance(token, str) or not self._armed:
            return
        before = _token(met.call.parameters)
        self._pages[token] = (self._pages.get(before, 2) if before else 1) + 1
        struck = {id(strike.rule) for strike in met.strikes}
        for armed in self._armed:
            (armed.pages.add if id(armed.rule) in struck else armed.pages.discard)(token)

    def hidden(self, service: str, operation: str, identity: str, first_page: bool) -> bool:
        """Whether a list does not show a thing; asked once per list, page and thing, since first pages count."""
        met = self._now[-1] if self._now else None
        if met is None or self.resting:
            return False
        if any(
            is_meant(pattern, identity, met.find) for effect in met.all(LeaveOut) for pattern in effect.things
        ):
            return True
        if identity not in self._births:
            return False
        for armed in self._armed:
            if isinstance(armed.rule.do, Lag) and self._lags(armed, armed.rule.do, met, identity, first_page):
                if armed.number not in met.said:
                    met.said.add(armed.number)
                    self._note(met, armed.strike(met.call, self._clock.monotonic(), f"{identity} is hidden"))
                return True
        return False

    def _lags(self, armed: _Armed, lag: Lag, met: Met, identity: str, first_page: bool) -> bool:
        order, born = self._births[identity]
        now = self._clock.monotonic()
        if order < armed.births or not armed.is_about(met.call, 1, now, met.find):
            return False
        if lag.seconds is not None and now < born + lag.seconds:
            return True
        if lag.lists is None:
            return False
        look = (met.call.operation, identity)
        armed.looks[look] += 1 if first_page else 0
        return armed.looks[look] <= lag.lists

    # ---- what was

    def note_write(self, call: Call) -> None:
        """Remembers when something changed."""
        self._wrote[(call.service, call.region)] = self._clock.monotonic()

    def outdated(self, met: Met, truth: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
        """What a stale read answers instead of the truth, None when it tells it.

        `truth` None: the read was refused, for what it asks for is not there any more.
        """
        call, now = met.call, self._clock.monotonic()
        stale = [
            armed
            for armed in self._armed
            if isinstance(armed.rule.do, Stale) and armed.is_about(call, 1, now, met.find)
        ]
        if not stale or self.resting or not is_read(call.operation):
            return None
        wrote = self._wrote.get((call.service, call.region))
        key = (f"{met.account} {call.service} {call.operation} {call.region}", _text(call.parameters))
        for armed in stale:
            assert isinstance(armed.rule.do, Stale)
            if wrote is not None and now < wrote + armed.rule.do.seconds and key in self._told:
                armed.seen += 1
                self._note(met, armed.strike(call, now))
                return self._told[key]
        if truth is not None:
            self._told[key] = truth
        return None


TOKENS = ("NextToken", "nextToken", "Marker", "NextMarker", "PaginationToken")
"""What services call that which continues a list."""


def _token(parameters: Mapping[str, Any]) -> str:
    """What continues a list, "" at its beginning."""
    return str(next((parameters[name] for name in TOKENS if parameters.get(name)), ""))


def _text(parameters: Mapping[str, Any]) -> str:
    return json.dumps(parameters, sort_keys=True, default=repr)
