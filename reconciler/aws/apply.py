"""A plan is carried out: its calls are made, branches that do not depend on each other side by side.  Called by `loop`.

What a create call answers is given back at once (`fold`), so that what refers to it can follow in the same pass;
whether it may is decided again by `decide`, never here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from reconciler.aws.gateway import Gateway
from reconciler.aws.memory import Memory
from reconciler.aws.observe import KindsByName, as_observed, rows
from reconciler.errors import AwsError, Denied, Exhausted, Gone, Lost, NotYet, Refused, Throttled
from reconciler.log import Logger, get_logger
from reconciler.model.address import Address
from reconciler.model.calls import Call, token
from reconciler.model.kind import Kind
from reconciler.model.plan import Entry, Outcome, Plan, Status
from reconciler.model.things import ADDRESS_TAG, STACK_TAG, Observed, Pending, within
from reconciler.model.verdicts import Blocked, Settled, Steps, Verb, Wait

DONE: dict[Verb, Status] = {
    "create": "created",
    "update": "updated",
    "replace": "replaced",
    "delete": "deleted",
}
STOPPED = "stopped before its turn"
GENERATIONS = 100
"""How many used-up tokens are walked past before it is called a failure."""


@dataclass(frozen=True)
class Result:
    """What became of one entry, and the thing that a create call answered."""

    entry: Entry
    outcome: Outcome
    made: Observed | None = None


class Applier:
    """Carries out plans of one stack."""

    def __init__(
        self,
        gateway: Gateway,
        kinds: KindsByName,
        memory: Memory,
        stack: str,
        spent: frozenset[str] = frozenset(),
        new_id: Callable[[], str] = lambda: "",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`spent` are tokens of creations that are known to be dead; `new_id` names changes; `clock` is in seconds."""
        self._gateway, self._kinds, self._memory, self._stack = gateway, kinds, memory, stack
        self._spent, self._new_id, self._clock = spent, new_id, clock

    def apply(
        self,
        plan: Plan,
        *,
        decide: Callable[[Address], Entry],
        fold: Callable[[Observed], None],
        keep: Callable[[], str | None],
        stopped: Callable[[], bool],
        executor: Executor,
    ) -> list[Outcome]:
        """Make the calls of a plan: first those of wanted addresses, each after what it needs, then deletions.

        `decide` gives an address's entry anew, `fold` adds a thing to what was seen, `keep` says why nothing may be
        deleted after all (asked once, right before the first deletion), `stopped` whether no further entry may
        begin.  Gives one outcome for each entry of the plan, in its order.
        """
        outcomes: dict[int, Outcome] = {}
        run = _Run(self, decide, fold, cache(keep), stopped, executor)
        wanted = [(index, entry) for index, entry in enumerate(plan.entries) if entry.wanted]
        leaving = [(index, entry) for index, entry in enumerate(plan.entries) if not entry.wanted]
        for batch in (wanted, leaving):
            outcomes |= run.batch(batch)
        return [outcomes[index] for index in range(len(plan.entries))]

    # ---- one entry, in a worker thread

    def carry_out(self, entry: Entry, stopped: Callable[[], bool]) -> Result:
        """Make the calls of one entry, in order, until one does not succeed or there is a reason to stop."""
        steps = entry.verdict
        assert isinstance(steps, Steps), "only steps can be carried out"
        log = get_logger().bind(change_id=self._new_id(), verb=steps.verb, **_who(entry, entry.seen))
        made: Observed | None = None
        call = steps.calls[0]
        began, request = self._clock(), ""
        try:
            if stopped():  # since it was put into the queue of the workers
                return Result(entry, Outcome(label=entry.label, status="waiting", why=STOPPED))
            if takes_away(entry):
                self._prove(entry)
            for call in steps.calls:
                if stopped():
                    why = f"stopped before {call}"
                    return Result(entry, Outcome(label=entry.label, status="waiting", why=why), made)
                log.info("change.started", api=str(call), reason=call.why)
                if call.creates:
                    made = self._create(entry, call)
                else:
                    self._gateway.perform(call)
        except _NotOurs as error:
            log.warning("ownership.conflict", reason=str(error))
            return Result(entry, Outcome(label=entry.label, status="blocked", why=str(error), final=True))
        except AwsError as error:
            return Result(entry, self._failed(entry, error, log.bind(api=str(call))))
        except Exception as error:  # a mistake of ours stops this address, and no other
            log.critical("unit.failed", error=str(error), exc_info=True)
            return Result(entry, Outcome(label=entry.label, status="failed", why=f"a defect: {error!r}"))
        took = round((self._clock() - began) * 1000)
        log.bind(**_who(entry, made or entry.seen)).info(
            "change.succeeded", aws_request_id=request, duration_ms=took
        )
        return Result(entry, Outcome(label=entry.label, status=DONE[steps.verb], why=steps.why), made)

    def _failed(self, entry: Entry, error: AwsError, log: Logger) -> Outcome:
        if isinstance(error, Gone) and not entry.wanted:
            return Outcome(label=entry.label, status="deleted", why="it was gone already")
        log = log.bind(
            aws_error_code=error.code, aws_request_id=error.request_id, http_status=0, retry_attempts=0
        )
        if isinstance(error, NotYet | Gone):
            log.info("change.deferred", reason=str(error))
            return Outcome(label=entry.label, status="waiting", why=str(error), code=error.code)
        log.error("change.failed", reason=str(error))
        final = isinstance(error, Refused | Denied | Exhausted)
        return Outcome(label=entry.label, status="failed", why=str(error), code=error.code, final=final)

    # ---- creating, at most once

    def _create(self, entry: Entry, call: Call) -> Observed:
        address = entry.address
        if call.seed is None:
            self._memory.intend(address)
        try:
            made = self._born(entry, call)
        except (Lost, Throttled) as error:
            if isinstance(error, Throttled):
                self._memory.refused(address)
            raise
        except AwsError:
            self._memory.refused(address)
            raise
        self._memory.made(address, made.id)
        return made

    def _born(self, entry: Entry, call: Call) -> Observed:
        """The thing that a create call answers; a token that is used up by a dead thing makes way for the next."""
        if call.seed is None:
            return self._ours(entry, self._thing(entry, self._gateway.perform(call)))
        first = self._memory.generations.get(entry.address, 0)
        for generation in range(first, first + GENERATIONS):
            given = {**call.parameters, "ClientToken": token(call.seed, generation)}
            if given["ClientToken"] in self._spent:
                continue
            try:
                answer = self._gateway.perform(replace(call, parameters=given))
            except Refused as error:
                if error.code == "IdempotentInstanceTerminated":
                    continue
                if error.code == "IdempotentParameterMismatch":
                    # An earlier attempt, with other parameters, did happen.  Either a look will show it, or it is
                    # dead and no longer listed; that is believed when no look has shown it for long enough.
                    self._memory.made(entry.address, "")
                    self._memory.next_generation(entry.address, generation + 1)
                    raise NotYet(f"{error}; it is looked for", code=error.code, call=error.call) from error
                raise
            made = self._thing(entry, answer)
            if made.state in self._kinds[made.kind].gone | self._kinds[made.kind].leaving:
                continue
            if not made.tags:
                # The token is ours, so the thing is; an answer that AWS repeats may lack the tags.  A look decides.
                self._memory.made(entry.address, made.id)
                raise NotYet(f"{call}: an earlier attempt made {made.id}; it is looked for", call=str(call))
            return self._ours(entry, made)
        raise Refused(f"{call}: {GENERATIONS} earlier things of this address are dead", call=str(call))

    def _thing(self, entry: Entry, answer: dict[str, Any]) -> Observed:
        """The answer of a create call as a thing."""
        kind = self._kinds[entry.address.kind]
        row = find_row(kind, answer)
        if row is None:
            raise Lost(
                f"{kind.create}: the answer has no {kind.id}", code="IncompleteAnswer", call=kind.create
            )
        return as_observed(kind, row, entry.scope, self._gateway.sessions.partition)

    def _ours(self, entry: Entry, thing: Observed) -> Observed:
        """The same thing; some create calls return an existing one that is somebody else's."""
        if thing.stack != self._stack or thing.address != entry.address:
            create = self._kinds[thing.kind].create
            raise _NotOurs(
                f"{create} answered with {thing.id}, which does not carry our tags: it is not touched"
            )
        return thing

    # ---- deleting, with proof

    def _prove(self, entry: Entry) -> None:
        """Read a thing's tags once more: it must still be ours, under the same address."""
        thing = entry.seen
        assert thing is not None, "only what was seen is deleted"
        kind = self._kinds[thing.kind]
        parent = thing.raw.get(self._kinds[kind.read.within].id) if kind.read.within else None
        for row in rows(self._gateway, self._kinds, thing.scope, parent, (thing.id,)):
            if row[kind.id] != thing.id:
                continue
            now = as_observed(kind, row, thing.scope, self._gateway.sessions.partition)
            if now.state in kind.gone:
                raise Gone(f"{thing.id} is {now.state}")
            claim = thing.tags.get(ADDRESS_TAG)
            if now.tags.get(STACK_TAG) != self._stack or now.tags.get(ADDRESS_TAG) != claim:
                raise _NotOurs(f"{thing.id} has lost its owner tags since it was seen: it is not touched")
            return
        raise Gone(f"{thing.id} is not listed any more")


