"""A plan is carried out: its calls are made, branches that do not depend on each other side by side.  Called by `loop`.

What a create call answers is given back at once (`fold`), so that what refers to it can follow in the same pass;
whether it may is decided again by `decide`, never here.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from reconciler.aws.audit import Audit
from reconciler.aws.batches import Batch, Born, joined
from reconciler.aws.changing import Change, Changes, send_for
from reconciler.aws.creating import Creator
from reconciler.aws.gateway import Gateway
from reconciler.aws.lanes import Lanes, lane_of
from reconciler.aws.memory import Memory
from reconciler.aws.outcomes import (
    DONE,
    STOPPED,
    Result,
    apart,
    failed,
    left,
    rescue,
    takes_away,
    without_steps,
)
from reconciler.aws.proving import NotOurs, prove
from reconciler.aws.rows import KindsByName, completed, rows
from reconciler.aws.turns import Batches, Questions, Turns, Workers
from reconciler.errors import AwsError, ReconcilerError
from reconciler.model.address import Address
from reconciler.model.calls import Call, token
from reconciler.model.kind import Kind
from reconciler.model.plan import Entry, Outcome, Plan
from reconciler.model.service import SERVICES
from reconciler.model.things import Observed, Scope, World
from reconciler.model.verdicts import Steps, Wait


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
        self._busy, self._lanes = Busy(kinds, world.things), Lanes()
        self.cut_short = ""
        """Why nothing further may be changed, after `apply`: a lease that was lost, credentials that have expired."""

    def apply(
        self,
        plan: Plan,
        *,
        decide: Callable[[Address], Entry],
        fold: Callable[[Sequence[Observed]], None],
        look_again: Callable[[], Collection[Address]],
        keep: Callable[[], str | None],
        stopped: Callable[[], bool],
        come_between: Callable[[Entry], Wait | None],
        batches: Batches,
        executor: Workers,
    ) -> list[Outcome]:
        """Make the calls of a plan: first those of wanted addresses, each after what it needs, then deletions.

        `decide` gives an address's entry anew, `fold` adds things to what was seen, `look_again` looks, now and then,
        at what was made, and gives the addresses of what has become of it, `keep` says why nothing may be
        deleted after all (asked once, right before the first deletion), `stopped` whether no further entry may
        begin, `come_between` what an entry that is about to begin waits for, though it did not when it was planned;
        `batches` are the addresses that are made together.
        Gives one outcome for each entry of the plan, in its order.
        """
        outcomes: dict[int, Outcome] = {}
        ask = Questions(decide, fold, look_again, cache(keep), stopped, come_between, batches)
        turns = Turns(self, ask, executor)
        wanted = [(index, entry) for index, entry in enumerate(plan.entries) if entry.wanted]
        leaving = [(index, entry) for index, entry in enumerate(plan.entries) if not entry.wanted]
        for entries in (wanted, leaving):
            outcomes |= turns.all(entries)
        self.cut_short = turns.ended
        return [outcomes[index] for index in range(len(plan.entries))]

    # ---- one entry, in a worker thread

    def carry_out(self, entry: Entry, ask: Questions) -> list[Result]:
        """Make the calls of one entry, in order, until one does not succeed or there is a reason to stop."""
        return [self._carry_out(entry, ask.stopped, ask.come_between)]

    def _carry_out(
        self, entry: Entry, stopped: Callable[[], bool], come_between: Callable[[Entry], Wait | None]
    ) -> Result:
        steps = entry.verdict
        assert isinstance(steps, Steps), "only steps can be carried out"
        if stopped():  # since it was put into the queue of the workers
            return Result(entry, Outcome(label=entry.label, status="waiting", why=STOPPED))
        if waits := come_between(entry):
            return Result(entry, without_steps(replace(entry, verdict=waits)))

        def send(call: Call) -> dict[str, Any]:
            """A creation may take many, each with another token."""
            self._changes.gateway.take_turn(call)
            with self._lanes.alone_in(lane_of(entry)):
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
                if change.step > 1 and takes_away(entry) and self._deletes(entry, call):
                    self._prove(entry)  # it may have become somebody else's while it was emptied
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
        deletes = self._deletes(entry, call)
        if takes_away(entry) and deletes:
            self._creator.memory.deleted(entry.address)
        elif steps.verb in {"delete", "replace"} and not deletes and not call.creates:
            why = f"{steps.why}: it is released first"
            return Result(entry, Outcome(label=entry.label, status="waiting", why=why), change.made)
        return Result(entry, Outcome(label=entry.label, status=DONE[steps.verb], why=steps.why), change.made)

    # ---- several that one call makes, in a worker thread

    def joined(self, entries: Sequence[Entry]) -> Call | None:
        """The one call that makes what these entries would make one by one; None where they have to."""
        memory = self._creator.memory
        if any(entry.address in memory.alone for entry in entries):
            return None
        return joined(self._changes.kinds[entries[0].address.kind], self._changes.stack, entries)

    def carry_out_together(self, entries: Sequence[Entry], call: Call, ask: Questions) -> list[Result]:
        """Make what several entries would create by one call; each has a change of its own."""
        if ask.stopped():
            return [Result(one, Outcome(label=one.label, status="waiting", why=STOPPED)) for one in entries]
        waits = {entry.address: ask.come_between(entry) for entry in entries}
        if why := next((f"{address}: {wait.why}" for address, wait in waits.items() if wait), None):
            other = Wait(f"not made with {why}", "other")
            return [
                Result(one, without_steps(replace(one, verdict=waits[one.address] or other)))
                for one in entries
            ]
        changes = [Change(self._changes, entry, self._new_id()) for entry in entries]
        pairs = list(zip(entries, changes, strict=True))

        def send(call: Call) -> dict[str, Any]:
            self._changes.gateway.take_turn(call)
            if ask.stopped():
                raise ReconcilerError(f"stopped before {call}")
            return send_for(self._changes, changes, call)

        try:
            born = Batch(self._creator, entries, call).create(send)
        except AwsError as error:
            return [Result(entry, apart(entry, change, call, error)) for entry, change in pairs]
        except ReconcilerError as error:  # nothing may be changed any more
            why = str(error)
            return [Result(entry, left(entry, change, call, why), ends=why) for entry, change in pairs]
        except Exception as error:  # a mistake of ours stops these addresses, and no other
            changes[0].line.critical("unit.failed", error=str(error), exc_info=True)
            why = f"a defect: {error!r}"
            return [Result(one, Outcome(label=one.label, status="failed", why=why)) for one in entries]
        return [
            self._landed(entry, change, call, one) for (entry, change), one in zip(pairs, born, strict=True)
        ]

    def _landed(self, entry: Entry, change: Change, call: Call, born: Born) -> Result:
        """The result of one of those that a call has made."""
        if isinstance(born, NotOurs):
            change.line.warning("ownership.conflict", reason=str(born))
            return Result(entry, Outcome(label=entry.label, status="blocked", why=str(born), final=True))
        if isinstance(born, AwsError):
            return Result(entry, failed(entry, change, call, born))
        change.made = born
        change.succeeded(call, call.why)
        return Result(entry, Outcome(label=entry.label, status="created", why=call.why), born)

    def _deletes(self, entry: Entry, call: Call) -> bool:
        return call.operation == self._changes.kinds[entry.address.kind].delete

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
