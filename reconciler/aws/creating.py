"""Creating a thing at most once: with a token where AWS takes one, else with an intent that is remembered.

Used by `apply`, in its worker threads.  docs/decisions/0003-at-most-once.md says why.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from reconciler.aws.codes import TAKEN
from reconciler.aws.memory import Memory
from reconciler.aws.ownership import concerns
from reconciler.aws.proving import NotOurs
from reconciler.aws.rows import KindsByName, as_made
from reconciler.errors import AwsError, Lost, NotYet, Refused, Throttled
from reconciler.model.calls import GENERATIONS, Call, token
from reconciler.model.kind import Kind
from reconciler.model.plan import Entry
from reconciler.model.reads import Completion
from reconciler.model.service import SERVICES
from reconciler.model.things import Observed, Scope

USED_UP = frozenset({"HostedZoneAlreadyExists", "IdempotentParameterMismatch"})
"""What AWS says to a token that has made something, now or long ago."""
ENDED = "IdempotentInstanceTerminated"
"""What it says to one that has made what is dead."""

Send = Callable[[Call], dict[str, Any]]
"""Makes a call and gives its answer; AwsError when it did not succeed."""


@dataclass(frozen=True)
class Creator:
    """Makes things of one stack.  `spent` are tokens that are known to have made something else."""

    kinds: KindsByName
    memory: Memory
    stack: str
    spent: frozenset[str]
    partition: str
    find: Callable[[Kind, Scope, Call], dict[str, Any] | None]
    """The row of what a call has made, read from the list; None where that does not show it yet."""
    complete: Callable[[Kind, Scope, Completion, dict[str, Any]], dict[str, Any]]
    """A row of a kind with what its list leaves out; AwsError when that cannot be read."""

    def create(self, entry: Entry, call: Call, send: Send) -> Observed:
        """The thing that a create call makes; NotOurs when its answer is somebody else's thing."""
        address = entry.address
        if call.seed is None:
            self.memory.intend(address)
        else:
            self.memory.intend_with_token(address)
        try:
            made = self._born(entry, call, send)
        except (Lost, Throttled) as error:
            if isinstance(error, Throttled):
                self.memory.refused(address)
            raise
        except AwsError as error:
            self.memory.refused(address)
            if error.code in TAKEN:
                name = self.kinds[address.kind].unique or "place"
                why = f"{error}: its {name} is that of something that is not ours, and is not touched"
                raise NotOurs(why) from error
            raise
        self.memory.made(address, made.id)
        return made

    def _born(self, entry: Entry, call: Call, send: Send) -> Observed:
        """The thing that a create call answers; a token that is used up by a dead thing makes way for the next."""
        if call.seed is None:
            return self._ours(entry, self._thing(entry, send(call), call))
        first = self.memory.generations.get(entry.address, 0)
        for generation in range(first, first + GENERATIONS):
            name = SERVICES[call.service].token
            given = {**call.parameters, name: token(call.seed, generation)}
            if given[name] in self.spent:
                continue
            try:
                answer = send(replace(call, parameters=given))
            except Refused as error:
                if error.code == ENDED:
                    continue
                if error.code in USED_UP:
                    # An earlier attempt, with other parameters, did happen.  Either a look will show it, or it is
                    # dead and no longer listed; that is believed when no look has shown it for long enough.
                    self.memory.made(entry.address, "")
                    self.memory.next_generation(entry.address, generation + 1)
                    raise looked_for(error) from error
                if error.code in TAKEN:  # told in an answer, which AWS may repeat for this token for ever
                    self.memory.next_generation(entry.address, generation + 1)
                raise
            made = self._thing(entry, answer, call)
            if made.state in self.kinds[made.kind].gone | self.kinds[made.kind].leaving:
                continue
            if not made.tags and made.stack is None:
                # The token is ours, so the thing was; an answer that AWS repeats may lack the tags.  A look decides,
                # and if none has shown it as ours for long enough, it has become somebody else's.
                self.memory.made(entry.address, made.id)
                self.memory.next_generation(entry.address, generation + 1)
                raise NotYet(f"{call}: an earlier attempt made {made.id}; it is looked for", call=str(call))
            if self.is_anothers(entry, made):
                continue
            return self._ours(entry, made)
        raise Refused(f"{call}: {GENERATIONS} earlier things of this address are dead", call=str(call))

    def is_anothers(self, entry: Entry, thing: Observed) -> bool:
        """Whether what an earlier attempt made is by now another address's (renamed), or somebody else's (it has lost
        both of its owner tags).  With one of the two it stays in doubt."""
        if thing.stack == self.stack:
            return thing.address is not None and thing.address != entry.address
        return not concerns(thing, self.stack)

    def _thing(self, entry: Entry, answer: dict[str, Any], call: Call) -> Observed:
        """The answer of a create call as a thing.

        One that never shows tags is of what was just made with ours; but where it may be of something that was there
        already, under the same name, its tags are read.
        """
        kind = self.kinds[entry.address.kind]
        row = find_row(kind, answer) if kind.answered else self._listed(entry, kind, call)
        row = row and kind.bare(row)
        if row is None:
            raise Lost(
                f"{kind.create}: the answer has no {kind.id}", code="IncompleteAnswer", call=kind.create
            )
        if kind.birthmark:
            pass  # it has no tags yet
        elif not kind.answers_tags and (how := kind.read.completed):
            try:
                row = self.complete(kind, entry.scope, how, row)
            except AwsError as error:  # it was made, or was there: whose it is, a look tells
                raise Lost(
                    f"{error}; {row[kind.id]} is looked for", code=error.code, call=error.call
                ) from error
        elif kind.answered and not kind.answers_tags:
            row = {**row, kind.tags: call.parameters["TagSpecifications"][0]["Tags"]}
        return as_made(kind, row, entry.scope, self.partition)

    def _listed(self, entry: Entry, kind: Kind, call: Call) -> dict[str, Any]:
        """The row of what was just made, by its name; it is known to be there although no list may show it yet."""
        try:
            row, why = self.find(kind, entry.scope, call), "no list shows yet what it made"
        except AwsError as error:
            row, why = None, str(error)
        if row is None:
            self.memory.made(entry.address, "")
            raise NotYet(f"{call}: {why}; it is looked for", call=str(call))
        return row

    def _ours(self, entry: Entry, thing: Observed) -> Observed:
        """The same thing; some create calls return an existing one that is somebody else's."""
        if thing.stack != self.stack or thing.address != entry.address:
            create = self.kinds[thing.kind].create
            raise NotOurs(
                f"{create} answered with {thing.id}, which does not carry our tags: it is not touched"
            )
        return thing


def looked_for(error: AwsError) -> NotYet:
    """What has been made already, as this error says, is waited for until a list shows it."""
    return NotYet(
        f"{error}; it is looked for",
        code=error.code,
        call=error.call,
        request_id=error.request_id,
        http_status=error.http_status,
        retry_attempts=error.retry_attempts,
    )


def find_row(kind: Kind, answer: dict[str, Any]) -> dict[str, Any] | None:
    """The part of a create call's answer that looks like a row of the kind's list: it has the id.

    CreateSite answers {"Site": {…}}, RunInstances {"Instances": [{…}]}, CreateSecurityGroup the members themselves,
    CreateVpcAttachment {"VpcAttachment": {"Attachment": {…}}}.  CreateFlowLogs answers with ids alone.
    """
    level: list[Any] = [answer]
    many = f"{kind.id}s"
    for _ in range(3):
        found = [row for row in level if isinstance(row, dict)]
        if row := next((row for row in found if kind.id in row), None):
            return row
        if ids := next((row[many] for row in found if isinstance(row.get(many), list) and row[many]), None):
            return {kind.id: ids[0]}
        inner = [value for row in found for value in row.values()]
        level = [value[0] if isinstance(value, list) and value else value for value in inner]
    return None
