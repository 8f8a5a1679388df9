"""The IAM policy that a config needs, and nothing beyond it.  Pure: from records and config to a document.

Used by the verb `iam-policy`, and by `program` for looks that cannot write.  docs/iam.md tells what each statement is
for, and what no policy can prevent.
"""

from __future__ import annotations

from reconciler.policy.extent import Extent, extent
from reconciler.policy.facts import INLINE, MANAGED, SESSION
from reconciler.policy.reads import read_half
from reconciler.policy.statements import Statement, compact, document, parts, session_policy
from reconciler.policy.writes import write_half

__all__ = [
    "INLINE",
    "MANAGED",
    "SESSION",
    "Extent",
    "Statement",
    "compact",
    "document",
    "extent",
    "parts",
    "read_half",
    "session_policy",
    "write_half",
]
