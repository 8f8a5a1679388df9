"""Whose turn it is: entries of a plan are begun in order of dependence, side by side.  Used by `apply`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from reconciler.aws.gateway import Gateway
from reconciler.aws.lanes import Queue, goes_at_once, has_room, lane_of, queue_of
from reconciler.aws.outcomes import STOPPED, Result, pending_in, takes_away, without_steps
from reconciler.model.address import Address
from reconciler.model.calls import Call
from reconciler.model.plan import Entry, Outcome
from reconciler.model.things import Observed
from reconciler.model.verdicts import Settled, Steps, Wait

Batches = Mapping[Address, tuple[Address, ...]]
"""By address, those with which it is made by one call if all of them are to be made (`engine.batches`)."""
WAITING = 10
"""How many may wait for AWS's rates at one time where each sort has one that does: whoever waits holds a worker, and
what would go at once needs one."""
LANE = 2
"""How many may be under way that write to one global network: while one waits for its rate, another writes."""
STEP = 0.2
"""Seconds after which it is seen to what has been made, though nothing else is over."""
ComeBetween = Callable[[Entry], Wait | None]


@dataclass(frozen=True)
class Questions:
    """What is asked while a plan is carried out: `Applier.apply` says what each of them is."""

    decide: Callable[[Address], Entry]
    fold: Callable[[Sequence[Observed]], None]
    look_again: Callable[[], Collection[Address]]
    keep: Callable[[], str | None]
    stopped: Callable[[], bool]
    come_between: ComeBetween
    batches: Batches


class Workers(Protocol):
    """Those in whose threads that is done (`reconciler.workers`)."""

    def submit(self, function: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]: ...

    def first_done(self, tasks: Collection[Future[Any]], seconds: float) -> set[Future[Any]]: ...


class Carrier(Protocol):
    """Who carries out what has begun, in worker threads."""

    gateway: Gateway

    def carry_out(self, entry: Entry, ask: Questions) -> list[Result]: ...

    def carry_out_together(self, entries: Sequence[Entry], call: Call, ask: Questions) -> list[Result]: ...

    def joined(self, entries: Sequence[Entry]) -> Call | None: ...


class _Group(NamedTuple):
    """Entries that one call makes, by their places in the plan."""

    entries: dict[int, Entry]
    call: Call


class Turns:
    """One plan on its way: which entries have begun, which are done.  Lives in the coordinating thread."""

    def __init__(self, carrier: Carrier, ask: Questions, executor: Workers) -> None:
        self._carrier, self._ask, self._executor = carrier, ask, executor
        self._apart: set[Address] = set()
        """What is not made with others in this pass, since not all of them are to be made, or can be now."""
        self._made: dict[int, Outcome] = {}
        """What has become of those that were made in this pass and have begun once more."""
        self._seen: set[Address] = set()
        """What was made in this pass, and has been shown since."""
        self._whole: set[int] = set()
        """Those of it that nothing is left to do about."""
        self._waiting: set[Future[list[Result]]] = set()
        """What has begun and waits for AWS's rate before its first call, or did."""
        self.ended = ""

    def all(self, entries: Iterable[tuple[int, Entry]]) -> dict[int, Outcome]:
        """Carry out entries in order of dependence, as many side by side as there are workers."""
        outcomes: dict[int, Outcome] = {}
        todo: dict[int, Entry] = {}
        flying: dict[Future[list[Result]], dict[int, Entry]] = {}
        entries = list(entries)
        wanted = any(entry.wanted for _, entry in entries)  # nothing follows from deletions
        for index, entry in entries:
            if isinstance(entry.verdict, Steps):
                todo[index] = entry
            else:
                outcomes[index] = without_steps(entry)
        while todo or flying:
            try:
                ended = self._start(todo, flying)
                assert ended or flying, f"{[entry.label for entry in todo.values()]} wait for each other"
                outcomes |= ended
                for future in self._executor.first_done(flying, STEP) if flying else ():
                    outcomes |= self._with_births(self._landed(flying.pop(future), future.result()))
                if wanted and (todo or flying):  # else the next pass looks at everything
                    todo |= self._further(entries, outcomes)
            except (
                BaseException
            ):  # a mistake of ours, or a second INT: no pass is over while it changes something
                for future in flying:
                    future.cancel()
                wait(flying)
                raise
        return outcomes

    def _landed(self, entries: Mapping[int, Entry], results: Sequence[Result]) -> dict[int, Outcome]:
        for result in results:
            self.ended = self.ended or result.ends
        if made := [result.made for result in results if result.made is not None]:
            self._ask.fold(made)
        return {index: result.outcome for index, result in zip(entries, results, strict=True)}

    def _with_births(self, outcomes: Mapping[int, Outcome]) -> dict[int, Outcome]:
        """What was made and then changed was made; only what has failed is more to say."""
        return {
            index: self._made[index]
            if index in self._made and outcome.status in {"updated", "waiting", "settled"}
            else outcome
            for index, outcome in outcomes.items()
        }

    def _further(
        self, entries: Iterable[tuple[int, Entry]], outcomes: dict[int, Outcome]
    ) -> dict[int, Entry]:
        """Entries that have something to begin after all, now that what this pass has made was looked at once more:
        those that wait, and, once, those that were made and are seen."""
        if self.ended or self._ask.stopped() or not (news := self._ask.look_again()):
            return {}
        self._seen.update(news)
        found: dict[int, Entry] = {}
        for index, entry in entries:
            before = outcomes.get(index)
            if before is None or not entry.wanted or index in self._made or index in self._whole:
                continue
            made = before.status == "created" and entry.address in self._seen
            if not made and (before.status != "waiting" or before.on not in {"aws", "other"} or before.code):
                continue
            now = self._ask.decide(entry.address)
            if made and isinstance(now.verdict, Settled):
                self._whole.add(index)
            elif isinstance(now.verdict, Steps) and not takes_away(now):
                found[index] = now
                if made:
                    self._made[index] = before
                else:
                    del outcomes[index]
        return found

    def _start(
        self, todo: dict[int, Entry], flying: dict[Future[list[Result]], dict[int, Entry]]
    ) -> dict[int, Outcome]:
        """Begin what can begin now; gives the outcomes of entries that turn out to have nothing to begin."""
        outcomes: dict[int, Outcome] = {}
        begun = [entry for entries in flying.values() for entry in entries.values()]
        unfinished = {entry.address: entry for entry in (*todo.values(), *begun)}
        lanes = Counter(lane_of(entry) for entry in begun)
        queues = Counter(queue_of(next(iter(entries.values()))) for entries in flying.values())
        full, postponed = set[Queue](), set[int]()
        gateway = self._carrier.gateway
        self._waiting &= flying.keys()
        order = list(todo.items())
        for index, entry in order:  # it grows
            if index not in todo or self._waits_for(entry, unfinished):
                continue
            if (lane := lane_of(entry)) and lanes[lane] >= LANE:
                continue
            queue = queue_of(entry)
            if queue in full:
                continue
            if lane and index not in postponed and not goes_at_once(gateway, entry, 0):
                postponed.add(index)  # while it waits for its rate another might have gone
                order.append((index, entry))
                continue
            others = queues[queue]
            waits = not goes_at_once(gateway, entry, others)
            crowded = waits and others and len(self._waiting) >= WAITING
            if crowded or not has_room(gateway, entry, others):
                full.add(queue)
                continue
            group = self._group(entry, todo, unfinished)
            if group and not has_room(gateway, entry, others, group.call):
                full.add(queue)
                continue
            now = group or self._again(entry)
            if isinstance(now, Outcome):
                del todo[index]
                outcomes |= self._with_births({index: now})
                self._made.pop(index, None)  # it has not begun once more, and may still
                unfinished.pop(entry.address, None)
                continue
            queues[queue] += 1
            if isinstance(now, _Group):
                for one in now.entries:
                    del todo[one]
                together, members = self._carrier.carry_out_together, list(now.entries.values())
                future = self._executor.submit(together, members, now.call, self._ask)
                flying[future] = now.entries
            else:
                del todo[index]
                lanes[lane_of(now)] += 1
                future = self._executor.submit(self._carrier.carry_out, now, self._ask)
                flying[future] = {index: now}
            if waits:
                self._waiting.add(future)
        return outcomes

    def _waits_for(self, entry: Entry, unfinished: Mapping[Address, Entry]) -> bool:
        """Whether the steps of another have to come first."""
        before = (unfinished[one] for one in entry.after if one in unfinished) if entry.wanted else ()
        return any(one.awaited_by is None or entry.address.kind in one.awaited_by for one in before)

    def _group(
        self, entry: Entry, todo: Mapping[int, Entry], unfinished: Mapping[Address, Entry]
    ) -> _Group | None:
        """All that are made together with an entry, if all are to be made and can be now; then the others of it are
        made one by one as well, for what is seen of them is not all that there is."""
        members = self._ask.batches.get(entry.address, ()) if entry.wanted else ()
        if not members or entry.address in self._apart:
            return None
        places = {one.address: index for index, one in todo.items()}
        planned = {places[one]: todo[places[one]] for one in members if one in places}
        ready = not any(self._waits_for(one, unfinished) for one in planned.values())
        if len(planned) == len(members) and ready and self._carrier.joined([*planned.values()]):
            again = {index: self._again(one) for index, one in planned.items()}
            now = {index: one for index, one in again.items() if isinstance(one, Entry)}
            call = self._carrier.joined([*now.values()]) if len(now) == len(members) else None
            if call is not None:
                return _Group(now, call)
        self._apart.update(members)
        return None

    def _again(self, entry: Entry) -> Entry | Outcome:
        """The entry in the light of what this pass has made so far, or its outcome when there is nothing to do yet."""
        if self._ask.stopped():
            return Outcome(label=entry.label, status="waiting", why=STOPPED)
        if self.ended:
            return Outcome(label=entry.label, status="waiting", why=self.ended)
        now = self._ask.decide(entry.address) if entry.wanted else entry
        if not isinstance(now.verdict, Steps):
            return without_steps(now)
        if takes_away(now) and not takes_away(entry):  # no guard has counted it
            return Outcome(label=entry.label, status="waiting", why="it is to be replaced, by the next pass")
        if takes_away(now) and (why := self._ask.keep()):
            return Outcome(label=entry.label, status="waiting", why=why, on="person")
        missing = next(pending_in(now.verdict), None)
        if missing is not None:
            return Outcome(label=entry.label, status="waiting", why=f"needs {missing}")
        return now
