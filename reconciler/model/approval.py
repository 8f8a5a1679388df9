"""A person's agreement to one plan that a guard has stopped.  Kept by `approvals`, used up by `loop`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Approval:
    """`plan` is the hash of the plan; `at` and `until` are seconds since the epoch."""

    plan: str
    reason: str
    by: str
    at: float
    until: float
