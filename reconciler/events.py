"""Every event that the log can hold: the interface of those who watch.  Used by `log`, shown by `reconciler events`.

Names, meanings and fields are data; a line whose event or field is not here is an error under the tests.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

Type = Literal["string", "integer", "number", "boolean", "list", "object"]
Level = Literal["debug", "info", "warning", "error", "critical"]


class Field(NamedTuple):
    """A field of a line: its JSON type, and what it means.  One name means one thing in all events."""

    type: Type
    meaning: str


class Event(NamedTuple):
    """One event: the level it is usually logged at, what it means, the fields it always and sometimes has."""

    level: Level
    meaning: str
    fields: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()


def _event(level: Level, meaning: str, fields: str = "") -> Event:
    """`fields` are names; one that is not always there ends with `?`."""
    names = fields.split()
    always = tuple(name for name in names if not name.endswith("?"))
    return Event(level, meaning, always, tuple(name[:-1] for name in names if name.endswith("?")))


FIELDS: Final[Mapping[str, Field]] = {
    # on every line
    "ts": Field("string", "when, UTC, RFC 3339 with microseconds"),
    "level": Field("string", "debug, info, warning, error or critical"),
    "event": Field("string", "the name of the event"),
    "schema": Field("integer", "rises when a field is removed or renamed; adding one is free"),
    "service": Field("string", "reconciler"),
    "version": Field("string", "of the program"),
    "instance": Field("string", "the name of the host"),
    "pid": Field("integer", "of the process"),
    # on every line that belongs to one
    "pass_id": Field("string", "the pass; also in the User-Agent of its requests, for CloudTrail"),
    "trigger": Field(
        "string", "why there is a pass: once, destroy, plan, start, interval, signal, reload, progress, retry"
    ),
    "stack": Field("string", "the stack of the config"),
    "repeat": Field("integer", "how often the same has been said, where repetitions are thinned out"),
    "truncated": Field("boolean", "something of the line was too long and is left out"),
    "exception": Field("list", "the error as data, for defects and for AWS errors that are not known"),
    # who and where
    "account": Field("string", "the AWS account, 12 digits"),
    "region": Field("string", "the AWS region, empty for global services"),
    "regions": Field("list", "the regions that a pass has looked at"),
    "address": Field("string", "kind/name as in the config; several are separated by commas"),
    "addresses": Field("integer", "how many addresses"),
    "kind": Field("string", "the kind of the thing"),
    "id": Field("string", "AWS's id of the thing, empty while it has none"),
    "arn": Field("string", "AWS's ARN of the thing, empty where it has none"),
    "scope": Field("string", "a kind in an account and a region"),
    "api": Field("string", "the operation, as ec2:CreateVpc"),
    "change_id": Field("string", "one change of one thing; also in the audit log"),
    "verb": Field("string", "create, update, replace or delete"),
    # why
    "reason": Field("string", "a sentence for people"),
    "message": Field("string", "a sentence for people, of a library or about the host"),
    "error": Field("string", "what went wrong, of a defect"),
    "guard": Field("string", "which guard: empty, shrink or the key of `limits`"),
    "aws_error_code": Field("string", "AWS's code, as Throttling; empty when there was no answer"),
    "aws_request_id": Field("string", "AWS's id of the request, for support and CloudTrail"),
    "http_status": Field("integer", "of AWS's answer, 0 when there was none"),
    "retry_attempts": Field("integer", "how often the SDK has sent it again"),
    # a pass in numbers
    "origin": Field("string", "who has changed it: drift (somebody in AWS), pending (the config), both, unknown"),
    "outcome": Field("string", "settled, done, waiting, planned, partial, failed, guarded or interrupted"),
    "settled": Field("integer", "addresses that are as the config wants them"),
    "created": Field("integer", "addresses whose thing was created"),
    "updated": Field("integer", "addresses whose thing was changed in place"),
    "replaced": Field("integer", "addresses whose thing was replaced"),
    "deleted": Field("integer", "things that were deleted"),
    "failed": Field("integer", "addresses whose change did not succeed"),
    "waiting": Field("integer", "addresses that wait for AWS, for others or for a person"),
    "blocked": Field("integer", "addresses that only a change by a person helps"),
    "unknown": Field("integer", "kinds in regions, and accounts, that could not be read whole"),
    "steps": Field("integer", "addresses with something to do"),
    "api_calls": Field("integer", "requests to AWS, those of discovery left out"),
    "api_writes": Field("integer", "requests that changed something, of `api_calls`"),
    "discovery_calls": Field("integer", "requests that asked where the stack owns something"),
    "throttled": Field("integer", "requests that AWS has throttled"),
    "duration_ms": Field("integer", "how long it took, in milliseconds"),
    "config_hash": Field("string", "the first 8 digits of the digest of the config's bytes"),
    "next_pass_in_s": Field("number", "seconds to the next pass"),
    # the process
    "schedule": Field("string", "when a settled estate is looked at"),
    "state": Field("string", "of the daemon: starting, looking, idle, degraded, paused, stopping"),
    "interval_s": Field("number", "seconds between two looks at a settled estate; for cron, to the next but one"),
    "last_success_age_s": Field("number", "seconds since nothing went wrong in a pass, or since the start"),
    "config_stale_s": Field("number", "seconds since a newer config was refused; 0 when none is"),
    "failing": Field("integer", "addresses that are being backed off from"),
    "jump_s": Field("number", "seconds that the wall clock has jumped, negative when it was set back"),
    "left": Field("integer", "addresses that are not yet as the config wants them"),
    "in_flight": Field("list", "requests that are being made"),
    "thread": Field("string", "the name of the thread"),
    "unit": Field("string", "the systemd unit that has failed"),
    "result": Field("string", "systemd's word for how a unit has ended"),
    "exit_status": Field("string", "of the process that has ended"),
    # config and host
    "files": Field("list", "the names of the config's files"),
    "resources": Field("integer", "resources of the config"),
    "problems": Field("integer", "mistakes in the config"),
    "file": Field("string", "where a mistake is"),
    "line": Field("integer", "where a mistake is, from 1"),
    "column": Field("integer", "where a mistake is, from 1"),
    "endpoints": Field("object", "addresses that replace AWS's own, by the setting they come from"),
    "expires_in_s": Field("number", "seconds until credentials end"),
    "path": Field("string", "a file or a folder of this host"),
    "table": Field("string", "the DynamoDB table of the lease"),
    "fence": Field("integer", "of the lease: rises with every change of its holder"),
    "wait_s": Field("number", "how long it is waited for"),
    "paths": Field("list", "fields that differ from the config"),
    "until": Field("string", "when a pause or a window ends, UTC; empty for never"),
    "by": Field("string", "the person who has asked for it"),
    "count": Field("integer", "how many"),
    "about": Field("string", "the event that was left out"),
    "operations": Field("object", "how many by operation"),
    "logger": Field("string", "the library that has written the line"),
}  # fmt: skip

OTEL_ECS: Final[Mapping[str, str]] = {
    "ts": "@timestamp",
    "level": "log.level",
    "event": "event.action",
    "outcome": "event.outcome",
    "duration_ms": "event.duration (in nanoseconds there)",
    "region": "cloud.region",
    "account": "cloud.account.id",
    "arn": "cloud.resource_id",
    "api": "rpc.method (as EC2/DescribeVpcs there)",
    "aws_request_id": "aws.request_id",
}
"""Names that the Elastic Common Schema and OpenTelemetry's semantic conventions have for some of our fields.