class _NotOurs(Exception):
    """A thing is not, or is no longer, ours to touch."""


def find_row(kind: Kind, answer: dict[str, Any]) -> dict[str, Any] | None:
    """The part of a create call's answer that looks like a row of the kind's list: it has the id.

    CreateSite answers {"Site": {…}}, RunInstances {"Instances": [{…}]}, CreateSecurityGroup the members themselves.
    """
    candidates: list[Any] = [answer]
    for value in answer.values():
        candidates += value[:1] if isinstance(value, list) else [value]
    return next((found for found in candidates if isinstance(found, dict) and kind.id in found), None)


class _Run:
    """One plan on its way: which entries have begun, which are done.  Lives in the coordinating thread."""

    def __init__(
        self,
        applier: Applier,
        decide: Callable[[Address], Entry],
        fold: Callable[[Observed], None],
        keep: Callable[[], str | None],
        stopped: Callable[[], bool],
        executor: Executor,
    ) -> None:
        self._applier, self._decide, self._fold = applier, decide, fold
        self._keep, self._stopped, self._executor = keep, stopped, executor

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
            outcomes |= self._start(todo, flying)
            for future in wait(flying, return_when=FIRST_COMPLETED).done if flying else ():
                index, _ = flying.pop(future)
                result = future.result()
                outcomes[index] = result.outcome
                if result.made is not None:
                    self._fold(result.made)
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
        for index, entry in list(todo.items()):
            needed = set(entry.after) if entry.wanted else set()
            if needed & open_addresses or lane_of(entry) in lanes:
                continue
            del todo[index]
            now = self._again(entry)
            if not isinstance(now, Entry):
                outcomes[index] = now
                open_addresses.discard(entry.address)
                continue
            lanes |= {lane_of(now)} - {None}
            flying[self._executor.submit(self._applier.carry_out, now, self._stopped)] = (index, now)
        return outcomes

    def _again(self, entry: Entry) -> Entry | Outcome:
        """The entry in the light of what this pass has made so far, or its outcome when there is nothing to do yet."""
        if self._stopped():
            return Outcome(label=entry.label, status="waiting", why=STOPPED)
        now = self._decide(entry.address) if entry.wanted else entry
        if not isinstance(now.verdict, Steps):
            return without_steps(now)
        if takes_away(now) and (why := self._keep()):
            return Outcome(label=entry.label, status="waiting", why=why)
        missing = next(pending_in(now.verdict), None)
        if missing is not None:
            return Outcome(label=entry.label, status="waiting", why=f"needs {missing}")
        return now


def _who(entry: Entry, thing: Observed | None) -> dict[str, str]:
    """The fields that say which thing a line is about."""
    return {
        "address": entry.label,
        "kind": entry.scope.kind,
        "id": thing.id if thing else "",
        "arn": thing.arn if thing else "",
        "region": entry.scope.region,
        "account": entry.scope.account,
    }


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
    """The addresses whose values the calls still lack."""
    return (pending.of for call in steps.calls for pending in within(call.parameters, Pending))


def lane_of(entry: Entry) -> str | None:
    """The global network that an entry writes to: writes to one go one at a time, since AWS may refuse others.

    None for everything that may go side by side.
    """
    if not isinstance(entry.verdict, Steps) or entry.scope.region:
        return None
    network = next(
        (
            call.parameters["GlobalNetworkId"]
            for call in entry.verdict.calls
            if "GlobalNetworkId" in call.parameters
        ),
        entry.seen.raw.get("GlobalNetworkId") if entry.seen else None,
    )
    return network if isinstance(network, str) else None
