"""One change of one thing on its way: each call is told and on record before it is sent, and when it is answered.

Made by `apply` for each entry of a plan that has steps, in the worker thread that carries it out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from reconciler.aws.audit import Answer, Audit, Sending
from reconciler.aws.batches import rows_by_number
from reconciler.aws.creating import find_row
from reconciler.aws.gateway import Gateway
from reconciler.aws.rows import KindsByName, arn_of
from reconciler.errors import AwsError
from reconciler.log import Logger, context, get_logger
from reconciler.model.calls import Call, digest
from reconciler.model.kind import Kind
from reconciler.model.plan import Entry
from reconciler.model.things import Observed
from reconciler.model.verdicts import Steps


@dataclass(frozen=True)
class Changes:
    """What the changes of one pass share.  `config_hash` is of the config that they follow; `clock` is in seconds."""

    gateway: Gateway
    kinds: KindsByName
    audit: Audit
    stack: str
    config_hash: str
    clock: Callable[[], float]
    by: str | None = None


class Change:
    """The change that the steps of an entry make.

    `line` logs something about it; `answer` is of the last call, None before the first; `made` is what the
    steps have created so far.
    """

    def __init__(self, changes: Changes, entry: Entry, change_id: str) -> None:
        assert isinstance(entry.verdict, Steps), "only steps can be carried out"
        self._changes, self._entry, self._steps = changes, entry, entry.verdict
        self._change_id, self._calls, self._began = change_id, 0, changes.clock()
        self.step = 1
        """Which of the steps is being made."""
        self.answer: Answer | None = None
        self.made: Observed | None = None

    @property
    def begun(self) -> bool:
        """Whether any of its calls was."""
        return self._calls > 0

    @property
    def line(self) -> Logger:
        """The logger of lines about the whole change."""
        return self._log(self.made or self._entry.seen)

    def succeeded(self, call: Call, reason: str) -> None:
        """Say that it is done, `call` being its last."""
        self._end(call, self.answer).info("change.succeeded", reason=reason)

    def deferred(self, call: Call, reason: str, error: AwsError | None = None) -> None:
        """Say that it is left for later at `call`."""
        self._end_badly(call, error).info("change.deferred", reason=reason)

    def failed(self, call: Call, error: AwsError) -> None:
        """Say that it has failed at `call`, or at a read that the call needs."""
        self._end_badly(call, error).error("change.failed", reason=str(error))

    def _end_badly(self, call: Call, error: AwsError | None) -> Logger:
        answer = self.answer or Answer.bad(error, str(call)) if error else None
        return self._end(call, answer).bind(aws_error_code=error.code if error else "")

    def _end(self, call: Call, answer: Answer | None) -> Logger:
        return self.line.bind(
            api=str(call),
            aws_request_id=answer.aws_request_id if answer else "",
            http_status=answer.http_status if answer else 0,
            retry_attempts=answer.retry_attempts if answer else 0,
            duration_ms=round((self._changes.clock() - self._began) * 1000),
        )

    def send(self, call: Call) -> dict[str, Any]:
        """Make a call and give its answer; AwsError when it did not succeed."""
        return send_for(self._changes, [self], call)

    def begin(self, call: Call) -> Sending:
        """Say that a call goes out; gives what is to be on record of it."""
        thing = None if call.creates else self._entry.seen
        self._calls += 1
        self._log(thing).info("change.started", api=str(call), reason=call.why)
        return self._sending(call, thing)

    def _sending(self, call: Call, thing: Observed | None) -> Sending:
        scope, bound = self._entry.scope, context()
        return Sending(
            change_id=self._change_id,
            call=self._calls,
            step=self.step,
            steps=len(self._steps.calls),
            pass_id=str(bound.get("pass_id", "")),
            trigger=str(bound.get("trigger", "")),
            stack=self._changes.stack,
            address=self._entry.label,
            kind=scope.kind,
            id=thing.id if thing else "",
            arn=thing.arn if thing else "",
            region=call.region or scope.region,
            account=call.account or scope.account,
            verb=self._steps.verb,
            api=str(call),
            reason=call.why,
            before=digest(thing.raw) if thing else None,
            after=digest(call.parameters),
            config_hash=self._changes.config_hash,
            by=self._changes.by if self._steps.verb in {"delete", "replace"} else None,
            paths=tuple(dict.fromkeys(drift.path for drift in self._steps.drift)),
        )

    def named(self, sending: Sending, row: Mapping[str, Any] | None) -> Sending:
        """The same, with the id of what a creation has made, of which this is the row."""
        if row is None:
            return sending
        kind = self._changes.kinds[sending.kind]
        arn = arn_of(kind, row, self._entry.scope, self._changes.gateway.sessions.partition)
        return replace(sending, id=str(row[kind.id]), arn=arn)

    def _log(self, thing: Observed | None) -> Logger:
        return get_logger().bind(
            change_id=self._change_id,
            address=self._entry.label,
            kind=self._entry.scope.kind,
            id=thing.id if thing else "",
            arn=thing.arn if thing else "",
            region=self._entry.scope.region,
            account=self._entry.scope.account,
            verb=self._steps.verb,
        )


def send_for(changes: Changes, several: Sequence[Change], call: Call) -> dict[str, Any]:
    """Make a call that is one of each of several changes, and give its answer; AwsError when it did not succeed.

    A call of many makes the things of all changes, in their order.  Whether it may be made is asked here too, so that
    one that may not is not on record as begun.
    """
    for ask in changes.gateway.before_write:
        ask(call)
    sendings = [change.begin(call) for change in several]
    changes.audit.begun(*sendings)

    def note(answer: Answer) -> None:
        for change in several:
            change.answer = answer
        changes.audit.all_answered(sendings, answer)

    try:
        answer = changes.gateway.perform(call)
    except AwsError as error:
        note(Answer.bad(error, str(call)))
        raise
    rows = _made(changes.kinds[sendings[0].kind], call, answer, len(several))
    sendings = [one.named(sending, row) for one, sending, row in zip(several, sendings, rows, strict=True)]
    note(Answer.good(answer))
    return answer


def _made(kind: Kind, call: Call, answer: dict[str, Any], count: int) -> Sequence[Mapping[str, Any] | None]:
    """The rows of what a call has made for each of so many changes."""
    if not call.creates:
        return [None] * count
    if count == 1:
        return [find_row(kind, answer)]
    rows = rows_by_number(kind, answer)
    return [rows.get(number) for number in range(count)]
