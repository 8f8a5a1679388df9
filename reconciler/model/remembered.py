"""What is remembered of creations: evidence that a thing may exist although no list shows it.

Kept by `aws.memory`, judged by `engine.holds`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from reconciler.model.address import Address

LOST_ANSWER = 60.0
"""Seconds that an attempt without an answer holds its address."""
UNLISTED = 300.0
"""Seconds that a creation is believed although no list shows it: EC2 documents minutes at the worst.

https://docs.aws.amazon.com/AWSEC2/latest/DeveloperGuide/eventual-consistency.html"""

APART = 5.0
"""Seconds between two looks that must agree that what was there is gone: those of one instant may share an error."""


@dataclass(frozen=True)
class Remembered:
    """Creations by address; times are seconds since the epoch.

    `since` is when remembering began, `fresh` whether nothing was remembered then, `found` whether things of the stack
    were seen that were not made since.  `intents`: when a creation was begun whose answer never came; `tokens`: the
    same of creations that can be sent again, since a token says that they are the same.  `created`: id and time of
    creations that no look has shown yet.  `seen`: id of what was there, and since when complete looks miss it (None:
    the last one showed it).
    """

    since: float
    fresh: bool = False
    found: bool = False
    intents: Mapping[Address, float] = field(default_factory=dict)
    created: Mapping[Address, tuple[str, float]] = field(default_factory=dict)
    tokens: Mapping[Address, float] = field(default_factory=dict)
    seen: Mapping[Address, tuple[str, float | None]] = field(default_factory=dict)
