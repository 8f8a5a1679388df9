"""The one error of the local AWS: a code, a message, an HTTP status and the members that the service's model adds.

Raised by every check of the sandbox, turned into a wire answer in `pipeline.py`, never seen by a caller of boto3 as
anything but a `ClientError`.
"""

from __future__ import annotations

from typing import Any

from moto.core.exceptions import ServiceException

# HTTP statuses that EC2 answers with, other than its usual 400.
# Source: EC2 API reference, "Error codes for the Amazon EC2 API" (client errors 4xx, server errors 5xx).
_STATUSES = {
    "DryRunOperation": 412,
    "UnauthorizedOperation": 403,
    "InternalError": 500,
    "InternalFailure": 500,
    "InsufficientInstanceCapacity": 500,
    "RequestLimitExceeded": 503,
    "ServiceUnavailable": 503,
    "Unavailable": 503,
}


class AwsError(ServiceException):
    """An error answer.

    In: `code` as AWS spells it; `message`; `status`, the HTTP status (None: what the service's model says, else EC2's
    own table, else 400); `members`, further top-level members of the error (`ResourceId`, `Reason`, `Fields`, …).
    """

    def __init__(self, code: str, message: str, status: int | None = None, **members: Any) -> None:
        super().__init__(code, message)
        self.status = status or _STATUSES.get(code)
        self.members = members
        for (
            name,
            value,
        ) in members.items():  # moto's serialiser reads the members of a modelled error as attributes
            setattr(self, name, value)


class ConnectionLostError(Exception):
    """The client sees a closed connection instead of an answer; turned into botocore's error in `pipeline.py`."""
