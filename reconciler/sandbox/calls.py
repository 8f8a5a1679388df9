"""Which operations were called: the record that tests read.

Written by `pipeline.py`, once for each request that reached the local AWS, also for those that failed or whose answer
was lost.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_READ = re.compile(r"(Describe|Get|List|Lookup|Head|Search|AssumeRole$)")


def is_read(operation: str) -> bool:
    """Whether an operation only looks, by how its name starts; to assume a role changes nothing either."""
    return _READ.match(operation) is not None


@dataclass(frozen=True)
class Call:
    """One request: boto3's service name, operation, region of the signature, parameters, and the error code or None.

    A lost connection is recorded with the error "ConnectionClosed".
    """

    service: str
    operation: str
    region: str
    parameters: Mapping[str, Any]
    error: str | None = None

    @property
    def is_write(self) -> bool:
        """Whether it can change something."""
        return not is_read(self.operation)


# a server may run for days; no test makes as many calls
_MOST = 100_000


class CallLog:
    """The calls so far, oldest first; of very many the last ones."""

    def __init__(self) -> None:
        self.all: deque[Call] = deque(maxlen=_MOST)

    def add(self, call: Call) -> None:
        """Appends one."""
        self.all.append(call)

    def clear(self) -> None:
        """Forgets what was called so far."""
        self.all.clear()

    @property
    def writes(self) -> list[Call]:
        """Those that can change something."""
        return [call for call in self.all if call.is_write]
