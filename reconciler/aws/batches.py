"""Several creations as one call: what is asked for, and which of what it has made is whose.  Used by `apply`.

`engine.batches` says which addresses go together, docs/decisions/0020-born-together.md why.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from reconciler.aws.creating import ENDED, USED_UP, Creator, Send, looked_for
from reconciler.aws.proving import NotOurs
from reconciler.aws.rows import as_made
from reconciler.errors import AwsError, Exhausted, Lost, NotYet, ReconcilerError, Refused
from reconciler.model import batch
from reconciler.model.calls import GENERATIONS, Call, token
from reconciler.model.kind import Kind
from reconciler.model.plan import Entry
from reconciler.model.service import SERVICES
from reconciler.model.things import ADDRESS_TAG, BATCH_TAG, UNNAMED, Observed
from reconciler.model.verdicts import Steps

TAGS = "TagSpecifications"
SPENT = USED_UP | {ENDED}
APART = (Exhausted, Refused)
"""After which each of a batch is tried alone: AWS makes all or nothing, and some may be had."""
Born = Observed | AwsError | NotOurs
"""What has become of one of a batch."""


def joined(kind: Kind, stack: str, entries: Sequence[Entry]) -> Call | None:
    """The one call that makes what each of these entries would make by a call of its own, in their order.

    None where they are not such, or differ in more than their tags.  It brings the tags that all have; the address is
    in none of them, for it is told by the batch tag and the number that AWS gives to each.
    """
    calls = [_creation(stack, entry) for entry in entries]
    first = calls[0]
    if kind.together is None or first is None or len(entries) < 2:
        return None
    asked = [_less_its_own(call) for call in calls if call is not None]
    if len(asked) < len(calls) or any(one != asked[0] for one in asked):
        return None
    text = batch.written([entry.address for entry in entries])
    shared = set.intersection(*(set(_tags(call).items()) for call in calls if call is not None))
    tags = {**dict(shared), ADDRESS_TAG: UNNAMED, BATCH_TAG: text}
    listed = [{"Key": key, "Value": value} for key, value in sorted(tags.items())]
    return replace(
        first,
        parameters={
            **first.parameters,
            **dict.fromkeys(kind.together.counts, len(entries)),
            TAGS: [{"ResourceType": kind.tag_type, "Tags": listed}],
        },
        seed=batch.seed(stack, text),
        why=f"{first.why}; made by one call: {text}",
    )


def _creation(stack: str, entry: Entry) -> Call | None:
    """The call of an entry that is a plain creation: nothing before it, nothing after it, no predecessor."""
    steps = entry.verdict
    if not isinstance(steps, Steps) or steps.verb != "create" or len(steps.calls) != 1 or steps.afterwards:
        return None
    (call,) = steps.calls
    return call if call.creates and call.seed == (stack, str(entry.address)) else None


def _less_its_own(call: Call) -> Call:
    """A creation without what it says of its address alone."""
    parameters = {name: value for name, value in call.parameters.items() if name != TAGS}
    return replace(call, parameters=parameters, seed=None)


def _tags(call: Call) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in call.parameters[TAGS][0]["Tags"]}


class Batch:
    """The creation of several things by one call, in a worker thread."""

    def __init__(self, creator: Creator, entries: Sequence[Entry], call: Call) -> None:
        self._creator, self._memory = creator, creator.memory
        self._entries, self._call = entries, call
        self._addresses = [entry.address for entry in entries]
        self._kind = creator.kinds[entries[0].address.kind]

    def create(self, send: Send) -> list[Born]:
        """What the call makes, for each entry its own; AwsError when it has not made them.

        All addresses are held before it is sent, as are those of kinds whose creation takes no token: without an answer
        none of them must be made in another way.
        """
        self._memory.intend(*self._addresses)
        try:
            answer, generation = self._sent(send)
        except Lost:
            raise
        except ReconcilerError as error:  # AWS has made none, or was not even asked
            self._memory.refused(*self._addresses)
            if isinstance(error, APART):
                self._memory.alone.update(self._addresses)
            raise
        rows = rows_by_number(self._kind, answer)
        born = [self._born(entry, rows.get(number), generation) for number, entry in enumerate(self._entries)]
        self._memory.all_made(
            {
                entry.address: thing.id
                for entry, thing in zip(self._entries, born, strict=True)
                if isinstance(thing, Observed)
            }
        )
        return born

    def _sent(self, send: Send) -> tuple[dict[str, Any], int]:
        """The answer, and of which generation its token is.

        A token of which a list shows something is passed over: all of its batch are seen or dead, or would be waited
        for (`engine.batches.unlisted`).  One that is used up although no list shows anything is looked for: that one of
        a batch is dead says nothing of the others.
        """
        assert self._call.seed is not None, "a batch has a token"
        name = SERVICES[self._call.service].token
        first = max(self._memory.generations.get(address, 0) for address in self._addresses)
        for generation in range(first, min(first + GENERATIONS, batch.GENERATIONS)):
            given = {**self._call.parameters, name: token(self._call.seed, generation)}
            if given[name] in self._creator.spent:
                continue
            try:
                return send(replace(self._call, parameters=given)), generation
            except Refused as error:
                if error.code not in SPENT:
                    raise
                self._memory.all_made(dict.fromkeys(self._addresses, ""))
                for address in self._addresses:
                    self._memory.next_generation(address, generation + 1)
                raise looked_for(error) from error
        raise Refused(f"{self._call}: all of its tokens are used up", call=str(self._call))

    def _born(self, entry: Entry, row: Mapping[str, Any] | None, generation: int) -> Born:
        """What one of the batch is; the answer may be of an earlier attempt."""
        what = str(self._call)
        if row is None:  # it is held, and looked for
            return Lost(f"{what}: the answer leaves out one", code="IncompleteAnswer", call=what)
        thing = as_made(self._kind, row, entry.scope, self._creator.partition)
        if thing.state in self._kind.gone | self._kind.leaving:
            self._memory.refused(entry.address)
            return NotYet(f"{what}: an earlier attempt made {thing.id}, which is {thing.state}", call=what)
        if not thing.tags:
            # as for one that is made alone (`Creator`): a look decides
            self._memory.made(entry.address, thing.id)
            self._memory.next_generation(entry.address, generation + 1)
            return NotYet(f"{what}: an earlier attempt made {thing.id}; it is looked for", call=what)
        if thing.stack == self._creator.stack and thing.address == entry.address:
            return thing
        if self._creator.is_anothers(entry, thing):
            self._memory.refused(entry.address)
            self._memory.alone.add(entry.address)
            return NotYet(f"{what}: an earlier attempt made {thing.id}, which is another's by now", call=what)
        return NotOurs(f"{what} answered with {thing.id}, which does not carry our tags: it is not touched")


def rows_by_number(kind: Kind, answer: Mapping[str, Any]) -> dict[Any, dict[str, Any]]:
    """The rows of an answer to a call that makes several, by the number that AWS gives to each."""
    lists = (value for value in answer.values() if isinstance(value, list))
    rows = [row for rows in lists for row in rows if isinstance(row, dict) and kind.id in row]
    return {row.get(kind.together.index): kind.bare(row) for row in rows} if kind.together else {}
