"""A plan: all addresses with their verdicts, in order.  Made by `engine`, shown by `show`, done by `aws.apply`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from reconciler.model.address import REPLACED, Address
from reconciler.model.things import Observed, Scope
from reconciler.model.verdicts import Blocked, Mover, Settled, Steps, Verdict, Wait


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One address and what is concluded about it.

    `seen` is the thing that holds the address, None while there is none.  `wanted` is False for an orphan and for a
    thing that makes way (`old`).  `after` are the addresses whose steps have to come first, where these are awaited:
    `awaited_by` are the kinds that wait for the steps of this one, None for all.
    `unread`: nobody could look whether there is a thing.
    """

    address: Address
    scope: Scope
    verdict: Verdict
    seen: Observed | None = None
    wanted: bool = True
    old: bool = False
    after: tuple[Address, ...] = ()
    awaited_by: frozenset[str] | None = None
    unread: bool = False

    @property
    def drifted(self) -> bool:
        """Whether AWS differs from what the config says, unless it is known that only the config has changed."""
        verdict = self.verdict
        found = verdict.drift if isinstance(verdict, Steps | Wait | Blocked) else ()
        return self.missing or any(one.origin != "pending" for one in found)

    @property
    def missing(self) -> bool:
        """Whether there is nothing at a wanted address: it was never made, or others have deleted it."""
        absent = self.seen is None and not self.unread
        return self.wanted and absent and not isinstance(self.verdict, Settled)

    @property
    def label(self) -> str:
        """The address as its tag has it, unique in a plan but for two things that make way for one address."""
        return f"{self.address}{REPLACED}" if self.old else str(self.address)


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """All entries: the wanted ones in order of dependence, then deletions in reverse order.

    `conflicts` are sentences about things whose ownership is in doubt; `unread` says what could not be read, `denied`
    which of it we may not read; `closed` and `barred` say the same of whole accounts.
    """

    stack: str
    entries: tuple[Entry, ...]
    conflicts: tuple[str, ...] = ()
    unread: Mapping[Scope, str] = field(default_factory=dict)
    denied: frozenset[Scope] = frozenset()
    closed: Mapping[str, str] = field(default_factory=dict)
    barred: frozenset[str] = frozenset()

    @property
    def unseen(self) -> Mapping[str, str]:
        """All that could not be read, in words, and why; an account of which nothing could be is told as one."""
        accounts = {f"the account {account}": why for account, why in self.closed.items()}
        scopes = {str(at): why for at, why in self.unread.items() if at.account not in self.closed}
        return {**accounts, **scopes}

    @property
    def forbidden(self) -> bool:
        """Whether some of it could not be read because we may not."""
        return bool(self.denied or self.barred)

    @property
    def steps(self) -> tuple[Entry, ...]:
        return tuple(entry for entry in self.entries if isinstance(entry.verdict, Steps))

    @property
    def settled(self) -> bool:
        """Whether there is nothing to do, nothing to wait for and nothing in the way."""
        verdicts = all(isinstance(entry.verdict, Settled) for entry in self.entries)
        return verdicts and not self.unseen and not self.conflicts

    def count(self, sort: type[Settled] | type[Steps] | type[Wait] | type[Blocked]) -> int:
        return sum(isinstance(entry.verdict, sort) for entry in self.entries)


Status = Literal[
    "settled", "created", "updated", "replaced", "deleted", "waiting", "blocked", "failed", "planned"
]
"""`planned`: there are steps, and nothing is written (`mode: observe`)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What became of one entry in one pass.

    `final`: trying again without a change of the config is no use.  `on`: who has to move, where it waits; an entry
    that failed in an earlier pass and is not tried now has failed, and waits on "back-off".  `unknown`: AWS knows
    nothing (yet) of what its call has named.  `together` is the same for all that one call was to make: they are tried
    again together.
    """

    label: str
    status: Status
    why: str = ""
    code: str = ""
    final: bool = False
    on: Mover = "aws"
    unknown: bool = False
    together: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """What became of one pass.  `calls` and `discovery_calls` count requests; `seconds` is how long it took."""

    outcomes: tuple[Outcome, ...]
    plan: Plan
    calls: int = 0
    writes: int = 0
    throttled: int = 0
    discovery_calls: int = 0
    seconds: float = 0.0

    def count(self, *statuses: Status) -> int:
        return sum(outcome.status in statuses for outcome in self.outcomes)

    @property
    def changed(self) -> int:
        return self.count("created", "updated", "replaced", "deleted")

    @property
    def outcome(self) -> str:
        """The pass in one word: settled, done, waiting, planned, partial or failed."""
        if self.count("failed") or self.plan.unseen:
            return "partial" if self.changed or self.count("settled") else "failed"
        if self.count("blocked") or self.plan.conflicts:
            return "partial"
        if self.count("waiting"):
            return "waiting"
        if self.count("planned"):
            return "planned"
        return "done" if self.changed else "settled"


class Ended(NamedTuple):
    """The end of a pass, however it came.

    `outcome` is one word; `guard` the guard that has stopped it, `problem` why it could not be done, "" when it could.
    """

    pass_id: str
    trigger: str
    outcome: str
    report: Report
    guard: str = ""
    problem: str = ""
