"""A plan is carried out: its calls are made, branches that do not depend on each other side by side.  Called by `loop`.

What a create call answers is given back at once (`fold`), so that what refers to it can follow in the same pass;
whether it may is decided again by `decide`, never here.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from reconciler.aws.audit import Audit
from reconciler.aws.changing import Change, Changes
from reconciler.aws.creating import Creator
from reconciler.aws.gateway import Gateway
from reconciler.aws.lanes import Queue, has_room, lane_of, queue_of
from reconciler.aws.memory import Memory
from reconciler.aws.proving import NotOurs, prove
from reconciler.aws.rows import KindsByName, completed, rows
from reconciler.errors import AwsError, Denied, Exhausted, Gone, NotYet, ReconcilerError, Refused, Unknown
from reconciler.model.address import Address
from reconciler.model.calls import Call, token
from reconciler.model.kind import Kind
from reconciler.model.plan import Entry, Outcome, Plan, Status
from reconciler.model.service import SERVICES
from reconciler.model.things import Observed, Pending, Scope, World, within
from reconciler.model.verdicts import Blocked, Settled, Steps, Verb, Wait

DONE: dict[Verb, Status] = {
    "create": "created",
    "update": "updated",
    "replace": "replaced",
    "delete": "deleted",
}
STOPPED = "stopped before its turn"


@dataclass(frozen=True)
class Result:
    """What became of one entry, and the thing that a create call answered.  `ends`: why no other entry may begin."""

    entry: Entry
    outcome: Outcome
    made: Observed | None = None
    ends: str = ""


class Applier:
    """Carries out plans of one stack."""

    def __init__(
        self,
        gateway: Gateway,
        kinds: KindsByName,
        memory: Memory,
        audit: Audit,
        *,
        stack: str,
        config_hash: str,
        world: World,
        new_id: Callable[[], str],
        clock: Callable[[], float] = time.monotonic,
        by: str | None = None,
    ) -> None:
        """`world` is what the plan was made from; `new_id` names changes; `clock` is in seconds;
        `by` is the person who has agreed to a plan that a guard had stopped."""
        self._changes = Changes(gateway, kinds, audit, stack, config_hash, clock, by)
        self._creator = Creator(
            kinds,
            memory,
            stack,
            world.spent,
            gateway.sessions.partition,
            lambda kind, scope, call: made(gateway, kinds, stack, kind, scope, call),
            lambda kind, scope, how, row: next(completed(gateway, kind, scope, how, [row])),
        )
        self._new_id, self.gateway = new_id, gateway
        self._busy = Busy(kinds, world.things)
        self.cut_short = ""
        """Why nothing further may be changed, after `apply`: a lease that was lost, credentials that have expired."""

    def apply(
        self,
        plan: Plan,
        *,
        decide: Callable[[Address], Entry],
        fold: Callable[[Observed], None],
        keep: Callable[[], str | None],
        stopped: Callable[[], bool],
        come_between: Callable[[Entry], Wait | None],
        executor: Executor,
    ) -> list[Outcome]:
        """Make the calls of a plan: first those of wanted addresses, each after what it needs, then deletions.

        `decide` gives an address's entry anew, `fold` adds a thing to what was seen, `keep` says why nothing may be
        deleted after all (asked once, right before the first deletion), `stopped` whether no further entry may
        begin, `come_between` what an entry that is about to begin waits for, though it did not when it was planned.
        Gives one outcome for each entry of the plan, in its order.
        """
        outcomes: dict[int, Outcome] = {}
        run = _Run(self, decide, fold, cache(keep), stopped, come_between, executor)
        wanted = [(index, entry) for index, entry in enumerate(plan.entries) if entry.wanted]
        leaving = [(index, entry) for index, entry in enumerate(plan.entries) if not entry.wanted]
        for batch in (wanted, leaving):
            outcomes |= run.batch(batch)
        self.cut_short = run.ended
        return [outcomes[index] for index in range(len(plan.entries))]

    # ---- one entry, in a worker thread

    def carry_out(
        self, entry: Entry, stopped: Callable[[], bool], come_between: Callable[[Entry], Wait | None]
    ) -> Result:
        """Make the calls of one entry, in order, until one does not succeed or there is a reason to stop."""
        steps = entry.verdict
        assert isinstance(steps, Steps), "only steps can be carried out"
        if stopped():  # since it was put into the queue of the workers
            return Result(entry, Outcome(label=entry.label, status="waiting", why=STOPPED))
        if waits := come_between(entry):
            return Result(entry, without_steps(replace(entry, verdict=waits)))

        def send(call: Call) -> dict[str, Any]:
            """A creation may take many, each with another token."""
            self._changes.gateway.take_turn(call)
            if stopped():
                raise ReconcilerError(f"stopped before {call}")
            return change.send(call)

        change, call = Change(self._changes, entry, self._new_id()), steps.calls[0]
        try:
            if takes_away(entry):
                self._prove(entry)
            for change.step, call in enumerate(steps.calls, 1):
                if stopped():
                    return Result(entry, left(entry, change, call, f"stopped before {call}"), change.made)
                if what := self._busy.already(call, self._changes.kinds[entry.address.kind]):
                    why = f"AWS is at work on {what}"
                    return Result(entry, left(entry, change, call, why), change.made)
                if call.creates:
                    change.made = self._creator.create(entry, call, send)
                else:
                    send(with_token(call))
        except NotOurs as error:
            change.line.warning("ownership.conflict", reason=str(error))
            return Result(entry, Outcome(label=entry.label, status="blocked", why=str(error), final=True))
        except AwsError as error:
            outcome = failed(entry, change, call, error)
            if outcome.final:
                rescue(change, steps, call)
            return Result(entry, outcome)
        except ReconcilerError as error:  # nothing may be changed any more
            why = str(error)
            return Result(entry, left(entry, change, call, why), change.made, ends=why)
        except Exception as error:  # a mistake of ours stops this address, and no other
            change.line.critical("unit.failed", error=str(error), exc_info=True)
            return Result(entry, Outcome(label=entry.label, status="failed", why=f"a defect: {error!r}"))
        change.succeeded(call, steps.why)
        deletes = call.operation == self._changes.kinds[entry.address.kind].delete
        if takes_away(entry) and deletes:
            self._creator.memory.deleted(entry.address)
        elif steps.verb in {"delete", "replace"} and not deletes and not call.creates:
            why = f"{steps.why}: it is released first"
            return Result(entry, Outcome(label=entry.label, status="waiting", why=why), change.made)
        return Result(entry, Outcome(label=entry.label, status=DONE[steps.verb], why=steps.why), change.made)

    def _prove(self, entry: Entry) -> None:
        assert entry.seen is not None, "only what was seen is deleted"
        prove(self._changes.gateway, self._changes.kinds, self._changes.stack, entry.seen)


class Busy:
    """What AWS has been set to work at since the look: it would refuse other changes of that (`Service.busying`)."""

    def __init__(self, kinds: KindsByName, things: Iterable[Observed]) -> None:
        """`things` are those that were seen: what one lies on tells what is created by way of it (`Kind.through`)."""
        self._at_work: set[str] = set()
        self._lock = threading.Lock()
        through = {field for kind in kinds.values() for field in kind.through.values()}
        self._on = {
            (thing.id, field): thing.raw[field] for thing in things for field in through & thing.raw.keys()
        }

    def already(self, call: Call, kind: Kind) -> str:
        """What a call about a thing of a kind is about, where AWS is at work at it; from now on it is, where the call
        sees to that."""
        service = SERVICES[call.service]
        thing = str(call.parameters.get(service.busied, "")) if service.busied else ""
        for path, field in kind.through.items() if call.creates else ():
            thing = thing or str(self._on.get((str(call.parameters.get(path)), field), ""))
        with self._lock:
            if thing in self._at_work:
                return thing
            if call.operation in service.busying:
                self._at_work.add(thing)
        return ""


def made(
    gateway: Gateway, kinds: KindsByName, stack: str, kind: Kind, scope: Scope, call: Call
) -> dict[str, Any] | None:
    """The row of what a call has made, where its answer says nothing: it is known by its name."""
    assert kind.handle is not None, "what is not answered has a name"
    name = str(call.parameters[kind.handle])
    found = rows(gateway, kinds, stack, scope, None, (name,))
    return next((row for row in found if row[kind.handle] == name), None)


def with_token(call: Call) -> Call:
    """The same call; where AWS takes a token, made once however often it is sent."""
    if call.seed is None:
        return call
    name = SERVICES[call.service].token
    return replace(call, parameters={**call.parameters, name: token(call.seed, 0)})


def left(entry: Entry, change: Change, call: Call, why: str) -> Outcome:
    """The outcome of an entry that was left before `call`; what was begun gets its last line in the log."""
    if change.begun:
        change.deferred(call, why)
    return Outcome(label=entry.label, status="waiting", why=why)


def rescue(change: Change, steps: Steps, call: Call) -> None:
    """Make the calls that help a thing out of what it was put into for `call`, which AWS has refused for good."""
    for help in steps.rescue if call not in steps.rescue else ():
        try:
            change.send(help)
        except AwsError:
            continue  # it is on record, and the next look finds the thing as it is
        except ReconcilerError:
            return


def failed(entry: Entry, change: Change, call: Call, error: AwsError) -> Outcome:
    """The outcome of an entry whose `call`, or a read that it needs, did not succeed."""
    last = isinstance(entry.verdict, Steps) and call == entry.verdict.calls[-1]
    if isinstance(error, Gone) and not entry.wanted and (last or not change.begun):
        why = "it was gone already"
        if change.begun:
            change.succeeded(call, why)
        return Outcome(label=entry.label, status="deleted", why=why)
    if isinstance(error, NotYet | Gone):
        change.deferred(call, str(error), error)
        unknown = isinstance(error, Unknown)
        return Outcome(label=entry.label, status="waiting", why=str(error), code=error.code, unknown=unknown)
    change.failed(call, error)
    final = isinstance(error, Refused | Denied | Exhausted)
    return Outcome(label=entry.label, status="failed", why=str(error), code=error.code, final=final)


class _Run:
    """One plan on its way: which entries have begun, which are done.  Lives in the coordinating thread."""

    def __init__(
        self,
        applier: Applier,
        decide: Callable[[Address], Entry],
        fold: Callable[[Observed], None],
        keep: Callable[[], str | None],
        stopped: Callable[[], bool],
        come_between: Callable[[Entry], Wait | None],
        executor: Executor,
    ) -> None:
        self._applier, self._decide, self._fold = applier, decide, fold
        self._keep, self._stopped, self._executor = keep, stopped, executor
        self._come_between = come_between
        self.ended = ""

    def batch(self, entries: Iterable[tuple[int, Entry]]) -> dict[int, Outcome]:
        """Carry out entries in order of dependence, as many side by side as there are workers."""
        outcomes: dict[int, Outcome] = {}
        todo: dict[int, Entry] = {}
        flying: dict[Future[Result], tuple[int, Entry]] = {}
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
                for future in wait(flying, return_when=FIRST_COMPLETED).done if flying else ():
                    index, _ = flying.pop(future)
                    result = future.result()
                    outcomes[index] = result.outcome
                    self.ended = self.ended or result.ends
                    if result.made is not None:
                        self._fold(result.made)
            except (
                BaseException
            ):  # a mistake of ours, or a second INT: no pass is over while it changes something
                for future in flying:
                    future.cancel()
                wait(flying)
                raise
        return outcomes

    def _start(
        self, todo: dict[int, Entry], flying: dict[Future[Result], tuple[int, Entry]]
    ) -> dict[int, Outcome]:
        """Begin what can begin now; gives the outcomes of entries that turn out to have nothing to begin."""
        outcomes: dict[int, Outcome] = {}
        open_addresses = {entry.address for entry in todo.values()} | {
            entry.address for _, entry in flying.values()
        }
        lanes = {lane_of(entry) for _, entry in flying.values()} - {None}
        queues, full = Counter(queue_of(entry) for _, entry in flying.values()), set[Queue]()
        for index, entry in list(todo.items()):
            needed = set(entry.after) if entry.wanted else set()
            if needed & open_addresses or lane_of(entry) in lanes:
                continue
            queue = queue_of(entry)
            if queue in full or not has_room(self._applier.gateway, entry, queues[queue]):
                full.add(queue)
                continue
            del todo[index]
            now = self._again(entry)
            if not isinstance(now, Entry):
                outcomes[index] = now
                open_addresses.discard(entry.address)
                continue
            lanes |= {lane_of(now)} - {None}
            queues[queue_of(now)] += 1
            flying[self._executor.submit(self._applier.carry_out, now, self._stopped, self._come_between)] = (
                index,
                now,
            )
        return outcomes

    def _again(self, entry: Entry) -> Entry | Outcome:
        """The entry in the light of what this pass has made so far, or its outcome when there is nothing to do yet."""
        if self._stopped():
            return Outcome(label=entry.label, status="waiting", why=STOPPED)
        if self.ended:
            return Outcome(label=entry.label, status="waiting", why=self.ended)
        now = self._decide(entry.address) if entry.wanted else entry
        if not isinstance(now.verdict, Steps):
            return without_steps(now)
        if takes_away(now) and not takes_away(entry):  # no guard has counted it
            return Outcome(label=entry.label, status="waiting", why="it is to be replaced, by the next pass")
        if takes_away(now) and (why := self._keep()):
            return Outcome(label=entry.label, status="waiting", why=why, on="person")
        missing = next(pending_in(now.verdict), None)
        if missing is not None:
            return Outcome(label=entry.label, status="waiting", why=f"needs {missing}")
        return now


def takes_away(entry: Entry) -> bool:
    """Whether the steps of an entry delete a thing, or prepare its deletion."""
    return not entry.wanted or (
        isinstance(entry.verdict, Steps) and entry.verdict.verb in {"delete", "replace"}
    )


def without_steps(entry: Entry) -> Outcome:
    """The outcome of an entry that has no calls to make."""
    match entry.verdict:
        case Settled(notes):
            return Outcome(label=entry.label, status="settled", why="; ".join(notes))
        case Blocked(why):
            return Outcome(label=entry.label, status="blocked", why=why)
        case Wait(why, on):
            status: Status = "failed" if on == "back-off" else "waiting"
            return Outcome(label=entry.label, status=status, why=why, on=on)
    return Outcome(label=entry.label, status="planned", why="nothing is written, for mode is observe")


def pending_in(steps: Steps) -> Iterator[Address]:
    """The addresses whose values the calls still lack, or those that have to follow."""
    calls = (*steps.calls, *steps.afterwards)
    return (pending.of for call in calls for pending in within(call.parameters, Pending))
