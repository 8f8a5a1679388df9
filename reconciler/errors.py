"""Everything that can go wrong, as one tree.

ReconcilerError
├─ ConfigError      problems with file, line, column; nothing was asked of AWS
├─ IdentityError    WrongAccount · NoCredentials
├─ GuardError       a limit was hit; nothing was done
├─ BusyError        another process holds the stack
│  └─ LeaseLost     another host holds it by now, or may
└─ AwsError         Gone · NotYet · Throttled · Exhausted · Denied · Refused · Lost

AWS's codes become these meanings once, in `aws.codes`.  `cli` turns each into an exit status.
"""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.model.place import Problem


class ReconcilerError(Exception):
    """Something that a user can cause or must know of; its text is for people."""


class ConfigError(ReconcilerError):
    """The config is refused; `problems` are sorted by position."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(map(str, self.problems)))


class IdentityError(ReconcilerError):
    """We are not who the config says, or nobody at all."""


class WrongAccount(IdentityError):
    """The credentials are good and belong to another account than the config says."""


class NoCredentials(IdentityError):
    """There are no credentials, or AWS does not accept them."""


class GuardError(ReconcilerError):
    """A guard stopped the pass before its first change."""


class BusyError(ReconcilerError):
    """Another process holds this stack; trying later may help."""


class LeaseLost(BusyError):
    """The stack was ours and is not provably so any more: what changes something is not sent, and the pass ends."""


class AwsError(ReconcilerError):
    """An AWS call did not succeed.

    `code` is AWS's, `call` the operation (`networkmanager:CreateSite`), `request_id` AWS's, "" when none came back.
    `http_status` is that of the last answer and `retry_attempts` how often the SDK has tried again; 0 when unknown.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str = "",
        call: str = "",
        request_id: str = "",
        http_status: int = 0,
        retry_attempts: int = 0,
    ) -> None:
        self.code, self.call, self.request_id = code, call, request_id
        self.http_status, self.retry_attempts = http_status, retry_attempts
        super().__init__(message)


class Gone(AwsError):
    """The thing does not exist (any more, or not yet for this reader)."""


class NotYet(AwsError):
    """In the wrong state, or something is still inside or attached: later, the same call may succeed."""


class Unknown(NotYet):
    """What the call names is not known there: it has just been made, which is believed for some minutes, or is not."""


class Throttled(AwsError):
    """Too many requests, and the SDK's own retries are used up."""


class Exhausted(AwsError):
    """A quota or a capacity pool is exhausted; retrying soon is no use."""


class Denied(AwsError):
    """Not allowed, or the credentials are not good."""


class Refused(AwsError):
    """AWS says the request itself is wrong; only a change of the config helps."""


class Lost(AwsError):
    """No answer, or a server error: the call may have happened or not."""