Ours are flat, because dots hurt log tools: LogQL's `| json` makes them `_`, to CloudWatch `$.a.b` is a nested field.
"""

HEAD: Final = ("ts", "level", "event", "schema", "service", "version", "instance", "pid")
"""On every line, first, in this order."""
PASS: Final = ("pass_id", "trigger", "stack")
"""Next, on every line that belongs to a pass; `stack` as soon as the config is read."""
ANYWHERE: Final = (*PASS, "repeat", "truncated", "exception")
"""Fields that the log itself may add to any line."""

FLEETING: Final = frozenset({"pass_id", "trigger", "change_id", "aws_request_id"})
"""Texts that differ each time, whatever is said."""
UNTHINNED: Final = (
    "credentials.",
    "identity.",
    *("change.", "config.", "daemon.", "guard.", "pass.", "pause.", "window."),
    *("heartbeat", "log.suppressed"),
)
"""Events that begin like these are never left out: each is news, or is expected to come regularly."""


def is_thinned(event: str, level: int) -> bool:
    """Whether repetitions of an event, logged at `level` (logging's number), are left out."""
    repeats = level >= logging.WARNING or event == "library.log"
    return repeats and not event.startswith(UNTHINNED)


_CHANGE: Final = "change_id address kind id arn region account verb"
_AT_TIMES: Final = _CHANGE.replace(" ", "? ") + "?"
_AWS: Final = "aws_error_code aws_request_id http_status retry_attempts"
_FINISHED: Final = (
    "account regions outcome settled created updated replaced deleted failed waiting blocked unknown "
    "api_calls api_writes discovery_calls throttled duration_ms config_hash next_pass_in_s"
)

EVENTS: Final[Mapping[str, Event]] = {
    # process
    "daemon.starting": _event(
        "info", "the daemon has begun: config, lock and account come next", "schedule config_hash resources"
    ),
    "daemon.ready": _event(
        "info",
        "the config is good, the lock is held, the account is the right one, or cannot be asked yet",
        "state reason?",
    ),
    "daemon.stacks": _event(
        "warning",
        "asked where it hangs: the stacks are before this line, as text",
        "in_flight state next_pass_in_s",
    ),
    "daemon.stopping": _event(
        "info", "asked to stop: the call in flight may finish, no other is made", "reason in_flight"
    ),
    "daemon.stopped": _event(
        "info", "the last line of a daemon, with what remains to be done", "left? duration_ms"
    ),
    "unit.failed": _event(
        "critical",
        "the process ends, or a thread of it has ended, by an error nobody caught",
        f"error thread? unit? result? exit_status? {_AT_TIMES} scope? message?",
    ),
    "heartbeat": _event(
        "info",
        "once a minute: alive, and how long ago the last pass succeeded",
        "state interval_s last_success_age_s config_stale_s failing next_pass_in_s? reason? until?",
    ),
    "watchdog.withheld": _event(
        "error", "no progress: systemd is not told that all is well, so that it restarts us", "reason"
    ),
    "clock.jumped": _event(
        "warning", "wall and monotonic clock disagree by more than 30 s: all timers are set anew", "jump_s"
    ),
    # config
    "config.loaded": _event("info", "the config was read and checked", "files resources config_hash"),
    "config.refused": _event(
        "error", "the config is wrong; every problem has its place", "reason file? line? column?"
    ),
    "config.changed_on_disk": _event(
        "info", "the files differ from what was loaded; a reload would take them", "config_hash"
    ),
    "config.reload.started": _event("info", "a reload was asked for"),
    "config.reloaded": _event(
        "info", "the new config is in use from the next pass on", "files resources config_hash"
    ),
    "config.reload.refused": _event(
        "error",
        "the new config is wrong; the last good one stays in use",
        "reason problems config_hash file? line? column?",
    ),
    # identity
    "identity.verified": _event(
        "debug", "STS says that we are in the account that the config names", "account"
    ),
    "identity.mismatch": _event(
        "error", "STS says that we are in another account; nothing was done", "reason"
    ),
    "credentials.refreshed": _event("info", "new credentials; who we are was asked again", "account"),
    "credentials.expiring": _event(
        "warning", "the credentials end soon and could not be renewed yet", "account expires_in_s"
    ),
    "credentials.failed": _event("error", "credentials are missing or refused", "reason"),
    "endpoint.overridden": _event("warning", "calls go to another endpoint than AWS's own", "endpoints"),
    # lock
    "lock.acquired": _event(
        "info",
        "this process holds the stack, on this host (path) or among hosts (table)",
        "path? table? fence?",
    ),
    "lock.busy": _event("warning", "another process holds the stack", "reason wait_s? table?"),
    "lock.lost": _event(
        "error",
        "the lock file was replaced or removed, or the lease ran out; nothing is written until it is held again",
        "reason path? table?",
    ),
    # state directory
    "state.unwritable": _event(
        "warning", "the state directory cannot be written; work goes on, without remembering", "path message"
    ),
    # pass
    "pass.started": _event("debug", "a pass begins, and why"),
    "pass.finished": _event(
        "info", "the one line of a settled pass: outcome, counts, calls, time, next look", _FINISHED
    ),
    "pass.failed": _event(
        "error",
        "a pass could not be done, and why; the next one comes",
        "reason aws_error_code? aws_request_id? http_status? retry_attempts?",
    ),
    "plan.computed": _event("debug", "how many addresses have which verdict", "steps blocked addresses"),
    "kind.unknown": _event(
        "warning", "could not be read whole: nothing of it is created or deleted in this pass", "scope reason"
    ),
    "update.unknown": _event(
        "info",
        "whether there is something newer than what things were made with could not be read",
        "scope reason",
    ),
    # address
    "drift.detected": _event(
        "info",
        "paths differ from the config; once for each new drift",
        "address paths origin",
    ),
    "change.started": _event(
        "info", "a call that changes something is about to be made", f"{_CHANGE} api reason"
    ),
    "change.succeeded": _event(
        "info",
        "AWS has accepted the change; `api` and the answer are of its last call",
        f"{_CHANGE} api reason aws_request_id http_status retry_attempts duration_ms",
    ),
    "change.failed": _event(
        "error",
        "AWS has not accepted the change, or gave no answer",
        f"{_CHANGE} api reason {_AWS} duration_ms",
    ),
    "change.deferred": _event(
        "info",
        "AWS is not ready for the change, or we have to stop: it is made later",
        f"{_CHANGE} api reason {_AWS} duration_ms",
    ),
    "address.blocked": _event(
        "warning", "only a change of the config, or of the thing by hand, helps", "address reason"
    ),
    "wait.slow": _event(
        "info", "something is waited for; at most once in 30 s for each", "reason address? addresses?"
    ),
    # ownership
    "resource.orphaned": _event(
        "warning", "a thing of ours whose address is not in the config", "address kind id"
    ),
    "ownership.conflict": _event(
        "error", "two things claim one address, or one thing has half of our tags", f"reason {_AT_TIMES}"
    ),
    # guards
    "guard.stopped": _event(
        "error", "a limit was hit; nothing was done, and the line says how to agree", "reason guard?"
    ),
    "guard.agreed": _event(
        "warning", "a person has agreed to a plan that a guard had stopped", "reason by guard"
    ),
    "flap.stopped": _event(
        "warning",
        "fields were put right three times within an hour and differ again: the address is stopped; who else writes",
        "address paths reason",
    ),
    "window.opened": _event("info", "a maintenance window has begun", "until"),
    "window.closed": _event("info", "a maintenance window has ended"),
    "pause.started": _event(
        "warning", "nothing is changed from here on, and why", "reason until by address?"
    ),
    "pause.ended": _event("info", "changes are made again", "reason address?"),
    # API, log
    "api.throttled": _event(
        "warning", "AWS asked for fewer calls; a summary, at most once a minute", "count operations"
    ),
    "library.log": _event(
        "warning",
        "a library's line: its text in `message`, its name in `logger`, at its own level",
        "message logger",
    ),
    "log.suppressed": _event(
        "info",
        "lines were left out: repetitions, or (a warning) what nobody has read in time; each is counted once",
        "about count",
    ),
}
"""Every event there is.  A new one is added here first; under the tests an unknown name or field is an error."""
