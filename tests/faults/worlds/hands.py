"""Somebody else in the account: edits, deletes, copies and takes tags away, and puts all of it right at the end.

Used by `machine`.  What AWS refuses does not happen.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from reconciler.engine.leaving import departure
from reconciler.engine.tags import tag_calls
from reconciler.errors import AwsError
from reconciler.kinds import BY_NAME
from reconciler.model.calls import Call
from reconciler.model.verdicts import Drift, Steps
from reconciler.sandbox.calls import Call as Sent
from tests.faults.killing import TOKENS
from tests.faults.worlds.model import claims
from tests.faults.worlds.truth import Thing, Truth, state, undisturbed, whole
from tests.harness import ACCOUNT, Host

APPLIED = "reconciler:applied"
OWNER = ("reconciler:stack", "reconciler:address")

FULL = frozenset({"accelerator", "hosted-zone"})
"""Kinds whose things are emptied before they go, of what their lists do not show: nobody here can put them right by
deleting one, so that nobody copies them, or takes their tags."""


class Hand:
    """One other person.  `busy` while it makes calls; `births` are the program's create calls, by address."""

    def __init__(self, ops: Host, folder: Path) -> None:
        self._ops = ops
        self._own = Host(ops.aws, folder)
        self.busy = False
        self.births: dict[str, Sent] = {}
        self.taken: dict[str, dict[str, str]] = {}
        """The owner tags that it has taken from things, by id."""

    @contextmanager
    def _at_work(self) -> Iterator[None]:
        self.busy = True
        try:
            with undisturbed():
                yield
        finally:
            self.busy = False

    def _do(self, call: Call) -> bool:
        with self._at_work():
            try:
                self._ops.hand.perform(call)
            except AwsError:
                return False
        return True

    # ---- tags

    def _retag(self, thing: Thing, changes: Mapping[str, str | None]) -> bool:
        drifts = [Drift(f"Tags.{key}", value, thing.tags.get(key)) for key, value in changes.items()]
        calls = tag_calls(BY_NAME[thing.kind], thing.observed, drifts, "")
        return all(self._do(replace(call, account=ACCOUNT, region=thing.region)) for call in calls)

    def tag(self, thing: Thing, new: Mapping[str, str]) -> bool:
        """Tags are set."""
        return self._retag(thing, new)

    def untag(self, thing: Thing, keys: tuple[str, ...]) -> bool:
        """Tags are taken away; owner tags are remembered."""
        if thing.kind in FULL:
            return False
        lost = {key: thing.tags[key] for key in keys if key in thing.tags}
        done = bool(lost) and self._retag(thing, dict.fromkeys(lost))
        if done:
            self.taken[thing.id] = {**self.taken.get(thing.id, {}), **lost}
        return done

    # ---- things

    def edit(self, thing: Thing, as_said: str) -> bool:
        """Its fields become what another config says; the calls are those of a plan, but that it keeps no notes."""
        with self._at_work():
            entries = self._own.plan(as_said).entries
            steps = [
                entry.verdict
                for entry in entries
                if entry.wanted and entry.seen and entry.seen.id == thing.id
            ]
        calls = [
            call
            for verdict in steps
            if isinstance(verdict, Steps) and verdict.verb == "update"
            for call in verdict.calls
        ]
        return sum(map(self._do, filter(None, map(_without_notes, calls)))) > 0

    def delete(self, thing: Thing) -> bool:
        """It is deleted, or what has to come before is done, if nothing uses it."""
        record = BY_NAME[thing.kind]
        leaving = [detail.field for detail in record.read.details if detail.leaving]
        seen = replace(thing, row=whole(self._ops, thing, leaving)).observed
        steps = departure(record, seen, "", seen.account)
        return isinstance(steps, Steps) and all(map(self._do, steps.calls))

    def copy(self, address: str, keys: tuple[str, ...], stack: str) -> bool:
        """A thing like the one that the program has made for an address, with these of its owner tags."""
        sent = self.births.get(address)
        if sent is None or address.partition("/")[0] in FULL:
            return False
        return self._do(
            Call(
                service=sent.service,
                operation=sent.operation,
                parameters=_retagged(sent.parameters, keys, stack),
                account=ACCOUNT,
                region=sent.region if BY_NAME[address.partition("/")[0]].regional else "",
            )
        )

    # ---- putting it right

    def repair(self, truth: Truth, copies: set[str], names: Mapping[str, Collection[str]]) -> bool:
        """One thing that stops an address by design is put right; False where there is none left.

        Tags that were taken come back where nothing has taken the thing's place, at its address or at another that
        stands for the same (`names`); else it goes, or, where AWS keeps it, what has taken its place.  So do copies,
        and what has failed in AWS.
        """
        for id, tags in list(self.taken.items()):
            thing = truth.get(id)
            if thing is None or id in copies:
                del self.taken[id]
                continue
            claim = tags.get(OWNER[1], thing.claim)
            others = [other for other in claims(truth, claim, *names.get(claim, ())) if other.id != id]
            if others and not self.delete(thing):
                if any(map(self.delete, others)):
                    return True
            elif others or self.tag(thing, tags):
                del self.taken[id]
                return True  # what was refused, as something still uses it, is tried again
        failed = {
            id
            for id, thing in truth.items()
            if thing.has_both_tags and state(thing.kind, thing.row) in BY_NAME[thing.kind].failed
        }
        return any(self.delete(truth[id]) for id in sorted((copies | failed) & truth.keys()))


def _without_notes(call: Call) -> Call | None:
    """A call without the tag that says what was applied, which nobody but the program writes; None for no other."""
    name = next((one for one in ("Tags", "tags") if one in call.parameters), "")
    if not name:
        return call
    given = call.parameters[name]
    tags = (
        {key: value for key, value in given.items() if key != APPLIED}
        if isinstance(given, Mapping)
        else [tag for tag in given if tag["Key"] != APPLIED]
    )
    return replace(call, parameters={**call.parameters, name: tags}) if tags else None


def _retagged(parameters: Any, keys: tuple[str, ...], stack: str) -> Any:
    """The parameters of a create call with these owner tags left, without a token."""
    if isinstance(parameters, Mapping):
        return {
            name: stack if name == OWNER[0] else _retagged(value, keys, stack)
            for name, value in parameters.items()
            if name not in {*TOKENS, "DryRun"} | set(OWNER) - set(keys)
        }
    if isinstance(parameters, list):
        return [
            _retagged(_stacked(item, stack), keys, stack)
            for item in parameters
            if not (isinstance(item, Mapping) and item.get("Key") in set(OWNER) - set(keys))
        ]
    return parameters


def _stacked(item: Any, stack: str) -> Any:
    is_tag = isinstance(item, Mapping) and item.get("Key") == OWNER[0]
    return {**item, "Value": stack} if is_tag else item
