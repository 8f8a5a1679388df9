"""A look that leaves no trace: each question is asked once, nothing is changed, nothing is written down.

Used by the verb `doctor amnesia`, whose two plans are to rest on the same answers.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

from reconciler.aws.discover import ASKED_REGION
from reconciler.aws.gateway import Gateway
from reconciler.aws.journal import Journal
from reconciler.aws.memory import Memory
from reconciler.aws.session import Sessions
from reconciler.errors import AwsError, ReconcilerError
from reconciler.model.calls import Call


class Recall(Gateway):
    """A way to AWS that answers a question as it was answered before, failures included, and refuses changes."""

    def __init__(self, sessions: Sessions) -> None:
        super().__init__(sessions)
        self._answers: dict[str, list[Any] | AwsError] = {}

    def perform(self, call: Call) -> NoReturn:
        """Nothing is changed."""
        raise ReconcilerError(f"{call} would change something, and here everything is only looked at")

    def rows(self, **question: Any) -> Iterator[Any]:
        """As `Gateway.rows`; the whole list is read before its first row is given."""
        key = json.dumps([ASKED_REGION.get(), question], sort_keys=True, default=str)
        if key not in self._answers:
            try:
                self._answers[key] = list(super().rows(**question))
            except AwsError as error:
                self._answers[key] = error
        found = self._answers[key]
        if isinstance(found, AwsError):
            raise found
        yield from found


class ReadOnlyMemory(Memory):
    """What is remembered, to be read only."""

    def __post_init__(self) -> None:
        self._journal = _Unwritten(self.directory / "memory.jsonl", without="remembering")


class _Unwritten(Journal):
    def attempt(self, write: Callable[[], None]) -> bool:
        return False
