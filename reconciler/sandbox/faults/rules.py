"""Rules as values: which calls, and what happens to them.  Made by `file` and by `inprocess.LocalAws`."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, ClassVar, Literal

from ..calls import is_read
from ..errors import AwsError

Find = Callable[[str], "list[Mapping[str, str]]"]
"""The things that hold an address, each with its `id` and `arn`."""

NAME = re.compile(r"\$\{([^{}.\s]+/[^{}\s]+?)(?:\.(id|arn))?\}")
"""`${site/one}`, `${site/one.arn}`: the thing whose address tag says so."""


@dataclass(frozen=True)
class Target:
    """Calls of a service ("*": of any) by operation: its name, "*", "reads" or "writes"."""

    service: str = "*"
    operation: str = "*"

    def fits(self, service: str, operation: str) -> bool:
        """Whether it means this call."""
        if self.service not in ("*", service):
            return False
        if self.operation in ("reads", "writes"):
            return is_read(operation) is (self.operation == "reads")
        return self.operation in ("*", operation)


@dataclass(frozen=True)
class Nth:
    """Which of the matching calls, counted from one: from `first` to `last`, and of those all, the odd or the even."""

    first: int = 1
    last: float = math.inf
    parity: Literal["", "odd", "even"] = ""

    def fits(self, number: int) -> bool:
        """Whether it means the call with this number."""
        inside = self.first <= number <= self.last
        return inside and (not self.parity or (number % 2 == 1) is (self.parity == "odd"))


# ---- what happens

Place = Literal["outcome", "answer", "list", "beside"]
"""Where an effect works.  outcome: how the call ends, of which a call has one.  answer: changes what a read shows.
list: decided thing by thing.  beside: goes with any other."""


@dataclass(frozen=True)
class Refuse:
    """The call is refused, without effect.

    In: an error; or a word of `refusals.WORDS`, which each service spells in its own way.
    """

    error: AwsError | str
    word: ClassVar[str] = "fail"
    place: ClassVar[Place] = "outcome"


@dataclass(frozen=True)
class Throttle:
    """The call is refused while a token bucket is empty.

    In: the bucket's size and its refill a second; without them the numbers that AWS publishes (`buckets`).
    """

    burst: float | None = None
    refill: float = 0.0
    word: ClassVar[str] = "throttle"
    place: ClassVar[Place] = "outcome"


@dataclass(frozen=True)
class Drop:
    """The connection closes before anything happened."""

    word: ClassVar[str] = "drop"
    place: ClassVar[Place] = "outcome"


@dataclass(frozen=True)
class LoseAnswer:
    """The operation happens, and the connection closes before its answer arrives."""

    word: ClassVar[str] = "lose-answer"
    place: ClassVar[Place] = "outcome"


@dataclass(frozen=True)
class Cut:
    """The answer comes with half of its body, while Content-Length tells the whole."""

    word: ClassVar[str] = "cut"
    place: ClassVar[Place] = "outcome"


@dataclass(frozen=True)
class Slow:
    """The operation happens, and its answer comes `seconds` later.

    In process nobody waits: the held clock is moved on, and a client gets a timeout after `patience` seconds, those
    that boto3 waits for by default.  Over HTTP the client really waits, and knows by itself for how long.
    """

    seconds: float
    patience: float = 60.0
    word: ClassVar[str] = "slow"
    place: ClassVar[Place] = "beside"


@dataclass(frozen=True)
class Lag:
    """New things are missing from lists for `seconds` of the clock, or from the next `lists` lists.

    All pages of a list count as one.  What was there before the rule was set is shown.
    """

    seconds: float | None = None
    lists: int | None = None
    word: ClassVar[str] = "lag"
    place: ClassVar[Place] = "list"


@dataclass(frozen=True)
class LeaveOut:
    """Things are missing from lists; `things` are ids, with * and ?, or names as `${site/one}`."""

    things: tuple[str, ...] = ("*",)
    word: ClassVar[str] = "leave-out"
    place: ClassVar[Place] = "answer"


@dataclass(frozen=True)
class Empty:
    """A well-formed answer whose lists have nothing in them, and which is the last page."""

    word: ClassVar[str] = "empty"
    place: ClassVar[Place] = "answer"


@dataclass(frozen=True)
class Blank:
    """A well-formed answer without any member, so also without its list."""

    word: ClassVar[str] = "blank"
    place: ClassVar[Place] = "answer"


@dataclass(frozen=True)
class Stale:
    """For `seconds` after a write to the service in the region, a read answers what the same read answered before it.

    A read that was never made before tells the truth.
    """

    seconds: float
    word: ClassVar[str] = "stale"
    place: ClassVar[Place] = "list"


@dataclass(frozen=True)
class OtherCall:
    """A call that somebody else makes; names as `${site/one}` and `${site/one.arn}` stand for ids and ARNs.

    `region` None: that of the call that met the rule.
    """

    service: str
    operation: str
    parameters: Mapping[str, Any]
    region: str | None = None

    def __str__(self) -> str:
        return f"{self.service}:{self.operation}"


@dataclass(frozen=True)
class ByAnother:
    """Somebody else makes calls right before the operation, or right after it took effect; no rule meets theirs."""

    moment: Literal["before", "after"]
    calls: tuple[OtherCall, ...]
    place: ClassVar[Place] = "beside"

    @property
    def word(self) -> str:
        """As the file has it."""
        return self.moment


Effect = (
    Refuse | Throttle | Drop | LoseAnswer | Cut | Slow | Lag | LeaveOut | Empty | Blank | Stale | ByAnother
)


@dataclass(frozen=True, kw_only=True)
class Rule:
    """Which calls, and what happens to them.

    A call matches that is one of `calls`, in one of `regions` (none: any), with all of `parameters` (`matches` says
    how), the page-th page of a list, from `start` until `end` seconds after the rule was set.  Of those, the `nth`
    are struck, at most `times` of them, each with the probability `chance`.  `label` says in the log which rule it is.
    """

    calls: tuple[Target, ...]
    do: Effect
    regions: frozenset[str] = frozenset()
    parameters: Mapping[str, Any] = field(default_factory=dict)
    page: int | None = None
    nth: Nth = Nth()
    times: int | None = None
    chance: float = 1.0
    start: float = 0.0
    end: float = math.inf
    label: str = ""


def matches(wanted: Any, seen: Any, find: Find) -> bool:
    """Whether what was asked has all that is wanted.

    A mapping's members must all match, each item of a list must match one item, a text is a pattern with * and ?, and
    a name (`${site/one}`) matches the id or the ARN of a thing that holds the address; anything matches one item of a
    list that it is compared with.
    """
    if isinstance(wanted, Mapping):
        if isinstance(seen, list | tuple):
            return any(matches(wanted, one, find) for one in seen)
        return isinstance(seen, Mapping) and all(
            name in seen and matches(inner, seen[name], find) for name, inner in wanted.items()
        )
    if isinstance(wanted, list | tuple):
        return all(matches(one, seen, find) for one in wanted)
    if isinstance(seen, list | tuple):
        return any(matches(wanted, one, find) for one in seen)
    if isinstance(wanted, str):
        return isinstance(seen, str) and is_meant(wanted, seen, find)
    return bool(wanted == seen)


def is_meant(pattern: str, text: str, find: Find) -> bool:
    """Whether a pattern, or a name, means a text."""
    if named := NAME.fullmatch(pattern):
        return any(text in (thing["id"], thing["arn"]) for thing in find(named[1]))
    return fnmatchcase(text, pattern)
